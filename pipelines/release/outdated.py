"""Extracts that tell records more finely than they are told now: noted in the ledger, and found.

Not here: why groups are made coarser (`k_anonymity.py`), and calling records back.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import sqlalchemy as sa

from pipelines.ledger.chain import Entry, NewEntry, append_all, as_entry
from pipelines.ledger.database import readings, troubles
from pipelines.ledger.models import LedgerEntry
from pipelines.settings import Settings
from schemas.sqltext import literal

if TYPE_CHECKING:
    import duckdb

MADE, OUTDATED = "extract.made", "extract.outdated"
NOTED_BY = "passerelle"  # nobody did it: it follows from a withdrawal or a correction


@dataclass(frozen=True)
class Outdated:
    """One extract of which records are told more coarsely since it was made."""

    extract_id: str
    recipient: str
    table: str
    purpose: str
    clause: str


def note_outdated(
    settings: Settings, connection: duckdb.DuckDBPyConnection, clause: str, records: str
) -> None:
    """Note each extract that holds one of `records` (SQL of their ids) by that clause, once.

    Raises LedgerError.
    """
    if not any(settings.release_records.glob("*.parquet")):
        return
    pattern = literal(str(settings.release_records / "*.parquet"))
    if not connection.execute(f"SELECT 1 FROM ({records}) LIMIT 1").fetchone():
        return
    found = connection.execute(
        f"SELECT DISTINCT parse_filename(filename, true) FROM read_parquet({pattern}, "
        f"filename = true, union_by_name = true) SEMI JOIN ({records}) USING (record_id) "
        f"WHERE clause = {literal(clause)} AND form = 'records' ORDER BY ALL"
    ).fetchall()
    holding = {extract_id for (extract_id,) in found}
    said = _entries(settings, [MADE, OUTDATED], sorted(holding))
    known = {entry.subject for entry in said if entry.event == OUTDATED}
    made = {entry.subject: entry.details for entry in said if entry.event == MADE}
    new = [
        NewEntry(
            OUTDATED,
            actor=NOTED_BY,
            subject=extract_id,
            details={
                "clause": clause,
                **{
                    key: str(made.get(extract_id, {}).get(key, ""))
                    for key in ("recipient", "table", "purpose")
                },
            },
        )
        for extract_id in sorted(holding - known)
    ]
    if new:
        append_all(settings, new)


def outdated_extracts(settings: Settings, extract_id: str = "") -> list[Outdated]:
    """The extracts that are outdated and that no later one of the same kind takes the place of.

    With `extract_id` that one, taken the place of or not. Raises LedgerError.
    """
    said = _entries(settings, [OUTDATED], [extract_id] if extract_id else [])
    latest = {} if extract_id else _latest(_entries(settings, [MADE], []) if said else [])
    return [
        Outdated(entry.subject, *_kind(entry), str(entry.details.get("clause", "")))
        for entry in said
        if entry.seq > latest.get(_kind(entry), 0)
    ]


def _latest(made: list[Entry]) -> dict[tuple[str, str, str], int]:
    """Recipient, table and purpose → the last entry of an extract of that kind."""
    return {_kind(entry): entry.seq for entry in made}


def _kind(entry: Entry) -> tuple[str, str, str]:
    recipient, table, purpose = (
        str(entry.details.get(key, "")) for key in ("recipient", "table", "purpose")
    )
    return recipient, table, purpose


def _entries(settings: Settings, events: list[str], subjects: list[str]) -> list[Entry]:
    """The entries of these events, about these extracts where any are given, in their order."""
    chosen = sa.select(LedgerEntry).where(LedgerEntry.event.in_(events))
    at_once = 500
    found: list[Entry] = []
    with troubles(), readings(settings).begin() as session:
        for start in range(0, max(1, len(subjects)), at_once):
            some = subjects[start : start + at_once]
            about = chosen.where(LedgerEntry.subject.in_(some)) if some else chosen
            found += map(as_entry, session.scalars(about.order_by(LedgerEntry.seq)))
    return sorted(found, key=lambda entry: entry.seq)
