"""How alike the records of a finished extract are: k over the quasi-identifiers that left.

Not here: making them more alike (`k_anonymity.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import duckdb

from schemas.sqltext import name


@dataclass(frozen=True)
class Risk:
    """The smallest group of records alike (0 for none at all), and how many stand in small ones."""

    k_min: int
    unique_rows: int
    rows_below_k: int


def risk(
    connection: duckdb.DuckDBPyConnection,
    relation: str,
    quasi_identifiers: Sequence[str],
    smallest_group: int = 1,
) -> Risk:
    """The re-identification risk of `relation`, SQL of a FROM clause: a name or `(SELECT …)`.

    Records are alike where each quasi-identifier is, an empty one being a value like any other.
    `smallest_group` is the k of the agreement. Without quasi-identifiers all are alike.
    """
    alike = ", ".join(name(one) for one in quasi_identifiers)
    grouped = f" GROUP BY {alike}" if alike else ""
    [(k_min, unique, below)] = connection.execute(
        "SELECT coalesce(min(n), 0), coalesce(sum(n) FILTER (WHERE n = 1), 0), "
        f"coalesce(sum(n) FILTER (WHERE n < {int(smallest_group)}), 0) "
        f"FROM (SELECT count(*) AS n FROM {relation}{grouped}) WHERE n > 0"
    ).fetchall()
    return Risk(int(k_min), int(unique), int(below))
