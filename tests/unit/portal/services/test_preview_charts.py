"""What a preview draws: a month cut off is never drawn as a fall, an absent one never as zero."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import duckdb
import pytest

from pipelines.portal.services import preview_charts
from pipelines.portal.services.preview_charts import Summary, whole_months
from pipelines.release.request import Request
from schemas.codelist import outermost
from schemas.contract import load_contract
from schemas.roles import Roles

DAY = dt.date(2026, 11, 22)


def _request(**more):
    return Request("incidents", "minusca_unpol", "joint_planning", DAY, **more)


@pytest.mark.parametrize(
    ("more", "delay", "since", "until"),
    [
        ({}, 0, "0001-01", "2026-10"),
        ({}, 30, "0001-01", "2026-09"),
        ({"until": dt.date(2026, 10, 31)}, 2, "0001-01", "2026-10"),
        ({"until": dt.date(2026, 10, 30)}, 2, "0001-01", "2026-09"),
        ({"since": dt.date(2026, 5, 1)}, 0, "2026-05", "2026-10"),
        ({"since": dt.date(2026, 5, 2)}, 0, "2026-06", "2026-10"),
        ({"since": dt.date(2025, 12, 31)}, 0, "2026-01", "2026-10"),
    ],
)
def test_a_month_is_whole_where_nothing_cuts_it(more, delay, since, until):
    assert whole_months(_request(**more), [0, delay]) == (since, until)


def _months(**more):
    summary = Summary(measure="", whole_from="2026-02", whole_until="2026-05", **more)
    [figure] = preview_charts.figures(summary, load_contract("incidents"), "en")
    return [words for _month, words in figure.table.rows]


def test_a_cut_month_is_incomplete_and_an_absent_one_not_zero():
    told = (("2026-01", 3), ("2026-02", 9), ("2026-04", 8), ("2026-05", None), ("2026-06", 1))
    shown = ["3, incomplete", "9", "no report", "8", "hidden", "1, incomplete"]
    assert _months(months=told) == shown
    shown[2] = "not shown"
    assert _months(months=told, is_counted=True) == shown


def test_no_chart_is_stretched_for_a_mistyped_year():
    near = (("2025-12", 4), ("2026-12", 5))
    assert len(_months(months=(("2016-05", 1), *near))) == 13
    assert len(_months(months=(("2024-11", 1), *near))) == 13
    assert len(_months(months=(("2024-12", 1), *near))) == 25
    summary = preview_charts.Summary(measure="", months=(("2016-05", 1), *near))
    [figure] = preview_charts.figures(summary, load_contract("incidents"), "en")
    assert any("May 2016" in note for note in figure.notes)


def test_records_are_summarised_as_they_leave():
    connection = duckdb.connect()
    connection.execute(
        "CREATE TABLE leaving AS SELECT * FROM (VALUES "
        "(DATE '2026-05-01', 'CF71', '0101'), (DATE '2026-05-02', 'CF71', '05021'), "
        "(DATE '2026-07-01', NULL, '0101')) AS t(occurred_on, admin1_code, offence_code)"
    )
    columns = ["occurred_on", "admin1_code", "offence_code"]
    found = preview_charts.of_records(connection, "leaving", columns, load_contract("incidents"))
    assert found.months == (("2026-05", 2), ("2026-07", 1))
    assert found.areas == (("CF71", 2),)
    assert found.kinds == (("01", 2), ("05", 1))  # of level 1, whatever the length of the codes
    figures = preview_charts.figures(found, load_contract("incidents"), "fr")
    assert len(figures) == 3
    assert figures[1].table.rows[0][0].startswith("Actes entraînant")


def test_kinds_are_told_at_the_first_level_that_their_list_declares():
    assert outermost("offences")["020121"] == "02"
    assert outermost("offences")["01"] == "01"
    assert outermost("seizure_kinds") == {}


def test_a_table_is_drawn_by_what_it_has():
    """One that tells neither when nor where, and of which no column is preferred: nothing."""
    contract = replace(load_contract("incidents"), roles=Roles())
    connection = duckdb.connect()
    connection.execute("CREATE TABLE leaving AS SELECT DATE '2026-05-01' AS occurred_on, 1 AS n")
    found = preview_charts.of_records(connection, "leaving", ["occurred_on", "n"], contract)
    assert (found.months, found.areas, found.kinds) == ((), (), ())
    assert preview_charts.figures(found, contract, "en") == []


def test_rows_that_are_counts_are_added_up():
    connection = duckdb.connect()
    connection.execute(
        "CREATE TABLE leaving AS SELECT DATE '2026-05-01' AS period_start, 'in' AS direction, "
        "70 AS travellers_count FROM range(3)"
    )
    columns = ["period_start", "direction", "travellers_count"]
    found = preview_charts.of_records(connection, "leaving", columns, load_contract("border_flows"))
    assert found.measure == "travellers_count"
    assert found.months == (("2026-05", 210),)


STOCK = ("mission_code", "sex", "month")


@pytest.mark.parametrize("dimensions", [STOCK, ("mission_code", "month")])
def test_of_a_stock_the_latest_month_is_drawn_and_months_are_not_added_up(dimensions):
    connection = duckdb.connect()
    columns = [*dimensions, "level", "personnel_count", "is_suppressed"]
    level = "cell" if len(dimensions) == 2 else "mission_code"
    told = [("UNMISS", "2026-01", level, 200), ("UNMISS", "2026-02", level, 150)]
    told += [("MINUSCA", "2026-02", level, 120), (None, "2026-01", "month", 200)]
    told.append((None, "2026-02", "month", 270))
    connection.execute(
        "CREATE TABLE leaving (mission_code VARCHAR, month VARCHAR, level VARCHAR, "
        "personnel_count INTEGER, sex VARCHAR, is_suppressed BOOLEAN DEFAULT FALSE)"
    )
    connection.executemany(
        "INSERT INTO leaving (mission_code, month, level, personnel_count) VALUES (?, ?, ?, ?)",
        told,
    )
    request = Request(
        table="deployments",
        recipient="public",
        purpose="public_information",
        as_of=dt.date(2026, 6, 30),
        form="counts",
        dimensions=dimensions,
        measures=("personnel_count",),
    )
    contract = load_contract("deployments")
    found = preview_charts.of_counts(connection, "leaving", columns, request, contract)
    assert found.kinds == (("UNMISS", 150), ("MINUSCA", 120))
    assert found.months == (("2026-01", 200), ("2026-02", 270))
    rows = ["mission_code", "reporting_month", "personnel_count"]
    connection.execute(
        "CREATE TABLE records AS SELECT 'UNMISS' AS mission_code, "
        "DATE '2026-01-01' AS reporting_month, 200 AS personnel_count"
    )
    assert preview_charts.of_records(connection, "records", rows, contract).measure == ""
