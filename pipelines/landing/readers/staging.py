"""From raw cells to `text_rows`: trimmed text, blank and declared rows set aside, row numbers.

Not here: how each format yields its raw cells (`delimited`, `workbook`, `json`).

A reader fills a staged table with the columns of `cell_list` and, unless a row's number follows
from its place, `source_row`. `show` puts the view over it that every later stage reads: a view,
because a copy of 10 million rows would cost more than everything else here.

What is staged of a large file is a Parquet file in the connection's spill folder: half the memory
of a temporary table, and every later pass over it takes less time too. As a table, 5 million rows
spill under a memory limit of 1 GB, which takes minutes.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Any

import duckdb

from pipelines.landing.columns import Columns
from pipelines.landing.invisible_signs import (
    UNCERTAIN,
    signs_in,
    with_western_digits,
    without_signs,
)
from pipelines.landing.lines import SPACES, Spaces
from pipelines.landing.refuse import refusal
from schemas.render.expectations import UNSPLIT_CODE
from schemas.sqltext import literal, literals, name

DATA, BLANK, DECLARED, UNREADABLE, PADDED, HOLLOW, GARBLED, COVERED = range(8)
# Kinds of rows of which no cell is believed, by the code that says why.
SET_ASIDE = {UNREADABLE: UNSPLIT_CODE, HOLLOW: "DEL-751", GARBLED: "DEL-753", COVERED: "DEL-760"}
LARGE_BYTES = 32 * 1024**2
ROW_GROUP_ROWS = 40_960  # each thread keeps one until it is full


@dataclass(frozen=True)
class StagedTable:
    """A filled staged table, and the SQL of a row's number in it."""

    table: str
    columns: Columns
    row_sql: str


@dataclass(frozen=True)
class Shown:
    """How many staged rows are data, how many are set aside by code, and how many are no data.

    `signs` were taken out of `cells`.
    """

    row_count: int
    rows_unreadable: dict[str, int]
    rows_skipped: int
    signs: int
    cells: int


def trimmed(raw: str, spaces: Spaces = Spaces.ALL) -> str:
    """SQL of a cell's text without surrounding spaces; NULL where nothing is left.

    DuckDB trims plain spaces ten times faster than a set of characters, so a reader that knows
    which spaces there are says so.
    """
    text = {Spaces.PLAIN: f"trim({raw})", Spaces.ALL: f"trim({raw}, {literal(SPACES)})"}
    if spaces in text:
        return f"nullif({text[spaces]}, '')"
    has_control = " OR ".join(f"contains({raw}, chr({code}))" for code in (9, 10, 13))
    either = f"CASE WHEN {has_control} THEN {text[Spaces.ALL]} ELSE {text[Spaces.PLAIN]} END"
    return f"nullif({either}, '')"


@dataclass(frozen=True)
class TextProfile:
    """What a reader knows of the texts of a file, so that no cell is looked at in vain.

    `spaces`: which there may be. `has_signs`: whether there may be any that carry no meaning, other
    forms of one letter or one figure, `has_marred`: bytes of value zero, or letters of which it is
    not certain what they are.
    """

    spaces: Spaces = Spaces.ALL
    has_signs: bool = True
    has_marred: bool = True


def cell_list(
    columns: Columns,
    raw: list[str],
    *,
    looked: TextProfile = TextProfile(),
    unreadable: str = "FALSE",
    padded: str = "FALSE",
    covered: str = "FALSE",
    unjudged: int = 0,
) -> str:
    """SQL select list of a staged table: `c<position>` of the columns read, `kind`, `cells`.

    `cells` is a hash of every cell of the row, also of those that the feed ignores: two rows are
    the same only if they say the same of a name that we never keep. `signs` and `marked` count what
    was taken out of the cells that are read, and those cells.

    `raw` is the SQL of each physical cell, as text; a row is blank only if all of them are.
    `unreadable` is a condition on rows whose cells cannot be told apart, `padded` one on rows of
    which that is open, `covered` one on rows that lack the value of merged cells; the last
    `unjudged` cells are not the sender's (a sheet's name) and make no row a full one.
    """
    texts = [trimmed(cell, looked.spaces) for cell in raw]
    cells = [f"{texts[at]} AS c{at}" for at in (*columns.kept.values(), *columns.unnamed)]
    declared = " OR ".join(
        f"coalesce(regexp_matches({texts[at]}, {literal(pattern)}), FALSE)"
        for at, pattern in columns.skip_tests
    )
    judged = texts[: len(texts) - unjudged]
    any_text = ", ".join([*judged, "NULL"])
    marred = (
        f"WHEN {_any_holds(raw, 'contains({}, chr(0))')} THEN {HOLLOW} "
        f"WHEN {_any_holds(raw, UNCERTAIN)} THEN {GARBLED} "
        if looked.has_marred
        else ""
    )
    kind = (
        f"CASE WHEN coalesce({any_text}) IS NULL THEN {BLANK} {marred}"
        f"WHEN {unreadable} THEN {UNREADABLE} WHEN {padded} THEN {PADDED} "
        f"WHEN {declared or 'FALSE'} THEN {DECLARED} WHEN {covered} THEN {COVERED} "
        f"ELSE {DATA} END::UTINYINT AS kind"
    )
    counts = "signs, marked" if looked.has_signs else "0 AS signs, 0 AS marked"
    return ", ".join([*cells, kind, f"hash({any_text}) AS cells", counts])


def in_one_form(
    columns: Columns, raw: list[str], relation: str, looked: TextProfile
) -> tuple[list[str], str]:
    """The raw cells of `relation` with every text in its one form, and the relation that has them.

    For `cell_list`, which finds in it how many signs were taken out, too.
    """
    if not looked.has_signs:
        return raw, relation
    texts = [
        with_western_digits(without_signs(cell), columns.decimal)
        if at in columns.numeric
        else without_signs(cell)
        for at, cell in enumerate(raw)
    ]
    named = ", ".join(f"{text} AS t{at}" for at, text in enumerate(texts))
    counts = [signs_in(raw[at]) for at in columns.kept.values()]
    signs = f"list_sum([{', '.join(counts)}])::INTEGER AS signs" if counts else "0 AS signs"
    marked = " + ".join(f"({one} > 0)::INTEGER" for one in counts) or "0"
    return (
        [f"t{at}" for at in range(len(raw))],
        f"(SELECT *, {named}, {signs}, {marked} AS marked FROM {relation})",
    )


def _any_holds(raw: list[str], test: str) -> str:
    return " OR ".join(f"coalesce({test.format(cell)}, FALSE)" for cell in raw) or "FALSE"


def stage(connection: duckdb.DuckDBPyConnection, table: str, select: str, size: int) -> str:
    """Make `table` the rows of `select`, in their order, for a source of `size` bytes.

    Returns the SQL of a row's place, from 0.
    """
    folder = spill_folder(connection)
    for kind in ("VIEW", "TABLE"):
        with suppress(duckdb.CatalogException):  # of the other kind
            connection.execute(f"DROP {kind} IF EXISTS {table}")
    if folder is None or size < LARGE_BYTES:
        connection.execute(f"CREATE TEMP TABLE {table} AS {select}")
        return "rowid"
    file = literal(str(folder / f"{table.strip(chr(34))}.parquet"))
    options = f"FORMAT parquet, ROW_GROUP_SIZE {ROW_GROUP_ROWS}"
    connection.execute(f"COPY ({select}) TO {file} ({options})")
    connection.execute(
        f"CREATE TEMP VIEW {table} AS SELECT * RENAME (file_row_number AS place) "
        f"FROM read_parquet({file}, file_row_number = true)"
    )
    return "place"


def spill_folder(connection: duckdb.DuckDBPyConnection) -> Path | None:
    """The connection's own spill folder where it has one: its disk is meant for such files."""
    [(place,)] = connection.execute("SELECT current_setting('temp_directory')").fetchall()
    folder = Path(str(place)) if place else None
    return folder if folder and folder.is_dir() else None


def show(
    connection: duckdb.DuckDBPyConnection, staged: StagedTable, table_name: str, file: Path
) -> Shown:
    """Make the view `table_name(source_row BIGINT, <columns> VARCHAR)` over a staged table.

    Beside it, `<table_name>_cells(source_row, cells)` has the hash of all cells of each row, and
    `<table_name>_unreadable(source_row, code)` the rows of which no cell is believed, and why.

    Raises DeliveryError: DEL-706 without a data row, DEL-704 for a column without a heading that
    holds text.
    """
    counts = dict(
        connection.execute(f"SELECT kind, count(*) FROM {staged.table} GROUP BY kind").fetchall()
    )
    _demand_empty(connection, staged, file)
    if not any(kind in counts for kind in (DATA, HOLLOW, GARBLED, COVERED)):
        raise refusal("DEL-706", file)
    cells = {heading: f"c{at}" for heading, at in staged.columns.kept.items()}
    listed = [
        f"{cells.get(heading, 'NULL::VARCHAR')} AS {name(heading)}"
        for heading in staged.columns.names
    ]
    only_data = f" WHERE kind = {DATA}" if set(counts) != {DATA} else ""
    for view, select in ((table_name, listed), (f"{table_name}_cells", ["cells"])):
        connection.execute(
            f"CREATE OR REPLACE TEMP VIEW {name(view)} AS "
            f"SELECT ({staged.row_sql})::BIGINT AS source_row, {', '.join(select)} "
            f"FROM {staged.table}{only_data}"
        )
    connection.execute(
        f"CREATE OR REPLACE TEMP VIEW {name(f'{table_name}_unreadable')} AS SELECT "
        f"({staged.row_sql})::BIGINT AS source_row, CASE kind {_codes} END AS code "
        f"FROM {staged.table} WHERE kind IN ({literals(SET_ASIDE)})"
    )
    [(signs, marked)] = connection.execute(
        f"SELECT coalesce(sum(signs), 0), coalesce(sum(marked), 0) FROM {staged.table} "
        f"WHERE kind = {DATA}"
    ).fetchall()
    return Shown(
        row_count=counts.get(DATA, 0),
        rows_unreadable={code: counts[kind] for kind, code in SET_ASIDE.items() if kind in counts},
        rows_skipped=counts.get(DECLARED, 0),
        signs=int(signs),
        cells=int(marked),
    )


_codes = " ".join(f"WHEN {kind} THEN {literal(code)}" for kind, code in SET_ASIDE.items())


def _demand_empty(connection: duckdb.DuckDBPyConnection, staged: StagedTable, file: Path) -> None:
    unnamed = staged.columns.unnamed
    if not unnamed:
        return
    counted = ", ".join(f"count(c{at})" for at in unnamed)
    split = f"{staged.table} WHERE kind NOT IN ({literals(SET_ASIDE)})"
    [filled] = connection.execute(f"SELECT {counted} FROM {split}").fetchall()
    for at, cells in zip(unnamed, filled, strict=True):
        if cells:
            raise refusal("DEL-704", file, column=f"#{at + 1}")


def numbered_batch(batch: list[tuple[int, list[str]]], schema: Any) -> Any:
    """One batch of numbered records as columns, without visiting its rows in Python."""
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
