"""Which rows may leave, under which clause, and what restrictions take away, as steps of SQL.

Not here: what is told of them (`records.py` for records, `counts.py` for counts).

`placed` adds when; `judged` adds, by row, `_clause` (the number of the
one clause that it leaves under, else NULL), `_scope` and `_reason` (the clause that speaks of it
and why it does not leave), `_is_across` (it lies partly in what was asked for), `_held` (a
restriction keeps the row back), `_r0`, `_r1`, … (each restriction that masks cells: does it hold
for the row) and `_m_<column>` (one of them masks that
cell, or one that would give it away).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from pipelines.release.policy.conditions import (
    Choice,
    any_of,
    asked,
    asked_columns,
    both,
    choosing_columns,
    is_below_ceiling,
    is_not_too_sensitive,
    is_old_enough,
    permit_scope,
    restricted,
)
from pipelines.release.policy.permits import PermitSet
from pipelines.release.policy.precision import (
    AREA_LEVELS,
    TIME_LEVELS,
    age_columns,
    age_group_of_years,
    moments,
    permit_levels,
)
from pipelines.release.request import Request
from schemas.agreement import Permit, Restriction
from schemas.contract import Contract
from schemas.reveals import told_with
from schemas.sqltext import literal, name

REASONS = ("ceiling", "sensitivity", "delay", "restriction", "k")


@dataclass(frozen=True)
class Eligible:
    """The steps, and what later ones need to know of them."""

    permits: tuple[Permit, ...]  # in the order of the numbers in `_clause`, from 1
    steps: str  # `placed AS (…), judged AS (…)`
    masks: dict[str, str]  # column → SQL that is TRUE where a restriction masks the cell
    masked_by: dict[str, tuple[str, ...]]  # column → `_r0`, … of the restrictions that mask it
    may_take_away: bool  # are there restrictions at all?

    def masked(self, columns: Iterable[str]) -> str:
        """SQL: is a cell of any of these masked by a restriction?"""
        return any_of([self.masks[one] for one in columns if one in self.masks])

    def clause_name(self) -> str:
        """SQL of the full name of the clause."""
        names = " ".join(
            f"WHEN {at} THEN {literal(p.full_name)}" for at, p in enumerate(self.permits, 1)
        )
        return f"CASE _clause {names} END"


def by_generosity(permits: Iterable[Permit]) -> tuple[Permit, ...]:
    """The fixed order in which clauses are tried: finer area, finer time, more columns, name."""

    def key(permit: Permit) -> tuple[int, int, int, str]:
        width = len(permit.columns) + len(permit.dimensions)
        area, time = AREA_LEVELS[permit.precision.area], TIME_LEVELS[permit.precision.time]
        return (-area, -time, -width, permit.full_name)

    return tuple(sorted(permits, key=key))


def placed(contract: Contract, columns: Iterable[str]) -> str:
    """`placed AS (…)`: the rows of the table; `columns` are carried along for later steps."""
    day, roles = contract.event_day, contract.roles
    wanted = {"record_id", "source", "handling", "received_at", *columns}
    wanted |= {*choosing_columns(contract), *roles.names("sensitive"), *roles.names("border_point")}
    wanted |= {contract.column(day).precision} if day else set()
    carried = [one.name for one in contract.published if one.name in wanted]
    values = _carried(contract, carried)
    return f"placed AS (SELECT {values}, {moments(contract)} FROM {name(contract.table)})"


def eligible(
    request: Request,
    allowed: PermitSet,
    contract: Contract,
    permits: tuple[Permit, ...],
    columns: Iterable[str],
    *,
    is_chosen_later: bool = False,
) -> Eligible:
    """The steps that judge every row of the table; `columns` are carried along for later steps.

    The clause of a row is the first that covers it and of which it was asked for, or the first that
    covers it where `is_chosen_later`: which clause that is must not depend on who asks for what
    where records of a clause must be alike.
    """
    masking = [one for one in allowed.restrictions if one.columns]
    masked_by = _masked_by(masking, contract)
    masks = {column: f"_m_{column}" for column in masked_by}
    held = [restricted(one, contract) for one in allowed.restrictions if not one.columns]
    by_choice = [masks[one] for one in sorted(asked_columns(request, contract)) if one in masks]
    judged = [
        f"{_first(permits, _leaving(request, is_chosen_later, contract))} AS _clause",
        f"{_first(permits, _spoken_of(request, contract))} AS _scope",
        f"{_first(permits, _lying_across(request, contract))} IS NOT NULL AS _is_across",
        *(f"{restricted(r, contract)} IS NOT FALSE AS _r{at}" for at, r in enumerate(masking)),
        f"{any_of(held)} IS NOT FALSE AS _stopped",
    ]
    masked = [f"{any_of([*rules])} AS _m_{column}" for column, rules in masked_by.items()]
    steps = (
        f"{placed(contract, columns)}, "
        f"asked AS (SELECT *, {', '.join(judged)} FROM placed), "
        f"masked AS (SELECT {', '.join(['*', *masked])} FROM asked), "
        f"judged AS (SELECT *, {any_of(['_stopped', *by_choice])} AS _held, "
        f"{_reason(permits, request, contract)} AS _reason "
        "FROM masked WHERE _clause IS NOT NULL OR _scope IS NOT NULL OR _is_across)"
    )
    return Eligible(permits, steps, masks, masked_by, bool(allowed.restrictions))


def _carried(contract: Contract, columns: list[str]) -> str:
    """The columns; that of age groups is filled from the years where both are carried."""
    fill, ages = {}, age_columns(contract)
    if ages and set(ages) <= set(columns):
        fill[ages[0]] = f"{age_group_of_years(contract)} AS {name(ages[0])}"
    return ", ".join(fill.get(one, name(one)) for one in columns)


_Conditions = Callable[[Permit], list[str]]


def _first(permits: tuple[Permit, ...], conditions: _Conditions) -> str:
    """The number of the first clause whose conditions a row meets."""
    cases = [f"WHEN {both(conditions(one))} THEN {at}" for at, one in enumerate(permits, 1)]
    return f"CASE {' '.join(cases)} END" if cases else "CAST(NULL AS INTEGER)"


def _leaving(request: Request, is_chosen_later: bool, contract: Contract) -> _Conditions:
    """A clause covers the row, lets it leave, and tells that it is what was asked for."""

    def conditions(permit: Permit) -> list[str]:
        chosen = [] if is_chosen_later else [_choice(request, permit, contract).is_within]
        return [*_open_to(permit, request, contract), *chosen]

    return conditions


def _lying_across(request: Request, contract: Contract) -> _Conditions:
    """A clause lets the row leave, and tells that it lies partly in what was asked for."""

    def conditions(permit: Permit) -> list[str]:
        across = _choice(request, permit, contract).is_across
        return [*_open_to(permit, request, contract), across]

    return conditions


def _spoken_of(request: Request, contract: Contract) -> _Conditions:
    """A clause covers the row, whether or not it lets it leave."""

    def conditions(permit: Permit) -> list[str]:
        return [permit_scope(permit, contract), _choice(request, permit, contract).is_within]

    return conditions


def _open_to(permit: Permit, request: Request, contract: Contract) -> list[str]:
    return [
        permit_scope(permit, contract),
        is_below_ceiling(permit),
        is_not_too_sensitive(permit, contract),
        is_old_enough(permit, request.as_of),
    ]


def _choice(request: Request, permit: Permit, contract: Contract) -> Choice:
    return asked(request, permit, permit_levels((permit,), "1"), contract)


def _reason(permits: tuple[Permit, ...], request: Request, contract: Contract) -> str:
    cases = []
    for at, permit in enumerate(permits, 1):
        cases.append(
            f"WHEN {at} THEN CASE WHEN {is_below_ceiling(permit)} IS NOT TRUE THEN 'ceiling' "
            f"WHEN {is_not_too_sensitive(permit, contract)} IS NOT TRUE THEN 'sensitivity' "
            "ELSE 'delay' END"
        )
    reasons = f"CASE _scope {' '.join(cases)} END" if cases else "CAST(NULL AS VARCHAR)"
    return f"CASE WHEN _clause IS NULL THEN {reasons} END"


def _masked_by(masking: list[Restriction], contract: Contract) -> dict[str, tuple[str, ...]]:
    """Column → the restrictions that mask its cells, with those that would tell it."""
    found: dict[str, tuple[str, ...]] = {}
    for at, restriction in enumerate(masking):
        for column in told_with(contract, restriction.columns):
            found[column] = (*found.get(column, ()), f"_r{at}")
    return dict(sorted(found.items()))
