"""What a route asks of its request: the settings, the person, the language, the form."""

from __future__ import annotations

from collections.abc import Iterable

from fastapi import Request
from starlette.datastructures import FormData

from pipelines.accounts.permissions import Person
from pipelines.core.settings import Settings
from pipelines.portal import words
from pipelines.portal.configuration import Configuration
from pipelines.portal.forms import Form
from pipelines.portal.security.visitor import LANGUAGE_COOKIE, cookie_name, visitor_of
from schemas.text import Language


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
