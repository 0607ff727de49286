"""Harmonise one delivery: read it, run its compiled query, leave three Parquet files and counts.

Not here: the query (`compile.py`), the second opinion on its result (`validate`), publishing.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from pathlib import Path

import duckdb

from pipelines.duck import connect_scratch, scratch_folder
from pipelines.findings import DeliveryRefused, Finding
from pipelines.harmonise.compile import CompiledFeed, compile_feed
from pipelines.harmonise.expressions import named_zone
from pipelines.harmonise.geofence import geofence_cells
from pipelines.harmonise.lookups import load_lists, make_words
from pipelines.harmonise.macros import install_macros
from pipelines.harmonise.timezones import zone_offsets
from pipelines.harmonise.tokens import set_token_key, token_key
from pipelines.landing.read import TextRows, read_text_rows
from pipelines.landing.receive import Delivery
from pipelines.settings import Settings
from schemas.contract import Contract, load_contract
from schemas.feed import Feed, load_feed
from schemas.sqltext import literal, name


@dataclass(frozen=True)
class Harmonised:
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


def harmonise(settings: Settings, delivery: Delivery, folder: Path) -> Harmonised:
    """Route every row of `delivery` to one of three files in `folder`.

    accepted.parquet and quarantined.parquet have the same columns: those of the contract (without
    what the lake fills), `<column>__unread`, helpers, facts, `quality_flags`, `reasons`.
    duplicates.parquet has source_row and duplicate_of.
    Raises DeliveryRefused where the file as a whole cannot be used.
    """
    feed = load_feed(delivery.feed)
    with scratch_folder(settings, "delivery") as place:
        original = place / delivery.receipt.file_name
        with delivery.payload.open("rb") as source, original.open("wb") as copy:
            while block := source.read(1 << 20):
                copy.write(block)
        return harmonise_file(
            settings,
            feed,
            original,
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
) -> Harmonised:
    """The same for a local file that is not a landed delivery (examples, benchmarks)."""
    contract = load_contract(feed.table)
    compiled = compile_feed(feed, contract)
    folder.mkdir(parents=True, exist_ok=True)
    with connect_scratch(settings) as connection:
        install_macros(connection)
        set_token_key(connection, token_key(settings))
        rows = read_text_rows(connection, original, feed)
        _prepare(connection, settings, feed, contract, compiled)
        _set_provenance(connection, delivery_id, received_at)
        _route(connection, contract, compiled, folder)
        return _counted(connection, folder, rows)


def _prepare(
    connection: duckdb.DuckDBPyConnection,
    settings: Settings,
    feed: Feed,
    contract: Contract,
    compiled: CompiledFeed,
) -> None:
    """Make the small tables that the compiled query joins."""
    load_lists(connection, settings, set(compiled.codelists))
    for target, text in compiled.lookup_texts.items():
        make_words(connection, feed, contract, target, text)
    zones = connection.execute(
        "SELECT time_zone FROM list_admin_areas UNION SELECT time_zone FROM list_countries"
    ).fetchall()
    names = {zone for (zone,) in zones if zone} | {"UTC"}
    names |= {zone for mapping in feed.map.values() if (zone := named_zone(mapping))}
    _arrow_table(connection, "zone_offsets", zone_offsets(names))
    _arrow_table(connection, "geofence", geofence_cells(settings))
    for level, code in (("country", "country"), ("admin1", "admin1_code")):
        connection.execute(
            f"CREATE TEMP TABLE geofence_{level} AS SELECT DISTINCT cell, {code} AS code "
            "FROM geofence"
        )
        connection.execute(
            f"SET VARIABLE geofence_{level}_codes = "
            f"(SELECT list(DISTINCT code) FROM geofence_{level})"
        )
    _find_repeated(connection, compiled.record_key_sql)


def _arrow_table(connection: duckdb.DuckDBPyConnection, table: str, rows: object) -> None:
    connection.register("arrow_rows", rows)
    connection.execute(f"CREATE TEMP TABLE {table} AS SELECT * FROM arrow_rows")
    connection.unregister("arrow_rows")


def _find_repeated(connection: duckdb.DuckDBPyConnection, key_sql: str) -> None:
    """Make `repeated_rows(source_row, duplicate_of, times)` for rows whose record id recurs.

    `duplicate_of` names the first of rows that are the same in every cell; `times` counts the rows
    of the id that differ. Few rows are repeated, so only those are compared cell by cell.
    """
    cells = [
        name(column)
        for (column, *_) in connection.execute("DESCRIBE text_rows").fetchall()
        if column != "source_row"
    ]
    connection.execute(
        f"""
        CREATE TEMP TABLE repeated_rows AS
        WITH keyed AS (SELECT *, coalesce({key_sql}, '') AS record_key FROM text_rows),
        repeated AS (SELECT record_key FROM keyed GROUP BY record_key HAVING count(*) > 1),
        compared AS (
            SELECT source_row, record_key,
                   min(source_row) OVER (PARTITION BY {", ".join(cells)}) AS first_row
            FROM keyed SEMI JOIN repeated USING (record_key))
        SELECT source_row,
               CASE WHEN first_row < source_row THEN first_row END AS duplicate_of,
               -- rows without a number are not one record told several times
               CASE WHEN record_key = '' THEN 1 ELSE
               count(*) FILTER (first_row = source_row) OVER (PARTITION BY record_key) END AS times
        FROM compared
        """
    )


def _set_provenance(
    connection: duckdb.DuckDBPyConnection, delivery_id: str, received_at: dt.datetime
) -> None:
    utc = received_at.astimezone(dt.UTC).replace(tzinfo=None) if received_at.tzinfo else received_at
    connection.execute("SET VARIABLE delivery_id = ?", [delivery_id])
    connection.execute("SET VARIABLE received_at = ?", [utc])


def _route(
    connection: duckdb.DuckDBPyConnection,
    contract: Contract,
    compiled: CompiledFeed,
    folder: Path,
) -> None:
    """Write the rows of each verdict to its file: accepted first, then whatever is not there.

    One partitioned COPY would route in a single pass, but it buffers every column of every thread:
    three times the time and twice the memory at 5 million rows. So the query runs once for the
    accepted rows, streaming, and once more for the rows that are not among them, which are few.
    A contract with facts compares rows, so its second run sees the whole delivery as well.
    """
    # Which row stands where in a file means nothing; keeping the order would hold rows in memory.
    connection.execute("SET preserve_insertion_order = false")
    accepted, quarantined = folder / "accepted.parquet", folder / "quarantined.parquet"
    _write(connection, compiled.sql, "accepted", accepted)
    if not contract.facts:
        connection.execute(
            "CREATE TEMP VIEW rows_left AS SELECT * FROM text_rows ANTI JOIN "
            f"read_parquet({literal(str(accepted))}) USING (source_row)"
        )
    rest = compiled.sql if contract.facts else compiled.sql_over("rows_left")
    _write(connection, rest, "quarantined", quarantined)
    connection.execute(
        "COPY (SELECT source_row, duplicate_of FROM repeated_rows WHERE duplicate_of IS NOT NULL) "
        f"TO {literal(str(folder / 'duplicates.parquet'))} (FORMAT parquet)"
    )


def _write(connection: duckdb.DuckDBPyConnection, sql: str, verdict: str, path: Path) -> None:
    connection.execute(
        f"COPY (SELECT * EXCLUDE (verdict) FROM ({sql}) "
        f"WHERE verdict = {literal(verdict)}) TO {literal(str(path))} (FORMAT parquet)"
    )


def _counted(connection: duckdb.DuckDBPyConnection, folder: Path, rows: TextRows) -> Harmonised:
    paths = {part: folder / f"{part}.parquet" for part in ("accepted", "quarantined", "duplicates")}
    counts = {part: _count(connection, path) for part, path in paths.items()}
    if sum(counts.values()) != rows.row_count:
        raise DeliveryRefused(
            Finding("DEL-723", {"read": rows.row_count, "written": sum(counts.values())})
        )
    return Harmonised(
        **paths,
        rows_read=rows.row_count,
        rows_accepted=counts["accepted"],
        rows_quarantined=counts["quarantined"],
        rows_exact_duplicates=counts["duplicates"],
        reason_counts=_code_counts(connection, paths["quarantined"], "reasons"),
        warning_counts=_code_counts(connection, paths["accepted"], "quality_flags"),
        text_rows=rows,
    )


def _count(connection: duckdb.DuckDBPyConnection, path: Path) -> int:
    row = connection.execute("SELECT count(*) FROM read_parquet(?)", [str(path)]).fetchone()
    return int(row[0]) if row else 0


def _code_counts(connection: duckdb.DuckDBPyConnection, path: Path, column: str) -> dict[str, int]:
    found = connection.execute(
        f"SELECT code, count(*) FROM (SELECT unnest({column}) AS code FROM read_parquet(?)) "
        "GROUP BY code ORDER BY code",
        [str(path)],
    ).fetchall()
    return {code: int(count) for code, count in found}
