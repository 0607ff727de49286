"""DuckDB as every stage opens it: bounded memory, a spill folder, no network, our text macros.

Not here: statements about data, and the read-only catalogue that analysts open (`lake`).
"""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import duckdb

from pipelines.settings import Settings

LEFT_BEHIND_S = 3 * 24 * 3600  # no piece of work lasts as long

# What says nothing about the data: a disk, a network, memory; and any error of the engine at all.
PASSING_FAULTS = (OSError, duckdb.IOException, duckdb.OutOfMemoryException)
ENGINE_FAULT = duckdb.Error

# Two spellings of one name meet here: case, accents, punctuation and runs of spaces do not count.
LOOKUP_KEY_MACRO = r"""
CREATE OR REPLACE MACRO lookup_key(words) AS
    trim(regexp_replace(lower(strip_accents(words)), '[^\p{L}\p{N}]+', ' ', 'g'))
"""


@contextmanager
def scratch_folder(settings: Settings, purpose: str) -> Iterator[Path]:
    """A folder of its own for one piece of work, gone afterwards; after a kill, some days later."""
    settings.scratch.mkdir(parents=True, exist_ok=True)
    _sweep(settings.scratch)
    folder = Path(tempfile.mkdtemp(prefix=f"{purpose}-", dir=settings.scratch))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _sweep(scratch: Path) -> None:
    """Remove what killed processes left: it may hold rows of a delivery."""
    for folder in scratch.iterdir():
        with suppress(OSError):
            if folder.stat().st_mtime < time.time() - LEFT_BEHIND_S:
                shutil.rmtree(folder)


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
        # It would keep our Parquet files a second time, beside the operating system's own cache.
        "enable_external_file_cache": False,
    }
