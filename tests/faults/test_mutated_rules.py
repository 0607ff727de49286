"""The audit can fail: a router that is wrong in one way is caught, whichever way that is.

Not here: honest routers (`tests/unit/validate`), what each kind of expectation notices
(`test_expectations.py`), and deliveries that are wrong (`landing`).

Each case breaks one thing of an otherwise honest routing: the SQL of a rule, a file, or a number.
The audit sees only what the router left behind, as in a real run.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import duckdb
import pytest
from routing import INCIDENT, counted, route

from pipelines.core.settings import settings_for
from pipelines.validate.audit import Auditor, RoutingCounts
from schemas.contract import Contract, Rule, load_contract
from schemas.rules import fails_when

ROWS = 400
Files = tuple[Path, Path]
Tamper = Callable[[Files, RoutingCounts], RoutingCounts]


@pytest.fixture(scope="module")
def auditor(tmp_path_factory: pytest.TempPathFactory) -> Auditor:
    return Auditor(settings_for(tmp_path_factory.mktemp("home")).prepare())


@pytest.fixture(scope="module")
def contract() -> Contract:
    return load_contract("incidents")


def problems(auditor: Auditor, contract: Contract, files: Files, routed: RoutingCounts) -> set[str]:
    result = auditor.audit(contract, *files, routed, data_docs=None, name="mutated")
    assert result.is_success == (not result.problems)
    return {str(problem.values["rule"]) for problem in result.problems}


# --- the SQL of a rule is broken ---------------------------------------------------------------

# code of the rule, what its predicate becomes, values of columns that the case needs
MUTATED_SQL = {
    "rule dropped": ("INC-402", lambda sql: "FALSE", {}),
    "rule inverted": ("INC-402", lambda sql: f"NOT {sql}", {}),
    "off by one above": (
        "INC-402",
        lambda sql: sql.replace("> 90", ">= 90"),
        {"latitude_deg": "CASE WHEN i = 7 THEN 90 ELSE 5 END"},
    ),
    "off by one below": (
        "INC-402",
        lambda sql: sql.replace("< -90", "< -91"),
        {"latitude_deg": "CASE WHEN i = 7 THEN -90.5 ELSE 5 END"},
    ),
    "wrong column": ("INC-402", lambda sql: sql.replace("latitude_deg", "longitude_deg"), {}),
    "missing value fails": ("INC-510", lambda sql: f"coalesce({sql}, TRUE)", {}),
    "missing value passes": (
        "INC-103",
        lambda sql: f"({sql}) AND occurred_on IS NOT NULL",
        {"occurred_on": "CASE WHEN i > 9 THEN DATE '2024-01-01' END", "occurred_at": "NULL"},
    ),
    "strict comparison": (
        "INC-510",
        lambda sql: sql.replace("<", "<="),
        {
            "occurred_until": "TIMESTAMP '2024-01-01' + to_minutes(i)",
            "ended_on": "DATE '2024-01-01'",
        },
    ),
    "code list rule dropped": (
        "INC-310",
        lambda sql: "FALSE",
        {
            "offence_code": "CASE WHEN i > 9 THEN '0101' END",
            "offence_code__unread": "CASE WHEN i <= 9 THEN 'larceny' END",
        },
    ),
    "regular expression loosened": (
        "INC-208",
        lambda sql: "FALSE",
        {"source_record_id": "CASE WHEN i = 3 THEN '--' ELSE i::VARCHAR END"},
    ),
    "unique rule dropped": ("INC-601", lambda sql: "FALSE", {}),
    "unique rule keeps the first": (
        "INC-601",
        lambda sql: "(row_number() OVER (PARTITION BY record_id ORDER BY source_row) > 1)",
        {},
    ),
    "warning dropped": ("INC-512", lambda sql: "FALSE", {}),
    "one half of a condition lost": (
        "INC-404",
        lambda sql: sql.replace(" AND longitude_deg = 0", ""),
        {"latitude_deg": "CASE WHEN i = 7 THEN 0 ELSE 5 END"},
    ),
    "one row less": ("INC-514", lambda sql: f"({sql}) AND source_row <> 5", {}),
}


@pytest.mark.parametrize("case", MUTATED_SQL)
def test_broken_sql_is_caught(
    case: str, auditor: Auditor, contract: Contract, tmp_path: Path
) -> None:
    code, mutate, values = MUTATED_SQL[case]

    def judge(rule: Rule) -> str:
        sql = fails_when(rule)
        if rule.code != code:
            return sql
        assert mutate(sql) != sql, "the mutation changes nothing"
        return f"({mutate(sql)})"

    if values:  # of the others it is known that nothing else is wrong
        *files, routed = route(contract, tmp_path, ROWS, values=INCIDENT | values)
        assert problems(auditor, contract, (files[0], files[1]), routed) == set()
    *files, routed = route(contract, tmp_path, ROWS, values=INCIDENT | values, judge=judge)
    assert code in problems(auditor, contract, (files[0], files[1]), routed)


# --- what the router leaves behind is broken -----------------------------------------------------


def rewrite(file: Path, query: str) -> None:
    """Replace a file by a query over its rows, which the query calls `rows`."""
    with duckdb.connect() as db:
        db.execute(f"CREATE TABLE kept AS WITH rows AS (FROM '{file}') {query}")
        db.execute(f"COPY kept TO '{file}'")


def row_in_both_files(files: Files, routed: RoutingCounts) -> RoutingCounts:
    rewrite(files[1], f"FROM rows UNION ALL FROM '{files[0]}' WHERE source_row = 10")
    said = counted(*files, routed.rows_read)
    return replace(said, rows_exact_duplicates=said.rows_exact_duplicates - 1)


def reason_lost(files: Files, routed: RoutingCounts) -> RoutingCounts:
    rewrite(
        files[1],
        "SELECT * REPLACE (CASE source_row WHEN 51 THEN [] ELSE reasons END AS reasons) FROM rows",
    )
    return counted(*files, routed.rows_read)


def reason_twice(files: Files, routed: RoutingCounts) -> RoutingCounts:
    rewrite(files[1], "SELECT * REPLACE (reasons || reasons AS reasons) FROM rows")
    return counted(*files, routed.rows_read)


UNREAD = "source_row IN (51, 101)"  # two of the rows that were set aside


def unreadable_invented(files: Files, routed: RoutingCounts) -> RoutingCounts:
    """Rows that were read are called unreadable, so that nobody counts what is wrong with them."""
    rewrite(files[1], f"SELECT * REPLACE (['DEL-727'] AS reasons) FROM rows WHERE {UNREAD}")
    said = counted(*files, routed.rows_read)
    return replace(said, rows_exact_duplicates=routed.rows_read - 2 - said.rows_accepted)


TAMPERED: list[tuple[Tamper, str]] = [
    (unreadable_invented, "DEL-727"),
    (row_in_both_files, "expect_column_values_to_be_unique source_row"),
    (reason_lost, "INC-402"),
    (reason_twice, "INC-402"),
]


@pytest.mark.parametrize(("tamper", "named"), TAMPERED, ids=[t.__name__ for t, _ in TAMPERED])
def test_broken_files_are_caught(
    tamper: Tamper, named: str, auditor: Auditor, contract: Contract, tmp_path: Path
) -> None:
    accepted, quarantined, routed = route(contract, tmp_path, ROWS)
    said = tamper((accepted, quarantined), routed)
    assert named in problems(auditor, contract, (accepted, quarantined), said)
