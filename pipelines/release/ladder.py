"""Enough records alike: coarser, rung by rung, for those in too small a group; then dropped.

Not here: measuring what came out of it (`risk.py`).

A group is the records of one clause with the same values in every quasi-identifier that leaves
(k-anonymity: Samarati and Sweeney, 1998; local recoding, so that one lonely record does not make
all others coarser). A record stands on the first rung where at least k of those not yet settled are
alike; whoever finds no rung does not leave.

Restrictions come after: groups are formed as if there were none, then those that lost records by
one are looked at again and dropped where fewer than k are left. So a restriction can only take
away: formed from what restrictions leave, the groups of others could grow and let them out. For
the same reason records are alike then only where the same restrictions mask cells of them, even if
what is masked comes to the same.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from pipelines.release.eligible import Eligible
from pipelines.release.precision import Levels
from schemas.agreement import Permit

# The finest levels of area, time, age and detail on each rung.
RUNGS = ((3, 3, 2, 1), (1, 2, 1, 1), (1, 1, 1, 1), (0, 0, 0, 1), (0, 0, 0, 0))


def is_needed(permits: Sequence[Permit]) -> bool:
    """False where every clause lets single records leave."""
    return any(smallest_group(permit) > 1 for permit in permits)


def smallest_group(permit: Permit) -> int:
    """The least number of records alike that a clause asks for."""
    return permit.smallest_group or 1


def on_its_rung(levels: Levels) -> Levels:
    """The levels of a row once `_rung` is known."""
    rungs = list(zip(*RUNGS, strict=True))
    caps = [
        "CASE _rung " + " ".join(f"WHEN {at} THEN {cap}" for at, cap in enumerate(caps)) + " END"
        for caps in rungs
    ]
    area, time, age, detail = caps
    return Levels(
        f"least({levels.area}, {area})",
        f"least({levels.time}, {time})",
        f"least({levels.age}, {age})",
        f"least({levels.detail}, {detail})",
    )


def steps(
    before: Eligible,
    levels: Levels,
    keys: Callable[[Levels], list[str]],
    identifying: Sequence[str],
) -> str:
    """`ranked AS (…)`: the rows that have a clause, with `_rung` and `_lonely`.

    `keys` gives the SQL of each quasi-identifier at some levels; `identifying` are their columns.
    """
    permitted = "SELECT * FROM judged WHERE _clause IS NOT NULL"
    if not is_needed(before.permits):
        return f"ranked AS (SELECT *, 0 AS _rung, FALSE AS _lonely FROM ({permitted}))"
    least = " ".join(
        f"WHEN {at} THEN {smallest_group(p)}" for at, p in enumerate(before.permits, 1)
    )
    least = f"CASE _clause {least} END"
    found = [f"rung AS (SELECT *, CAST(NULL AS INTEGER) AS _rung FROM ({permitted}))"]
    for at, caps in enumerate(RUNGS):
        alike = ", ".join(["_clause", "_rung IS NULL", *keys(levels.capped(*caps))])
        count = f"count(*) OVER (PARTITION BY {alike})"
        found.append(
            f"rung{at} AS (SELECT * EXCLUDE (_rung), coalesce(_rung, CASE WHEN {count} >= {least} "
            f"THEN {at} END) AS _rung FROM {f'rung{at - 1}' if at else 'rung'})"
        )
    last = f"rung{len(RUNGS) - 1}"
    masks = sorted({rule for one in identifying for rule in before.masked_by.get(one, ())})
    alike = ", ".join(["_clause", "_rung", *keys(on_its_rung(levels)), *masks])
    left = f"count(*) FILTER (WHERE NOT _held) OVER (PARTITION BY {alike})"
    lonely = f"_rung IS NULL OR {left} < {least}" if before.may_take_away else "_rung IS NULL"
    found.append(f"ranked AS (SELECT *, ({lonely}) AS _lonely FROM {last})")
    return ", ".join(found)
