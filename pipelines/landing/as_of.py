"""As of which day a delivery speaks: from its name, a title above its table, a column, its rows.

Not here: what the day decides (`lake.revisions`) and what a delivery is (register, correction).
"""

from __future__ import annotations

import calendar
import datetime as dt
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from schemas.contract import load_contract
from schemas.feed import AsOf, Feed
from schemas.sqltext import name

if TYPE_CHECKING:
    import duckdb

    from pipelines.landing.readers.read import TextRows

Told = Literal["name", "title", "column", "rows", "receipt"]

TITLE_ROWS = 20
HEAD_BYTES = 64 * 1024
# One date alone so long after all others is a slip of the pen rather than the end of the register.
LONGEST_GAP_DAYS = 31
FEWEST_DATES = 20


@dataclass(frozen=True)
class AsOfDay:
    """The day, and where it was found."""

    day: dt.date
    told_by: Told


def as_of_of_name(feed: Feed, file_name: str) -> dt.date | None:
    """The day in the name of a file, where the feed says that it stands there."""
    declared = feed.as_of
    if declared is None or not declared.name:
        return None
    return _found(declared, feed, declared.name, [unicodedata.normalize("NFC", file_name)])


def as_of_of_file(
    connection: duckdb.DuckDBPyConnection,
    feed: Feed,
    file: Path,
    rows: TextRows,
    *,
    accepted: Path,
    received_at: dt.datetime,
) -> AsOfDay:
    """As of which day a file speaks: as declared, else its latest plausible date.

    `text_rows` is there already, and `rows` says how the file was read; `accepted` is the Parquet
    file of accepted rows. Never after the receipt; the day of receipt where nothing tells.
    """
    latest = received_at.date()
    day, told_by = _declared(connection, feed, file, rows), _place(feed)
    if day is None:
        day, told_by = latest_plausible(connection, accepted, latest, _days(feed)), "rows"
    if day is None:
        return AsOfDay(latest, "receipt")
    return AsOfDay(min(day, latest), told_by)


def _days(feed: Feed) -> list[str]:
    """Local days that a row bears and that cannot lie after the day that closed its register."""
    contract = load_contract(feed.table)
    told = contract.days.get(contract.roles.report_time or "")
    return [day for day in (contract.event_day, told.name if told else None) if day]


def latest_plausible(
    connection: duckdb.DuckDBPyConnection, accepted: Path, latest: dt.date, days: Sequence[str]
) -> dt.date | None:
    """The latest of `days` in accepted rows that is not after `latest` and does not stand alone.

    Alone is a day of one single row, over a month after all others, in a file of many dates.
    """
    source = "read_parquet(?)"
    described = connection.execute(f"DESCRIBE SELECT * FROM {source}", [str(accepted)]).fetchall()
    present = [column for column in days if column in {row[0] for row in described}]
    if not present:
        return None
    dates = " UNION ALL ".join(
        f"SELECT source_row, {name(column)}::DATE AS day FROM accepted" for column in present
    )
    found = connection.execute(
        f"""
        WITH accepted AS (SELECT source_row, {", ".join(map(name, present))} FROM {source}),
        days AS (
            SELECT day, count(DISTINCT source_row) AS rows,
                   day - lag(day) OVER (ORDER BY day) AS gap_days, count(*) OVER () AS dates
            FROM ({dates}) WHERE day <= ? GROUP BY day)
        SELECT max(day) FROM days
        WHERE rows > 1 OR gap_days IS NULL OR gap_days <= {LONGEST_GAP_DAYS}
           OR dates < {FEWEST_DATES}
        """,
        [str(accepted), latest],
    ).fetchall()
    return found[0][0] if found else None


def _place(feed: Feed) -> Told:
    declared = feed.as_of
    if declared is None:
        return "rows"
    return "name" if declared.name else "title" if declared.title else "column"


def _declared(
    connection: duckdb.DuckDBPyConnection, feed: Feed, file: Path, rows: TextRows
) -> dt.date | None:
    declared = feed.as_of
    if declared is None:
        return None
    if declared.name:
        return as_of_of_name(feed, file.name)
    if declared.title:
        return _found(declared, feed, declared.title, _titles(file, rows))
    texts = connection.execute(
        f"SELECT DISTINCT {name(declared.column)} FROM text_rows "
        f"WHERE {name(declared.column)} IS NOT NULL"
    ).fetchall()
    days = [_day(text, declared.formats, feed.language) for (text,) in texts]
    return max(filter(None, days), default=None)


def _titles(file: Path, read: TextRows) -> list[str]:
    """The first rows of a file, as text: what may stand above its table."""
    layout = read.layout
    if layout.format == "xlsx":
        import python_calamine

        book = python_calamine.CalamineWorkbook.from_path(str(file))
        wanted = [n for n in book.sheet_names if re.fullmatch(layout.sheets, n)]
        sheets = (book.get_sheet_by_name(sheet) for sheet in wanted or book.sheet_names)
        rows = [row for sheet in sheets for row in sheet.to_python(nrows=TITLE_ROWS)]
        return [" ".join(_cell(cell) for cell in row if cell not in ("", None)) for row in rows]
    with file.open("rb") as stream:
        head = stream.read(HEAD_BYTES).decode(read.encoding or "utf-8", errors="replace")
    return head.splitlines()[:TITLE_ROWS]


def _cell(value: object) -> str:
    return value.isoformat() if isinstance(value, dt.date) else str(value)


def _found(declared: AsOf, feed: Feed, pattern: str, texts: Iterable[str]) -> dt.date | None:
    """The latest day that the pattern finds in the texts."""
    days = [
        _day(" ".join(part for part in match.groups() if part), declared.formats, feed.language)
        for text in texts
        for match in re.finditer(pattern, text)
    ]
    return max(filter(None, days), default=None)


def _day(text: str, formats: Sequence[str], language: str) -> dt.date | None:
    """The day that a text names; the last one of the month or the year where it names no day."""
    plain = _plain(text).strip()
    months = "|".join(sorted(_months(language), key=len, reverse=True))
    numbered = re.sub(
        rf"(?<![^\W\d_])(?:{months})(?![^\W\d_])\.?",
        lambda found: f"{_months(language)[found[0].rstrip('.')]:02}",
        plain,
    )
    for form in formats:
        has_name = "%B" in form or "%b" in form
        written = form.replace("%B", "%m").replace("%b", "%m")
        try:
            moment = dt.datetime.strptime(numbered if has_name else plain, _plain_form(written))
        except ValueError:
            continue
        return _last_day(moment, written)
    return None


def _plain_form(form: str) -> str:
    """A format in small letters without accents, its directives (`%Y`) as they are."""
    parts = re.split(r"(%[A-Za-z])", form)
    return "".join(part if part.startswith("%") else _plain(part) for part in parts)


def _last_day(moment: dt.datetime, form: str) -> dt.date:
    """The moment's day, or the end of the period where the format knows no day."""
    if any(sign in form for sign in ("%d", "%j", "%c", "%x")):
        return moment.date()
    month = moment.month if "%m" in form else 12
    return dt.date(moment.year, month, calendar.monthrange(moment.year, month)[1])


@cache
def _months(language: str) -> dict[str, int]:
    """The names of the months, whole and shortened, in the language and in English."""
    from babel.dates import get_month_names

    return {
        _plain(word).rstrip("."): number
        for spoken in ("en", language)
        for width in ("wide", "abbreviated")
        for number, word in get_month_names(width, locale=spoken).items()
    }


def _plain(text: str) -> str:
    split = unicodedata.normalize("NFKD", text)
    return "".join(c for c in split if not unicodedata.combining(c)).casefold()
