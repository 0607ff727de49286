"""What a route asks of its request: who asks and may they, the language, the form that was sent."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NoReturn
from urllib.parse import quote, urlencode, urlsplit

from fastapi import HTTPException, Request
from fastapi.responses import RedirectResponse
from starlette.datastructures import FormData
from starlette.responses import Response

from pipelines.accounts.permissions import Person, may
from pipelines.core.settings import Settings
from pipelines.portal import words
from pipelines.portal.configuration import Configuration
from pipelines.portal.forms import Form
from pipelines.portal.security.visitor import LANGUAGE_COOKIE, cookie_name, visitor_of
from schemas.text import Language

PASSWORD_PAGE = "/account/password"  # noqa: S105  (an address, not a password)


class SignInNeededError(Exception):
    """Nobody is signed in, and somebody must be."""


class ActionGuard:
    """A dependency of a route: the person, who may do `action`. Others find no such page."""

    def __init__(self, action: str) -> None:
        """Keep the action; a test reads it from each route."""
        self.action = action

    async def __call__(self, request: Request) -> Person:
        """The person who asks. Raises SignInNeededError, or 404 as for a page that is not."""
        visitor = visitor_of(request)
        person = visitor.person
        if person is None:
            raise SignInNeededError
        if not may(person, self.action):
            raise HTTPException(404)
        if person.must_change_password and request.url.path != PASSWORD_PAGE:
            raise HTTPException(303, headers={"Location": PASSWORD_PAGE})
        return person


def allowed(action: str) -> ActionGuard:
    """`person: Person = Depends(allowed("extract.read_own"))` opens a route to whom it names."""
    return ActionGuard(action)


async def public() -> None:
    """`dependencies=[Depends(public)]` says that a route is meant for everybody, even nobody."""


def person_of(request: Request) -> Person | None:
    """The person who asks, where one is signed in."""
    return visitor_of(request).person


def settings_of(request: Request) -> Settings:
    """The settings of the pipeline."""
    settings: Settings = request.app.state.settings
    return settings


def configuration_of(request: Request) -> Configuration:
    """The configuration of the portal."""
    configuration: Configuration = request.app.state.configuration
    return configuration


def language_of(request: Request) -> Language:
    """The language in which this request is answered."""
    return visitor_of(request).language


def speak(request: Request, language: Language) -> None:
    """Answer in `language`, unless the reader chose one for these pages."""
    cookie = cookie_name(LANGUAGE_COOKIE, configuration_of(request))
    if "lang" not in request.query_params and cookie not in request.cookies:
        visitor_of(request).language = language
    words.use(visitor_of(request).language)


def not_found() -> NoReturn:
    """Answer as for a page that does not exist: what is absent and what is not yours look alike."""
    raise HTTPException(404)


def redirect(path: str) -> Response:
    """Go on to another page of ours after a form was taken."""
    return RedirectResponse(local_path(path), status_code=303)


def local_path(path: str, otherwise: str = "/") -> str:
    """`path` where it is an address within the portal; else `otherwise`: nobody is sent away."""
    parts = urlsplit(path.replace("\\", "/"))
    is_ours = path.startswith("/") and not (parts.scheme or parts.netloc)
    is_plain = path.isprintable() and not path.replace("\\", "/").startswith("//")
    return path if is_ours and is_plain else otherwise


def url(path: str, /, **query: Any) -> str:
    """An address with its query; empty values are left out, lists are repeated."""
    kept = {name: value for name, value in query.items() if value not in (None, "", (), [])}
    return quote(path, safe="/-_.~%") + (f"?{urlencode(kept, doseq=True)}" if kept else "")


def posted(request: Request) -> Form:
    """The form that was sent; it was read when its secret was checked."""
    data: FormData = getattr(request.state, "form", FormData())
    return _form_of(data.multi_items())


def query_form(request: Request) -> Form:
    """The query of the address as a form: the filters of a list."""
    return _form_of(request.query_params.multi_items())


def _form_of(items: Iterable[tuple[str, object]]) -> Form:
    values: dict[str, list[str]] = {}
    for name, value in items:
        if isinstance(value, str):
            values.setdefault(name, []).append(value)
    return Form(values)
