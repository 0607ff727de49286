"""How alike the records of an extract are.

Not here: making them more alike (`test_precision.py`).
"""

from __future__ import annotations

import duckdb
import pytest

from pipelines.release.disclosure.risk import Risk, risk


@pytest.mark.parametrize(
    ("values", "k", "expected"),
    [
        ("('a', 1), ('a', 1), ('b', 1)", 2, Risk(k_min=1, unique_rows=1, rows_below_k=1)),
        ("('a', 1), ('a', 1), ('b', 2), ('b', 2)", 3, Risk(2, 0, 4)),
        ("(NULL, 1), (NULL, 1)", 2, Risk(2, 0, 0)),
        ("(NULL, 1), ('a', 1)", 2, Risk(1, 2, 2)),
    ],
)
def test_the_smallest_group_counts(values: str, k: int, expected: Risk) -> None:
    relation = f"(SELECT * FROM (VALUES {values}) AS t(place, n))"
    assert risk(duckdb.connect(), relation, ["place", "n"], k) == expected


def test_of_nothing_there_is_no_group() -> None:
    relation = "(SELECT 1 AS place WHERE FALSE)"
    assert risk(duckdb.connect(), relation, ["place"], 3) == Risk(0, 0, 0)
    assert risk(duckdb.connect(), relation, [], 3) == Risk(0, 0, 0)


def test_without_identifying_columns_all_are_alike() -> None:
    assert risk(duckdb.connect(), "range(7)", [], 3) == Risk(7, 0, 0)
