"""Oversight's pages: the ledger and whether it holds, agreements and their ends, who took what."""

from __future__ import annotations

from collections.abc import Sequence

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, Response

from pipelines.accounts.oversight import Concern
from pipelines.accounts.permissions import Person
from pipelines.core.settings import Settings
from pipelines.ledger.chain import EVENTS, entries
from pipelines.ledger.verify import ChainCheck
from pipelines.ledger.words import event_words
from pipelines.portal import forms
from pipelines.portal.services import oversight, release_register
from pipelines.portal.web.access import allowed, not_found
from pipelines.portal.web.addresses import redirect, url
from pipelines.portal.web.expired_forms import HELD
from pipelines.portal.web.page import page
from pipelines.portal.web.request import language_of, posted, query_form, settings_of
from pipelines.portal.web.search import add_words, keep_words
from pipelines.portal.words import _
from pipelines.release.policy.explain import permit_words, restriction_words
from schemas.organisation import organisations
from schemas.problem import AgreementError

router = APIRouter()


@router.get("/ledger")
def ledger(request: Request, person: Person = Depends(allowed("ledger.read"))) -> HTMLResponse:
    """Entries, newest first, by event, organisation, person and period."""
    form = query_form(request)
    form.values.pop("actor", None)
    add_words(request, form)
    return _ledger(request, person, form)


@router.post("/ledger/search")
def search_ledger(request: Request, person: Person = Depends(allowed("ledger.read"))) -> Response:
    """Lead to the entries that are looked for; a name that was typed stands in no address."""
    form = posted(request)
    since, until = form.date("since"), form.date("until")
    known = {name: form.value(name) for name in ("event", "organisation")}
    form.choice("event", EVENTS, required=False)
    form.choice("organisation", organisations(), required=False)
    if not form.is_good:
        return _ledger(request, person, form)
    days = {"since": since and since.isoformat(), "until": until and until.isoformat()}
    return redirect(url("/ledger", **known, **days, held=keep_words(request, form, "actor")))


@router.post("/ledger")
def check_ledger(
    request: Request, person: Person = Depends(allowed("ledger.read"))
) -> HTMLResponse:
    """Look through the whole ledger and say what was found; that is written down too."""
    return _ledger(request, person, forms.Form(), oversight.checked(settings_of(request), person))


def _ledger(
    request: Request, person: Person, form: forms.Form, seen: ChainCheck | None = None
) -> HTMLResponse:
    language, settings = language_of(request), settings_of(request)
    listed = organisations()
    event = form.choice("event", EVENTS, required=False)
    organisation = form.choice("organisation", listed, required=False)
    actor = form.text("actor", longest=200)
    since, until = form.period("since", "until")
    number = form.integer("page", least=1, most=10**7, otherwise=1) or 1
    wanted = oversight.EntryFilter(event, organisation, actor, since, until)
    found = oversight.list_entries(settings, person, wanted, number)
    return page(
        request,
        "oversight/ledger.html",
        status=200 if form.is_good else 422,
        form=form,
        found=found,
        pages=oversight.page_count(found),
        kept={name: form.value(name) for name in FILTERS if form.value(name)},
        events=sorted(((one, event_words(one, language)) for one in EVENTS), key=lambda e: e[1]),
        organisations=[(code, one.label[language]) for code, one in listed.items()],
        event_words=lambda name: event_words(name, language),
        checked=seen,
        faults=[fault.text(language) for fault in seen.faults] if seen else [],
    )


FILTERS = ("event", "organisation", "since", "until", HELD)


@router.get("/agreements")
def agreements(
    request: Request, person: Person = Depends(allowed("agreements.read"))
) -> HTMLResponse:
    """Agreements in force, ending and ended, with the reviews that end."""
    language, problems = language_of(request), ""
    found: Sequence[oversight.AgreementStatus] = ()
    try:
        found = oversight.standings(
            settings_of(request), oversight.concern(person, "agreements.read")
        )
    except AgreementError as error:
        problems = error.text(language)
    return page(
        request,
        "oversight/agreements.html",
        found=found,
        problems=problems.splitlines(),
        changes=entries(settings_of(request), events=["policy.changed"], size=10).entries,
        soon=oversight.SOON.days,
    )


@router.get("/agreements/{name}")
def agreement(
    request: Request, name: str, person: Person = Depends(allowed("agreements.read"))
) -> HTMLResponse:
    """One agreement: its clauses in words, and what was taken under it."""
    language, settings = language_of(request), settings_of(request)
    whose = oversight.concern(person, "agreements.read")
    try:
        one = oversight.standing(settings, whose, name)
    except AgreementError:
        not_found()
    return page(
        request,
        "oversight/agreement.html",
        one=one,
        permits=[permit_words(one.agreement, p, language) for p in one.agreement.permits],
        restrictions=[restriction_words(r, language) for r in one.agreement.restrictions],
        listed=release_register.list_releases(
            settings, whose, release_register.ReleaseFilter(clause=name), size=10
        ),
    )


@router.get("/taken")
def who_took(
    request: Request, person: Person = Depends(allowed("extracts.read_taken"))
) -> HTMLResponse:
    """Extracts by recipient, clause and period."""
    return _taken(request, person, query_form(request), forms.Form())


@router.post("/taken")
def who_holds(
    request: Request, person: Person = Depends(allowed("extracts.read_taken"))
) -> HTMLResponse:
    """Each extract that holds one record; its number is asked for in the body, not the address."""
    looked = posted(request)
    looked.text("record", required=True, longest=300)
    return _taken(request, person, forms.Form(), looked)


def _taken(request: Request, person: Person, form: forms.Form, looked: forms.Form) -> HTMLResponse:
    language, settings = language_of(request), settings_of(request)
    whose = oversight.concern(person, "extracts.read_taken")
    recipient = form.choice("recipient", organisations(), required=False)
    clause = form.text("clause", longest=120)
    since, until = form.period("since", "until")
    number = form.integer("page", least=1, most=10**7, otherwise=1) or 1
    asked = release_register.ReleaseFilter(recipient, clause, since, until)
    record = looked.value("record").strip()
    return page(
        request,
        "oversight/taken.html",
        status=200 if form.is_good and looked.is_good else 422,
        form=form,
        looked=looked,
        record=record if looked.is_good else "",
        holdings=release_register.holdings(settings, whose, record)
        if record and looked.is_good
        else [],
        listed=release_register.list_releases(settings, whose, asked, number),
        kept={n: form.value(n) for n in ("recipient", "clause", "since", "until") if form.value(n)},
        organisations=[(code, one.label[language]) for code, one in organisations().items()],
        clauses=_clauses(settings, whose),
        title=_("Who took what"),
    )


def _clauses(settings: Settings, whose: Concern) -> list[tuple[str, str]]:
    """Agreements and their clauses, to choose from."""
    try:
        found = whose.agreements(settings)
    except AgreementError:
        return []
    names = [(a.agreement, [permit.full_name for permit in a.permits]) for a in found]
    return [(one, one) for agreement, clauses in names for one in (agreement, *clauses)]
