"""What oversight asks: what concerns whom, the ledger and its check, how each agreement stands."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Literal

from pipelines.accounts.oversight import Concern, concern_of
from pipelines.accounts.permissions import Person, reach
from pipelines.core import clock
from pipelines.core.settings import Settings
from pipelines.ledger.chain import PAGE_SIZE, Page, entries
from pipelines.ledger.verify import ChainCheck, check_and_note
from pipelines.portal.services import AbsentError
from schemas.agreement import Agreement
from schemas.agreement_folder import fingerprint

State = Literal["in_force", "ends_soon", "not_yet", "ended"]
SOON = dt.timedelta(days=60)


def concern(person: Person, action: str) -> Concern:
    """What concerns the person who does `action`. Raises AbsentError where they may not."""
    where = reach(person, action)
    if where is None:
        raise AbsentError
    return concern_of(where)


def checked(settings: Settings, person: Person) -> ChainCheck:
    """What a look through the whole ledger found; written down unless there is nowhere to."""
    return check_and_note(settings, actor=person.name, organisation=person.organisation)


@dataclass(frozen=True)
class EntryFilter:
    """Which entries of the ledger; days are inclusive, in UTC."""

    event: str = ""
    organisation: str = ""
    actor: str = ""
    since: dt.date | None = None
    until: dt.date | None = None


def list_entries(settings: Settings, person: Person, asked: EntryFilter, page: int) -> Page:
    """The entries asked for that concern the person, newest first. Raises LedgerError."""
    return entries(
        settings,
        within=concern(person, "ledger.read").entries(settings),
        events=[asked.event] if asked.event else (),
        organisation=asked.organisation,
        actor=asked.actor,
        since=midnight(asked.since),
        until=midnight_after(asked.until),
        page=page,
    )


def page_count(found: Page) -> int:
    """How many pages there are; one where there is no entry."""
    return max(1, -(-found.total // PAGE_SIZE))


def midnight(day: dt.date | None) -> dt.datetime | None:
    """The moment at which a day begins, in UTC."""
    return dt.datetime.combine(day, dt.time(), dt.UTC) if day else None


def midnight_after(day: dt.date | None) -> dt.datetime | None:
    """The moment at which a day is over, in UTC; the last there is for the last day there is."""
    if day == dt.date.max:
        return dt.datetime.max.replace(tzinfo=dt.UTC)
    return midnight(day + dt.timedelta(days=1)) if day else None


@dataclass(frozen=True)
class AgreementStatus:
    """An agreement and how it stands today."""

    agreement: Agreement
    state: State
    days_left: int
    reviews: tuple[tuple[str, dt.date], ...]
    fingerprint: str


def status_of(
    agreement: Agreement, today: dt.date, hashes: dict[str, tuple[str, str]]
) -> AgreementStatus:
    """How an agreement stands on a day: `in_force`, `ends_soon`, `not_yet` or `ended`.

    `reviews`: clauses whose human-rights review has ended or ends within the same time.
    """
    state: State
    if today > agreement.valid_until:
        state = "ended"
    elif today < agreement.valid_from:
        state = "not_yet"
    else:
        state = "ends_soon" if agreement.valid_until - today <= SOON else "in_force"
    reviews = tuple(
        (permit.full_name, permit.due_diligence.valid_until)
        for permit in agreement.permits
        if permit.due_diligence and permit.due_diligence.valid_until - today <= SOON
    )
    left = (agreement.valid_until - today).days
    return AgreementStatus(
        agreement, state, left, reviews, hashes.get(agreement.agreement, ("", ""))[1]
    )


def standing(settings: Settings, whose: Concern, name: str) -> AgreementStatus:
    """How one agreement stands today. Raises AbsentError where it is not theirs, AgreementError."""
    for one in standings(settings, whose):
        if one.agreement.agreement == name:
            return one
    raise AbsentError


def standings(settings: Settings, whose: Concern) -> list[AgreementStatus]:
    """The agreements that concern somebody and how they stand today, what ends first on top.

    Raises AgreementError.
    """
    hashes = fingerprint(settings.agreements)
    today = clock.now().date()
    found = [status_of(one, today, hashes) for one in whose.agreements(settings)]
    return sorted(found, key=lambda one: one.agreement.valid_until)
