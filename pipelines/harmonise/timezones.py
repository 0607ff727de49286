"""Wall-clock time to UTC by place and date, as a small table that a query joins.

Not here: parsing of date text (`expressions.py`) and which zone a place has (code lists).

DuckDB's own `timezone(zone, t)` is right but slow when the zone differs by row (8 s for 5 million
rows on four cores); a zone has a handful of offsets since 1980, so a join does the same in 0.2 s.
The offsets come from the `zoneinfo` database, not from us.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from functools import cache
from zoneinfo import ZoneInfo

import pyarrow as pa

FIRST_YEAR, LAST_YEAR = 1980, 2060
_STEP = dt.timedelta(days=7)  # no zone has changed twice within a week
_EDGE = dt.timedelta(minutes=1)

Period = tuple[dt.datetime, dt.datetime, dt.datetime, dt.datetime, int]


def zone_offsets(zones: Iterable[str]) -> pa.Table:
    """The offsets of `zones`: zone, wall_from, wall_to, utc_from, utc_to, offset_minutes.

    Both periods are half-open, by the clocks at the place and in UTC.

    A wall time that occurs twice (clocks put back) is read as the earlier of the two; one that
    never occurs (clocks put forward) is read with the offset before the change. The first and the
    last period reach as far as dates go, since a wrong year is a rule's business.
    """
    rows = [(zone, *period) for zone in sorted(set(zones)) for period in _periods(zone)]
    bounds = dict.fromkeys(("wall_from", "wall_to", "utc_from", "utc_to"), pa.timestamp("us"))
    types = {"zone": pa.string(), **bounds, "offset_minutes": pa.int32()}
    return pa.table(
        {
            column: pa.array([row[at] for row in rows], type_)
            for at, (column, type_) in enumerate(types.items())
        }
    )


@cache
def _periods(zone: str) -> tuple[Period, ...]:
    info = ZoneInfo(zone)
    periods: list[Period] = []
    instant = dt.datetime(FIRST_YEAR, 1, 1, tzinfo=dt.UTC)
    end = dt.datetime(LAST_YEAR, 1, 1, tzinfo=dt.UTC)
    wall_start = utc_start = dt.datetime.min
    while instant < end:
        following = min(instant + _STEP, end)
        before = _offset(info, instant)
        if _offset(info, following) != before:
            change = _change(info, instant, following).replace(tzinfo=None)
            wall = change + before
            periods.append((wall_start, wall, utc_start, change, _minutes(before)))
            wall_start, utc_start = wall, change
        instant = following
    last = dt.datetime(9999, 12, 31)
    periods.append((wall_start, last, utc_start, last, _minutes(_offset(info, end))))
    return tuple(periods)


def _change(info: ZoneInfo, low: dt.datetime, high: dt.datetime) -> dt.datetime:
    before = _offset(info, low)
    while high - low > _EDGE:
        middle = (low + (high - low) / 2).replace(second=0, microsecond=0)
        middle = max(middle, low + _EDGE)
        if middle >= high:
            break
        low, high = (middle, high) if _offset(info, middle) == before else (low, middle)
    return high


def _offset(info: ZoneInfo, instant: dt.datetime) -> dt.timedelta:
    return instant.astimezone(info).utcoffset() or dt.timedelta()


def _minutes(offset: dt.timedelta) -> int:
    return int(offset.total_seconds() // 60)
