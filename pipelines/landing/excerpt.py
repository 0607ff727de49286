"""Some rows of a delivery as a file that is itself a delivery of the feed, every cell as sent.

Not here: which rows (`validate`), reading a delivery (`read`), taking out columns (`unread`).

What is copied is the text of the records under everything that stands before them in the original,
of all columns or of those that the feed reads; nothing is parsed into values and written again,
except the cells of a workbook. A cell that begins with `=` stays as it is: the file goes back to
its sender, and is read by machines.
"""

from __future__ import annotations

import datetime as dt
import io
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import compress, islice
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import duckdb

from pipelines.landing.lines import text_lines
from pipelines.landing.readers.delimited import open_delimited
from pipelines.landing.readers.encoding import as_utf8, mended_utf8, written_as
from pipelines.landing.readers.json import OBJECTS, records_path, stage_array
from pipelines.landing.readers.json_slice import HEAD_BYTES, array_start, slice_array
from pipelines.landing.readers.mixture import as_sent
from pipelines.landing.readers.read import TextRows
from pipelines.landing.readers.records import StrayQuotes, dialect
from pipelines.landing.readers.staging import spill_folder
from pipelines.landing.readers.workbook import (
    SHEET_STEP,
    SentSheet,
    cells_as_sent,
    open_workbook,
)
from pipelines.landing.readers.workbook_kinds import as_xlsx
from pipelines.landing.redaction import (
    read_positions,
    utf8_copy,
    write_read_cells,
    write_read_values,
)
from pipelines.landing.report_number import KEY as REPORT_KEY
from pipelines.landing.report_number import ReportNumber, numbered_lines, numbered_records

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from schemas.feed import Feed

BLOCK_BYTES = 4 * 1024**2
BATCH_RECORDS = 256  # one may have megabytes
CELL_CHARS = 32_767  # Excel keeps no more
COLUMN_WIDTH = 18
IN_EXCEL = {
    str: "@",  # so that a number typed over a text stays one, with its leading zeros
    dt.datetime: "yyyy-mm-dd hh:mm:ss",
    dt.date: "yyyy-mm-dd",
    dt.time: "hh:mm:ss",
    dt.timedelta: "[h]:mm:ss",
}
BOOK_OPTIONS = {
    "constant_memory": True,
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
}


@dataclass(frozen=True)
class _Excerpt:
    """What to copy from where: the rows `wanted` (source_row, ascending) of `original`."""

    connection: duckdb.DuckDBPyConnection
    original: Path
    rows: TextRows
    wanted: npt.NDArray[np.int64]
    feed: Feed | None  # where given, only the cells of columns that it reads
    number: ReportNumber | None = None


def write_excerpt(
    connection: duckdb.DuckDBPyConnection,
    original: Path,
    rows: TextRows,
    wanted: npt.NDArray[np.int64],
    target: Path,
    *,
    feed: Feed | None = None,
    number: ReportNumber | None = None,
) -> None:
    """Write the rows `wanted` (source_row, ascending, at least one) of `original` to `target`.

    `rows` is what `read_text_rows` said of the file. With a `feed`, cells of columns that it does
    not read stay out; every wanted row must then be one that could be split into cells. `number` is
    that of the report which the rows belong to, and is written into the file. Raises OSError for a
    place out of reach, ValueError where such a column cannot be taken out.
    """
    excerpt = _Excerpt(connection, original, rows, wanted, feed, number)
    with tempfile.TemporaryDirectory(prefix="excerpt-", dir=spill_folder(connection)) as folder:
        scratch = Path(folder)
        if rows.layout.format == "xlsx":
            book = as_xlsx(original, scratch)
            _write_workbook(replace(excerpt, original=book), target)
            return
        if feed is not None:
            whole = scratch / original.name
            write_excerpt(connection, original, rows, wanted, whole)
            _write_read(excerpt, feed, whole, target)
            return
        letters = (
            mended_utf8(original, scratch)
            if rows.is_mended
            else as_utf8(original, rows.layout.encoding, scratch)
        )
        text = letters.file
        with _encoded(excerpt, target) as sink:
            if rows.layout.format == "csv":
                _write_delimited(excerpt, text, sink)
            elif rows.layout.format == "ndjson":
                lines = _chosen(text, "\n", _mask(wanted - 1, wanted))
                sink.writelines(numbered_records(lines, number))
            else:
                _write_array(excerpt, text, scratch, sink)


def _write_read(excerpt: _Excerpt, feed: Feed, whole: Path, target: Path) -> None:
    """Write `whole`, an excerpt with every cell, without what the feed does not read."""
    rows = excerpt.rows
    with _encoded(excerpt, target) as sink:
        if rows.layout.format == "csv":
            layout, number = rows.layout, excerpt.number
            write_read_cells(whole, feed, layout, rows.encoding, sink, number)
            return
        read = write_read_values(excerpt.connection, whole, feed, rows.layout, rows.encoding)
        bodies = numbered_records(read, excerpt.number)
        if rows.layout.format == "ndjson":
            sink.writelines(f"{body}\n" for body in bodies)
        else:
            document = _document(excerpt, utf8_copy(whole, rows.encoding), whole.parent, whole)
            _write_records(document, bodies, sink)


@contextmanager
def _encoded(excerpt: _Excerpt, target: Path) -> Iterator[IO[str]]:
    """`target`, open for text in the encoding of the original, begun with its mark if any."""
    mark, codec = written_as(excerpt.original, excerpt.rows.encoding)
    with target.open("wb") as stream:
        stream.write(mark)
        with io.TextIOWrapper(stream, encoding=codec, errors="surrogateescape", newline="") as sink:
            yield sink


def _write_delimited(excerpt: _Excerpt, text: Path, sink: IO[str]) -> None:
    source = open_delimited(text, excerpt.original, excerpt.rows.layout)
    wanted = excerpt.wanted
    if excerpt.rows.has_line_records:
        last = wanted + source.hidden + (source.lines_before - source.records_before)
        chosen = _chosen(text, _line_end(text), _mask(last - 1, last, source.lines_before))
        sink.writelines(numbered_lines(chosen, excerpt.number, is_hidden=bool(source.hidden)))
        return
    first, last = _line_spans(excerpt, text, wanted + source.hidden)
    mask = _mask(first, last, source.lines_before)
    with text_lines(text) as lines:
        chosen = map(as_sent, compress(lines, mask))
        sink.writelines(numbered_lines(chosen, excerpt.number, is_hidden=bool(source.hidden)))


def _chosen(text: Path, line_end: str, mask: bytes) -> Iterator[str]:
    with text.open(encoding="utf-8-sig", newline=line_end) as lines:
        yield from map(as_sent, compress(lines, mask))


def _line_end(text: Path) -> str:
    """What ends the lines of a file whose records are lines: CR only where it has no LF."""
    with text.open("rb") as stream:
        while block := stream.read(BLOCK_BYTES):
            if b"\n" in block:
                return "\n"
    return "\r"


def _line_spans(
    excerpt: _Excerpt, text: Path, wanted: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """How many lines stand before each wanted record, and up to its end: as the exact reader sees.

    `wanted` are the ordinals of the records, header included.
    """
    import csv

    import numpy as np

    layout, last = excerpt.rows.layout, int(wanted[-1])
    with text_lines(text) as lines:
        if excerpt.rows.has_stray_quotes:
            width = len(open_delimited(text, excerpt.original, layout).headings)
            found = StrayQuotes(lines, layout, width)
            ends = np.fromiter((found.ends for _ in islice(found, last)), dtype=np.int64)
        else:
            reader = csv.reader(lines, **dialect(layout))
            ends = np.fromiter((reader.line_num for _ in islice(reader, last)), dtype=np.int64)
    starts = np.concatenate([[0], ends[:-1]])
    return starts[wanted - 1], ends[wanted - 1]


def _mask(first: npt.NDArray[np.int64], last: npt.NDArray[np.int64], before: int = 0) -> bytes:
    """A byte for each line up to the last wanted: 1 for the first `before`, and in each span."""
    import numpy as np

    edges = np.zeros(int(last[-1]) + 1, dtype=np.int8)
    edges[first] += 1
    edges[last] -= 1
    mask = edges.cumsum(dtype=np.int8)
    mask[:before] = 1
    return mask.tobytes()


def _write_array(excerpt: _Excerpt, text: Path, scratch: Path, sink: IO[str]) -> None:
    """The document as it was sent, with only the wanted records in its array."""
    import pyarrow as pa

    document = _document(excerpt, text, scratch, excerpt.original)
    connection = excerpt.connection
    stage_array(connection, document.array, excerpt.original)
    connection.register("wanted_rows", pa.table({"source_row": excerpt.wanted}))
    found = connection.execute(
        f"SELECT body::VARCHAR FROM {OBJECTS} "
        "WHERE rowid + 1 IN (SELECT source_row FROM wanted_rows) ORDER BY rowid"
    )
    batches = iter(lambda: found.fetchmany(BATCH_RECORDS), [])
    bodies = (body for batch in batches for (body,) in batch)
    _write_records(document, numbered_records(bodies, excerpt.number), sink)
    connection.unregister("wanted_rows")
    connection.execute(f"DROP TABLE {OBJECTS}")


@dataclass(frozen=True)
class _Document:
    """A JSON document in UTF-8, its array of records as a file, and where that begins (bytes)."""

    text: Path
    array: Path
    start: int


def _document(excerpt: _Excerpt, text: Path, scratch: Path, shown: Path) -> _Document:
    path = records_path(excerpt.rows.layout)
    array = slice_array(text, path, scratch / f"records-{text.name}", shown)
    with text.open("rb") as stream:
        return _Document(text, array, array_start(stream.read(HEAD_BYTES), path, shown))


def _write_records(document: _Document, bodies: Iterable[str], sink: IO[str]) -> None:
    """The document with these records in the place of its own."""
    with document.text.open("rb") as stream:
        sink.write(stream.read(document.start).decode("utf-8-sig") + "[\n")
        joint = ""
        for body in bodies:
            sink.write(joint + body)
            joint = ",\n"
        sink.write("\n]")
        stream.seek(document.start + document.array.stat().st_size)
        with io.TextIOWrapper(stream, encoding="utf-8", newline="") as rest:
            shutil.copyfileobj(rest, sink)


def _write_workbook(excerpt: _Excerpt, target: Path) -> None:
    """The sheets that have wanted rows, under their own names, with all above their data."""
    import xlsxwriter

    book = xlsxwriter.Workbook(str(target), BOOK_OPTIONS)
    if excerpt.number:
        book.set_custom_property(REPORT_KEY, str(excerpt.number))
    formats = {kind: book.add_format({"num_format": form}) for kind, form in IN_EXCEL.items()}
    sent = cells_as_sent(excerpt.original, excerpt.rows.sheets)
    header_rows = max(excerpt.rows.layout.header_rows)
    read = _read_by_sheet(excerpt)
    for at, sheet in enumerate(sent):
        wanted = excerpt.wanted[excerpt.wanted // SHEET_STEP == at] % SHEET_STEP
        if wanted.size:
            shown = _read_only(sheet, header_rows, read.get(sheet.name))
            _write_sheet(book.add_worksheet(sheet.name), shown, wanted, header_rows, formats)
    book.close()


def _read_by_sheet(excerpt: _Excerpt) -> dict[str, frozenset[int]]:
    """By sheet, the positions of the columns that the feed reads; empty where all are wanted."""
    if excerpt.feed is None:
        return {}
    workbook = open_workbook(excerpt.original, excerpt.original, excerpt.feed, excerpt.rows.layout)
    read = {workbook.headings[at] for at in read_positions(workbook.columns)}
    return {
        sheet.name: frozenset(at for at, one in enumerate(sheet.headings) if one in read)
        for sheet in workbook.read
    }


def _read_only(sheet: SentSheet, header_rows: int, read: frozenset[int] | None) -> SentSheet:
    """The sheet with nothing below the header in columns that are not `read`; None: with all."""
    if read is None:
        return sheet
    cells = sheet.cells.copy(deep=False)
    for at in range(cells.shape[1]):
        if at not in read:
            kept = cells.iloc[:, at].astype(object).copy()
            kept.iloc[header_rows:] = None
            cells[cells.columns[at]] = kept
    return SentSheet(sheet.name, cells, sheet.merged)


def _write_sheet(
    target: Any,
    sheet: SentSheet,
    wanted: npt.NDArray[np.int64],
    header_rows: int,
    formats: dict[type, Any],
) -> None:
    target.set_column(0, sheet.cells.shape[1] - 1, COLUMN_WIDTH)
    target.freeze_panes(header_rows, 0)
    above, below = sheet.cells.iloc[:header_rows], sheet.cells.iloc[wanted - 1]
    for row, cells in enumerate(above.itertuples(index=False, name=None)):
        _write_cells(target, row, cells, formats)
        for (top, left), (_bottom, right) in sheet.merged:
            if top == row and left < right and isinstance(cells[left], str):
                target.merge_range(row, left, row, right, cells[left], formats[str])
    for row, cells in enumerate(below.itertuples(index=False, name=None), start=header_rows):
        _write_cells(target, row, cells, formats)


def _write_cells(target: Any, row: int, cells: Sequence[Any], formats: dict[type, Any]) -> None:
    """One row; a workbook can only be written cell by cell."""
    for column, cell in enumerate(cells):
        if isinstance(cell, str):
            if cell:
                target.write_string(row, column, cell[:CELL_CHARS], formats[str])
        elif cell is not None:
            has_no_time = isinstance(cell, dt.datetime) and cell.time() == dt.time()
            target.write(row, column, cell, formats.get(dt.date if has_no_time else type(cell)))
