"""DuckDB as every stage opens it: bounded memory, a spill folder, no network, our text macros.

Not here: statements about data, and the read-only catalogue that analysts open (`lake`).
"""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from unicodedata import normalize

import duckdb

from pipelines.core.settings import Settings
from schemas.sqltext import literal

LEFT_BEHIND_S = 3 * 24 * 3600  # no piece of work lasts as long

# What says nothing about the data: a disk, a network, memory; and any error of the engine at all.
PASSING_FAULTS = (OSError, duckdb.IOException, duckdb.OutOfMemoryException)
ENGINE_FAULT = duckdb.Error

# Two spellings of one name meet here: case, accents, punctuation and runs of spaces do not count.
LOOKUP_KEY_MACRO = r"""
CREATE OR REPLACE MACRO lookup_key(words) AS
    trim(regexp_replace(lower(strip_accents(words)), '[^\p{L}\p{N}]+', ' ', 'g'))
"""

# A record's number as it is looked up: two spellings of one number meet here. What cannot be seen,
# spaces, case, width, accents and the kind of a dash do not count, nor does the .0 of 12.0. The
# number that Excel has rounded, 1.2E+17, is no number. Nearly all numbers are plain ASCII, or are
# so without their accents: only the others pay for more.
_NARROW = {chr(code): normalize("NFKC", chr(code)) for code in range(0x80, 0x10000)}
_NARROW = {sign: plain for sign, plain in _NARROW.items() if len(plain) == 1 and plain.isascii()}
_NARROW |= dict(zip("٠١٢٣٤٥٦٧٨٩۰۱۲۳۴۵۶۷۸۹", "01234567890123456789", strict=True))
_NARROW |= dict.fromkeys("‐‑‒–—―−", "-") | dict.fromkeys("‘’ʼ′", "'")
_ACCENTED = "ÀÁÂÄÇÈÉÊËÌÍÎÏÑÒÓÔÖÙÚÛÜàáâäçèéêëìíîïñòóôöùúûüÿ"  # which leave plain letters
RECORD_KEY_MACROS = rf"""
CREATE OR REPLACE MACRO is_rounded_number(words) AS
    contains(words, '+') AND regexp_matches(words, '[0-9]([.,][0-9]*)?[eE][+][0-9]+$');
CREATE OR REPLACE MACRO plain_key(words, bare) AS CASE
    WHEN contains(words, '.0')
    THEN regexp_replace(upper(replace(bare, ' ', '')), '^([0-9]+)[.]0+$', '\1')
    ELSE upper(replace(bare, ' ', '')) END;
CREATE OR REPLACE MACRO record_key(words) AS CASE
    WHEN is_rounded_number(words) THEN NULL
    WHEN strlen(words) = length(words) THEN plain_key(words, words)
    WHEN NOT regexp_matches(words, '[^ -~{_ACCENTED}]') THEN plain_key(words, strip_accents(words))
    ELSE plain_key(words, translate(regexp_replace(strip_accents(nfc_normalize(words)),
        '[\p{{Cc}}\p{{Cf}}\p{{Z}}\p{{M}}]+', '', 'g'),
        {literal("".join(_NARROW))}, {literal("".join(_NARROW.values()))})) END;
"""


def record_keys(numbers: Iterable[str]) -> list[str | None]:
    """The look-up keys of some records' numbers, as a delivery's are made; None for no number."""
    with duckdb.connect() as connection:
        connection.execute(RECORD_KEY_MACROS)
        query = "SELECT list_transform(?::VARCHAR[], lambda number: record_key(number))"
        [(keys,)] = connection.execute(query, [list(numbers)]).fetchall()
        return list(keys)


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
            connection.execute(LOOKUP_KEY_MACRO + ";" + RECORD_KEY_MACROS)
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
