"""A template, rendered for the one who asks."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from pipelines.accounts.delays import FREE
from pipelines.accounts.permissions import Person
from pipelines.core.settings import PROGRAM_VERSION
from pipelines.portal import words
from pipelines.portal.forms import Form
from pipelines.portal.security.csrf import FIELD, make_token
from pipelines.portal.security.visitor import Visitor, visitor_of
from pipelines.portal.web.addresses import url
from pipelines.portal.web.expired_forms import returned, words_for
from pipelines.portal.web.navigation import navigation
from pipelines.portal.web.request import configuration_of
from pipelines.portal.web.static_files import static_address
from schemas.text import LANGUAGES

TEMPLATES = Path(__file__).parents[1] / "templates"
PROVIDER_BACK = "/sign-in/oidc/back"


def page(
    request: Request,
    template: str,
    *,
    status: int = 200,
    tells_nothing: bool = False,
    **values: Any,
) -> HTMLResponse:
    """A template, rendered for the one who asks. What it gives templates is in `base.html`.

    A form that came back after sign-in is filled in as it was. With `tells_nothing` (menus and
    empty forms, no figure and no row) the browser may keep the page for its Back button, and with
    it what was typed; every other page is kept nowhere.
    """
    visitor = visitor_of(request)
    words.use(visitor.language)
    environment: Environment = request.app.state.templates
    _give_back(request, values)
    text = environment.get_template(template).render(_shared(request, visitor) | values)
    headers = {"Cache-Control": "private, no-cache"} if tells_nothing else None
    return HTMLResponse(text, status_code=status, headers=headers)


def _give_back(request: Request, values: dict[str, Any]) -> None:
    """Fill the page's own forms with what its person had typed before the session ended."""
    typed = returned(request)
    for form in values.values():
        if typed and typed.values and isinstance(form, Form):
            form.values = dict(typed.values)


def may_renew(request: Request) -> bool:
    """False where the reader told a page not to renew itself: some need more time to read."""
    return request.query_params.get("renew") != "no"


def renewed(shown: HTMLResponse, every_s: int) -> HTMLResponse:
    """The page, which renews itself where `every_s` is not 0."""
    if every_s:
        shown.headers["Refresh"] = str(every_s)
    return shown


def templates() -> Environment:
    """Templates that escape what they are given and fail on what they are not."""
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(
        _=words._,
        number=words.number,
        share=words.share,
        date=words.date,
        moment=words.moment,
        span=words.span,
        size=words.size,
        url=url,
        level_words=words.level_words,
        organisation_name=words.organisation_name,
        purpose_name=words.purpose_name,
        table_title=words.table_title,
        static=static_address,
        program_version=PROGRAM_VERSION,
    )
    return environment


def _shared(request: Request, visitor: Visitor) -> dict[str, Any]:
    path = request.url.path
    return {
        "request": request,
        "path": path,
        "person": visitor.person,
        "language": visitor.language,
        "languages": [(code, _in_language(request, code)) for code in LANGUAGES],
        "nav": navigation(visitor.person, path, request.app.state.pages),
        "csrf_field": partial(_csrf_field, request),
        "form_action": partial(_form_action, request),
        "configuration": configuration_of(request),
        "came_back": words_for(request),
        "failures_told": _failures_told(visitor.person),
    }


def _failures_told(person: Person | None) -> int:
    """How many sign-ins failed before this one, where so many are no slips of one's own."""
    told = person.failures_told if person and not person.must_change_password else 0
    return told if told > FREE else 0


def _csrf_field(request: Request) -> Markup:
    """The hidden field that every form with method=post holds."""
    return Markup('<input type="hidden" name="{}" value="{}">').format(FIELD, _secret(request))


def _form_action(request: Request, path: str) -> Markup:
    """`action="{{ form_action('/deliveries/new') }}"`: the address of a form that sends a file."""
    return escape(url(path, **{FIELD: _secret(request, path)}))


def _secret(request: Request, path: str = "") -> str:
    visitor = visitor_of(request)
    if not visitor.visit:
        visitor.begin_visit()
    return make_token(request.app.state.portal_key, visitor.visit, visitor.account, path)


def _in_language(request: Request, code: str) -> str:
    """The same page in another language; where it answers a form, the page of that form."""
    path = request.url.path
    if path == PROVIDER_BACK:  # its query is for once, and for nobody else
        return url("/sign-in", lang=code)
    if request.method != "GET":
        return url(path if path in request.app.state.pages else "/", lang=code)
    asked = request.query_params
    query = {name: asked.getlist(name) for name in asked if name not in ("lang", FIELD)}
    return url(path, **query, lang=code)
