"""What each condition answers of a row: TRUE, FALSE, or NULL where the row does not say.

Not here: what becomes of the answer (`test_compile.py`). A permit wants TRUE; a restriction holds
unless it is FALSE; so to take one answer for another opens or closes a row.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from pipelines.release.policy import conditions
from pipelines.release.policy.eligible import placed
from pipelines.release.policy.precision import Levels
from schemas.agreement import Agreement, Permit, Restriction
from schemas.contract import load_contract
from tests.unit.release.world import (
    AS_OF,
    agreement,
    ask,
    catalogue,
    counts,
    permit,
    restriction,
    rows,
)

YES, NO, UNKNOWN = True, False, None


def answers(sql: str, row: dict[str, Any], table: str = "incidents") -> bool | None:
    """What the condition says of one row."""
    contract = load_contract(table)
    columns = [column.name for column in contract.published]
    with catalogue(table, rows(row)) as connection:
        found = connection.execute(f"WITH {placed(contract, columns)} SELECT {sql} FROM placed")
        [(answer,)] = found.fetchall()
    return answer


def permitting(**changes: Any) -> Permit:
    return signed([permit(**changes)]).permits[0]


def signed(permits: Any = (), restrictions: Any = ()) -> Agreement:
    return agreement(permits, restrictions)


def restricting(**rows_held: Any) -> Restriction:
    return signed([permit()], [restriction(rows=rows_held)]).restrictions[0]


def scope(row: dict[str, Any], **conditions_of: Any) -> bool | None:
    """What a permit answers of the row, and a restriction likewise: they must not differ."""
    contract = load_contract("incidents")
    clause = permitting(rows={"handling_ceiling": "CONFIDENTIAL", **conditions_of})
    permitted = answers(conditions.permit_scope(clause, contract), row)
    held = answers(conditions.restricted(restricting(**conditions_of), contract), row)
    assert permitted == held
    return permitted


@pytest.mark.parametrize(
    ("row", "areas", "answer"),
    [
        # the row knows its prefecture
        ({"admin1_code": "CF71"}, ["CF71"], YES),
        ({"admin1_code": "CF71"}, ["CF11"], NO),
        ({"admin1_code": "CF71"}, ["CF711"], UNKNOWN),  # it may be in it
        ({"admin1_code": "CF71"}, ["CF111"], NO),
        ({"admin1_code": "CF71"}, ["CF11", "CF711"], UNKNOWN),
        ({"admin1_code": "CF71", "country": None}, ["CF71"], YES),
        # and its sub-prefecture
        ({"admin1_code": "CF71", "admin2_code": "CF711"}, ["CF711"], YES),
        ({"admin1_code": "CF71", "admin2_code": "CF711"}, ["CF71"], YES),
        ({"admin1_code": "CF11", "admin2_code": "CF111"}, ["CF112"], NO),
        ({"admin1_code": "CF11", "admin2_code": "CF111"}, ["CF71"], NO),
        # only the sub-prefecture
        ({"admin1_code": None, "admin2_code": "CF711"}, ["CF71"], YES),
        ({"admin1_code": None, "admin2_code": "CF711"}, ["CF11"], NO),
        ({"admin1_code": None, "admin2_code": "CF711"}, ["CF711"], YES),
        # only the country
        ({"admin1_code": None}, ["CF71"], UNKNOWN),
        ({"admin1_code": None}, ["CF711"], UNKNOWN),
        ({"admin1_code": None}, ["CD61"], NO),
        ({"admin1_code": None, "country": "COD"}, ["CF71"], NO),
        # nothing
        ({"admin1_code": None, "country": None}, ["CF71"], UNKNOWN),
        # an area that the gazetteer lacks: what lies under it nobody can say
        ({"admin1_code": "CF71"}, ["XX99"], UNKNOWN),
        ({"admin1_code": "XX99"}, ["XX99"], YES),
        ({"admin1_code": "XX99"}, ["CF71"], NO),
        ({"admin1_code": "XX99"}, ["CF711"], NO),
        ({"admin1_code": "CF71", "admin2_code": "XX991"}, ["CF71"], YES),
        ({"admin1_code": "CF71", "admin2_code": "XX991"}, ["CF11"], NO),
        ({"admin1_code": None, "admin2_code": "XX991"}, ["CF71"], UNKNOWN),
        ({"admin1_code": None, "admin2_code": "CF711"}, ["XX99"], NO),
        ({"admin1_code": None, "country": "COD"}, ["CF71", "XX99"], UNKNOWN),
        ({"admin1_code": "CF71"}, ["CF11", "XX99"], UNKNOWN),
    ],
)
def test_areas(row: dict[str, Any], areas: list[str], answer: bool | None) -> None:
    assert scope(row, areas=areas) is answer


@pytest.mark.parametrize(
    ("row", "countries", "answer"),
    [
        ({}, ["CAF"], YES),
        ({}, ["COD", "SSD"], NO),
        ({"country": None}, ["CAF"], UNKNOWN),
    ],
)
def test_countries(row: dict[str, Any], countries: list[str], answer: bool | None) -> None:
    assert scope(row, countries=countries) is answer


def day(month: int, number: int, precision: str = "day") -> dict[str, Any]:
    on = dt.date(2026, month, number)
    return {"occurred_on": on, "occurred_at": None, "occurred_at_precision": precision}


WINDOW = {"since": "2026-05-11", "until": "2026-05-17"}  # a Monday and a Sunday


@pytest.mark.parametrize(
    ("row", "window", "answer"),
    [
        (day(5, 10), WINDOW, NO),
        (day(5, 11), WINDOW, YES),
        (day(5, 17), WINDOW, YES),
        (day(5, 18), WINDOW, NO),
        (day(5, 10), {"since": "2026-05-11"}, NO),
        (day(5, 11), {"since": "2026-05-11"}, YES),
        (day(5, 17), {"until": "2026-05-17"}, YES),
        (day(5, 18), {"until": "2026-05-17"}, NO),
        # a week that is the window, one that reaches over an edge, one that only touches it
        (day(5, 11, "week"), WINDOW, YES),
        (day(5, 11, "week"), {"since": "2026-05-12"}, UNKNOWN),
        (day(5, 11, "week"), {"until": "2026-05-16"}, UNKNOWN),
        (day(5, 4, "week"), WINDOW, NO),
        (day(5, 18, "week"), WINDOW, NO),
        (day(5, 4, "week"), {"since": "2026-05-10"}, UNKNOWN),
        (day(5, 18, "week"), {"until": "2026-05-18"}, UNKNOWN),
        (day(5, 1, "month"), {"since": "2026-05-01", "until": "2026-05-31"}, YES),
        (day(5, 1, "month"), {"until": "2026-05-30"}, UNKNOWN),
        (day(5, 1, "month"), {"since": "2026-05-31"}, UNKNOWN),
        (day(5, 1, "month"), {"since": "2026-06-01"}, NO),
        (day(5, 1, "month"), {"until": "2026-04-30"}, NO),
        (day(1, 1, "year"), {"since": "2026-01-01", "until": "2026-12-31"}, YES),
        (day(1, 1, "year"), {"until": "2026-12-30"}, UNKNOWN),
        (day(1, 1, "year"), WINDOW, UNKNOWN),
        (day(1, 1, "year"), {"since": "2027-01-01"}, NO),
        # a row without a day
        ({"occurred_at": None, "occurred_on": None}, WINDOW, UNKNOWN),
        # one that does not say how exact its day is: a moment has a day
        ({**day(5, 11), "occurred_at_precision": None}, WINDOW, YES),
    ],
)
def test_windows(row: dict[str, Any], window: dict[str, str], answer: bool | None) -> None:
    assert scope(row, **window) is answer


@pytest.mark.parametrize(
    ("code", "conditions_of", "answer"),
    [
        ("0501", {"offences": ["05"]}, YES),
        ("0501", {"offences": ["0501"]}, YES),
        ("05", {"offences": ["0501"]}, NO),
        ("0501", {"offences": ["01", "02"]}, NO),
        (None, {"offences": ["05"]}, UNKNOWN),
        ("0501", {"except_offences": ["05"]}, NO),
        ("0501", {"except_offences": ["01"]}, YES),
        (None, {"except_offences": ["01"]}, UNKNOWN),
        ("0501", {"offences": ["05"], "except_offences": ["0501"]}, NO),
    ],
)
def test_offences(code: str | None, conditions_of: dict[str, Any], answer: bool | None) -> None:
    assert scope({"offence_code": code}, **conditions_of) is answer


@pytest.mark.parametrize(
    ("source", "answer"), [("caf_police", YES), ("cod_pnc", NO), (None, UNKNOWN)]
)
def test_providers(source: str | None, answer: bool | None) -> None:
    assert scope({"source": source, "record_id": "x", "source_record_id": "x"}) is answer


@pytest.mark.parametrize(
    ("point", "answer"), [("CAF-COD-ZONGO", YES), ("CAF-CMR-GAROUA", NO), (None, UNKNOWN)]
)
def test_border_points(point: str | None, answer: bool | None) -> None:
    contract, row = load_contract("border_crossings"), {"border_point_code": point}
    points = {"border_points": ["CAF-COD-ZONGO"]}
    clause = permitting(
        table="border_crossings", rows={"handling_ceiling": "CONFIDENTIAL", **points}
    )
    assert answers(conditions.permit_scope(clause, contract), row, "border_crossings") is answer
    assert scope({}, **points) is UNKNOWN, "a table without crossing points does not say"


@pytest.mark.parametrize(
    ("handling", "ceiling", "at_least"),
    [
        ("UNCLASSIFIED", YES, NO),
        ("CONFIDENTIAL", YES, YES),
        ("STRICTLY_CONFIDENTIAL", NO, YES),
        ("COSMIC", NO, UNKNOWN),
        (None, UNKNOWN, UNKNOWN),
    ],
)
def test_handling(handling: str | None, ceiling: bool | None, at_least: bool | None) -> None:
    row, contract = {"handling": handling}, load_contract("incidents")
    assert answers(conditions.is_below_ceiling(permitting()), row) is ceiling
    held = conditions.restricted(restricting(handling_at_least="CONFIDENTIAL"), contract)
    assert answers(held, row) is at_least


@pytest.mark.parametrize(
    ("is_sensitive", "leaves", "is_held"), [(True, NO, YES), (False, YES, NO), (None, None, None)]
)
def test_sensitivity(is_sensitive: bool | None, leaves: bool | None, is_held: bool | None) -> None:
    row, contract = {"is_sensitive": is_sensitive}, load_contract("incidents")
    assert answers(conditions.is_not_too_sensitive(permitting(), contract), row) is leaves
    opened = permitting(rows={"handling_ceiling": "CONFIDENTIAL", "sensitive": True})
    assert answers(conditions.is_not_too_sensitive(opened, contract), row) is YES
    held = conditions.restricted(restricting(only_sensitive=True), contract)
    assert answers(held, row) is is_held
    crossings = load_contract("border_crossings")
    held = conditions.restricted(restricting(only_sensitive=True), crossings)
    assert answers(held, {}, "border_crossings") is UNKNOWN, "a table that does not say"


@pytest.mark.parametrize(
    ("row", "time", "k", "first_day_that_leaves"),
    [
        # ten days after the end of what is told
        (day(5, 13), "exact", 1, dt.date(2026, 5, 23)),
        (day(5, 13), "day", 1, dt.date(2026, 5, 23)),
        (day(5, 13), "week", 1, dt.date(2026, 5, 27)),
        (day(5, 17), "week", 1, dt.date(2026, 5, 27)),
        (day(5, 18), "week", 1, dt.date(2026, 6, 3)),
        (day(5, 13), "month", 1, dt.date(2026, 6, 10)),
        (day(5, 11, "week"), "day", 1, dt.date(2026, 5, 27)),
        (day(5, 1, "month"), "day", 1, dt.date(2026, 6, 10)),
        (day(4, 27, "week"), "month", 1, dt.date(2026, 6, 10)),  # it ends in May
        (day(1, 1, "year"), "day", 1, dt.date(2027, 1, 10)),
        # and of the month, where records must be alike
        (day(5, 13), "day", 2, dt.date(2026, 6, 10)),
        (day(5, 1), "week", 2, dt.date(2026, 6, 10)),
        (day(4, 1), "week", 2, dt.date(2026, 5, 13)),  # the week of 30 April ends on 3 May
        (day(4, 1), "month", 2, dt.date(2026, 5, 10)),
        (day(4, 27, "week"), "day", 2, dt.date(2026, 6, 10)),
    ],
)
def test_a_row_is_old_enough_from_a_day_on(
    row: dict[str, Any], time: str, k: int, first_day_that_leaves: dt.date
) -> None:
    clause = permitting(
        delay_days=10, smallest_group=k, precision={"area": "admin1", "time": time, "age": "none"}
    )
    before = first_day_that_leaves - dt.timedelta(days=1)
    assert answers(conditions.is_old_enough(clause, first_day_that_leaves), row) is YES
    assert answers(conditions.is_old_enough(clause, before), row) is NO
    none = {"occurred_at": None, "occurred_on": None}
    assert answers(conditions.is_old_enough(clause, AS_OF), none) is UNKNOWN


def chosen(row: dict[str, Any], choice: dict[str, Any], told: Levels) -> str:
    """`within`, `across` or `outside`."""
    columns = ["record_id", "country", "admin1_code", "admin2_code", "occurred_on", "offence_code"]
    one = permitting(columns=columns)
    found = conditions.asked(ask(**choice), one, told, load_contract("incidents"))
    within, across = (answers(sql, row) for sql in (found.is_within, found.is_across))
    assert not (within and across)
    return "within" if within else "across" if across else "outside"


FINE = Levels("2", "2", "0", "1")
COARSE = Levels("0", "0", "0", "0")
PLACE = {"admin1_code": "CF71", "admin2_code": "CF711"}


@pytest.mark.parametrize(
    ("told", "choice", "answer"),
    [
        # a month that is May exactly, a day more or less on each side
        (COARSE, {"since": dt.date(2026, 5, 1), "until": dt.date(2026, 5, 31)}, "within"),
        (COARSE, {"since": dt.date(2026, 5, 1)}, "within"),
        (COARSE, {"until": dt.date(2026, 5, 31)}, "within"),
        (COARSE, {"since": dt.date(2026, 5, 2)}, "across"),
        (COARSE, {"until": dt.date(2026, 5, 30)}, "across"),
        (COARSE, {"since": dt.date(2026, 5, 31)}, "across"),
        (COARSE, {"until": dt.date(2026, 5, 1)}, "across"),
        (COARSE, {"since": dt.date(2026, 6, 1)}, "outside"),
        (COARSE, {"until": dt.date(2026, 4, 30)}, "outside"),
        (FINE, {"since": dt.date(2026, 5, 13), "until": dt.date(2026, 5, 13)}, "within"),
        (FINE, {"since": dt.date(2026, 5, 14)}, "outside"),
        (FINE, {"until": dt.date(2026, 5, 12)}, "outside"),
        (FINE, {"areas": ("CF711",)}, "within"),
        (FINE, {"areas": ("CF71",)}, "within"),
        (FINE, {"areas": ("CAF",)}, "within"),
        (FINE, {"areas": ("CF11",)}, "outside"),
        (FINE, {"areas": ("COD",)}, "outside"),
        (Levels("1", "2", "0", "1"), {"areas": ("CF711",)}, "across"),
        (Levels("1", "2", "0", "1"), {"areas": ("CF111",)}, "outside"),
        (COARSE, {"areas": ("CAF",)}, "within"),
        (COARSE, {"areas": ("CF71",)}, "across"),
        (COARSE, {"areas": ("CF711",)}, "across"),
        (COARSE, {"areas": ("CF11",)}, "across"),
        (COARSE, {"areas": ("CD61",)}, "outside"),
        # an area of the country that the gazetteer lacks
        (COARSE, {"areas": ("CF999",)}, "outside"),
        (FINE, {"offences": ("0501",)}, "within"),
        (FINE, {"offences": ("05",)}, "within"),
        (FINE, {"offences": ("0502",)}, "outside"),
        (FINE, {"offences": ("05011",)}, "across"),
        (COARSE, {"offences": ("05",)}, "within"),
        (COARSE, {"offences": ("0501",)}, "across"),
        (COARSE, {"offences": ("0502",)}, "across"),
        (COARSE, {"offences": ("06",)}, "outside"),
        # both must hold
        (FINE, {"areas": ("CF71",), "offences": ("06",)}, "outside"),
        (COARSE, {"areas": ("CF71",), "offences": ("05",)}, "across"),
        (COARSE, {"areas": ("CF71",), "offences": ("06",)}, "outside"),
    ],
)
def test_a_choice_is_judged_by_what_is_told(
    told: Levels, choice: dict[str, Any], answer: str
) -> None:
    assert chosen(PLACE, choice, told) == answer


@pytest.mark.parametrize(
    ("row", "choice", "answer"),
    [
        ({**PLACE, "country": None}, {"areas": ("CAF",)}, "within"),
        ({"admin1_code": None, "country": None}, {"areas": ("CF71",)}, "outside"),
        ({"admin1_code": None}, {"areas": ("CF71",)}, "across"),
        ({"admin1_code": "CF71"}, {"areas": ("CF711",)}, "across"),
        ({"offence_code": None}, {"offences": ("05",)}, "outside"),
        (day(5, 11, "week"), {"since": dt.date(2026, 5, 12)}, "across"),
        (day(5, 11, "week"), {"since": dt.date(2026, 5, 11)}, "within"),
        (
            day(1, 1, "year"),
            {"since": dt.date(2026, 1, 1), "until": dt.date(2026, 12, 31)},
            "within",
        ),
        (day(1, 1, "year"), {"until": dt.date(2026, 1, 31)}, "across"),
    ],
)
def test_a_choice_by_what_a_row_does_not_say(
    row: dict[str, Any], choice: dict[str, Any], answer: str
) -> None:
    assert chosen(row, choice, FINE) == answer


@pytest.mark.parametrize(
    ("dimensions", "choice", "answer"),
    [
        (["month"], {"since": dt.date(2026, 5, 13)}, "across"),
        (["month"], {"since": dt.date(2026, 5, 1), "until": dt.date(2026, 5, 31)}, "within"),
        (["quarter"], {"since": dt.date(2026, 4, 1), "until": dt.date(2026, 6, 30)}, "within"),
        (["quarter"], {"since": dt.date(2026, 5, 1)}, "across"),
        (["year"], {"since": dt.date(2026, 4, 1)}, "across"),
        (["year", "week"], {"since": dt.date(2026, 5, 11)}, "within"),
        (["year", "week"], {"since": dt.date(2026, 5, 12)}, "across"),
        (["country"], {"since": dt.date(2026, 1, 1)}, "outside"),
        (["offence_section"], {"offences": ("05",)}, "within"),
        (["offence_section"], {"offences": ("0501",)}, "across"),
        (["offence_division"], {"offences": ("0501",)}, "within"),
        (["country"], {"offences": ("05",)}, "outside"),
        (["country"], {"areas": ("CF71",)}, "across"),
        (["month"], {"areas": ("CAF",)}, "outside"),
    ],
)
def test_a_choice_among_counts_is_judged_by_their_dimensions(
    dimensions: list[str], choice: dict[str, Any], answer: str
) -> None:
    clause = counts(
        dimensions=dimensions, precision={"area": "admin1", "time": "day", "age": "none"}
    )
    found = conditions.asked(
        ask(form="counts", **choice),
        signed([clause]).permits[0],
        Levels("1", "2", "0", "1"),
        load_contract("incidents"),
    )
    within, across = (answers(sql, PLACE) for sql in (found.is_within, found.is_across))
    assert answer == ("within" if within else "across" if across else "outside")


def test_what_a_clause_does_not_open_chooses_nothing() -> None:
    bare = permitting(columns=["record_id"])
    for choice in (
        {"areas": ("CAF",)},
        {"since": dt.date(2026, 1, 1)},
        {"offences": ("05",)},
    ):
        found = conditions.asked(ask(**choice), bare, FINE, load_contract("incidents"))
        assert answers(found.is_within, PLACE) is NO
        assert answers(found.is_across, PLACE) is NO


def test_the_columns_that_a_choice_looks_at() -> None:
    looked = {
        "since": {"occurred_on"},
        "areas": {"country", "admin1_code", "admin2_code"},
        "offences": {"offence_code"},
    }
    values = {"since": dt.date(2026, 1, 1), "areas": ("CAF",), "offences": ("05",)}
    incidents = load_contract("incidents")
    for one, columns in looked.items():
        assert conditions.asked_columns(ask(**{one: values[one]}), incidents) == columns
    assert conditions.asked_columns(ask(), incidents) == set()


@pytest.mark.parametrize(
    ("dimensions", "choice", "is_cut"),
    [
        (["month"], {"since": dt.date(2026, 5, 1), "until": dt.date(2026, 5, 31)}, False),
        (["month"], {"since": dt.date(2026, 5, 2)}, True),
        (["month"], {"until": dt.date(2026, 5, 30)}, True),
        (["week"], {"since": dt.date(2026, 5, 11), "until": dt.date(2026, 5, 17)}, False),
        (["week"], {"since": dt.date(2026, 5, 12)}, True),
        (["quarter"], {"since": dt.date(2026, 4, 1)}, False),
        (["quarter"], {"since": dt.date(2026, 5, 1)}, True),
        (["admin1_code"], {"areas": ("CF71", "CAF")}, False),
        (["admin1_code"], {"areas": ("CF711",)}, True),
        (["country"], {"areas": ("CF71",)}, True),
        (["country"], {"areas": ("CAF",)}, False),
        (["offence_section"], {"offences": ("05",)}, False),
        (["offence_section"], {"offences": ("0501",)}, True),
        (["offence_division"], {"offences": ("0501",)}, False),
        (["country"], {}, False),
    ],
)
def test_whether_a_choice_cuts_through_counts_depends_on_no_row(
    dimensions: list[str], choice: dict[str, Any], is_cut: bool
) -> None:
    clause = counts(
        dimensions=dimensions, precision={"area": "admin2", "time": "day", "age": "none"}
    )
    asked, cut = ask(form="counts", **choice), signed([clause]).permits[0]
    sql = conditions.cuts(asked, cut, load_contract("incidents"))
    with catalogue("incidents", []) as connection:
        assert connection.execute(f"SELECT {sql}").fetchall() == [(is_cut,)]
