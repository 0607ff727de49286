"""Rows that are held: accepted, but in no view until somebody says which version is the latest.

Not here: which rows those are (`revisions.py`) and what is told of them (`delivery_tables.py`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.core.settings import Settings
from pipelines.lake.data_files import files_sql
from pipelines.lake.tables import addressed_files, existing_table
from schemas.contract import load_contract, table_names
from schemas.sqltext import literal

if TYPE_CHECKING:
    import duckdb


def find_held(settings: Settings, connection: duckdb.DuckDBPyConnection) -> set[str]:
    """Make `held_rows(delivery_id, table_name, record_id, source_row, rule_code)` of all tables.

    Returns the deliveries that have any. Only files that the statistics show to have some are read.
    """
    parts = []
    for table_name in table_names("data"):
        table = existing_table(settings, table_name)
        if table is None:
            continue
        files = {a: f for a, f in addressed_files(settings, table).items() if f.has_held}
        if not files:
            continue
        columns = ["delivery_id", "record_id", "source_row", "held", "superseded_at"]
        rows = files_sql(load_contract(table_name), files, columns=columns, is_located=False)
        parts.append(
            f"SELECT delivery_id, {literal(table_name)} AS table_name, record_id, source_row, "
            f"held AS rule_code FROM ({rows}) WHERE held IS NOT NULL AND superseded_at IS NULL"
        )
    none = (
        "SELECT NULL::VARCHAR AS delivery_id, NULL::VARCHAR AS table_name, NULL::VARCHAR AS "
        "record_id, NULL::BIGINT AS source_row, NULL::VARCHAR AS rule_code WHERE FALSE"
    )
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE held_rows AS {' UNION ALL '.join(parts) or none}"
    )
    found = connection.execute("SELECT DISTINCT delivery_id FROM held_rows").fetchall()
    return {delivery for (delivery,) in found}
