"""Signing in and out with a password, and one's own account."""

from __future__ import annotations

import datetime as dt
import re

import httpx
import pyotp
import pytest
from fastapi import FastAPI

from pipelines.accounts.people import find_user, set_password
from pipelines.accounts.tokens import person_of_token
from pipelines.core.settings import settings_for
from pipelines.ledger.chain import entries
from tests.portal import PASSWORD, Browser, account, csrf_of, make_app, signed_in

ANOTHER = "another footbridge over it"


@pytest.fixture
def app(tmp_path) -> FastAPI:
    return make_app(settings_for(tmp_path))


def sign_in(browser: Browser, name: str, password: str, **more: str) -> httpx.Response:
    data = {"name": name, "password": password, **more}
    return browser.submit("/sign-in", data, follow_redirects=False)


def events(app: FastAPI, event: str) -> int:
    return sum(one.event == event for one in entries(app.state.settings).entries)


def test_a_person_signs_in_and_goes_on_to_what_was_asked_for(app: FastAPI) -> None:
    name = account(app.state.settings, "oversight")
    browser = Browser(app)
    asked = browser.get("/account?said=x", follow_redirects=False)
    assert asked.headers["location"] == "/sign-in?next=%2Faccount%3Fsaid%3Dx"
    form = browser.get(asked.headers["location"])
    wanted = re.search(r'name="next" value="([^"]*)"', form.text)
    assert wanted
    answer = sign_in(browser, name.upper(), PASSWORD, next=wanted[1])
    assert answer.headers["location"] == "/account?said=x"
    cookie = next(c for c in answer.headers.get_list("set-cookie") if "-session=" in c)
    assert "HttpOnly" in cookie and "SameSite=Lax" in cookie and "Max-Age" not in cookie
    assert browser.get("/account").status_code == 200
    assert events(app, "signin.succeeded") == 1


def test_nobody_is_sent_elsewhere(app: FastAPI) -> None:
    name = account(app.state.settings, "oversight")
    answer = sign_in(Browser(app), name, PASSWORD, next="//elsewhere.example")
    assert answer.headers["location"] == "/"


def test_unknown_wrong_and_locked_look_alike(app: FastAPI) -> None:
    name = account(app.state.settings, "oversight")
    browser = Browser(app)
    said = set()
    for typed in ("nobody.here", *[name] * 7):
        answer = sign_in(browser, typed, "not the password")
        assert answer.status_code == 422
        text = re.sub(r'(csrf" value="|id="field-name"[^>]*value=")[^"]*', "", answer.text)
        said.add(text)
        assert 'value="not the password"' not in answer.text
    assert len(said) == 1
    assert sign_in(browser, name, PASSWORD).status_code == 422  # locked, and it does not say so
    assert events(app, "signin.locked") == 1
    assert events(app, "signin.failed") == 9


def test_empty_fields_are_named_and_what_was_typed_stays(app: FastAPI) -> None:
    answer = sign_in(Browser(app), "somebody", "")
    assert answer.status_code == 422
    assert 'value="somebody"' in answer.text
    assert 'aria-describedby=" error-password"' in answer.text
    assert 'href="#field-password"' in answer.text


def test_guessing_is_slowed_down_for_an_address_in_all_processes(tmp_path) -> None:
    rates = {"sign_in_address": "4/minute"}
    one, other = (make_app(settings_for(tmp_path), rates=rates) for _ in "12")
    answers = [sign_in(Browser(one), f"name.{n}", "x").status_code for n in range(3)]
    answers += [sign_in(Browser(other), f"name.{n}", "x").status_code for n in range(3)]
    assert answers == [422, 422, 422, 422, 429, 429]


def test_an_attack_elsewhere_does_not_keep_anybody_out(app: FastAPI) -> None:
    mine = signed_in(app, "oversight", name="an.overseer")
    strangers = [Browser(app) for _ in range(8)]
    for one in strangers:
        assert sign_in(one, "an.overseer", "a guess").status_code == 422
        assert mine.get("/account", follow_redirects=False).status_code == 200, "a session goes on"
    assert sign_in(strangers[0], "an.overseer", PASSWORD).status_code == 422, "unknown, and waits"
    assert mine.submit("/account", to="/sign-out", follow_redirects=False).status_code == 303
    assert sign_in(mine, "an.overseer", PASSWORD).status_code == 303
    told = mine.get("/")
    assert "Somebody tried passwords" in told.text and "failed on devices" in told.text
    assert "Until" in mine.get("/account").text
    read = mine.submit("/account", to="/account/failures-read")
    assert "Somebody tried passwords" not in read.text
    assert "Somebody tried passwords" not in mine.get("/").text


def test_a_code_opens_a_new_device_in_the_middle_of_an_attack(app: FastAPI) -> None:
    from pipelines.accounts.totp import confirm_totp, enrol_totp

    settings = app.state.settings
    name = account(settings, "oversight", name="has.a.code")
    user = find_user(settings, name)
    secret = pyotp.TOTP(enrol_totp(settings, user.id).secret)
    confirm_totp(settings, user.id, secret.at(dt.datetime.now(), counter_offset=-1))
    for _ in range(7):
        assert sign_in(Browser(app), name, "a guess").status_code == 422
    new = Browser(app)
    assert sign_in(new, name, PASSWORD).status_code == 422
    assert sign_in(new, name, PASSWORD, code=secret.now()).status_code == 303


def test_the_cookie_of_a_device_is_closed_to_scripts_and_bound_to_its_account(
    app: FastAPI,
) -> None:
    name = account(app.state.settings, "oversight", name="has.a.device")
    browser = Browser(app)
    answer = sign_in(browser, name, PASSWORD)
    [cookie] = [c for c in answer.headers.get_list("set-cookie") if "-device-" in c]
    assert all(part in cookie for part in ("HttpOnly", "SameSite=Strict", "Max-Age=15552000"))
    key, value = cookie.partition(";")[0].split("=", 1)
    for _ in range(6):
        sign_in(Browser(app), name, "a guess")
    other = account(app.state.settings, "oversight", name="another.one")
    forged = [
        value[:-1] + ("0" if value[-1] != "0" else "1"),
        value.replace("has.a.device", "another.one"),
        "",
        "x" * 5000,
    ]
    for one in forged:
        stranger = Browser(app)
        stranger.cookies.set(key, one)
        assert sign_in(stranger, name, PASSWORD).status_code == 422
    for _ in range(6):
        sign_in(Browser(app), other, "a guess")
    assert sign_in(browser, other, PASSWORD).status_code == 422, "known to its own account only"
    assert sign_in(browser, name, PASSWORD).status_code == 303


def test_devices_are_listed_and_removed(app: FastAPI) -> None:
    firefox = {"user-agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Firefox/140.0 <b>"}
    name = account(app.state.settings, "oversight", name="many.devices")
    there, here = Browser(app, headers=firefox), Browser(app)
    assert sign_in(there, name, PASSWORD).status_code == 303
    assert sign_in(here, name, PASSWORD).status_code == 303
    page = here.get("/account").text
    assert page.count("/account/devices/") == 2 and page.count("this one") == 1
    assert "Firefox, Linux" in page and "rv:140" not in page
    row = page[page.index("Firefox, Linux") :]
    action = re.search(r'action="(/account/devices/[\w-]+/remove)"', row)
    assert action
    stranger = signed_in(app, "oversight", name="a.stranger")
    assert stranger.submit("/account", to=action[1]).status_code == 404
    assert "known no longer" in here.submit("/account", to=action[1]).text
    assert there.get("/account", follow_redirects=False).status_code == 303, "its session ended"
    for _ in range(6):
        sign_in(Browser(app), name, "a guess")
    assert sign_in(there, name, PASSWORD).status_code == 422
    assert sign_in(here, name, PASSWORD).status_code == 303


def test_a_password_that_was_handed_out_makes_no_device_known(app: FastAPI) -> None:
    name = account(app.state.settings, "oversight", name="new.here", must_change_password=True)
    browser = Browser(app)
    answer = sign_in(browser, name, PASSWORD)
    assert not any("-device-" in one for one in answer.headers.get_list("set-cookie"))
    data = {"present": PASSWORD, "password": ANOTHER, "again": ANOTHER}
    browser.submit("/account/password", data)
    assert browser.get("/account").text.count("/account/devices/") == 1


def test_a_wrong_token_counts_for_its_address_and_a_right_one_feels_nothing(tmp_path) -> None:
    from pipelines.accounts.people import person_of
    from pipelines.accounts.tokens import make_token

    rates = {"sign_in_address": "3/hour"}
    app = make_app(settings_for(tmp_path), rates=rates)
    settings = app.state.settings
    person = person_of(find_user(settings, account(settings, "analyst")))
    right, _kept = make_token(settings, person, "a", scopes=["dictionary.read"], days=1)
    browser = Browser(app)

    def ask(token: str) -> int:
        header = {"Authorization": f"Bearer {token}"}
        return browser.get("/api/v1/me", headers=header).status_code

    assert [ask(f"psl_{n}") for n in range(5)] == [401, 401, 401, 429, 429]
    assert browser.get("/api/v1/me").status_code == 401, "nothing was shown, nothing is counted"
    for _ in range(6):
        sign_in(Browser(app), person.name, "a guess")
    assert ask(right) == 200


def test_a_mission_behind_one_address_signs_in_whatever_its_number(tmp_path) -> None:
    rates = {"sign_in_address": "1/hour"}
    app = make_app(settings_for(tmp_path), rates=rates)
    for number in range(3):
        signed_in(app, "oversight", name=f"colleague.{number}")
    known = signed_in(app, "oversight", name="colleague.0")
    browser = Browser(app)
    assert sign_in(browser, "somebody.else", "x").status_code == 422
    assert sign_in(browser, "colleague.0", PASSWORD).status_code == 429
    assert known.submit("/account", to="/sign-out", follow_redirects=False).status_code == 303
    assert sign_in(known, "colleague.0", PASSWORD).status_code == 303, "it does not feel the cap"
    assert sign_in(known, "colleague.1", PASSWORD).status_code == 429, "known to another account"


def test_a_session_begins_with_a_new_cookie_and_ends_for_good(app: FastAPI) -> None:
    name = account(app.state.settings, "oversight")
    browser = Browser(app)
    browser.cookies.set("passerelle-session", "planted-by-somebody")
    assert sign_in(browser, name, PASSWORD).status_code == 303
    sessions = [one.value for one in browser.cookies.jar if one.name == "passerelle-session"]
    kept = sessions[-1]
    assert kept != "planted-by-somebody"
    other = Browser(app)
    other.cookies.set("passerelle-session", kept)
    assert other.get("/account").status_code == 200
    assert other.submit("/account", to="/sign-out", follow_redirects=False).status_code == 303
    again = Browser(app)
    again.cookies.set("passerelle-session", kept)
    assert again.get("/account", follow_redirects=False).status_code == 303


def test_a_one_time_password_is_changed_before_anything_else(app: FastAPI) -> None:
    browser = signed_in(app, "oversight", must_change_password=True)
    assert browser.get("/").url.path == "/account/password"
    data = {"present": PASSWORD, "password": ANOTHER, "again": ANOTHER}
    answer = browser.submit("/account/password", data)
    assert answer.url.path == "/account"
    assert browser.get("/", follow_redirects=False).status_code == 200


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ({"present": "wrong", "password": ANOTHER, "again": ANOTHER}, "present"),
        ({"present": PASSWORD, "password": "short", "again": "short"}, "password"),
        ({"present": PASSWORD, "password": PASSWORD, "again": PASSWORD}, "password"),
        ({"present": PASSWORD, "password": ANOTHER, "again": "something else"}, "again"),
        ({"present": "", "password": "", "again": ""}, "present"),
        ({"present": "x" * 2000, "password": ANOTHER, "again": ANOTHER}, "present"),
    ],
)
def test_a_password_that_cannot_be_taken(app: FastAPI, data: dict[str, str], field: str) -> None:
    browser = signed_in(app, "oversight")
    answer = browser.submit("/account/password", data)
    assert answer.status_code == 422
    assert f'id="error-{field}"' in answer.text
    for typed in filter(None, data.values()):
        assert f'value="{typed}"' not in answer.text


def test_a_new_password_ends_the_other_sessions(app: FastAPI) -> None:
    here, there = signed_in(app, "oversight"), signed_in(app, "oversight")
    data = {"present": PASSWORD, "password": ANOTHER, "again": ANOTHER}
    assert here.submit("/account/password", data).status_code == 200
    assert here.get("/account", follow_redirects=False).status_code == 200
    assert there.get("/account", follow_redirects=False).status_code == 303


def test_a_second_factor_from_the_square_to_the_sign_in(app: FastAPI) -> None:
    browser = signed_in(app, "oversight")
    begun = browser.submit("/account/second-factor", {"present": PASSWORD})
    assert "<svg" in begun.text
    letters = re.search(r'class="once">([A-Z2-7 ]+)<', begun.text)
    assert letters
    secret = pyotp.TOTP(letters[1].replace(" ", ""))
    confirm = "/account/second-factor/confirm"
    wrong = browser.post(confirm, data={"csrf": csrf_of(begun.text), "code": "abc"})
    assert wrong.status_code == 422
    assert secret.secret not in wrong.text.replace(" ", "")
    now = secret.now()
    done = browser.post(confirm, data={"csrf": csrf_of(begun.text), "code": now})
    assert "From now on a code is asked for" in done.text
    name = find_user(app.state.settings, "test.oversight").name
    assert sign_in(Browser(app), name, PASSWORD).status_code == 422
    assert sign_in(Browser(app), name, PASSWORD, code=now).status_code == 422  # used already
    off = browser.submit("/account/second-factor", {"present": PASSWORD})
    assert "No code is asked for any more" in off.text
    assert sign_in(Browser(app), name, PASSWORD).status_code == 303


def test_a_second_factor_is_not_begun_without_the_password(app: FastAPI) -> None:
    browser = signed_in(app, "oversight")
    answer = browser.submit("/account/second-factor", {"present": "wrong"})
    assert answer.status_code == 422
    assert 'class="square"' not in answer.text


def test_the_language_of_the_account_is_kept_and_used(app: FastAPI) -> None:
    browser = signed_in(app, "oversight")
    browser.get("/account?lang=en")
    answer = browser.submit("/account", {"language": "fr"}, to="/account/language")
    assert '<html lang="fr">' in answer.text
    assert find_user(app.state.settings, "test.oversight").language == "fr"
    again = signed_in(app, "oversight")
    assert '<html lang="fr">' in again.get("/").text


def test_a_token_is_shown_once_and_ended(app: FastAPI) -> None:
    browser = signed_in(app, "mission_staff")
    data = {"name": "weekly figures", "scopes": ["tables.list"], "days": "30"}
    made = browser.submit("/account/tokens", data)
    said = re.search(r"psl_[\w-]+", made.text)
    assert said
    person = person_of_token(app.state.settings, said[0])
    assert person and person.actions == {"tables.list"}
    listed = browser.get("/account/tokens")
    assert "weekly figures" in listed.text and said[0] not in listed.text
    ends = re.search(r'action="(/account/tokens/[\w-]+/revoke)"', listed.text)
    assert ends
    assert browser.submit("/account/tokens", to=ends[1]).status_code == 200
    assert person_of_token(app.state.settings, said[0]) is None
    assert browser.submit("/account/tokens", to=ends[1]).status_code == 404
    assert {"token.made", "token.revoked"} <= {e.event for e in entries(app.state.settings).entries}


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "x" * 100}, "name"),
        ({"scopes": []}, "scopes"),
        ({"scopes": ["ledger.read"]}, "scopes"),  # not this person's
        ({"scopes": ["token.own"]}, "scopes"),
        ({"days": "9999"}, "days"),
    ],
)
def test_a_token_that_cannot_be_made(app: FastAPI, change: dict[str, object], field: str) -> None:
    browser = signed_in(app, "mission_staff")
    data = {"name": "a name", "scopes": ["tables.list"], "days": "30", **change}
    answer = browser.submit("/account/tokens", data)
    assert answer.status_code == 422
    assert f'id="error-{field}"' in answer.text
    assert "psl_" not in answer.text


def test_somebody_elses_token_cannot_be_ended(app: FastAPI) -> None:
    owner = signed_in(app, "mission_staff")
    data = {"name": "mine", "scopes": ["tables.list"], "days": "7"}
    ends = re.search(r"/account/tokens/[\w-]+/revoke", owner.submit("/account/tokens", data).text)
    assert ends
    other = signed_in(app, "analyst")
    assert other.submit("/account/tokens", to=ends[0]).status_code == 404
    assert "mine" in owner.get("/account/tokens").text


def test_a_password_set_by_the_operator_ends_the_session(app: FastAPI) -> None:
    browser = signed_in(app, "oversight")
    set_password(app.state.settings, "test.oversight", ANOTHER)
    assert browser.get("/account", follow_redirects=False).status_code == 303


def test_the_first_page_says_what_one_can_do(app: FastAPI) -> None:
    text = signed_in(app, "provider", language="fr").get("/").text
    assert "Faire un envoi" in text and "Mes envois" in text
    assert "Registre" not in text


def test_the_first_page_of_an_overseer_says_which_agreements_end(
    app: FastAPI, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser = signed_in(app, ["oversight", "data_specialist"])
    assert "ending soon" not in browser.get("/").text
    monkeypatch.setattr("pipelines.portal.services.oversight.SOON", dt.timedelta(days=36500))
    assert "ending soon" in browser.get("/").text
