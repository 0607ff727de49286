"""The accepted rows that come into a table: read from their deliveries, cut to what fits memory.

Not here: what they change in the table (`revisions.py`, `restated.py`), the commit (`publish.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.lake.arrivals import ACCEPTED, Arrival, local_copy
from pipelines.lake.data_files import files_sql
from pipelines.lake.tables import stored_columns
from schemas.contract import Contract
from schemas.sqltext import literal, literals, name

if TYPE_CHECKING:
    import duckdb

# What the Delta writer may have open at once: it keeps rows and about 1 MB of every partition in
# memory (measured: 0.7 GB a million incidents).
ROWS_A_PASS = 1_250_000
PARTITIONS_A_PASS = 250


def read_incoming(
    connection: duckdb.DuckDBPyConnection,
    contract: Contract,
    mine: Sequence[Arrival],
    folder: Path,
) -> None:
    """Make the view `incoming`: the accepted rows with the columns of the contract.

    Beside them `as_of` and `statement`: what the delivery says each of them is.
    """
    _register_statements(connection, mine)
    paths = [local_copy(one, ACCEPTED, folder) for one in mine]
    if not paths:
        none = files_sql(contract, {}, columns=list(stored_columns(contract)), is_located=False)
        connection.execute(f"CREATE OR REPLACE TEMP VIEW incoming AS {none}")
        return
    source = f"read_parquet([{literals(paths)}], union_by_name = {literal(len(paths) > 1)})"
    found = {row[0] for row in connection.execute(f"DESCRIBE SELECT * FROM {source}").fetchall()}
    chosen = ", ".join(
        f"{name(c.name) if c.name in found else 'NULL'}::{c.duckdb_type} AS {name(c.name)}"
        for c in contract.published
        if c.filled_by != "lake"
    )
    connection.execute(
        f"CREATE OR REPLACE TEMP VIEW incoming AS SELECT rows.*, said.as_of, CASE "
        "WHEN list_contains(said.corrections, 'source_revision') "
        "AND rows.source_revision IS NOT NULL THEN 'correction' "
        "WHEN list_contains(said.corrections, 'withdrawal') AND rows.is_withdrawn "
        "THEN 'correction' ELSE said.kind END AS statement "
        f"FROM (SELECT {chosen} FROM {source}) AS rows LEFT JOIN statements AS said "
        "USING (delivery_id)"
    )


def _register_statements(connection: duckdb.DuckDBPyConnection, mine: Sequence[Arrival]) -> None:
    """Make `statements`: by delivery as of which day it speaks and what it is."""
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE statements "
        "(delivery_id VARCHAR, as_of DATE, kind VARCHAR, corrections VARCHAR[])"
    )
    if mine:
        connection.executemany(
            "INSERT INTO statements VALUES (?, ?, ?, ?)",
            [[one.delivery_id, one.as_of, one.statement, list(one.corrections)] for one in mine],
        )


def passes(connection: duckdb.DuckDBPyConnection, select: str, rows: int) -> list[str]:
    """`select`, cut by month of occurrence where it would take too much memory at once."""
    if rows <= min(ROWS_A_PASS, PARTITIONS_A_PASS):
        return [select]
    spans = connection.execute(
        f"""
        SELECT min(month), max(month) + INTERVAL 1 MONTH FROM (
            SELECT month, CASE WHEN month IS NOT NULL THEN ceil(greatest(
                sum(rows) OVER so_far / {ROWS_A_PASS},
                sum(partitions) OVER so_far / {PARTITIONS_A_PASS})) END AS pass
            FROM (
                SELECT date_trunc('month', occurred_on) AS month, count(*) AS rows,
                       count(DISTINCT (is_latest, country)) AS partitions
                FROM ({select}) GROUP BY month)
            WINDOW so_far AS (ORDER BY month))
        GROUP BY pass ORDER BY pass
        """
    ).fetchall()
    if len(spans) <= 1:
        return [select]
    conditions = (
        "occurred_on IS NULL"
        if start is None
        else f"occurred_on >= {literal(start)} AND occurred_on < {literal(end)}"
        for start, end in spans
    )
    return [f"SELECT * FROM ({select}) WHERE {condition}" for condition in conditions]
