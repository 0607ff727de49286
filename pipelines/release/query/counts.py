"""Agreements and a request for counts become one DuckDB query: cells, totals and what is behind.

Not here: hiding small counts (`cells.py`), and rows (`records.py`).

A row is counted under the most generous clause that opens every dimension and measure asked for. A
row of which a restriction masks any cell that would be used is not counted at all. One that may
also leave as a record, in a group of records alike, is counted by what is told of the group.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pipelines.release.disclosure.k_anonymity import beside, on_the_rung_beside
from pipelines.release.disclosure.past_disclosures import number_of_record
from pipelines.release.errors import ReleaseError
from pipelines.release.policy.conditions import any_of, asked, cuts
from pipelines.release.policy.dimensions import (
    base_column,
    count_key,
    coverage_sql,
    dimension_sql,
    dimension_type,
    finest,
    is_open,
    measure_sql,
    measure_type,
    told_once,
)
from pipelines.release.policy.eligible import Eligible, by_generosity, eligible
from pipelines.release.policy.permits import PermitSet
from pipelines.release.policy.precision import Levels, is_detail, permit_levels
from pipelines.release.query.template import (
    DROPPED,
    SHOWN_FROM,
    CompiledQuery,
    OutColumn,
    Template,
)
from pipelines.release.request import Request, check_request
from schemas.agreement import RECORDS, TIME_DIMENSIONS, Permit
from schemas.agreement_columns import can_be_summed
from schemas.contract import Contract
from schemas.record import SOURCE
from schemas.sqltext import name

LEVEL, SUPPRESSED = "level", "is_suppressed"
CELL, TOTAL = "cell", "total"


@dataclass(frozen=True)
class CompiledCounts(CompiledQuery):
    """The query of an extract of counts: every cell and total before protection.

    `members_sql` gives the private list of the records behind each cell.
    """

    members_sql: str
    dimensions: tuple[str, ...]
    measures: tuple[str, ...]
    coverage: tuple[str, ...]
    threshold: int
    counts_people: bool


def compile_counts(
    request: Request, allowed: PermitSet, contract: Contract, known: Sequence[Permit] = ()
) -> CompiledCounts:
    """The query of an extract of counts.

    `known` are the clauses by which rows of the table leave as records in groups
    (`groups.clauses_beside`): a row that one of them covers is counted as its group is told.

    Raises ReleaseError REL-110 for a dimension or measure that no clause opens, 106 where no
    clause opens all of them together, and what `check_request` raises.
    """
    check_request(request, contract)
    permits, dimensions, measures = _asked(request, allowed.permits, contract)
    bases = [base_column(one, contract) for one in dimensions]
    used = {one.name for one in bases if one} | (set(measures) - {RECORDS})
    carried = {*used, *_technical(contract)}
    before = eligible(request, allowed, contract, permits, carried, is_chosen_later=bool(known))
    chosen, levels = _chosen(before, request, contract, used, known)
    grouped = {name for permit in known for name in permit.columns} & used
    counted = _counted(dimensions, contract, levels, grouped)
    query = Template(before, (chosen, counted))
    threshold = max(p.small_cell_threshold or SHOWN_FROM for p in permits)
    opened = [set(permit.measures) for permit in permits]
    watched = contract.roles.coverage
    coverage = tuple(one for one in watched if all(one in names for names in opened))
    sums = [one for one in measures if one not in watched]
    keys = [f"_d{at}" for at in range(len(dimensions))]
    return CompiledCounts(
        sql=query.select(_grouped(dimensions, sums, coverage, contract)),
        members_sql=query.select(_members(keys, contract)),
        flow_sql=_flow(query, request, contract),
        holdings_sql=query.select(
            f"SELECT record_id, {before.clause_name()} AS clause, CAST(NULL AS VARCHAR) AS "
            "given_as FROM counted ORDER BY record_id"
        ),
        columns=_columns(dimensions, sums, coverage, contract),
        dimensions=dimensions,
        measures=tuple(sums),
        coverage=coverage,
        permits=permits,
        threshold=threshold,
        shown_from=max(SHOWN_FROM, threshold),
        counts_people=bool(contract.roles.person_count),
    )


def _asked(
    request: Request, permits: tuple[Permit, ...], contract: Contract
) -> tuple[tuple[Permit, ...], tuple[str, ...], tuple[str, ...]]:
    """The clauses that open everything asked for, and what that is."""
    ordered = by_generosity(permits)
    dimensions = request.dimensions or tuple(
        finest(
            [one for one in ordered[0].dimensions if is_open(one, ordered[0], contract)], contract
        )
    )
    dimensions, measures = tuple(dict.fromkeys(dimensions)), tuple(dict.fromkeys(request.measures))
    for names, opens in ((dimensions, _opens_dimension), (measures, _opens_measure)):
        for one in names:
            if not any(opens(one, permit, contract) for permit in permits):
                known = {n for p in permits for n in (*p.dimensions, *p.measures)}
                raise ReleaseError("REL-110", name=one, known=sorted(known))
    fitting = tuple(
        permit
        for permit in ordered
        if all(_opens_dimension(one, permit, contract) for one in dimensions)
        and all(_opens_measure(one, permit, contract) for one in measures)
    )
    if not fitting or not measures:
        raise ReleaseError("REL-106", asked=[*dimensions, *measures])
    return fitting, dimensions, measures


def _opens_dimension(dimension: str, permit: Permit, contract: Contract) -> bool:
    return is_open(dimension, permit, contract)


def _opens_measure(measure: str, permit: Permit, contract: Contract) -> bool:
    column = next((one for one in contract.published if one.name == measure), None)
    return measure in permit.measures and (measure == RECORDS or can_be_summed(column))


def _technical(contract: Contract) -> set[str]:
    """What counting people needs beside what was asked for."""
    roles, needed = contract.roles, ("person_count", "count_key", "breakdown", "coverage", "period")
    found = {one for role in (*needed, "border_point") for one in roles.names(role)}
    return {*(found if roles.person_count else ()), *roles.names("stock")}


def _chosen(
    before: Eligible,
    request: Request,
    contract: Contract,
    used: set[str],
    known: Sequence[Permit],
) -> tuple[str, Levels]:
    """`chosen AS (…)`: the rows with a clause that were asked for, and the levels to tell them at.

    `_waits` says that one is in no group yet, `_is_hidden` that a restriction takes it away.
    """
    levels = permit_levels(before.permits, "_clause")
    is_hidden = f"_held OR {before.masked(sorted(used))}"
    if not known:
        return (
            f"chosen AS (SELECT *, FALSE AS _waits, {is_hidden} AS _is_hidden FROM judged "
            "WHERE _clause IS NOT NULL)",
            levels,
        )
    levels = on_the_rung_beside(levels)
    within = " ".join(
        f"WHEN {at} THEN {asked(request, permit, levels, contract).is_within}"
        for at, permit in enumerate(before.permits, 1)
    )
    # of a record in no group nothing is told, so that it lies in no choice
    is_asked = f"(CASE _clause {within} END AND NOT _waits)" if request.has_choice else "TRUE"
    return (
        f"{beside(known, contract, request.as_of)}, "
        f"chosen AS (SELECT *, {is_hidden} AS _is_hidden FROM beside "
        f"WHERE _clause IS NOT NULL AND {is_asked})",
        levels,
    )


def _counted(
    dimensions: tuple[str, ...],
    contract: Contract,
    levels: Levels,
    grouped: set[str],
) -> str:
    """`counted AS (…)`: the rows that are counted, with `_d0`, `_d1`, … their dimensions.

    Of `grouped` columns nothing is added up that a group of records does not tell.
    """
    values = [
        f"{dimension_sql(one, contract, levels)} AS _d{at}" for at, one in enumerate(dimensions)
    ]
    details = [one for one in sorted(grouped) if is_detail(contract, contract.column(one))]
    told = [f"CASE WHEN {levels.detail} = 1 THEN {name(one)} END AS {name(one)}" for one in details]
    every = f"* REPLACE ({', '.join(told)})" if told else "*"
    rows = f"SELECT {', '.join([every, *values])} FROM chosen WHERE NOT _is_hidden AND NOT _waits"
    wanted = []
    if contract.roles.breakdown:
        rows = f"SELECT *, {told_once(dimensions, contract)} AS _fit FROM ({rows})"
        wanted.append(f"_fit = min(_fit) OVER (PARTITION BY {count_key(contract)})")
    if contract.roles.stock:
        day = name(contract.roles.stock)
        within = ", ".join([name(SOURCE), *_periods(dimensions)])
        wanted.append(f"{day} = max({day}) OVER (PARTITION BY {within})")
    if not wanted:
        return f"counted AS ({rows})"
    return f"counted AS (SELECT * FROM ({rows}) QUALIFY {' AND '.join(wanted)})"


def _periods(dimensions: tuple[str, ...]) -> list[str]:
    """The keys of those dimensions that are periods."""
    return [f"_d{at}" for at, one in enumerate(dimensions) if one in TIME_DIMENSIONS]


def _sets(dimensions: tuple[str, ...], contract: Contract) -> list[str]:
    """What cells and totals are of; a total of a stock is one of each period, as a cell is."""
    keys = [f"_d{at}" for at in range(len(dimensions))]
    always = _periods(dimensions) if contract.roles.stock else []
    of_one = [(key,) for key in keys] if len(keys) > 1 else []
    sets = [tuple(keys), *of_one, ()] if keys else [()]
    found = [tuple(key for key in keys if key in {*one, *always}) for one in sets]
    return [f"({', '.join(one)})" for one in dict.fromkeys(found)]


def _grouped(
    dimensions: tuple[str, ...],
    measures: list[str],
    coverage: tuple[str, ...],
    contract: Contract,
) -> str:
    """Cells and totals: `_t…` is 1 where a dimension is added up, then `_d…` and the numbers."""
    keys, sets = [f"_d{at}" for at in range(len(dimensions))], _sets(dimensions, contract)
    added = [f"grouping({key}) AS _t{at}" for at, key in enumerate(keys)]
    order = ", ".join([*(f"_t{at}" for at in range(len(keys))), *keys])
    persons = contract.roles.person_count
    people = f"coalesce(sum({name(persons)}), 0)" if persons else "count(*)"
    values = [f"CAST({people} AS BIGINT) AS _weight"]
    for at, measure in enumerate(measures):
        one = measure_sql(measure, contract)
        values.append(f"CAST(sum({one}) AS {measure_type(measure, contract)}) AS _m{at}")
        values.append(f"count(*) FILTER (WHERE ({one}) <> 0) AS _c{at}")
    values += [f"{coverage_sql(one, contract)} AS _v{at}" for at, one in enumerate(coverage)]
    return (
        f"SELECT {', '.join([*added, *keys, *values])} FROM counted "
        f"GROUP BY GROUPING SETS ({', '.join(sets)}) HAVING count(*) > 0"
        + (f" ORDER BY {order}" if keys else "")
    )


def _members(keys: list[str], contract: Contract) -> str:
    """The records behind each cell, as stable 64-bit numbers, and what each of them weighs."""
    persons = contract.roles.person_count
    weight = f"coalesce({name(persons)}, 0)" if persons else "1"
    values = [
        *keys,
        f"list({number_of_record()} ORDER BY record_id) AS records",
        f"list(CAST({weight} AS BIGINT) ORDER BY record_id) AS weights",
    ]
    by = ", ".join(keys)
    return (
        f"SELECT {', '.join(values)} FROM counted "
        + (f"GROUP BY {by} " if by else "")
        + "HAVING count(*) > 0"
        + (f" ORDER BY {by}" if by else "")
    )


def _columns(
    dimensions: tuple[str, ...],
    measures: list[str],
    coverage: tuple[str, ...],
    contract: Contract,
) -> tuple[OutColumn, ...]:
    declared = contract.variables
    found = [OutColumn(one, dimension_type(one, contract), declared.get(one)) for one in dimensions]
    found.append(OutColumn(LEVEL, "VARCHAR"))
    found += [OutColumn(one, measure_type(one, contract), declared.get(one)) for one in measures]
    found += [OutColumn(one, "DOUBLE", declared.get(one)) for one in coverage]
    return (*found, OutColumn(SUPPRESSED, "BOOLEAN"))


def _flow(query: Template, request: Request, contract: Contract) -> str:
    """One row a clause: counted, dropped by reason, and whether the choice cuts through counts."""
    values = (
        "coalesce(_in.n, 0) AS kept, "
        f"coalesce(_all.held, 0) AS {DROPPED}restriction, coalesce(_all.alone, 0) AS {DROPPED}k, "
        f"coalesce(_all.open, 0) - coalesce(_in.n, 0) AS {DROPPED}repeated"
    )
    of_rows = (
        "LEFT JOIN (SELECT _clause, count(*) AS n FROM counted GROUP BY _clause) AS _in "
        "ON _in._clause = _no.no LEFT JOIN (SELECT _clause, "
        "count(*) FILTER (WHERE _is_hidden) AS held, "
        "count(*) FILTER (WHERE _waits AND NOT _is_hidden) AS alone, "
        "count(*) FILTER (WHERE NOT _waits AND NOT _is_hidden) AS open FROM chosen "
        "GROUP BY _clause) AS _all ON _all._clause = _no.no"
    )
    across = any_of([cuts(request, permit, contract) for permit in query.before.permits])
    return query.flow(values, of_rows, across)
