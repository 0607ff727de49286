"""What counts are broken down by and what is added up: one SQL expression each.

Not here: which rows are counted (`eligible.py`) and which counts stay hidden (`suppression.py`).

A dimension is as coarse as its clause: the month of a clause that tells weeks is the month of the
Monday, and the month of a record that is only known to the year is not stated.
"""

from __future__ import annotations

from itertools import combinations

from pipelines.release.policy.precision import (
    NEEDED_AGE,
    NEEDED_AREA,
    Levels,
    coarse,
    first_day,
    is_detail,
    with_detail,
)
from schemas.agreement import RECORDS, TIME_DIMENSIONS, Permit
from schemas.agreement_columns import can_be_counted_by, too_fine
from schemas.contract import Column, Contract
from schemas.record import SOURCE
from schemas.sqltext import literal, name, names

TOTAL = literal("total")  # the code of a breakdown that is none
# period → (finest level of the clause it needs, of the record's own precision, how it is written)
_PERIODS = {
    "day": (2, 2, "%Y-%m-%d"),
    "week": (1, 1, "%Y-%m-%d"),
    "month": (0, 0, "%Y-%m"),
    "quarter": (0, 0, ""),
    "year": (0, -1, "%Y"),
}


def base_column(dimension: str, contract: Contract) -> Column | None:
    """The column that a dimension is made of; None where the table has none for it."""
    if dimension in TIME_DIMENSIONS:
        named = contract.event_day
    elif dimension in contract.levels:
        return contract.hierarchy
    else:
        named = dimension
    return next((one for one in contract.published if one.name == named), None)


def is_open(dimension: str, permit: Permit, contract: Contract) -> bool:
    """Does a clause open a dimension, at its precision?"""
    column = base_column(dimension, contract)
    if dimension not in permit.dimensions or column is None:
        return False
    if dimension in TIME_DIMENSIONS:
        return not too_fine(dimension, permit.precision)
    return can_be_counted_by(column) and not too_fine(column, permit.precision)


def finest(dimensions: list[str], contract: Contract) -> list[str]:
    """The dimensions without those that another one contains: the month tells the quarter."""
    found = [one for one in dimensions if one not in (*TIME_DIMENSIONS, *contract.levels)]
    times = [one for one in TIME_DIMENSIONS if one in dimensions]
    if contract.hierarchy and contract.hierarchy.name not in dimensions:
        found += [one for one in contract.levels if one in dimensions][-1:]
    return found + times[-1:]


def levels_needed(name: str, contract: Contract) -> tuple[int, int, int, int]:
    """The least levels of area, time, age and detail that tell all of a dimension or measure."""
    if name in TIME_DIMENSIONS:
        return 0, _PERIODS[name][0], 0, 0
    if name in contract.levels:
        return 0, 0, 0, int(name != next(iter(contract.levels)))
    if name == RECORDS:
        return 0, 0, 0, 0
    column = contract.column(name)
    detail = bool(column.levels) or is_detail(contract, column)
    return NEEDED_AREA.get(column.coarsen, 0), 0, NEEDED_AGE.get(column.coarsen, 0), int(detail)


def dimension_sql(dimension: str, contract: Contract, levels: Levels) -> str:
    """The value of a dimension, as text or as the type of its column; NULL for not stated."""
    if dimension in TIME_DIMENSIONS:
        return _period(dimension, levels)
    if contract.hierarchy and dimension in contract.levels:
        code = coarse(contract.hierarchy, levels)
        return f"left({code}, {contract.levels[dimension].characters})"
    return with_detail(contract, contract.column(dimension), levels)


def dimension_type(dimension: str, contract: Contract) -> str:
    """The DuckDB type of a dimension."""
    return "VARCHAR" if dimension in TIME_DIMENSIONS else contract.variables[dimension].duckdb_type


def measure_sql(measure: str, contract: Contract) -> str:
    """What a row adds to a measure; NULL where it says nothing.

    Nobody seen by nobody watching is not zero: without hours observed a zero is no number.
    """
    if measure == RECORDS:
        return "1"
    one, coverage = name(measure), contract.roles.coverage
    if measure == contract.roles.person_count and coverage:
        return f"CASE WHEN {one} > 0 OR {name(coverage[0])} > 0 THEN {one} END"
    return one


def measure_type(measure: str, contract: Contract) -> str:
    """The DuckDB type of the sum of a measure."""
    if measure == RECORDS or contract.column(measure).duckdb_type in ("INTEGER", "BIGINT"):
        return "BIGINT"
    return "DOUBLE"


def coverage_sql(measure: str, contract: Contract) -> str:
    """The hours or days observed behind a cell: each place and period once, however many rows."""
    roles, one = contract.roles, name(measure)
    watched = [SOURCE, *roles.names("border_point"), *roles.period]
    keys = ", ".join(f"k{at} := {name(key)}" for at, key in enumerate(watched))
    seen = f"struct_pack({keys}, v := {one})"
    found = f"list_distinct(list({seen}) FILTER (WHERE {one} IS NOT NULL))"
    return f"list_sum(list_transform({found}, lambda one: one.v))"


def told_once(dimensions: tuple[str, ...], contract: Contract) -> str:
    """SQL of how well a row fits: of one count of persons told several ways, the least wins.

    A source tells the same travellers in total, by sex and by age; adding those up would count
    each of them three times. Best is the way that tells what is asked for, and little besides.
    """
    breakdown = contract.roles.breakdown
    wanted = {one for one in breakdown if one in dimensions}
    ways = [set(way) for n in range(len(breakdown) + 1) for way in combinations(breakdown, n)]
    ways.sort(key=lambda way: (len(wanted - way), len(way - wanted)))
    cases = []
    for at, way in enumerate(ways):
        told = [
            f"coalesce({name(one)}, {TOTAL}) {'<>' if one in way else '='} {TOTAL}"
            for one in breakdown
        ]
        cases.append(f"WHEN {' AND '.join(told)} THEN {at}")
    return f"CASE {' '.join(cases)} END"


def count_key(contract: Contract) -> str:
    """What one count of persons is told of, as a list for PARTITION BY."""
    return names([SOURCE, *contract.roles.count_key])


def _period(dimension: str, levels: Levels) -> str:
    needed, own, pattern = _PERIODS[dimension]
    start = f"({first_day(levels.time)})"
    if dimension == "quarter":
        text = f"CAST(year({start}) AS VARCHAR) || '-Q' || CAST(quarter({start}) AS VARCHAR)"
    else:
        trunc = f"date_trunc({literal(dimension)}, {start})"
        text = f"strftime({trunc}, {literal(pattern)})"
    return f"CASE WHEN _own >= {own} AND {levels.time} >= {needed} THEN {text} END"
