"""Date formats as SQL: the quick way must read every text as trying each format in turn would.

Not here: dates within a delivery (`test_harmonise.py`), offsets and zones.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import duckdb
import pytest

from pipelines.core.duck import LOOKUP_KEY_MACRO, RECORD_KEY_MACROS
from pipelines.harmonise.expressions import (
    formats_of,
    has_time,
    instant_of,
    text_of,
    wall_of,
)
from pipelines.harmonise.macros import install_macros
from schemas.contract import load_contract
from schemas.feed import Mapping, feed_names, load_feed


@pytest.fixture(scope="module")
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection with the readers that these expressions call."""
    with duckdb.connect() as opened:
        opened.execute(LOOKUP_KEY_MACRO + ";" + RECORD_KEY_MACROS)
        install_macros(opened)
        yield opened


FORMATS = [
    ["%d/%m/%Y %H:%M", "%d/%m/%Y"],
    ["%d/%m/%Y %H:%M", "%d/%m/%Y %Hh%M", "%d/%m/%Y"],
    ["%d %B %Y %Hh%M", "%d %B %Y"],
    ["%d-%b-%Y %H:%M", "%d-%b-%Y", "%Y-%m-%d %H:%M:%S", "%Y-%m-%d"],
    ["%Y-%m-%dT%H:%M", "%Y-%m-%d"],
    ["%d/%m/%Y"],
    ["%H:%M"],
    ["%y%m%d", "%Y%m%d %H%M"],
]
TEXTS = [
    "03/06/2026", "03/06/2026 14:05", "03/06/2026 14h05", "03/06/2026 14H05", "31/02/2026",
    "31/02/2026 10:00", "3 March 2026", "3 March 2026 9h30", "03-Oct-2026", "03-Oct-2026 23:59",
    "2026-06-03", "2026-06-03 00:00:00", "2026-06-03T07:45", "2026-06-03t07:45", "260603",
    "20260603 0745", "14:05", "", " ", ":", "h", "T", "03/06/2026 :", "03/06/2026  14:05",
    "03-Oct-2026 22:30:00", "2026-06-03 22:30", "2026-06-03 1229 hrs", "03/06/2026 22:30:00",
    "03/06/2026 14:05 ", "le 03/06/2026", "03.06.2026", "03/06/26", None,
]  # fmt: skip


def every_declared() -> list[list[str]]:
    found = set()
    for feed in map(load_feed, feed_names()):
        for mapping in feed.map.values():
            found.add(tuple(formats_of(feed, mapping)[1]))
    return [list(formats) for formats in sorted(found) if formats]


@pytest.mark.parametrize("formats", [*FORMATS, *every_declared()], ids=" | ".join)
def test_signs_only_spare_formats_that_could_not_fit(
    connection: duckdb.DuckDBPyConnection, formats: list[str]
) -> None:
    timed = [form for form in formats if "%H" in form]
    for text in TEXTS:
        query = (
            f"SELECT {wall_of(formats, 'text')}, try_strptime(text, ?),"
            f" {has_time(formats, 'text')}, try_strptime(text, ?) IS NOT NULL"
            " FROM (SELECT ?::VARCHAR AS text)"
        )
        row = connection.execute(query, [formats, timed or ["%H:%M !"], text]).fetchone()
        assert row is not None
        read, plainly, is_timed, is_plainly_timed = row
        assert plainly in (read, None), text
        if plainly is not None:
            assert is_timed == is_plainly_timed, text


def test_a_letter_of_a_month_is_no_hour() -> None:
    assert "contains" not in has_time(["%d %B %Y %Hh%M", "%d %B %Y"], "text")
    assert has_time(["%d %B %Y %H:%M", "%d %B %Y"], "text") == "contains(text, ':')"


@pytest.mark.parametrize(
    ("feed", "text"),
    [
        ("ssd_ssnps_incidents", "10-May-2026 22:30:00"),  # an Excel time beside a date in text
        ("ssd_ssnps_incidents", "2026-05-10 22:30"),  # and an Excel date beside a time in text
        ("ssd_ssnps_incidents", "2026-05-10 22:30:00"),
        ("ssd_immigration_border_crossings", "10/05/2026 22:30:00"),
        ("ssd_immigration_border_crossings", "2026-05-10 22:30"),
        ("ssd_immigration_border_crossings", "2026-05-10 2230 hrs"),
    ],
)
def test_a_workbook_may_know_the_day_or_the_hour_alone(
    connection: duckdb.DuckDBPyConnection, feed: str, text: str
) -> None:
    declared = load_feed(feed)
    formats = formats_of(declared, declared.map["occurred_at"])[1]
    query = (
        f"SELECT {wall_of(formats, 't')}, {has_time(formats, 't')} FROM (SELECT ?::VARCHAR AS t)"
    )
    assert connection.execute(query, [text]).fetchone() == (dt.datetime(2026, 5, 10, 22, 30), True)


def test_one_cell_of_a_workbook_mixes_no_formats() -> None:
    declared = load_feed("caf_police_incidents")
    formats = formats_of(declared, declared.map["occurred_at"])[1]
    assert formats == [*declared.dates, "%Y-%m-%d %H:%M:%S", "%Y-%m-%d"]


@pytest.mark.parametrize(
    ("offset", "hour"),
    [("Z", 19), ("z", 19), ("+02:00", 17), ("+0200", 17), ("+02", 17), ("-05:30", 1), ("+14:00", 5)]
    + [(offset, None) for offset in ("+25:00", "+02:75", "+14:30", "-15", "+2", "")],
)
def test_an_offset_that_no_clock_has_is_not_read(
    connection: duckdb.DuckDBPyConnection, offset: str, hour: int | None
) -> None:
    query = f"SELECT {instant_of(['%Y-%m-%dT%H:%M%z'], 't')} FROM (SELECT ?::VARCHAR AS t)"
    row = connection.execute(query, ["2026-05-07T19:30" + offset]).fetchone()
    assert row is not None
    assert (row[0] and row[0].hour) == hour


@pytest.mark.parametrize(
    ("formats", "text", "expected"),
    [
        (["%Y-%m-%dT%H:%M:%S%z"], "2026-05-08T22:15:00.345+01:00", "2026-05-08 21:15:00.345"),
        (["%Y-%m-%dT%H:%M:%S%z"], "2026-05-08T22:15:00.000Z", "2026-05-08 22:15:00"),
        (["%Y-%m-%dT%H:%M:%S%z"], "2026-05-08T22:15:00,5+0100", "2026-05-08 21:15:00.5"),
        (
            ["%Y-%m-%dT%H:%M:%S%z"],
            "2026-05-08T22:15:00.1234567-05:00",
            "2026-05-09 03:15:00.123456",
        ),
        (["%Y-%m-%dT%H:%M:%S.%f%z"], "2026-05-08T22:15:00.345+01:00", "2026-05-08 21:15:00.345"),
        (["%Y-%m-%dT%H:%M:%S"], "2026-05-08T22:15:00.345", "2026-05-08 22:15:00.345"),
        (["%Y-%m-%dT%H:%M:%S"], "2026-05-08T22:15:00Z", "2026-05-08 22:15:00"),
        (["%Y-%m-%dT%H:%M"], "2026-05-08T22:15-05:00", "2026-05-09 03:15:00"),
        (["%Y-%m-%d %H:%M:%S", "%Y-%m-%d"], "2026-05-08 22:15:00.1+01:00", "2026-05-08 21:15:00.1"),
        (["%Y-%m-%dT%H:%M:%S%z"], "2026-05-08 22:15:00+01:00", "2026-05-08 21:15:00"),
        (["%Y-%m-%dT%H:%M:%S", "%Y-%m-%d"], "2026-05-08 22:15:00.5", "2026-05-08 22:15:00.5"),
        (["%d %B %Y"], "8 mai 2026", "2026-05-08 00:00:00"),
        (["%d %B %Y %Hh%M"], "8 Août 2026 14h05", "2026-08-08 14:05:00"),
        (["%d-%b-%Y"], "08-FÉVR.-2026", "2026-02-08 00:00:00"),
        (["%d-%b-%Y"], "08-déc-2026", "2026-12-08 00:00:00"),
        (["%d %B %Y"], "30 février 2026", None),
        (["%d %B %Y"], "8 brumaire 2026", None),
        (["%Y-%m-%dT%H:%M:%S"], "2026-05-08T22:15:00.", None),
        (["%Y-%m-%dT%H:%M"], "2026-05-08T22:15+25:00", None),
        (["%Y-%m-%dT%H:%M:%S%z"], "2026-02-30T22:15:00.000Z", None),
    ],
)
def test_forms_of_time_that_no_format_needs_to_name(
    connection: duckdb.DuckDBPyConnection, formats: list[str], text: str, expected: str | None
) -> None:
    offsets = [form for form in formats if "%z" in form]
    local = [form for form in formats if form not in offsets]
    query = (
        f"SELECT coalesce({instant_of(offsets, 't', local)}, {wall_of(local, 't')}), "
        f"{has_time(formats, 't')} FROM (SELECT ?::VARCHAR AS t)"
    )
    found, is_timed = connection.execute(query, [text]).fetchone() or (None, None)
    assert found == (expected and dt.datetime.fromisoformat(expected))
    assert expected is None or is_timed == (":" in text or "h" in text)


@pytest.mark.parametrize(
    ("target", "cells", "expected"),
    [
        ("source_record_id", ("A", "1"), "A/1"),
        ("source_record_id", ("A", None), None),
        ("source_record_id", ("A", "-"), None),
        ("source_record_id", (None, "1"), None),
        ("document_number", ("A", None), None),
        ("place_text", ("A", "1"), "A/1"),
        ("place_text", ("A", None), "A"),
        ("place_text", (None, None), None),
    ],
)
def test_half_a_number_is_no_number(
    target: str, cells: tuple[str | None, str | None], expected: str | None
) -> None:
    feed = load_feed("caf_border_crossings")
    table = "incidents" if target == "place_text" else feed.table
    column = load_contract(table).column(target)
    text = text_of(feed, Mapping.model_validate({"from": ["a", "b"], "join": "/"}), column)
    query = f"SELECT {text} FROM (SELECT ?::VARCHAR AS a, ?::VARCHAR AS b)"
    assert duckdb.execute(query, list(cells)).fetchone() == (expected,)
