"""By which contract the rows of each table were judged, and whether that is today's.

Not here: judging them again (`pipelines/ingest`) and writing the tables anew (`migrate.py`).

A contract's version has three numbers. With another first one, what stands in the table means
something else or has another type or key: old and new rows must not stand side by side, so nothing
is published until the table is migrated. With another second one, columns or rules came: older
rows do not have them until they are judged again. The third is about words.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

from pipelines.core.duck import connect_scratch
from pipelines.core.settings import Settings
from pipelines.lake.data_files import files_sql
from pipelines.lake.errors import LakeError, LakeOutdatedError
from pipelines.lake.storage import let_read
from pipelines.lake.tables import addressed_files, existing_table, misfit
from schemas.contract import load_contract, table_names

if TYPE_CHECKING:
    import duckdb


@dataclass(frozen=True)
class PublishedDelivery:
    """What the table `deliveries` says of one delivery; times are naive UTC."""

    delivery_id: str
    state: str
    harmonised_at: dt.datetime
    answered_at: dt.datetime | None
    rows_held: int
    table_name: str
    contract_version: str


@dataclass(frozen=True)
class Behind:
    """A table with deliveries that were judged by an older contract, and how many they are."""

    table: str
    found: str
    wanted: str
    deliveries: int

    @property
    def must_migrate(self) -> bool:
        """True where old and new rows must not stand side by side."""
        return _numbers(self.found)[:1] != _numbers(self.wanted)[:1]

    def __str__(self) -> str:
        """`incidents 1.0.0 → 2.0.0`."""
        return f"{self.table} {self.found} → {self.wanted}"


def published_deliveries(settings: Settings) -> list[PublishedDelivery]:
    """The deliveries that the lake has in full, by its table `deliveries`."""
    table = existing_table(settings, "deliveries")
    if table is None or not (files := addressed_files(settings, table)):
        return []
    columns = [field.name for field in fields(PublishedDelivery)]
    rows = files_sql(load_contract("deliveries"), files, columns=columns, is_located=False)
    with connect_scratch(settings) as connection:
        let_read(connection, settings)
        found = connection.execute(
            f"SELECT * REPLACE (coalesce(rows_held, 0) AS rows_held) FROM ({rows})"
        ).fetchall()
    return [PublishedDelivery(*row) for row in found]


def shows_outdated(connection: duckdb.DuckDBPyConnection) -> bool:
    """True where the tables of this catalogue have to be migrated before they are used."""
    rows = connection.execute(
        "SELECT DISTINCT table_name, contract_version FROM deliveries WHERE state <> 'refused'"
    ).fetchall()
    known = set(table_names("data"))
    return any(
        _numbers(version)[:1] != _numbers(load_contract(table).version)[:1]
        for table, version in rows
        if table in known
    )


def behind(listed: Sequence[PublishedDelivery]) -> list[Behind]:
    """Tables with accepted deliveries of another major or minor version of their contract."""
    found = []
    for table in table_names("data"):
        wanted = load_contract(table).version
        older = [
            one.contract_version
            for one in listed
            if one.table_name == table
            and one.state != "refused"
            and _numbers(one.contract_version)[:2] != _numbers(wanted)[:2]
        ]
        if older:
            found.append(Behind(table, min(older, key=_numbers), wanted, len(older)))
    return found


def misfits(settings: Settings) -> list[LakeError]:
    """Tables with columns of another type than their contract, or lists that they do not have."""
    found = []
    for name in (*table_names("data"), *table_names("log")):
        table = existing_table(settings, name)
        if table is not None and (problem := misfit(table, load_contract(name))):
            found.append(problem)
    return found


def require_current(settings: Settings, listed: Sequence[PublishedDelivery] | None = None) -> None:
    """Raise LakeOutdatedError where a table has to be migrated before anything is published."""
    every = published_deliveries(settings) if listed is None else listed
    if old := [one for one in behind(every) if one.must_migrate]:
        raise LakeOutdatedError(tables=", ".join(map(str, old)))


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".") if part.isdigit())
