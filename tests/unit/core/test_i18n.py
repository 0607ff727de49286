"""Days as each language writes them."""

from __future__ import annotations

import datetime as dt

import pytest

from pipelines.core.i18n import day_words
from schemas.text import Language


@pytest.mark.parametrize(
    ("language", "day", "pattern", "words"),
    [
        ("en", 1, "medium", "1 Jun 2026"),
        ("fr", 1, "medium", "1er juin 2026"),
        ("fr", 1, "d MMM", "1er juin"),
        ("fr", 11, "d MMMM y", "11 juin 2026"),
        ("fr", 21, "medium", "21 juin 2026"),
    ],
)
def test_the_first_of_a_month_is_an_ordinal_in_french(
    language: Language, day: int, pattern: str, words: str
) -> None:
    assert day_words(dt.date(2026, 6, day), language, pattern) == words
