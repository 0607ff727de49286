"""Extracts in the ledger and their downloads, by recipient, clause and period."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from pipelines.accounts.oversight import Concern
from pipelines.core.settings import Settings
from pipelines.ledger.chain import Entry, as_entry
from pipelines.ledger.database import readings, troubles
from pipelines.ledger.holders import Holding, holdings_of
from pipelines.ledger.models import LedgerEntry

MADE, DOWNLOADED = "extract.made", "extract.downloaded"
PAGE_ROWS = 25


@dataclass(frozen=True)
class RegisteredExtract:
    """One extract that was made, and how often it was downloaded."""

    extract_id: str
    made_at: dt.datetime
    made_by: str
    recipient: str
    purpose: str
    table: str
    form: str
    clauses: tuple[str, ...]
    rows: int | None
    sha256: str
    downloads: int


@dataclass(frozen=True)
class ReleaseFilter:
    """What of the extracts is asked for; both days inclusive, in UTC."""

    recipient: str = ""
    clause: str = ""
    since: dt.date | None = None
    until: dt.date | None = None


@dataclass(frozen=True)
class ReleasePage:
    """One page, newest first."""

    extracts: list[RegisteredExtract]
    total: int
    page: int
    pages: int


def list_releases(
    settings: Settings, concern: Concern, asked: ReleaseFilter, page: int = 1, size: int = PAGE_ROWS
) -> ReleasePage:
    """The extracts asked for that concern somebody; a page beyond the last is the last.

    Raises LedgerError.
    """
    conditions = [*_conditions(asked), concern.extracts(settings)]
    counted = sa.select(sa.func.count()).select_from(LedgerEntry).where(*conditions)
    chosen = sa.select(LedgerEntry).where(*conditions).order_by(LedgerEntry.seq.desc())
    with troubles(), readings(settings).begin() as session:
        total = session.scalar(counted) or 0
        pages = max(1, -(-total // size))
        page = min(max(page, 1), pages)
        found = session.scalars(chosen.limit(size).offset((page - 1) * size))
        entries = [as_entry(row) for row in found]
        names = [entry.subject for entry in entries]
        times = sa.select(LedgerEntry.subject, sa.func.count()).where(
            LedgerEntry.event == DOWNLOADED, LedgerEntry.subject.in_(names)
        )
        downloads = dict(session.execute(times.group_by(LedgerEntry.subject)).tuples().all())
    extracts = [_registered(entry, downloads.get(entry.subject, 0)) for entry in entries]
    return ReleasePage(extracts, total, page, pages)


def holdings(settings: Settings, concern: Concern, record_id: str) -> list[Holding]:
    """The extracts that hold a record, of those that concern somebody. LedgerError, OSError."""
    found = holdings_of(settings, record_id)
    return [one for one in found if concern.has_holding(record_id, one.recipient)]


def _conditions(asked: ReleaseFilter) -> list[sa.ColumnElement[bool]]:
    found: list[sa.ColumnElement[bool]] = [LedgerEntry.event == MADE]
    if asked.recipient:
        found.append(LedgerEntry.details["recipient"].as_string() == asked.recipient)
    if asked.clause:
        # `caf_minusca/P1` in quotes, or every clause of `caf_minusca`: a name has no other sign.
        whole = f'"{asked.clause}"' if "/" in asked.clause else f'"{asked.clause}/'
        found.append(sa.cast(LedgerEntry.details, sa.Text).contains(whole, autoescape=True))
    if asked.since:
        found.append(LedgerEntry.at >= dt.datetime.combine(asked.since, dt.time(), dt.UTC))
    if asked.until:
        found.append(LedgerEntry.at <= dt.datetime.combine(asked.until, dt.time.max, dt.UTC))
    return found


def _registered(entry: Entry, downloads: int) -> RegisteredExtract:
    said = entry.details
    clauses = said.get("clauses") or ()
    rows = said.get("rows")
    return RegisteredExtract(
        extract_id=entry.subject or str(said.get("extract_id", "")),
        made_at=entry.at,
        made_by=entry.actor,
        recipient=str(said.get("recipient", "")),
        purpose=str(said.get("purpose", "")),
        table=str(said.get("table", "")),
        form=str(said.get("form", "")),
        clauses=tuple(str(one) for one in _listed(clauses)),
        rows=int(rows) if isinstance(rows, int) else None,
        sha256=str(said.get("sha256", "")),
        downloads=downloads,
    )


def _listed(value: object) -> Sequence[object]:
    return list(value) if isinstance(value, list | tuple | dict) else []
