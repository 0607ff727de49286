"""Coarser forms of a request for counts, the nearest first: what somebody may ask for instead.

Not here: which of them pass (`conflict.py`). The forms follow from the request alone, never from
the data, and each could be asked for by itself.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import replace
from itertools import chain

from pipelines.release.request import Request
from schemas.agreement import RECORDS, TIME_DIMENSIONS
from schemas.contract import Contract, load_contract

_QUARTER = 3


def coarser_forms(request: Request) -> Iterator[Request]:
    """Requests of one step, then of two; `request.dimensions` are those that it is counted by."""
    seen = {request}
    once = list(_steps(request))
    for one in chain(once, (two for step in once for two in _steps(step))):
        if one not in seen:
            seen.add(one)
            yield one


def _steps(request: Request) -> Iterator[Request]:
    contract = load_contract(request.table)
    for at, dimension in enumerate(request.dimensions):
        others = (*request.dimensions[:at], *request.dimensions[at + 1 :])
        for above in _above(dimension, contract):
            if above not in others:
                yield replace(request, dimensions=(*others[:at], above, *others[at:]))
        if others:
            yield replace(request, dimensions=others)
    yield from _periods(request)
    if request.areas:
        yield replace(request, areas=())
    if request.offences:
        yield replace(request, offences=())
    if len(request.measures) > 1 and RECORDS in request.measures:
        yield replace(request, measures=(RECORDS,))


def _above(dimension: str, contract: Contract) -> tuple[str, ...]:
    """What contains a dimension, the finest first, as far as a clause opens it."""
    roles = contract.roles
    kind = contract.hierarchy.name if contract.hierarchy else None
    for ladder in (
        (*reversed(roles.area), roles.country),
        (roles.border_point, roles.country),
        (kind, *reversed(contract.levels)),
        tuple(reversed(TIME_DIMENSIONS)),
    ):
        if dimension in ladder:
            return tuple(one for one in ladder[ladder.index(dimension) + 1 :] if one)
    return ()


def _periods(request: Request) -> Iterator[Request]:
    """The whole quarters, the whole years, all time."""
    if not request.has_period:
        return
    for months in (_QUARTER, 12):
        since = _first(request.since, months) if request.since else None
        until = _last(request.until, months) if request.until else None
        if (since, until) != (request.since, request.until):
            yield replace(request, since=since, until=until)
    yield replace(request, since=None, until=None)


def _first(day: dt.date, months: int) -> dt.date:
    return day.replace(month=(day.month - 1) // months * months + 1, day=1)


def _last(day: dt.date, months: int) -> dt.date:
    month = (day.month - 1) // months * months + months
    return dt.date(day.year + month // 12, month % 12 + 1, 1) - dt.timedelta(days=1)


def changes(request: Request, coarser: Request) -> dict[str, tuple[str, ...]]:
    """What a coarser form has that is other: `dimensions`, `since`, `until`, `areas`, `offences`
    or `measures`, as it would be asked for; empty for a choice that is left out.
    """
    found: dict[str, tuple[str, ...]] = {}
    for name in ("dimensions", "areas", "offences", "measures"):
        if getattr(request, name) != getattr(coarser, name):
            found[name] = getattr(coarser, name)
    for name in ("since", "until"):
        if getattr(request, name) != getattr(coarser, name):
            day = getattr(coarser, name)
            found[name] = (day.isoformat(),) if day else ()
    return found
