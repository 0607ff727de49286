"""Take judged deliveries into the lake, each exactly once, then show readers the result.

Not here: the rules of revisions (`revisions.py`), Delta itself (`tables.py`), the catalogue.

One commit a table. A kill between two commits leaves readers on the old catalogue, and the next
publish finishes what was begun before it does anything else.
"""

from __future__ import annotations

import datetime as dt
import logging
import re
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.core.duck import connect_scratch, scratch_folder
from pipelines.core.settings import Settings
from pipelines.lake import disagreements
from pipelines.lake.batches import passes
from pipelines.lake.catalogue import swap_catalogue, table_faults
from pipelines.lake.data_files import files_sql
from pipelines.lake.delivery_tables import publish_deliveries, publish_rejections
from pipelines.lake.errors import CommitConflictError, LakeError
from pipelines.lake.faults import TableFault, fault_of
from pipelines.lake.held_rows import find_held
from pipelines.lake.judged_deliveries import (
    ACCEPTED,
    QUARANTINED,
    JudgedDelivery,
    answered,
    attempt_of,
    find_judged_delivery,
    judged_deliveries,
    judgement_of,
    local_copy,
    verify_files,
)
from pipelines.lake.questions import ask, read_question
from pipelines.lake.rejudgement import find_restated, restated_rows_sql
from pipelines.lake.revisions import (
    find_touched,
    merged_rows_sql,
    new_rows_sql,
    number_revisions,
    record_ranges,
)
from pipelines.lake.storage import lake_lock, let_read, remove_leftovers
from pipelines.lake.tables import (
    DataFile,
    addressed_files,
    commit,
    existing_table,
    holds,
    open_table,
    stage,
    stored_columns,
)
from pipelines.lake.versions import PublishedDelivery, published_deliveries, require_current
from pipelines.validate.remarks import held_rows_file
from pipelines.validate.verdict import moment_name
from schemas.contract import Contract, load_contract, table_names
from schemas.sqltext import literal, literals, name

if TYPE_CHECKING:
    import duckdb

ATTEMPTS = 8

log = logging.getLogger("passerelle")


@dataclass(frozen=True)
class Publication:
    """What one publish did: the deliveries it took in, their rows by table, the new catalogue.

    `left_out` has a sentence for each delivery whose files are not what its verdict says, `faults`
    says of each table that could not be published why: its deliveries wait, the others do not.
    """

    deliveries: tuple[str, ...]
    rows: dict[str, int]
    is_catalogue_new: bool
    left_out: dict[str, str] = field(default_factory=dict)
    faults: dict[str, TableFault] = field(default_factory=dict)


def publish(
    settings: Settings,
    delivery_ids: Sequence[str] | None = None,
    *,
    answered_ids: Collection[str] = (),
) -> Publication:
    """Publish the judged deliveries named, or all of them; those already published are left alone.

    A published one that was answered since is placed anew where it is named, in `answered_ids` or
    else, or has rows that are held.

    A publish that was interrupted before is finished first. The order of deliveries does not
    matter, nor whether they come one at a time or together. One that nobody named and whose files
    are not what its verdict says is left out and logged, even where an interrupted publish took
    some of its rows in: it must not keep all others waiting, and `check` tells of it.
    Raises LakeBusyError when another writer holds the lake for too long, LakeError for a named
    delivery that has no verdict or whose files are not what it says.
    """
    for attempt in range(ATTEMPTS):
        try:
            with lake_lock(settings):
                return _publish(settings, delivery_ids, answered_ids)
        except CommitConflictError:  # only where the lake cannot be locked
            if attempt == ATTEMPTS - 1:
                raise
            time.sleep(0.1 * 2**attempt)
    raise AssertionError("unreachable")


def settle(settings: Settings) -> Publication:
    """Finish a publish that was interrupted and show its result; for a caller with the lock."""
    return _publish(settings, ())


def write_catalogue(settings: Settings) -> bool:
    """Write the catalogue anew if the lake, a contract or a code list changed; True if it did.

    A publish that was interrupted is finished first, so that no table is shown ahead of another.
    Raises LakeBusyError as `publish` does.
    """
    with lake_lock(settings):
        return settle(settings).is_catalogue_new


def _publish(
    settings: Settings,
    delivery_ids: Sequence[str] | None,
    answered_ids: Collection[str] = (),
) -> Publication:
    published = published_deliveries(settings)
    require_current(settings, published)
    remove_leftovers(settings)
    done = published_attempts(settings, published)
    listed = {one.delivery_id for one in published}
    held = {one.delivery_id for one in published if one.rows_held}
    named = set(delivery_ids or ())
    waiting = judged_deliveries(settings, done, look_again={*held, *named, *answered_ids})
    begun = taken_files(settings, waiting)  # by an earlier publish, whoever was asked for then
    if delivery_ids is not None:
        if unknown := sorted(named - listed - {one.delivery_id for one in waiting}):
            raise LakeError("unknown", deliveries=", ".join(unknown))
        waiting = [one for one in waiting if one.delivery_id in named | begun.keys()]
    rows: dict[str, int] = {}
    left_out: dict[str, str] = {}
    faults: dict[str, TableFault] = {}
    tried, is_all = {one.table for one in waiting}, delivery_ids is None
    if waiting or _is_unasked(settings, held):
        with scratch_folder(settings, "publish") as folder, working(settings) as connection:
            left_out = _unsound(connection, waiting, folder, begun, named)
            waiting = [one for one in waiting if one.delivery_id not in left_out]
            disagreements.begin(connection)
            for table in table_names("data"):
                try:
                    _restate_data(settings, connection, table, waiting, folder)
                    rows[table] = _publish_data(settings, connection, table, waiting, folder)
                except Exception as error:
                    if (fault := fault_of(table, error)) is None:
                        raise
                    log.error("%s", fault.text())
                    faults[table] = fault
            waiting = [one for one in waiting if one.table not in faults]
            told = disagreements.tell(settings, connection, waiting)
            others = told | find_held(settings, connection) | held
            told_anew = _sound_again(settings, connection, others, waiting, folder)
            rows["rejections"] = publish_rejections(
                settings, connection, waiting, folder, listed=listed, told_anew=told_anew
            )
            rows["deliveries"] = publish_deliveries(
                settings, connection, waiting, listed, told_anew
            )
            ask(settings, connection, [*waiting, *told_anew])
    is_new = swap_catalogue(settings, faults, tried=table_names("data") if is_all else tried)
    ids = tuple(one.delivery_id for one in waiting)
    return Publication(ids, rows, is_new, left_out, table_faults(settings))


@contextmanager
def working(settings: Settings) -> Iterator[duckdb.DuckDBPyConnection]:
    """A database in which rows are made ready for the tables, with room for the Delta writer."""
    with connect_scratch(settings) as connection:
        connection.execute("SET preserve_insertion_order = false")
        connection.execute(f"SET memory_limit = {literal(_half(settings.memory_limit))}")
        let_read(connection, settings)
        yield connection


def _half(memory_limit: str) -> str:
    """`1GB` → `0.5GB`: the Delta writer, which no limit reaches, needs about as much as DuckDB."""
    found = re.fullmatch(r"\s*([\d.]+)(.*)", memory_limit)
    return f"{float(found[1]) / 2}{found[2]}" if found else memory_limit


def _unsound(
    connection: duckdb.DuckDBPyConnection,
    waiting: Sequence[JudgedDelivery],
    folder: Path,
    begun: Mapping[str, Collection[str]],
    named: Collection[str],
) -> dict[str, str]:
    """Deliveries whose files are not what verdicts say; LakeError for one of those `named`."""
    found: dict[str, str] = {}
    for one in waiting:
        try:
            verify_files(connection, one, folder, begun.get(one.delivery_id, ()))
        except LakeError as problem:
            if one.delivery_id in named:
                raise
            log.error("%s", problem.text())
            found[one.delivery_id] = problem.text()
    return found


def _is_unasked(settings: Settings, held: Collection[str]) -> bool:
    """True where a publish was interrupted between holding rows and asking about them."""
    homes = [it.receipt_folder for one in held if (it := find_judged_delivery(settings, one))]
    return any(read_question(home) is None or held_rows_file(home) is None for home in homes)


def published_attempts(
    settings: Settings, published: Sequence[PublishedDelivery] | None = None
) -> set[str]:
    """The attempts (`JudgedDelivery.attempt`) that the table `deliveries` has."""
    found = set()
    for one in published_deliveries(settings) if published is None else published:
        if one.state == "refused":
            found.add(attempt_of(one.delivery_id, one.harmonised_at))
            continue
        names = {one.delivery_id, judgement_of(one.delivery_id, moment_name(one.harmonised_at))}
        found |= names
        if one.answered_at:
            found |= {answered(name, one.answered_at.replace(tzinfo=dt.UTC)) for name in names}
    return found


def _sound_again(
    settings: Settings,
    connection: duckdb.DuckDBPyConnection,
    delivery_ids: Collection[str],
    waiting: Sequence[JudgedDelivery],
    folder: Path,
) -> list[JudgedDelivery]:
    """Deliveries of which the tables have to say other things now, but those `waiting` anyway.

    One that is damaged keeps what the tables say of it: it must not keep the others waiting.
    """
    found = [
        one
        for delivery_id in sorted({*delivery_ids} - {other.delivery_id for other in waiting})
        if (one := find_judged_delivery(settings, delivery_id)) is not None
    ]
    unsound = _unsound(connection, found, folder, {}, ())
    return [one for one in found if one.delivery_id not in unsound]


def taken_files(settings: Settings, waiting: Sequence[JudgedDelivery]) -> dict[str, set[str]]:
    """What an interrupted publish took in of deliveries that `deliveries` does not list yet.

    By delivery, the files whose rows a table holds already, and which are needed no more.
    """
    tables = {name: existing_table(settings, name) for name in (*table_names("data"), "rejections")}
    found: dict[str, set[str]] = {}
    for one in waiting:
        for file_name, table in (
            (ACCEPTED, tables[one.table]),
            (QUARANTINED, tables["rejections"]),
        ):
            if table is not None and holds(table, one.attempt):
                found.setdefault(one.delivery_id, set()).add(file_name)
    return found


def _publish_data(
    settings: Settings,
    connection: duckdb.DuckDBPyConnection,
    table_name: str,
    waiting: Sequence[JudgedDelivery],
    folder: Path,
) -> int:
    contract = load_contract(table_name)
    every = [one for one in waiting if one.table == table_name and one.rows_accepted]
    table = open_table(settings, contract)
    mine = [one for one in every if not holds(table, one.attempt)]
    there = [one for one in every if one not in mine]
    disagreements.find_in_lake(settings, connection, table_name, there)
    if not mine:
        return 0
    restated = {one.delivery_id for one in mine if holds(table, one.delivery_id)}
    read_incoming(connection, contract, mine, folder)
    ranges = record_ranges(connection)
    found = addressed_files(settings, table)
    lake = {address: file for address, file in found.items() if file.may_speak_of(ranges)}
    removed: list[DataFile] = []
    select = new_rows_sql(contract)
    if find_touched(connection, contract, lake):
        removed = number_revisions(connection, contract, lake, restated)
        disagreements.find_disagreements(connection, mine)
        gone = set(removed)
        rewritten = {address: file for address, file in lake.items() if file in gone}
        select = merged_rows_sql(contract, rewritten, restated)
    rows = sum(one.rows_accepted for one in mine)
    written = rows + sum(file.rows for file in removed)
    added = stage(settings, connection, contract, passes(connection, contract, select, written))
    taken = {key for one in mine for key in (one.attempt, one.delivery_id)}
    commit(settings, table, added, removed, sorted(taken))
    return rows


def _restate_data(
    settings: Settings,
    connection: duckdb.DuckDBPyConnection,
    table_name: str,
    waiting: Sequence[JudgedDelivery],
    folder: Path,
) -> None:
    """Let the rows of deliveries that were judged again take the place of what they had before."""
    contract = load_contract(table_name)
    mine = [one for one in waiting if one.table == table_name and one.is_again]
    if not mine:
        return
    table = open_table(settings, contract)
    mine = [one for one in mine if not holds(table, one.judgement)]
    if not mine:
        return
    read_incoming(connection, contract, [one for one in mine if one.rows_accepted], folder)
    lake = addressed_files(settings, table)
    moment = max(one.verdict.harmonised_at for one in mine)
    removed = find_restated(connection, contract, lake, [one.delivery_id for one in mine], moment)
    gone = set(removed)
    rewritten = {address: file for address, file in lake.items() if file in gone}
    select = restated_rows_sql(contract, rewritten, moment)
    rows = sum(one.rows_accepted for one in mine) + sum(file.rows for file in removed)
    added = stage(settings, connection, contract, passes(connection, contract, select, rows))
    taken = {key for one in mine for key in (one.judgement, one.delivery_id)}
    commit(settings, table, added, removed, sorted(taken))


def read_incoming(
    connection: duckdb.DuckDBPyConnection,
    contract: Contract,
    mine: Sequence[JudgedDelivery],
    folder: Path,
) -> None:
    """Make the view `incoming`: the accepted rows with the columns of the contract.

    Beside them `as_of` and `statement`: what the delivery says each of them is.
    """
    _register_statements(connection, mine)
    paths = [local_copy(one, ACCEPTED, folder) for one in mine]
    if not paths:
        none = files_sql(contract, {}, columns=list(stored_columns(contract)), is_located=False)
        connection.execute(f"CREATE OR REPLACE TEMP VIEW incoming AS {none}")
        return
    source = f"read_parquet([{literals(paths)}], union_by_name = {literal(len(paths) > 1)})"
    found = {row[0] for row in connection.execute(f"DESCRIBE SELECT * FROM {source}").fetchall()}
    chosen = ", ".join(
        f"{name(c.name) if c.name in found else 'NULL'}::{c.duckdb_type} AS {name(c.name)}"
        for c in contract.published
        if c.filled_by != "lake"
    )
    connection.execute(
        f"CREATE OR REPLACE TEMP VIEW incoming AS SELECT rows.*, said.as_of, CASE "
        "WHEN list_contains(said.corrections, 'source_revision') "
        "AND rows.source_revision IS NOT NULL THEN 'correction' "
        "WHEN list_contains(said.corrections, 'withdrawal') AND rows.is_withdrawn "
        "THEN 'correction' ELSE said.kind END AS statement "
        f"FROM (SELECT {chosen} FROM {source}) AS rows LEFT JOIN statements AS said "
        "USING (delivery_id)"
    )


def _register_statements(
    connection: duckdb.DuckDBPyConnection, mine: Sequence[JudgedDelivery]
) -> None:
    """Make `statements`: by delivery as of which day it speaks and what it is."""
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE statements "
        "(delivery_id VARCHAR, as_of DATE, kind VARCHAR, corrections VARCHAR[])"
    )
    if mine:
        connection.executemany(
            "INSERT INTO statements VALUES (?, ?, ?, ?)",
            [[one.delivery_id, one.as_of, one.statement, list(one.corrections)] for one in mine],
        )
