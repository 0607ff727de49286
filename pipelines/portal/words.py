"""The words, numbers and dates of a page in the language of the one who reads it."""

from __future__ import annotations

import datetime as dt
from contextvars import ContextVar
from typing import Any

from babel.dates import format_timedelta
from babel.numbers import format_decimal, format_percent

from pipelines.core.i18n import LOCALES, day_words, translator
from pipelines.release.policy import marking
from schemas.codelist import labels
from schemas.contract import load_contract, table_names
from schemas.organisation import purposes
from schemas.text import Language

_LANGUAGE: ContextVar[Language] = ContextVar("portal_language", default="en")
ABSENT = "–"
NO_BREAK = "\u00a0"


def use(language: Language) -> None:
    """Speak `language` for the rest of this request."""
    _LANGUAGE.set(language)


def language() -> Language:
    """The language of this request."""
    return _LANGUAGE.get()


def _(message: str, /, **values: Any) -> str:
    """An English sentence, with its named values, in the language of this request."""
    return translator(_LANGUAGE.get())(message, **values)


def level_words(level: str) -> str:
    """A handling level as it is stamped on paper: `CONFIDENTIEL`."""
    known = marking.levels().get(level)
    return known.label[language()].upper() if known else level


def organisation_name(code: str) -> str:
    """An organisation by name; of a delivery it is the source, which may be another code."""
    spoken = language()
    found = labels("organisations", spoken).get(code) or labels("sources", spoken).get(code)
    return found or code


def purpose_name(code: str) -> str:
    """A purpose in words."""
    known = purposes().get(code)
    return known.label[language()] if known else code


def table_title(table: str) -> str:
    """What a table is called."""
    return load_contract(table).title[language()] if table in table_names() else table


def number(value: float | None, decimals: int = 0) -> str:
    """A count or a measure as the language writes it; a dash where there is none."""
    if value is None:
        return ABSENT
    pattern = "#,##0" + ("." + "0" * decimals if decimals else "")
    return str(format_decimal(value, format=pattern, locale=LOCALES[language()]))


def share(value: float | None) -> str:
    """A fraction as a percentage."""
    return ABSENT if value is None else str(format_percent(value, locale=LOCALES[language()]))


def date(value: dt.date | dt.datetime | str | None) -> str:
    """A day, such as `3 Feb 2026`; ISO text is read first."""
    if not value:
        return ABSENT
    if isinstance(value, str):
        value = dt.datetime.fromisoformat(value)
    return day_words(value, language())


def moment(value: dt.datetime | str | None) -> str:
    """A day and a minute in UTC, which is said; a time without a zone is taken as UTC."""
    if not value:
        return ABSENT
    if isinstance(value, str):
        value = dt.datetime.fromisoformat(value)
    if value.tzinfo is not None:
        value = value.astimezone(dt.UTC).replace(tzinfo=None)
    return f"{day_words(value, language())}, {value:%H:%M}{NO_BREAK}UTC"


def span(value: dt.timedelta) -> str:
    """How long, roughly: `3 hours`, `2 days`."""
    return str(format_timedelta(value, locale=LOCALES[language()]))


def size(count: int | None) -> str:
    """Bytes as a person reads them: `12 KB`, `3.4 MB`."""
    if count is None:
        return ABSENT
    units = ("o", "Ko", "Mo", "Go") if language() == "fr" else ("bytes", "KB", "MB", "GB")
    amount, unit = float(count), units[0]
    for unit in units:
        if amount < 1000 or unit == units[-1]:
            break
        amount /= 1000
    return f"{number(amount, 1 if amount < 10 and unit != units[0] else 0)}{NO_BREAK}{unit}"
