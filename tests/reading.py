"""A small feed made in the test itself, and one way to read a file with it.

Not here: the declared feeds; `tests/contract` and `passerelle feed check` read those.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb

from pipelines.core.duck import connect_scratch
from pipelines.core.findings import DeliveryError
from pipelines.core.settings import settings_for
from pipelines.landing.readers.read import TextRows, read_text_rows
from schemas.feed import Feed

WORDS = {"en": "x", "fr": "x"}


def make_feed(
    columns: list[str], *, file: dict[str, Any] | list[dict[str, Any]], **more: Any
) -> Feed:
    """A feed of incidents that maps `columns`: the first is the identifier."""
    targets = ["source_record_id", *(f"column_{n}" for n in range(1, len(columns)))]
    return Feed.model_validate(
        {
            "feed": "caf_test_incidents",
            "version": "1.0.0",
            "table": "incidents",
            "source": "caf_gendarmerie",
            "status": "illustrative",
            "title": WORDS,
            "language": "fr",
            "handling": "CONFIDENTIAL",
            "expected_every_days": 7,
            "file": file,
            "map": {target: {"from": name} for target, name in zip(targets, columns, strict=True)},
            **more,
        }
    )


@contextmanager
def scratch_connection() -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection as the stages open it, with a home of its own."""
    with (
        tempfile.TemporaryDirectory() as home,
        connect_scratch(settings_for(home).prepare()) as connection,
    ):
        yield connection


def read(file: Path, feed: Feed) -> tuple[TextRows, list[tuple[Any, ...]]]:
    """The rows of a delivery, in the order of their row numbers."""
    with scratch_connection() as connection:
        return read_with(connection, file, feed)


def read_with(
    connection: duckdb.DuckDBPyConnection, file: Path, feed: Feed
) -> tuple[TextRows, list[tuple[Any, ...]]]:
    """The same over a connection that is there already."""
    rows = read_text_rows(connection, file, feed)
    return rows, connection.execute("SELECT * FROM text_rows ORDER BY source_row").fetchall()


def codes(file: Path, feed: Feed) -> list[str]:
    """The codes with which a delivery is refused; none if it is read. Every one has its words."""
    try:
        read(file, feed)
    except DeliveryError as refusal:
        for one in refusal.findings:
            for language in ("en", "fr"):
                assert "…" not in one.text(language) + one.correction(language), one
        return [one.code for one in refusal.findings]
    return []
