"""Wall-clock time to UTC: the offsets table says what `zoneinfo` says, at every hour.

Not here: how a query joins it.
"""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import pytest

from pipelines.harmonise.timezones import zone_offsets

ZONES = ["Africa/Bangui", "Africa/Juba", "Africa/Kinshasa", "Africa/Lubumbashi", "Europe/Paris"]


def _offset_minutes(zone: str, wall: dt.datetime) -> int:
    rows = [
        row for row in zone_offsets([zone]).to_pylist() if row["wall_from"] <= wall < row["wall_to"]
    ]
    assert len(rows) == 1
    return int(rows[0]["offset_minutes"])


@pytest.mark.parametrize("zone", ZONES)
def test_every_third_day_since_1990_agrees_with_zoneinfo(zone: str) -> None:
    walls = [dt.datetime(1990, 1, 1, 11) + dt.timedelta(days=3 * n) for n in range(4500)]
    table = zone_offsets([zone]).to_pylist()
    for wall in walls:
        offset = wall.replace(tzinfo=ZoneInfo(zone)).utcoffset()
        assert offset is not None
        found = [r["offset_minutes"] for r in table if r["wall_from"] <= wall < r["wall_to"]]
        assert found == [int(offset.total_seconds() // 60)]


def test_south_sudan_moved_its_clocks_on_1_february_2021() -> None:
    assert _offset_minutes("Africa/Juba", dt.datetime(2021, 1, 31, 22, 59)) == 180
    # 23:30 came twice that night; the earlier reading is taken.
    assert _offset_minutes("Africa/Juba", dt.datetime(2021, 1, 31, 23, 30)) == 180
    assert _offset_minutes("Africa/Juba", dt.datetime(2021, 2, 1, 0, 0)) == 120


def test_the_two_zones_of_the_drc_differ_by_an_hour() -> None:
    noon = dt.datetime(2026, 5, 1, 12)
    assert _offset_minutes("Africa/Kinshasa", noon) == 60
    assert _offset_minutes("Africa/Lubumbashi", noon) == 120


def test_the_periods_of_a_zone_leave_no_gap() -> None:
    for zone in ZONES:
        rows = zone_offsets([zone]).to_pylist()
        assert [r["wall_to"] for r in rows[:-1]] == [r["wall_from"] for r in rows[1:]]


def test_no_zone_gives_an_empty_table() -> None:
    assert zone_offsets([]).num_rows == 0
