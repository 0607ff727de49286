"""Which rows a clause speaks of, as SQL that is TRUE, FALSE, or NULL where a row does not say.

Not here: what is done with the answer. A permit wants TRUE; a restriction holds unless it is FALSE.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from itertools import compress

from pipelines.release.policy.precision import (
    AREA_LEVELS,
    TIME_LEVELS,
    Levels,
    coarse,
    first_day,
    last_day,
)
from pipelines.release.request import Request
from schemas.agreement import (
    HANDLING_LEVELS,
    TIME_DIMENSIONS,
    Conditions,
    Permit,
    Restriction,
)
from schemas.contract import Contract
from schemas.sqltext import literal, literals, name

NOBODY = "FALSE"
UNKNOWN = "NULL::BOOLEAN"


def areas_of(contract: Contract) -> list[str | None]:
    """The columns of the country and of the two levels of areas; None for one that is not there."""
    return [contract.roles.country, *(*contract.roles.area, None, None)[:2]]


def choosing_columns(contract: Contract) -> frozenset[str]:
    """The columns by which a request may choose rows."""
    return frozenset(one for columns in _chosen_by(contract) for one in columns if one)


def _chosen_by(contract: Contract) -> tuple[list[str | None], list[str | None], list[str | None]]:
    """The columns of a period, of areas and of offences; None for one that is not there."""
    kind = contract.hierarchy
    return [contract.event_day], areas_of(contract), [kind.name if kind else None]


def _or_null(column: str | None) -> str:
    return name(column) if column else "CAST(NULL AS VARCHAR)"


def permit_scope(permit: Permit, contract: Contract) -> str:
    """TRUE for the rows that a permit speaks of, before handling, sensitivity and delay."""
    return both([f"source IN ({literals(permit.providers)})", *_conditions(permit.rows, contract)])


def is_below_ceiling(permit: Permit) -> str:
    """TRUE where the handling of the row is known and not above the ceiling."""
    upto = HANDLING_LEVELS.index(permit.rows.handling_ceiling) + 1
    return f"(handling IN ({literals(HANDLING_LEVELS[:upto])}))"


def is_not_too_sensitive(permit: Permit, contract: Contract) -> str:
    """TRUE where the row may leave as far as sensitivity goes."""
    sensitive = contract.roles.sensitive
    return "TRUE" if permit.rows.sensitive or not sensitive else f"(NOT {name(sensitive)})"


def is_old_enough(permit: Permit, as_of: dt.date) -> str:
    """TRUE where the whole period that is told of the row ended `delay_days` before `as_of`.

    Where records must be alike, a month leaves as a whole: it, too, must have ended by then.
    """
    level = str(TIME_LEVELS[permit.precision.time])
    last = "last_day(_last)" if permit.is_grouped else "_last"
    latest = as_of - dt.timedelta(days=permit.delay_days)
    return f"({last_day(level, last)} <= {literal(latest)})"


def restricted(restriction: Restriction, contract: Contract) -> str:
    """TRUE or NULL for the rows that a restriction holds back."""
    rows = restriction.rows
    found = [f"source IN ({literals(restriction.providers)})", *_conditions(rows, contract)]
    if rows.handling_at_least is not None:
        upward = HANDLING_LEVELS[HANDLING_LEVELS.index(rows.handling_at_least) :]
        known = f"handling IN ({literals(HANDLING_LEVELS)})"
        found.append(f"CASE WHEN {known} THEN handling IN ({literals(upward)}) END")
    if rows.only_sensitive:
        found.append(name(contract.roles.sensitive) if contract.roles.sensitive else UNKNOWN)
    return both(found)


@dataclass(frozen=True)
class Choice:
    """What was asked, of the values that are told of a row: SQL that is TRUE, FALSE or NULL."""

    is_within: str  # the value lies wholly within what was asked
    is_across: str  # some of it lies within, some outside


def asked(request: Request, permit: Permit, told: Levels, contract: Contract) -> Choice:
    """The choice of a request, judged by what is told of a row at the levels `told`, no finer.

    A choice by a value that the clause does not open would give that value away, so the clause
    answers nothing then. A value that lies partly outside is not taken: which of the rows behind
    it lie within would be told by asking for the rest.
    """
    opened = set(permit.columns) | set(permit.dimensions)
    found = []
    if request.has_period:
        found.append(_asked_period(request, permit, opened, told, contract))
    if request.areas:
        found.append(_asked_areas(request.areas, opened, told, contract))
    if request.offences:
        found.append(_asked_offences(request.offences, opened, told, contract))
    within = both([one.is_within for one in found])
    touching = both([any_of([one.is_within, one.is_across]) for one in found])
    return Choice(within, f"({touching} AND {within} IS NOT TRUE)")


def cuts(request: Request, permit: Permit, contract: Contract) -> str:
    """TRUE where a choice among counts cuts through what a clause counts by.

    Whatever rows there are: that one lies across would tell of a count that may be too small.
    """
    opened, found = set(permit.dimensions), []
    level = _time_told(str(TIME_LEVELS[permit.precision.time]), opened)
    if level is not None and request.since is not None:
        found.append(f"{first_day(level)} <> _first")
    if level is not None and request.until is not None:
        found.append(f"{last_day(level)} <> _last")
    if request.areas:
        told = AREA_LEVELS[permit.precision.area]
        columns = areas_of(contract)
        least = max((at for at, one in enumerate(columns) if one in opened), default=-1)
        finer = f"code IN ({literals(request.areas)}) AND level > {min(told, least)}"
        found.append(f"EXISTS (SELECT 1 FROM admin_areas WHERE {finer})")
    length, kind = _characters(opened, contract), contract.hierarchy
    if length and kind and kind.name not in opened:
        found.append("TRUE" if any(len(one) > length for one in request.offences) else NOBODY)
    days = (request.since or dt.date.min, request.until or dt.date.max)
    first, last = (literal(day) for day in days)
    return f"(SELECT {any_of(found)} FROM (SELECT {first} AS _first, {last} AS _last))"


def _characters(opened: set[str], contract: Contract) -> int:
    """Of how many characters the finest level of the classification is that is told; else 0."""
    return max((one.characters for key, one in contract.levels.items() if key in opened), default=0)


def asked_columns(request: Request, contract: Contract) -> frozenset[str]:
    """The columns by which the request chooses rows: a masked cell of those chooses none."""
    asks = (request.has_period, bool(request.areas), bool(request.offences))
    chosen = compress(_chosen_by(contract), asks)
    return frozenset(one for columns in chosen for one in columns if one)


def both(conditions: list[str]) -> str:
    """All of them; TRUE for none."""
    return "(" + (" AND ".join(conditions) or "TRUE") + ")"


def any_of(conditions: list[str]) -> str:
    """One of them; FALSE for none."""
    return "(" + (" OR ".join(conditions) or "FALSE") + ")"


def _conditions(rows: Conditions, contract: Contract) -> list[str]:
    found = []
    if rows.countries:
        found.append(f"{_or_null(contract.roles.country)} IN ({literals(rows.countries)})")
    if rows.areas:
        found.append(_in_areas(rows.areas, contract))
    if rows.since is not None or rows.until is not None:
        found.append(_in_window(rows.since, rows.until) if contract.event_day else UNKNOWN)
    if rows.offences:
        found.append(_of_offences(rows.offences, contract))
    if rows.except_offences:
        found.append(f"NOT {_of_offences(rows.except_offences, contract)}")
    if rows.border_points:
        point = _or_null(contract.roles.border_point)
        found.append(f"{point} IN ({literals(rows.border_points)})")
    return found


def _in_window(since: dt.date | None, until: dt.date | None) -> str:
    """The days within which it happened lie within the window: wholly TRUE, partly NULL."""
    inside, outside = [], []
    if since is not None:
        inside.append(f"_first >= {literal(since)}")
        outside.append(f"_last < {literal(since)}")
    if until is not None:
        inside.append(f"_last <= {literal(until)}")
        outside.append(f"_first > {literal(until)}")
    return f"CASE WHEN {' AND '.join(inside)} THEN TRUE WHEN {' OR '.join(outside)} THEN FALSE END"


def _of_offences(prefixes: tuple[str, ...], contract: Contract) -> str:
    if not contract.hierarchy:
        return UNKNOWN
    code = name(contract.hierarchy.name)
    return any_of([f"starts_with({code}, {literal(prefix)})" for prefix in prefixes])


def _in_areas(areas: tuple[str, ...], contract: Contract) -> str:
    """By the second level, else the first, else the country, as far as the row knows it."""
    country, first, second = map(_or_null, areas_of(contract))
    wanted = literals(areas)
    listed = "SELECT code FROM admin_areas"
    above = (
        f"SELECT parent FROM admin_areas WHERE code IN ({wanted}) AND level = 2 "
        "AND parent IS NOT NULL"
    )
    under = f"SELECT code FROM admin_areas WHERE parent IN ({wanted})"
    countries = f"SELECT country FROM admin_areas WHERE code IN ({wanted}) AND country IS NOT NULL"
    # a gazetteer that is not loaded cannot say what an area is under
    are_listed = f"(SELECT count(*) FROM admin_areas WHERE code IN ({wanted})) = {len(set(areas))}"
    return (
        f"CASE WHEN {first} IN ({wanted}) OR {second} IN ({wanted}) THEN TRUE "
        f"WHEN {second} IS NOT NULL THEN CASE WHEN {first} IS NOT NULL THEN FALSE "
        f"WHEN {second} IN ({under}) THEN TRUE WHEN {second} IN ({listed}) THEN FALSE END "
        f"WHEN NOT {are_listed} THEN NULL "
        f"WHEN {first} IS NOT NULL THEN CASE WHEN {first} NOT IN ({above}) THEN FALSE END "
        f"WHEN {country} NOT IN ({countries}) THEN FALSE END"
    )


_NOTHING = Choice(NOBODY, NOBODY)


def _asked_period(
    request: Request, permit: Permit, opened: set[str], told: Levels, contract: Contract
) -> Choice:
    if permit.form == "records":
        level = told.time if contract.event_day in opened else None
    else:
        level = _time_told(told.time, opened)
    if level is None or contract.event_day is None:
        return _NOTHING
    first, last = first_day(level), last_day(level)
    within, outside = [], []
    if request.since is not None:
        within.append(f"{first} >= {literal(request.since)}")
        outside.append(f"{last} < {literal(request.since)}")
    if request.until is not None:
        within.append(f"{last} <= {literal(request.until)}")
        outside.append(f"{first} > {literal(request.until)}")
    return Choice(both(within), f"(NOT {any_of(outside)})")


def _time_told(level: str, opened: set[str]) -> str | None:
    """The finest level of time that the dimensions of a clause tell; None for no time at all."""
    told = {"day": 2, "week": 1, "month": 0, "quarter": -1, "year": -2}
    found = [told[dim] for dim in TIME_DIMENSIONS if dim in opened]
    return f"least({max(found)}, {level})" if found else None


def _asked_areas(
    areas: tuple[str, ...], opened: set[str], told: Levels, contract: Contract
) -> Choice:
    """By the codes that are told, the finest first: each says which areas it lies in."""
    wanted = literals(areas)
    above = f"SELECT parent FROM admin_areas WHERE code IN ({wanted}) AND parent IS NOT NULL"
    countries = f"SELECT country FROM admin_areas WHERE code IN ({wanted})"
    under = (
        f"SELECT code FROM admin_areas WHERE code IN ({wanted}) OR parent IN ({wanted}) "
        f"OR country IN ({wanted})"
    )
    within, across = [], []
    country, first, second = areas_of(contract)
    for column, level in ((second, 2), (first, 1)):
        if column in opened and column:
            code = f"CASE WHEN {told.area} >= {level} THEN {name(column)} END"
            within.append(f"({code} IN ({wanted}) OR {code} IN ({under}))")
            wider = f"{code} IN ({above})" if level == 1 else NOBODY
            across.append(f"WHEN {code} IS NOT NULL THEN {wider}")
    if country in opened and country:
        within.append(f"{name(country)} IN ({wanted})")
        across.append(f"WHEN {name(country)} IS NOT NULL THEN {name(country)} IN ({countries})")
    if not within:
        return _NOTHING
    return Choice(any_of(within), f"(CASE {' '.join(across)} END)")


def _asked_offences(
    prefixes: tuple[str, ...], opened: set[str], told: Levels, contract: Contract
) -> Choice:
    kind, length = contract.hierarchy, _characters(opened, contract)
    if kind is None or (kind.name not in opened and not length):
        return _NOTHING
    code = coarse(kind, told)
    if kind.name not in opened:
        code = f"left({code}, {length})"
    return Choice(
        any_of([f"starts_with({code}, {literal(prefix)})" for prefix in prefixes]),
        any_of([f"starts_with({literal(prefix)}, {code})" for prefix in prefixes]),
    )
