"""A delivery's file as text rows: `text_rows(source_row, <the feed's columns>)` in DuckDB.

Not here: each format (`delimited`, `workbook`, `jsontext`), what the texts mean (`harmonise`).

`source_row` is the number that a person sees: the row in the spreadsheet program, header included;
the line of NDJSON; the ordinal of a record in a JSON array. For several sheets of a workbook see
`workbook.sheet_and_row`.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path

import duckdb

from pipelines.findings import Finding
from pipelines.landing.columns import matched
from pipelines.landing.delimited import ROW_NUMBER, open_delimited, stage_delimited
from pipelines.landing.encoding import as_utf8
from pipelines.landing.jsontext import open_json, stage_json
from pipelines.landing.refuse import MEGABYTE, refused
from pipelines.landing.staging import Staged, show, spill_folder
from pipelines.landing.workbook import open_workbook, stage_workbook
from pipelines.settings import DEFAULT_LARGEST_DELIVERY_BYTES
from schemas.feed import Feed, Layout
from schemas.sqltext import name


@dataclass(frozen=True)
class TextRows:
    """What was read: columns by the feed's names, how many data rows, and how.

    `rows_unsplit` counts records of a delimited file that have more or fewer cells than the
    headings: none of `row_count`, and without cells.
    `encoding` is a Python codec name, empty for workbooks. `notes` are warnings. `rows_skipped`
    counts rows that the feed declares as no data. `sheets` are those of a workbook that
    were read, in its order. `has_line_records` says that each record of a delimited file is proved
    to be one line of it.
    """

    columns: list[str]
    row_count: int
    encoding: str
    layout: Layout
    notes: list[Finding] = field(default_factory=list)
    rows_unsplit: int = 0
    rows_skipped: int = 0
    sheets: tuple[str, ...] = ()
    has_line_records: bool = False


def read_text_rows(
    connection: duckdb.DuckDBPyConnection,
    delivery_file: Path,
    feed: Feed,
    table_name: str = "text_rows",
    *,
    largest_bytes: int = DEFAULT_LARGEST_DELIVERY_BYTES,
) -> TextRows:
    """Make the temporary view `table_name(source_row BIGINT, <columns> VARCHAR)` of a delivery.

    Its columns are those that the feed maps, spelled as in the feed; ignored ones are not read.
    Texts are trimmed, and NULL where nothing is left. Entirely blank rows are not there. Beside it,
    `<table_name>_unsplit(source_row)` has the rows that could not be split into columns.
    Raises DeliveryRefused, whose findings (DEL-7xx) name every wrong column at once.
    """
    layout = layout_of(feed, delivery_file)
    size = delivery_file.stat().st_size
    if size > largest_bytes:
        raise refused("DEL-718", delivery_file, limit_mb=largest_bytes // MEGABYTE)
    if size == 0:
        raise refused("DEL-706", delivery_file)
    reading = _Reading(connection, delivery_file, feed, layout, table_name)
    return _workbook(reading) if layout.format == "xlsx" else _text(reading)


def layout_of(feed: Feed, file: Path) -> Layout:
    """The layout of the feed that a file of this name has; the ending decides where names do not.

    Raises DeliveryRefused (DEL-725) where the name matches none.
    """
    file_name = file.name.lower()
    for layout in feed.file:
        if fnmatch(file_name, layout.name.lower()):
            return layout
    for layout in feed.file:
        if file_name.endswith(f".{layout.format}"):
            return layout
    raise refused("DEL-725", file)


@dataclass(frozen=True)
class _Reading:
    """One file being read: where from, as what, to which table."""

    connection: duckdb.DuckDBPyConnection
    file: Path
    feed: Feed
    layout: Layout
    table_name: str

    @property
    def staged(self) -> str:
        return name(f"{self.table_name}__staged")


def _text(reading: _Reading) -> TextRows:
    connection, file, layout = reading.connection, reading.file, reading.layout
    with tempfile.TemporaryDirectory(prefix="read-", dir=spill_folder(connection)) as folder:
        scratch = Path(folder)
        text, encoding = as_utf8(file, layout.encoding, scratch)
        if layout.format == "csv":
            delimited = open_delimited(text, file, layout)
            header_row = max(layout.header_rows)
            columns = matched(reading.feed, delimited.headings, file, header_row=header_row)
            row_sql = stage_delimited(connection, delimited, columns, reading.staged)
        else:
            records = open_json(connection, text, file, layout, scratch)
            columns = matched(reading.feed, records.headings, file, header_row=1, is_json=True)
            row_sql = stage_json(connection, records, columns, reading.staged)
    staged = Staged(reading.staged, columns, row_sql)
    shown = show(connection, staged, reading.table_name, file)
    return TextRows(
        columns=list(columns.names),
        row_count=shown.row_count,
        encoding=encoding,
        layout=layout,
        rows_unsplit=shown.rows_unsplit,
        rows_skipped=shown.rows_skipped,
        has_line_records=layout.format == "csv" and row_sql != ROW_NUMBER,
    )


def _workbook(reading: _Reading) -> TextRows:
    workbook = open_workbook(reading.file, reading.feed, reading.layout)
    row_sql = stage_workbook(reading.connection, workbook, reading.staged)
    staged = Staged(reading.staged, workbook.columns, row_sql)
    shown = show(reading.connection, staged, reading.table_name, reading.file)
    return TextRows(
        columns=list(workbook.columns.names),
        row_count=shown.row_count,
        encoding="",
        layout=reading.layout,
        notes=workbook.notes,
        rows_skipped=shown.rows_skipped,
        sheets=workbook.sheets,
    )
