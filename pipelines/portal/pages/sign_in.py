"""The pages of signing in and out."""

from __future__ import annotations

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from pipelines.accounts.permissions import Person
from pipelines.accounts.sessions import close_session, open_session
from pipelines.accounts.signin import Failure, authenticate
from pipelines.portal.forms import Form, blank
from pipelines.portal.security.devices import device_token, know_device
from pipelines.portal.security.limits import check_address, count_failure
from pipelines.portal.security.visitor import API, set_cookie, visitor_of
from pipelines.portal.web.access import not_found, public
from pipelines.portal.web.addresses import local_path, redirect, url
from pipelines.portal.web.errors import no_token
from pipelines.portal.web.expired_forms import keep
from pipelines.portal.web.page import page
from pipelines.portal.web.request import (
    configuration_of,
    language_of,
    person_of,
    posted,
    settings_of,
)

router = APIRouter(dependencies=[Depends(public)])
LONGEST_NAME, LONGEST_PASSWORD, LONGEST_CODE = 80, 1000, 20


@router.get("/sign-in")
def sign_in_page(request: Request) -> Response:
    """The form; whoever is signed in already goes on."""
    wanted = local_path(request.query_params.get("next", ""))
    if person_of(request):
        return redirect(wanted)
    return _form(request, blank(next=wanted))


@router.post("/sign-in")
def sign_in(request: Request) -> Response:
    """Check a name, a password and a code; say nothing of which was wrong."""
    if not configuration_of(request).is_local_sign_in:
        not_found()
    form = posted(request)
    name, password = form.value("name").strip(), form.value("password")
    for field, longest in (("name", LONGEST_NAME), ("password", LONGEST_PASSWORD)):
        if not form.value(field):
            form.text(field, required=True)
        elif len(form.value(field)) > longest:
            form.text(field, longest=longest)
    if not form.is_good:
        return _form(request, form, status=422)
    check_address(request, name)
    code = form.value("code").replace(" ", "")[:LONGEST_CODE]
    found = authenticate(
        settings_of(request), name, password, code, device=device_token(request, name)
    )
    if isinstance(found, Failure):
        count_failure(request)
        return _form(request, form, refusal=found.text(language_of(request)), status=422)
    return signed_in(request, found, form.value("next"), "password")


@router.post("/sign-out")
def sign_out(request: Request) -> Response:
    """End this session; without one there is nothing to end."""
    if session := visitor_of(request).session:
        close_session(settings_of(request), session)
    visitor_of(request).begin_visit()  # forms that stand open, and what was kept, end with it
    response = redirect("/sign-in")
    set_cookie(response.headers, configuration_of(request), "session", "", max_age=0)
    response.headers["Clear-Site-Data"] = '"cache"'
    return response


def sign_in_needed(request: Request, _error: Exception) -> Response:
    """The answer to SignInNeededError: to the form, and back; a program needs a token.

    A form that was sent after its session ended is kept until its person signed in.
    """
    if request.url.path.startswith(API):
        return no_token(request)
    if visitor_of(request).filled_by:
        kept = "form" if posted(request).values else "file"
        return _form(request, blank(next=keep(request)), status=401, kept=kept)
    query = request.url.query
    wanted = request.url.path + (f"?{query}" if query else "")
    is_page = request.method == "GET" and wanted != "/"
    return redirect(url("/sign-in", next=wanted if is_page else ""))


def signed_in(request: Request, person: Person, wanted: str, method: str) -> Response:
    """Begin a session, in a new cookie, and go on to what was asked for."""
    previous = visitor_of(request).session
    token = open_session(settings_of(request), person, method=method, previous=previous)
    response = redirect(wanted)
    set_cookie(response.headers, configuration_of(request), "session", token)
    if not person.must_change_password:  # a password that was handed out proves no one's device
        know_device(request, response, person)
    return response


def _form(
    request: Request, form: Form, *, refusal: str = "", kept: str = "", status: int = 200
) -> Response:
    form.values.pop("password", None)
    form.values.pop("code", None)
    return page(
        request, "signin/sign_in.html", status=status, form=form, refusal=refusal, kept=kept
    )
