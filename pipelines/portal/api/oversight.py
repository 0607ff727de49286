"""Operations of oversight: the ledger, the agreements, who took what."""

from __future__ import annotations

from fastapi import APIRouter, Depends, Query, Request

from pipelines.accounts.permissions import Person
from pipelines.portal.api import models, reports
from pipelines.portal.api.problems import ProblemRoute, refusals
from pipelines.portal.services import oversight, release_register
from pipelines.portal.web.access import allowed
from pipelines.portal.web.request import language_of, settings_of
from pipelines.release.policy.explain import ClauseWords, permit_words, restriction_words

router = APIRouter(route_class=ProblemRoute, tags=["Oversight"])
Event = reports.Event
Number = Query(1, ge=1, le=1_000_000)


@router.get("/ledger", responses=refusals())
def list_entries(
    *,
    request: Request,
    event: Event | None = None,
    organisation: str = Query("", max_length=80, pattern=models.CODE),
    since: models.Day | None = None,
    until: models.Day | None = None,
    page: int = Number,
    person: Person = Depends(allowed("ledger.read")),
) -> models.Page[reports.Entry]:
    """Entries that concern your organisation, newest first; days are inclusive, in UTC."""
    asked = reports.EntryQuery(
        event=event, organisation=organisation, since=since, until=until, page=page
    )
    return search_entries(request, asked, person)


@router.post("/ledger/searches", responses=refusals())
def search_entries(
    request: Request,
    asked: reports.EntryQuery,
    person: Person = Depends(allowed("ledger.read")),
) -> models.Page[reports.Entry]:
    """The same, by the name of an account too."""
    wanted = oversight.EntryFilter(
        asked.event or "", asked.organisation, asked.actor, asked.since, asked.until
    )
    found = oversight.list_entries(settings_of(request), person, wanted, asked.page)
    return models.Page(
        items=[reports.Entry.model_validate(one) for one in found.entries],
        total=found.total,
        page=asked.page,
        pages=oversight.page_count(found),
    )


@router.post("/ledger/checks", responses=refusals())
def check_ledger(
    request: Request, person: Person = Depends(allowed("ledger.read"))
) -> reports.LedgerCheck:
    """Look through the whole ledger; that this was done is written down, too."""
    checked, language = oversight.checked(settings_of(request), person), language_of(request)
    return reports.LedgerCheck(
        entries=checked.count,
        anchor=checked.anchor,
        faults=[
            reports.LedgerFault(kind=one.kind, seq=one.seq, message=one.text(language))
            for one in checked.faults
        ],
    )


@router.get("/agreements", responses=refusals())
def list_agreements(
    request: Request, person: Person = Depends(allowed("agreements.read"))
) -> list[reports.Agreement]:
    """The agreements of your organisation and how they stand today, what ends first on top."""
    whose = oversight.concern(person, "agreements.read")
    return [_agreement(one) for one in oversight.standings(settings_of(request), whose)]


def _agreement(one: oversight.AgreementStatus) -> reports.Agreement:
    declared = one.agreement
    return reports.Agreement(
        agreement=declared.agreement,
        title=models.words(declared.title),
        version=declared.version,
        fingerprint=one.fingerprint,
        status=declared.status,
        state=one.state,
        valid_from=declared.valid_from,
        valid_until=declared.valid_until,
        parties=list(declared.parties),
    )


@router.get("/agreements/{name}", responses=refusals())
def read_agreement(
    request: Request, name: str, person: Person = Depends(allowed("agreements.read"))
) -> reports.AgreementInWords:
    """One agreement, clause by clause in words."""
    language = language_of(request)
    whose = oversight.concern(person, "agreements.read")
    one = oversight.standing(settings_of(request), whose, name)
    declared = one.agreement
    return reports.AgreementInWords(
        about=_agreement(one),
        legal_reference=models.words(declared.legal_reference),
        permits=[_clause(permit_words(declared, p, language)) for p in declared.permits],
        restrictions=[_clause(restriction_words(r, language)) for r in declared.restrictions],
    )


def _clause(said: ClauseWords) -> reports.ClauseWords:
    return reports.ClauseWords(
        clause=said.clause,
        summary=said.summary,
        in_words=[
            reports.ClauseAnswer(question=question, answer=answer)
            for question, answer in said.answers
        ],
    )


@router.get("/taken", responses=refusals())
def list_taken(
    *,
    request: Request,
    recipient: str = Query("", max_length=120, pattern=models.CODE),
    clause: str = Query("", max_length=120, pattern=models.CODE, examples=["caf_minusca/P1"]),
    since: models.Day | None = None,
    until: models.Day | None = None,
    page: int = Number,
    person: Person = Depends(allowed("extracts.read_taken")),
) -> models.Page[reports.TakenExtract]:
    """Extracts for your organisation or of its data, by recipient, clause and day of making."""
    whose = oversight.concern(person, "extracts.read_taken")
    asked = release_register.ReleaseFilter(recipient, clause, since, until)
    found = release_register.list_releases(settings_of(request), whose, asked, page)
    items = [reports.TakenExtract.model_validate(one) for one in found.extracts]
    return models.Page(items=items, total=found.total, page=found.page, pages=found.pages)


@router.post("/holders", responses=refusals())
def list_holders(
    request: Request,
    asked: reports.RecordQuery,
    person: Person = Depends(allowed("extracts.read_taken")),
) -> list[reports.Holding]:
    """Each extract for your organisation or of its data that holds a record, and who fetched it."""
    whose = oversight.concern(person, "extracts.read_taken")
    found = release_register.holdings(settings_of(request), whose, asked.record_id)
    return [reports.Holding.model_validate(one) for one in found]
