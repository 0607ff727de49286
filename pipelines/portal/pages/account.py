"""One's own account: language, password, second factor, known devices."""

from __future__ import annotations

from fastapi import APIRouter, Depends, Request
from markupsafe import Markup
from starlette.responses import Response

from pipelines.accounts.delays import delayed_until
from pipelines.accounts.devices import devices_of, has_token, remove_device
from pipelines.accounts.errors import AccountError
from pipelines.accounts.people import find_user, set_language, set_password
from pipelines.accounts.people import person as person_of_id
from pipelines.accounts.permissions import Person
from pipelines.accounts.sessions import note_failures_read, open_session
from pipelines.accounts.signin import is_password_right
from pipelines.accounts.totp import Enrolment, confirm_totp, enrol_totp, remove_totp
from pipelines.core.settings import Settings
from pipelines.portal.forms import Form, blank
from pipelines.portal.security.devices import device_token, know_device, label_words
from pipelines.portal.security.visitor import LANGUAGE_COOKIE, set_cookie, visitor_of
from pipelines.portal.web.access import allowed, not_found
from pipelines.portal.web.addresses import redirect
from pipelines.portal.web.navigation import role_names
from pipelines.portal.web.page import page
from pipelines.portal.web.request import configuration_of, language_of, posted, settings_of
from pipelines.portal.words import _, organisation_name
from schemas.feed import load_feed
from schemas.text import LANGUAGES

router = APIRouter(prefix="/account")
LONGEST_PASSWORD = 1000


@router.get("")
def account(request: Request, person: Person = Depends(allowed("account.own"))) -> Response:
    """What is known of one's account, and the ways to change it."""
    return page(
        request,
        "account/account.html",
        form=blank(language=person.language),
        organisation=organisation_name(person.organisation),
        roles=role_names(person),
        feeds=[load_feed(one).title[language_of(request)] for one in person.feeds],
        has_password=_has_password(settings_of(request), person),
        devices=[
            (one, label_words(one.label), has_token(one, device_token(request, person.name)))
            for one in devices_of(settings_of(request), person)
        ],
        delayed_until=delayed_until(settings_of(request), person.name),
        said=request.query_params.get("said", ""),
    )


@router.post("/devices/{device_id}/remove")
def remove(
    request: Request, device_id: str, person: Person = Depends(allowed("account.own"))
) -> Response:
    """Know one of one's own devices no longer."""
    try:
        session = visitor_of(request).session
        remove_device(settings_of(request), person, device_id, session)
    except AccountError:
        not_found()
    return redirect("/account?said=device")


@router.post("/failures-read")
def failures_read(request: Request, person: Person = Depends(allowed("account.own"))) -> Response:
    """Tell no more of the sign-ins that failed before this session."""
    note_failures_read(settings_of(request), visitor_of(request).session)
    return redirect("/account?said=read#head-devices")


@router.post("/language")
def change_language(request: Request, person: Person = Depends(allowed("account.own"))) -> Response:
    """Keep the language in the account; this browser takes it at once."""
    chosen = posted(request).choice("language", LANGUAGES)
    if not chosen:
        return redirect("/account")
    set_language(settings_of(request), person.name, chosen, actor=person.name)
    response = redirect("/account?said=language")
    set_cookie(response.headers, configuration_of(request), LANGUAGE_COOKIE, "", max_age=0)
    return response


@router.get("/password")
def password_page(request: Request, person: Person = Depends(allowed("account.own"))) -> Response:
    """The form for a new password."""
    _needs_password(request, person)
    return _password_form(request, blank())


@router.post("/password")
def change_password(request: Request, person: Person = Depends(allowed("account.own"))) -> Response:
    """Take a new password; every other session and every token ends."""
    _needs_password(request, person)
    settings, form = settings_of(request), posted(request)
    for name in ("present", "password", "again"):
        if len(form.value(name)) > LONGEST_PASSWORD:
            form.text(name, longest=LONGEST_PASSWORD)
        elif not form.value(name):
            form.text(name, required=True)
    if form.is_good and form.value("password") != form.value("again"):
        form.fail("again", _("This is not the same as the new password above."))
    if form.is_good:
        _check_password(request, person, form)
    if form.is_good:
        try:
            set_password(settings, person.name, form.value("password"), actor=person.name)
        except AccountError as refused:
            form.fail("password", refused.text(language_of(request)))
    if not form.is_good:
        return _password_form(request, form, status=422)
    return _again(request, person, "/account?said=password")


@router.get("/second-factor")
def second_factor_page(
    request: Request, person: Person = Depends(allowed("account.own"))
) -> Response:
    """Begin with a second factor, or end it; both ask for the password."""
    _needs_password(request, person)
    return _second_factor(request, blank())


@router.post("/second-factor")
def begin_second_factor(
    request: Request, person: Person = Depends(allowed("account.own"))
) -> Response:
    """Show a new secret, as a square to photograph and as letters to type; or remove the old."""
    _needs_password(request, person)
    form = posted(request)
    _check_password(request, person, form)
    if not form.is_good:
        return _second_factor(request, form, status=422)
    if person.has_second_factor:
        remove_totp(settings_of(request), person.name, actor=person.name)
        return redirect("/account?said=second-factor-off")
    enrolment = enrol_totp(settings_of(request), person.user_id)
    return _second_factor(request, blank(), enrolment=enrolment)


@router.post("/second-factor/confirm")
def confirm_second_factor(
    request: Request, person: Person = Depends(allowed("account.own"))
) -> Response:
    """Ask for the second factor from now on, once a first code was right."""
    form = posted(request)
    code = form.text("code", required=True, longest=20)
    if form.is_good:
        try:
            confirm_totp(settings_of(request), person.user_id, code)
        except AccountError as refused:
            form.fail("code", refused.text(language_of(request)))
    if not form.is_good:
        return _second_factor(request, form, is_begun=True, status=422)
    return redirect("/account?said=second-factor-on")


def _again(request: Request, person: Person, path: str) -> Response:
    """A new session for this browser, after all were closed."""
    changed = person_of_id(settings_of(request), person.user_id)
    if changed is None:
        not_found()
    token = open_session(settings_of(request), changed, previous=visitor_of(request).session)
    response = redirect(path)
    set_cookie(response.headers, configuration_of(request), "session", token)
    know_device(request, response, changed)
    return response


def _check_password(request: Request, person: Person, form: Form) -> None:
    """Whoever changes how to sign in proves that they could: a screen may stand open."""
    present, session = form.value("present"), visitor_of(request).session
    if len(present) > LONGEST_PASSWORD or not is_password_right(
        settings_of(request), person.user_id, present, session
    ):
        form.fail("present", AccountError("ACC-116").text(language_of(request)))


def _needs_password(request: Request, person: Person) -> None:
    if not _has_password(settings_of(request), person):
        not_found()


def _has_password(settings: Settings, person: Person) -> bool:
    return find_user(settings, person.name).password_hash is not None


def _password_form(request: Request, form: Form, *, status: int = 200) -> Response:
    for name in ("present", "password", "again"):
        form.values.pop(name, None)
    return page(request, "account/password.html", status=status, form=form)


def _second_factor(
    request: Request,
    form: Form,
    *,
    enrolment: Enrolment | None = None,
    is_begun: bool = False,
    status: int = 200,
) -> Response:
    form.values.clear()
    return page(
        request,
        "account/second_factor.html",
        status=status,
        form=form,
        secret=_in_groups(enrolment.secret) if enrolment else "",
        square=drawn(enrolment.uri, _("Code to photograph")) if enrolment else "",
        is_begun=is_begun or enrolment is not None,
    )


def drawn(text: str, title: str) -> Markup:
    """A QR code as an SVG element; dark on white in either scheme, as cameras need it."""
    import segno

    svg = segno.make(text, error="m").svg_inline(
        scale=4, border=2, svgclass="square", lineclass=None, title=title, omitsize=True
    )
    return Markup(svg)  # noqa: S704  (segno's own drawing, its title escaped)


def _in_groups(secret: str) -> str:
    """Four letters at a time: somebody types them into a telephone."""
    return " ".join(secret[at : at + 4] for at in range(0, len(secret), 4))
