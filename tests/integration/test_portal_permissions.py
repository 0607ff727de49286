"""Every route of the portal, as every role and as nobody: open to whom it names, and no other."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts

from pipelines.accounts.permissions import ACTIONS, EVERYBODY, NEVER_BY_TOKEN, ROLES
from pipelines.core.settings import settings_for
from pipelines.portal.configuration import Oidc
from pipelines.portal.security.csrf import make_token, protect
from pipelines.portal.web.access import ActionGuard, public
from tests.portal import ORIGIN, Browser, make_app, signed_in, token_of

NOBODY = "nobody"
WHO = (NOBODY, *ROLES)
ABSENT = "/there-is-no-such-page"
# What is open to everybody, in full: a page that joins these is a decision.
PUBLIC = {
    "/static/{name}",
    "/sign-in",
    "/sign-in/oidc",
    "/sign-in/oidc/back",
    "/sign-out",
    "/api/v1",
    "/api/v1/openapi.json",
}
# Files that an empty installation does not have yet.
NOT_MADE_YET = {"/verify/public-key.pem"}
CHANGES = ("POST", "PUT", "PATCH", "DELETE")


@dataclass(frozen=True)
class Route:
    """One route: how it is asked for, and what somebody must be allowed to do."""

    path: str
    method: str
    action: str

    @property
    def address(self) -> str:
        """The path with its parts filled in by what is nobody's."""
        return re.sub(r"\{[^}]+\}", "0f" * 16, self.path)

    @property
    def is_api(self) -> bool:
        return self.path.startswith("/api/")

    @property
    def has_parts(self) -> bool:
        return "{" in self.path

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> FastAPI:
    """A portal over an empty home; no rate limit comes in the way of a walk."""
    provider = Oidc("http://127.0.0.1:9", "passerelle", "secret")
    return make_app(settings_for(tmp_path_factory.mktemp("portal")), oidc=provider)


@pytest.fixture(scope="module")
def routes(app: FastAPI) -> list[Route]:
    return [
        Route(one.path, method, action_of(one))
        for one in iter_route_contexts(app.routes)
        for method in sorted(one.methods or ())
    ]


@pytest.fixture(scope="module")
def browsers(app: FastAPI) -> dict[str, Browser]:
    return {NOBODY: Browser(app), **{role: signed_in(app, role) for role in ROLES}}


def dependencies(route: Any) -> Iterator[Any]:
    """Everything that a route depends on, whether itself, its router or the application says so."""
    waiting = list(getattr(route.dependant, "dependencies", ()))
    while waiting:
        one = waiting.pop()
        waiting += one.dependencies
        yield one.call


def action_of(route: Any) -> str:
    """The one action that opens a route; "" for what is public; fails where nothing is declared."""
    calls = list(dependencies(route))
    assert protect in calls, f"{route.path}: forms are not checked"
    actions = {call.action for call in calls if isinstance(call, ActionGuard)}
    if public in calls:
        assert not actions, f"{route.path} is public and asks for {actions}"
        return ""
    assert len(actions) == 1, f"{route.path} must declare who may open it"
    return actions.pop()


def ask(browser: Browser, route: Route, *, with_secret: bool = True) -> httpx.Response:
    """Ask for a route as a browser would, an empty form for a change."""
    if route.method not in CHANGES:
        return browser.request(route.method, route.address, follow_redirects=False)
    secret = make_secret(browser, route.address) if with_secret else ""
    query = f"?csrf={secret}" if secret else ""
    return browser.request(
        route.method, f"{route.address}{query}", data={"x": "1"}, follow_redirects=False
    )


def make_secret(browser: Browser, path: str) -> str:
    """What `form_action(path)` puts into a page for this browser."""
    action = re.search(r'name="csrf" value="[^".]+\.([^"]*)"', browser.get("/sign-in").text)
    if action is None:  # somebody is signed in, and was led on
        action = re.search(r'name="csrf" value="[^".]+\.([^"]*)"', browser.get("/account").text)
    assert action
    visit = browser.cookies["passerelle-visit"]
    return make_token(browser.app.state.portal_key, visit, action[1], path)


def same_for_all(text: str) -> str:
    """A page without what differs from one showing to the next: its secrets and its own address."""
    text = re.sub(r'(name="csrf" value=")[^"]+', r"\1", text)
    return re.sub(r'href="[^"]*lang=[^"]*"', "", text)


def test_every_action_of_a_route_is_one_that_a_role_has(routes: list[Route]) -> None:
    assert {route.action for route in routes} - {""} <= ACTIONS
    assert len(routes) > 40


def test_only_what_is_listed_is_public(routes: list[Route]) -> None:
    assert {route.path for route in routes if not route.action} == PUBLIC


def test_nobody_is_asked_to_sign_in_everywhere(
    routes: list[Route], browsers: dict[str, Browser]
) -> None:
    for route in routes:
        answer = ask(browsers[NOBODY], route)
        if not route.action:
            assert answer.status_code < 500 or "oidc" in route.path, route
        elif route.is_api:
            assert answer.status_code == 401, route
            assert answer.headers["content-type"] == "application/problem+json"
            assert answer.headers["www-authenticate"] == "Bearer"
        else:
            assert answer.status_code == 303, route
            assert answer.headers["location"].startswith("/sign-in"), route


@pytest.mark.parametrize("role", ROLES)
def test_a_role_opens_its_own_pages_and_finds_no_others(
    role: str, routes: list[Route], browsers: dict[str, Browser]
) -> None:
    browser = browsers[role]
    absent = browser.get(ABSENT)
    assert absent.status_code == 404
    for route in routes:
        if not route.action or route.is_api:
            continue
        answer = ask(browser, route)
        if route.action in ROLES[role] | EVERYBODY:
            assert answer.status_code < 500, f"{route}: {answer.text}"
            assert not answer.headers.get("location", "").startswith("/sign-in"), route
            if route.method == "GET" and not route.has_parts and route.path not in NOT_MADE_YET:
                assert answer.status_code in (200, 303), route
        else:
            assert answer.status_code == 404, route
            assert same_for_all(answer.text) == same_for_all(absent.text), route


@pytest.mark.parametrize("who", WHO)
def test_no_change_is_made_without_the_secret_of_a_form(
    who: str, routes: list[Route], browsers: dict[str, Browser]
) -> None:
    for route in routes:
        if route.method in CHANGES and not route.is_api:
            assert ask(browsers[who], route, with_secret=False).status_code == 403, route


def test_a_session_does_not_open_the_api(routes: list[Route], browsers: dict[str, Browser]) -> None:
    for route in routes:
        if route.is_api and route.action:
            answer = ask(browsers["data_specialist"], route, with_secret=False)
            assert answer.status_code == 401, route


@pytest.mark.parametrize("role", ROLES)
def test_a_token_opens_what_its_role_may_and_its_scopes_say(
    role: str, app: FastAPI, routes: list[Route]
) -> None:
    mine = (ROLES[role] | EVERYBODY) - NEVER_BY_TOKEN
    settings = app.state.settings
    whole = token_of(settings, role, scopes=mine)
    least = token_of(settings, role, scopes=["file.verify"])
    browser = Browser(app)
    absent = browser.get(f"/api/v1{ABSENT}", headers=whole).json()
    for route in routes:
        if not (route.is_api and route.action):
            continue
        may_all = browser.request(route.method, route.address, headers=whole)
        may_one = browser.request(route.method, route.address, headers=least)
        if route.action in mine:
            assert may_all.status_code not in (401, 403), route
            assert may_all.status_code < 500, f"{route}: {may_all.text}"
            if route.method == "GET" and not route.has_parts:
                assert may_all.status_code in (200, 422), f"{route}: {may_all.text}"
        else:
            assert (may_all.status_code, may_all.json()) == (404, absent), route
        if route.action != "file.verify":
            assert (may_one.status_code, may_one.json()) == (404, absent), route


@pytest.mark.parametrize("role", ROLES)
def test_the_menu_leads_to_pages_that_open(role: str, browsers: dict[str, Browser]) -> None:
    home = browsers[role].get("/")
    assert home.status_code == 200
    for address in re.findall(r'href="(/[^"?]*)"', home.text):
        assert browsers[role].get(address).status_code == 200, address


def test_whoever_has_a_one_time_password_can_only_change_it(
    app: FastAPI, routes: list[Route]
) -> None:
    browser = signed_in(app, "mission_staff", name="new.officer", must_change_password=True)
    for route in routes:
        if route.method == "GET" and route.action in ROLES["mission_staff"] | EVERYBODY:
            answer = browser.get(route.address, follow_redirects=False)
            if route.path == "/account/password":
                assert answer.status_code == 200
            elif not route.is_api:
                assert answer.headers.get("location") == "/account/password", route
    assert str(browser.base_url).rstrip("/") == ORIGIN
