"""Rows for the Delta writer, in as many passes as its memory asks for.

Not here: which rows (`publish.py`, `migrate.py`) and writing them (`tables.py`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.lake.tables import MONTH, partition_columns
from schemas.contract import Contract
from schemas.record import RECORD_ID
from schemas.sqltext import literal, name

if TYPE_CHECKING:
    import duckdb

# What the Delta writer may have open at once: it keeps rows and about 1 MB of every partition in
# memory (measured: 0.7 GB a million incidents).
ROWS_A_PASS = 1_250_000
PARTITIONS_A_PASS = 250


def passes(
    connection: duckdb.DuckDBPyConnection, contract: Contract, select: str, rows: int
) -> list[str]:
    """`select`, cut where it would take too much memory at once.

    By month of occurrence; where no row tells when, by record.
    """
    if rows <= min(ROWS_A_PASS, PARTITIONS_A_PASS):
        return [select]
    if contract.event_day is None:
        return _by_record(select, -(-rows // ROWS_A_PASS))
    day = name(contract.event_day)
    others = [column for column in partition_columns(contract) if column != MONTH]
    parts = ", ".join(map(name, others))
    spans = connection.execute(
        f"""
        SELECT min(month), max(month) + INTERVAL 1 MONTH FROM (
            SELECT month, CASE WHEN month IS NOT NULL THEN ceil(greatest(
                sum(rows) OVER so_far / {ROWS_A_PASS},
                sum(partitions) OVER so_far / {PARTITIONS_A_PASS})) END AS pass
            FROM (
                SELECT date_trunc('month', {day}) AS month, count(*) AS rows,
                       count(DISTINCT ({parts})) AS partitions
                FROM ({select}) GROUP BY month)
            WINDOW so_far AS (ORDER BY month))
        GROUP BY pass ORDER BY pass
        """
    ).fetchall()
    if len(spans) <= 1:
        return [select]
    conditions = (
        f"{day} IS NULL"
        if start is None
        else f"{day} >= {literal(start)} AND {day} < {literal(end)}"
        for start, end in spans
    )
    return [f"SELECT * FROM ({select}) WHERE {condition}" for condition in conditions]


def _by_record(select: str, number: int) -> list[str]:
    if number <= 1:
        return [select]
    cut = f"hash({RECORD_ID}) % {number}"
    return [f"SELECT * FROM ({select}) WHERE {cut} = {one}" for one in range(number)]
