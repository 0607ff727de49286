"""Write every table anew from the deliveries as they are judged now, and show all of it at once.

Not here: judging them again (`pipelines/ingest/rejudge.py`), and publishing one delivery more
(`publish.py`), whose queries are used here with nothing in the lake.

One commit a table replaces all of its files and its columns; the list of deliveries comes last, and
then the catalogue, so that readers see the old tables or the new ones. What is killed goes on where
it was: until the list is replaced nothing else is published.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.core.duck import scratch_folder
from pipelines.core.settings import Settings
from pipelines.lake.batches import passes
from pipelines.lake.catalogue import swap_catalogue
from pipelines.lake.data_files import files_sql
from pipelines.lake.delivery_tables import deliveries_sql, rejections_sql
from pipelines.lake.errors import CommitConflictError
from pipelines.lake.held_rows import find_held
from pipelines.lake.judged_deliveries import JudgedDelivery, judged_deliveries, verify_files
from pipelines.lake.publish import ATTEMPTS, Publication, read_incoming, working
from pipelines.lake.revisions import (
    find_touched,
    merged_rows_sql,
    number_revisions,
    restatements_sql,
)
from pipelines.lake.storage import lake_lock, remove_leftovers
from pipelines.lake.tables import (
    addressed_files,
    create_table,
    existing_table,
    holds,
    replace,
    stage,
    stored_columns,
)
from schemas.contract import Contract, load_contract, table_names
from schemas.sqltext import name

if TYPE_CHECKING:
    import duckdb


def migrate(settings: Settings) -> Publication:
    """Write all tables anew by today's contracts from every delivery that has a verdict.

    Raises LakeError where the files of a delivery are not what its verdict says: nothing may be
    lost by going over it; LakeBusyError as `publish` does.
    """
    for attempt in range(ATTEMPTS):
        try:
            with lake_lock(settings):
                return _migrate(settings)
        except CommitConflictError:  # only where the lake cannot be locked
            if attempt == ATTEMPTS - 1:
                raise
            time.sleep(0.1 * 2**attempt)
    raise AssertionError("unreachable")


def _migrate(settings: Settings) -> Publication:
    remove_leftovers(settings)
    every = judged_deliveries(settings)
    step = _step(every)
    rows = {}
    with scratch_folder(settings, "migrate") as folder, working(settings) as connection:
        for one in every:
            verify_files(connection, one, folder)
        work = _Work(settings, connection, folder, step)
        for table in table_names("data"):
            rows[table] = work.rewrite_data(table, every)
        find_held(settings, connection)
        for table, sql in (("rejections", rejections_sql), ("deliveries", deliveries_sql)):
            contract = load_contract(table)
            select = sql(connection, contract, every, folder) if every else None
            work.replace_rows(contract, select, every)
    is_new = swap_catalogue(settings, tried=table_names("data"))
    return Publication(tuple(one.delivery_id for one in every), rows, is_new)


def _step(every: Sequence[JudgedDelivery]) -> str:
    """What a table remembers of this migration, so that it is not written twice."""
    digest = hashlib.sha256()
    for one in every:
        digest.update(one.attempt.encode())
    for table in (*table_names("data"), *table_names("log")):
        digest.update(load_contract(table).fingerprint.encode())
    return f"migration {digest.hexdigest()[:16]}"


@dataclass(frozen=True)
class _Work:
    """What all steps of one migration need."""

    settings: Settings
    connection: duckdb.DuckDBPyConnection
    folder: Path
    step: str

    def rewrite_data(self, table: str, every: Sequence[JudgedDelivery]) -> int:
        """The rows of all deliveries for one table, with the history that they make."""
        contract, connection = load_contract(table), self.connection
        mine = [one for one in every if one.table == table]
        read_incoming(connection, contract, [one for one in mine if one.rows_accepted], self.folder)
        earlier = _earlier_sql(self.settings, contract)
        find_touched(connection, contract, {})
        connection.execute(
            "CREATE OR REPLACE TEMP TABLE restatements AS "
            f"FROM ({restatements_sql(earlier)}) WHERE restated_at IS NOT NULL"
        )
        missing = "SELECT record_id FROM restatements EXCEPT FROM touched"
        connection.execute(f"INSERT INTO touched {missing}")
        number_revisions(connection, contract, {}, restatements="restatements")
        kept = f"SELECT * FROM ({earlier}) WHERE superseded_at IS NOT NULL"
        select = f"{merged_rows_sql(contract, {})} UNION ALL {kept}"
        self.replace_rows(contract, select, mine)
        return sum(one.rows_accepted for one in mine)

    def replace_rows(
        self, contract: Contract, select: str | None, mine: Sequence[JudgedDelivery]
    ) -> None:
        """Put the rows of `select` in the place of all that the table holds, once."""
        table = existing_table(self.settings, contract.table)
        if table is None:
            table = create_table(self.settings, contract)
        if holds(table, self.step):
            return
        rows = sum(one.rows_accepted for one in mine) if contract.kind == "data" else 0
        selects = passes(self.connection, contract, select, rows) if select else []
        added = stage(self.settings, self.connection, contract, selects)
        taken = {key for one in mine for key in (one.attempt, one.judgement)}
        taken |= {one.delivery_id for one in mine if one.verdict.is_accepted}
        replace(self.settings, table, contract, added, [*sorted(taken), self.step])


def _earlier_sql(settings: Settings, contract: Contract) -> str:
    """The rows that the table has now, as far as they have the columns and types of today."""
    table = existing_table(settings, contract.table)
    files = addressed_files(settings, table) if table is not None else {}
    kinds = stored_columns(contract)
    stored = files_sql(contract, files, columns=list(kinds), is_located=False)
    typed = ", ".join(f"TRY_CAST({name(c)} AS {kind}) AS {name(c)}" for c, kind in kinds.items())
    return f"SELECT {typed} FROM ({stored})"
