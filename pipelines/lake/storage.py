"""Where the lake is: addresses, the writers' lock, and making sure that bytes are on the disk.

Not here: what a table holds (`tables.py`) and what readers see of it (`catalogue.py`).
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.settings import Settings

if TYPE_CHECKING:
    import duckdb

LOCK_TIMEOUT_S = 900.0
STAGING = "_staging"


class LakeError(Exception):
    """The lake cannot do what was asked; the text is meant for a person."""


class LakeBusy(LakeError):
    """Another process is writing to this lake and did not finish in time."""


def table_uri(settings: Settings, table: str) -> str:
    """The address of one Delta table."""
    return f"{settings.lake.rstrip('/')}/{table}"


def writing(settings: Settings, timeout_s: float = LOCK_TIMEOUT_S) -> AbstractContextManager[None]:
    """Hold this while changing the lake or its catalogue; one writer at a time on one machine.

    The kernel releases the lock of a process that dies, so a kill leaves nothing to clean. A lake
    in an object store cannot be locked: there a conflicting commit fails and is planned anew.
    Raises LakeBusy after `timeout_s` seconds.
    """
    if not settings.is_lake_local:
        return nullcontext()
    return _file_lock(Path(settings.lake), timeout_s)


@contextmanager
def _file_lock(lake: Path, timeout_s: float) -> Iterator[None]:
    from filelock import FileLock, Timeout

    lake.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(lake / ".lock", timeout=timeout_s):
            yield
    except Timeout as late:
        raise LakeBusy(
            f"another process has been writing to {lake} for {timeout_s:.0f} s"
        ) from late


def let_read(connection: duckdb.DuckDBPyConnection, settings: Settings) -> None:
    """Let `connection` open the files of a lake that is not a folder, through fsspec."""
    if not settings.is_lake_local:
        from upath import UPath

        connection.register_filesystem(UPath(settings.lake).fs)


def move_staged(settings: Settings, staging: str, table: str, paths: Iterable[str]) -> None:
    """Move finished data files from a staging table into `table`; readers do not see them yet."""
    if settings.is_lake_local:
        for path in paths:
            target = Path(table_uri(settings, table)) / path
            target.parent.mkdir(parents=True, exist_ok=True)
            (Path(settings.lake) / staging / path).replace(target)
        return
    store = _object_store(settings)
    for path in paths:
        store.move(f"{staging}/{path}", f"{table}/{path}")


def read_small(settings: Settings, path: str) -> bytes:
    """The bytes of one small file of the lake, by its path below the lake."""
    if settings.is_lake_local:
        return (Path(settings.lake) / path).read_bytes()
    with _object_store(settings).open_input_stream(path) as stream:
        return bytes(stream.read())


def remove_staging(settings: Settings, staging: str = STAGING) -> None:
    """Forget half-made files; whoever holds the lock knows that nobody else is making any."""
    if settings.is_lake_local:
        shutil.rmtree(Path(settings.lake) / staging, ignore_errors=True)


def sync_files(files: Iterable[Path]) -> None:
    """Put files and the folders that name them on the disk; Delta itself leaves that to chance."""
    folders: set[Path] = set()
    for file in files:
        _sync(file)
        folders.update((file.parent, *file.parent.parents[:3]))
    for folder in folders:
        _sync(folder)


def _sync(path: Path) -> None:
    if os.name == "nt" and path.is_dir():  # Windows cannot open a folder, and syncs names itself
        return
    handle = os.open(path, os.O_RDONLY if os.name != "nt" else os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _object_store(settings: Settings):  # type: ignore[no-untyped-def]
    from deltalake.fs import DeltaStorageHandler
    from pyarrow.fs import PyFileSystem

    return PyFileSystem(DeltaStorageHandler(settings.lake))
