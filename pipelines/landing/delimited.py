"""Delimited text to a staged table: DuckDB's reader where it is provably right, else exact records.

Not here: encodings (`encoding`), which columns are wanted (`columns`), blank rows (`staging`).

The fast way is `read_csv`. It drops empty lines and guesses how to split a file with line ends in
quotes between threads, so its row numbers are believed only when arithmetic proves them: every
physical line after the header gave one record. Otherwise, and after any error, the records are read
one after the other with the standard library's strict parser, in batches, and each is numbered as
a person sees it in a spreadsheet. No cell of an engine's message ever reaches anybody.

A record with more or fewer cells than the headings is set aside by itself, and its cells are not
read: nobody knows which of them stands under which heading. Where they are as many as the others,
the file as a whole has another shape, and is refused. Empty cells at the end are no surplus where
most records have as many: some programs write a separator after the last cell. Where one record
alone has one more, a text in it was split, and every cell behind that text is one place off. A cell
of several lines that holds as many separators as a whole record has swallowed records between two
stray quotation marks.
"""

from __future__ import annotations

import csv
from collections import Counter, deque
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import count, islice, zip_longest
from pathlib import Path
from typing import Any

import duckdb

from pipelines.duck import PASSING_FAULTS
from pipelines.findings import DeliveryRefused
from pipelines.landing.columns import Columns, merged_headings
from pipelines.landing.encoding import demand_utf8
from pipelines.landing.lines import LineCount, Spaces, count_lines, longest_line, text_lines
from pipelines.landing.refuse import KILOBYTE, refused
from pipelines.landing.staging import BLANK, PADDED, UNSPLIT, Staged, cell_list, stage
from schemas.feed import Layout
from schemas.sqltext import literal

LONGEST_CELL_CHARS = 1024**2
BUFFER_BYTES = 2 * 1024**2  # several a thread, beside DuckDB's own memory limit
ROW_NUMBER = "source_row"  # staged with each record where no arithmetic gives it
# For DuckDB's reader: a cell that is not there, unlike an empty one. Nobody writes these signs.
NOT_THERE = "\x01\x1f\x01"
LOOKED_AT_RECORDS = 1000
FEWEST_SEPARATORS = 4  # of a text of several lines that may be records; fewer are punctuation
BATCH_RECORDS = 50_000
BATCH_BYTES = 128 * 1024**2


@dataclass(frozen=True)
class Delimited:
    """A delimited file whose header is known. `file` is UTF-8, `shown` is the file as sent."""

    file: Path
    shown: Path
    layout: Layout
    headings: tuple[str, ...]
    records_before: int
    lines_before: int

    @property
    def bytes(self) -> int:
        """How large the file is."""
        return self.file.stat().st_size


def open_delimited(file: Path, shown: Path, layout: Layout) -> Delimited:
    """Find the header of `file`, and the row of HXL tags under it if there may be one.

    Raises DeliveryRefused: DEL-706 for a file without text, DEL-714 for an empty header row,
    DEL-701 for bytes that are not text.
    """
    last = max(layout.header_rows)
    try:
        with text_lines(file) as lines:
            reader = csv.reader(lines, **dialect(layout))
            rows = list(islice(reader, last))
            lines_before = reader.line_num
            has_tags = layout.hxl_row == "optional" and _is_tag_row(next(reader, []))
            tag_lines = reader.line_num - lines_before if has_tags else 0
    except UnicodeDecodeError:
        demand_utf8(file, shown)
        raise
    except csv.Error:
        raise refused("DEL-714", shown, row=last) from None
    headings = merged_headings([rows[at - 1] for at in layout.header_rows if at <= len(rows)])
    if not headings:
        raise refused("DEL-714" if _has_text(file) else "DEL-706", shown, row=last)
    return Delimited(
        file, shown, layout, tuple(headings), last + has_tags, lines_before + tag_lines
    )


def stage_delimited(
    connection: duckdb.DuckDBPyConnection, source: Delimited, columns: Columns, staged: str
) -> str:
    """Fill the temporary table `staged`; returns the SQL of a row's number in it.

    Raises DeliveryRefused: DEL-701 encoding, DEL-702 cut off, DEL-707 a cell beyond the limit,
    DEL-730 a quotation mark that is never closed, DEL-717 where half of the records or more have
    not as many cells as the header.
    """
    counted = count_lines(source.file, source.layout.delimiter, source.layout.quote)
    if counted.overlong:
        raise _too_long(source, counted.overlong)
    if place := _stage_fast(connection, source, columns, staged, counted):
        row_sql = f"{place} + {source.records_before + 1}"
    else:
        _stage_exact(connection, source, columns, staged, counted)
        row_sql = ROW_NUMBER
    _refuse_unsplit(connection, source, Staged(staged, columns, row_sql), counted)
    return row_sql


def _has_text(file: Path) -> bool:
    with text_lines(file) as lines, suppress(UnicodeDecodeError):
        return next(filter(str.strip, lines), "") != ""
    return True


def dialect(layout: Layout) -> dict[str, Any]:
    """How the standard library reads the records of this layout, one after the other."""
    csv.field_size_limit(LONGEST_CELL_CHARS)
    quoting = {"quotechar": layout.quote} if layout.quote else {"quoting": csv.QUOTE_NONE}
    return {
        "delimiter": layout.delimiter,
        "strict": True,
        # DuckDB also forgives a space between a delimiter and a quotation mark.
        "skipinitialspace": layout.delimiter != " ",
        **quoting,
    }


def _is_tag_row(cells: list[str]) -> bool:
    """True for a row of HXL hashtags: every cell that is not empty is one."""
    texts = [cell.strip() for cell in cells if cell.strip()]
    return bool(texts) and all(text.startswith("#") for text in texts)


def _stage_fast(
    connection: duckdb.DuckDBPyConnection,
    source: Delimited,
    columns: Columns,
    staged: str,
    counted: LineCount,
) -> str:
    """Stage with DuckDB's reader; returns the SQL of a row's place, from 0.

    Empty where the rows are not proved to be the file's lines, or some end in empty cells too many.
    The reader forgives those; so it is asked for one cell more than there are headings.
    """
    layout, width = source.layout, columns.width
    raw = [f"r{at}" for at in range(width + 1)]
    options = {
        "auto_detect": False,
        "header": False,
        "skip": source.records_before,
        "delim": layout.delimiter,
        "quote": layout.quote,
        "escape": layout.quote,
        "null_padding": True,
        "nullstr": NOT_THERE,
        "buffer_size": BUFFER_BYTES,
    }
    cells = cell_list(
        columns,
        raw,
        spaces=counted.spaces,
        unsplit=f"r{width - 1} IS NULL OR trim(r{width}) <> ''",
        padded=f"r{width} IS NOT NULL",
    )
    given = ", ".join(f"{option} = {literal(value)}" for option, value in options.items())
    types = ", ".join(f"{literal(cell)}: 'VARCHAR'" for cell in raw)
    try:
        place = stage(
            connection,
            staged,
            f"SELECT {cells} "
            f"FROM read_csv({literal(str(source.file))}, {given}, columns = {{{types}}})",
            source.bytes,
        )
    except PASSING_FAULTS:
        raise
    except duckdb.Error:
        return ""
    found = connection.execute(
        f"SELECT count(*), count(*) FILTER (kind = {PADDED}) FROM {staged}"
    ).fetchone()
    return place if found == (counted.lines - source.lines_before, 0) else ""


def _stage_exact(
    connection: duckdb.DuckDBPyConnection,
    source: Delimited,
    columns: Columns,
    staged: str,
    counted: LineCount,
) -> None:
    """Stage record by record, with `source_row`; rows of a wrong width are marked, not lost."""
    import pyarrow as pa

    width = columns.width
    raw = [f"r{at}" for at in range(width)]
    widths = f"{width}, {_usual_cells(source, width)}"
    unsplit = f"cells NOT IN ({widths}) OR trim(coalesce(beyond, '')) <> ''"
    separators = max(width - 1, FEWEST_SEPARATORS)
    swallowed = (_holds_records(cell, source.layout.delimiter, separators) for cell in raw)
    unsplit = " OR ".join([unsplit, *swallowed])
    # These records may have line ends within quotes.
    spaces = Spaces.ALL if counted.spaces is Spaces.ALL else Spaces.CONTROLS
    cells = cell_list(columns, [*raw, "beyond"], spaces=spaces, unsplit=unsplit)
    texts = [(column, pa.string()) for column in (*raw, "beyond")]
    schema = pa.schema([("source_row", pa.int64()), ("cells", pa.int64()), *texts])
    refusals: list[DeliveryRefused] = []
    batches = _batches(source, schema, counted)
    records = pa.RecordBatchReader.from_batches(schema, _kept(batches, refusals))
    connection.register("landing_batch", records)
    try:
        select = f"SELECT source_row, {cells} FROM landing_batch"
        stage(connection, staged, select, source.bytes)
    except duckdb.Error:
        if refusals:
            raise refusals[0] from None
        raise
    finally:
        connection.unregister("landing_batch")


def _usual_cells(source: Delimited, width: int) -> int:
    """How many cells most of the first records have, where that is more than the headings have."""
    with text_lines(source.file) as lines, suppress(csv.Error, UnicodeDecodeError):
        reader = csv.reader(lines, **dialect(source.layout))
        records = islice(reader, source.records_before, source.records_before + LOOKED_AT_RECORDS)
        found = Counter(len(record) for record in records if any(record))
        usual = max(found, key=found.__getitem__, default=width)
        return usual if 2 * found[usual] > found.total() else width
    return width


def _kept(batches: Iterator[Any], refusals: list[DeliveryRefused]) -> Iterator[Any]:
    """The batches; a refusal on the way is kept aside: the engine that pulls would hide it."""
    try:
        yield from batches
    except DeliveryRefused as refusal:
        refusals.append(refusal)
        raise


def _holds_records(cell: str, delimiter: str, separators: int) -> str:
    """SQL: a cell of several lines with as many separators as a record has."""
    others = f"length({cell}) - length(replace({cell}, {literal(delimiter)}, ''))"
    has_lines = f"(contains({cell}, chr(10)) OR contains({cell}, chr(13)))"
    return f"coalesce({has_lines} AND {others} >= {separators * len(delimiter)}, FALSE)"


def _batches(source: Delimited, schema: Any, counted: LineCount) -> Iterator[Any]:
    """Arrow batches of the records below the header, numbered as a person counts them."""
    numbers = count(source.records_before + 1)
    longest_bytes, _ = longest_line(source.file)
    records = max(1, min(BATCH_RECORDS, BATCH_BYTES // max(1, longest_bytes)))
    try:
        with text_lines(source.file) as lines:
            reader = csv.reader(lines, **dialect(source.layout))
            deque(islice(reader, source.records_before), maxlen=0)
            numbered = zip(numbers, reader, strict=False)
            while batch := list(islice(numbered, records)):
                yield _arrow(batch, schema)
    except UnicodeDecodeError:
        demand_utf8(source.file, source.shown)
        raise
    except csv.Error as error:
        raise _unparsable(source, str(error), next(numbers) - 1, counted) from None


def _arrow(batch: list[tuple[int, list[str]]], schema: Any) -> Any:
    """One batch of numbered records, turned to columns without visiting its rows in Python."""
    import pyarrow as pa

    width = len(schema) - 3
    rows, records = zip(*batch, strict=True)
    by_column = list(zip_longest(*records))
    nothing = (None,) * len(rows)
    texts = [by_column[at] if at < len(by_column) else nothing for at in range(width)]
    surplus = [map(_or_empty, column) for column in by_column[width:]]
    beyond = list(map("".join, zip(*surplus, strict=True))) if surplus else nothing
    arrays = [
        pa.array(rows, pa.int64()),
        pa.array(map(len, records), pa.int64()),
        *(pa.array(text, pa.string()) for text in (*texts, beyond)),
    ]
    return pa.record_batch(arrays, schema=schema)


def _or_empty(cell: str | None) -> str:
    return cell or ""


def _unparsable(source: Delimited, reason: str, row: int, counted: LineCount) -> DeliveryRefused:
    """The refusal for a record that the strict parser does not accept."""
    if "field larger" in reason:
        return _too_long(source, row)
    if "end of data" in reason:
        return refused("DEL-702" if row >= counted.lines else "DEL-730", source.shown, row=row)
    return refused("DEL-717", source.shown, rows=1, row=row)


def _too_long(source: Delimited, row: int) -> DeliveryRefused:
    return refused("DEL-707", source.shown, row=row, limit_kb=LONGEST_CELL_CHARS // KILOBYTE)


def _refuse_unsplit(
    connection: duckdb.DuckDBPyConnection, source: Delimited, staged: Staged, counted: LineCount
) -> None:
    """Raise DEL-702 where the last record is cut off, DEL-717 where too many have a wrong width."""
    found = connection.execute(
        f"SELECT count(*), min({staged.row_sql}), max({staged.row_sql}), "
        f"(SELECT (max({staged.row_sql}), count(*)) FROM {staged.table} WHERE kind <> {BLANK}) "
        f"FROM {staged.table} WHERE kind = {UNSPLIT}"
    ).fetchone()
    unsplit, first, last_unsplit, (last, records) = found or (0, 0, 0, (0, 0))
    if unsplit and last_unsplit == last and not counted.is_ended:
        raise refused("DEL-702", source.shown, row=int(last))
    if unsplit and 2 * unsplit >= records:
        raise refused("DEL-717", source.shown, rows=int(unsplit), row=int(first))
