"""What a backup holds, gathered so that it fits together while everything goes on running.

Not here: the file that it goes into (`archive.py`).

The lake first, as one catalogue shows it: its files are linked aside under the lake's lock, which
takes a moment, and no upkeep deletes them from there. Then the landing, which has every delivery
that the lake has. The ledger last, so that it knows of everything else in the backup.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

from pipelines.core.settings import Settings
from pipelines.lake.errors import LakeOutdatedError
from pipelines.lake.publish import settle
from pipelines.lake.storage import lake_lock, table_uri
from pipelines.lake.tables import data_files, existing_table
from pipelines.ledger.database import sqlite_file, upgrade
from pipelines.ledger.seal import head_file
from schemas.contract import table_names
from schemas.feed import FEEDS_FOLDER, feed_places

LEDGER, HEAD, LAKE, SECRETS = "ledger.db", "ledger.head", "lake", "secrets"
FEEDS = "feeds"  # those that are not the program’s own
FOLDERS = (
    *("landing", "releases", "release_records", "release_groups"),
    *("reference", "data_docs", "agreements"),
)
ROOTS = {LEDGER, HEAD, LAKE, SECRETS, FEEDS, *FOLDERS}

Member = tuple[str, Path]


def folder_of(settings: Settings, name: str) -> Path | None:
    """Where a folder of the backup lies in an installation; None where it is not on this disk."""
    place = Path(settings.lake) if name == LAKE else getattr(settings, name)
    is_here = settings.is_lake_local if name == LAKE else isinstance(place, Path)
    return Path(place) if is_here else None


def lake_members(settings: Settings, aside: Path) -> tuple[list[Member], dict[str, int]]:
    """The files of each table as it is now, and the tables' versions. Raises LakeBusyError."""
    if not settings.is_lake_local or not Path(settings.lake).is_dir():
        return [], {}
    members: list[Member] = []
    versions: dict[str, int] = {}
    with lake_lock(settings):
        if settings.landing.exists():
            with suppress(LakeOutdatedError):  # a backup is what one makes before migrating
                settle(settings)
        for table in (*table_names("data"), *table_names("log")):
            delta = existing_table(settings, table)
            if delta is None:
                continue
            versions[table] = delta.version()
            root = Path(table_uri(settings, table))
            paths = [file.path for file in data_files(delta)]
            paths += [f"_delta_log/{file.name}" for file in sorted((root / "_delta_log").iterdir())]
            for path in paths:
                if (root / path).is_file():
                    members.append((f"{LAKE}/{table}/{path}", _link(root / path, aside, members)))
    return members, versions


def folder_members(settings: Settings, name: str) -> Iterator[Member]:
    """The finished files of one folder; what begins with a full stop is not finished."""
    place = folder_of(settings, name)
    if place is not None and place.is_dir():
        yield from _files_below(place, name)


def feed_members() -> Iterator[Member]:
    """The files of every feed that lies outside the program."""
    for feed, place in feed_places().items():
        if place.parent != FEEDS_FOLDER:
            yield from _files_below(place, f"{FEEDS}/{feed}")


def _files_below(place: Path, name: str) -> Iterator[Member]:
    for folder, folders, files in os.walk(place):
        folders[:] = sorted(one for one in folders if not one.startswith("."))
        for file in sorted(files):
            path = Path(folder) / file
            if not file.startswith(".") and not path.is_symlink():
                yield f"{name}/{path.relative_to(place).as_posix()}", path


def secret_members(settings: Settings) -> Iterator[Member]:
    """The keys of this installation."""
    for file in sorted(settings.secrets.glob("*")):
        if file.is_file() and not file.name.startswith("."):
            yield f"{SECRETS}/{file.name}", file


def ledger_members(settings: Settings, aside: Path) -> list[Member]:
    """The ledger's database as it is at one moment, and its head of the moment before."""
    upgrade(settings)
    file = sqlite_file(settings)
    members = []
    if head_file(settings).is_file():
        shutil.copy2(head_file(settings), aside / HEAD)  # first: it may be behind, never ahead
        members.append((HEAD, aside / HEAD))
    if file is None:
        return members
    with (
        closing(sqlite3.connect(file)) as source,
        closing(sqlite3.connect(aside / LEDGER)) as copy,
    ):
        source.backup(copy)
        copy.execute("PRAGMA journal_mode = DELETE")  # so that the copy is one file
    return [(LEDGER, aside / LEDGER), *members]


def _link(file: Path, aside: Path, members: list[Member]) -> Path:
    """The same file under a name that nobody deletes; a copy where it lies on another disk."""
    target = aside / f"{len(members)}"
    try:
        os.link(file, target)
    except OSError:
        shutil.copy2(file, target)
    return target
