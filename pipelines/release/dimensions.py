"""What counts are broken down by and what is added up: one SQL expression each.

Not here: which rows are counted (`eligible.py`) and which counts stay hidden (`suppression.py`).

A dimension is as coarse as its clause: the month of a clause that tells weeks is the month of the
Monday, and the month of a record that is only known to the year is not stated.
"""

from __future__ import annotations

from pipelines.release.precision import (
    NEEDED_AGE,
    NEEDED_AREA,
    SECTION_DIGITS,
    TIME_LEVELS,
    Levels,
    coarse,
    first_day,
    is_detail,
    never_opens,
    with_detail,
)
from schemas.agreement import OFFENCE_DIMENSIONS, RECORDS, TIME_DIMENSIONS, Permit
from schemas.contract import Contract
from schemas.sqltext import literal, name

PEOPLE = "travellers_count"  # a record of border_flows is itself a count, of people
COVERAGE = ("observed_h", "observed_days")
# period → (finest level of the clause it needs, of the record's own precision, how it is written)
_PERIODS = {
    "day": (2, 2, "%Y-%m-%d"),
    "week": (1, 1, "%Y-%m-%d"),
    "month": (0, 0, "%Y-%m"),
    "quarter": (0, 0, ""),
    "year": (0, -1, "%Y"),
}
_NEVER_COUNTED_BY = ("point", "time", "time_text", "free_text", "token", "record_key")
_KEY_OF_FLOWS = (
    *("source", "border_point_code", "period_start", "period_end", "direction", "nationality"),
    *("origin_country", "destination_country", "crossing_mode", "travel_reason"),
)


def base_column(dimension: str) -> str:
    """The column that a dimension is made of."""
    if dimension in TIME_DIMENSIONS:
        return "occurred_on"
    return "offence_code" if dimension in OFFENCE_DIMENSIONS else dimension


def is_open(dimension: str, permit: Permit, contract: Contract) -> bool:
    """Does a clause open a dimension, at its precision?"""
    if dimension not in permit.dimensions:
        return False
    if dimension in TIME_DIMENSIONS:
        return TIME_LEVELS[permit.precision.time] >= _PERIODS[dimension][0]
    columns = {column.name: column for column in contract.published}
    column = columns.get(base_column(dimension))
    if column is None or never_opens(column, permit):
        return False
    if dimension == "border_point_code":
        return True
    is_word = column.duckdb_type in ("VARCHAR", "BOOLEAN")
    return is_word and column.coarsen not in _NEVER_COUNTED_BY


def finest(dimensions: list[str]) -> list[str]:
    """The dimensions without those that another one contains: the month tells the quarter."""
    found = [one for one in dimensions if one not in (*TIME_DIMENSIONS, *OFFENCE_DIMENSIONS)]
    times = [one for one in TIME_DIMENSIONS if one in dimensions]
    offences = [one for one in OFFENCE_DIMENSIONS if one in dimensions]
    found += offences[-1:] if "offence_code" not in dimensions else []
    return found + times[-1:]


def levels_needed(name: str, contract: Contract) -> tuple[int, int, int, int]:
    """The least levels of area, time, age and detail that tell all of a dimension or measure."""
    if name in TIME_DIMENSIONS:
        return 0, _PERIODS[name][0], 0, 0
    if name in OFFENCE_DIMENSIONS:
        return 0, 0, 0, int(OFFENCE_DIMENSIONS[name] > SECTION_DIGITS)
    if name == RECORDS:
        return 0, 0, 0, 0
    column = contract.column(name)
    detail = name == "offence_code" or is_detail(contract, column)
    return NEEDED_AREA.get(column.coarsen, 0), 0, NEEDED_AGE.get(column.coarsen, 0), int(detail)


def dimension_sql(dimension: str, contract: Contract, levels: Levels) -> str:
    """The value of a dimension, as text or as the type of its column; NULL for not stated."""
    if dimension in TIME_DIMENSIONS:
        return _period(dimension, levels)
    if dimension in OFFENCE_DIMENSIONS:
        digits = OFFENCE_DIMENSIONS[dimension]
        return f"left({coarse(contract.column('offence_code'), levels)}, {digits})"
    return with_detail(contract, contract.column(dimension), levels)


def dimension_type(dimension: str, contract: Contract) -> str:
    """The DuckDB type of a dimension."""
    if dimension in (*TIME_DIMENSIONS, *OFFENCE_DIMENSIONS):
        return "VARCHAR"
    return contract.column(dimension).duckdb_type


def measure_sql(measure: str) -> str:
    """What a row adds to a measure; NULL where it says nothing.

    Nobody seen by nobody watching is not zero: without hours observed a zero is no number.
    """
    if measure == RECORDS:
        return "1"
    if measure == PEOPLE:
        return f"CASE WHEN {PEOPLE} > 0 OR observed_h > 0 THEN {PEOPLE} END"
    return name(measure)


def measure_type(measure: str, contract: Contract) -> str:
    """The DuckDB type of the sum of a measure."""
    if measure == RECORDS or contract.column(measure).duckdb_type in ("INTEGER", "BIGINT"):
        return "BIGINT"
    return "DOUBLE"


def is_measurable(measure: str, contract: Contract) -> bool:
    """Can the column be added up: a number, and no position, age or number of a row."""
    if measure == RECORDS:
        return True
    column = next((c for c in contract.published if c.name == measure), None)
    numbers = ("INTEGER", "BIGINT", "DOUBLE")
    return column is not None and column.duckdb_type in numbers and not column.coarsen


def coverage_sql(measure: str) -> str:
    """The hours or days observed behind a cell: each point and period once, however many rows."""
    seen = (
        "struct_pack(s := source, p := border_point_code, f := period_start, t := period_end, "
        f"v := {name(measure)})"
    )
    found = f"list_distinct(list({seen}) FILTER (WHERE {name(measure)} IS NOT NULL))"
    return f"list_sum(list_transform({found}, lambda one: one.v))"


def told_once(dimensions: tuple[str, ...]) -> str:
    """SQL of how well a row of border_flows fits: of one count told several ways, the least wins.

    A source tells the same travellers in total, by sex and by age; adding those up would count
    each of them three times.
    """
    sex, age = "coalesce(sex, 'total') <> 'total'", "coalesce(age_group, 'total') <> 'total'"
    ways = {"none": f"NOT {sex} AND NOT {age}", "both": f"{sex} AND {age}"}
    ways |= {"sex": f"{sex} AND NOT {age}", "age": f"NOT {sex} AND {age}"}
    wanted = ("sex" in dimensions, "age_group" in dimensions)
    order = {
        (False, False): ("none", "sex", "age", "both"),
        (True, False): ("sex", "both", "none", "age"),
        (False, True): ("age", "both", "none", "sex"),
        (True, True): ("both", "sex", "age", "none"),
    }[wanted]
    cases = " ".join(f"WHEN {ways[way]} THEN {at}" for at, way in enumerate(order))
    return f"CASE {cases} END"


def key_of_flows() -> str:
    """What one count of border_flows is told of, as a list for PARTITION BY."""
    return ", ".join(_KEY_OF_FLOWS)


def _period(dimension: str, levels: Levels) -> str:
    needed, own, pattern = _PERIODS[dimension]
    start = f"({first_day(levels.time)})"
    if dimension == "quarter":
        text = f"CAST(year({start}) AS VARCHAR) || '-Q' || CAST(quarter({start}) AS VARCHAR)"
    else:
        trunc = f"date_trunc({literal(dimension)}, {start})"
        text = f"strftime({trunc}, {literal(pattern)})"
    return f"CASE WHEN _own >= {own} AND {levels.time} >= {needed} THEN {text} END"
