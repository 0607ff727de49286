"""Forms that are ours, counts of requests, cookies: each on its own."""

from __future__ import annotations

import secrets

import pytest
from fastapi import Depends, FastAPI
from hypothesis import given
from hypothesis import strategies as st

from pipelines.core.settings import settings_for
from pipelines.portal.security.csrf import account_of, make_token
from pipelines.portal.security.limits import RateLimits, limited
from pipelines.portal.web.access import public
from tests.portal import Browser, csrf_of, make_app, signed_in

KEY = b"k" * 32


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> FastAPI:
    rates = {"sql": "2/minute", "api": "1/minute"}
    app = make_app(settings_for(tmp_path_factory.mktemp("portal")), rates=rates)

    @app.get("/counted", dependencies=[Depends(public), Depends(limited("sql"))])
    def counted() -> str:
        return "yes"

    @app.get("/api/v1/counted", dependencies=[Depends(public), Depends(limited("api"))])
    def api_counted() -> str:
        return "yes"

    return app


@given(st.text(max_size=50), st.text(max_size=50), st.text(max_size=50))
def test_a_secret_is_good_for_its_binding_and_path_only(a: str, b: str, path: str) -> None:
    token = make_token(KEY, a, "account", path)
    assert account_of(token, KEY, a, path) == "account"
    assert account_of(token.replace("account", "another"), KEY, a, path) is None
    assert account_of(token, KEY, a, path + "x") is None
    assert account_of(token, b"o" * 32, a, path) is None
    assert a == b or account_of(token, KEY, b, path) is None


@given(st.text(max_size=100))
def test_what_is_no_secret_is_refused_quietly(text: str) -> None:
    assert account_of(text, KEY, "x") is None


def test_two_secrets_of_one_form_do_not_look_alike() -> None:
    assert make_token(KEY, "x") != make_token(KEY, "x")


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 303),
        ({"sec-fetch-site": "same-origin"}, 303),
        ({"sec-fetch-site": "none"}, 303),
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"sec-fetch-site": "same-site"}, 403),
        ({"origin": "null"}, 303),  # what browsers send under our referrer policy
        ({"origin": "http://localhost"}, 303),
        ({"origin": "https://elsewhere.example"}, 403),
    ],
)
def test_a_form_of_another_site_is_refused_even_with_its_secret(
    app: FastAPI, headers: dict[str, str], status: int
) -> None:
    browser = signed_in(app, "oversight")
    data = {"csrf": csrf_of(browser.get("/account").text), "language": "en"}
    answer = browser.post("/account/language", data=data, headers=headers, follow_redirects=False)
    assert answer.status_code == status


def test_a_secret_of_before_the_sign_in_is_not_good_after_it(app: FastAPI) -> None:
    browser = Browser(app)
    before = csrf_of(browser.get("/sign-in").text)
    known = signed_in(app, "oversight")
    known.cookies.set("passerelle-visit", browser.cookies["passerelle-visit"])
    answer = known.post("/account/language", data={"csrf": before, "language": "fr"})
    assert answer.status_code == 403


def test_the_page_of_a_refused_form_says_what_to_do(app: FastAPI) -> None:
    answer = Browser(app).post("/sign-in", data={"name": "x"}, headers={"accept-language": "fr"})
    assert answer.status_code == 403
    assert "n’est plus valable" in answer.text


def test_too_many_requests_are_told_when_to_come_back(app: FastAPI) -> None:
    browser = Browser(app)
    assert [browser.get("/counted").status_code for _ in range(3)] == [200, 200, 429]
    answer = browser.get("/counted")
    assert 0 < int(answer.headers["retry-after"]) <= 60
    assert answer.headers["retry-after"] in answer.text
    assert browser.get("/sign-in").status_code == 200  # nothing else is closed


def test_a_program_is_told_too(app: FastAPI) -> None:
    browser = Browser(app)
    browser.get("/api/v1/counted")
    answer = browser.get("/api/v1/counted")
    assert answer.status_code == 429
    assert int(answer.headers["retry-after"]) > 0
    assert answer.json()["code"] == "WEB-429"


def test_counts_are_kept_apart() -> None:
    rates = RateLimits({"sql": "1/minute", "upload": "1/minute"})
    assert rates.wait_s("sql", "one") == 0
    assert rates.wait_s("sql", "one") > 0
    assert rates.wait_s("sql", "two") == 0
    assert rates.wait_s("upload", "one") == 0


@pytest.mark.parametrize("junk", ["=;;=", "a" * 5000, '"\\"', "passerelle-session", "\x7f=1"])
def test_cookies_that_make_no_sense_are_no_one(app: FastAPI, junk: str) -> None:
    answer = Browser(app).get("/", headers={"cookie": junk}, follow_redirects=False)
    assert answer.status_code == 303


def test_a_cookie_of_a_neighbour_does_not_hide_ours(app: FastAPI) -> None:
    browser = signed_in(app, "oversight")
    kept = browser.cookies["passerelle-session"]
    browser.cookies.clear()
    cookie = f'odd[]={{,}}; passerelle-session={kept}; other="x'
    assert browser.get("/account", headers={"cookie": cookie}).status_code == 200


def test_a_session_that_nobody_was_given_is_nobody(app: FastAPI) -> None:
    cookie = f"passerelle-session={secrets.token_urlsafe(32)}"
    answer = Browser(app).get("/account", headers={"cookie": cookie}, follow_redirects=False)
    assert answer.headers["location"] == "/sign-in?next=%2Faccount"
