"""Harmonise one delivery: read it, run its compiled query, leave three Parquet files and counts.

Not here: the query (`compile.py`), the second opinion on its result (`validate`), publishing.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from pathlib import Path

import duckdb

from pipelines.core.duck import connect_scratch, scratch_folder
from pipelines.core.settings import Settings
from pipelines.harmonise.compile import CompiledFeed, accepted_of, compile_feed, rejected_of
from pipelines.harmonise.prepare import prepare, set_provenance
from pipelines.landing.as_of import AsOfDay, as_of_of_file
from pipelines.landing.readers.read import TextRows, read_text_rows
from pipelines.landing.receive import Delivery, local_file
from pipelines.landing.refuse import refusal
from schemas.contract import Contract, load_contract
from schemas.contract_check import check
from schemas.feed import Feed, load_feed
from schemas.sqltext import literal

# Each thread keeps a row group of some eighty columns until it is full: at DuckDB's usual size that
# is 400 MB more at 5 million rows, and no faster.
ROW_GROUP_ROWS = 40_960
# A smaller delivery is judged in one pass: planning the query takes longer than its rows do.
ROWS_AT_ONCE = 100_000


@dataclass(frozen=True)
class HarmoniseResult:
    """Where the rows of one delivery went; rows_read is the sum of the three counts."""

    accepted: Path
    quarantined: Path
    duplicates: Path
    rows_read: int
    rows_accepted: int
    rows_quarantined: int
    rows_exact_duplicates: int
    reason_counts: dict[str, int]
    warning_counts: dict[str, int]
    text_rows: TextRows
    as_of: AsOfDay


def harmonise(settings: Settings, delivery: Delivery, folder: Path) -> HarmoniseResult:
    """Route every row of `delivery` to one of three files in `folder`.

    accepted.parquet and quarantined.parquet have the same columns: those of the contract (without
    what the lake fills), `<column>__unread`, helpers, facts, `quality_flags`, `reasons`.
    A row that could not be split is in quarantined.parquet with its number, its reason, where it
    came from, and nothing else. duplicates.parquet has source_row and duplicate_of.
    Raises DeliveryError where the file as a whole cannot be used, ContractError where the feed
    or its table is not in order.
    """
    feed = load_feed(delivery.feed)
    with scratch_folder(settings, "delivery") as place:
        return harmonise_file(
            settings,
            feed,
            local_file(delivery.payload, place),
            folder,
            delivery_id=delivery.delivery_id,
            received_at=delivery.receipt.received_at,
        )


def harmonise_file(
    settings: Settings,
    feed: Feed,
    original: Path,
    folder: Path,
    *,
    delivery_id: str,
    received_at: dt.datetime,
) -> HarmoniseResult:
    """The same for a local file that is not a landed delivery (examples, benchmarks)."""
    contract = load_contract(feed.table)
    check(feed.table)
    compiled = compile_feed(feed, contract)
    folder.mkdir(parents=True, exist_ok=True)
    with connect_scratch(settings) as connection:
        rows = read_text_rows(
            connection, original, feed, largest_bytes=settings.largest_delivery_bytes
        )
        if rows.row_count <= ROWS_AT_ONCE:
            # Each list of codes in a condition would become a join: readying them takes twice as
            # long as all else that a small delivery needs, and wins nothing at 90,000 rows.
            connection.execute("SET disabled_optimizers = 'in_clause'")
        prepare(connection, settings, feed, contract, compiled)
        set_provenance(connection, delivery_id, received_at)
        _route(connection, contract, compiled, folder, rows)
        accepted = folder / "accepted.parquet"
        as_of = as_of_of_file(
            connection, feed, original, rows, accepted=accepted, received_at=received_at
        )
        return _counted(connection, folder, rows, original, as_of)


def _route(
    connection: duckdb.DuckDBPyConnection,
    contract: Contract,
    compiled: CompiledFeed,
    folder: Path,
    rows: TextRows,
) -> None:
    """Write the rows of each verdict to its file."""
    # Which row stands where in a file means nothing; keeping the order would hold rows in memory.
    connection.execute("SET preserve_insertion_order = false")
    accepted, quarantined = folder / "accepted.parquet", folder / "quarantined.parquet"
    unreadable = f" UNION ALL BY NAME {compiled.unreadable_sql}" if rows.rows_unreadable else ""
    if rows.row_count <= ROWS_AT_ONCE:
        connection.execute(f"CREATE TEMP TABLE judged AS {compiled.sql}")
        _write(connection, accepted_of("judged"), accepted)
        _write(connection, rejected_of("judged") + unreadable, quarantined)
    else:
        _write(connection, accepted_of(f"({compiled.sql})"), accepted)
        rest = _rows_left(connection, contract, accepted)
        _write(connection, rejected_of(f"({compiled.sql_over(rest)})") + unreadable, quarantined)
    connection.execute(
        "COPY (SELECT source_row, duplicate_of FROM repeated_rows WHERE duplicate_of IS NOT NULL) "
        f"TO {literal(str(folder / 'duplicates.parquet'))} (FORMAT parquet)"
    )


def _rows_left(connection: duckdb.DuckDBPyConnection, contract: Contract, accepted: Path) -> str:
    """The relation in which the rejected rows are found: rows that are not among the accepted ones.

    One partitioned COPY would route in a single pass, but it buffers every column of every thread:
    three times the time and twice the memory at 5 million rows. So the query of a large delivery
    runs once for the accepted rows, streaming, and once more for those that are left, which are
    few. Which ones those are takes one bit a row. A contract whose facts compare rows needs the
    whole delivery again.
    """
    if any(fact.compares_rows for fact in contract.facts):
        return "text_rows"
    query = "SELECT min(source_row), max(source_row) FROM text_rows"
    [(first, last)] = connection.execute(query).fetchall()
    connection.execute(
        f"SET VARIABLE accepted_rows = (SELECT bitstring_agg(source_row, {first}, {last}) "
        f"FROM read_parquet({literal(str(accepted))}))"
    )
    connection.execute(
        "CREATE TEMP VIEW rows_left AS SELECT * FROM text_rows WHERE coalesce("
        f"get_bit(getvariable('accepted_rows')::BIT, (source_row - {first})::INTEGER), 0) = 0"
    )
    return "rows_left"


def _write(connection: duckdb.DuckDBPyConnection, sql: str, path: Path) -> None:
    file = literal(str(path))
    connection.execute(f"COPY ({sql}) TO {file} (FORMAT parquet, ROW_GROUP_SIZE {ROW_GROUP_ROWS})")


def _counted(
    connection: duckdb.DuckDBPyConnection,
    folder: Path,
    rows: TextRows,
    original: Path,
    as_of: AsOfDay,
) -> HarmoniseResult:
    paths = {part: folder / f"{part}.parquet" for part in ("accepted", "quarantined", "duplicates")}
    counts = {part: _count(connection, path) for part, path in paths.items()}
    read, written = rows.row_count + sum(rows.rows_unreadable.values()), sum(counts.values())
    if written != read:
        raise refusal("DEL-723", original, expected=read, rows=written)
    return HarmoniseResult(
        **paths,
        rows_read=read,
        rows_accepted=counts["accepted"],
        rows_quarantined=counts["quarantined"],
        rows_exact_duplicates=counts["duplicates"],
        reason_counts=_code_counts(connection, paths["quarantined"], "reasons"),
        warning_counts=_code_counts(connection, paths["accepted"], "quality_flags"),
        text_rows=rows,
        as_of=as_of,
    )


def _count(connection: duckdb.DuckDBPyConnection, path: Path) -> int:
    query = "SELECT count(*) FROM read_parquet(?)"
    [(count,)] = connection.execute(query, [str(path)]).fetchall()
    return int(count)


def _code_counts(connection: duckdb.DuckDBPyConnection, path: Path, column: str) -> dict[str, int]:
    found = connection.execute(
        f"SELECT code, count(*) FROM (SELECT unnest({column}) AS code FROM read_parquet(?)) "
        "GROUP BY code ORDER BY code",
        [str(path)],
    ).fetchall()
    return {code: int(count) for code, count in found}
