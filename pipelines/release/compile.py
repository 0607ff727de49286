"""Agreements and a request for records become one DuckDB query over the catalogue.

Not here: the rows that may leave (`eligible.py`), how coarse (`precision.py`), how many must be
alike (`ladder.py`), and counts (`counting.py`).

Each row leaves under exactly one clause, the most generous that covers it, with that clause's
columns and precision: the columns of two clauses in one row would be a row that neither permits.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace

from pipelines.release import ladder
from pipelines.release.eligible import Eligible, by_generosity, eligible
from pipelines.release.flow import DROPPED, KEPT, MASKED, SHOWN_FROM
from pipelines.release.permits import Allowed
from pipelines.release.precision import (
    Levels,
    naming_masks,
    never_opens,
    permit_levels,
    token_of_record,
    with_detail,
)
from pipelines.release.refusals import ReleaseRefused
from pipelines.release.request import Request, check_request
from schemas.agreement import Permit
from schemas.contract import Column, Contract
from schemas.sqltext import literal, name

CLAUSE = "clause"  # the last column of each extract of records


@dataclass(frozen=True)
class OutColumn:
    """One column as it leaves; `column` is what the contract says of it, None for our own."""

    name: str
    duckdb_type: str
    column: Column | None = None


@dataclass(frozen=True)
class Compiled:
    """An extract of records as SQL over the catalogue; the connection must have the release key.

    `sql` gives the rows in their order, `flow_sql` what was kept, masked and dropped by clause
    (`flow.read_flow`), `holdings_sql` the private list (record_id, clause, given_as): the true
    number of each record that leaves and the name under which the recipient knows it.
    """

    sql: str
    columns: tuple[OutColumn, ...]
    flow_sql: str
    holdings_sql: str
    permits: tuple[Permit, ...]
    quasi_identifiers: tuple[str, ...]
    withheld: tuple[str, ...]  # asked for, and closed by every clause
    shown_from: int  # smaller numbers are not told in what leaves

    @property
    def smallest_group(self) -> int:
        """The least k that any of the clauses asks for."""
        return min(ladder.smallest_group(permit) for permit in self.permits)


def compile_records(request: Request, allowed: Allowed, contract: Contract) -> Compiled:
    """The query of an extract of records.

    Raises ReleaseRefused REL-104 for an unknown column, 112 and 113 for a period or code that does
    not exist, 106 where no clause opens any of the columns.
    """
    check_request(request, contract)
    wanted = request.columns or tuple(column.name for column in contract.published)
    permits = by_generosity(p for p in allowed.permits if _opened(p, wanted, contract))
    opened = {one for permit in permits for one in _opened(permit, wanted, contract)}
    columns = [column for column in contract.published if column.name in opened]
    if not columns:
        raise ReleaseRefused("REL-106", asked=list(wanted))
    identifying = _identifying(permits, contract)
    before = eligible(request, allowed, contract, permits, _carried(columns, identifying, contract))
    levels = permit_levels(permits, "_clause")

    def keys(at: Levels) -> list[str]:
        return [_opened_only(c, permits, with_detail(contract, c, at)) for c in identifying]

    ranked = ladder.steps(before, levels, keys, [column.name for column in identifying])
    told = _told(before, columns, contract, levels, _choice(request))
    steps = f"WITH {before.steps}, {ranked}, {told}"
    names = ", ".join(f"{name(f'_o_{c.name}')} AS {name(c.name)}" for c in columns)
    out = tuple(OutColumn(column.name, column.duckdb_type, column) for column in columns)
    return Compiled(
        sql=f"{steps} SELECT {names}, _name AS {CLAUSE} FROM told WHERE _leaves "
        "ORDER BY _given, sha256(record_id)",
        columns=(*out, OutColumn(CLAUSE, "VARCHAR")),
        flow_sql=f"{steps} {_flow(columns, before)}",
        holdings_sql=f"{steps} SELECT record_id, _name AS clause, _given AS given_as FROM told "
        "WHERE _leaves ORDER BY _given, sha256(record_id)",
        permits=permits,
        quasi_identifiers=tuple(c.name for c in columns if c.is_quasi_identifier),
        withheld=tuple(one for one in request.columns if one not in opened),
        shown_from=max(
            SHOWN_FROM, *(p.small_cell_threshold or ladder.smallest_group(p) for p in permits)
        ),
    )


def _opened(permit: Permit, wanted: tuple[str, ...], contract: Contract) -> list[str]:
    """The wanted columns of which a clause may tell something."""
    return [
        column.name
        for column in contract.published
        if column.name in wanted
        and column.name in permit.columns
        and not never_opens(column, permit)
    ]


def _identifying(permits: tuple[Permit, ...], contract: Contract) -> list[Column]:
    """The quasi-identifiers that the clauses open, asked for or not.

    Groups are formed by all of them: else two extracts of the same records, each with some of the
    columns, would each be of large groups and together single somebody out.
    """
    everything = tuple(column.name for column in contract.published)
    opened = {one for permit in permits for one in _opened(permit, everything, contract)}
    return [c for c in contract.published if c.name in opened and c.is_quasi_identifier]


def _choice(request: Request) -> str:
    """What was asked, as a word to tell requests apart; format and language choose no rows."""
    asked = replace(request, columns=tuple(sorted(request.columns)), format="", language="en")
    return hashlib.sha256(repr(asked).encode()).hexdigest()[:16]


def _carried(columns: list[Column], identifying: list[Column], contract: Contract) -> list[str]:
    names = list(dict.fromkeys(column.name for column in (*columns, *identifying)))
    is_aged = "age_group" in names and any(c.name == "age_years" for c in contract.published)
    return [*names, *(["age_years"] if is_aged else [])]


def _opened_only(column: Column, permits: tuple[Permit, ...], value: str) -> str:
    """The value where the clause of the row lists the column, else NULL."""
    numbers = [at for at, permit in enumerate(permits, 1) if column.name in permit.columns]
    if len(numbers) == len(permits):
        return value
    if not numbers:
        return f"CAST(NULL AS {column.duckdb_type})"
    chosen = ", ".join(map(str, numbers))
    return f"CASE WHEN _clause IN ({chosen}) THEN {value} END"


def _told(
    before: Eligible, columns: list[Column], contract: Contract, levels: Levels, choice: str
) -> str:
    """`told AS (…)`: every permitted row with `_o_<column>`, `_given`, `_name` and `_leaves`."""
    if ladder.is_needed(before.permits):
        levels = ladder.on_its_rung(levels)
    given = _given(before, contract, levels, choice)
    values = []
    for column in columns:
        value = "_given" if column.name == "record_id" else with_detail(contract, column, levels)
        value = _opened_only(column, before.permits, value)
        if column.name in before.masks:
            value = f"CASE WHEN NOT {before.masks[column.name]} THEN {value} END"
        values.append(f"{value} AS {name(f'_o_{column.name}')}")
    return (
        f"named AS (SELECT *, {given} AS _given, {before.clause_name()} AS _name, "
        "NOT _held AND NOT _lonely AS _leaves FROM ranked), "
        f"told AS (SELECT *, {', '.join(values)} FROM named)"
    )


def _given(before: Eligible, contract: Contract, levels: Levels, choice: str) -> str:
    """The name of a record: its own number where nothing is coarser or masked, else a token.

    One that had to be told more coarsely has another token in every request: under one name, what
    two of them say of it (asked by area, then by day) would add up to what neither may tell.
    """
    is_plain = (
        f"{levels.area} = 3 AND {levels.time} = 3 AND {levels.detail} = 1 AND NOT "
        f"{before.masked(sorted(naming_masks(contract)))}"
    )
    source = next(c for c in contract.published if c.name == "source")
    shown = _opened_only(source, before.permits, "source || ':'")
    if "source" in before.masks:
        shown = f"CASE WHEN NOT {before.masks['source']} THEN {shown} END"
    opened = [at for at, permit in enumerate(before.permits, 1) if "record_id" in permit.columns]
    is_named = f"_clause IN ({', '.join(map(str, opened))})" if opened else "FALSE"
    return (
        f"CASE WHEN {is_named} AND {is_plain} THEN record_id "
        f"ELSE coalesce({shown}, '') || {token_of_record(_named_for(before, choice))} END"
    )


def _named_for(before: Eligible, choice: str) -> str:
    """SQL of what is added to the number of a record before its token is made."""
    if not ladder.is_needed(before.permits):
        return ""
    return f"CASE WHEN _rung > 0 THEN {literal(f' {choice}')} ELSE '' END"


def _flow(columns: list[Column], before: Eligible) -> str:
    """One row a clause: kept, coarsened, masked by column, dropped by reason."""
    kept = [f"count(*) FILTER (WHERE _leaves) AS {KEPT}"]
    kept.append("count(*) FILTER (WHERE _leaves AND _rung > 0) AS coarsened")
    for column in columns:
        hidden = f"{name(column.name)} IS NOT NULL AND {name(f'_o_{column.name}')} IS NULL"
        kept.append(f"count(*) FILTER (WHERE _leaves AND {hidden}) AS {name(MASKED + column.name)}")
    kept += [
        f"count(*) FILTER (WHERE _held) AS {DROPPED}restriction",
        f"count(*) FILTER (WHERE NOT _held AND _lonely) AS {DROPPED}k",
    ]
    dropped = [
        f"count(*) FILTER (WHERE _reason = {literal(reason)}) AS {DROPPED}{reason}"
        for reason in ("ceiling", "sensitivity", "delay")
    ]
    numbers = ", ".join(f"({at}, {literal(p.full_name)})" for at, p in enumerate(before.permits, 1))
    return (
        f"SELECT _no.full_name AS clause, _kept.* EXCLUDE (_clause), _gone.* EXCLUDE (_scope) "
        f"FROM (VALUES {numbers}) AS _no(no, full_name) "
        f"LEFT JOIN (SELECT _clause, {', '.join(kept)} FROM told GROUP BY _clause) AS _kept "
        "ON _kept._clause = _no.no "
        f"LEFT JOIN (SELECT _scope, {', '.join(dropped)} FROM judged WHERE _clause IS NULL "
        "GROUP BY _scope) AS _gone ON _gone._scope = _no.no ORDER BY _no.no"
    )
