"""What a compiled query finds in its session: readers, code tables, fences, repeated rows.

Not here: the query (`compile.py`), and where its rows go (`run.py`).
"""

from __future__ import annotations

import datetime as dt

import duckdb

from pipelines.core.settings import Settings
from pipelines.harmonise.compile import CompiledFeed
from pipelines.harmonise.expressions import named_zone
from pipelines.harmonise.geofence import fence
from pipelines.harmonise.lookups import load_lists, make_table, make_words
from pipelines.harmonise.macros import install_macros
from pipelines.harmonise.timezones import zone_offsets
from pipelines.harmonise.tokens import set_token_key, token_key
from schemas.contract import Contract
from schemas.feed import Feed


def prepare(
    connection: duckdb.DuckDBPyConnection,
    settings: Settings,
    feed: Feed,
    contract: Contract,
    compiled: CompiledFeed,
) -> None:
    """Make the macros and small tables that the compiled query of a delivery uses.

    `text_rows` is there already.
    """
    install_macros(connection, compiled.sql)
    set_token_key(connection, token_key(settings))
    load_lists(connection, settings, set(compiled.codelists))
    for target, text in compiled.lookup_texts.items():
        areas = contract.roles.area
        level = areas.index(target) + 1 if target in areas else 1
        make_words(connection, settings, feed, contract.column(target), text, level=level)
    _load_zones(connection, feed)
    if compiled.is_fenced:
        _load_geofence(connection, settings)
    _find_repeated(connection, compiled.record_key_sql)
    _find_same_content(connection, compiled.content_sql)


def set_provenance(
    connection: duckdb.DuckDBPyConnection, delivery_id: str, received_at: dt.datetime
) -> None:
    """Tell the session which delivery it reads, and when that was received (UTC if naive)."""
    utc = received_at.astimezone(dt.UTC).replace(tzinfo=None) if received_at.tzinfo else received_at
    connection.execute("SET VARIABLE delivery_id = ?", [delivery_id])
    connection.execute("SET VARIABLE received_at = ?", [utc])


def _load_zones(connection: duckdb.DuckDBPyConnection, feed: Feed) -> None:
    """Make `zone_offsets` for the zones of the places and those that the feed names."""
    placed = connection.execute(
        "SELECT time_zone FROM list_admin_areas UNION SELECT time_zone FROM list_countries"
    ).fetchall()
    names = {zone for (zone,) in placed if zone} | {"UTC"}
    names |= {zone for mapping in feed.map.values() if (zone := named_zone(mapping))}
    make_table(connection, "zone_offsets", zone_offsets(names))


def _load_geofence(connection: duckdb.DuckDBPyConnection, settings: Settings) -> None:
    """Make `geofence`, and tell the session which codes have an outline."""
    fenced = fence(settings)
    make_table(connection, "geofence", fenced.cells)
    for level, codes in (("country", fenced.countries), ("admin1", fenced.areas)):
        connection.execute(f"SET VARIABLE geofence_{level}_codes = ?", [list(codes)])


def _find_repeated(connection: duckdb.DuckDBPyConnection, key_sql: str) -> None:
    """Make `repeated_rows(source_row, duplicate_of, times)` for rows whose record id recurs.

    `duplicate_of` names the first of rows that are the same in every cell, ignored columns too;
    `times` counts the rows of the id that differ. Few rows are repeated: only those are compared.
    """
    connection.execute(
        f"""
        CREATE TEMP TABLE repeated_rows AS
        WITH keyed AS NOT MATERIALIZED (  -- it is used twice, and is as large as the delivery
            SELECT source_row, coalesce({key_sql}, '') AS record_key FROM text_rows),
        repeated AS (SELECT record_key FROM keyed GROUP BY record_key HAVING count(*) > 1),
        compared AS (
            SELECT source_row, record_key,
                   min(source_row) OVER (PARTITION BY record_key, cells) AS first_row
            FROM keyed SEMI JOIN repeated USING (record_key)
                JOIN text_rows_cells USING (source_row))
        SELECT source_row,
               CASE WHEN first_row < source_row THEN first_row END AS duplicate_of,
               CASE WHEN record_key = '' THEN 1 ELSE
                   count(*) FILTER (first_row = source_row) OVER (PARTITION BY record_key)
               END AS times
        FROM compared
        """
    )


def _find_same_content(connection: duckdb.DuckDBPyConnection, content_sql: tuple[str, ...]) -> None:
    """Make `same_content(source_row, same_content_rows)` for rows that say the same under two ids.

    Found by a 64-bit hash of the mapped texts, since it serves a warning only; rows that are the
    same in every cell are no case of it.
    """
    hashed = f"hash({', '.join(content_sql)})" if content_sql else "source_row"
    connection.execute(
        f"""
        CREATE TEMP TABLE same_content AS
        WITH hashed AS (SELECT source_row, {hashed} AS content FROM text_rows ANTI JOIN
                        (SELECT source_row FROM repeated_rows WHERE duplicate_of IS NOT NULL)
                        USING (source_row)),
        several AS (SELECT content, count(*) AS same_content_rows FROM hashed
                    GROUP BY content HAVING count(*) > 1)
        SELECT source_row, same_content_rows FROM hashed JOIN several USING (content)
        """
    )
