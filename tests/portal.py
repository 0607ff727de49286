"""A portal for tests: real accounts in a home of its own, and browsers that are signed in."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from html import unescape
from typing import Any

import httpx
from fastapi import FastAPI
from fastapi.testclient import TestClient

from pipelines.accounts import passwords
from pipelines.accounts.errors import AccountError
from pipelines.accounts.people import add_user, find_user, person_of
from pipelines.accounts.permissions import NEVER_BY_TOKEN
from pipelines.accounts.tokens import make_token
from pipelines.core.settings import Settings
from pipelines.portal.app import create_app
from pipelines.portal.configuration import DEFAULT_RATES, Configuration

ORIGIN = "http://localhost"
PASSWORD = "a footbridge over the river"  # noqa: S105  (of accounts that live for one test)
ROLES = {
    "mission_staff": "minusca_unpol",
    "provider": "caf_police",
    "data_owner": "caf_police",
    "data_specialist": "minusca_unpol",
    "analyst": "dpo_police_division",
    "oversight": "minusca_unpol",
    "operator": "passerelle",
}


class Browser(TestClient):
    """A browser with scripts off: it keeps cookies and sends a form with its secret."""

    def __init__(self, app: FastAPI, **options: Any) -> None:
        super().__init__(app, base_url=ORIGIN, raise_server_exceptions=False, **options)

    def submit(
        self, page: str, data: dict[str, Any] | None = None, *, to: str = "", **more: Any
    ) -> httpx.Response:
        """Open `page` and send its form, to `to` where that is another address."""
        return self.post(
            to or page, data={"csrf": csrf_of(self.get(page).text), **(data or {})}, **more
        )


def csrf_of(text: str) -> str:
    """The secret in the first form of a page."""
    found = re.search(r'name="csrf" value="([^"]+)"', text)
    assert found, "the page has no form"
    return unescape(found[1])


def account(
    settings: Settings, role: str | Sequence[str], *, organisation: str = "", **more: Any
) -> str:
    """The name of an account with this role (or these), added unless it is there."""
    roles = [role] if isinstance(role, str) else list(role)
    name = more.pop("name", f"test.{'.'.join(roles)}")
    place = organisation or ROLES[roles[0]]
    try:
        add_user(settings, name, organisation=place, roles=roles, password=PASSWORD, **more)
    except AccountError as refused:
        if refused.code != "ACC-101":
            raise
    return name


def signed_in(
    app: FastAPI, role: str | Sequence[str], *, organisation: str = "", **more: Any
) -> Browser:
    """A browser in which somebody with this role (or these) has signed in, through the page."""
    name = account(app.state.settings, role, organisation=organisation, **more)
    browser = Browser(app)
    answer = browser.submit(
        "/sign-in", {"name": name, "password": PASSWORD}, follow_redirects=False
    )
    assert answer.status_code == 303, answer.text
    return browser


def make_app(
    settings: Settings, *, rates: dict[str, str] | None = None, **configuration: Any
) -> FastAPI:
    """A portal in which nobody asks too often, unless `rates` say how often is too often."""
    cheap_passwords()
    patient = dict.fromkeys(DEFAULT_RATES, "100000/minute")
    return create_app(settings, Configuration(rates=patient | (rates or {}), **configuration))


def token_of(
    settings: Settings, role: str | Sequence[str], *, scopes: Iterable[str] = (), **more: Any
) -> dict[str, str]:
    """The header with a new token of somebody with this role; for all that it may, or `scopes`."""
    person = person_of(find_user(settings, account(settings, role, **more)))
    chosen = scopes or person.actions - NEVER_BY_TOKEN
    said, _kept = make_token(settings, person, "test", scopes=chosen, days=1)
    return {"Authorization": f"Bearer {said}"}


def cheap_passwords() -> None:
    """Hash passwords fast: a test tries no guesses."""
    from argon2.profiles import CHEAPEST

    passwords.PARAMETERS = CHEAPEST
