"""The floor: DuckDB copies the CSV to Parquet and does nothing else. It judges no row.

Not here: any of the work that the other engines do.
"""

from __future__ import annotations

import duckdb

from benchmarks.work import Steps, Work
from schemas.sqltext import literal


def prepare(work: Work) -> None:
    """The import above is all."""


def run(work: Work, step: Steps) -> None:
    """One COPY; DuckDB finds delimiter, header and types by itself, and keeps no order."""
    config = {"threads": work.threads, "memory_limit": work.memory_limit}
    with duckdb.connect(config=config) as connection:
        connection.execute("SET enable_progress_bar = false")
        connection.execute("SET preserve_insertion_order = false")
        connection.execute(
            f"COPY (FROM read_csv({literal(str(work.csv))})) "
            f"TO {literal(str(work.folder / 'copy.parquet'))} (FORMAT parquet)"
        )
    step("copy")
