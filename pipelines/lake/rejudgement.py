"""Rows of deliveries that were judged again: what they change in a table, record by record.

Not here: judging again (`pipelines/ingest`), and which revision of a record is the latest
(`revisions.py`), which decides here too.

Of a record that another judgement tells otherwise, everything that was published until then stays
in the history as it was, ends at that moment and has `superseded_at`. Beside it stand the rows of
the new judgement, and those of the other deliveries about the same record once more, known from
that moment on. So at any moment one version of a record was known, and what we knew before is not
rewritten. Records that are told alike are not touched.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipelines.lake.data_files import files_sql
from pipelines.lake.revisions import (
    STANDING,
    STATED,
    columns_sql,
    keys_sql,
    month_sql,
    revisions_sql,
    since_sql,
)
from pipelines.lake.tables import MONTH, DataFile, stored_columns
from schemas.contract import Contract
from schemas.sqltext import literal, literals, name

if TYPE_CHECKING:
    import duckdb


@dataclass(frozen=True)
class RowChange:
    """Rows of a delivery that another judgement changes, brings and takes away."""

    changed: int = 0
    come: int = 0
    gone: int = 0

    @property
    def is_any(self) -> bool:
        """True where a table would not be as it was."""
        return bool(self.changed or self.come or self.gone)


@dataclass(frozen=True)
class RejudgedRows:
    """The same by delivery; rows by changed column; withdrawals that come and that go."""

    deliveries: dict[str, RowChange]
    columns: dict[str, int]
    withdrawn: int
    shown_again: int


def find_changes(
    connection: duckdb.DuckDBPyConnection,
    contract: Contract,
    lake: dict[str, DataFile],
    delivery_ids: Sequence[str],
) -> RejudgedRows:
    """What `incoming`, the new judgements of these deliveries, would change; changes nothing.

    Leaves the relation `differing`, with the record_id of every row that is not as it was.
    """
    differing = differences_sql(contract, lake, delivery_ids)
    connection.execute(f"CREATE OR REPLACE TEMP TABLE differing AS {differing}")
    deliveries = connection.execute(
        """
        SELECT delivery_id, count(*) FILTER (sides = 2), count(*) FILTER (sides = 1 AND is_in),
               count(*) FILTER (sides = 1 AND NOT is_in)
        FROM (SELECT delivery_id, source_row, count(*) AS sides, bool_or(is_incoming) AS is_in
              FROM differing GROUP BY delivery_id, source_row) GROUP BY delivery_id
        """
    ).fetchall()
    columns = _told_columns(contract)
    located = files_sql(contract, lake, columns=[*columns, "superseded_at"], is_located=False)
    # As text, since the column may have another type in the lake.
    is_other = {
        c: f"new.{name(c)}::VARCHAR IS DISTINCT FROM old.{name(c)}::VARCHAR" for c in columns
    }
    counts = ", ".join(f"count(*) FILTER ({sql})" for sql in is_other.values())
    is_withdrawn = "coalesce(new.is_withdrawn, FALSE), coalesce(old.is_withdrawn, FALSE)"
    [(*by_column, withdrawn, shown_again)] = connection.execute(
        f"""
        SELECT {counts}, count(*) FILTER (({is_withdrawn}) = (TRUE, FALSE)),
               count(*) FILTER (({is_withdrawn}) = (FALSE, TRUE))
        FROM incoming AS new JOIN ({located}) AS old USING (delivery_id, source_row)
        SEMI JOIN differing USING (delivery_id, source_row)
        WHERE old.superseded_at IS NULL AND old.delivery_id IN ({literals(delivery_ids)})
        """
    ).fetchall()
    changed = {c: rows for c, rows in zip(columns, by_column, strict=True) if rows}
    return RejudgedRows(
        {delivery: RowChange(*rows) for delivery, *rows in deliveries},
        dict(sorted(changed.items(), key=lambda item: (-item[1], item[0]))),
        withdrawn,
        shown_again,
    )


def _told_columns(contract: Contract) -> list[str]:
    """What a judgement says of a row: its columns, and what kind of statement it is."""
    told = [c.name for c in contract.published if c.filled_by != "lake"]
    return list(dict.fromkeys([*told, *STATED]))


def differences_sql(
    contract: Contract, lake: dict[str, DataFile], delivery_ids: Sequence[str]
) -> str:
    """A SELECT of what `incoming` and the lake say differently about rows of these deliveries.

    One row for each side that differs: record_id, delivery_id, source_row and `is_incoming`.
    """
    columns = _told_columns(contract)
    said = f"hash({', '.join(map(name, columns))}) AS said"
    keys = f"record_id, delivery_id, source_row, {said}"
    located = files_sql(contract, lake, columns=[*columns, "superseded_at"], is_located=False)
    return f"""
        SELECT record_id, delivery_id, source_row, bool_or(is_incoming) AS is_incoming FROM (
            SELECT {keys}, TRUE AS is_incoming FROM incoming UNION ALL
            SELECT {keys}, FALSE FROM ({located})
            WHERE superseded_at IS NULL AND delivery_id IN ({literals(delivery_ids)}))
        GROUP BY record_id, delivery_id, source_row, said HAVING count(*) = 1
        """


def find_restated(
    connection: duckdb.DuckDBPyConnection,
    contract: Contract,
    lake: dict[str, DataFile],
    delivery_ids: Sequence[str],
    moment: dt.datetime,
) -> list[DataFile]:
    """Make `restated(record_id)`, `stood` and `standing`; returns the files with rows of them.

    `incoming` has the accepted rows of the new judgements of `delivery_ids`, reached at `moment`
    (UTC). `stood` are the rows about those records that are superseded, `standing` the place of
    every row that stands from now on.
    """
    differing = differences_sql(contract, lake, delivery_ids)
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE restated AS SELECT DISTINCT record_id, "
        f"{literal(moment)}::TIMESTAMP AS restated_at FROM ({differing})"
    )
    columns = list(stored_columns(contract))
    located = files_sql(contract, lake, columns=columns, is_located=True)
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE stood AS SELECT *, delivery_id IN "
        f"({literals(delivery_ids)}) AS is_replaced FROM ({located}) "
        "SEMI JOIN restated USING (record_id) WHERE superseded_at IS NULL"
    )
    keys = keys_sql(contract)
    connection.execute(
        f"CREATE OR REPLACE TEMP VIEW assertions AS SELECT {keys} FROM incoming "
        f"SEMI JOIN restated USING (record_id) UNION ALL "
        f"SELECT {keys} FROM stood WHERE NOT is_replaced"
    )
    standing = since_sql(revisions_sql("assertions"), "restated")
    connection.execute(f"CREATE OR REPLACE TEMP TABLE standing AS {standing}")
    found = connection.execute("SELECT DISTINCT file FROM stood ORDER BY file").fetchall()
    return [lake[address] for (address,) in found]


def restated_rows_sql(
    contract: Contract, rewritten: dict[str, DataFile], moment: dt.datetime
) -> str:
    """All rows of the rewritten files, superseded where they `stood`, and the rows that stand.

    What was held was never published, and goes.
    """
    at = f"{literal(moment)}::TIMESTAMP"
    columns = list(stored_columns(contract))
    ended = {
        "known_to": f"greatest(stored.known_from, least(stored.known_to, {at}))",
        "is_latest": "FALSE",
        "superseded_at": at,
    }
    kept = {
        c: f"CASE WHEN stood.place IS NULL THEN stored.{c} ELSE {sql} END"
        for c, sql in ended.items()
    }
    placed = {c: f"standing.{c}" for c in STANDING}
    placed |= {"restated_at": at, "superseded_at": "NULL::TIMESTAMP"}
    stored = files_sql(contract, rewritten, columns=columns, is_located=True)
    place = (
        f"JOIN (SELECT {', '.join(STANDING)}, delivery_id, source_row FROM standing) AS standing"
    )
    return f"""
        SELECT {columns_sql(contract, kept, "stored")} FROM ({stored}) AS stored
        LEFT JOIN stood ON stood.file = stored.file AND stood.place = stored.place
        WHERE stood.place IS NULL OR stored.held IS NULL
        UNION ALL
        SELECT {columns_sql(contract, placed | {MONTH: month_sql(contract)}, "stated")}
        FROM incoming AS stated {place} USING (delivery_id, source_row)
        UNION ALL
        SELECT {columns_sql(contract, placed, "stated")}
        FROM stood AS stated {place} USING (delivery_id, source_row) WHERE NOT is_replaced
        """
