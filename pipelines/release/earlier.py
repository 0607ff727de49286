"""The private record of every count that was told to somebody, for comparing the next one with it.

Not here: the comparison (`differencing.py`) and what a record holds (`cells.py`).

What a preview showed was told as well as what an extract holds, so both are kept. Two requests for
counts take turns: each would else be compared with what was there before the other.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.release.differencing import sharing_recipients
from pipelines.release.request import Request
from pipelines.settings import Settings

if TYPE_CHECKING:
    import pyarrow as pa

FOLDER = "cells"


def cells_folder(settings: Settings, table: str, recipient: str) -> Path:
    """Where the counts of a table that a recipient was told are."""
    return settings.release_records / FOLDER / table / recipient


def earlier_cells(settings: Settings, request: Request) -> dict[str, pa.Table]:
    """What the recipient, those above it and its units were told of the table, oldest first."""
    import pyarrow.parquet as pq

    files = [
        file
        for recipient in sharing_recipients(request.recipient)
        for file in cells_folder(settings, request.table, recipient).glob("*.parquet")
    ]
    ordered = sorted(files, key=lambda file: (file.stat().st_mtime_ns, file.name))
    return {file.stem: pq.read_table(file) for file in ordered}


@contextmanager
def one_at_a_time(settings: Settings, request: Request) -> Iterator[None]:
    """Hold this from the comparison until the record is kept; records of persons need no turn."""
    if request.form != "counts":
        yield
        return
    from filelock import FileLock

    settings.release_records.mkdir(parents=True, exist_ok=True)
    with FileLock(settings.release_records / ".counts.lock"):
        yield
