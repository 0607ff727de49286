"""Rows for the Delta writer, in as many passes as its memory asks for.

Not here: which rows (`publish.py`, `migrate.py`) and writing them (`tables.py`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from schemas.sqltext import literal

if TYPE_CHECKING:
    import duckdb

# What the Delta writer may have open at once: it keeps rows and about 1 MB of every partition in
# memory (measured: 0.7 GB a million incidents).
ROWS_A_PASS = 1_250_000
PARTITIONS_A_PASS = 250


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
