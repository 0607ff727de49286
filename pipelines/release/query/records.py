"""Agreements and a request for records become one DuckDB query over the catalogue.

Not here: the rows that may leave (`eligible.py`), how coarse (`precision.py`), how many must be
alike (`k_anonymity.py`), and counts (`counts.py`).

A row has the columns and the precision of its one clause: the columns of two clauses in one row
would be a row that neither permits.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace

from pipelines.release.disclosure.k_anonymity import (
    on_its_rung,
    ranked,
    smallest_group,
    told_alike,
)
from pipelines.release.errors import ReleaseError
from pipelines.release.policy.conditions import asked as chosen_by
from pipelines.release.policy.eligible import Eligible, by_generosity, eligible
from pipelines.release.policy.permits import PermitSet
from pipelines.release.policy.precision import (
    Levels,
    age_columns,
    permit_levels,
    token_for_recipient,
    token_of_record,
    with_detail,
)
from pipelines.release.query.template import (
    DROPPED,
    KEPT,
    MASKED,
    SHOWN_FROM,
    CompiledQuery,
    OutColumn,
    Template,
)
from pipelines.release.request import Request, check_request
from schemas.agreement import Permit
from schemas.agreement_columns import too_fine
from schemas.contract import Column, Contract
from schemas.reveals import naming_masks
from schemas.sqltext import literal, name

CLAUSE = "clause"  # the last column of each extract of records


@dataclass(frozen=True)
class CompiledRecords(CompiledQuery):
    """The query of an extract of records, which gives the rows in their order."""

    quasi_identifiers: tuple[str, ...]
    withheld: tuple[str, ...]  # asked for, and closed by every clause

    @property
    def smallest_group(self) -> int:
        """The least k that any of the clauses asks for."""
        return min(smallest_group(permit) for permit in self.permits)


def compile_records(request: Request, allowed: PermitSet, contract: Contract) -> CompiledRecords:
    """The query of an extract of records.

    Raises ReleaseError REL-104 for an unknown column, 112 and 113 for a period or code that does
    not exist, 106 where no clause opens any of the columns.
    """
    check_request(request, contract)
    wanted = request.columns or tuple(column.name for column in contract.published)
    is_grouped = any(permit.is_grouped for permit in allowed.permits)
    telling = tuple(p for p in allowed.permits if _opened(p, wanted, contract))
    permits = by_generosity(allowed.permits if is_grouped else telling)
    opened = {one for permit in telling for one in _opened(permit, wanted, contract)}
    columns = [column for column in contract.published if column.name in opened]
    if not columns:
        raise ReleaseError("REL-106", asked=list(wanted))
    alike = {column.name for permit in permits for column in told_alike(permit, contract)}
    carried = _carried(columns, alike, contract)
    before = eligible(request, allowed, contract, permits, carried, is_chosen_later=is_grouped)
    asked = _RecordQuery(request, telling, is_grouped)
    told = _told(before, columns, contract, asked)
    query = Template(before, (ranked(before, sorted(alike)), *told))
    leaving = "FROM told WHERE _leaves ORDER BY _given, sha256(record_id)"
    names = ", ".join(f"{name(f'_o_{c.name}')} AS {name(c.name)}" for c in columns)
    out = tuple(OutColumn(column.name, column.duckdb_type, column) for column in columns)
    return CompiledRecords(
        sql=query.select(f"SELECT {names}, _name AS {CLAUSE} {leaving}"),
        columns=(*out, OutColumn(CLAUSE, "VARCHAR")),
        flow_sql=_flow(query, columns, asked),
        holdings_sql=query.select(
            f"SELECT record_id, _name AS clause, _given AS given_as {leaving}"
        ),
        permits=permits,
        quasi_identifiers=tuple(c.name for c in columns if c.is_quasi_identifier),
        withheld=tuple(one for one in request.columns if one not in opened),
        shown_from=max(SHOWN_FROM, *(p.small_cell_threshold or smallest_group(p) for p in permits)),
    )


def _opened(permit: Permit, wanted: tuple[str, ...], contract: Contract) -> list[str]:
    """The wanted columns of which a clause may tell something."""
    return [
        column.name
        for column in contract.published
        if column.name in wanted
        and column.name in permit.columns
        and not too_fine(column, permit.precision)
    ]


@dataclass(frozen=True)
class _RecordQuery:
    """A request, the clauses that tell something of it, and whether records must be alike."""

    request: Request
    telling: tuple[Permit, ...]
    is_grouped: bool

    def named(self) -> str:
        """What was asked, as a word to tell requests apart; format and language choose no rows."""
        columns = tuple(sorted(self.request.columns))
        asked = replace(self.request, columns=columns, format="", language="en")
        return hashlib.sha256(repr(asked).encode()).hexdigest()[:16]


def _carried(columns: list[Column], alike: set[str], contract: Contract) -> list[str]:
    names = list(dict.fromkeys([*(column.name for column in columns), *sorted(alike)]))
    ages = age_columns(contract)
    return [*names, *(ages[1:] if ages and ages[0] in names else ())]


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
    before: Eligible, columns: list[Column], contract: Contract, asked: _RecordQuery
) -> tuple[str, str]:
    """`named AS (…)`, `told AS (…)`: the permitted rows with `_given`, `_leaves`, `_o_<column>`."""
    levels = permit_levels(before.permits, "_clause")
    if asked.is_grouped:
        levels = on_its_rung(levels)
    values = []
    for column in columns:
        value = "_given" if column.name == "record_id" else with_detail(contract, column, levels)
        if column.coarsen == "token":
            value = token_for_recipient(value)
        value = _opened_only(column, before.permits, value)
        if column.name in before.masks:
            value = f"CASE WHEN NOT {before.masks[column.name]} THEN {value} END"
        values.append(f"{value} AS {name(f'_o_{column.name}')}")
    is_within, is_across = _chosen(before, contract, levels, asked)
    return (
        f"named AS (SELECT *, {_given(before, contract, levels, asked)} AS _given, "
        f"{before.clause_name()} AS _name, NOT _held AND NOT _lonely AS _is_open, "
        f"{is_within} IS TRUE AS _is_asked, {is_across} IS TRUE AS _lies_across FROM ranked)",
        f"told AS (SELECT *, {', '.join(values)}, _is_open AND _is_asked AS _leaves FROM named)",
    )


def _chosen(
    before: Eligible, contract: Contract, levels: Levels, asked: _RecordQuery
) -> tuple[str, str]:
    """SQL: is a row what was asked for, or does it lie across? Judged by what is told of it."""
    if not asked.is_grouped:
        return "TRUE", "FALSE"  # `eligible` has chosen
    within, across = [], []
    for at, permit in enumerate(before.permits, 1):
        if permit in asked.telling:
            choice = chosen_by(asked.request, permit, levels, contract)
            within.append(f"WHEN {at} THEN {choice.is_within}")
            across.append(f"WHEN {at} THEN {choice.is_across}")
    return f"(CASE _clause {' '.join(within)} END)", f"(CASE _clause {' '.join(across)} END)"


def _given(before: Eligible, contract: Contract, levels: Levels, asked: _RecordQuery) -> str:
    """The name of a record: its own number where nothing is coarser or masked, else a token.

    One that had to be told more coarsely has another token in every request: under one name, what
    two of them say of it would add up to what neither may tell, once its group has changed.
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
        f"ELSE coalesce({shown}, '') || {token_of_record(_named_for(before, asked))} END"
    )


def _named_for(before: Eligible, asked: _RecordQuery) -> str:
    """SQL of what is added to the number of a record before its token is made.

    By clause, so that what two clauses tell of one record is not joined; and with the clauses that
    come before it for the same purpose, or who asks for two purposes would see which ones take it.
    """
    if not asked.is_grouped:
        return ""
    cases = []
    for at, permit in enumerate(before.permits, 1):
        if permit.is_grouped:
            tried = " ".join(one.full_name for one in before.permits[:at])
            coarser, own = literal(f" {tried} {asked.named()}"), literal(f" {tried}")
            cases.append(f"WHEN {at} THEN CASE WHEN _rung > 0 THEN {coarser} ELSE {own} END")
    return f"(CASE _clause {' '.join(cases)} ELSE '' END)"


def _flow(query: Template, columns: list[Column], asked: _RecordQuery) -> str:
    """One row a clause: kept, coarsened, masked by column, dropped by reason, any lying across."""
    # of a record in no group nothing is told, so that it lies in no choice
    lonely = "FALSE" if asked.request.has_choice else "NOT _held AND _lonely"
    kept = [f"count(*) FILTER (WHERE _leaves) AS {KEPT}"]
    kept.append("count(*) FILTER (WHERE _leaves AND _rung > 0) AS coarsened")
    for column in columns:
        hidden = f"{name(column.name)} IS NOT NULL AND {name(f'_o_{column.name}')} IS NULL"
        kept.append(f"count(*) FILTER (WHERE _leaves AND {hidden}) AS {name(MASKED + column.name)}")
    kept += [
        f"count(*) FILTER (WHERE _held AND _is_asked) AS {DROPPED}restriction",
        f"count(*) FILTER (WHERE {lonely}) AS {DROPPED}k",
    ]
    across = "(SELECT bool_or(_is_open AND _lies_across) FROM told)"
    if not asked.is_grouped:
        across = "(SELECT bool_or(_clause IS NULL AND _is_across AND NOT _held) FROM judged)"
    of_rows = (
        f"LEFT JOIN (SELECT _clause, {', '.join(kept)} FROM told GROUP BY _clause) AS _kept "
        "ON _kept._clause = _no.no"
    )
    return query.flow("_kept.* EXCLUDE (_clause)", of_rows, across)
