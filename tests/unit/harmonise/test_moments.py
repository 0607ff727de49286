"""Days, moments and their precision at their edges: clocks, calendars, offsets, areas of a date.

Not here: the table of offsets (`test_timezones.py`), the release of days (`unit/release`).
"""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest

from tests.unit.harmonise.test_harmonise import Bench, rows_of

FORMATS = ["%d/%m/%Y %H:%M", "%d/%m/%Y %Hh", "%d/%m/%Y", "%Y-%m-%dT%H:%M", "%m/%Y", "%G-W%V", "%Y"]
HEADER = "No;Pays;Province;Date;Nature;Lat;Long;Victimes;Femmes;Hommes;Etat;Plaignant"


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    made = Bench(tmp_path)
    made.declaration["map"]["occurred_at"]["formats"] = FORMATS
    made.declaration["starts"] = "2000-01-01"
    return made


def read(bench: Bench, area: str, *texts: str) -> list[dict[str, Any]]:
    """The accepted rows of some dates as written, at one place (`country;first-level area`)."""
    rows = [f"{n};{area};{text};Vol;;;1;;;;" for n, text in enumerate(texts, 1)]
    done = bench.run(*rows, header=HEADER)
    found = rows_of(done.accepted)
    assert [row["occurred_at_text"] for row in found] == list(texts)
    return found


# As written, the local day, the moment in UTC, how exactly it is known.
JUBA = [
    # The clocks went from UTC+3 to UTC+2 at midnight: 23:00 to 24:00 of 31 January came twice.
    ("01/02/2021", dt.date(2021, 2, 1), None, "day"),
    ("31/01/2021", dt.date(2021, 1, 31), None, "day"),
    ("31/01/2021 22:59", dt.date(2021, 1, 31), dt.datetime(2021, 1, 31, 19, 59), "minute"),
    ("31/01/2021 23:30", dt.date(2021, 1, 31), dt.datetime(2021, 1, 31, 20, 30), "minute"),
    ("01/02/2021 00:00", dt.date(2021, 2, 1), dt.datetime(2021, 1, 31, 22, 0), "minute"),
    ("2021-01-31T20:59Z", dt.date(2021, 1, 31), dt.datetime(2021, 1, 31, 20, 59), "minute"),
    ("2021-01-31T21:00Z", dt.date(2021, 1, 31), dt.datetime(2021, 1, 31, 21, 0), "minute"),
    ("2021-01-31T21:59Z", dt.date(2021, 1, 31), dt.datetime(2021, 1, 31, 21, 59), "minute"),
    ("2021-01-31T22:00Z", dt.date(2021, 2, 1), dt.datetime(2021, 1, 31, 22, 0), "minute"),
    ("2021-02-01T00:30+03:00", dt.date(2021, 1, 31), dt.datetime(2021, 1, 31, 21, 30), "minute"),
    ("2026-06-30T22:30+00:00", dt.date(2026, 7, 1), dt.datetime(2026, 6, 30, 22, 30), "minute"),
    ("01/06/2026 00h", dt.date(2026, 6, 1), dt.datetime(2026, 5, 31, 22, 0), "hour"),
    # A year is a year, not the last hour of the one before.
    ("2015", dt.date(2015, 1, 1), None, "year"),
    ("03/2021", dt.date(2021, 3, 1), None, "month"),
    ("2020-W53", dt.date(2020, 12, 28), None, "week"),
    ("29/02/2024", dt.date(2024, 2, 29), None, "day"),
]


def test_a_day_is_the_day_at_the_place_and_a_moment_needs_its_time(bench: Bench) -> None:
    found = read(bench, "SSD;Central Equatoria", *(text for text, *_rest in JUBA))
    told = [
        (r["occurred_at_text"], r["occurred_on"], r["occurred_at"], r["occurred_at_precision"])
        for r in found
    ]
    assert told == JUBA


def test_where_no_area_is_known_the_offset_as_written_tells_the_day(bench: Bench) -> None:
    """DR Congo has two zones: without a province, the clocks of the writer tell; UTC tells none."""
    [late, early] = read(bench, "COD;", "2026-06-01T00:30+02:00", "2026-05-31T22:30Z")
    assert late["occurred_at"] == early["occurred_at"] == dt.datetime(2026, 5, 31, 22, 30)
    assert (late["occurred_on"], early["occurred_on"]) == (
        dt.date(2026, 6, 1),
        dt.date(2026, 5, 31),
    )


def test_an_area_is_that_of_the_local_date(bench: Bench) -> None:
    """Équateur was divided on 1 July 2015; Ouham-Fafa exists since 21 January 2021."""
    texts = ("30/06/2015", "01/07/2015", "01/07/2015 00:00", "2015-07-01T00:30+01:00")
    provinces = [row["admin1_code"] for row in read(bench, "COD;Équateur", *texts)]
    assert provinces == ["CD40", "CD41", "CD41", "CD41"]
    texts = ("20/01/2021", "21/01/2021", "21/01/2021 00:00", "2021-01-20T23:30Z")
    found = read(bench, "CAF;Ouham-Fafa", *texts)
    assert [row["quality_flags"] for row in found] == [["INC-408"], [], [], []]
    assert found[3]["occurred_on"] == dt.date(2021, 1, 21)


def test_the_coarser_of_what_is_written_and_what_is_said_holds(bench: Bench) -> None:
    bench.declaration["map"]["occurred_at_precision"] = {"from": "Plaignant"}
    bench.declaration["ignore"] = {}
    said = {"minute": "day", "month": "month", "": "day", "hour": "day"}
    rows = [f"{n};SSD;;05/03/2026;Vol;;;1;;;;{word}" for n, word in enumerate(said, 1)]
    rows += [f"{9 + n};SSD;;05/03/2026 14:30;Vol;;;1;;;;{word}" for n, word in enumerate(said)]
    found = rows_of(bench.run(*rows, header=HEADER).accepted)
    told = [row["occurred_at_precision"] for row in found]
    assert told == [*said.values(), "minute", "month", "minute", "hour"]
    moments = [row["occurred_at"] is not None for row in found]
    assert moments == [False] * 4 + [True, False, True, True]


def test_a_date_before_what_the_feed_reports_on_is_kept_with_a_warning(bench: Bench) -> None:
    dates = ("31/12/1999", "01/01/2000", "01/01/1990")
    flags = [row["quality_flags"] for row in read(bench, "SSD;", *dates)]
    assert [[code for code in row if code == "INC-413"] for row in flags] == [
        ["INC-413"],
        [],
        ["INC-413"],
    ]


def test_a_feed_that_does_not_say_where_it_starts_is_believed_for_five_years(bench: Bench) -> None:
    del bench.declaration["starts"]
    flags = [row["quality_flags"] for row in read(bench, "SSD;", "30/06/2021", "01/07/2021")]
    assert ["INC-413" in row for row in flags] == [True, False]
