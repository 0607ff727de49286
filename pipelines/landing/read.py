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
from pipelines.landing.delimited import open_delimited, stage_delimited
from pipelines.landing.encoding import as_utf8
from pipelines.landing.jsontext import open_json, stage_json
from pipelines.landing.refuse import MEGABYTE, refused
from pipelines.landing.staging import show
from pipelines.settings import DEFAULT_LARGEST_DELIVERY_BYTES
from schemas.feed import Feed, Layout


@dataclass(frozen=True)
class TextRows:
    """What was read: columns by the feed's names, how many data rows, and how.

    `encoding` is a Python codec name, empty for workbooks. `notes` are warnings. `rows_skipped`
    counts rows that the feed declares as no data. `sheets` are those of a workbook that
    were read, in its order.
    """

    columns: list[str]
    row_count: int
    encoding: str
    layout: Layout
    notes: list[Finding] = field(default_factory=list)
    rows_skipped: int = 0
    sheets: tuple[str, ...] = ()


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
    Texts are trimmed, and NULL where nothing is left. Entirely blank rows are not there.
    Raises DeliveryRefused, whose findings (DEL-7xx) name every wrong column at once.
    """
    layout = layout_of(feed, delivery_file)
    size = delivery_file.stat().st_size
    if size > largest_bytes:
        raise refused("DEL-718", delivery_file, limit_mb=largest_bytes // MEGABYTE)
    if size == 0:
        raise refused("DEL-706", delivery_file)
    with tempfile.TemporaryDirectory(prefix="read-", dir=_spill(connection)) as scratch:
        read = _workbook if layout.format == "xlsx" else _text
        return read(connection, delivery_file, feed, layout, table_name, Path(scratch))


def layout_of(feed: Feed, file: Path) -> Layout:
    """The layout of the feed that a file of this name has; the ending decides where names do not.

    Raises DeliveryRefused (DEL-725) where the name matches none.
    """
    name = file.name.lower()
    for layout in feed.file:
        if fnmatch(name, layout.name.lower()):
            return layout
    for layout in feed.file:
        if name.endswith(f".{layout.format}"):
            return layout
    raise refused("DEL-725", file)


def _spill(connection: duckdb.DuckDBPyConnection) -> str | None:
    """The connection's own spill folder where it has one: it is on the disk meant for such files."""
    found = connection.execute("SELECT current_setting('temp_directory')").fetchone()
    folder = Path(str(found[0])) if found and found[0] else None
    return str(folder) if folder and folder.is_dir() else None


def _text(
    connection: duckdb.DuckDBPyConnection,
    file: Path,
    feed: Feed,
    layout: Layout,
    table_name: str,
    scratch: Path,
) -> TextRows:
    staged = f"{table_name}__staged"
    text, encoding = as_utf8(file, layout.encoding, scratch)
    header_row = max(layout.header_rows)
    if layout.format == "csv":
        delimited = open_delimited(text, file, layout)
        columns = matched(feed, delimited.headings, file, header_row=header_row)
        row_sql = stage_delimited(connection, delimited, columns, staged)
    else:
        records = open_json(connection, text, file, layout, scratch)
        columns = matched(feed, records.headings, file, header_row=1, is_json=True)
        row_sql = stage_json(connection, records, columns, staged)
    shown = show(connection, staged, columns, table_name, file, row_sql)
    names = [*columns.kept.values(), *columns.absent]
    return TextRows(names, shown.row_count, encoding, layout, [], shown.rows_skipped)


def _workbook(
    connection: duckdb.DuckDBPyConnection,
    file: Path,
    feed: Feed,
    layout: Layout,
    table_name: str,
    _scratch: Path,
) -> TextRows:
    from pipelines.landing.workbook import open_workbook, stage_workbook

    staged = f"{table_name}__staged"
    workbook = open_workbook(file, feed, layout)
    columns = workbook.columns
    row_sql = stage_workbook(connection, workbook, staged)
    shown = show(connection, staged, columns, table_name, file, row_sql)
    names = [*columns.kept.values(), *columns.absent]
    return TextRows(
        names, shown.row_count, "", layout, workbook.notes, shown.rows_skipped, workbook.sheets
    )
