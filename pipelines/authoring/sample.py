"""A sample as text rows in DuckDB, and small questions about its columns.

Not here: the layout (`sniff.py`) and what a column could mean (`match.py`).

The rows are read by the reader that will read the deliveries, so a proposal is made of exactly the
texts that the feed will see.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb

from pipelines.authoring.sniff import LayoutGuess
from pipelines.core.duck import connect_scratch
from pipelines.core.settings import settings_for
from pipelines.harmonise.macros import install_macros
from pipelines.landing.columns import SHEET_COLUMN
from pipelines.landing.invisible_signs import with_western_digits
from pipelines.landing.readers.json import open_json
from pipelines.landing.readers.read import read_text_rows
from schemas.feed import Feed, Layout
from schemas.sqltext import literal, name

ROWS = "sample_rows"
TOTALS_WITHIN = 4
NO_VALUE_WORDS = (
    *("-", "--", "—", "/", "n/a", "na", "nd", "n/d", "nil", "none", "null", "néant", "nan"),
    *("?", "<", "not available", "not applicable", "non renseigné", "sans objet"),
)


@dataclass
class Sample:
    """The rows of a sample, in ROWS of `connection`; `headings` are its columns.

    `blanks` are words for *no value* that occur in it; `totals` is the column in which rows of
    sums are marked, empty where there are none. Those rows are not in ROWS.
    """

    connection: duckdb.DuckDBPyConnection
    headings: list[str]
    blanks: tuple[str, ...] = ()
    totals: str = ""
    _texts: dict[str, str] = field(default_factory=dict, repr=False)

    def filled(self, heading: str) -> str:
        """SQL of the text of a column, NULL where it says that there is no value."""
        if not self.blanks:
            return name(heading)
        cell = name(heading)
        return f"CASE WHEN lower({cell}) NOT IN ({_listed(self.blanks)}) THEN {cell} END"

    def texts(self, text_sql: str) -> str:
        """The table (text, times) of the different texts of an expression, made once."""
        if text_sql not in self._texts:
            table, read = f"texts_{len(self._texts)}", with_western_digits(text_sql, ".")
            self.connection.execute(
                f"CREATE TEMP TABLE {table} AS SELECT text, count(*) AS times FROM "
                f"(SELECT {read} AS text FROM {ROWS}) WHERE text IS NOT NULL GROUP BY text"
            )
            self._texts[text_sql] = table
        return self._texts[text_sql]

    def words(self, heading: str) -> dict[str, int]:
        """The texts of a column, the commonest first, with their numbers of rows."""
        rows = self.connection.execute(
            f"SELECT text, times FROM {self.texts(self.filled(heading))} ORDER BY times DESC, text"
        ).fetchall()
        return {text: int(times) for text, times in rows}

    def share(self, condition: str, text_sql: str) -> float:
        """The share of the rows with a text for which a condition on `text` holds; 0 of none."""
        [(hits, rows)] = self.connection.execute(
            f"SELECT sum(times) FILTER ({condition}), sum(times) FROM {self.texts(text_sql)}"
        ).fetchall()
        return float(hits or 0) / float(rows) if rows else 0.0

    def count(self, sql: str) -> int:
        """One number from a query."""
        [(number,)] = self.connection.execute(sql).fetchall()
        return int(number)

    def keys(self, texts: list[str]) -> list[str]:
        """The look-up key of each text, by the macro that the pipeline uses."""
        rows = self.connection.execute(
            "SELECT lookup_key(text) FROM (SELECT unnest(?::VARCHAR[]) AS text)", [texts]
        ).fetchall()
        return [key or "" for (key,) in rows]


@contextmanager
def open_sample(sample: Path, sniffed: LayoutGuess, table: str) -> Iterator[Sample]:
    """The sample, read by a provisional feed that maps every column.

    Raises DeliveryError where the file cannot be read in that layout.
    """
    with TemporaryDirectory(prefix="sample-") as place:
        settings = settings_for(place).prepare()
        with connect_scratch(settings) as connection:
            install_macros(connection, "number_month(")
            headings = [h for h in sniffed.headings if h] or _json_headings(
                connection, sample, sniffed, Path(place)
            )
            has_sheets = "|" in sniffed.layout.get("sheets", "")
            if has_sheets:
                sniffed.layout["with_sheet_column"] = True
                headings = [*headings, SHEET_COLUMN]
            feed = provisional_feed(sniffed.layout, headings, table)
            read_text_rows(connection, sample, feed)
            totals = _total_column(connection, headings)
            kept = f"WHERE NOT coalesce({name(totals)} ILIKE 'total%', FALSE)" if totals else ""
            connection.execute(f"CREATE TEMP TABLE {ROWS} AS SELECT * FROM text_rows {kept}")
            yield Sample(connection, headings, _blanks(connection, headings), totals)


def provisional_feed(layout: dict[str, object], headings: list[str], table: str) -> Feed:
    """A feed that reads every column of a layout as it stands."""
    words = {"en": "-", "fr": "-"}
    return Feed.model_validate(
        {
            "feed": "sample",
            "version": "0.0.0",
            "table": table,
            "source": "-",
            "status": "illustrative",
            "title": words,
            "language": "en",
            "handling": "CONFIDENTIAL",
            "expected_every_days": 1,
            "file": {**layout, "name": "*"},
            "map": {f"c{at}": {"from": heading} for at, heading in enumerate(headings)},
        }
    )


def _json_headings(
    connection: duckdb.DuckDBPyConnection, sample: Path, sniffed: LayoutGuess, place: Path
) -> list[str]:
    layout = Layout.model_validate(sniffed.layout)
    return list(open_json(connection, sample, sample, layout, place).headings)


def _total_column(connection: duckdb.DuckDBPyConnection, headings: list[str]) -> str:
    """The column, among the first few, in which a row says that it is a total."""
    for heading in headings[:TOTALS_WITHIN]:
        query = f"SELECT count(*) FROM text_rows WHERE {name(heading)} ILIKE 'total%'"
        [(totals,)] = connection.execute(query).fetchall()
        if totals:
            return heading
    return ""


def _blanks(connection: duckdb.DuckDBPyConnection, headings: list[str]) -> tuple[str, ...]:
    """The words for *no value* that occur in the sample."""
    seen: set[str] = set()
    for heading in headings:
        cell = f"lower({name(heading)})"
        rows = connection.execute(
            f"SELECT DISTINCT {cell} FROM {ROWS} WHERE {cell} IN ({_listed(NO_VALUE_WORDS)})"
        ).fetchall()
        seen.update(text for (text,) in rows)
    return tuple(word for word in NO_VALUE_WORDS if word in seen)


def _listed(words: tuple[str, ...]) -> str:
    return ", ".join(literal(word) for word in words)
