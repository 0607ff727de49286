"""Why an answer is empty: its period lies outside of what is given, or nothing of it is given.

Not here: refusing (`errors.py` has the sentences) and deciding what leaves.

Whether a record is there that may not leave is not told. What is told follows from what the same
recipient is given without any choice: its first and its last month, each of them with at least as
many records as a number must have to be told. Of one offence or area few months have so many: to
take them for all that is given would be untrue.
"""

from __future__ import annotations

import calendar
import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from pipelines.release.disclosure.k_anonymity import smallest_group
from pipelines.release.errors import ReleaseError
from pipelines.release.query.flow import Flow
from pipelines.release.request import Request
from schemas.agreement import Permit
from schemas.contract import load_contract
from schemas.sqltext import name

if TYPE_CHECKING:
    import duckdb

    from pipelines.release.query.counts import CompiledCounts
    from pipelines.release.query.records import CompiledExtract

MONTHLY = ("day", "week", "month")  # the periods that tell at least the month


def absence(
    connection: duckdb.DuckDBPyConnection,
    request: Request,
    compiled: Callable[[Request], CompiledExtract | CompiledCounts],
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
