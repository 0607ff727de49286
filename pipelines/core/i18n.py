"""The program's own sentences: English in the code, French in a gettext catalogue read with Babel.

Not here: words of the data (contracts, code lists, feeds), which carry both languages themselves.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from schemas.text import Language

LOCALE_FOLDER = Path(__file__).parents[1] / "locale"

LOCALES: dict[Language, str] = {"en": "en_GB", "fr": "fr_FR"}

Translator = Callable[..., str]


@cache
def _catalogue(language: Language) -> dict[str, str]:
    # The .po itself is read (10 ms): no compiled file to forget, nothing generated to commit.
    from babel.messages.pofile import read_po

    with (LOCALE_FOLDER / f"{language}.po").open("rb") as stream:
        catalogue = read_po(stream, locale=language)
    return {str(m.id): str(m.string) for m in catalogue if m.id and m.string}


def translator(language: Language) -> Translator:
    """A function from an English sentence, with named values, to the same in `language`."""

    def translate(message: str, **values: Any) -> str:
        words = message if language == "en" else _catalogue(language).get(message, message)
        return words.format(**values) if values else words

    return translate


def mark(message: str) -> str:
    """The same sentence: marks it for the catalogues where it is declared before it is said."""
    return message


def day_words(day: dt.date, language: Language, pattern: str = "medium") -> str:
    """A day by a pattern of Babel that begins with it: 3 Feb 2026, 3 févr. 2026, 1er févr. 2026."""
    from babel.dates import format_date

    words = str(format_date(day, pattern, locale=LOCALES[language]))
    # French says the first of a month as an ordinal, for which there is no pattern.
    return f"1er{words[1:]}" if language == "fr" and day.day == 1 else words
