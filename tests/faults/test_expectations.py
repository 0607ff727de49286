"""One lie for each kind of expectation of the audit, which that kind alone can notice.

Not here: rules whose SQL is broken (`test_mutated_rules.py`). A kind that were dropped from the
suites would let its lie through, so each of these tests fails for what the audit no longer sees.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import duckdb
import pytest
from routing import counted, route

from pipelines.core.settings import settings_for
from pipelines.validate.audit import Auditor, RoutingCounts
from schemas.contract import load_contract
from schemas.render.expectations import UNSPLIT_CODE

NAME = "caf_police_incidents.0123456789ab"
ROWS = 120
CONTRACT = load_contract("incidents")


@pytest.fixture(scope="module")
def auditor(tmp_path_factory: pytest.TempPathFactory) -> Auditor:
    return Auditor(settings_for(tmp_path_factory.mktemp("home")).prepare())


@pytest.fixture(scope="module")
def honest(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, RoutingCounts]:
    return route(CONTRACT, tmp_path_factory.mktemp("honest"), rows=ROWS)


Said = Callable[[RoutingCounts], RoutingCounts]


def as_it_is(routed: RoutingCounts) -> RoutingCounts:
    return routed


def one_more(**counts: int) -> Said:
    """The router says so many more than the files hold; what was read grows with it."""
    return lambda routed: replace(
        routed, **{name: getattr(routed, name) + more for name, more in counts.items()}
    )


def one_unreadable(routed: RoutingCounts) -> RoutingCounts:
    """The reading says that it could not split one row more."""
    more = one_more(rows_quarantined=1, rows_read=1)(routed)
    return replace(more, rows_unreadable={UNSPLIT_CODE: 1})


# file, what is done to its rows (a SELECT over `rows`), what the router says, which check notices.
FIRST_CLEAN = "(SELECT min(source_row) FROM rows)"
LIES: dict[str, tuple[str, str, Said, str]] = {
    "columns in another order": (
        "accepted",
        "SELECT source, * EXCLUDE (source) FROM rows",
        as_it_is,
        "expect_table_columns_to_follow_contract",
    ),
    "a column of another type": (
        "accepted",
        "SELECT * REPLACE (killed_total::DOUBLE AS killed_total) FROM rows",
        as_it_is,
        "expect_table_columns_to_follow_contract",
    ),
    "a required value is missing": (
        "accepted",
        f"SELECT * REPLACE (CASE WHEN source_row <> {FIRST_CLEAN} THEN delivery_id END "
        "AS delivery_id) FROM rows",
        as_it_is,
        "expect_column_values_to_not_be_null delivery_id",
    ),
    "a code that no list has": (
        "accepted",
        f"SELECT * REPLACE (CASE WHEN source_row <> {FIRST_CLEAN} THEN handling ELSE 'OPEN' END "
        "AS handling) FROM rows",
        as_it_is,
        "unexpected_rows_expectation handling",
    ),
    "an accepted row with a reason": (
        "accepted",
        f"SELECT * REPLACE (CASE WHEN source_row = {FIRST_CLEAN} THEN ['INC-999'] ELSE reasons "
        "END AS reasons) FROM rows",
        as_it_is,
        "unexpected_rows_expectation reasons",
    ),
    "an accepted row that breaks a rule": (
        "accepted",
        f"SELECT * REPLACE (CASE WHEN source_row = {FIRST_CLEAN} THEN 99 ELSE latitude_deg END "
        "AS latitude_deg) FROM rows",
        as_it_is,
        "INC-402",
    ),
    "a warning that is not noted": (
        "accepted",
        "SELECT * REPLACE ([]::VARCHAR[] AS quality_flags) FROM rows",
        lambda routed: replace(routed, warning_counts={}),
        "INC-512",
    ),
    "an accepted row that is not there": (
        "accepted",
        "FROM rows",
        one_more(rows_accepted=1, rows_read=1),
        "expect_table_row_count_to_equal",
    ),
    "a row set aside that is not there": (
        "quarantined",
        "FROM rows",
        one_more(rows_quarantined=1, rows_read=1),
        "expect_table_row_count_to_equal",
    ),
    "a row set aside for nothing": (
        "quarantined",
        "SELECT * REPLACE (CASE WHEN latitude_deg = 99 THEN 5.5 ELSE latitude_deg END AS "
        "latitude_deg, CASE WHEN latitude_deg = 99 THEN []::VARCHAR[] ELSE reasons END AS reasons) "
        "FROM rows",
        lambda routed: replace(
            routed, reason_counts={c: n for c, n in routed.reason_counts.items() if c != "INC-402"}
        ),
        "unexpected_rows_expectation reasons",
    ),
    "a reason that the row does not give": (
        "quarantined",
        "SELECT * REPLACE (CASE WHEN latitude_deg = 99 THEN list_append(reasons, 'INC-510') "
        "ELSE reasons END AS reasons) FROM rows",
        lambda routed: replace(
            routed,
            reason_counts={
                **routed.reason_counts,
                "INC-510": routed.reason_counts["INC-510"] + routed.reason_counts["INC-402"],
            },
        ),
        "INC-510",
    ),
    "a reason in the row that nobody counts": (
        "quarantined",
        "SELECT * REPLACE (CASE WHEN latitude_deg = 99 THEN list_append(reasons, 'INC-510') "
        "ELSE reasons END AS reasons) FROM rows",
        as_it_is,
        "INC-510",
    ),
    "one row twice": (
        "accepted",
        f"SELECT * REPLACE (CASE WHEN source_row = {FIRST_CLEAN} THEN source_row + 1 ELSE "
        "source_row END AS source_row) FROM rows",
        as_it_is,
        "expect_column_values_to_be_unique source_row",
    ),
    "one record twice": (
        "accepted",
        "SELECT * REPLACE (CASE WHEN source_row IN (SELECT source_row FROM rows ORDER BY 1 LIMIT "
        "2) THEN 'caf_police:same' ELSE record_id END AS record_id) FROM rows",
        as_it_is,
        "INC-601",
    ),
    "a row that could not be split is not there": (
        "quarantined",
        "FROM rows",
        one_unreadable,
        "DEL-727",
    ),
    "a row that could not be split has a number": (
        "quarantined",
        "FROM rows UNION ALL BY NAME SELECT 'caf_police:x' AS record_id, 9999 AS source_row, "
        "['DEL-727'] AS reasons, []::VARCHAR[] AS quality_flags",
        one_unreadable,
        "unexpected_rows_expectation reasons",
    ),
    "a row that could not be split has a reason of another rule": (
        "quarantined",
        "FROM rows UNION ALL BY NAME SELECT 9999 AS source_row, ['DEL-727', 'INC-510'] AS reasons, "
        "[]::VARCHAR[] AS quality_flags",
        one_unreadable,
        "unexpected_rows_expectation reasons",
    ),
    "a row that went nowhere": ("accepted", "FROM rows", one_more(rows_read=1), "rows"),
}


@pytest.mark.parametrize("lie", LIES)
def test_each_kind_of_expectation_notices_what_it_is_there_for(auditor, honest, tmp_path, lie):
    file, select, said, check = LIES[lie]
    accepted, quarantined, routed = honest
    files = {"accepted": accepted, "quarantined": quarantined}
    told = tmp_path / "told.parquet"
    with duckdb.connect() as db:
        db.execute(f"CREATE VIEW rows AS FROM '{files[file]}'")
        db.execute(f"COPY ({select}) TO '{told}'")
    files[file] = told
    result = auditor.audit(
        CONTRACT,
        files["accepted"],
        files["quarantined"],
        said(routed),
        data_docs=None,
        name=NAME,
    )
    assert not result.is_success
    assert {str(problem.values["rule"]) for problem in result.problems} == {check}


def test_without_a_lie_nothing_is_noticed(auditor, honest):
    accepted, quarantined, routed = honest
    assert counted(accepted, quarantined, ROWS) == routed
    result = auditor.audit(CONTRACT, accepted, quarantined, routed, data_docs=None, name=NAME)
    assert result.problems == []


def test_an_audit_after_one_that_ran_out_of_memory_is_an_audit(auditor, honest):
    accepted, quarantined, routed = honest
    auditor._datasource.run("SET memory_limit = '1MB'")
    with pytest.raises(OSError, match="memory"):
        auditor.audit(CONTRACT, accepted, quarantined, routed, data_docs=None, name=NAME)
    auditor._datasource.run("SET memory_limit = '1GB'")
    result = auditor.audit(CONTRACT, accepted, quarantined, routed, data_docs=None, name=NAME)
    assert result.is_success
