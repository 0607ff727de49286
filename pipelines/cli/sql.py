"""The command `sql`: one question to what is published, as a table, CSV, JSON or Parquet."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from contextlib import nullcontext
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pipelines.cli.declare import argument, command, flag, option
from pipelines.cli.errors import CommandError
from pipelines.cli.session import Session, table
from pipelines.cli.words import _, counted
from pipelines.core.i18n import mark
from schemas.sqltext import literal, name, whole

if TYPE_CHECKING:
    import duckdb
    import pyarrow
    from rich.console import RenderableType
    from rich.table import Table


ROWS_SHOWN, ROWS_PAGED = 40, 1_000  # on a terminal, without and with a pager; elsewhere all
ROWS_A_BATCH = 20_000
WIDEST_CELL = 32  # beyond, a cell is folded


class Format(StrEnum):
    """What a result is printed or written as."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"
    PARQUET = "parquet"


@command(
    "sql",
    mark(
        "Ask the published tables a question in SQL.\n\n"
        "It only reads: nothing can be changed, and no other file or address can be opened. The "
        "tables are in <home>/catalog.duckdb, which any DuckDB opens."
    ),
    'passerelle sql "SELECT country, count(*) FROM incidents GROUP BY country"\n'
    'passerelle sql "FROM seizures" -o seizures.parquet',
)
def sql(
    session: Session,
    query: Annotated[str, argument(mark("QUERY"), mark("one SELECT; “-” reads it from input"))],
    *,
    shape: Annotated[
        Format | None, option("--format -f", mark("FORMAT"), mark("table, csv, json or parquet"))
    ] = None,
    output: Annotated[
        Path | None, option("--output -o", mark("FILE"), mark("write it: .csv, .json or .parquet"))
    ] = None,
    limit: Annotated[
        int | None,
        option(
            "--limit",
            mark("NUMBER"),
            mark("rows shown of a table; 0: all, as in a pipe or a file"),
            min=0,
        ),
    ] = None,
    is_unpaged: Annotated[
        bool, flag("--no-pager", mark("print all at once what fills several screens"))
    ] = False,
) -> None:
    asked = sys.stdin.read() if query == "-" else query
    wanted = _format(session, shape, output)
    with locked_connection(session) as connection:
        try:
            result = _only_reading(connection, asked)
            if output is not None:
                rows = write_result(result, wanted, output)
                one, several = mark("{count} row in {file}."), mark("{count} rows in {file}.")
                session.print_line(counted(rows, one, several, file=output))
            elif wanted is Format.TABLE:
                show_result(session, result, limit, is_paged=not is_unpaged)
            else:
                _stream(result, wanted)
        except _errors() as error:
            raise CommandError("PSL-215", _("The query failed: {error}", error=error)) from None


def _errors() -> type[Exception]:
    import duckdb

    return duckdb.Error


def _format(session: Session, shape: Format | None, output: Path | None) -> Format:
    if shape is None and output is not None:
        ending = output.suffix.lower().removeprefix(".")
        if ending not in (Format.CSV, Format.JSON, Format.PARQUET):
            raise CommandError("PSL-216", _("A result is written as .csv, .json or .parquet."))
        return Format(ending)
    wanted = shape or (Format.JSON if session.is_json else Format.TABLE)
    if wanted is Format.PARQUET and output is None:
        raise CommandError("PSL-217", _("Parquet is for files: add -o result.parquet."))
    return wanted


def locked_connection(session: Session) -> duckdb.DuckDBPyConnection:
    """The catalogue, with nothing else in reach. Raises CommandError while nothing is published.

    A lake in an object store is read through fsspec, which DuckDB cannot fence: other addresses
    stay in reach there for whoever may run commands on this machine.
    """
    import pipelines
    from pipelines.lake.errors import NothingPublishedError

    try:
        connection = pipelines.connect(session.settings)
    except NothingPublishedError:
        message = _("Nothing is published yet in {place}.", place=session.settings.home)
        raise CommandError(
            "PSL-218", message, _("Try: {command}", command="passerelle demo")
        ) from None
    if session.settings.is_lake_local:
        connection.execute(f"SET allowed_directories = {literal([session.settings.lake])}")
        connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")
    return connection


def _only_reading(connection: duckdb.DuckDBPyConnection, asked: str) -> duckdb.DuckDBPyRelation:
    """The result of one reading statement, not yet fetched. Raises CommandError for any other."""
    import duckdb

    statements = connection.extract_statements(asked)
    if len(statements) != 1:
        raise CommandError("PSL-219", _("One question at a time: write one SELECT."))
    if statements[0].type != duckdb.StatementType.SELECT:
        raise CommandError(
            "PSL-220", _("Only questions are answered here (SELECT): nothing is changed.")
        )
    return connection.query(statements[0].query)


def show_result(
    session: Session,
    result: duckdb.DuckDBPyRelation,
    limit: int | None = None,
    *,
    is_paged: bool = False,
) -> None:
    """A result as a table, or its rows one below the other where they are too wide for that.

    On a terminal what does not fit the screen goes through its pager; elsewhere all is printed.
    """
    is_watched = session.out.is_terminal
    usual = (ROWS_PAGED if is_paged else ROWS_SHOWN) if is_watched else 0
    most = usual if limit is None else limit
    rows = (result.limit(most + 1) if most else result).fetchall()
    shown = [[_cell(value) for value in row] for row in (rows[:most] if most else rows)]
    widths = [
        max(len(cell) for cell in (name, *cells))
        for name, *cells in zip(result.columns, *shown, strict=True)
    ]
    if sum(min(width, WIDEST_CELL) + 2 for width in widths) > session.out.width:
        parts: Iterable[RenderableType] = _records(result.columns, shown)
        height = len(shown) * (len(widths) + 1)
    else:
        parts, height = [_grid(result, shown)], len(shown) + 2
    has_pager = is_paged and is_watched and height > session.out.height
    with session.out.pager(styles=True) if has_pager else nullcontext():
        for part in parts:
            session.out.print(part)
    if not rows:
        session.err.print(_("No row answers this."), style="dim")
    if len(rows) > len(shown):
        one = mark("Only the first row is shown (--limit 0: all).")
        several = mark("Only the first {count} rows are shown (--limit 0: all).")
        session.err.print(counted(len(shown), one, several), style="dim")


def _grid(result: duckdb.DuckDBPyRelation, rows: list[list[str]]) -> Table:
    numeric = [i for i, kind in enumerate(result.types) if str(kind).startswith(_NUMERIC)]
    grid = table(*result.columns, numbers=numeric)
    for cells in rows:
        grid.add_row(*cells)
    return grid


def _records(columns: list[str], rows: list[list[str]]) -> Iterator[RenderableType]:
    from rich.table import Table
    from rich.text import Text

    for row in rows:
        grid = Table.grid(padding=(0, 2))
        grid.add_column(no_wrap=True)
        grid.add_column(overflow="fold")
        for column, cell in zip(columns, row, strict=True):
            grid.add_row(Text(column, style="dim"), cell)
        yield grid
        yield ""


_NUMERIC = (
    "TINYINT",
    "SMALLINT",
    "INTEGER",
    "BIGINT",
    "HUGEINT",
    "U",
    "FLOAT",
    "DOUBLE",
    "DECIMAL",
)


def _cell(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, float):
        return whole(value)
    if isinstance(value, list):
        return ", ".join(_cell(item) for item in value)
    return str(value)


def write_result(result: duckdb.DuckDBPyRelation, shape: Format, output: Path) -> int:
    """Write a whole result to a file, batch by batch; returns its rows."""
    if shape is Format.PARQUET:
        return _write_parquet(result, output)
    with output.open("w", encoding="utf-8", newline="") as stream:
        return _write_text(result, shape, stream)


def _stream(result: duckdb.DuckDBPyRelation, shape: Format) -> None:
    _write_text(result, shape, sys.stdout)


def _write_parquet(result: duckdb.DuckDBPyRelation, output: Path) -> int:
    import pyarrow.parquet

    reader = _batches(result)
    rows = 0
    with pyarrow.parquet.ParquetWriter(output, reader.schema, compression="zstd") as writer:
        for batch in reader:
            writer.write_batch(batch)
            rows += batch.num_rows
    return rows


def _batches(result: duckdb.DuckDBPyRelation) -> pyarrow.RecordBatchReader:
    return result.to_arrow_reader(ROWS_A_BATCH)


def _write_text(result: duckdb.DuckDBPyRelation, shape: Format, stream: Any) -> int:
    if shape is Format.CSV:
        return _write_csv(result, stream)
    rows = 0
    # JSON has no NaN and no infinity.
    finite = [
        f"CASE WHEN isfinite({column}) THEN {column} END AS {column}"
        if str(kind) in ("DOUBLE", "FLOAT")
        else column
        for column, kind in zip(_names(result.columns), result.types, strict=True)
    ]
    lines = result.project(", ".join(finite)).query(
        "asked", "SELECT to_json(asked)::VARCHAR FROM asked"
    )
    for batch in _batches(lines):
        stream.write("[\n" if not rows else ",\n")
        stream.write(",\n".join(batch.column(0).to_pylist()))
        rows += batch.num_rows
    stream.write("\n]\n" if rows else "[]\n")
    return rows


def _write_csv(result: duckdb.DuckDBPyRelation, stream: Any) -> int:
    import csv

    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(result.columns)
    rows = 0
    # As text in DuckDB's own notation, so that lists and times read back as they were.
    casts = ", ".join(f"{column}::VARCHAR" for column in _names(result.columns))
    lines = result.project(casts)
    for batch in _batches(lines):
        writer.writerows(zip(*(column.to_pylist() for column in batch.columns), strict=True))
        rows += batch.num_rows
    return rows


def _names(columns: list[str]) -> list[str]:
    """The names of columns as SQL has them."""
    return [name(column.replace("\x00", "")) for column in columns]
