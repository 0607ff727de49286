"""Where the lake is: addresses, the writers' lock, and making sure that bytes are on the disk.

Not here: what a table holds (`tables.py`) and what readers see of it (`catalogue.py`).
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote

from pipelines.core.files import sync
from pipelines.core.settings import Settings
from pipelines.lake.errors import LakeBusyError, LakeError

if TYPE_CHECKING:
    import duckdb

LOCK_TIMEOUT_S = 900.0
SYNCS_AT_ONCE = 16
STAGING = "_staging"


def table_uri(settings: Settings, table: str) -> str:
    """The address of one Delta table."""
    return f"{settings.lake.rstrip('/')}/{table}"


def lake_lock(
    settings: Settings, timeout_s: float = LOCK_TIMEOUT_S
) -> AbstractContextManager[None]:
    """Hold this while changing the lake or its catalogue; one writer at a time on one machine.

    The kernel releases the lock of a process that dies, so a kill leaves nothing to clean. A lake
    in an object store cannot be locked from two machines: the lock then only guards this
    installation's own catalogue, and a commit that meets another one fails and is planned anew.
    Raises LakeBusyError after `timeout_s` seconds, LakeError for a folder that Delta cannot find
    again.
    """
    if settings.is_lake_local and unquote(settings.lake) != settings.lake:
        raise LakeError("percent", place=settings.lake)
    return _file_lock(Path(settings.lake) if settings.is_lake_local else settings.home, timeout_s)


@contextmanager
def _file_lock(place: Path, timeout_s: float) -> Iterator[None]:
    from filelock import FileLock, Timeout

    place.mkdir(parents=True, exist_ok=True)
    lock = FileLock(place / ".lake.lock", timeout=timeout_s)
    try:
        lock.acquire()
    except Timeout as late:
        raise LakeBusyError("busy", place=str(place), seconds=round(timeout_s)) from late
    try:
        yield
    finally:
        lock.release()


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


def remove_staging(settings: Settings, staging: str) -> None:
    """Forget what is left of a staging table."""
    if settings.is_lake_local:
        shutil.rmtree(Path(settings.lake) / staging, ignore_errors=True)
        with suppress(OSError):  # it is not empty, or gone already
            (Path(settings.lake) / STAGING).rmdir()
    else:
        _object_store(settings).delete_dir(staging)


def remove_leftovers(settings: Settings) -> None:
    """Forget what killed writers were making; on one's own disk whoever holds the lock may."""
    if settings.is_lake_local:
        remove_staging(settings, STAGING)


def delete_files(settings: Settings, paths: Iterable[str]) -> None:
    """Delete files of the lake, by their paths below it; one that is gone already is no error."""
    if settings.is_lake_local:
        for path in paths:
            (Path(settings.lake) / path).unlink(missing_ok=True)
        return
    store = _object_store(settings)
    for path in paths:
        store.delete_file(path)


def sync_files(files: Iterable[Path]) -> None:
    """Put files and the folders that name them on the disk; Delta itself leaves that to chance."""
    from concurrent.futures import ThreadPoolExecutor

    found = list(files)
    folders = {folder for file in found for folder in (file.parent, *file.parent.parents[:3])}
    with ThreadPoolExecutor(SYNCS_AT_ONCE) as pool:  # the disk writes many in one go
        list(pool.map(sync, found))
        list(pool.map(sync, folders))


def _object_store(settings: Settings):  # type: ignore[no-untyped-def]
    from deltalake.fs import DeltaStorageHandler
    from pyarrow.fs import PyFileSystem

    return PyFileSystem(DeltaStorageHandler(settings.lake))
