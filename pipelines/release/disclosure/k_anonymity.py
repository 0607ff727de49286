"""Groups of records alike: formed month by month, kept, and only ever made larger.

Not here: where they are kept (`groups.py`), and how alike an extract's records are (`risk.py`).

A group is the records of one clause and one month of which everything that helps to recognise
somebody is told alike (k-anonymity: Samarati and Sweeney, 1998; local recoding, so that one lonely
record does not make all others coarser). It is formed over everything that the clause permits,
before anybody chooses and before restrictions take away: formed from what is left, the groups of
others could grow and let them out, and three requests would tell what one may not.

Two records of a group are told alike on its rung and on every coarser one. So a group that gets too
small can be made coarser as a whole, and a later record joins it, or waits, and never splits it
(incremental k-anonymity: Byun et al., 2006; Xiao and Tao, m-invariance, 2007).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from pipelines.release.policy.conditions import (
    any_of,
    both,
    choosing_columns,
    is_below_ceiling,
    is_not_too_sensitive,
    is_old_enough,
    permit_scope,
)
from pipelines.release.policy.eligible import Eligible, placed
from pipelines.release.policy.precision import (
    Levels,
    first_day,
    last_day,
    permit_levels,
    with_detail,
)
from schemas.agreement import Permit
from schemas.agreement_columns import too_fine
from schemas.sqltext import literal

if TYPE_CHECKING:
    import datetime as dt

    import duckdb

    from schemas.contract import Column, Contract

# The finest levels of area, time, age and detail on each rung.
RUNGS = ((3, 3, 2, 1), (1, 2, 1, 1), (1, 1, 1, 1), (0, 0, 0, 1), (0, 0, 0, 0))
GROUPS = "release_groups"  # (clause, record_id, month, rung, alike) of every clause that has groups
MONTH = "CAST(date_trunc('month', _last) AS DATE)"


def smallest_group(permit: Permit) -> int:
    """The least number of records alike that a clause asks for."""
    return permit.smallest_group or 1


def on_its_rung(levels: Levels) -> Levels:
    """The levels of a row once `_rung` is known."""
    area, time, age, detail = (
        "CASE _rung " + " ".join(f"WHEN {at} THEN {cap}" for at, cap in enumerate(caps)) + " END"
        for caps in zip(*RUNGS, strict=True)
    )
    return Levels(
        f"least({levels.area}, {area})",
        f"least({levels.time}, {time})",
        f"least({levels.age}, {age})",
        f"least({levels.detail}, {detail})",
    )


def told_alike(permit: Permit, contract: Contract) -> list[Column]:
    """The columns of a clause in which the records of a group are alike, asked for or not.

    What helps to recognise somebody, and what a request may choose by: two extracts of the same
    records, each with some of the columns, would else together single somebody out.
    """
    choosing = choosing_columns(contract)
    return [
        column
        for column in contract.published
        if column.name in permit.columns
        and (column.is_quasi_identifier or column.name in choosing)
        and not too_fine(column, permit.precision)
    ]


def ranked(before: Eligible, identifying: Sequence[str]) -> str:
    """`ranked AS (…)`: the rows that have a clause, with `_rung`, `_alike` and `_lonely`.

    A row is lonely that is in no group, or of whose group too few are left here, because others
    leave under another clause or are held back, or have other cells masked.
    """
    permitted = "SELECT * FROM judged WHERE _clause IS NOT NULL"
    if not any(permit.is_grouped for permit in before.permits):
        return f"ranked AS (SELECT *, 0 AS _rung, FALSE AS _lonely FROM ({permitted}))"
    sizes = " ".join(
        f"WHEN {at} THEN {smallest_group(p)}" for at, p in enumerate(before.permits, 1)
    )
    least = f"CASE _clause {sizes} END"
    masks = sorted({rule for one in identifying for rule in before.masked_by.get(one, ())})
    group = ", ".join(["_clause", "_month", "_rung", "_alike", *masks])
    left = f"count(*) FILTER (WHERE NOT _held) OVER (PARTITION BY {group})"
    return (
        f"grouped AS (SELECT p.*, g.month AS _month, g.alike AS _alike, "
        f"CASE WHEN {least} > 1 THEN g.rung ELSE 0 END AS _rung FROM ({permitted}) AS p "
        f"LEFT JOIN {GROUPS} AS g ON g.clause = {before.clause_name()} "
        "AND g.record_id = p.record_id), "
        f"ranked AS (SELECT *, (_rung IS NULL OR ({least} > 1 AND {left} < {least})) AS _lonely "
        "FROM grouped)"
    )


def beside(permits: Sequence[Permit], contract: Contract, as_of: dt.date) -> str:
    """`beside AS (…)`: the judged rows, with what these clauses let be told of them beside records.

    `_waits`: one of the clauses covers the row, which is in none of its groups yet. `_cap_area`,
    `_cap_time`, `_cap_age`, `_cap_detail`: the finest levels on which its groups are alike. Counts
    of finer values would tell of a record, with the records beside them, what its group hides.
    """
    joins, waits, caps = [], [], []
    for at, permit in enumerate(permits):
        group = f"_g{at}"
        joins.append(
            f"LEFT JOIN {GROUPS} AS {group} ON {group}.clause = {literal(permit.full_name)} "
            f"AND {group}.record_id = j.record_id"
        )
        covers = both(
            [
                permit_scope(permit, contract),
                is_below_ceiling(permit),
                is_not_too_sensitive(permit, contract),
            ]
        )
        is_over = is_old_enough(permit, as_of)
        waits.append(f"({covers} IS TRUE AND ({group}.rung IS NULL OR {is_over} IS NOT TRUE))")
        caps.append((group, levels_on(permit)))
    chosen = []
    for word in ("area", "time", "age", "detail"):
        found = [
            f"CASE {group}.rung "
            + " ".join(f"WHEN {at} THEN {getattr(one, word)}" for at, one in enumerate(levels))
            + " END"
            for group, levels in caps
        ]
        chosen.append(f"least({', '.join([*found, '3'])}) AS _cap_{word}")
    return (
        f"beside AS (SELECT j.*, {any_of(waits)} AS _waits, {', '.join(chosen)} "
        f"FROM judged AS j {' '.join(joins)})"
    )


def on_the_rung_beside(levels: Levels) -> Levels:
    """The levels of a row of `beside`."""
    return Levels(
        f"least({levels.area}, _cap_area)",
        f"least({levels.time}, _cap_time)",
        f"least({levels.age}, _cap_age)",
        f"least({levels.detail}, _cap_detail)",
    )


def form_groups(
    connection: duckdb.DuckDBPyConnection,
    permit: Permit,
    contract: Contract,
    as_of: dt.date,
    kept: str = "",
    *,
    is_same_clause: bool = True,
) -> None:
    """Make the table `members` of a clause: (record_id, month, rung, alike, stood).

    `kept` is SQL of the groups as they were: (record_id, month, rung, alike). `stood` is the rung
    on which a record still stood before groups were made coarser, NULL for one that is new, or was
    corrected; `rung` is NULL for a record that waits. Where the clause or the contract is another
    one now, the records of a group stay together on the finest rung, not below their own, on which
    all of them are alike under the new one.
    """
    rungs = _rungs(permit)
    for step in (
        _permitted(permit, contract, as_of, rungs),
        _kept(kept, rungs, is_same_clause=is_same_clause),
        *_settled(rungs, smallest_group(permit)),
    ):
        connection.execute(step)


def made_coarser() -> str:
    """SQL of the records in `members` whose group was made coarser, or is told no longer.

    With `stood` and `rung`, where they were told and are now; `rung` is NULL for no longer.
    """
    return (
        "SELECT record_id, stood, rung FROM members "
        "WHERE stood IS NOT NULL AND rung IS DISTINCT FROM stood"
    )


def create_groups(connection: duckdb.DuckDBPyConnection) -> None:
    """An empty table of the groups, to be filled clause by clause with `add_groups`."""
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE {GROUPS} (clause VARCHAR, record_id VARCHAR, month DATE, "
        "rung INTEGER, alike UBIGINT)"
    )


def add_groups(connection: duckdb.DuckDBPyConnection, permit: Permit, members: str) -> None:
    """Add the groups of a clause; `members` is SQL of (record_id, month, rung, alike)."""
    connection.execute(
        f"INSERT INTO {GROUPS} SELECT {literal(permit.full_name)}, record_id, month, rung, alike "
        f"FROM ({members})"
    )


def _rungs(permit: Permit) -> list[int]:
    """The rungs of a clause that differ: one that tells weeks at best has none of days."""
    levels = levels_on(permit)
    return [at for at, one in enumerate(levels) if not at or one != levels[at - 1]]


def levels_on(permit: Permit) -> list[Levels]:
    """What a clause tells at the finest on each rung: whole numbers as SQL."""
    own = permit_levels((permit,), "1")
    found = []
    for caps in RUNGS:
        area, time, age, detail = (
            str(min(int(level), cap))
            for level, cap in zip((own.area, own.time, own.age, own.detail), caps, strict=True)
        )
        found.append(Levels(area, time, age, detail))
    return found


def _permitted(permit: Permit, contract: Contract, as_of: dt.date, rungs: Sequence[int]) -> str:
    """`permitted`: everything that the clause permits, with `alike_<rung>` of each rung.

    That number is made of what is told on the rung and of the number of the next coarser one.
    """
    columns = told_alike(permit, contract)
    levels = levels_on(permit)
    steps = [placed(contract, [column.name for column in columns])]
    conditions = both(
        [
            permit_scope(permit, contract),
            is_below_ceiling(permit),
            is_not_too_sensitive(permit, contract),
            is_old_enough(permit, as_of),
        ]
    )
    steps.append(f"told AS (SELECT *, {MONTH} AS month FROM placed WHERE {conditions})")
    source, above = "told", ""
    for at in reversed(rungs):
        values = [with_detail(contract, column, levels[at]) for column in columns]
        if contract.event_day in {column.name for column in columns}:  # requests choose by it
            values += [first_day(levels[at].time), last_day(levels[at].time)]
        values += [above] if above else []
        steps.append(f"told_{at} AS (SELECT *, {_number(values)} AS alike_{at} FROM {source})")
        source, above = f"told_{at}", f"alike_{at}"
    numbers = ", ".join(f"alike_{at}" for at in rungs)
    return (
        f"CREATE OR REPLACE TEMP TABLE permitted AS WITH {', '.join(steps)} "
        f"SELECT record_id, month, {numbers} FROM {source}"
    )


def _number(values: Sequence[str]) -> str:
    """SQL of a number for a list of values: another list has another, as near as 64 bits go."""
    texts = ["''", *(_measured(f"CAST({value} AS VARCHAR)") for value in values)]
    return f"md5_number_lower(concat({', '.join(texts)}))"


def _measured(text: str) -> str:
    return f"coalesce(length({text}) || ':' || {text}, '-')"


def _kept(kept: str, rungs: Sequence[int], *, is_same_clause: bool) -> str:
    """`members`: what is permitted, on the rung of the group that it is in still."""
    numbers = ", ".join(f"p.alike_{at}" for at in rungs)
    chosen = f"SELECT p.record_id, p.month, {numbers}, %s AS stood FROM permitted AS p %s"
    if not kept:
        select = chosen % ("CAST(NULL AS INTEGER)", "")
    elif is_same_clause:
        own = " ".join(f"WHEN {at} THEN p.alike_{at}" for at in rungs)
        is_in = f"k.month = p.month AND k.alike = CASE k.rung {own} END"
        select = chosen % (
            f"CASE WHEN {is_in} THEN k.rung END",
            f"LEFT JOIN ({kept}) AS k USING (record_id)",
        )
    else:
        select = chosen % (
            "f.fit",
            f"LEFT JOIN ({kept}) AS k USING (record_id) LEFT JOIN ({_fitting(kept, rungs)}) AS f "
            "ON f.month = k.month AND f.rung = k.rung AND f.alike = k.alike",
        )
    return (
        "CREATE OR REPLACE TEMP TABLE members AS "
        f"SELECT *, stood AS rung, CAST(NULL AS UBIGINT) AS alike FROM ({select})"
    )


def _fitting(kept: str, rungs: Sequence[int]) -> str:
    """For each group as it was, the finest rung on which those who are left are alike now."""
    fits = " ".join(
        f"WHEN k.rung <= {at} AND count(DISTINCT p.alike_{at}) = 1 THEN {at}" for at in rungs
    )
    return (
        f"SELECT k.month, k.rung, k.alike, CASE WHEN count(DISTINCT p.month) <> 1 THEN NULL {fits} "
        f"END AS fit FROM ({kept}) AS k JOIN permitted AS p USING (record_id) "
        "GROUP BY k.month, k.rung, k.alike"
    )


def _settled(rungs: Sequence[int], least: int) -> Iterator[str]:
    """Rung by rung from the finest: join, form, and make coarser what is too small."""
    for at, rung in enumerate(rungs):
        key = f"(month, alike_{rung})"
        here = f"SELECT month, alike_{rung} FROM members WHERE rung = {rung}"
        yield f"UPDATE members SET rung = {rung} WHERE rung IS NULL AND {key} IN ({here})"
        yield (
            f"UPDATE members SET rung = {rung} WHERE rung IS NULL AND {key} IN (SELECT month, "
            f"alike_{rung} FROM members WHERE rung IS NULL GROUP BY ALL HAVING count(*) >= {least})"
        )
        few = f"{here} GROUP BY ALL HAVING count(*) < {least}"
        for finer in reversed(rungs[:at]):
            yield _with_sibling(finer, rung, few)
        coarser = str(rungs[at + 1]) if at + 1 < len(rungs) else "NULL"
        yield f"UPDATE members SET rung = {coarser} WHERE rung = {rung} AND {key} IN ({few})"
    numbers = " ".join(f"WHEN {rung} THEN alike_{rung}" for rung in rungs)
    yield f"UPDATE members SET alike = CASE rung {numbers} END"


def _with_sibling(finer: int, rung: int, few: str) -> str:
    """To each group that is too small comes the smallest finer one that is like it on this rung."""
    group = f"month, alike_{rung}, alike_{finer}"
    smallest = (
        f"SELECT {group} FROM members WHERE rung = {finer} AND (month, alike_{rung}) IN ({few}) "
        f"GROUP BY {group} QUALIFY row_number() OVER (PARTITION BY month, alike_{rung} "
        f"ORDER BY count(*), alike_{finer}) = 1"
    )
    return f"UPDATE members SET rung = {rung} WHERE rung = {finer} AND ({group}) IN ({smallest})"
