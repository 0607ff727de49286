"""Take judged deliveries into the lake, each exactly once, then show readers the result.

Not here: the rules of revisions (`revisions.py`), Delta itself (`tables.py`), the catalogue.

One commit a table. A kill between two commits leaves readers on the old catalogue, and the next
publish finishes what was begun before it does anything else.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.duck import connect_scratch, scratch_folder
from pipelines.lake.arrivals import ACCEPTED, QUARANTINED, Arrival, arrivals, local_copy
from pipelines.lake.catalogue import swap_catalogue
from pipelines.lake.revisions import (
    find_touched,
    judge_touched,
    merged_rows_sql,
    new_rows_sql,
    record_ranges,
)
from pipelines.lake.storage import LakeError, let_read, remove_leftovers, table_uri, writing
from pipelines.lake.tables import (
    CommitConflict,
    DataFile,
    commit,
    data_files,
    existing_table,
    holds,
    open_table,
    stage,
    stored_columns,
)
from pipelines.settings import Settings
from schemas.contract import Contract, all_rules, load_contract, table_names
from schemas.sqltext import literal, literals, name

if TYPE_CHECKING:
    import duckdb

# What the Delta writer may have open at once: it keeps rows and about 1 MB of every partition in
# memory (measured: 0.7 GB a million incidents).
ROWS_A_PASS = 1_000_000
PARTITIONS_A_PASS = 200
ATTEMPTS = 8


@dataclass(frozen=True)
class Published:
    """What one publish did: the deliveries it took in, their rows by table, the new catalogue."""

    deliveries: tuple[str, ...]
    rows: dict[str, int]
    is_catalogue_new: bool


def publish(settings: Settings, delivery_ids: Sequence[str] | None = None) -> Published:
    """Publish the judged deliveries named, or all of them; those already published are left alone.

    A publish that was interrupted before is finished first. The order of deliveries does not
    matter, nor whether they come one at a time or together.
    Raises LakeBusy when another writer holds the lake for too long, LakeError for a delivery
    without a verdict or an accepted file that is not what its verdict says.
    """
    for attempt in range(ATTEMPTS):
        try:
            with writing(settings):
                return _publish(settings, delivery_ids)
        except CommitConflict:  # only where the lake cannot be locked
            if attempt == ATTEMPTS - 1:
                raise
            time.sleep(0.1 * 2**attempt)
    raise AssertionError("unreachable")


def settle(settings: Settings) -> None:
    """Finish a publish that was interrupted and show its result; for a caller with the lock."""
    _publish(settings, ())


def _publish(settings: Settings, delivery_ids: Sequence[str] | None) -> Published:
    remove_leftovers(settings)
    done = published_deliveries(settings)
    waiting = arrivals(settings, done)
    if delivery_ids is not None:
        known = done | {one.delivery_id for one in waiting}
        if unknown := sorted(set(delivery_ids) - known):
            raise LakeError("No verdict for {deliveries}.", deliveries=", ".join(unknown))
        begun = _begun(settings, waiting)
        waiting = [o for o in waiting if o.delivery_id in begun or o.delivery_id in delivery_ids]
    rows: dict[str, int] = {}
    if waiting:
        with scratch_folder(settings, "publish") as folder, connect_scratch(settings) as connection:
            connection.execute("SET preserve_insertion_order = false")
            let_read(connection, settings)
            for table in table_names("data"):
                rows[table] = _publish_data(settings, connection, table, waiting, folder)
            rows["rejections"] = _publish_rejections(settings, connection, waiting, folder)
            rows["deliveries"] = _publish_accounts(settings, connection, waiting)
    is_new = swap_catalogue(settings)
    return Published(tuple(one.delivery_id for one in waiting), rows, is_new)


def published_deliveries(settings: Settings) -> set[str]:
    """The ids in the table `deliveries`: what the lake holds in full."""
    table = existing_table(settings, "deliveries")
    if table is None or not (files := table.file_uris()):
        return set()
    with connect_scratch(settings) as connection:
        let_read(connection, settings)
        query = f"SELECT delivery_id FROM read_parquet([{literals(files)}])"
        return {delivery for (delivery,) in connection.execute(query).fetchall()}


def _begun(settings: Settings, waiting: Sequence[Arrival]) -> set[str]:
    """Deliveries that some table already holds although `deliveries` does not list them yet."""
    tables = {name: existing_table(settings, name) for name in (*table_names("data"), "rejections")}
    return {
        one.delivery_id
        for one in waiting
        for table in (tables[one.table], tables["rejections"])
        if table is not None and holds(table, one.delivery_id)
    }


def _publish_data(
    settings: Settings,
    connection: duckdb.DuckDBPyConnection,
    table_name: str,
    waiting: Sequence[Arrival],
    folder: Path,
) -> int:
    contract = load_contract(table_name)
    mine = [one for one in waiting if one.table == table_name and one.rows_accepted]
    table = open_table(settings, connection, contract)
    mine = [one for one in mine if not holds(table, one.delivery_id)]
    if not mine:
        return 0
    _read_incoming(connection, contract, mine, folder)
    root = table_uri(settings, table_name)
    ranges = record_ranges(connection)
    lake = {f"{root}/{f.path}": f for f in data_files(table) if f.may_speak_of(ranges)}
    removed: list[DataFile] = []
    select = new_rows_sql(contract)
    if find_touched(connection, contract, lake):
        removed = judge_touched(connection, contract, lake)
        select = merged_rows_sql(contract, {f"{root}/{file.path}": file for file in removed})
    rows = sum(one.rows_accepted for one in mine)
    passes = _passes(connection, select, rows + sum(file.rows for file in removed))
    added = stage(settings, connection, contract, passes)
    commit(settings, table, added, removed, [one.delivery_id for one in mine])
    return rows


def _read_incoming(
    connection: duckdb.DuckDBPyConnection,
    contract: Contract,
    mine: Sequence[Arrival],
    folder: Path,
) -> None:
    """Make the view `incoming`: the accepted rows, with the columns of the contract and no other.

    Raises LakeError where a file does not have as many rows as its verdict says.
    """
    paths = {local_copy(one, ACCEPTED, folder): one for one in mine}
    counted = connection.execute(
        f"SELECT file_name, num_rows FROM parquet_file_metadata([{literals(paths)}])"
    ).fetchall()
    for path, rows in counted:
        if rows != paths[path].rows_accepted:
            raise LakeError(
                "The verdict on {delivery} accepts {accepted} rows, its file has {rows}.",
                delivery=paths[path].delivery_id,
                accepted=paths[path].rows_accepted,
                rows=rows,
            )
    source = f"read_parquet([{literals(paths)}], union_by_name = {literal(len(paths) > 1)})"
    found = {row[0] for row in connection.execute(f"DESCRIBE SELECT * FROM {source}").fetchall()}
    chosen = ", ".join(
        f"{name(c.name) if c.name in found else 'NULL'}::{c.duckdb_type} AS {name(c.name)}"
        for c in contract.published
        if c.filled_by != "lake"
    )
    connection.execute(f"CREATE OR REPLACE TEMP VIEW incoming AS SELECT {chosen} FROM {source}")


def _passes(connection: duckdb.DuckDBPyConnection, select: str, rows: int) -> list[str]:
    """`select`, cut by month of occurrence where it would take too much memory at once."""
    if rows <= min(ROWS_A_PASS, PARTITIONS_A_PASS):
        return [select]
    spans = connection.execute(
        f"""
        SELECT min(month), max(month) + INTERVAL 1 MONTH FROM (
            SELECT month, CASE WHEN month IS NOT NULL THEN ceil(greatest(
                sum(rows) OVER so_far / {ROWS_A_PASS},
                sum(partitions) OVER so_far / {PARTITIONS_A_PASS})) END AS pass
            FROM (
                SELECT date_trunc('month', occurred_at) AS month, count(*) AS rows,
                       count(DISTINCT (is_latest, country)) AS partitions
                FROM ({select}) GROUP BY month)
            WINDOW so_far AS (ORDER BY month))
        GROUP BY pass ORDER BY pass
        """
    ).fetchall()
    if len(spans) <= 1:
        return [select]
    conditions = (
        "occurred_at IS NULL"
        if start is None
        else f"occurred_at >= {literal(start)} AND occurred_at < {literal(end)}"
        for start, end in spans
    )
    return [f"SELECT * FROM ({select}) WHERE {condition}" for condition in conditions]


def _publish_rejections(
    settings: Settings,
    connection: duckdb.DuckDBPyConnection,
    waiting: Sequence[Arrival],
    folder: Path,
) -> int:
    """Rows that were set aside, by rule; of a refused delivery its findings, without a row."""
    contract = load_contract("rejections")
    table = open_table(settings, connection, contract)
    mine = [one for one in waiting if not holds(table, one.delivery_id)]
    mine = [one for one in mine if one.rows_quarantined or not one.verdict.is_accepted]
    if not mine:
        return 0
    _register_accounts(connection, mine)
    rules = [
        {"rule_code": rule.code, "severity": rule.severity, "column_name": rule.column or None}
        for rule in all_rules().values()
    ]
    _register(connection, "rules", rules)
    paths = [local_copy(one, QUARANTINED, folder) for one in mine if one.rows_quarantined]
    source = f"read_parquet([{literals(paths)}], union_by_name = true)"
    rows = f"SELECT delivery_id, source_row, unnest(reasons) AS rule_code FROM {source}"
    refused = (
        "SELECT delivery_id, NULL::BIGINT, unnest(findings) FROM accounts WHERE state = 'refused'"
    )
    select = f"""
        SELECT {_typed(contract)} FROM ({
        f"{rows} UNION ALL {refused}"
        if paths
        else f"SELECT * FROM ({refused}) AS refused(delivery_id, source_row, rule_code)"
    })
        JOIN (SELECT delivery_id, feed, table_name, state FROM accounts) USING (delivery_id)
        LEFT JOIN rules USING (rule_code)
        WHERE state = 'accepted' OR severity = 'error'
        """
    added = stage(settings, connection, contract, [select])
    commit(settings, table, added, [], [one.delivery_id for one in mine])
    return _number_of_rows(added)


def _publish_accounts(
    settings: Settings, connection: duckdb.DuckDBPyConnection, waiting: Sequence[Arrival]
) -> int:
    """The deliveries themselves; last, because being listed here means being published in full."""
    contract = load_contract("deliveries")
    table = open_table(settings, connection, contract)
    mine = [one for one in waiting if not holds(table, one.delivery_id)]
    if not mine:
        return 0
    _register_accounts(connection, mine)
    added = stage(settings, connection, contract, [f"SELECT {_typed(contract)} FROM accounts"])
    commit(settings, table, added, [], [one.delivery_id for one in mine])
    return len(mine)


def _register_accounts(connection: duckdb.DuckDBPyConnection, mine: Sequence[Arrival]) -> None:
    _register(connection, "accounts", [one.account for one in mine])


def _register(
    connection: duckdb.DuckDBPyConnection, table: str, rows: Sequence[dict[str, Any]]
) -> None:
    """A temporary table of a few declared or judged values, as text and lists of text."""
    import pyarrow

    def kind(column: str) -> Any:
        is_list = any(isinstance(row[column], list) for row in rows)
        return pyarrow.list_(pyarrow.string()) if is_list else pyarrow.string()

    columns = {
        column: pyarrow.array(
            [
                value if value is None or isinstance(value, list) else str(value)
                for value in (row[column] for row in rows)
            ],
            kind(column),
        )
        for column in rows[0]
    }
    connection.register("rows_arrow", pyarrow.table(columns))
    connection.execute(f"CREATE OR REPLACE TEMP TABLE {table} AS SELECT * FROM rows_arrow")
    connection.unregister("rows_arrow")


def _typed(contract: Contract) -> str:
    return ", ".join(
        f"{name(column)}::{kind} AS {name(column)}"
        for column, kind in stored_columns(contract).items()
    )


def _number_of_rows(added: Sequence[Any]) -> int:
    import json

    return sum(int(json.loads(action.stats)["numRecords"]) for action in added)
