"""A form that is sent after its session ended: sign-in in place, and the form as it was filled."""

from __future__ import annotations

import re
from html import unescape
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from fastapi import FastAPI

from pipelines.accounts.people import set_roles
from pipelines.ledger.chain import entries
from pipelines.portal.web.expired_forms import NEVER_KEPT
from pipelines.portal.web.page import TEMPLATES
from tests.portal import PASSWORD, Browser, account, csrf_of, signed_in

QUESTION = "SELECT 'a question that took an hour to write'"
UNIT = "minusca_unpol_jma"


@pytest.fixture
def analyst(app: FastAPI) -> Browser:
    return signed_in(app, "analyst", organisation=UNIT, name="unit.analyst")


def end_session(browser: Browser) -> None:
    """As half an hour without use does; the cookie stays in the browser."""
    from pipelines.accounts.sessions import close_session

    sessions = [one.value for one in browser.cookies.jar if one.name == "passerelle-session"]
    close_session(browser.app.state.settings, sessions[-1])


def send_late(browser: Browser, page: str, data: dict[str, Any], to: str = "") -> httpx.Response:
    secret = csrf_of(browser.get(page).text)
    end_session(browser)
    return browser.post(to or page, data={"csrf": secret, **data}, follow_redirects=False)


def sign_in(browser: Browser, shown: str, name: str) -> httpx.Response:
    """Fill in the sign-in that stands on the page that is shown."""
    wanted = re.search(r'name="next" value="([^"]*)"', shown)
    assert wanted
    data = {
        "csrf": csrf_of(shown),
        "next": unescape(wanted[1]),
        "name": name,
        "password": PASSWORD,
    }
    return browser.post("/sign-in", data=data, follow_redirects=False)


def question_on(page: str) -> str:
    found = re.search(r"<textarea[^>]*>\s*([^<]*)</textarea>", page)
    assert found
    return unescape(found[1])


def test_a_question_in_sql_comes_back_as_it_was_written(app: FastAPI, analyst: Browser) -> None:
    asked_before = entries(app.state.settings, events=["sql.run"]).total
    data = {"purpose": "protection_of_civilians", "question": QUESTION}
    late = send_late(analyst, "/sql", data)
    assert late.status_code == 401, "sign-in in place, where the form was sent"
    assert "Your session had ended" in late.text and QUESTION not in late.text
    back = sign_in(analyst, late.text, "unit.analyst").headers["location"]
    assert urlsplit(back).path == "/sql" and parse_qs(urlsplit(back).query).keys() == {"held"}
    page = analyst.get(back)
    assert question_on(page.text) == QUESTION
    assert 'value="protection_of_civilians" selected' in page.text
    assert "Nothing was done with it yet" in page.text
    assert entries(app.state.settings, events=["sql.run"]).total == asked_before
    assert question_on(analyst.get(back).text) == QUESTION, "a reload keeps it"


def test_another_account_in_the_same_browser_does_not_get_it(
    app: FastAPI, analyst: Browser
) -> None:
    late = send_late(analyst, "/sql", {"purpose": "joint_planning", "question": QUESTION})
    account(app.state.settings, "analyst", organisation=UNIT, name="a.colleague")
    back = sign_in(analyst, late.text, "a.colleague").headers["location"]
    page = analyst.get(back)
    assert page.status_code == 200 and question_on(page.text) == ""
    assert "Nothing was done with it yet" not in page.text


def test_another_browser_of_the_same_account_does_not_get_it(
    app: FastAPI, analyst: Browser
) -> None:
    late = send_late(analyst, "/sql", {"purpose": "joint_planning", "question": QUESTION})
    back = sign_in(analyst, late.text, "unit.analyst").headers["location"]
    other = signed_in(app, "analyst", organisation=UNIT, name="unit.analyst")
    assert question_on(other.get(back).text) == ""
    assert question_on(analyst.get(back).text) == QUESTION


def test_after_signing_out_nothing_comes_back_and_no_open_form_is_good(analyst: Browser) -> None:
    late = send_late(analyst, "/sql", {"purpose": "joint_planning", "question": QUESTION})
    back = sign_in(analyst, late.text, "unit.analyst").headers["location"]
    open_form = csrf_of(analyst.get("/account").text)
    assert analyst.submit("/account", to="/sign-out", follow_redirects=False).status_code == 303
    page = analyst.get("/sign-in").text
    assert sign_in(analyst, page.replace('value="/"', f'value="{back}"'), "unit.analyst")
    assert question_on(analyst.get(back).text) == ""
    refused = analyst.post("/account/language", data={"csrf": open_form, "language": "fr"})
    assert refused.status_code == 403


def test_a_form_that_stood_open_while_its_person_signed_in_anew_is_simply_taken(
    app: FastAPI, analyst: Browser
) -> None:
    secret = csrf_of(analyst.get("/account").text)
    end_session(analyst)
    page = analyst.get("/sign-in").text
    assert sign_in(analyst, page, "unit.analyst").status_code == 303
    taken = analyst.post("/account/language", data={"csrf": secret, "language": "en"})
    assert taken.status_code == 200 and "language was changed" in taken.text


def test_a_form_of_one_account_is_not_taken_from_another(app: FastAPI, analyst: Browser) -> None:
    secret = csrf_of(analyst.get("/account").text)
    end_session(analyst)
    account(app.state.settings, "analyst", organisation=UNIT, name="a.colleague")
    assert sign_in(analyst, analyst.get("/sign-in").text, "a.colleague").status_code == 303
    answer = analyst.post("/account/language", data={"csrf": secret, "language": "fr"})
    assert answer.status_code == 403


def test_a_choice_of_an_extract_comes_back(app: FastAPI) -> None:
    browser = signed_in(app, "mission_staff", organisation=UNIT, name="unit.staff")
    choice = {
        "way": "records:protection_of_civilians",
        "since": "2026-06-01",
        "areas": ["CF11"],
        "columns": ["record_id", "occurred_on"],
        "format": "csv",
        "language": "fr",
        "do": "look",
    }
    for to in ("/tables/incidents", "/tables/incidents/extract"):
        late = send_late(browser, "/tables/incidents", choice, to)
        back = sign_in(browser, late.text, "unit.staff").headers["location"]
        page = browser.get(back).text
        assert urlsplit(back).path == "/tables/incidents"
        assert 'value="records:protection_of_civilians" selected' in page
        assert 'value="2026-06-01"' in page and re.search('value="CF11" checked', page)
        assert re.findall(r'name="columns" value="(\w+)" checked', page) == choice["columns"]


def test_passwords_and_codes_are_never_kept(app: FastAPI, analyst: Browser) -> None:
    scratch = app.state.settings.scratch / "held"
    before = set(scratch.glob("*")) if scratch.exists() else set()
    data = {"present": PASSWORD, "password": "a new one that is long", "again": "x"}
    late = send_late(analyst, "/account/password", data)
    assert late.status_code == 401
    back = sign_in(analyst, late.text, "unit.analyst").headers["location"]
    assert urlsplit(back).path == "/account/password"
    page = analyst.get(back)
    assert page.status_code == 200 and "a new one" not in page.text
    assert set(scratch.glob("*")) - before


def test_every_field_of_a_password_or_code_is_among_those_that_are_never_kept() -> None:
    """A template that asks for another secret must name it."""
    asked = set()
    for file in TEMPLATES.rglob("*.html"):
        text = file.read_text(encoding="utf-8")
        asked |= set(re.findall(r'field\(form, "(\w+)"[^}]*type="password"', text))
        asked |= set(re.findall(r'field\(form, "(\w+)"[^}]*one-time-code', text))
    assert asked and asked <= NEVER_KEPT


def test_of_an_upload_nothing_is_taken_and_the_page_says_so(app: FastAPI) -> None:
    browser = signed_in(app, "provider")
    page = browser.get("/deliveries/new").text
    action = re.search(r'action="(/deliveries/new\?csrf=[^"]+)"', page)
    assert action
    end_session(browser)
    late = browser.post(unescape(action[1]), files={"file": ("x.csv", b"a;b\n1;2\n")})
    assert late.status_code == 401 and "choose the file again" in late.text
    back = sign_in(browser, late.text, "test.provider").headers["location"]
    shown = browser.get(back)
    assert urlsplit(back).path == "/deliveries/new" and "was not taken" in shown.text
    assert list(app.state.settings.uploads.glob("*")) == []


def test_a_page_that_is_no_longer_ones_own_stays_closed(app: FastAPI) -> None:
    browser = signed_in(app, "analyst", organisation=UNIT, name="unit.leaves")
    late = send_late(browser, "/sql", {"purpose": "joint_planning", "question": QUESTION})
    set_roles(app.state.settings, "unit.leaves", ["provider"])
    back = sign_in(browser, late.text, "unit.leaves").headers["location"]
    answer = browser.get(back)
    assert answer.status_code == 404 and QUESTION not in answer.text


def test_a_forged_form_of_nobody_keeps_nothing(app: FastAPI, analyst: Browser) -> None:
    scratch = app.state.settings.scratch / "held"
    end_session(analyst)
    before = set(scratch.glob("*")) if scratch.exists() else set()
    account_id = re.escape("0f" * 16)
    for secret in ("", "x", f"{'A' * 88}.{account_id}"):
        answer = analyst.post("/sql", data={"csrf": secret, "question": "x" * 1000})
        assert answer.status_code == 403
    assert (set(scratch.glob("*")) if scratch.exists() else set()) == before
