"""The Delta tables of the lake: making one from its contract, its files, and its atomic commits.

Not here: which rows go in (`publish.py`, `revisions.py`) and what analysts open (`catalogue.py`).
"""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.core.settings import Settings
from pipelines.lake.errors import CommitConflictError, LakeError
from pipelines.lake.storage import (
    STAGING,
    move_staged,
    read_small,
    remove_staging,
    sync_files,
    table_uri,
)
from schemas.contract import Contract
from schemas.render.arrow import arrow_schema

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa
    from deltalake import DeltaTable

MONTH = "occurred_month"  # the lake's own column: the month of the day on which it happened
# What the lake keeps of each row beside the contract: what kind of statement the row is (see
# `revisions.py`), and the code of the rule for which it is held, empty for one that counts.
OWN_COLUMNS = {"as_of": "DATE", "statement": "VARCHAR", "held": "VARCHAR"}
NULL_PARTITION = "__HIVE_DEFAULT_PARTITION__"
BATCH_ROWS = 40_000
ROW_GROUP_ROWS = 131_072
_MEASURED = ("DOUBLE", "BIGINT", "TIMESTAMP")
_CONFIGURATION = {"delta.dataSkippingNumIndexedCols": "-1"}  # null counts tell which columns exist


@dataclass(frozen=True)
class DataFile:
    """One data file of a table version; `path` is relative to the table."""

    path: str
    rows: int
    bytes: int
    columns: frozenset[str]
    partition: dict[str, str | None] = field(hash=False)
    first_record: str | None = None
    last_record: str | None = None
    has_held: bool = False  # rows that no reader sees yet

    def may_speak_of(self, ranges: Sequence[tuple[str, str]]) -> bool:
        """False where the statistics show that no record id of these ranges is in the file."""
        if self.first_record is None or self.last_record is None:
            return True
        return any(
            self.first_record <= last and first <= self.last_record for first, last in ranges
        )


def partition_columns(contract: Contract) -> tuple[str, ...]:
    """Data tables are partitioned by what they tell of place and time; the small logs are not."""
    return tuple(partition_types(contract))


def partition_types(contract: Contract) -> dict[str, str]:
    """The same with their DuckDB types."""
    if contract.kind != "data":
        return {}
    place = contract.roles.country
    return {"is_latest": "BOOLEAN"} | ({place: "VARCHAR"} if place else {}) | _month(contract)


def own_columns(contract: Contract) -> dict[str, str]:
    """The lake's own columns of a table, as DuckDB types."""
    return _month(contract) | OWN_COLUMNS if contract.kind == "data" else {}


def _month(contract: Contract) -> dict[str, str]:
    return {MONTH: "VARCHAR"} if contract.event_day else {}


def stored_columns(contract: Contract) -> dict[str, str]:
    """What a Delta table holds: the published columns and the lake's own, as DuckDB types."""
    return {c.name: c.duckdb_type for c in contract.published} | own_columns(contract)


def delta_schema(contract: Contract) -> pa.Schema:
    """The rendered Arrow schema and the lake's own. Delta holds no NOT NULL: older rows stay."""
    import pyarrow

    fields = [field.with_nullable(True) for field in arrow_schema(contract)]
    kinds = {"VARCHAR": pyarrow.string(), "DATE": pyarrow.date32()}
    fields += [pyarrow.field(name, kinds[kind]) for name, kind in own_columns(contract).items()]
    return pyarrow.schema(fields)


def existing_table(settings: Settings, table: str) -> DeltaTable | None:
    """The newest version of the table, None where nothing was ever published to it."""
    from deltalake import DeltaTable

    uri = table_uri(settings, table)
    return DeltaTable(uri) if DeltaTable.is_deltatable(uri) else None


def open_table(settings: Settings, contract: Contract) -> DeltaTable:
    """The newest version of the table, made or widened as the contract says.

    Raises LakeError where a column has another type than the contract: that needs a migration.
    """
    table = existing_table(settings, contract.table)
    if table is None:
        return create_table(settings, contract)
    if problem := misfit(table, contract):
        if data_files(table):
            raise problem
        replace(settings, table, contract, [], [])  # no row is of another type
        return table
    found = {item.name for item in table.schema().fields}
    missing = [item for item in _wanted(contract).fields if item.name not in found]
    if missing:
        table.alter.add_columns(missing)
        table.update_incremental()
    return table


def create_table(settings: Settings, contract: Contract) -> DeltaTable:
    """An empty table as the contract says, or the one that somebody else made meanwhile."""
    from deltalake import DeltaTable

    return DeltaTable.create(
        table_uri(settings, contract.table),
        schema=delta_schema(contract),
        mode="ignore",
        partition_by=list(partition_columns(contract)),
        name=contract.table,
        description=contract.title.en,
        configuration=_CONFIGURATION,
    )


def misfit(table: DeltaTable, contract: Contract) -> LakeError | None:
    """Why rows of today's contract cannot stand beside those of the table; None where they can."""
    from deltalake.schema import ArrayType

    found = {item.name: item for item in table.schema().fields}
    for item in _wanted(contract).fields:
        said = {"table": contract.table, "column": item.name}
        if item.name not in found:
            if isinstance(item.type, ArrayType):  # Delta has no statistics that tell who has a list
                return LakeError("list", **said)
        elif item.type != found[item.name].type:
            kinds = {"found": str(found[item.name].type), "wanted": str(item.type)}
            return LakeError("type", **said, **kinds)
    return None


def _wanted(contract: Contract) -> Any:
    from deltalake import Schema

    return Schema.from_arrow(delta_schema(contract))


def data_files(table: DeltaTable) -> list[DataFile]:
    """Every file of this version of the table, in the order of their paths."""
    import pyarrow

    actions = pyarrow.table(table.get_add_actions(flatten=True))
    counted = {c.removeprefix(_NULLS): actions.column(c) for c in _starting(actions, _NULLS)}
    everywhere = frozenset(name for name, counts in counted.items() if not counts.null_count)
    here_and_there = [name for name, counts in counted.items() if name not in everywhere]
    wanted = ["path", "num_records", "size_bytes", *_starting(actions, _PARTITION)]
    wanted += [_NULLS + name for name in here_and_there]
    wanted += [
        column
        for column in (*_RECORD_BOUNDS, _NULLS + "held")
        if column in actions.column_names and column not in wanted
    ]
    return sorted(
        (_data_file(row, everywhere, here_and_there) for row in actions.select(wanted).to_pylist()),
        key=lambda file: file.path,
    )


def addressed_files(settings: Settings, table: DeltaTable) -> dict[str, DataFile]:
    """The same by their addresses, as DuckDB opens them. Delta's own are percent-encoded."""
    root = table_uri(settings, table.metadata().name)
    return {f"{root}/{file.path}": file for file in data_files(table)}


_NULLS, _PARTITION = "null_count.", "partition."
_RECORD_BOUNDS = ("min.record_id", "max.record_id")


def _starting(actions: pa.Table, prefix: str) -> list[str]:
    return [column for column in actions.column_names if column.startswith(prefix)]


def _data_file(row: dict[str, Any], everywhere: frozenset[str], rest: Sequence[str]) -> DataFile:
    more = [name for name in rest if row[_NULLS + name] is not None]
    not_held = row.get(_NULLS + "held")
    return DataFile(
        path=row["path"],
        rows=row["num_records"],
        bytes=row["size_bytes"],
        columns=everywhere.union(more) if more else everywhere,
        partition={
            key.removeprefix(_PARTITION): _partition_value(value)
            for key, value in row.items()
            if key.startswith(_PARTITION)
        },
        first_record=row.get(_RECORD_BOUNDS[0]),
        last_record=row.get(_RECORD_BOUNDS[1]),
        has_held=not_held is not None and not_held < row["num_records"],
    )


def _partition_value(value: Any) -> str | None:
    """As Delta writes it in its log."""
    if value is None:
        return None
    return str(value).lower() if isinstance(value, bool) else str(value)


def writer_properties(contract: Contract | None = None) -> Any:
    """How every data file is written, by a publish or by compaction.

    A dictionary pays for codes, which recur. For ids, texts, measures and moments it costs a fifth
    of the time and of the memory of a publish, and makes the files larger than zstd alone does.
    """
    from deltalake import ColumnProperties, WriterProperties

    plain = [
        column.name
        for column in (contract.published if contract else ())
        if column.duckdb_type in _MEASURED
        or (
            column.duckdb_type == "VARCHAR" and not column.codelist and column.filled_by != "reader"
        )
    ]
    return WriterProperties(
        compression="ZSTD",
        max_row_group_size=ROW_GROUP_ROWS,
        column_properties={name: ColumnProperties(dictionary_enabled=False) for name in plain},
    )


def stage(
    settings: Settings,
    connection: duckdb.DuckDBPyConnection,
    contract: Contract,
    statements: Sequence[str],
) -> list[Any]:
    """Write the rows of each SELECT as data files of the table that no version holds yet.

    The rows stream from DuckDB through Arrow in batches, and the Delta writer makes the files and
    their statistics; they are born in a table of their own, so that a kill leaves litter and
    nothing else. Returns the Delta add actions to commit.
    """
    from deltalake import write_deltalake
    from deltalake.transaction import AddAction

    properties = writer_properties(contract)
    actions: list[Any] = []
    for statement in statements:
        staging = f"{STAGING}/{uuid.uuid4().hex}"
        try:
            write_deltalake(
                table_uri(settings, staging),
                connection.execute(statement).to_arrow_reader(BATCH_ROWS),
                partition_by=list(partition_columns(contract)) or None,
                configuration=_CONFIGURATION,
                writer_properties=properties,
            )
            written = read_small(settings, f"{staging}/_delta_log/{0:020}.json").decode()
            entries = [json.loads(line) for line in written.splitlines()]
            added = [entry["add"] for entry in entries if "add" in entry]
            move_staged(settings, staging, contract.table, [add["path"] for add in added])
        finally:
            remove_staging(settings, staging)
        actions += [
            AddAction(
                add["path"],
                add["size"],
                add["partitionValues"],
                add["modificationTime"],
                True,
                add["stats"],
            )
            for add in added
        ]
    if settings.is_lake_local:
        home = Path(table_uri(settings, contract.table))
        sync_files(home / action.path for action in actions)
    return actions


def commit(
    settings: Settings,
    table: DeltaTable,
    added: Sequence[Any],
    removed: Sequence[DataFile],
    delivery_ids: Sequence[str],
) -> None:
    """Make one version of the table: files in, files out, and the deliveries that it now holds.

    Raises CommitConflictError where the table moved on since `table` was read.
    """
    from deltalake.transaction import RemoveAction

    now_ms = int(time.time() * 1000)
    removals = [
        RemoveAction(file.path, True, now_ms, file.bytes, file.partition) for file in removed
    ]
    _write(settings, table, [*added, *removals], delivery_ids)


def replace(
    settings: Settings,
    table: DeltaTable,
    contract: Contract,
    added: Sequence[Any],
    delivery_ids: Sequence[str],
) -> None:
    """Make one version of the table of these files alone, with the columns of the contract.

    Raises CommitConflictError as `commit`.
    """
    _write(settings, table, added, delivery_ids, _wanted(contract))


def _write(
    settings: Settings,
    table: DeltaTable,
    actions: Sequence[Any],
    delivery_ids: Sequence[str],
    replacing: Any = None,
) -> None:
    """Commit, beside what the table holds, or with the schema `replacing` instead of it."""
    from deltalake import CommitProperties, Transaction
    from deltalake.exceptions import CommitFailedError

    try:
        table.create_write_transaction(
            list(actions),
            mode="overwrite" if replacing else "append",
            schema=replacing or table.schema(),
            partition_by=table.metadata().partition_columns,
            commit_properties=CommitProperties(
                max_commit_retries=0,
                app_transactions=[Transaction(delivery, 1) for delivery in delivery_ids],
            ),
        )
    except CommitFailedError as conflict:
        raise CommitConflictError("conflict", table=str(table.table_uri)) from conflict
    if settings.is_lake_local:
        log = Path(table_uri(settings, table.metadata().name)) / "_delta_log"
        sync_files([log / f"{table.version() + 1:020}.json"])
    table.update_incremental()


def holds(table: DeltaTable, delivery_id: str) -> bool:
    """True where a committed version of the table already took this delivery in."""
    return table.transaction_version(delivery_id) is not None
