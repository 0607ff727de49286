"""Operations of a data owner: counts that were refused, giving a consent, taking one back."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Request
from pydantic import Field

from pipelines.accounts.permissions import Person
from pipelines.portal.api import models
from pipelines.portal.api.problems import ProblemRoute, refusals
from pipelines.portal.security.limits import limited
from pipelines.portal.web.access import allowed
from pipelines.portal.web.request import settings_of
from pipelines.release.disclosure import consents as release

router = APIRouter(route_class=ProblemRoute, tags=["Consents"])
Deciding = Depends(allowed("consent.decide"))
Id = Annotated[str, Path(max_length=80)]


class RefusedRequest(models.ResponseModel):
    """What was asked for when counts were refused."""

    table: str
    purpose: str
    dimensions: list[str]
    measures: list[str]
    since: str = Field(description="A day; empty for the beginning.")
    until: str
    areas: list[str]
    offences: list[str]


class Need(models.ResponseModel):
    """Counts that were refused and that leave only by consents."""

    reference: str
    recipient: str
    asked: RefusedRequest
    earlier: list[str] = Field(description="The earlier extracts, or looks, in the way.")
    providers: list[str] = Field(description="The organisations that must all consent.")


class ConsentRequest(models.RequestModel):
    """A consent to give, in the name of your organisation."""

    reference: models.Name
    until: models.Day
    reason: str = Field(max_length=release.LONGEST_REASON)


class Consent(models.ResponseModel):
    """A consent that your organisation gave."""

    consent_id: str
    need: Need
    given_by: str
    given_at: models.Moment
    until: models.Day
    reason: str
    revoked_at: models.Moment | None
    is_open: bool


class Consents(models.ResponseModel):
    """What waits for a word of your organisation, and what it gave."""

    waiting: list[Need]
    given: list[Consent]


@router.get("/consents", responses=refusals())
def list_consents(request: Request, person: Person = Deciding) -> Consents:
    """Refused counts that concern your organisation's data, and its consents."""
    settings = settings_of(request)
    return Consents(
        waiting=[Need.model_validate(n) for n in release.needs(settings, person.organisation)],
        given=[Consent.model_validate(c) for c in release.consents(settings, person.organisation)],
    )


@router.post(
    "/consents",
    status_code=201,
    responses=refusals(),
    dependencies=[Depends(limited("consent"))],
)
def give_consent(request: Request, wanted: ConsentRequest, person: Person = Deciding) -> Consent:
    """Accept in writing that refused counts leave; it is kept in the ledger."""
    given = release.give(
        settings_of(request),
        wanted.reference,
        by=person.name,
        organisation=person.organisation,
        until=wanted.until,
        reason=wanted.reason,
    )
    return Consent.model_validate(given)


@router.delete("/consents/{consent_id}", status_code=204, responses=refusals())
def revoke_consent(request: Request, consent_id: Id, person: Person = Deciding) -> None:
    """Take a consent back, for whatever is asked from now on."""
    release.revoke(
        settings_of(request), consent_id, by=person.name, organisation=person.organisation
    )
