"""Who holds a record: the extracts that had it, for whom, under which clause, who took them.

Not here: what an extract may hold (`release`), which writes the list of its records.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from pipelines.core.duck import connect_scratch, record_keys
from pipelines.core.settings import Settings
from pipelines.ledger.chain import Entry, as_entry
from pipelines.ledger.database import readings, troubles
from pipelines.ledger.models import LedgerEntry
from schemas.sqltext import literal

if TYPE_CHECKING:
    import duckdb

MADE, DOWNLOADED = "extract.made", "extract.downloaded"


@dataclass(frozen=True)
class Download:
    """Somebody took the file."""

    at: dt.datetime
    by: str
    organisation: str


@dataclass(frozen=True)
class Holding:
    """One extract that holds a record. What the ledger does not say is empty."""

    extract_id: str
    table: str
    clause: str
    form: str
    recipient: str
    purpose: str
    made_at: dt.datetime | None
    made_by: str
    downloads: tuple[Download, ...]


@dataclass(frozen=True)
class Held:
    """One extract, and how many of some records it holds."""

    extract: Holding
    records: int


def holders(settings: Settings, connection: duckdb.DuckDBPyConnection, relation: str) -> list[Held]:
    """The extracts that hold records of a relation with record_id, oldest first. LedgerError."""
    if not any(settings.release_records.glob("*.parquet")):
        return []
    pattern = literal(str(settings.release_records / "*.parquet"))
    found = connection.execute(
        "SELECT parse_filename(filename, true) AS extract, min(clause), min(form), "
        "count(DISTINCT record_id) "
        f"FROM read_parquet({pattern}, filename = true, union_by_name = true) "
        f"SEMI JOIN {relation} USING (record_id) GROUP BY extract ORDER BY extract"
    ).fetchall()
    said = _entries_about(settings, [extract for extract, _clause, _form, _records in found])
    held = [
        Held(_holding(extract, clause, form, said.get(extract, [])), records)
        for extract, clause, form, records in found
    ]
    return sorted(held, key=lambda one: (str(one.extract.made_at or ""), one.extract.extract_id))


def holdings_of(settings: Settings, record_id: str) -> list[Holding]:
    """Every extract that holds this record, oldest first. Raises LedgerError, OSError.

    A record may also be named as one recipient was given it, by the token that stands in a file,
    and with its number in any spelling.

    An extract whose entry is missing is listed all the same: its file of records is evidence.
    """
    found = _extracts_with(settings, record_id)
    said = _entries_about(settings, [extract_id for extract_id, _clause, _form in found])
    holdings = [_holding(*one, said.get(one[0], [])) for one in found]
    return sorted(holdings, key=lambda one: (str(one.made_at or ""), one.extract_id, one.clause))


def _extracts_with(settings: Settings, record_id: str) -> list[tuple[str, str, str]]:
    """Extract, clause, form; DuckDB skips the files whose range of ids cannot hold the record."""
    if not any(settings.release_records.glob("*.parquet")):
        return []
    pattern = literal(str(settings.release_records / "*.parquet"))
    source, _, number = record_id.partition(":")
    with connect_scratch(settings) as connection:
        return connection.execute(
            f"SELECT DISTINCT parse_filename(filename, true), clause, form "
            f"FROM read_parquet({pattern}, filename = true, union_by_name = true) "
            "WHERE record_id IN ($1, $2) OR record_id IN (SELECT record_id FROM "
            f"read_parquet({pattern}, union_by_name = true) WHERE given_as = $1) ORDER BY ALL",
            [record_id, f"{source.strip()}:{record_keys([number])[0]}"],
        ).fetchall()


def _entries_about(settings: Settings, extracts: Collection[str]) -> dict[str, list[Entry]]:
    about: dict[str, list[Entry]] = {}
    names, at_once = sorted(set(extracts)), 500
    with troubles(), readings(settings).begin() as session:
        for start in range(0, len(names), at_once):
            chosen = sa.select(LedgerEntry).where(
                LedgerEntry.subject.in_(names[start : start + at_once]),
                LedgerEntry.event.in_((MADE, DOWNLOADED)),
            )
            for row in session.scalars(chosen.order_by(LedgerEntry.seq)):
                about.setdefault(row.subject, []).append(as_entry(row))
    return about


def _holding(extract_id: str, clause: str, form: str, said: list[Entry]) -> Holding:
    made = next((entry for entry in said if entry.event == MADE), None)
    details: dict[str, Any] = made.details if made else {}
    return Holding(
        extract_id=extract_id,
        table=str(details.get("table", "")),
        clause=clause or "",
        form=form or "",
        recipient=str(details.get("recipient", "")),
        purpose=str(details.get("purpose", "")),
        made_at=made.at if made else None,
        made_by=made.actor if made else "",
        downloads=tuple(
            Download(entry.at, entry.actor, entry.organisation)
            for entry in said
            if entry.event == DOWNLOADED
        ),
    )
