"""REL-108 at the doors: the command, the page and the API say what is in the way and what passes,
and a data owner of the provider may consent, through each of them.
"""

from __future__ import annotations

import datetime as dt
import io
import json
import re
from html import unescape
from typing import Any

import pytest
from fastapi import FastAPI

from pipelines.cli import app as command
from pipelines.cli.common_options import CommonOptions
from pipelines.cli.failures import report
from pipelines.cli.session import Session
from pipelines.core import clock
from pipelines.ledger.chain import entries
from pipelines.release.preview import preview
from pipelines.release.request import Request
from tests.portal import PASSWORD, Browser, account, make_app, signed_in, token_of
from tests.unit.release.disclosure.test_conflict import (
    AS_OF,
    DPO,
    GENDARMERIE,
    PUBLIC,
    clauses,
)
from tests.unit.release.home import make_home
from tests.unit.release.world import rows

MAY, APRIL = dt.datetime(2026, 5, 5, 12), dt.datetime(2026, 4, 7, 12)
API = {
    "table": "incidents",
    "purpose": DPO["purpose"],
    "form": "counts",
    "dimensions": ["country", "month"],
}
SECRETS = ("9", "13", "28", "29", "41")


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> FastAPI:
    """The public was told what both services have by month; of May, all but 4 is the police's."""
    place = tmp_path_factory.mktemp("doors")
    terms = clauses()
    for one in terms:
        one["dimensions"] = [*one["dimensions"], "quarter", "year"]
    held = [{"occurred_at": MAY}] * 9 + [{"occurred_at": APRIL}] * 20
    held += [{**GENDARMERIE, "occurred_at": MAY}] * 4 + [{**GENDARMERIE, "occurred_at": APRIL}] * 8
    settings = make_home(place, rows(*held), terms)
    asked = {"table": "incidents", "as_of": AS_OF, "form": "counts"}
    preview(settings, Request(**asked, **PUBLIC, dimensions=("country", "month")))
    return make_app(settings)


@pytest.fixture(scope="module")
def staff(app: FastAPI) -> Browser:
    return signed_in(app, "mission_staff", organisation=DPO["recipient"], name="unit.dpo")


def run(
    app: FastAPI, capsys: pytest.CaptureFixture[str], *arguments: str, is_json: bool = False
) -> tuple[int, str, str]:
    """The command, as a person at the machine of the home would type it."""
    home = app.state.settings
    options = CommonOptions(home=home.home, language="en", is_json=is_json, is_debug=False)
    session = Session(options)
    session.__dict__["settings"] = home
    try:
        code = command.run(arguments, session)
    except Exception as error:
        code = report(error, session)
    said = capsys.readouterr()
    return code, said.out, said.err


def test_the_page_says_what_is_in_the_way_and_leads_to_what_passes(
    app: FastAPI, staff: Browser
) -> None:
    chosen = {
        "way": f"counts:{DPO['purpose']}",
        "shown_form": "counts",
        "shown_purpose": DPO["purpose"],
        "dimensions": ["country", "month"],
        "measures": ["records"],
        "format": "csv",
        "language": "en",
        "do": "look",
    }
    page = staff.submit("/tables/incidents", chosen)
    text = unescape(page.text)
    assert page.status_code == 422
    assert "REL-108" in text
    assert "The public looked at counts on" in text
    assert "Other than there: the purpose, and with it the clauses" in text
    assert "Only a written consent of all who provide the data" in text
    assert not any(f">{one}<" in text for one in SECRETS)
    links = re.findall(r'<li><a href="(/tables/incidents\?[^"]+)"', text)
    assert links
    assert staff.get(links[0]).status_code == 200


def test_the_api_says_the_same_and_a_form_that_it_lists_passes(app: FastAPI) -> None:
    mine = token_of(
        app.state.settings, "mission_staff", organisation=DPO["recipient"], name="unit.dpo.api"
    )
    browser = Browser(app)
    refused = browser.post("/api/v1/previews", json=API, headers=mine)
    said = refused.json()
    assert (refused.status_code, said["code"]) == (422, "REL-108")
    conflict = said["conflict"]
    assert [one["recipient"] for one in conflict["earlier"]] == ["public"]
    assert conflict["earlier"][0]["differs"] == ["purpose"]
    assert conflict["providers"] == ["caf_police", "caf_gendarmerie"]
    assert not any(one in json.dumps(conflict["coarser"]) for one in SECRETS)
    form = {name: value for name, value in conflict["coarser"][0].items() if name != "said"}
    passes = browser.post("/api/v1/previews", json={**API, **form}, headers=mine)
    assert passes.status_code == 200, passes.text


def test_the_command_says_the_same_and_refuses_with_its_exit_code(
    app: FastAPI, capsys: pytest.CaptureFixture[str]
) -> None:
    words = [
        "extract",
        "make",
        "incidents",
        "--recipient",
        DPO["recipient"],
        "--purpose",
        DPO["purpose"],
    ]
    words += ["--counts-by", "country,month", "--as-of", AS_OF.isoformat()]
    code, _out, err = run(app, capsys, *words)
    assert code == 3
    assert "REL-108" in err
    assert "In the way:" in err
    assert "passerelle extract make incidents --recipient dpo_police_division" in err
    code, out, _err = run(app, capsys, *words, is_json=True)
    conflict = json.loads(out)["conflict"]
    assert (code, [one["recipient"] for one in conflict["earlier"]]) == (3, ["public"])


def waiting(app: FastAPI, headers: dict[str, str]) -> list[dict[str, Any]]:
    return Browser(app).get("/api/v1/consents", headers=headers).json()["waiting"]


def test_each_provider_consents_by_another_door_and_then_it_leaves(
    app: FastAPI, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    until = (clock.now().date() + dt.timedelta(days=9)).isoformat()
    mine = token_of(
        app.state.settings, "mission_staff", organisation=DPO["recipient"], name="unit.dpo.asks"
    )
    browser = Browser(app)
    asked = API
    reference = browser.post("/api/v1/previews", json=asked, headers=mine).json()["conflict"][
        "reference"
    ]

    police = token_of(
        app.state.settings, "data_owner", organisation="caf_police", name="police.data"
    )
    assert reference in [one["reference"] for one in waiting(app, police)]
    stranger = token_of(app.state.settings, "data_owner", organisation="cod_pnc", name="pnc.data")
    assert waiting(app, stranger) == []
    word = {"reference": reference, "until": until, "reason": "Agreed in writing"}
    assert browser.post("/api/v1/consents", json=word, headers=stranger).json()["code"] == "REL-120"
    assert browser.post("/api/v1/consents", json=word, headers=mine).status_code == 404
    given = browser.post("/api/v1/consents", json=word, headers=police)
    assert given.status_code == 201, given.text

    page = signed_in(app, "data_owner", organisation="caf_gendarmerie", name="gendarmerie.data")
    shown = page.get("/consents")
    assert reference in shown.text
    bad = page.submit("/consents", {**word, "until": "2020-01-01"})
    assert bad.status_code == 422
    assert browser.post("/api/v1/previews", json=asked, headers=mine).status_code == 422
    assert page.submit("/consents", word).status_code == 200
    assert browser.post("/api/v1/previews", json=asked, headers=mine).status_code == 200

    account(app.state.settings, "provider", organisation="caf_police", name="police.desk")
    for name, password, needed in (
        ("police.data", "wrong", "PSL-330"),
        ("police.desk", PASSWORD, "PSL-331"),
    ):
        monkeypatch.setattr("sys.stdin", io.StringIO(f"{password}\n"))
        _code, _out, err = run(
            app,
            capsys,
            *("consent", "revoke", given.json()["consent_id"]),
            *("--account", name, "--password-stdin"),
        )
        assert needed in err
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{PASSWORD}\n" * 2))
    mine_own = ("--account", "police.data", "--password-stdin")
    code, out, _err = run(app, capsys, "consent", "revoke", given.json()["consent_id"], *mine_own)
    assert (code, "taken back" in out) == (0, True)
    more = ("--until", until, "--reason", "Agreed in writing")
    code, out, _err = run(app, capsys, "consent", "give", reference, *more, *mine_own)
    assert (code, "holds until" in out) == (0, True)
    events = [one.event for one in entries(app.state.settings, subject=reference).entries]
    assert events == [
        *("consent.given", "consent.revoked", "consent.given", "consent.given", "consent.needed"),
    ]
    code, out, _err = run(app, capsys, "consent", "list", is_json=True)
    assert len(json.loads(out)["given"]) == 3
