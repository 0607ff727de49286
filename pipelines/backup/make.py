"""Making a backup: everything that is needed to start again, in one file.

Not here: gathering it (`contents.py`) and the form of the file (`archive.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from pipelines.backup import contents
from pipelines.backup.archive import ENDINGS, Archive, file_sha256, writing
from pipelines.backup.errors import BackupError
from pipelines.core import clock
from pipelines.core.duck import scratch_folder
from pipelines.core.settings import PROGRAM_VERSION, Settings
from pipelines.ledger.chain import OPERATOR, OPERATORS, append, entries
from pipelines.ledger.database import sqlite_file

Progress = Callable[[int, int, str], None]


@dataclass(frozen=True)
class Backup:
    """What was made. `left_out` names what is not in it: a database or a place elsewhere."""

    file: Path
    files: int
    bytes: int
    sha256: str
    with_secrets: bool
    left_out: tuple[str, ...]


def make_backup(
    settings: Settings,
    target: Path,
    *,
    with_secrets: bool = False,
    on_progress: Progress | None = None,
) -> Backup:
    """Back everything up into `target`, while everything goes on running.

    Raises BackupError, LakeBusyError, LedgerError, OSError; then there is no file of that name.
    """
    if not target.name.endswith(ENDINGS):
        raise BackupError("BAK-201")
    if target.exists():
        raise BackupError("BAK-202", file=str(target))
    if not any((settings.landing.exists(), Path(settings.home / "ledger.db").exists())):
        raise BackupError("BAK-206", place=str(settings.home))
    tell = on_progress or (lambda done, total, what: None)
    left_out = tuple(_elsewhere(settings))
    with scratch_folder(settings, "backup") as aside, writing(target) as archive:
        lake, versions = contents.lake_members(settings, aside)
        _add(archive, lake, tell, contents.LAKE)
        for name, members in _parts(settings, with_secrets):
            _add(archive, list(members), tell, name)
        _add(archive, contents.ledger_members(settings, aside), tell, contents.LEDGER)
        last = entries(settings, size=1).entries
        archive.finish(
            {
                "made_at": clock.now().isoformat(timespec="seconds"),
                "program_version": PROGRAM_VERSION,
                "database": "sqlite" if sqlite_file(settings) else "postgresql",
                "with_secrets": with_secrets,
                "lake_versions": versions,
                "left_out": left_out,
                "ledger_entries": last[0].seq if last else 0,
            }
        )
    size = sum(int(one["bytes"]) for one in archive.files)
    done = Backup(target, len(archive.files), size, file_sha256(target), with_secrets, left_out)
    append(
        settings,
        "backup.made",
        actor=OPERATOR,
        organisation=OPERATORS,
        subject=done.sha256,
        details={"files": done.files, "bytes": size, "with_secrets": with_secrets},
    )
    return done


def _parts(
    settings: Settings, with_secrets: bool
) -> Iterator[tuple[str, Iterable[contents.Member]]]:
    """What goes in beside the lake and the ledger, by the name of the part."""
    for name in contents.FOLDERS:
        yield name, contents.folder_members(settings, name)
    yield contents.FEEDS, contents.feed_members()
    if with_secrets:
        yield contents.SECRETS, contents.secret_members(settings)


def _add(archive: Archive, members: list[contents.Member], tell: Progress, what: str) -> None:
    for done, (name, path) in enumerate(members):
        tell(done, len(members), what)
        archive.add(name, path)


def _elsewhere(settings: Settings) -> Iterator[str]:
    """What this backup cannot reach."""
    if sqlite_file(settings) is None:
        yield "database"
    for name in (contents.LAKE, "landing"):
        if contents.folder_of(settings, name) is None:
            yield name
