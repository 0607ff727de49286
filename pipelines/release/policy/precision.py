"""How coarse a value leaves: one SQL expression a column, by what the contract says it gives away.

Not here: which clause a row leaves under (`eligible.py`) and when k asks for coarser
(`k_anonymity.py`).

Levels are small numbers, greater is finer: area 0 country, 1 admin1, 2 admin2, 3 point; time 0
month, 1 week, 2 day, 3 exact; age 0 none, 1 group, 2 exact; detail 0 or 1. A day, week or month is
one of the calendar at the place, and leaves as a date; a moment in UTC leaves exact or not at all,
since midnight at the place is often the day before in UTC. A number that the
source built from its station, its date or the order of its rows leaves only with everything else
exact; else the record is named by a keyed token of its own for each recipient.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass

import duckdb

from pipelines.core.settings import Settings
from pipelines.harmonise.tokens import set_hmac_pads, token_key
from schemas.agreement import Permit
from schemas.codelist import load_codelist
from schemas.contract import Column, Contract
from schemas.sqltext import literal, literals, name

AREA_LEVELS = {"country": 0, "admin1": 1, "admin2": 2, "point": 3}
TIME_LEVELS = {"month": 0, "week": 1, "day": 2, "exact": 3}
AGE_LEVELS = {"none": 0, "group": 1, "exact": 2}
NEEDED_AREA = {"admin1": 1, "admin2": 2, "point": 3}
NEEDED_AGE = {"age_group": 1, "age_exact": 2}
OLDEST_YEARS = 999
_UNITS = {2: "day", 1: "week", 0: "month", -1: "year"}


@dataclass(frozen=True)
class Levels:
    """SQL of the four levels of a row."""

    area: str
    time: str
    age: str
    detail: str

    def capped(self, area: int, time: int, age: int, detail: int) -> Levels:
        """The same, but nowhere finer than these."""
        return Levels(
            f"least({self.area}, {area})",
            f"least({self.time}, {time})",
            f"least({self.age}, {age})",
            f"least({self.detail}, {detail})",
        )


def permit_levels(permits: tuple[Permit, ...], clause: str) -> Levels:
    """The levels by the number of the clause (from 1, the SQL `clause`) a row leaves under."""

    def by(numbers: list[int]) -> str:
        if len(set(numbers)) == 1:
            return str(numbers[0])
        cases = " ".join(f"WHEN {at} THEN {level}" for at, level in enumerate(numbers, 1))
        return f"CASE {clause} {cases} END"

    return Levels(
        by([AREA_LEVELS[p.precision.area] for p in permits]),
        by([TIME_LEVELS[p.precision.time] for p in permits]),
        by([AGE_LEVELS[p.precision.age] for p in permits]),
        "1",
    )


def coarse(column: Column, levels: Levels) -> str:
    """The value of a column as it leaves at these levels; `record_id` has `given_record_id`."""
    raw, kind = name(column.name), column.coarsen
    if kind in NEEDED_AREA:
        return f"CASE WHEN {levels.area} >= {NEEDED_AREA[kind]} THEN {raw} END"
    if kind == "area_precision":
        return _no_finer(column, levels.area)
    if kind == "time":
        return _time(column, levels.time)
    if kind == "time_text":
        return f"CASE WHEN {levels.time} = 3 THEN {raw} END"
    if kind == "time_precision":
        return _no_finer(column, levels.time)
    if kind == "age_exact":
        return f"CASE WHEN {levels.age} = 2 THEN {raw} END"
    if kind == "age_group":
        return f"CASE WHEN {levels.age} >= 1 THEN {raw} END"  # `placed` fills it from the years
    if kind in ("free_text", "record_key"):
        return f"CASE WHEN {levels.area} = 3 AND {levels.time} = 3 THEN {raw} END"
    if column.levels:
        coarsest = f"left({raw}, {column.levels[0].characters})"
        return f"CASE WHEN {levels.detail} = 1 THEN {raw} ELSE {coarsest} END"
    return raw


def with_detail(contract: Contract, column: Column, levels: Levels) -> str:
    """The same, and nothing of a quasi-identifier of another kind where the detail is 0."""
    value = coarse(column, levels)
    if levels.detail == "1" or not is_detail(contract, column):
        return value
    return f"CASE WHEN {levels.detail} = 1 THEN {value} END"


def is_detail(contract: Contract, column: Column) -> bool:
    """Is the column hidden at detail 0: neither a place, a time nor an age, and identifying?"""
    if column.levels:
        return False
    identifying = {c.name for c in contract.published if c.is_quasi_identifier}
    tells = bool(identifying & set(column.reveals or ()))
    return column.coarsen in ("", "token", "own_words") and (column.is_quasi_identifier or tells)


def moments(contract: Contract) -> str:
    """Private columns about when: `_own` precision, `_first` and `_last` day.

    `_first` and `_last` are the days at the place within which it happened, as far as known; the
    day on which we received the record where the table does not tell when anything happened.
    """
    column = contract.column(contract.event_day) if contract.event_day else None
    day = f"CAST({name(column.name)} AS DATE)" if column else "CAST(received_at AS DATE)"
    if column is None or not column.precision:
        rows = {row["code"]: row for row in load_codelist("time_precisions")}
        known = rows[column.known_to if column and column.known_to else "day"]
        own, span = known["fineness"], f"INTERVAL {known['span']}"
    else:
        precision, listed = name(column.precision), contract.column(column.precision).codelist
        whens = [(literal(row["code"]), row) for row in load_codelist(listed)]
        finenesses = " ".join(f"WHEN {code} THEN {int(row['fineness'])}" for code, row in whens)
        spans = " ".join(f"WHEN {code} THEN INTERVAL {row['span']}" for code, row in whens)
        own = f"CASE {precision} {finenesses} ELSE {TIME_LEVELS['exact']} END"
        span = f"CASE {precision} {spans} ELSE INTERVAL 1 DAY END"
    return f"{own} AS _own, {day} AS _first, CAST({day} + {span} - INTERVAL 1 DAY AS DATE) AS _last"


def age_columns(contract: Contract) -> tuple[str, ...]:
    """The column of age groups and that of years, where the table has both; else none."""
    kinds = {column.coarsen: column.name for column in contract.published}
    both = (kinds.get("age_group"), kinds.get("age_exact"))
    return tuple(one for one in both if one) if all(both) else ()


def age_group_of_years(contract: Contract) -> str:
    """SQL of the age group, made of the years where only those are known.

    Of the bands of the list those count that hold no other: they are finest, and meet nowhere.
    """
    group, years = age_columns(contract)
    rows = [row for row in load_codelist(contract.column(group).codelist) if row["min_years"]]
    bands = {
        row["code"]: (int(row["min_years"]), int(row["max_years"] or OLDEST_YEARS)) for row in rows
    }
    finest = {
        code: first
        for code, (first, last) in bands.items()
        if not any(
            first <= low and high <= last for one, (low, high) in bands.items() if one != code
        )
    }
    cases = " ".join(
        f"WHEN {name(years)} >= {first} THEN {literal(code)}"
        for code, first in sorted(finest.items(), key=lambda one: -one[1])
    )
    return f"coalesce({name(group)}, CASE {cases} END)"


def first_day(level: str) -> str:
    """The first day of the period that is told of a row at a level of time."""
    return (
        f"CASE {level} WHEN 1 THEN CAST(date_trunc('week', _first) AS DATE) "
        "WHEN 0 THEN CAST(date_trunc('month', _first) AS DATE) "
        "WHEN -1 THEN CAST(date_trunc('quarter', _first) AS DATE) "
        "WHEN -2 THEN CAST(date_trunc('year', _first) AS DATE) ELSE _first END"
    )


def last_day(level: str, last: str = "_last") -> str:
    """The last day of that period; a delay counts from here, or it would tell the day.

    `last` is SQL of the last day on which it may have happened.
    """
    return (
        f"CASE {level} WHEN 1 THEN CAST(date_trunc('week', {last}) + INTERVAL 6 DAY AS DATE) "
        f"WHEN 0 THEN last_day({last}) WHEN -1 THEN CAST(date_trunc('quarter', {last}) "
        "+ INTERVAL 3 MONTH - INTERVAL 1 DAY AS DATE) "
        f"WHEN -2 THEN make_date(year({last}), 12, 31) ELSE {last} END"
    )


def token_of_record(more: str = "") -> str:
    """The keyed token of a record: that of `record_id`.

    `more` is SQL of a text after the number, where one record has several tokens.
    """
    return token_for_recipient(f"record_id || {more}" if more else "record_id")


def token_for_recipient(text: str) -> str:
    """A keyed token of SQL of a text: HMAC-SHA-256, 128 bits; NULL without a key.

    Each recipient has a key of its own: what two were given is not joined on it.
    """
    inner = f"unhex(sha256(getvariable('release_inner') || encode({text})))"
    return f"left(sha256(getvariable('release_outer') || {inner}), 32)"


def set_release_key(
    connection: duckdb.DuckDBPyConnection, settings: Settings, recipient: str
) -> None:
    """Give the connection what tokens of records are made with, so that no statement holds a key.

    Two recipients get different tokens for one record; one recipient the same each time.
    """
    message = f"passerelle release {recipient}".encode()
    key = hmac.digest(token_key(settings), message, hashlib.sha256)
    set_hmac_pads(connection, key, "release")


def _time(column: Column, level: str) -> str:
    raw = name(column.name)
    if column.day:  # the column of that day tells the rest
        return f"CASE WHEN {level} = 3 THEN {raw} END"
    unit = f"least({level}, _own)" if column.precision or column.known_to else level
    cases = " ".join(
        f"WHEN {at} THEN date_trunc({literal(word)}, {raw})" for at, word in _UNITS.items()
    )
    coarser = f"CAST(CASE {unit} {cases} END AS {column.duckdb_type})"
    return f"CASE WHEN {level} = 3 THEN {raw} ELSE {coarser} END"


def _no_finer(column: Column, level: str) -> str:
    """How well a place or a time is known, said no finer than the place or time itself is told.

    The list of the column says how fine each code is, in the numbers of the levels.
    """
    raw, rows = name(column.name), load_codelist(column.codelist)
    known = {row["code"]: int(row["fineness"]) for row in rows if row["fineness"]}
    cases = []
    for at in range(3):
        coarser = next(code for code, fineness in known.items() if fineness == at)
        finer = literals(code for code, fineness in known.items() if fineness > at)
        cases.append(f"WHEN {level} = {at} AND {raw} IN ({finer}) THEN {literal(coarser)}")
    return f"CASE {' '.join(cases)} ELSE {raw} END"
