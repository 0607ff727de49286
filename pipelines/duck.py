"""DuckDB as every stage opens it: bounded memory, a spill folder, no network, our text macros.

Not here: statements about data, and the read-only catalogue that analysts open (`lake`).
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from pipelines.settings import Settings

# Two spellings of one name meet here: case, accents, punctuation and runs of spaces do not count.
LOOKUP_KEY_MACRO = r"""
CREATE OR REPLACE MACRO lookup_key(words) AS
    trim(regexp_replace(lower(strip_accents(words)), '[^\p{L}\p{N}]+', ' ', 'g'))
"""


@contextmanager
def scratch_folder(settings: Settings, purpose: str) -> Iterator[Path]:
    """A folder of its own for one piece of work, gone afterwards whatever happens."""
    settings.scratch.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=f"{purpose}-", dir=settings.scratch))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def connect_scratch(settings: Settings) -> Iterator[duckdb.DuckDBPyConnection]:
    """An in-memory database that spills to `settings.scratch` beyond `memory_limit`."""
    with scratch_folder(settings, "spill") as spill:
        connection = duckdb.connect(config=scratch_config(settings, spill))
        try:
            connection.execute("SET TimeZone = 'UTC'")
            connection.execute("SET enable_progress_bar = false")  # drawn in worker processes
            connection.execute(LOOKUP_KEY_MACRO)
            yield connection
        finally:
            connection.close()


def scratch_config(
    settings: Settings, spill: Path
) -> dict[str, str | bool | int | float | list[str]]:
    """The configuration of such a database."""
    return {
        "memory_limit": settings.memory_limit,
        "threads": settings.threads or (os.cpu_count() or 2),
        "temp_directory": str(spill),
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
    }


def remove_leftovers(settings: Settings) -> None:
    """Empty the scratch folder; only while nothing else runs."""
    shutil.rmtree(settings.scratch, ignore_errors=True)
