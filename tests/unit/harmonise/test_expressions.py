"""Date formats as SQL: the quick way must read every text as trying each format in turn would.

Not here: dates within a delivery (`test_harmonise.py`), offsets and zones.
"""

from __future__ import annotations

import duckdb
import pytest

from pipelines.harmonise.expressions import formats_of, has_time, wall_of
from schemas.feed import feed_names, load_feed

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
    "03/06/2026 14:05 ", "le 03/06/2026", "03.06.2026", "03/06/26", None,
]  # fmt: skip


def every_declared() -> list[list[str]]:
    found = set()
    for feed in map(load_feed, feed_names()):
        for mapping in feed.map.values():
            found.add(tuple(formats_of(feed, mapping)[1]))
    return [list(formats) for formats in sorted(found) if formats]


@pytest.mark.parametrize("formats", [*FORMATS, *every_declared()], ids=" | ".join)
def test_signs_only_spare_formats_that_could_not_fit(formats: list[str]) -> None:
    timed = [form for form in formats if "%H" in form]
    with duckdb.connect() as connection:
        for text in TEXTS:
            query = (
                f"SELECT {wall_of(formats, 'text')}, try_strptime(text, ?),"
                f" {has_time(formats, 'text')}, try_strptime(text, ?) IS NOT NULL"
                " FROM (SELECT ?::VARCHAR AS text)"
            )
            row = connection.execute(query, [formats, timed or ["%H:%M !"], text]).fetchone()
            assert row is not None
            read, plainly, is_timed, is_plainly_timed = row
            assert read == plainly, text
            if read is not None:
                assert is_timed == is_plainly_timed, text


def test_a_letter_of_a_month_is_no_hour() -> None:
    assert "contains" not in has_time(["%d %B %Y %Hh%M", "%d %B %Y"], "text")
    assert has_time(["%d %B %Y %H:%M", "%d %B %Y"], "text") == "contains(text, ':')"
