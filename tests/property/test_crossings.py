"""Border crossings: exactly the permitted rows and cells of persons and documents leave.

Not here: incidents, and everything else that holds of any table (`test_agreements.py`).
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.release.errors import ReleaseError
from tests.property.test_agreements import (
    AREA,
    TIME,
    bucket,
    generous,
    holds_back,
    is_asked,
    lets_out,
    some,
)
from tests.unit.release.world import Extract, agreement, ask, dated, permit, restriction

AGE = ("none", "group", "exact")
COLUMNS = (
    *("record_id", "source", "country", "admin1_code", "admin2_code", "place_text"),
    *("border_point_code", "occurred_on", "occurred_at", "occurred_at_precision"),
    *("direction", "crossing_mode", "sex", "age_years", "age_group", "nationality"),
    *("document_type", "document_token", "vehicle_token", "handling"),
)
TOKENS = ("document_token", "vehicle_token")
POINTS = ("CAF-COD-ZONGO", "CAF-CMR-GAROUA")
# What is masked, and what goes with it of the columns above.
TOLD_BY = {
    "border_point_code": {"place_text"},
    "place_text": {"border_point_code"},
    "admin1_code": {"admin2_code", "place_text", "border_point_code"},
    "occurred_on": {"occurred_at"},
    # who knows the document knows the age and the nationality in it
    "age_group": {"age_years", "document_token"},
    "age_years": {"document_token"},
    "nationality": {"document_token"},
    "document_token": set(),
}


@st.composite
def crossing(draw: st.DrawFn) -> dict[str, Any]:
    years = draw(some(None, 4, 16, 30, 61))
    groups = {None: None, 4: "under_5", 16: "age_12_17", 30: "age_25_59", 61: "age_60_plus"}
    return dated(
        {
            "source": draw(some("caf_police", "caf_police", "cod_pnc", None)),
            "country": draw(some("CAF", "CAF", None)),
            "admin1_code": draw(some("CF71", "CF11", None)),
            "admin2_code": draw(some("CF711", None)),
            "place_text": "Zongo",
            "border_point_code": draw(some(*POINTS, None)),
            "occurred_at": dt.datetime(2026, 5, draw(some(3, 4, 13, 31)), 22, 30),
            "occurred_at_precision": draw(some("minute", "minute", "day", "month")),
            "time_zone": "Africa/Bangui",
            "direction": "exit",
            "crossing_mode": "road",
            "sex": draw(some("female", None)),
            "age_years": years,
            "age_group": draw(some(groups[years], None)),
            "nationality": draw(some("CAF", "COD")),
            "document_type": "passport",
            "document_token": draw(some("aa11", "bb22", None)),
            "vehicle_token": draw(some("cc33", None)),
            "handling": draw(some("CONFIDENTIAL", "CONFIDENTIAL", "COSMIC", None)),
            # the oracle's words for a table that says neither
            "is_sensitive": False,
            "offence_code": None,
        }
    )


def numbered(held: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{**row, "record_id": f"{row['source']}:{at}"} for at, row in enumerate(held)]


CONDITIONS = some(
    {},
    {"countries": ["CAF"]},
    {"areas": ["CF71"]},
    {"since": "2026-05-04"},
    {"until": "2026-05-13"},
    {"border_points": [POINTS[0]]},
)


@st.composite
def clause(draw: st.DrawFn) -> dict[str, Any]:
    return permit(
        table="border_crossings",
        columns=draw(st.just([*COLUMNS]) | st.lists(some(*COLUMNS), min_size=1, unique=True)),
        rows={**draw(CONDITIONS), "handling_ceiling": "CONFIDENTIAL"},
        precision={
            "area": draw(some(*AREA)),
            "time": draw(some(*TIME)),
            "age": draw(some(*AGE)),
        },
    )


def points_of(one: Any, row: dict[str, Any]) -> bool | None:
    """Does a clause speak of the crossing point? NULL where the row does not say."""
    if not one.rows.border_points:
        return True
    point = row["border_point_code"]
    return None if point is None else point in one.rows.border_points


def finest(column: str, one: Any, row: dict[str, Any]) -> Any:
    """The most that the clause may tell of a cell."""
    area, time = AREA.index(one.precision.area), one.precision.time
    age, value = AGE.index(one.precision.age), row[column]
    needed = {"admin1_code": 1, "admin2_code": 2, "border_point_code": 3}
    if column not in one.columns or area < needed.get(column, 0):
        return None
    if column == "place_text":  # words are a place, and free text
        return value if area == 3 else None
    if column == "age_years":
        return value if age == 2 else None
    if column == "age_group":
        if age < 1:
            return None
        bands = {4: "under_5", 16: "age_12_17", 30: "age_25_59", 61: "age_60_plus"}
        return value or bands.get(row["age_years"])
    if column == "occurred_at":
        return value if time == "exact" else None
    if column == "occurred_on" and time != "exact":
        unit = "month" if "month" in (time, row["occurred_at_precision"]) else time
        return bucket(value, unit)[0]
    return value


@settings(max_examples=40, deadline=None)
@given(
    st.lists(crossing(), min_size=2, max_size=8).map(numbered),
    st.lists(clause(), min_size=1, max_size=2),
    st.lists(st.tuples(CONDITIONS, some([], *([one] for one in TOLD_BY))), max_size=1),
    some({}, {"areas": ("CF71",)}, {"since": dt.date(2026, 5, 4)}, {"until": dt.date(2026, 5, 31)}),
)
def test_exactly_the_permitted_crossings_and_cells_leave(
    held: list[dict[str, Any]],
    permits: list[dict[str, Any]],
    restrictions: list[tuple[dict[str, Any], list[str]]],
    asked: dict[str, Any],
) -> None:
    back = [
        restriction(table="border_crossings", rows=rows, columns=columns)
        for rows, columns in restrictions
    ]
    signed = agreement(permits, back)
    try:
        extract = Extract(held, [signed], ask(table="border_crossings", **asked))
    except ReleaseError as refused:
        assert refused.code == "REL-106"
        return
    left = {
        record: row
        for (record, _clause, _given), row in zip(extract.holdings, extract.rows, strict=True)
    }
    opened = {one.full_name for one in extract.compiled.permits}
    expected = {}
    for row in held:
        own = next(
            (
                one
                for one in generous(signed.permits)
                if one.full_name in opened
                and points_of(one, row) is True
                and lets_out(one, row)
                and is_asked(one, row, asked)
            ),
            None,
        )
        holding = [
            one
            for one in signed.restrictions
            if holds_back(one, row) and points_of(one, row) is not False
        ]
        masked = {column for one in holding for column in one.columns}
        gone = masked | {told for one in masked for told in TOLD_BY[one]}
        chosen = {"occurred_on"} if {"since", "until"} & set(asked) else set()
        chosen |= {"country", "admin1_code", "admin2_code"} if "areas" in asked else set()
        if own and not any(not one.columns for one in holding) and not gone & chosen:
            expected[row["record_id"]] = (row, own, gone)
    assert set(left) == set(expected)
    for record, (row, own, gone) in expected.items():
        assert left[record]["clause"] == own.full_name
        for column in set(left[record]) - {"clause", "record_id", "occurred_at_precision"}:
            value = None if column in gone else finest(column, own, row)
            if column in TOKENS:
                assert (left[record][column] is None) == (value is None)
                assert value is None or left[record][column] != value, "a token of its own"
            else:
                assert left[record][column] == value, column
