"""A delivery's file as text rows: `text_rows(source_row, <the feed's columns>)` in DuckDB.

Not here: each format (`delimited`, `workbook`, `json`), what the texts mean (`harmonise`).

`source_row` is the number that a person sees: the row in the spreadsheet program, header included;
the line of NDJSON; the ordinal of a record in a JSON array. For several sheets of a workbook see
`workbook.sheet_and_row`.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import duckdb

from pipelines.core.findings import DeliveryError, Finding
from pipelines.core.settings import DEFAULT_LARGEST_DELIVERY_BYTES
from pipelines.landing.columns import Columns, matched
from pipelines.landing.lines import LineCount, count_lines
from pipelines.landing.readers.delimited import (
    ROW_NUMBER,
    RowNumbers,
    open_delimited,
    stage_delimited,
)
from pipelines.landing.readers.encoding import Letters, as_utf8, mended_utf8
from pipelines.landing.readers.json import open_json, stage_json
from pipelines.landing.readers.observed_layout import observe_layout
from pipelines.landing.readers.staging import Shown, StagedTable, show, spill_folder
from pipelines.landing.readers.workbook import open_workbook, stage_workbook
from pipelines.landing.readers.workbook_kinds import ENDINGS, as_xlsx, kind_of
from pipelines.landing.refuse import MEGABYTE, finding, refusal
from pipelines.landing.report_number import find_number, row_sheets
from schemas.feed import Feed, Layout
from schemas.sqltext import name


@dataclass(frozen=True)
class TextRows:
    """What was read: columns by the feed's names, how many data rows, and how.

    `rows_unreadable` counts, by code, the rows of which no cell is believed: none of `row_count`.
    `encoding` is a Python codec name, empty for workbooks. `notes` are warnings. `rows_skipped`
    counts rows that the feed declares as no data. `sheets` are those of a workbook that
    were read, in its order. `has_line_records` says that each record of a delimited file is proved
    to be one line of it, `has_stray_quotes` that lines were given up for them, `is_mended` that
    lines of it are not in the encoding that was declared.
    `layout` is the one in which the file was read.
    """

    columns: list[str]
    row_count: int
    encoding: str
    layout: Layout
    notes: list[Finding] = field(default_factory=list)
    rows_unreadable: dict[str, int] = field(default_factory=dict)
    rows_skipped: int = 0
    sheets: tuple[str, ...] = ()
    has_line_records: bool = False
    has_stray_quotes: bool = False
    is_mended: bool = False


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
    `<table_name>_unreadable(source_row, code)` has the rows that could not be read.
    Raises DeliveryError, whose findings (DEL-7xx) name every wrong column at once.
    """
    layout = layout_of(feed, delivery_file)
    size = delivery_file.stat().st_size
    if size > largest_bytes:
        raise refusal("DEL-718", delivery_file, limit_mb=largest_bytes // MEGABYTE)
    if size == 0:
        raise refusal("DEL-706", delivery_file)
    reading = _Reading(connection, delivery_file, feed, layout, table_name)
    return _workbook(reading) if layout.format == "xlsx" else _text(reading)


def layout_of(feed: Feed, file: Path) -> Layout:
    """The layout of the feed that a file of this name has; the ending decides where names do not.

    Our own report as a workbook is read whatever the feed's files are, but for what is no row in
    it. Raises DeliveryError (DEL-725) where the name matches none.
    """
    declared = _declared(feed, file.name.lower())
    is_workbook = declared is None or declared.format == "xlsx"
    is_workbook = is_workbook and file.name.lower().endswith(ENDINGS)
    if is_workbook and find_number(file, file.name, feed.feed):
        book = declared or Layout(format="xlsx")
        return book.model_copy(update={"sheets": row_sheets(book.sheets)})
    if declared is None:
        raise refusal("DEL-725", file)
    return declared


def _declared(feed: Feed, file_name: str) -> Layout | None:
    for layout in feed.file:
        if fnmatch(file_name, layout.name.lower()):
            return layout
    for layout in feed.file:
        endings = ENDINGS if layout.format == "xlsx" else (f".{layout.format}",)
        if file_name.endswith(endings):
            return layout
    return None


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
    """Read a file of text; one that is not UTF-8 after all is read again line by line."""
    with tempfile.TemporaryDirectory(
        prefix="read-", dir=spill_folder(reading.connection)
    ) as folder:
        scratch = Path(folder)
        if found := kind_of(reading.file):
            expected = reading.layout.format.upper()
            raise refusal("DEL-713", reading.file, expected=expected, found=found)
        letters = as_utf8(reading.file, reading.layout.encoding, scratch)
        try:
            return _rows_of(reading, letters, scratch)
        except DeliveryError as error:
            is_other = error.findings[0].code == "DEL-701"
            if letters.is_proved or letters.encoding != "utf-8" or not is_other:
                raise
        return replace(
            _rows_of(reading, mended_utf8(reading.file, scratch), scratch), is_mended=True
        )


def _rows_of(reading: _Reading, letters: Letters, scratch: Path) -> TextRows:
    """The rows of a text; what was noticed on the way is told with them, or with the refusal."""
    connection, file, layout = reading.connection, reading.file, reading.layout
    notes = list(letters.notes)
    try:
        if layout.format == "csv":
            seen = observe_layout(letters.file, file, reading.feed, layout)
            layout = seen.layout
            notes += seen.notes
            delimited = open_delimited(letters.file, file, layout)
            header_row = max(layout.header_rows)
            counted = count_lines(letters.file, layout.delimiter, layout.quote)
            notes += _holes(file, counted)
            columns = _matched(reading, delimited.headings, notes, header_row=header_row)
            placed = stage_delimited(connection, delimited, columns, reading.staged, counted)
        else:
            counted = count_lines(letters.file, ",", "")
            notes += _holes(file, counted)
            records = open_json(connection, letters.file, file, layout, scratch)
            records = replace(records, has_signs=counted.has_signs or records.has_escapes)
            columns = _matched(reading, records.headings, notes, header_row=1, is_json=True)
            placed = RowNumbers(stage_json(connection, records, columns, reading.staged))
        shown = show(
            connection,
            StagedTable(reading.staged, columns, placed.row_sql),
            reading.table_name,
            file,
        )
    except DeliveryError as error:
        raise _explained(error, notes) from None
    return TextRows(
        columns=list(columns.names),
        row_count=shown.row_count,
        encoding=letters.encoding,
        layout=layout,
        notes=[*notes, *_signs(file, shown)],
        rows_unreadable=shown.rows_unreadable,
        rows_skipped=shown.rows_skipped,
        has_line_records=layout.format == "csv" and placed.row_sql != ROW_NUMBER,
        has_stray_quotes=placed.has_stray_quotes,
    )


def _matched(
    reading: _Reading, headings: Sequence[str], notes: list[Finding], **how: Any
) -> Columns:
    columns = matched(reading.feed, headings, reading.file, **how)
    notes += columns.notes
    return columns


def _explained(error: DeliveryError, notes: list[Finding]) -> DeliveryError:
    """A refusal with what was noticed before: a wrong separator explains a header not found."""
    if any(note.is_error for note in notes):
        causes = [note for note in notes if note.is_error]
        effects = [one for one in error.findings if one.code != "DEL-714"]
        return DeliveryError([*causes, *effects, *(n for n in notes if not n.is_error)])
    return DeliveryError([*error.findings, *notes])


def _holes(file: Path, counted: LineCount) -> list[Finding]:
    holes = counted.holes
    if not holes.bytes:
        return []
    values = {"bytes": holes.bytes, "row": holes.row, "rows": holes.rows}
    return [finding("DEL-750", file, **values)]


def _signs(file: Path, shown: Shown) -> list[Finding]:
    if not shown.signs:
        return []
    return [finding("DEL-752", file, signs=shown.signs, cells=shown.cells)]


def _workbook(reading: _Reading) -> TextRows:
    with tempfile.TemporaryDirectory(
        prefix="read-", dir=spill_folder(reading.connection)
    ) as folder:
        file = as_xlsx(reading.file, Path(folder))
        workbook = open_workbook(file, reading.file, reading.feed, reading.layout)
        row_sql = stage_workbook(reading.connection, workbook, reading.staged)
    staged = StagedTable(reading.staged, workbook.columns, row_sql)
    shown = show(reading.connection, staged, reading.table_name, reading.file)
    notes = [*workbook.notes, *workbook.columns.notes, *_signs(reading.file, shown)]
    return TextRows(
        columns=list(workbook.columns.names),
        row_count=shown.row_count,
        encoding="",
        layout=workbook.layout,
        notes=notes,
        rows_unreadable=shown.rows_unreadable,
        rows_skipped=shown.rows_skipped,
        sheets=workbook.sheets,
    )
