"""The tables that a person's organisation may have something of: how new, how much, by what right.

Numbers are those of what the organisation may receive, never of the whole table. They are counted
once for each state of the tables and agreements; where counting takes long, none is shown.
"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Sequence
from contextlib import closing, suppress
from dataclasses import dataclass

from pipelines.accounts.permissions import Person
from pipelines.core.settings import Settings
from pipelines.lake.catalogue import table_faults
from pipelines.lake.faults import TableFault
from pipelines.portal.services import previews
from pipelines.portal.services.menus import FORMS, today
from pipelines.portal.words import _, language
from pipelines.release.policy.permits import Offer
from pipelines.release.policy.wording import source_names
from pipelines.release.request import Request
from schemas.agreement import Agreement, Permit
from schemas.agreement_folder import load_agreements
from schemas.contract import load_contract
from schemas.organisation import is_security_force, purposes
from schemas.text import Bilingual


@dataclass(frozen=True)
class Clause:
    """One clause in words, and until when it holds."""

    name: str
    summary: str
    agreement: str
    until: dt.date
    providers: tuple[str, ...]


@dataclass(frozen=True)
class Way:
    """One form for one purpose, and how many records there are; None where nobody counted."""

    form: str
    form_words: str
    purpose: str
    purpose_words: str
    rows: int | None


@dataclass(frozen=True)
class Shown:
    """One table as it is listed."""

    table: str
    title: str
    description: str
    newest: dt.datetime | None
    ways: tuple[Way, ...]
    clauses: tuple[Clause, ...]
    fault: TableFault | None


def shown_tables(
    settings: Settings, person: Person, offers: Sequence[Offer], only: str = ""
) -> list[Shown]:
    """The tables of the offers, in their order; just one of them where `only` names it."""
    agreements = {one.agreement: one for one in load_agreements(settings.agreements)}
    names = [name for name in dict.fromkeys(o.table for o in offers) if name == (only or name)]
    newest = _newest(settings, offers)
    faults = table_faults(settings)
    until = None if only else time.monotonic() + previews.COUNT_S
    found = []
    for name in names:
        mine = [offer for offer in offers if offer.table == name]
        permits = {p.full_name: p for offer in mine for p in offer.permits}
        contract = load_contract(name)
        found.append(
            Shown(
                table=name,
                title=contract.title[language()],
                description=contract.description[language()],
                newest=newest.get(name),
                ways=tuple(way for o in mine for way in _ways(settings, person, o, until)),
                clauses=tuple(
                    _clause(p, agreements[p.agreement], person.organisation)
                    for p in permits.values()
                ),
                fault=faults.get(name),
            )
        )
    return found


def _ways(settings: Settings, person: Person, offer: Offer, until: float | None) -> list[Way]:
    """The purposes of an offer; `until` when counting may go on, None for no counting."""

    def rows(purpose: str) -> int | None:
        if offer.form != "records" or until is None:
            return None
        clauses = tuple(p.full_name for p in offer.permits if purpose in p.purposes)
        request = Request(offer.table, person.organisation, purpose, today())
        return previews.rows_within(settings, request, clauses, until - time.monotonic())

    return [
        Way(
            form=offer.form,
            form_words=_(FORMS[offer.form]),
            purpose=purpose,
            purpose_words=purposes()[purpose].label[language()],
            rows=rows(purpose),
        )
        for purpose in offer.purposes
    ]


def _clause(permit: Permit, agreement: Agreement, recipient: str) -> Clause:
    ends = [agreement.valid_until]
    if permit.due_diligence and is_security_force(recipient):
        ends.append(permit.due_diligence.valid_until)
    return Clause(
        name=permit.full_name,
        summary=_in(permit.summary),
        agreement=_in(agreement.title),
        until=min(ends),
        providers=tuple(source_names(permit.providers, language())),
    )


def _newest(settings: Settings, offers: Sequence[Offer]) -> dict[str, dt.datetime]:
    """When the last accepted delivery of a provider came, by table."""
    from pipelines.lake.catalogue import connect
    from pipelines.lake.errors import NothingPublishedError

    found: dict[str, dt.datetime] = {}
    with suppress(NothingPublishedError), closing(connect(settings)) as connection:
        for table in dict.fromkeys(offer.table for offer in offers):
            providers = {
                p for o in offers if o.table == table for one in o.permits for p in one.providers
            }
            [(received_at,)] = connection.execute(
                "SELECT max(received_at) FROM deliveries WHERE table_name = ? "
                "AND state IN ('accepted', 'held') AND list_contains(?, source)",
                [table, sorted(providers)],
            ).fetchall()
            if received_at:
                found[table] = received_at
    return found


def _in(words: Bilingual) -> str:
    return words[language()]
