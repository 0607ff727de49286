"""What became of the rows by clause, what is told of it, and why an answer is empty.

Not here: counting them, which is the query's (`template.py`).

A manifest must not give away what the extract protects, so a number smaller than the threshold of
the clauses is told as `<n`. Kept rows are told exactly, since the recipient can count them; others
are told down to a multiple of n, or two requests one day apart would tell a single row by their
difference. Of a narrow choice what was masked and dropped is not told at all: asked day by day and
area by area, even "some" would say when and where a record is kept back, and in which a cell. That
others lie across a choice is told without a number: whoever asks without one gets them.

Of an empty answer it is not told whether a record is there that may not leave. What is told follows
from what the same recipient is given without any choice: its first and its last month, each of them
with at least as many records as a number must have to be told. Of one offence or area few months
have so many: to take them for all that is given would be untrue.
"""

from __future__ import annotations

import calendar
import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from pipelines.release.disclosure.k_anonymity import smallest_group
from pipelines.release.errors import ReleaseError
from pipelines.release.query.template import ACROSS, DROPPED, KEPT, MASKED, CompiledQuery
from pipelines.release.request import Request
from schemas.agreement import Permit
from schemas.contract import load_contract
from schemas.sqltext import name

if TYPE_CHECKING:
    import duckdb

MONTHLY = ("day", "week", "month")  # the periods that tell at least the month


@dataclass(frozen=True)
class ClauseFlow:
    """The rows of one clause; exact numbers, for this installation only."""

    clause: str
    kept: int
    coarsened: int = 0
    masked: Mapping[str, int] = field(default_factory=dict)
    dropped: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Flow:
    """The flow of an extract; `told()` is what may leave."""

    clauses: tuple[ClauseFlow, ...]
    shown_from: int
    are_kept_told: bool = True  # counts: the rows behind the cells are not told by clause
    is_withheld_told: bool = True  # not of a narrow choice
    has_others_across: bool = False  # told so coarsely that they lie partly outside the choice

    @property
    def kept(self) -> int:
        """How many rows the extract was made of."""
        return sum(one.kept for one in self.clauses)

    def told(self) -> list[dict[str, object]]:
        """By clause, for a manifest or a page: texts such as `412`, `<5` and `≥35`."""
        return [
            {
                "clause": one.clause,
                "kept": str(one.kept) if self.are_kept_told else self._rough(one.kept),
                "coarsened": self._rough(one.coarsened),
                "masked": self._withheld(one.masked),
                "dropped": self._withheld(one.dropped),
            }
            for one in self.clauses
        ]

    def _withheld(self, numbers: Mapping[str, int]) -> dict[str, str]:
        told = numbers if self.is_withheld_told else {}
        return {what: self._rough(n) for what, n in told.items() if n}

    def _rough(self, number: int) -> str:
        if number == 0:
            return "0"
        if number < self.shown_from:
            return f"<{self.shown_from}"
        return f"≥{number - number % self.shown_from}"


def read_flow(
    connection: duckdb.DuckDBPyConnection,
    flow_sql: str,
    *,
    shown_from: int,
    are_kept_told: bool = True,
    is_withheld_told: bool = True,
) -> Flow:
    """Run the `flow_sql` of an extract; every clause is listed, also one that gave nothing."""
    answer = connection.execute(flow_sql)
    names = [one[0] for one in answer.description or ()]
    found, has_others_across = [], False
    for row in answer.fetchall():
        values = dict(zip(names, row, strict=True))
        has_others_across |= bool(values.pop(ACROSS, False))
        numbers = {key: int(n or 0) for key, n in values.items() if key != "clause"}
        found.append(
            ClauseFlow(
                clause=values["clause"],
                kept=numbers[KEPT],
                coarsened=numbers.get("coarsened", 0),
                masked=_of(numbers, MASKED),
                dropped=_of(numbers, DROPPED),
            )
        )
    return Flow(tuple(found), shown_from, are_kept_told, is_withheld_told, has_others_across)


def _of(numbers: Mapping[str, int], prefix: str) -> dict[str, int]:
    return {
        key.removeprefix(prefix): number
        for key, number in numbers.items()
        if key.startswith(prefix)
    }


def absence(
    connection: duckdb.DuckDBPyConnection,
    request: Request,
    compiled: Callable[[Request], CompiledQuery],
) -> ReleaseError:
    """REL-124 where the period lies before or after all that is given, else REL-125."""
    if request.has_period:
        wide = compiled(replace(request, since=None, until=None))
        day = load_contract(request.table).event_day
        if day and all({day, *MONTHLY} & {*p.columns, *p.dimensions} for p in wide.permits):
            span = _span(connection, request.table, day, wide.holdings_sql, wide.shown_from)
            if span and _is_outside(request, *span):
                return ReleaseError("REL-124", first=span[0], last=span[1])
    return ReleaseError("REL-125")


def require_some(absent: ReleaseError, permits: Sequence[Permit], flow: Flow) -> None:
    """Raise ReleaseError where nothing leaves and records must be alike to leave.

    Also where there were none: else the refusal would say that there is a record, and the request
    when and where. That a period lies outside of all that is given may be said.
    """
    least = max(smallest_group(permit) for permit in permits)
    if least > 1 and absent.code == "REL-124":
        raise absent
    if least > 1:
        raise ReleaseError("REL-107", "across" if flow.has_others_across else "", k=least)


def _span(
    connection: duckdb.DuckDBPyConnection, table: str, day: str, holdings_sql: str, least: int
) -> tuple[str, str] | None:
    [(first, last)] = connection.execute(
        f"SELECT min(month), max(month) FROM (SELECT strftime({name(day)}, '%Y-%m') AS month "
        f"FROM {name(table)} SEMI JOIN (SELECT record_id FROM ({holdings_sql})) USING (record_id) "
        f"WHERE {name(day)} IS NOT NULL GROUP BY month HAVING count(*) >= {int(least)})"
    ).fetchall()
    return (first, last) if first else None


def _is_outside(request: Request, first: str, last: str) -> bool:
    year, month = (int(part) for part in last.split("-"))
    ends = dt.date(year, month, calendar.monthrange(year, month)[1])
    begins = dt.date.fromisoformat(f"{first}-01")
    return bool(
        (request.until and request.until < begins) or (request.since and request.since > ends)
    )
