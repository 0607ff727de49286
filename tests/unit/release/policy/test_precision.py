"""Nothing finer than the clause survives in any column; groups are large enough or do not leave.

Not here: which rows leave (`test_compile.py`).
"""

from __future__ import annotations

import datetime as dt
import itertools
from typing import Any

import duckdb
import pytest

from pipelines.release.policy.precision import coarse, moments, permit_levels
from schemas.agreement import AGES, AREAS, TIMES, Permit
from schemas.agreement_columns import too_fine
from schemas.contract import Column, load_contract, table_names
from schemas.sqltext import literal
from schemas.sqltext import name as quoted
from tests.unit.release.world import Extract, agreement, ask, permit, restriction, rows

EVERY = [column.name for column in load_contract("incidents").published]
FULL: dict[str, Any] = {
    "admin2_code": "CF711",
    "place_text": "PK5, near the mosque",
    "latitude_deg": 4.38,
    "longitude_deg": 18.55,
    "location_precision": "exact",
    "occurred_at": dt.datetime(2026, 5, 13, 23, 30),  # half past midnight on the 14th in Bangui
    "occurred_at_text": "14/05/2026 00h30",
    "reported_at": dt.datetime(2026, 5, 14, 6, 45),
    "reported_on": dt.date(2026, 5, 14),
    "occurred_until": dt.datetime(2026, 5, 14, 1, 15),
    "ended_on": dt.date(2026, 5, 14),
    "received_at": dt.datetime(2026, 5, 15, 7, 55),
    "known_from": dt.datetime(2026, 5, 15, 7, 55),
    "delivery_id": "caf_police_incidents.5142248ae7b0",
    "source_row": 8,
    "offence_text": "Vol",
}


def one(time: str = "exact", area: str = "point", **changes: Any) -> dict[str, Any]:
    clause = permit(columns=EVERY, precision={"area": area, "time": time, "age": "none"})
    [row] = Extract(rows({**FULL, **changes}), [agreement([clause])], ask()).rows
    return row


@pytest.mark.parametrize("table", table_names("data"))
def test_every_column_that_says_when_where_or_how_old_says_so(table: str) -> None:
    for column in load_contract(table).columns:
        is_when = column.duckdb_type in ("TIMESTAMP", "DATE") or "occurred_at" in column.name
        is_where = column.name.endswith("_deg") or column.name == "time_zone"
        is_where |= column.name.startswith(("admin", "place", "location", "border_point"))
        is_who = "age_" in column.name.replace("language_", "")
        is_who |= column.name.endswith(("_token", "record_id"))
        assert column.coarsen or not (is_when or is_where or is_who), column.name


def test_the_finest_clause_tells_everything_as_it_is() -> None:
    row = one()
    assert row["record_id"] == "caf_police:PK5/2026-05-13/0"
    for name, value in FULL.items():
        assert row[name] == value, name


@pytest.mark.parametrize(
    ("time", "start"),
    [
        ("day", dt.date(2026, 5, 14)),
        ("week", dt.date(2026, 5, 11)),
        ("month", dt.date(2026, 5, 1)),
    ],
)
def test_no_moment_is_finer_than_the_clause(time: str, start: dt.date) -> None:
    """By the calendar at the place: the day in UTC is the day before."""
    row = one(time=time)
    assert row["occurred_on"] == start
    assert row["occurred_at_precision"] == time
    assert row.get("occurred_at_text") is None
    for name in ("received_at", "known_from"):
        assert row[name].time() == dt.time(0), name
        assert row[name] <= FULL[name]
    for name in ("reported_on", "ended_on"):
        assert row[name] <= FULL[name]
    for name in ("occurred_at", "reported_at", "occurred_until"):
        assert row.get(name) is None, name  # a day under the heading of a moment in UTC is untrue
    for name in ("source_record_id", "delivery_id", "source_row"):
        assert row.get(name) is None, name
    assert "2026" not in row["record_id"] and "PK5" not in row["record_id"]


@pytest.mark.parametrize(
    ("area", "gone", "precision"),
    [
        ("admin2", {"place_text", "latitude_deg", "longitude_deg"}, "admin2"),
        ("admin1", {"place_text", "latitude_deg", "longitude_deg", "admin2_code"}, "admin1"),
        (
            "country",
            {
                "place_text",
                "latitude_deg",
                "longitude_deg",
                "admin2_code",
                "admin1_code",
                "time_zone",
            },
            "country",
        ),
    ],
)
def test_no_place_is_finer_than_the_clause(area: str, gone: set[str], precision: str) -> None:
    row = one(area=area)
    assert all(row.get(name) is None for name in gone)
    assert row["location_precision"] == precision
    assert "PK5" not in row["record_id"]
    kept = {"admin1_code", "admin2_code", "country"} - gone
    assert all(row[name] is not None for name in kept)


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("time", ("minute", "hour", "day", "week", "month", "year")),
        ("area", ("exact", "settlement", "admin2", "admin1", "country")),
    ],
)
def test_how_exact_a_value_is_said_to_be_is_the_coarser_of_its_own_and_the_clause(
    kind: str, words: tuple[str, ...]
) -> None:
    column = {"time": "occurred_at_precision", "area": "location_precision"}[kind]
    long_ago = dt.datetime(2025, 1, 6, 12)  # its whole year is over
    held = rows(*({column: word, "occurred_at": long_ago} for word in words))
    for at, level in enumerate(words):
        if level not in ("day", "week", "month", "admin2", "admin1", "country"):
            continue
        precision = {"area": "point", "time": "exact", "age": "none", kind: level}
        clause = permit(columns=["record_id", column], precision=precision)
        told = [row[column] for row in Extract(held, [agreement([clause])], ask()).rows]
        assert sorted(told) == sorted(words[max(at, own)] for own in range(len(words)))


@pytest.mark.parametrize(
    ("age", "hidden"),
    [("none", {"age_years", "age_group"}), ("group", {"age_years"}), ("exact", set())],
)
def test_a_clause_opens_no_age_that_it_hides_always(age: str, hidden: set[str]) -> None:
    clause = Permit.model_validate(permit(precision={"area": "admin1", "time": "day", "age": age}))
    contract = load_contract("border_crossings")
    found = {c.name for c in contract.published if too_fine(c, clause.precision)}
    assert found & {"age_years", "age_group"} == hidden


def test_a_clause_that_names_the_moment_opens_its_day_and_only_exact_the_moment() -> None:
    """No local day stands under the heading of a moment in UTC, in any row."""
    moment = dt.datetime(2026, 5, 31, 23, 30)  # the first of June in Bangui
    held = rows({"occurred_at": moment}, {"occurred_at": moment, "occurred_at_precision": "day"})
    by_time = {}
    for time in ("exact", "day", "week", "month"):
        clause = permit(
            columns=["record_id", "occurred_at"],
            precision={"area": "point", "time": time, "age": "none"},
        )
        extract = Extract(held, [agreement([clause])], ask())
        by_time[time] = sorted(
            ((row["occurred_on"], row.get("occurred_at")) for row in extract.rows), key=str
        )
    first = dt.date(2026, 6, 1)
    assert by_time["exact"] == sorted([(first, moment), (first, None)], key=str)
    assert by_time["day"] == by_time["week"] == by_time["month"] == [(first, None)] * 2


def test_a_record_known_only_to_the_month_stays_in_its_month() -> None:
    first = {"occurred_at": dt.datetime(2026, 4, 30, 23), "occurred_at_precision": "month"}
    row = one(time="week", **first)
    assert row["occurred_on"] == dt.date(2026, 5, 1)
    assert row["occurred_at_precision"] == "month"


def test_two_columns_for_one_moment_agree_however_coarse() -> None:
    """The first of a month is the month before in UTC: told apart, they would tell the day."""
    clause = permit(
        table="border_flows",
        columns=["record_id", "occurred_at", "period_start", "period_end"],
        precision={"area": "admin1", "time": "month", "age": "none"},
    )
    flow = {
        "occurred_at": dt.datetime(2026, 4, 30, 23),
        "occurred_at_precision": "day",
        "period_start": dt.date(2026, 5, 1),
        "period_end": dt.date(2026, 5, 1),
    }
    [row] = Extract(rows(flow), [agreement([clause])], ask(table="border_flows")).rows
    assert row["occurred_on"] == dt.date(2026, 5, 1)
    assert row["period_start"] == row["period_end"] == dt.date(2026, 5, 1)


def test_a_crossing_point_is_a_place() -> None:
    clause = permit(table="border_crossings", columns=["record_id", "country", "border_point_code"])
    held = rows({"border_point_code": "CAF-COD-ZONGO"})
    extract = Extract(held, [agreement([clause])], ask(table="border_crossings"))
    assert "border_point_code" not in extract.rows[0]
    clause["precision"] = {"area": "point", "time": "day", "age": "none"}
    [row] = Extract(held, [agreement([clause])], ask(table="border_crossings")).rows
    assert row["border_point_code"] == "CAF-COD-ZONGO"


@pytest.mark.parametrize(
    ("age", "years", "group"),
    [("exact", 25, "age_25_59"), ("group", None, "age_25_59"), ("none", None, None)],
)
def test_ages(age: str, years: int | None, group: str | None) -> None:
    clause = permit(
        table="border_crossings",
        columns=["record_id", "age_years", "age_group"],
        precision={"area": "admin1", "time": "day", "age": age},
    )
    extract = Extract(rows({"age_years": 25}), [agreement([clause])], ask(table="border_crossings"))
    [row] = extract.rows
    assert (row.get("age_years"), row.get("age_group")) == (years, group)


def test_the_token_of_a_record_is_the_same_each_time_and_needs_the_key() -> None:
    held, signed = rows({}, {}), [agreement([permit()])]
    first, again = Extract(held, signed, ask()), Extract(held, signed, ask())
    assert [row["record_id"] for row in first.rows] == [row["record_id"] for row in again.rows]
    assert len({row["record_id"] for row in first.rows}) == 2
    assert {given for _id, _clause, given in first.holdings} == {
        row["record_id"] for row in first.rows
    }
    again.connection.execute("SET VARIABLE release_inner = 'another key'::BLOB")
    other = again.connection.execute(again.compiled.sql).fetchall()
    assert not {row[0] for row in other} & {row["record_id"] for row in first.rows}


@pytest.mark.parametrize("table", table_names("data"))
def test_a_precision_hides_a_column_always_or_shows_it_where_the_check_says(table: str) -> None:
    """What `agreement check` calls too fine is just what an extract would leave empty."""
    contract = load_contract(table)
    full = ", ".join(f"{cell(column)} AS {quoted(column.name)}" for column in contract.published)
    source = f"(SELECT *, {moments(contract)} FROM (SELECT {full}))"
    for area, time, age in itertools.product(AREAS, TIMES, AGES):
        precision = {"area": area, "time": time, "age": age}
        clause = Permit.model_validate(permit(table=table, columns=["source"], precision=precision))
        levels = permit_levels((clause,), "1")
        columns = [column for column in contract.published if column.name != "record_id"]
        values = ", ".join(f"{coarse(column, levels)} IS NULL" for column in columns)
        hidden = duckdb.sql(f"SELECT {values} FROM {source}").fetchall()[0]
        assert list(hidden) == [bool(too_fine(c, clause.precision)) for c in columns], precision


def cell(column: Column) -> str:
    return f"CAST({literal(column.examples[0])} AS {column.duckdb_type})"


COLUMNS = ["record_id", "country", "admin1_code", "occurred_at", "offence_code", "victims_total"]


def grouped(*changes: dict[str, Any], k: int = 3, restrictions: Any = ()) -> Extract:
    clause = permit(columns=COLUMNS, smallest_group=k)
    return Extract(rows(*changes), [agreement([clause], restrictions)], ask())


def test_a_lonely_record_is_told_more_coarsely_and_the_others_are_not() -> None:
    alike = [{} for _one in range(3)]
    spread = [
        {"admin1_code": "CF11", "occurred_at": dt.datetime(2026, 5, 12 + n)} for n in range(3)
    ]
    extract = grouped(*alike, *spread)
    told = sorted((row["admin1_code"], row["occurred_on"]) for row in extract.rows)
    assert told == [("CF11", dt.date(2026, 5, 11))] * 3 + [("CF71", dt.date(2026, 5, 13))] * 3
    assert extract.flow.clauses[0].coarsened == 3


def test_a_record_that_stays_alone_does_not_leave() -> None:
    alone = {"country": "COD", "occurred_at": dt.datetime(2026, 1, 20)}
    extract = grouped({}, {}, {}, alone)
    assert len(extract.rows) == 3
    assert extract.flow.clauses[0].dropped["k"] == 1
    assert grouped({}, {}).rows == []


def test_at_last_only_the_group_of_offences_is_told() -> None:
    codes = ["05011", "05012", "0502"]
    extract = grouped(
        *({"offence_code": code, "victims_total": at} for at, code in enumerate(codes))
    )
    assert {row["offence_code"] for row in extract.rows} == {"05"}
    assert {row["victims_total"] for row in extract.rows} == {None}


def test_a_restriction_lets_nobody_out() -> None:
    """With two records held back, the third must not join a coarser group and bring it out."""
    trio = [{"source_record_id": f"T{at}"} for at in range(3)]
    pair = [{"occurred_at": dt.datetime(2026, 5, 2), "source_record_id": f"P{at}"} for at in (0, 1)]
    trio[0]["offence_code"] = trio[1]["offence_code"] = trio[2]["offence_code"] = "0501"
    before = grouped(*trio, *pair)
    held = [restriction(rows={"handling_at_least": "UNCLASSIFIED", "since": "2026-05-13"})]
    after = grouped(*trio, *pair, restrictions=held)
    assert len(before.rows) == 3
    assert after.rows == []


def test_two_masks_do_not_make_alike_what_one_told_apart() -> None:
    """Found by the property: each record masked by a restriction of its own, they looked alike."""
    pair = [{"offence_code": "0101"}, {"offence_code": "0102"}]
    masks = [
        restriction(columns=["admin1_code"], rows={"offences": ["0101"]}),
        restriction(columns=["admin1_code"], rows={"offences": ["0102"]}),
    ]
    assert len(grouped(*pair, k=2).rows) == 2
    assert grouped(*pair, k=2, restrictions=masks[:1]).rows == []
    assert grouped(*pair, k=2, restrictions=masks).rows == []


@pytest.mark.parametrize(
    ("known", "last"),
    [
        ("day", dt.date(2026, 5, 11)),
        ("week", dt.date(2026, 5, 17)),
        ("month", dt.date(2026, 6, 10)),
        ("year", dt.date(2027, 5, 10)),
    ],
)
def test_a_delay_counts_from_the_last_day_on_which_it_may_have_happened(
    known: str, last: dt.date
) -> None:
    held = rows({"occurred_at": dt.datetime(2026, 5, 11, 9), "occurred_at_precision": known})
    clause = permit(precision={"area": "admin1", "time": "exact", "age": "none"})
    signed = [agreement([clause], valid_until="2027-12-31")]
    assert Extract(held, signed, ask(as_of=last - dt.timedelta(days=1))).rows == []
    assert len(Extract(held, signed, ask(as_of=last)).rows) == 1


def test_a_number_leaves_by_no_clause_that_tells_the_place_exactly_but_not_the_time() -> None:
    """Beside another clause that opens the column, so that it is there to hold the number."""
    columns = ["source_record_id", "country"]
    exact = permit(
        columns=columns,
        rows={"areas": ["CF11"], "handling_ceiling": "CONFIDENTIAL"},
        precision={"area": "point", "time": "exact", "age": "none"},
    )
    by_day = permit(columns=columns, precision={"area": "point", "time": "day", "age": "none"})
    held = rows({**FULL, "admin1_code": "CF11"}, FULL)
    told = Extract(held, [agreement([exact, by_day])], ask()).rows
    assert {row["source_record_id"] for row in told} == {"PK5/2026-05-13/0", None}
