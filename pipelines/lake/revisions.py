"""Which of the assertions about a record is its latest, and when each of them was what we knew.

Not here: how the result gets into files (`publish.py`, `tables.py`).

An assertion is one row of one delivery. Those about one record are put in order by what the
assertion itself says (`ORDER`), never by when we happened to read it, so any order of ingestion
gives the same tables. Neighbours that say the same are one revision.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pipelines.lake.tables import DataFile, partition_columns, stored_columns
from schemas.contract import Contract
from schemas.sqltext import literals, name

if TYPE_CHECKING:
    import duckdb

ORDER = "source_revision NULLS FIRST, received_at, delivery_id, source_row"
# What does not make two assertions different: how they came to us, and what our rules think of them
NOT_CONTENT = frozenset({"received_at", "delivery_id", "source_row", "quality_flags"})
STANDING = ("revision", "known_from", "known_to", "is_latest")
MONTH_SQL = "strftime(occurred_at, '%Y-%m')"

# known_to: the first moment at which we knew anything later. An assertion that came after its own
# successor (late), or repeats its forerunner, was never the news: its period is empty, so that
# `known_from <= t AND (known_to > t OR known_to IS NULL)` is one row a record at any t.


def judged_sql(assertions: str) -> str:
    """A SELECT of every row of `assertions` with its standing; the source of all revision numbers.

    Needs record_id, the columns of `ORDER`, and `content`, equal where two rows say the same.
    """
    return f"""
SELECT * EXCLUDE (overtaken_at, last_revision, is_repeat),
       CASE WHEN is_repeat THEN known_from
            WHEN overtaken_at IS NOT NULL THEN greatest(known_from, overtaken_at) END AS known_to,
       NOT is_repeat AND revision = last_revision AS is_latest
FROM (
    SELECT *,
           min(received_at) OVER (PARTITION BY record_id, revision) AS known_from,
           min(received_at) OVER (PARTITION BY record_id ORDER BY revision
               GROUPS BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING) AS overtaken_at,
           max(revision) OVER (PARTITION BY record_id) AS last_revision
    FROM (
        SELECT *, (count(*) FILTER (NOT is_repeat) OVER (
                   PARTITION BY record_id ORDER BY {ORDER}))::INTEGER AS revision
        FROM (
            SELECT *, coalesce(content = lag(content) OVER (
                       PARTITION BY record_id ORDER BY {ORDER}), FALSE) AS is_repeat
            FROM {assertions})))
"""


def files_sql(
    contract: Contract, addresses: dict[str, DataFile], *, columns: Sequence[str], is_located: bool
) -> str:
    """A SELECT of `columns` over data files (address → file); no files give no rows.

    Files that were written before the contract gained a column yield NULL for it. With
    `is_located` the columns `file` and `place` (0-based row in the file) come as well.
    """
    types = stored_columns(contract)
    located = ["file", "place"] if is_located else []
    if not addresses:
        kinds = {**types, "file": "VARCHAR", "place": "BIGINT"}
        nulls = ", ".join(f"NULL::{kinds[c]} AS {name(c)}" for c in [*columns, *located])
        return f"SELECT {nulls} WHERE FALSE"
    groups: dict[frozenset[str], list[str]] = {}
    for address, file in addresses.items():
        groups.setdefault(file.columns, []).append(address)
    options = ", filename = true, file_row_number = true" if is_located else ""
    parts = []
    for present, paths in groups.items():
        missing = missing_columns(contract, present)
        chosen = [
            f"NULL::{types[c]} AS {name(c)}" if c in missing else name(c) for c in columns
        ] + (["filename AS file", "file_row_number AS place"] if is_located else [])
        parts.append(
            f"SELECT {', '.join(chosen)} FROM read_parquet([{literals(paths)}]"
            f"{hive_options(contract)}{options})"
        )
    return "\nUNION ALL\n".join(parts)


def hive_options(contract: Contract) -> str:
    """How DuckDB takes the partition columns from the folders' names; nothing is guessed."""
    if not partition_columns(contract):
        return ", hive_partitioning = false"
    return (
        ", hive_partitioning = true, hive_types = "
        "{'is_latest': BOOLEAN, 'country': VARCHAR, 'occurred_month': VARCHAR}"
    )


def missing_columns(contract: Contract, present: frozenset[str]) -> frozenset[str]:
    """Columns of the contract that a file does not have, because it is older than they are.

    Lists have no statistics in Delta, so a file is taken to have them.
    """
    if not present:
        return frozenset()
    lists = {c for c, kind in stored_columns(contract).items() if kind.endswith("]")}
    expected = set(stored_columns(contract)) - set(partition_columns(contract)) - lists
    return frozenset(expected - present)


def record_ranges(connection: duckdb.DuckDBPyConnection) -> list[tuple[str, str]]:
    """The first and last record id of each source in `incoming`."""
    query = "SELECT min(record_id), max(record_id) FROM incoming GROUP BY source"
    return connection.execute(query).fetchall()


def find_touched(
    connection: duckdb.DuckDBPyConnection, contract: Contract, lake: dict[str, DataFile]
) -> int:
    """Make `seen(record_id, file)` and `touched(record_id)`; returns how many are touched.

    A record is touched when `incoming` speaks of it and so does the lake, or `incoming` twice.
    """
    rows = files_sql(contract, lake, columns=["record_id"], is_located=True)
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE seen AS SELECT record_id, file FROM ({rows}) "
        "SEMI JOIN incoming USING (record_id)"
    )
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE touched AS SELECT record_id FROM seen UNION "
        "SELECT record_id FROM incoming GROUP BY record_id HAVING count(*) > 1"
    )
    return _number(connection, "SELECT count(*) FROM touched")


def judge_touched(
    connection: duckdb.DuckDBPyConnection, contract: Contract, lake: dict[str, DataFile]
) -> list[DataFile]:
    """Make `standing`: every assertion about a touched record, with its revision and period.

    Returns the files of the lake in which a row must change.
    """
    found = connection.execute("SELECT DISTINCT file FROM seen").fetchall()
    hit = {address: lake[address] for (address,) in found}
    content = ", ".join(
        name(c.name)
        for c in contract.published
        if c.name not in NOT_CONTENT and c.filled_by != "lake"
    )
    keys = f"record_id, {ORDER.replace(' NULLS FIRST', '')}, hash({content}) AS content"
    was = ", ".join(f"{c} AS was_{c}" for c in STANDING)
    types = stored_columns(contract)
    nulls = ", ".join(f"NULL::{types[c]} AS was_{c}" for c in STANDING)
    columns = [c for c in types if c != "occurred_month"]
    old = files_sql(contract, hit, columns=columns, is_located=True)
    connection.execute(
        f"""
        CREATE OR REPLACE TEMP VIEW assertions AS
        SELECT {keys}, NULL::VARCHAR AS file, NULL::BIGINT AS place, {nulls}
        FROM incoming SEMI JOIN touched USING (record_id)
        UNION ALL
        SELECT {keys}, file, place, {was} FROM ({old}) SEMI JOIN touched USING (record_id)
        """
    )
    connection.execute(f"CREATE OR REPLACE TEMP TABLE standing AS {judged_sql('assertions')}")
    is_changed = " OR ".join(f"{c} IS DISTINCT FROM was_{c}" for c in STANDING)
    changed = connection.execute(
        f"SELECT DISTINCT file FROM standing WHERE file IS NOT NULL AND ({is_changed})"
    ).fetchall()
    return [lake[address] for (address,) in sorted(changed)]


def new_rows_sql(contract: Contract) -> str:
    """Rows of `incoming` of which no record is touched: each is the first of its record."""
    first = {
        "revision": "1::INTEGER",
        "known_from": "received_at",
        "known_to": "NULL::TIMESTAMP",
        "is_latest": "TRUE",
        "occurred_month": MONTH_SQL,
    }
    return f"SELECT {_columns(contract, first)} FROM incoming"


def merged_rows_sql(contract: Contract, rewritten: dict[str, DataFile]) -> str:
    """Rows of `incoming` as `standing` places them, and all rows of the rewritten files."""
    incoming = {
        "revision": "coalesce(standing.revision, 1::INTEGER)",
        "known_from": "coalesce(standing.known_from, received_at)",
        "known_to": "standing.known_to",
        "is_latest": "coalesce(standing.is_latest, TRUE)",
        "occurred_month": MONTH_SQL,
    }
    kept = {
        c: f"CASE WHEN standing.place IS NULL THEN stored.{c} ELSE standing.{c} END"
        for c in STANDING
    }
    columns = list(stored_columns(contract))
    stored = files_sql(contract, rewritten, columns=columns, is_located=True)
    standing = f"SELECT {', '.join(STANDING)}, file, place, delivery_id, source_row FROM standing"
    return f"""
        SELECT {_columns(contract, incoming, "stated")} FROM incoming AS stated
        LEFT JOIN ({standing} WHERE file IS NULL) AS standing USING (delivery_id, source_row)
        UNION ALL
        SELECT {_columns(contract, kept, "stored")} FROM ({stored}) AS stored
        LEFT JOIN ({standing} WHERE file IS NOT NULL) AS standing
            ON standing.file = stored.file AND standing.place = stored.place
        """


def _columns(contract: Contract, computed: dict[str, str], relation: str = "incoming") -> str:
    return ", ".join(
        f"{computed[c]} AS {name(c)}" if c in computed else f"{relation}.{name(c)}"
        for c in stored_columns(contract)
    )


def _number(connection: duckdb.DuckDBPyConnection, query: str) -> int:
    row = connection.execute(query).fetchone()
    return int(row[0]) if row else 0
