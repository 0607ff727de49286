"""The pages of a data owner: counts that were refused, and the written consents of the service."""

from __future__ import annotations

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, Response

from pipelines.accounts.permissions import Person
from pipelines.core import clock
from pipelines.portal.forms import Form
from pipelines.portal.security.limits import limited
from pipelines.portal.web.access import allowed
from pipelines.portal.web.addresses import redirect
from pipelines.portal.web.page import page
from pipelines.portal.web.request import language_of, posted, query_form, settings_of
from pipelines.release.disclosure import consents as release
from pipelines.release.disclosure.conflict_words import consent_facts, need_facts
from pipelines.release.errors import ReleaseError

BASE = "/consents"
router = APIRouter()
Deciding = Depends(allowed("consent.decide"))


@router.get(BASE)
def consents(request: Request, person: Person = Deciding) -> HTMLResponse:
    """What waits for a word of the person's service, and what it gave."""
    return _show(request, person, query_form(request))


@router.post(BASE, dependencies=[Depends(limited("consent"))])
def give(request: Request, person: Person = Deciding) -> Response:
    """Consent, in the name of the service."""
    form = posted(request)
    reference = form.text("reference", required=True, longest=80)
    until = form.date("until", required=True)
    reason = form.text("reason", required=True, longest=release.LONGEST_REASON)
    if not form.is_good or until is None:
        return _show(request, person, form, status=422)
    try:
        release.give(
            settings_of(request),
            reference,
            by=person.name,
            organisation=person.organisation,
            until=until,
            reason=reason,
        )
    except ReleaseError as refused:
        fields = {"REL-120": "reference", "REL-121": "until", "REL-122": "reason"}
        form.fail(fields[refused.code], refused.text(language_of(request)))
        return _show(request, person, form, status=422)
    return redirect(BASE)


@router.post(f"{BASE}/{{consent_id}}/revoke")
def revoke(request: Request, consent_id: str, person: Person = Deciding) -> Response:
    """Take one back."""
    form = Form()
    try:
        release.revoke(
            settings_of(request), consent_id, by=person.name, organisation=person.organisation
        )
    except ReleaseError as refused:
        form.fail("consent", refused.text(language_of(request)))
        return _show(request, person, form, status=422)
    return redirect(BASE)


def _show(request: Request, person: Person, form: Form, *, status: int = 200) -> HTMLResponse:
    settings, language = settings_of(request), language_of(request)
    return page(
        request,
        "provider/consents.html",
        status=status,
        form=form,
        waiting=[
            (need, need_facts(need, language))
            for need in release.needs(settings, person.organisation)
        ],
        given=[
            (one, consent_facts(one, language))
            for one in release.consents(settings, person.organisation)
        ],
        today=clock.now().date(),
        longest=release.LONGEST_DAYS,
    )
