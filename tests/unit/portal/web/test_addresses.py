"""No address holds the number of a record, typed words or SQL; and no log holds an address."""

from __future__ import annotations

import ast
import logging
import re
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from fastapi import FastAPI

from pipelines.core.settings import settings_for
from pipelines.portal import __main__ as serving
from pipelines.portal.api.models import CODE
from pipelines.portal.configuration import Configuration
from pipelines.portal.web.page import TEMPLATES
from tests.portal import Browser, signed_in

PORTAL = Path(serving.__file__).parent
# What may stand after the “?” of a page of ours: codes, days, numbers, and random names of things.
KNOWN = {
    *("form", "purpose", "areas", "offences", "columns", "dimensions", "measures"),
    *("format", "language", "since", "until", "page", "feed", "state", "event", "organisation"),
    *("recipient", "clause", "table", "sample", "lang"),
    *("look", "held", "csrf", "renew", "known", "said", "revoked", "changed", "next"),
}
A_NAME = "Mbokani Jean-Bosco 7731"


def templates() -> list[tuple[str, str]]:
    found = []
    for file in sorted(TEMPLATES.rglob("*.html")):
        text = re.sub(r"\{#.*?#\}", "", file.read_text(encoding="utf-8"), flags=re.DOTALL)
        found.append((str(file.relative_to(TEMPLATES)), text))
    return found


def free_fields(form: str) -> list[str]:
    """The fields of a form in which words can be typed: no list to choose from and no day."""
    fields = re.findall(r"\{\{ field\((.*?)\) \}\}", form, re.DOTALL)
    typed = [one for one in fields if not re.search(r'type="(date|number)"', one)]
    return typed + re.findall(r"<textarea|<input(?![^>]*type=\"(?:hidden|checkbox|radio)\")", form)


def test_no_form_that_leads_to_an_address_has_a_field_to_type_in() -> None:
    seen = 0
    for name, text in templates():
        for form in re.findall(r'<form method="get".*?</form>', text, re.DOTALL):
            seen += 1
            assert free_fields(form) == [], f"{name}: its words would stand in an address"
        assert not re.search(r"<form(?![^>]*method=)", text), f"{name}: a form says how it is sent"
    assert seen, "a filter by days and codes is a form that leads to an address"


def test_the_walk_would_notice_a_field_to_type_in() -> None:
    text = '{{ field(form, "q", _("Search"), type="search", attributes={"maxlength": 200}) }}'
    assert (
        free_fields(text) and free_fields("<textarea name=x>") and free_fields('<input name="x">')
    )
    assert not free_fields('{{ field(form, "since", _("From"), type="date") }}')


def test_what_stands_in_the_links_of_pages_is_known() -> None:
    for name, text in templates():
        for call in re.findall(r"\burl\((.*?)\)[ ,}]", text, re.DOTALL):
            for parameter in re.findall(r"[(, ](\w+)=", f"({call}"):
                assert parameter in KNOWN, f"{name}: {parameter} in an address"
        for query in re.findall(r'(?:href|action)="/[^"]*\?([^"{]*)', text):
            assert {part.partition("=")[0] for part in query.split("&amp;")} <= KNOWN, name


def test_what_stands_in_the_addresses_that_the_code_makes_is_known() -> None:
    for file in PORTAL.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "url":
                names = {one.arg for one in node.keywords if one.arg}
                assert names <= KNOWN, f"{file.name}: {names - KNOWN} in an address"


def test_an_operation_takes_words_in_its_body_only(app: FastAPI) -> None:
    described = signed_in(app, "oversight").get("/api/v1/openapi.json").json()
    seen = 0
    for path, operations in described["paths"].items():
        for method, one in operations.items():
            for parameter in one.get("parameters", []):
                if parameter["in"] != "query":
                    continue
                seen += 1
                where = f"{method} {path} {parameter['name']}"
                for schema in parts(parameter["schema"]):
                    assert is_bounded(schema), f"{where}: words would stand in an address"
    assert seen > 10


def parts(schema: dict[str, Any]) -> list[dict[str, Any]]:
    inner = schema.get("anyOf") or schema.get("allOf") or [schema]
    return [inner_one.get("items", inner_one) for inner_one in inner]


def is_bounded(schema: dict[str, Any]) -> bool:
    """Codes, days, numbers: nothing that a person could write a name into."""
    is_text = schema.get("type") == "string" and not ({"enum", "const"} & schema.keys())
    is_code = schema.get("pattern") == CODE or schema.get("format") == "date"
    return not is_text or is_code or str(schema.get("pattern", "")).startswith("^(")


def test_a_code_has_no_room_for_a_name() -> None:
    assert re.match(CODE, "caf_minusca/P1") and not re.match(CODE, A_NAME)


@pytest.mark.parametrize(
    ("role", "page", "to", "field"),
    [
        ("analyst", "/dictionary", "/dictionary", "q"),
        ("analyst", "/dictionary/lists/offences", "/dictionary/lists/offences", "q"),
        ("analyst", "/sql", "/sql", "question"),
        ("oversight", "/ledger", "/ledger/search", "actor"),
        ("oversight", "/taken", "/taken", "record"),
    ],
)
def test_what_is_typed_is_searched_and_stands_in_no_address(
    app: FastAPI, role: str, page: str, to: str, field: str
) -> None:
    unit = {"organisation": "minusca_unpol_jma"} if role == "analyst" else {}
    browser = signed_in(app, role, name=f"types.{role}", **unit)
    words = "SELECT 'Mbokani'" if field == "question" else "Mbokani"
    more = {"purpose": "joint_planning"} if field == "question" else {}
    answer = browser.submit(page, {field: words, **more}, to=to)
    assert "Mbokani" in answer.text, "it stays in its field"
    addresses = [str(one.url) for one in (*answer.history, answer)]
    addresses += map(unescape, re.findall(r'(?:href|action)="([^"]*)"', answer.text))
    assert not [one for one in addresses if "Mbokani" in one]
    names = {name for one in addresses for name in parse_qs(urlsplit(one).query)}
    assert names <= KNOWN
    if answer.history:  # a reload and another language keep it; another session does not
        again = browser.get(str(answer.url))
        assert "Mbokani" in again.text
        other = signed_in(app, role, name=f"reads.{role}", **unit)
        assert "Mbokani" not in other.get(str(answer.url)).text


def test_words_in_an_address_are_not_taken_from_it(app: FastAPI) -> None:
    browser = signed_in(app, ["oversight", "analyst"], organisation="minusca_unpol_jma")
    for address in ("/dictionary?q=", "/sql?question=", "/ledger?actor=", "/taken?record="):
        assert "Mbokani" not in main_of(browser.get(f"{address}Mbokani").text), address


def main_of(text: str) -> str:
    return text[text.index("<main") : text.index("</main>")]


def test_no_log_holds_a_query(app: FastAPI, caplog: pytest.LogCaptureFixture) -> None:
    """Pages, absent pages, faults of ours, refused forms, and what the server itself says."""

    @app.get("/breaks-late")
    def breaks_late() -> Any:
        raise RuntimeError(" ".join(["a message that may quote", "a value"]))

    browser = Browser(app)
    with caplog.at_level(logging.DEBUG):
        for address in ("/sign-in", "/absent", "/breaks-late", "/api/v1/me", "/tables"):
            browser.get(f"{address}?q={A_NAME}", headers={"referer": f"http://x/?q={A_NAME}"})
            browser.post(f"{address}?q={A_NAME}")
    own = [one.getMessage() for one in caplog.records if not one.name.startswith("http")]
    assert any("/sign-in 200" in one for one in own)
    assert not [one for one in own if "Mbokani" in one or "quote a value" in one]


def test_the_server_logs_no_addresses_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """Uvicorn's access log is off, and websockets, whose handshake it logs with the query."""
    import uvicorn

    told: dict[str, Any] = {}
    monkeypatch.setattr(uvicorn, "run", lambda _app, **options: told.update(options))
    monkeypatch.setattr("pipelines.portal.app.create_app", lambda *_a: None)
    serving.serve(settings_for(Path("/nowhere")), Configuration())
    assert told["access_log"] is False and told["ws"] == "none"
