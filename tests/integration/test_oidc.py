"""Signing in through an OpenID provider: a real one on loopback, and a real portal beside it.

Not here: local accounts (`tests/unit/portal/pages/test_sign_in.py`), and what a role may then open.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from pipelines.accounts.people import add_user, find_user, link_oidc, set_active
from pipelines.core.settings import Settings, settings_for
from pipelines.ledger.chain import entries
from pipelines.portal.app import create_app
from pipelines.portal.configuration import Configuration, Oidc
from tests.portal import cheap_passwords, csrf_of

provider_mock = pytest.importorskip("oidc_provider_mock", reason="it is the provider of this test")
uvicorn = pytest.importorskip("uvicorn")

JMA, OTHER = "sub-of-jma", "sub-of-somebody"
NAME = "minusca.jma"
MAIL = f"{NAME}@mission.example"
CLAIMS = {"preferred_username": NAME, "email": MAIL, "email_verified": True}


@pytest.fixture(scope="module")
def issuer() -> Iterator[str]:
    """The address of a provider that knows two people."""
    people = [
        provider_mock.User(sub=JMA, claims=CLAIMS),
        provider_mock.User(sub=OTHER, claims={**CLAIMS, "email_verified": False}),
    ]
    with provider_mock.run_server_in_thread(require_nonce=True, user_claims=people) as server:
        yield f"http://localhost:{server.server_port}"


@pytest.fixture
def settings(tmp_path: Any) -> Settings:
    cheap_passwords()
    made = settings_for(tmp_path)
    add_user(made, NAME, organisation="minusca_unpol_jma", roles=["mission_staff"])
    return made


Portal = Callable[..., str]


@pytest.fixture
def portal(settings: Settings, issuer: str) -> Iterator[Portal]:
    """Starts a portal that trusts the provider; returns its address."""
    with ExitStack() as stack:

        def start(link: str = "", trusted: str = "") -> str:
            oidc = Oidc(trusted or issuer, "passerelle", "secret", name="Mission login", link=link)
            return stack.enter_context(running(settings, Configuration(oidc=oidc)))

        yield start


@contextmanager
def running(settings: Settings, configuration: Configuration) -> Iterator[str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    app = create_app(settings, configuration)
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_level="warning", lifespan="off"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive(), "the portal did not start"
        time.sleep(0.02)
    try:
        yield f"http://localhost:{port}"
    finally:
        server.should_exit = True
        thread.join(10)


@contextmanager
def browser() -> Iterator[httpx.Client]:
    with httpx.Client(follow_redirects=False, timeout=20) as client:
        yield client


def to_provider(client: httpx.Client, address: str, wanted: str = "/") -> str:
    """Follow the portal to the provider; returns the address that it sends the browser to."""
    answer = client.get(f"{address}/sign-in/oidc", params={"next": wanted})
    assert answer.status_code == 302, answer.text
    return answer.headers["location"]


def back_at_portal(client: httpx.Client, there: str, sub: str) -> httpx.Response:
    """Say at the provider who one is, and go back."""
    answer = client.post(there, data={"sub": sub})
    assert answer.status_code == 302, answer.text
    return client.get(answer.headers["location"])


def sign_in(address: str, sub: str = JMA, wanted: str = "/account") -> httpx.Response:
    """The whole way with a fresh browser; returns the portal's last answer."""
    with browser() as client:
        answer = back_at_portal(client, to_provider(client, address, wanted), sub)
        if answer.status_code == 303:
            assert answer.headers["location"] == wanted
            return client.get(f"{address}{wanted}")
        return answer


def events(settings: Settings, event: str) -> list[Any]:
    return [one for one in entries(settings).entries if one.event == event]


def test_a_linked_account_is_signed_in_with_its_own_role_and_organisation(
    portal: Portal, settings: Settings, issuer: str
) -> None:
    link_oidc(settings, NAME, issuer, JMA)
    answer = sign_in(portal())
    assert answer.status_code == 200
    assert NAME in answer.text
    assert "Mission staff" in answer.text
    [entry] = events(settings, "signin.succeeded")
    assert entry.details["method"] == "oidc"


def test_the_code_is_bound_to_this_browser_by_state_nonce_and_challenge(
    portal: Portal, settings: Settings, issuer: str
) -> None:
    link_oidc(settings, NAME, issuer, JMA)
    address = portal()
    with browser() as client, browser() as other:
        there = to_provider(client, address)
        asked = parse_qs(urlsplit(there).query)
        assert asked["response_type"] == ["code"]
        assert asked["code_challenge_method"] == ["S256"]
        assert asked["state"] and asked["nonce"] and asked["code_challenge"]
        back = client.post(there, data={"sub": JMA}).headers["location"]
        stolen = other.get(back)  # somebody else's browser has no such state
        assert stolen.status_code == 400
        assert "passerelle-session" not in other.cookies
        assert client.get(back).status_code == 303
        again = client.get(back)  # nor is it good twice
        assert again.status_code == 400


def test_nobody_is_signed_in_without_an_account(portal: Portal, settings: Settings) -> None:
    answer = sign_in(portal())
    assert answer.status_code == 403
    assert "no account here" in answer.text
    assert NAME not in answer.text
    [entry] = events(settings, "signin.failed")
    assert entry.details == {"method": "oidc", "account": "unknown"}


def test_a_first_visit_finds_its_account_by_a_declared_claim(
    portal: Portal, settings: Settings, issuer: str
) -> None:
    assert sign_in(portal("preferred_username")).status_code == 200
    user = find_user(settings, NAME)
    assert (user.oidc_issuer, user.oidc_subject) == (issuer, JMA)


def test_a_verified_address_of_the_declared_domain_finds_its_account(
    portal: Portal, settings: Settings
) -> None:
    assert sign_in(portal("email@other.example")).status_code == 403
    assert sign_in(portal("email@mission.example")).status_code == 200


def test_an_unverified_address_finds_nothing(portal: Portal) -> None:
    assert sign_in(portal("email@mission.example"), OTHER).status_code == 403


def test_an_account_that_is_linked_is_not_taken_over_by_its_name(
    portal: Portal, settings: Settings, issuer: str
) -> None:
    link_oidc(settings, NAME, issuer, JMA)
    assert sign_in(portal("preferred_username"), OTHER).status_code == 403
    assert find_user(settings, NAME).oidc_subject == JMA


def test_a_disabled_account_is_not_signed_in(
    portal: Portal, settings: Settings, issuer: str
) -> None:
    link_oidc(settings, NAME, issuer, JMA)
    set_active(settings, NAME, False)
    assert sign_in(portal("preferred_username")).status_code == 403


def test_a_refusal_at_the_provider_leads_back_with_a_sentence(portal: Portal) -> None:
    address = portal()
    with browser() as client:
        there = to_provider(client, address)
        back = client.post(there, data={"action": "deny"}).headers["location"]
        answer = client.get(back, headers={"Accept-Language": "fr"})
    assert answer.status_code == 400
    assert "n’a pas abouti" in answer.text
    assert "access_denied" not in answer.text


def test_a_provider_that_does_not_answer_is_said_so(portal: Portal) -> None:
    address = portal(trusted="http://localhost:9")
    with browser() as client:
        answer = client.get(f"{address}/sign-in/oidc")
    assert answer.status_code == 503
    assert "does not answer" in answer.text


def test_nobody_is_sent_elsewhere_after_signing_in(
    portal: Portal, settings: Settings, issuer: str
) -> None:
    link_oidc(settings, NAME, issuer, JMA)
    address = portal()
    with browser() as client:
        there = to_provider(client, address, "https://elsewhere.example/")
        assert back_at_portal(client, there, JMA).headers["location"] == "/"


def test_without_local_sign_in_there_is_no_form_for_a_password(
    settings: Settings, issuer: str
) -> None:
    oidc = Oidc(issuer, "passerelle", "secret", name="Mission login")
    with running(settings, Configuration(oidc=oidc, is_local_sign_in=False)) as address:
        page = httpx.get(f"{address}/sign-in")
        assert "Mission login" in page.text
        assert 'type="password"' not in page.text
        with browser() as client:
            client.get(f"{address}/sign-in")
            # No form, so no secret either: the route is closed whatever is sent.
            assert client.post(f"{address}/sign-in", data={"name": NAME}).status_code == 403


def test_signing_out_ends_the_session(portal: Portal, settings: Settings, issuer: str) -> None:
    link_oidc(settings, NAME, issuer, JMA)
    address = portal()
    with browser() as client:
        back_at_portal(client, to_provider(client, address), JMA)
        kept = client.cookies["passerelle-session"]
        secret = csrf_of(client.get(f"{address}/").text)
        assert client.post(f"{address}/sign-out", data={"csrf": secret}).status_code == 303
        again = client.get(f"{address}/", headers={"Cookie": f"passerelle-session={kept}"})
        assert again.headers["location"] == "/sign-in"
