"""What is drawn of a request before it is made: months, areas and kinds of what would leave.

Only a relation that holds nothing but what leaves is read.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING

import duckdb

from pipelines.portal.charts import Amount, Figure, Series, area_maps, bars, lines
from pipelines.portal.charts.lines import month_name
from pipelines.portal.services.menus import PERIODS
from pipelines.portal.words import _
from pipelines.release.request import Request
from schemas.agreement import RECORDS, TIME_DIMENSIONS
from schemas.codelist import labels, outermost
from schemas.contract import Contract
from schemas.sqltext import literal, name
from schemas.text import Language

if TYPE_CHECKING:
    from pipelines.release.query.selection import Selection

MOST_MONTHS = 36
LONGEST_GAP_MONTHS = 12  # older months are a slip of the pen, or another time: not drawn
EARLIEST = dt.date(1900, 1, 1)
MOST_BARS = 8


@dataclass(frozen=True)
class Summary:
    """Numbers by month, area and kind; a value is None where it is hidden."""

    measure: str
    months: tuple[tuple[str, float | None], ...] = ()
    areas: tuple[tuple[str, float | None], ...] = ()
    kind: str = ""
    kinds: tuple[tuple[str, float | None], ...] = ()
    is_counted: bool = False  # what is not listed may be too small to be listed
    whole_from: str = ""  # the first and the last month of which nothing is cut off
    whole_until: str = "9999"


def summary_of(selection: Selection) -> Summary:
    """Summarise what a request lets out: records, or counts that are protected already."""
    rows = f"read_parquet({literal(str(selection.rows))})"
    columns = [one.name for one in selection.fields]
    if selection.request.form == "counts":
        found = of_counts(
            selection.connection, rows, columns, selection.request, selection.contract
        )
    else:
        found = of_records(selection.connection, rows, columns, selection.contract)
    since, until = whole_months(
        selection.request, [p.delay_days for p in selection.allowed.permits]
    )
    return replace(found, whole_from=since, whole_until=until)


def whole_months(request: Request, delays: Sequence[int]) -> tuple[str, str]:
    """The first and the last month that neither the period asked nor a delay cuts."""
    last = request.as_of - dt.timedelta(days=max(delays, default=0))
    last = max(min(last, request.until or last), EARLIEST)
    first = min(request.since or dt.date.min, last)
    after = last + dt.timedelta(days=1)
    before = first - dt.timedelta(days=1) if first > dt.date.min else first
    # A month is whole where the day after the last, or before the first, is of another month.
    until = last if after.month != last.month else last.replace(day=1) - dt.timedelta(days=1)
    is_whole = before.month != first.month or first == dt.date.min
    since = first if is_whole else (first.replace(day=28) + dt.timedelta(days=4))
    return since.strftime("%Y-%m").zfill(7), until.strftime("%Y-%m")


def of_counts(
    connection: duckdb.DuckDBPyConnection,
    relation: str,
    columns: list[str],
    request: Request,
    contract: Contract,
) -> Summary:
    """The totals over one dimension each, as they leave: hidden ones stay hidden."""
    measure = request.measures[0]
    dimensions = [one for one in columns if one in request.dimensions]
    # each total of a stock is of one period: the latest is drawn
    periods = [one for one in dimensions if one in TIME_DIMENSIONS and contract.roles.stock]

    def by(dimension: str, order: str) -> tuple[tuple[str, float | None], ...]:
        within = [one for one in periods if one != dimension]
        level = dimension if len(dimensions) > 1 + len(within) else "cell"
        latest = [f"{name(one)} = (SELECT max({name(one)}) FROM {relation})" for one in within]
        rows = " AND ".join([f"level = '{level}'", f"{name(dimension)} IS NOT NULL", *latest])
        key = f"CAST({name(dimension)} AS VARCHAR)"
        found = connection.execute(
            f"SELECT {key} AS key, CASE WHEN NOT is_suppressed THEN {name(measure)} END AS amount "
            f"FROM {relation} WHERE {rows} ORDER BY {order}"
        ).fetchall()
        return tuple((str(one), value) for one, value in found)

    kinds = (*contract.roles.shown_by, *contract.levels, *PERIODS)
    kind = next((one for one in kinds if one in dimensions), "")
    kind = "" if kind == "month" else kind
    return Summary(
        measure="" if measure == RECORDS else measure,
        months=by("month", "key")[-MOST_MONTHS:] if "month" in dimensions else (),
        areas=by(area, "key") if (area := _first_area(contract)) in dimensions else (),
        kind=kind,
        kinds=by(kind, "amount DESC NULLS LAST, key")[:MOST_BARS] if kind else (),
        is_counted=True,
    )


def of_records(
    connection: duckdb.DuckDBPyConnection, relation: str, columns: list[str], contract: Contract
) -> Summary:
    """Summarise the records that leave; `relation` is SQL of a FROM clause."""
    roles = contract.roles
    # Rows of counts: their sum is what is of interest, but for a stock, which is never added up.
    is_sum = roles.person_count in columns and not roles.stock
    measure = roles.person_count if is_sum else None
    amount = f"sum({name(measure)})" if measure else "count(*)"

    def by(key: str, most: int, order: str = "2 DESC, 1") -> tuple[tuple[str, float | None], ...]:
        found = connection.execute(
            f"SELECT {key} AS key, {amount} FROM {relation} WHERE key IS NOT NULL "
            f"GROUP BY key ORDER BY {order} LIMIT {most}"
        ).fetchall()
        return tuple((str(one), value) for one, value in found)

    days = (contract.event_day, *roles.period[:1])
    month = next((one for one in days if one in columns), None)
    kind = next((one for one in roles.shown_by if one in columns), "")
    months = by(f"strftime({name(month)}, '%Y-%m')", MOST_MONTHS, "1 DESC") if month else ()
    return Summary(
        measure=measure or "",
        months=tuple(reversed(months)),
        areas=by(area, 100) if (area := _first_area(contract)) in columns else (),
        kind=kind,
        kinds=by(_outermost_sql(kind, contract), MOST_BARS) if kind else (),
    )


def _first_area(contract: Contract) -> str:
    """The column of first-level areas, which maps are drawn of; empty where there is none."""
    return next(iter(contract.roles.area), "")


def _outermost_sql(column: str, contract: Contract) -> str:
    """A code, or that of level 1 which holds it where its list has levels."""
    codelist = contract.column(column).codelist
    above = outermost(codelist) if codelist else {}
    if not above:
        return name(column)
    codes, tops = ([literal(one) for one in some] for some in (above, above.values()))
    found = f"MAP([{', '.join(codes)}], [{', '.join(tops)}])[{name(column)}]"
    return f"coalesce({found}, {name(column)})"


def figures(summary: Summary, contract: Contract, language: Language) -> list[Figure]:
    """The drawings: months first, then kinds, then a map for each country."""
    unit = _unit(summary.measure, contract, language)
    drawn: list[Figure] = []
    if summary.months:
        title = _("{what} by month", what=unit)
        near, far = _nearby(summary.months)
        series = Series("", tuple(_filled(replace(summary, months=near))))
        figure = lines((series,), title=title, unit=unit, language=language)
        if far:
            months = ", ".join(month_name(month, language) for month, _amount in far)
            said = _("Not drawn, more than a year before all others: {months}.", months=months)
            figure = replace(figure, notes=(*figure.notes, said))
        drawn.append(figure)
    if summary.kinds:
        label = _label(summary.kind, contract, language)
        drawn.append(
            bars(
                tuple(
                    _amount(_words(summary.kind, code, contract, language), value)
                    for code, value in summary.kinds
                ),
                title=_("{what} by {kind}", what=unit, kind=label[:1].lower() + label[1:]),
                label=label,
                unit=unit,
                language=language,
            )
        )
    if summary.areas:
        amounts = tuple(_amount(code, value) for code, value in summary.areas)
        title = _("{what} by area", what=unit)
        maps = area_maps(amounts, title=title, unit=unit, language=language)
        note = _("Blank: there is none, or too few to be told.")
        more = (note,) if summary.is_counted else ()
        drawn += [replace(one, notes=(*one.notes, *more)) for one in maps]
    return drawn


Months = tuple[tuple[str, float | None], ...]


def _nearby(months: Months) -> tuple[Months, Months]:
    """The months to draw, and those before the last long gap, for which no chart is stretched."""
    numbers = [int(month[:4]) * 12 + int(month[5:7]) for month, _amount in months]
    start = max(
        (at for at, (a, b) in enumerate(pairwise(numbers), 1) if b - a > LONGEST_GAP_MONTHS),
        default=0,
    )
    return months[start:], months[:start]


def _filled(summary: Summary) -> list[Amount]:
    """Every month from the first to the last; one that is not listed is never zero."""
    months, since, until = dict(summary.months), summary.whole_from, summary.whole_until
    first, last = min(months), max(months)
    absent = Amount.untold if summary.is_counted else Amount.silent
    year, month = int(first[:4]), int(first[5:7])
    found = []
    while (key := f"{year:04d}-{month:02d}") <= last:
        value = months.get(key)
        if value is not None and not since <= key <= until:
            found.append(Amount(key, float(value), "partial"))
        else:
            found.append(_amount(key, value) if key in months else absent(key))
        year, month = (year + 1, 1) if month == 12 else (year, month + 1)
    return found[-MOST_MONTHS:]


def _amount(label: str, value: float | None) -> Amount:
    return Amount.hidden(label) if value is None else Amount(label, float(value))


def _unit(measure: str, contract: Contract, language: Language) -> str:
    return _label(measure, contract, language) if measure else _("Records")


def _label(column: str, contract: Contract, language: Language) -> str:
    if column in PERIODS:
        return _(PERIODS[column])
    return contract.variables[column].label[language]


def _words(column: str, code: str, contract: Contract, language: Language) -> str:
    codelist = contract.variables[column].codelist if column in contract.variables else ""
    if not codelist:
        return code
    return labels(codelist, language).get(code, code)
