"""What is counted, under which clauses, and what of it is shown.

Not here: which hidden cells keep others hidden (`test_suppression.py`).
"""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

import pytest

from pipelines.release.disclosure import suppression
from pipelines.release.errors import ReleaseError
from pipelines.release.query.cells import is_listing_suppressed
from tests.unit.release.world import Counts, agreement, ask, counts, permit, restriction, rows


def many(*groups: tuple[int, dict[str, Any]]) -> list[dict[str, Any]]:
    return rows(*(change for size, change in groups for _one in range(size)))


def counted(held: list[dict[str, Any]], *clauses: dict[str, Any], **asked: Any) -> Counts:
    restrictions = asked.pop("restrictions", ())
    signed = [agreement(clauses or [counts()], restrictions)]
    return Counts(held, signed, ask(form="counts", **asked))


def test_cells_totals_and_the_grand_total() -> None:
    held = many((6, {}), (7, {"admin1_code": "CF11"}), (8, {"offence_code": "0101"}))
    got = counted(held, dimensions=("admin1_code", "offence_section"))
    assert got.at(level="cell", admin1_code="CF71", offence_section="05")["records"] == 6
    assert got.at(level="admin1_code", admin1_code="CF71")["records"] == 14
    assert got.at(level="offence_section", offence_section="05")["records"] == 13
    assert got.at(level="total")["records"] == 21
    assert list(got.rows[0]) == [
        *("admin1_code", "offence_section", "level", "records", "is_suppressed")
    ]


def test_not_stated_is_a_value_and_no_total() -> None:
    held = many((6, {}), (7, {"admin1_code": None}))
    got = counted(held, dimensions=("admin1_code",))
    assert got.at(level="cell", admin1_code=None)["records"] == 7
    assert got.at(level="total")["records"] == 13


def test_small_cells_are_listed_without_a_number() -> None:
    held = many((30, {}), (3, {"admin1_code": "CF11"}), (9, {"admin1_code": None}))
    got = counted(held, dimensions=("admin1_code",))
    assert got.at(admin1_code="CF11", level="cell") == {
        "admin1_code": "CF11",
        "level": "cell",
        "records": None,
        "is_suppressed": True,
    }
    assert got.at(admin1_code=None, level="cell")["is_suppressed"], "or 42 − 30 − 9 tells the three"
    assert got.at(level="total")["records"] == 42
    assert is_listing_suppressed(got.table)


def test_a_sum_made_of_too_few_records_is_hidden() -> None:
    """Ten incidents, one with victims: the sum would be that one's."""
    held = many((1, {"victims_total": 40}), (9, {"victims_total": 0}), (8, {"admin1_code": "CF11"}))
    asked = {"dimensions": ("admin1_code",), "measures": ("records", "victims_total")}
    got = counted(held, **asked)
    assert got.at(level="cell", admin1_code="CF71")["is_suppressed"]
    held = many((6, {"victims_total": 4}), (9, {"victims_total": 0}))
    assert counted(held, **asked).at(level="total")["victims_total"] == 24


@pytest.mark.parametrize(("size", "is_hidden"), [(1, True), (4, True), (5, False)])
def test_the_threshold_is_the_first_number_that_is_shown(size: int, is_hidden: bool) -> None:
    """A clause of 5: one to four are hidden, as records and as records that give to a sum."""
    got = counted(many((size, {}), (40, {"admin1_code": "CF11"})), dimensions=("admin1_code",))
    assert got.at(level="cell", admin1_code="CF71")["is_suppressed"] is is_hidden
    primary = {one["node"]: one["is_primary"] for one in got.cells.to_pylist()}
    assert primary["admin1_code=CF71"] is is_hidden
    assert not primary["admin1_code=CF11"]
    giving = many((size, {"victims_total": 1}), (40, {"victims_total": 0}))
    got = counted(giving, dimensions=("country",), measures=("victims_total",))
    assert got.at(level="total")["is_suppressed"] is is_hidden
    assert got.at(level="total")["victims_total"] == (None if is_hidden else size)


def test_a_cell_that_is_not_listed_holds_nothing_so_one_that_is_holds_somebody() -> None:
    """Of 6 in two listed cells each has 1 to 5: too narrow. Not listed, each has 0 to 6."""
    held = many((3, {}), (3, {"admin1_code": "CF11"}), (20, {"admin1_code": None}))
    got = counted(held, dimensions=("admin1_code",))
    assert not is_listing_suppressed(got.table)
    assert got.at(level="total")["records"] == 26
    assert {row["admin1_code"] for row in got.rows} == {None}


def test_where_all_is_small_the_totals_are_shown_and_small_cells_are_not_listed() -> None:
    places, sections = ("CF11", "CF71", None), ("0101", "0201", "0301", "0401", "0501")
    held = many(*((1, {"admin1_code": a, "offence_code": o}) for a in places for o in sections))
    got = counted(held, dimensions=("admin1_code", "offence_section"))
    assert not is_listing_suppressed(got.table)
    assert got.at(level="total")["records"] == 15
    assert not any(row["is_suppressed"] for row in got.rows)
    assert not any(row["level"] == "cell" for row in got.rows)


def test_periods_are_those_of_the_place() -> None:
    late = {"occurred_at": dt.datetime(2026, 4, 30, 23, 30)}  # 1 May in Bangui
    held = many((6, late), (7, {"occurred_at": dt.datetime(2026, 4, 30, 22, 30)}))
    got = counted(held, dimensions=("month",))
    assert got.at(month="2026-05")["records"] == 6
    assert got.at(month="2026-04")["records"] == 7
    clause = counts(dimensions=["quarter", "year"])
    assert counted(held, clause, dimensions=("quarter",)).at(quarter="2026-Q2")["records"] == 13
    yearly = many((6, {"occurred_at_precision": "year", "occurred_at": dt.datetime(2025, 1, 1)}))
    assert counted(yearly, dimensions=("month",)).at(level="cell")["month"] is None
    assert counted(yearly, clause, dimensions=("year",)).at(level="cell")["year"] == "2025"


def test_a_month_never_splits_the_week_of_a_clause() -> None:
    """Counts by week and month would tell on which side of the first of the month it was."""
    clause = counts(
        dimensions=["week", "month"], precision={"area": "admin1", "time": "week", "age": "none"}
    )
    days = (dt.datetime(2026, 4, 29, 12), dt.datetime(2026, 5, 2, 12))
    got = counted(many(*((6, {"occurred_at": day}) for day in days)), clause, dimensions=("month",))
    assert got.at(level="cell")["month"] == "2026-04"


def test_a_clause_that_does_not_open_a_dimension_takes_no_part() -> None:
    fine = counts(dimensions=["country", "offence_section"], providers=["caf_police"])
    coarse = counts(dimensions=["country"], providers=["caf_gendarmerie"])
    held = many((6, {"offence_code": "0101"}), (7, {"source": "caf_gendarmerie"}))
    assert counted(held, fine, coarse, dimensions=("country",)).at(level="total")["records"] == 13
    got = counted(held, fine, coarse, dimensions=("country", "offence_section"))
    assert got.at(level="total")["records"] == 6
    assert [one.full_name for one in got.compiled.permits] == ["trial/P1"]


def test_the_strictest_threshold_of_the_clauses_holds() -> None:
    strict = counts(small_cell_threshold=10, providers=["caf_gendarmerie"])
    held = many((7, {}), (20, {"source": "caf_gendarmerie"}))
    assert counted(held, counts(), strict, dimensions=("source",)).at(
        source="caf_police", level="cell"
    )["is_suppressed"]


def test_a_restriction_takes_rows_out_of_every_count_that_would_use_the_cell() -> None:
    held = many((6, {"victims_total": 1}), (7, {"offence_code": "0101", "victims_total": 1}))
    masked = [restriction(columns=["victims_total"], rows={"offences": ["01"]})]
    asked = {"dimensions": ("country",), "restrictions": masked}
    both = counted(held, measures=("records", "victims_total"), **asked)
    assert both.at(level="total")["records"] == 6
    assert both.flow.clauses[0].dropped["restriction"] == 7
    assert counted(held, **asked).at(level="total")["records"] == 13
    by_offence = [restriction(columns=["offence_code"], rows={"offences": ["01"]})]
    got = counted(held, dimensions=("offence_section",), restrictions=by_offence)
    assert {row["offence_section"] for row in got.rows} == {"05", None}


FLOW = {
    "source": "iom_dtm",
    "border_point_code": "CAF-COD-ZONGO",
    "period_start": dt.date(2026, 5, 13),
    "period_end": dt.date(2026, 5, 13),
    "occurred_at_precision": "day",
    "occurred_on": dt.date(2026, 5, 13),
    "direction": "entry",
    "sex": "total",
    "age_group": "total",
    "travellers_count": 60,
    "observed_h": 8.0,
    "observed_days": 1,
    "handling": "UNCLASSIFIED",
}


def flows(*changes: dict[str, Any], dimensions: tuple[str, ...] = ("direction",)) -> Counts:
    clause = counts(
        table="border_flows",
        providers=["iom_dtm"],
        dimensions=["country", "direction", "sex", "age_group", "month"],
        measures=["travellers_count", "records", "observed_h"],
        precision={"area": "point", "time": "month", "age": "group"},
    )
    held = [{"country": "CAF", "time_zone": "Africa/Bangui", **FLOW, **one} for one in changes]
    for at, row in enumerate(held):
        row |= {"record_id": f"iom_dtm:{at}", "source_record_id": str(at)}
    asked = {"table": "border_flows", "measures": ("travellers_count",), "form": "counts"}
    return Counts(held, [agreement([clause])], ask(dimensions=dimensions, **asked))


def test_travellers_are_added_up_with_the_hours_observed_beside() -> None:
    other = {"period_start": dt.date(2026, 5, 14), "period_end": dt.date(2026, 5, 14)}
    got = flows({}, other).at(level="total")
    assert (got["travellers_count"], got["observed_h"]) == (120, 16.0)


def test_one_count_told_three_ways_is_counted_once() -> None:
    by_sex = [{"sex": "female", "travellers_count": 25}, {"sex": "male", "travellers_count": 35}]
    by_age = [{"age_group": "adult", "travellers_count": 40}]
    by_age += [{"age_group": "under_18", "travellers_count": 20}]
    told = [{}, *by_sex, *by_age]
    got = flows(*told).at(level="total")
    assert (got["travellers_count"], got["observed_h"]) == (60, 8.0)
    sexes = flows(*told, dimensions=("sex",))
    assert {row["sex"]: row["travellers_count"] for row in sexes.rows} == {
        "female": 25,
        "male": 35,
        None: 60,
    }
    assert flows(*by_age).at(level="total")["travellers_count"] == 60, "where there is no total"


@pytest.mark.parametrize(("hours", "shown"), [(None, None), (0.0, None), (8.0, 0)])
def test_nobody_seen_is_zero_only_where_somebody_watched(
    hours: float | None, shown: int | None
) -> None:
    got = flows({"travellers_count": 0, "observed_h": hours})
    assert got.at(level="total")["travellers_count"] == shown


def test_few_travellers_are_hidden_and_one_record_of_many_is_not() -> None:
    exits = {"direction": "exit", "travellers_count": 3}
    got = flows({}, exits, {"direction": "transit", "travellers_count": 70})
    assert got.at(direction="exit", level="cell")["is_suppressed"]
    assert not flows({}).at(level="total")["is_suppressed"]


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"dimensions": ("no_such_thing",)}, "REL-110"),
        ({"dimensions": ("weapon_kind",)}, "REL-110"),
        ({"dimensions": ("day",)}, "REL-110"),
        ({"measures": ("killed_total",)}, "REL-110"),
        ({"measures": ("source_row",)}, "REL-110"),
        ({"measures": ()}, "REL-106"),
    ],
)
def test_what_no_clause_opens_is_refused(asked: dict[str, Any], code: str) -> None:
    with pytest.raises(ReleaseError) as refused:
        counted([], **asked)
    assert refused.value.code == code


def test_a_day_is_not_told_by_a_clause_that_tells_months() -> None:
    clause = counts(dimensions=["day", "month"])
    with pytest.raises(ReleaseError):
        counted([], clause, dimensions=("day",))


def test_dimensions_left_open_are_all_that_say_something_of_their_own() -> None:
    clause = counts(dimensions=["year", "month", "quarter", "country", "offence_section"])
    got = counted(many((6, {})), clause)
    assert set(got.compiled.dimensions) == {"country", "offence_section", "month"}


def test_too_many_cells_are_refused_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(suppression, "MOST_CELLS", 1)
    with pytest.raises(ReleaseError) as refused:
        counted(many((6, {}), (6, {"admin1_code": "CF11"})), dimensions=("admin1_code",))
    assert refused.value.code == "REL-116"


def test_nothing_counted_is_an_empty_table() -> None:
    assert counted([]).rows == []
    assert counted([], dimensions=("country",)).cells.num_rows == 0


def test_the_rows_behind_counts_are_told_roughly_by_clause() -> None:
    got = counted(many((13, {}), (3, {"handling": "STRICTLY_CONFIDENTIAL"})))
    [told] = got.flow.told()
    assert (told["kept"], told["dropped"]) == ("≥10", {"ceiling": "<5"})
    assert len(got.holdings) == 13


def test_a_row_that_leaves_as_a_record_is_counted_as_its_group_is_told() -> None:
    """Else counts beside records would tell in which prefecture a record of the country is."""
    day = {"area": "admin1", "time": "day", "age": "none"}
    alone = permit(
        columns=["record_id", "country", "admin1_code", "occurred_on", "offence_code"],
        smallest_group=2,
        precision=day,
        recipients=["minusca_unpol_jma"],
    )
    clause = counts(dimensions=["country", "admin1_code", "day"], precision=day)
    held = rows(
        *({"admin1_code": "CF71"} for _one in range(6)),
        # of the country only, each in another prefecture and on another day
        {"admin1_code": "CF11", "offence_code": "0601"},
        {"offence_code": "0601", "occurred_at": dt.datetime(2026, 5, 20, 9)},
        # and one that waits
        {"offence_code": "0901"},
    )
    signed = [agreement([clause, alone])]
    got = Counts(held, signed, ask(form="counts", dimensions=("admin1_code",)))
    assert [(one["_d0"], one["_weight"]) for one in got.counted.to_pylist() if not one["_t0"]] == [
        ("CF71", 6),
        (None, 2),
    ]
    assert len(got.holdings) == 8
    assert got.flow.clauses[0].dropped["k"] == 1
    by_day = Counts(held, signed, ask(form="counts", dimensions=("day",))).counted.to_pylist()
    assert {one["_d0"] for one in by_day} == {"2026-05-13", None}
    within = ask(form="counts", dimensions=("country",), areas=("CF11",))
    assert Counts(held, signed, within).counted.num_rows == 0


MONTHLY = {"area": "country", "time": "month", "age": "none"}


def strength(
    *rows_of: tuple[str, str, int, int], dimensions: tuple[str, ...], **changes: Any
) -> Counts:
    """Police of two missions, counted month by month: mission, sex, month, persons."""
    clause = counts(
        table="deployments",
        providers=["dpo_police_division"],
        dimensions=["mission_code", "sex", "month", "quarter", "year"],
        measures=["personnel_count"],
        rows={"handling_ceiling": "UNCLASSIFIED"},
        **{"precision": MONTHLY, "small_cell_threshold": 1, **changes},
    )
    held = [
        {
            "record_id": f"dpo:{at}",
            "source": "dpo_police_division",
            "mission_code": mission,
            "contributing_country": "RWA",
            "police_function": "formed_police_unit",
            "sex": sex,
            "reporting_month": dt.date(2026, month, 1),
            "personnel_count": persons,
            "handling": "UNCLASSIFIED",
        }
        for at, (mission, sex, month, persons) in enumerate(rows_of)
    ]
    request = ask(table="deployments", form="counts", measures=("personnel_count",))
    return Counts(held, [agreement([clause])], replace(request, dimensions=dimensions))


STRENGTH = (
    ("MINUSCA", "female", 1, 20),
    ("MINUSCA", "male", 1, 80),
    ("MINUSCA", "female", 2, 30),
    ("MINUSCA", "male", 2, 90),
    ("UNMISS", "total", 1, 200),
    ("UNMISS", "male", 2, 150),
    ("UNMISS", "male", 4, 140),
)


def told_of(found: Counts) -> dict[tuple[Any, ...], int]:
    names = found.compiled.dimensions
    return {
        (row["level"], *(row[one] for one in names)): row["personnel_count"] for row in found.rows
    }


def test_numbers_of_a_stock_are_never_added_up_over_months() -> None:
    told = told_of(strength(*STRENGTH, dimensions=("mission_code", "month")))
    assert told["cell", "MINUSCA", "2026-01"] == 100
    assert told["cell", "UNMISS", "2026-01"] == 200
    assert told["month", None, "2026-01"] == 300
    assert told["month", None, "2026-02"] == 270
    assert {level for level, *_rest in told} == {"cell", "month"}, "no total of all months"
    sexes = told_of(strength(*STRENGTH[:4], dimensions=("mission_code", "sex", "month")))
    assert sexes["sex", None, "female", "2026-02"] == 30
    assert sexes["mission_code", "MINUSCA", None, "2026-02"] == 120


def test_a_stock_is_told_as_it_is_at_the_end_of_a_period() -> None:
    quarters = told_of(strength(*STRENGTH, dimensions=("quarter",)))
    assert quarters == {("cell", "2026-Q1"): 270, ("cell", "2026-Q2"): 140}
    latest = told_of(strength(*STRENGTH, dimensions=("mission_code",)))
    assert latest == {("cell", "UNMISS"): 140, ("total", None): 140}


@pytest.mark.parametrize("time", ["month", "day", "exact"])
def test_a_month_is_over_on_its_last_day_however_exactly_a_clause_tells_days(time: str) -> None:
    rows_of = (("UNMISS", "male", 5, 150), ("UNMISS", "male", 6, 140))
    asked = {"dimensions": ("month",), "precision": {**MONTHLY, "time": time}}
    on_the_day = told_of(strength(*rows_of, **asked, delay_days=0))
    assert on_the_day == {("cell", "2026-05"): 150, ("cell", "2026-06"): 140}
    a_day_before = told_of(strength(*rows_of, **asked, delay_days=1))
    assert a_day_before == {("cell", "2026-05"): 150}


def test_a_small_number_of_a_stock_stays_hidden_in_its_own_month() -> None:
    small = [("MINUSCA", "male", 1, 3), ("UNMISS", "male", 1, 200), ("UNISFA", "male", 1, 90)]
    large = [("MINUSCA", "male", 2, 30), ("UNMISS", "male", 2, 150)]
    asked = {"dimensions": ("mission_code", "month"), "small_cell_threshold": 5}
    told = told_of(strength(*small, *large, **asked))
    assert told["cell", "MINUSCA", "2026-01"] is None
    hidden = [key for key, value in told.items() if value is None]
    assert len(hidden) >= 2 and {key[2] for key in hidden} == {"2026-01"}
    assert told["month", None, "2026-02"] == 180
