"""Personal tokens: making one for a program, seeing which there are, ending one."""

from __future__ import annotations

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from pipelines.accounts.errors import AccountError
from pipelines.accounts.permissions import NEVER_BY_TOKEN, Person
from pipelines.accounts.tokens import MOST_DAYS, make_token, revoke_token, tokens_of
from pipelines.core.i18n import mark
from pipelines.portal.forms import Form, blank
from pipelines.portal.security.limits import check_rate
from pipelines.portal.web.access import allowed, not_found
from pipelines.portal.web.addresses import redirect
from pipelines.portal.web.page import page
from pipelines.portal.web.request import language_of, posted, settings_of
from pipelines.portal.words import _

router = APIRouter(prefix="/account/tokens")
LASTS = {
    "7": mark("A week"),
    "30": mark("A month"),
    "90": mark("Three months"),
    str(MOST_DAYS): mark("A year"),
}
ACTION_NAMES = {
    "tables.list": mark("See which tables may be asked for"),
    "extract.preview": mark("Look at an extract before asking for it"),
    "extract.request": mark("Ask for an extract"),
    "extract.read_own": mark("See one’s own extracts"),
    "extract.download_own": mark("Download one’s own extracts"),
    "file.verify": mark("Check a file"),
    "delivery.upload": mark("Send a delivery"),
    "delivery.read_own": mark("See one’s own deliveries"),
    "rejections.read_own": mark("Download what was rejected of them"),
    "consent.decide": mark("Consent to counts that were refused"),
    "delivery.read_feeds": mark("See the deliveries of one’s feeds"),
    "rejections.read_feeds": mark("See the rejections of one’s feeds"),
    "feeds.health": mark("See how the feeds are"),
    "delivery.upload_feeds": mark("Send a delivery for one’s feeds"),
    "dictionary.read": mark("Read the data dictionary"),
    "sql.run": mark("Run a query"),
    "ledger.read": mark("Read the ledger"),
    "agreements.read": mark("Read the agreements"),
    "extracts.read_taken": mark("See who took what"),
}


@router.get("")
def tokens(request: Request, person: Person = Depends(allowed("token.own"))) -> Response:
    """The tokens that there are, and the form for another."""
    return _show(request, person, blank(days="30"))


@router.post("")
def make(request: Request, person: Person = Depends(allowed("token.own"))) -> Response:
    """Make a token and show it, this once."""
    check_rate(request, "token")
    form = posted(request)
    name = form.text("name", required=True, longest=80)
    scopes = form.choices("scopes", _actions(person), required=True)
    days = form.choice("days", LASTS)
    said = ""
    if form.is_good:
        try:
            said, _kept = make_token(
                settings_of(request), person, name, scopes=scopes, days=int(days)
            )
        except AccountError as refused:
            form.fail(refused.field or "name", refused.text(language_of(request)))
    if not form.is_good:
        return _show(request, person, form, status=422)
    return _show(request, person, blank(days="30"), said=said, name=name)


@router.post("/{token_id}/revoke")
def revoke(
    request: Request, token_id: str, person: Person = Depends(allowed("token.own"))
) -> Response:
    """End one of one's own tokens."""
    try:
        revoke_token(settings_of(request), person, token_id)
    except AccountError:
        not_found()
    return redirect("/account/tokens?revoked=1")


def _actions(person: Person) -> list[str]:
    mine = person.actions - NEVER_BY_TOKEN
    return [action for action in ACTION_NAMES if action in mine]


def _show(
    request: Request,
    person: Person,
    form: Form,
    *,
    said: str = "",
    name: str = "",
    status: int = 200,
) -> Response:
    return page(
        request,
        "account/tokens.html",
        status=status,
        form=form,
        said=said,
        name=name,
        kept=tokens_of(settings_of(request), person),
        actions=[(action, _(ACTION_NAMES[action])) for action in _actions(person)],
        action_names={action: _(words) for action, words in ACTION_NAMES.items()},
        lasts=[(days, _(words)) for days, words in LASTS.items()],
        is_revoked=bool(request.query_params.get("revoked")),
    )
