"""The two tables about deliveries themselves: `deliveries`, and `rejections` by row and rule.

Not here: the rows that were accepted (`publish.py`). No value of a cell enters these tables.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.core.settings import Settings
from pipelines.lake.data_files import files_sql
from pipelines.lake.judged_deliveries import QUARANTINED, JudgedDelivery, local_copy
from pipelines.lake.tables import (
    DataFile,
    addressed_files,
    commit,
    holds,
    open_table,
    stage,
    stored_columns,
)
from schemas.contract import Contract, all_rules, load_contract
from schemas.sqltext import literals, name

if TYPE_CHECKING:
    import duckdb
    from deltalake import DeltaTable


def publish_rejections(
    settings: Settings,
    connection: duckdb.DuckDBPyConnection,
    waiting: Sequence[JudgedDelivery],
    folder: Path,
    *,
    listed: Collection[str],
    told_anew: Sequence[JudgedDelivery] = (),
) -> int:
    """Rows that were set aside or are held, by rule; of a refused delivery its findings.

    What stands there already is replaced: of the deliveries `listed`, of those that an interruption
    kept from being listed, and of those `told_anew`, of which other rows are held now. The rows
    held are in `held_rows`.
    """
    contract = load_contract("rejections")
    table = open_table(settings, contract)
    mine = [one for one in waiting if not holds(table, one.attempt)]
    listed = {*listed, *_refused_before(settings, connection, contract, table, mine)}
    held = {row[0] for row in connection.execute("SELECT delivery_id FROM held_rows").fetchall()}
    mine = [
        one
        for one in mine
        if one.rows_quarantined or not one.verdict.is_accepted or one.delivery_id in held | listed
    ]
    mine += told_anew
    if not mine:
        return 0
    listed |= {one.delivery_id for one in told_anew}
    again = [one.delivery_id for one in mine if one.delivery_id in listed]
    removed, kept = _superseded(settings, connection, contract, table, again)
    select = rejections_sql(connection, contract, mine, folder)
    added = stage(settings, connection, contract, [select, *kept])
    commit(settings, table, added, removed, [one.attempt for one in mine])
    return _number_of_rows(added)


def rejections_sql(
    connection: duckdb.DuckDBPyConnection,
    contract: Contract,
    mine: Sequence[JudgedDelivery],
    folder: Path,
) -> str:
    """A SELECT of the rejections of deliveries, one at least; their rows held in `held_rows`."""
    _register_deliveries(connection, mine)
    quarantined = [local_copy(one, QUARANTINED, folder) for one in mine if one.rows_quarantined]
    rules = [
        {"rule_code": rule.code, "severity": rule.severity, "column_name": rule.column or None}
        for rule in all_rules().values()
    ]
    _register(connection, "rules", rules)
    parts = [
        "SELECT delivery_id, NULL::BIGINT AS source_row, unnest(findings) AS rule_code "
        "FROM new_deliveries WHERE state = 'refused'",
        "SELECT delivery_id, source_row, rule_code FROM held_rows",
    ]
    if quarantined:
        source = f"read_parquet([{literals(quarantined)}], union_by_name = true)"
        parts.append(f"SELECT delivery_id, source_row, unnest(reasons) AS rule_code FROM {source}")
    return f"""
        SELECT {_typed(contract)} FROM ({" UNION ALL ".join(parts)})
        JOIN (SELECT delivery_id, feed, table_name, state FROM new_deliveries) USING (delivery_id)
        LEFT JOIN rules USING (rule_code)
        WHERE state = 'accepted' OR severity = 'error'
        """


def publish_deliveries(
    settings: Settings,
    connection: duckdb.DuckDBPyConnection,
    waiting: Sequence[JudgedDelivery],
    listed: Collection[str],
    told_anew: Sequence[JudgedDelivery] = (),
) -> int:
    """The deliveries themselves; last, because being listed here means being published in full.

    One that was `listed` has its new verdict from here on, and no other; one `told_anew` has other
    rows held than it said. The rows held are in `held_rows`.
    """
    contract = load_contract("deliveries")
    table = open_table(settings, contract)
    mine = [one for one in waiting if not holds(table, one.attempt)]
    if not mine:
        return 0
    taken = len(mine)
    mine += told_anew
    again = [one.delivery_id for one in told_anew]
    again += [one.delivery_id for one in mine if one.delivery_id in listed]
    removed, kept = _superseded(settings, connection, contract, table, again)
    added = stage(
        settings, connection, contract, [deliveries_sql(connection, contract, mine), *kept]
    )
    commit(settings, table, added, removed, [one.attempt for one in mine])
    return taken


def deliveries_sql(
    connection: duckdb.DuckDBPyConnection,
    contract: Contract,
    mine: Sequence[JudgedDelivery],
    _folder: Path | None = None,
) -> str:
    """A SELECT of the deliveries themselves, one at least; their rows held in `held_rows`."""
    _register_deliveries(connection, mine)
    return f"""
        SELECT {_typed(contract)} FROM (
            SELECT * REPLACE (
                CASE WHEN rows > 0 THEN 'held' ELSE state END AS state,
                coalesce(rows, 0) AS rows_held)
            FROM new_deliveries LEFT JOIN (
                SELECT delivery_id, count(*) AS rows FROM held_rows GROUP BY delivery_id)
            USING (delivery_id))
        """


def _refused_before(
    settings: Settings,
    connection: duckdb.DuckDBPyConnection,
    contract: Contract,
    table: DeltaTable,
    mine: Sequence[JudgedDelivery],
) -> set[str]:
    """Those of `mine` that have a refusal in the table; it has no row, so statistics tell where."""
    if not mine:
        return set()
    files = addressed_files(settings, table)
    rows = files_sql(contract, files, columns=["delivery_id", "source_row"], is_located=False)
    ids = literals(one.delivery_id for one in mine)
    found = connection.execute(
        f"SELECT DISTINCT delivery_id FROM ({rows}) "
        f"WHERE source_row IS NULL AND delivery_id IN ({ids})"
    ).fetchall()
    return {delivery for (delivery,) in found}


def _superseded(
    settings: Settings,
    connection: duckdb.DuckDBPyConnection,
    contract: Contract,
    table: DeltaTable,
    delivery_ids: Sequence[str],
) -> tuple[list[DataFile], list[str]]:
    """Files with rows of earlier refusals of these deliveries, and a SELECT of the other rows."""
    if not delivery_ids:
        return [], []
    again = literals(delivery_ids)
    files = addressed_files(settings, table)
    located = files_sql(contract, files, columns=["delivery_id"], is_located=True)
    touched = connection.execute(
        f"SELECT DISTINCT file FROM ({located}) WHERE delivery_id IN ({again})"
    ).fetchall()
    old = {address: files[address] for (address,) in touched}
    rows = files_sql(contract, old, columns=list(stored_columns(contract)), is_located=False)
    kept = f"SELECT * FROM ({rows}) WHERE delivery_id NOT IN ({again})"
    return list(old.values()), [kept] if old else []


def _register_deliveries(
    connection: duckdb.DuckDBPyConnection, mine: Sequence[JudgedDelivery]
) -> None:
    _register(connection, "new_deliveries", [one.as_row for one in mine])


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
    return sum(int(json.loads(action.stats)["numRecords"]) for action in added)
