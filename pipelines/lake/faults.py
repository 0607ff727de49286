"""Tables that could not be published: why and since when. Each shows what it showed before.

Not here: what stops every table, such as a full disk or another writer (`LakeBusyError`).
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipelines.core.i18n import mark, translator
from pipelines.lake.errors import CommitConflictError, LakeBusyError, LakeError
from schemas.text import Language

if TYPE_CHECKING:
    import duckdb

UNFIT = mark("The table {table} does not fit its contract: {problem}")
BROKEN = mark("The table {table} cannot be read or written ({problem}).")
STANDS = mark(
    "It shows what it showed before, and its new deliveries wait; the other tables are published."
)


@dataclass(frozen=True)
class TableFault:
    """Why one table could not be published; `since` is naive UTC, `values` fill the sentence."""

    table: str
    message: str
    values: dict[str, Any]
    since: dt.datetime

    def text(self, language: Language = "en") -> str:
        """The sentence in `language`."""
        return translator(language)(self.message, **self.values)

    def explained(self, language: Language = "en") -> str:
        """The same, and what it means for this table and for the others."""
        return f"{self.text(language)} {translator(language)(STANDS)}"

    def told_since(self, before: TableFault | None) -> TableFault:
        """What was told before where it is the same, with the moment at which it began."""
        return before if before and before.text() == self.text() else self


def fault_of(table: str, error: Exception) -> TableFault | None:
    """What keeps this one table from being published; None where it is no matter of the table.

    A message of DuckDB can quote a cell, so only those about columns and types are repeated.
    """
    import duckdb
    from deltalake.exceptions import DeltaError

    now = dt.datetime.now(dt.UTC).replace(tzinfo=None, microsecond=0)
    if isinstance(error, CommitConflictError | LakeBusyError | duckdb.OutOfMemoryException):
        return None
    if isinstance(error, LakeError):
        return TableFault(table, error.words.sentence, error.values, now)
    if isinstance(error, duckdb.BinderException | duckdb.CatalogException):
        said = {"table": table, "problem": str(error).partition("\n")[0]}
        return TableFault(table, UNFIT, said, now)
    if isinstance(error, duckdb.Error | DeltaError) and "No space left" not in str(error):
        return TableFault(table, BROKEN, {"table": table, "problem": type(error).__name__}, now)
    return None


def write_faults(
    connection: duckdb.DuckDBPyConnection, relation: str, faults: Iterable[TableFault]
) -> None:
    """Keep them as a relation of the catalogue that is being made."""
    connection.execute(
        f"CREATE TABLE {relation} "
        "(table_name VARCHAR, message VARCHAR, filled_in VARCHAR, since TIMESTAMP)"
    )
    for one in faults:
        connection.execute(
            f"INSERT INTO {relation} VALUES (?, ?, ?, ?)",
            [one.table, one.message, json.dumps(one.values), one.since],
        )


def read_faults(connection: duckdb.DuckDBPyConnection, relation: str) -> dict[str, TableFault]:
    """The faults by table."""
    rows = connection.execute(f"FROM {relation} ORDER BY table_name").fetchall()
    return {
        table: TableFault(table, message, json.loads(values), since)
        for table, message, values, since in rows
    }
