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
import re
from collections import Counter, deque
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import count, islice
from pathlib import Path
from typing import Any

import duckdb

from pipelines.core.duck import PASSING_FAULTS
from pipelines.core.findings import DeliveryError
from pipelines.landing.columns import Columns, merged_headings
from pipelines.landing.lines import LineCount, Spaces, longest_line, text_lines
from pipelines.landing.readers.encoding import demand_utf8
from pipelines.landing.readers.records import (
    LONGEST_CELL_CHARS,
    MOST_STRAY,
    StrayQuotes,
    dialect,
    fewest_separators,
)
from pipelines.landing.readers.staging import (
    BLANK,
    PADDED,
    UNREADABLE,
    StagedTable,
    TextProfile,
    cell_list,
    in_one_form,
    numbered_batch,
    stage,
)
from pipelines.landing.refuse import KILOBYTE, refusal
from schemas.feed import Layout
from schemas.sqltext import literal

BUFFER_BYTES = 2 * 1024**2  # several a thread, beside DuckDB's own memory limit
ROW_NUMBER = "source_row"  # staged with each record where no arithmetic gives it
# For DuckDB's reader: a cell that is not there, unlike an empty one. Nobody writes these signs.
NOT_THERE = "\x01\x1f\x01"
NO_CELL = "?"  # of a line that was given up; none of its cells is kept
LOOKED_AT_RECORDS = 1000
SEPARATOR_LINE = re.compile(r'"?sep=(.)"?', re.IGNORECASE)
BATCH_RECORDS = 50_000
BATCH_BYTES = 128 * 1024**2


@dataclass(frozen=True)
class DelimitedFile:
    """A delimited file whose header is known. `file` is UTF-8, `shown` is the file as sent.

    `hidden` is 1 where the first line says how the cells are separated (`sep=;`): a spreadsheet
    program obeys it and does not show it, so it is not counted among the rows.
    """

    file: Path
    shown: Path
    layout: Layout
    headings: tuple[str, ...]
    records_before: int
    lines_before: int
    hidden: int = 0

    @property
    def first_row(self) -> int:
        """The number that a person sees beside the first record."""
        return self.records_before + 1 - self.hidden

    @property
    def bytes(self) -> int:
        """How large the file is."""
        return self.file.stat().st_size


def open_delimited(file: Path, shown: Path, layout: Layout) -> DelimitedFile:
    """Find the header of `file`, and the row of HXL tags under it if there may be one.

    Raises DeliveryError: DEL-706 for a file without text, DEL-714 for an empty header row,
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
        raise refusal("DEL-714", shown, row=last) from None
    headings = merged_headings([rows[at - 1] for at in layout.header_rows if at <= len(rows)])
    if not headings:
        raise refusal("DEL-714" if _has_text(file) else "DEL-706", shown, row=last)
    return DelimitedFile(
        file,
        shown,
        layout,
        tuple(headings),
        last + has_tags,
        lines_before + tag_lines,
        hidden=int(bool(rows) and separator_line(rows[0], layout.delimiter) != ""),
    )


def separator_line(cells: list[str], delimiter: str) -> str:
    """The separator that a first line of the form `sep=;` names; empty for any other line."""
    found = SEPARATOR_LINE.fullmatch(delimiter.join(cells).strip())
    return found[1] if found else ""


@dataclass(frozen=True)
class RowNumbers:
    """The SQL of a row's number, and whether lines were given up for stray quotation marks."""

    row_sql: str
    has_stray_quotes: bool = False


class StrayQuoteError(Exception):
    """The strict parser met a quotation mark where none can be."""


def stage_delimited(
    connection: duckdb.DuckDBPyConnection,
    source: DelimitedFile,
    columns: Columns,
    staged: str,
    counted: LineCount,
) -> RowNumbers:
    """Fill the temporary table `staged`; says how a row's number is found in it.

    `counted` is what `lines.count_lines` said of the file.

    A line with a stray quotation mark is set aside like one of a wrong width.
    Raises DeliveryError: DEL-701 encoding, DEL-702 cut off, DEL-707 a cell beyond the limit,
    DEL-717 where half of the records or more have not as many cells as the header.
    """
    if counted.overlong:
        raise _too_long(source, counted.overlong)
    if place := _stage_fast(connection, source, columns, staged, counted):
        placed = RowNumbers(f"{place} + {source.first_row}")
    else:
        placed = RowNumbers(ROW_NUMBER, has_stray_quotes=False)
        try:
            swallowed = _stage_exact(connection, source, columns, staged, counted)
        except StrayQuoteError:
            swallowed = 1
        if swallowed:
            placed = RowNumbers(ROW_NUMBER, has_stray_quotes=True)
            _stage_exact(connection, source, columns, staged, counted, is_strict=False)
    _refuse_unreadable(connection, source, StagedTable(staged, columns, placed.row_sql), counted)
    return placed


def _has_text(file: Path) -> bool:
    with text_lines(file) as lines, suppress(UnicodeDecodeError):
        return next(filter(str.strip, lines), "") != ""
    return True


def _is_tag_row(cells: list[str]) -> bool:
    """True for a row of HXL hashtags: every cell that is not empty is one."""
    texts = [cell.strip() for cell in cells if cell.strip()]
    return bool(texts) and all(text.startswith("#") for text in texts)


def _stage_fast(
    connection: duckdb.DuckDBPyConnection,
    source: DelimitedFile,
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
    given = ", ".join(f"{option} = {literal(value)}" for option, value in options.items())
    types = ", ".join(f"{literal(cell)}: 'VARCHAR'" for cell in raw)
    looked = profile_of(counted)
    rows = f"read_csv({literal(str(source.file))}, {given}, columns = {{{types}}})"
    texts, relation = in_one_form(columns, raw, rows, looked)
    cells = cell_list(
        columns,
        texts,
        looked=looked,
        unreadable=f"r{width - 1} IS NULL OR trim(r{width}) <> ''",
        padded=f"r{width} IS NOT NULL",
    )
    try:
        place = stage(connection, staged, f"SELECT {cells} FROM {relation}", source.bytes)
    except PASSING_FAULTS:
        raise
    except duckdb.Error:
        return ""
    [found] = connection.execute(
        f"SELECT count(*), count(*) FILTER (kind = {PADDED}) FROM {staged}"
    ).fetchall()
    return place if found == (counted.lines - source.lines_before, 0) else ""


def _stage_exact(
    connection: duckdb.DuckDBPyConnection,
    source: DelimitedFile,
    columns: Columns,
    staged: str,
    counted: LineCount,
    *,
    is_strict: bool = True,
) -> int:
    """Stage record by record, with `source_row`; rows of a wrong width are marked, not lost.

    Returns how many records seem to have swallowed others between two stray quotation marks.
    Raises StrayQuoteError where the strict parser cannot go on; unless `is_strict`, such a line is
    a row of a wrong width.
    """
    import pyarrow as pa

    width = columns.width
    raw = [f"r{at}" for at in range(width)]
    widths = f"{width}, {_usual_cells(source, width)}"
    delimiter, separators = source.layout.delimiter, fewest_separators(width)
    swallowed = " OR ".join(_holds_records(cell, delimiter, separators) for cell in raw)
    unreadable = f"cells NOT IN ({widths}) OR trim(coalesce(beyond, '')) <> '' OR {swallowed}"
    looked = profile_of(counted)
    if looked.spaces is Spaces.PLAIN:  # these records may have line ends within quotes
        looked = replace(looked, spaces=Spaces.CONTROLS)
    shown, relation = in_one_form(columns, [*raw, "beyond"], "landing_batch", looked)
    cells = cell_list(columns, shown, looked=looked, unreadable=unreadable)
    texts = [(column, pa.string()) for column in (*raw, "beyond")]
    schema = pa.schema([("source_row", pa.int64()), ("cells", pa.int64()), *texts])
    refusals: list[Exception] = []
    batches = _batches(source, schema, counted, is_strict=is_strict)
    records = pa.RecordBatchReader.from_batches(schema, _kept(batches, refusals))
    connection.register("landing_batch", records)
    try:
        select = f"SELECT source_row, {cells}, {swallowed} AS swallowed FROM {relation}"
        stage(connection, staged, select, source.bytes)
    except duckdb.Error:
        if refusals:
            raise refusals[0] from None
        raise
    finally:
        connection.unregister("landing_batch")
    query = f"SELECT count(*) FILTER (swallowed) FROM {staged}"
    [(swallowed,)] = connection.execute(query).fetchall()
    return int(swallowed) if is_strict else 0


def profile_of(counted: LineCount) -> TextProfile:
    """What is known of the cells of a file once its bytes were looked at."""
    has_signs = counted.has_signs
    return TextProfile(Spaces.ALL if has_signs else counted.spaces, has_signs, has_marred=has_signs)


def _usual_cells(source: DelimitedFile, width: int) -> int:
    """How many cells most of the first records have, where that is more than the headings have."""
    with text_lines(source.file) as lines, suppress(csv.Error, UnicodeDecodeError):
        reader = csv.reader(lines, **dialect(source.layout))
        records = islice(reader, source.records_before, source.records_before + LOOKED_AT_RECORDS)
        found = Counter(len(record) for record in records if any(record))
        usual = max(found, key=found.__getitem__, default=width)
        return usual if 2 * found[usual] > found.total() else width
    return width


def _kept(batches: Iterator[Any], refusals: list[Exception]) -> Iterator[Any]:
    """The batches; a refusal on the way is kept aside: the engine that pulls would hide it."""
    try:
        yield from batches
    except (DeliveryError, StrayQuoteError) as refusal:
        refusals.append(refusal)
        raise


def _holds_records(cell: str, delimiter: str, separators: int) -> str:
    """SQL: a cell of several lines with as many separators as a record has."""
    others = f"length({cell}) - length(replace({cell}, {literal(delimiter)}, ''))"
    has_lines = f"(contains({cell}, chr(10)) OR contains({cell}, chr(13)))"
    return f"coalesce({has_lines} AND {others} >= {separators * len(delimiter)}, FALSE)"


def _batches(
    source: DelimitedFile, schema: Any, counted: LineCount, *, is_strict: bool
) -> Iterator[Any]:
    """Arrow batches of the records below the header, numbered as a person counts them."""
    numbers = count(source.first_row)
    longest_bytes, _ = longest_line(source.file)
    records = max(1, min(BATCH_RECORDS, BATCH_BYTES // max(1, longest_bytes)))
    try:
        with text_lines(source.file) as lines:
            records_of = csv.reader(lines, **dialect(source.layout))
            reader = records_of if is_strict else _without_stray(lines, source, len(schema) - 3)
            deque(islice(reader, source.records_before), maxlen=0)
            numbered = zip(numbers, reader, strict=False)
            while batch := list(islice(numbered, records)):
                yield numbered_batch(batch, schema)
    except UnicodeDecodeError:
        demand_utf8(source.file, source.shown)
        raise
    except csv.Error as error:
        row = next(numbers) - 1
        is_cut = "end of data" in str(error) and row + source.hidden >= counted.lines
        if is_strict and "field larger" not in str(error) and not is_cut:
            raise StrayQuoteError from None
        raise _unparsable(source, str(error), row, counted) from None


def _without_stray(lines: Iterator[str], source: DelimitedFile, width: int) -> Iterator[list[str]]:
    """The records; of a line that cannot be split more cells than any record has."""
    for record in StrayQuotes(lines, source.layout, width):
        yield [NO_CELL] * (width + 2) if record is None else record


def _unparsable(source: DelimitedFile, reason: str, row: int, counted: LineCount) -> DeliveryError:
    """The refusal for a record that the strict parser does not accept."""
    if "field larger" in reason:
        return _too_long(source, row)
    if "end of data" in reason:
        return refusal("DEL-702", source.shown)
    return refusal("DEL-717", source.shown, rows=MOST_STRAY, row=row)


def _too_long(source: DelimitedFile, row: int) -> DeliveryError:
    return refusal("DEL-707", source.shown, row=row, limit_kb=LONGEST_CELL_CHARS // KILOBYTE)


def _refuse_unreadable(
    connection: duckdb.DuckDBPyConnection,
    source: DelimitedFile,
    staged: StagedTable,
    counted: LineCount,
) -> None:
    """Raise DEL-702 where the last record is cut off, DEL-717 where too many have a wrong width."""
    [(unreadable, first, last_unreadable, (last, records))] = connection.execute(
        f"SELECT count(*), min({staged.row_sql}), max({staged.row_sql}), "
        f"(SELECT (max({staged.row_sql}), count(*)) FROM {staged.table} WHERE kind <> {BLANK}) "
        f"FROM {staged.table} WHERE kind = {UNREADABLE}"
    ).fetchall()
    if unreadable and last_unreadable == last and not counted.is_ended:
        raise refusal("DEL-702", source.shown, row=int(last))
    if unreadable and 2 * unreadable >= records:
        raise refusal("DEL-717", source.shown, rows=int(unreadable), row=int(first))
