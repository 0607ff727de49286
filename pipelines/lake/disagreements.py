"""Where two deliveries say different things of a record as of one point of time, and one counts.

Not here: which of them counts (`revisions.py`) and what is held instead (`held_rows.py`).

Nobody is asked, since the order is fixed: the more careful version, then the one that was received
first. But each of the two deliveries is told, since nothing is replaced, or left as it was, in
silence. What is told of two deliveries follows from these two alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pipelines.core.settings import Settings
from pipelines.lake.data_files import files_sql
from pipelines.lake.judged_deliveries import JudgedDelivery, find_judged_delivery
from pipelines.lake.revisions import STANDS_AT, keys_sql
from pipelines.lake.tables import MONTH, addressed_files, existing_table, stored_columns
from pipelines.validate.remarks import keep_disagreements, read_disagreements
from pipelines.validate.verdict import StoredFinding
from schemas.contract import load_contract
from schemas.sqltext import literal, literals

if TYPE_CHECKING:
    import duckdb

MORE_CAREFUL, RECEIVED_FIRST = "DEL-743", "DEL-744"


def begin(connection: duckdb.DuckDBPyConnection) -> None:
    """Make `disagreements(delivery_id, other, code, records)`, empty."""
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE disagreements "
        "(delivery_id VARCHAR, other VARCHAR, code VARCHAR, records BIGINT)"
    )


def find_disagreements(
    connection: duckdb.DuckDBPyConnection, about: Sequence[JudgedDelivery], rows: str = "standing"
) -> None:
    """Add to `disagreements` those of the deliveries `about` with any other.

    `rows` is a relation with all that is said of their records (see `revisions_sql`).
    """
    ids = literals(one.delivery_id for one in about)
    connection.execute(
        f"""
        INSERT INTO disagreements
        SELECT mine.delivery_id, theirs.delivery_id,
               CASE WHEN mine.care <> theirs.care THEN {literal(MORE_CAREFUL)}
                    ELSE {literal(RECEIVED_FIRST)} END,
               count(DISTINCT record_id)
        FROM {rows} AS mine JOIN {rows} AS theirs USING (record_id)
        WHERE mine.delivery_id IN ({ids}) AND mine.delivery_id <> theirs.delivery_id
            AND mine.held IS NULL AND theirs.held IS NULL
            AND mine.as_of IS NOT NULL AND theirs.as_of IS NOT NULL
            AND mine.source_revision IS NOT DISTINCT FROM theirs.source_revision
            AND mine.stands_at = theirs.stands_at AND mine.content <> theirs.content
            AND (mine.care <> theirs.care OR mine.received_at <> theirs.received_at)
        GROUP BY ALL
        """
    )


def find_in_lake(
    settings: Settings,
    connection: duckdb.DuckDBPyConnection,
    table_name: str,
    about: Sequence[JudgedDelivery],
) -> None:
    """Add to `disagreements` those of deliveries of which the table has the rows already."""
    table = existing_table(settings, table_name) if about else None
    if table is None:
        return
    contract = load_contract(table_name)
    ids = literals(one.delivery_id for one in about)
    found = addressed_files(settings, table)
    known = files_sql(contract, found, columns=["record_id", "delivery_id"], is_located=False)
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE theirs AS SELECT DISTINCT record_id "
        f"FROM ({known}) WHERE delivery_id IN ({ids})"
    )
    ranges = connection.execute("SELECT min(record_id), max(record_id) FROM theirs").fetchall()
    files = {address: file for address, file in found.items() if file.may_speak_of(ranges)}
    columns = [c for c in stored_columns(contract) if c != MONTH]
    rows = files_sql(contract, files, columns=columns, is_located=False)
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE said AS SELECT *, {STANDS_AT} AS stands_at FROM ("
        f"SELECT {keys_sql(contract)}, held FROM ({rows}) SEMI JOIN theirs USING (record_id) "
        "WHERE superseded_at IS NULL)"
    )
    find_disagreements(connection, about, "said")


def tell(
    settings: Settings, connection: duckdb.DuckDBPyConnection, about: Sequence[JudgedDelivery]
) -> set[str]:
    """Write the `disagreements` of these deliveries beside their receipts and the others'.

    Returns the ids of those others. What was written of them before is replaced. It is done before
    the deliveries are listed as published, so what an interrupted publish did not tell, the next
    one does. Raises OSError where a place cannot be written.
    """
    found = connection.execute("FROM disagreements ORDER BY ALL").fetchall()
    mine = {one.delivery_id for one in about}
    outside: dict[str, list[StoredFinding]] = {}
    for one in about:
        home = one.receipt_folder
        told = [_finding(*rest) for delivery_id, *rest in found if delivery_id == one.delivery_id]
        before = [str(said.values["other"]) for said in read_disagreements(home)]
        outside |= {other: [] for other in before if other not in mine and other not in outside}
        keep_disagreements(home, told)
    for delivery_id, other, code, records in found:
        if other not in mine:
            outside.setdefault(other, []).append(_finding(delivery_id, code, records))
    for other, told in outside.items():
        if (judged := find_judged_delivery(settings, other)) is None:
            continue
        home = judged.receipt_folder
        kept = [said for said in read_disagreements(home) if said.values["other"] not in mine]
        keep_disagreements(home, [*kept, *told])
    return set(outside)


def _finding(other: str, code: str, records: int) -> StoredFinding:
    return StoredFinding(code=code, values={"other": other, "records": records})
