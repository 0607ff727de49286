"""Restoring a backup into an empty home: nothing is put in place before all of it was checked.

Not here: reading the file (`archive.py`).
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from pipelines.accounts.models import Session
from pipelines.backup import contents
from pipelines.backup.archive import unpack
from pipelines.backup.errors import BackupError
from pipelines.core.ownership import close_home
from pipelines.core.settings import Settings, settings_for
from pipelines.lake.errors import LakeOutdatedError, NothingPublishedError
from pipelines.lake.maintenance import check as check_lake
from pipelines.lake.publish import write_catalogue
from pipelines.ledger.chain import OPERATOR, OPERATORS, writing
from pipelines.ledger.database import dispose, sqlite_file
from pipelines.ledger.policy import policy_hashes
from pipelines.ledger.seal import reseal
from pipelines.ledger.verify import Fault, check
from schemas.feed import feed_folders
from schemas.text import Language

# What another key makes of an honest ledger.
OF_ANOTHER_KEY = "head_forged"


@dataclass(frozen=True)
class Restoration:
    """What came back. `problems` are sentences about the lake; with any, it is not in order."""

    files: int
    entries: int
    has_keys: bool
    has_database: bool
    are_agreements_other: bool
    are_feeds_other: bool
    problems: tuple[str, ...]


def restore(
    settings: Settings,
    source: Path,
    *,
    secrets: Path | None = None,
    although_tampered: bool = False,
    language: Language = "en",
    on_step: Callable[[str], None] | None = None,
) -> Restoration:
    """Bring back what `source` holds, keys from `secrets` if they are kept apart.

    Raises BackupError, LedgerError, LakeBusyError, OSError; then the home is as empty as before,
    unless it was the lake that could not be shown.
    """
    _demand_empty(settings)
    tell = on_step or (lambda step: None)
    settings.home.parent.mkdir(parents=True, exist_ok=True)
    with _staging(settings) as folder:
        tell("unpack")
        manifest = unpack(source, folder)
        _demand_known(folder)
        _demand_database(settings, manifest)
        has_keys = _place_keys(folder, secrets)
        tell("ledger")
        count = _checked_entries(settings, folder, although_tampered, language)
        tell("place")
        _move(settings, folder)
    if not has_keys:
        reseal(settings)
    has_database = sqlite_file(settings) is None or bool(count)
    if has_database:
        _begin_again(settings, manifest, count)
    tell("lake")
    return Restoration(
        files=len(manifest["files"]),
        entries=count,
        has_keys=has_keys,
        has_database=has_database,
        are_agreements_other=_are_agreements_other(settings),
        are_feeds_other=_are_feeds_other(settings),
        problems=tuple(_lake_problems(settings, language)),
    )


def _demand_empty(settings: Settings) -> None:
    places = [settings.home, *(contents.folder_of(settings, n) for n in (contents.LAKE, "landing"))]
    for place in filter(None, places):
        if place.exists() and (place.is_file() or any(p.is_file() for p in place.rglob("*"))):
            raise BackupError("BAK-203", place=str(place))


@contextmanager
def _staging(settings: Settings) -> Iterator[Path]:
    """A folder on the disk of the home, gone afterwards."""
    parent, name = settings.home.parent, settings.home.name
    folder = Path(tempfile.mkdtemp(prefix=f".{name}.restoring-", dir=parent))
    try:
        yield folder
    finally:
        dispose(settings_for(folder))
        shutil.rmtree(folder, ignore_errors=True)


def _demand_known(folder: Path) -> None:
    for path in folder.iterdir():
        if path.name not in contents.ROOTS:
            raise BackupError("BAK-303", path=path.name)


def _demand_database(settings: Settings, manifest: dict[str, Any]) -> None:
    is_sqlite = sqlite_file(settings) is not None
    if manifest["database"] == "sqlite" and not is_sqlite:
        raise BackupError("BAK-204")
    if manifest["database"] != "sqlite" and is_sqlite:
        raise BackupError("BAK-205")


def _place_keys(folder: Path, secrets: Path | None) -> bool:
    target = folder / contents.SECRETS
    if secrets is not None:
        if target.exists():
            raise BackupError("BAK-207")
        shutil.copytree(secrets, target, ignore=shutil.ignore_patterns(".*"))
    if not target.is_dir():
        return False
    target.chmod(0o700)
    for file in target.iterdir():
        file.chmod(0o600)
    return (target / "ledger.key").is_file()


def _checked_entries(
    settings: Settings, folder: Path, although_tampered: bool, language: Language
) -> int:
    """How many entries the ledger has, once nothing is found in it that must not be."""
    here = settings_for(folder)
    if sqlite_file(settings) is None:
        here = replace(here, database=settings.database)
    elif not (folder / contents.LEDGER).is_file():
        return 0
    has_key = (here.secrets / "ledger.key").is_file()
    checked = check(here)
    faults = [one for one in checked.faults if has_key or one.kind != OF_ANOTHER_KEY]
    if not has_key:
        shutil.rmtree(here.secrets, ignore_errors=True)  # the key that the check made
    if faults and not although_tampered:
        raise BackupError("BAK-304", problem=_first(faults, language))
    return checked.count


def _first(faults: list[Fault], language: Language) -> str:
    return faults[0].text(language)


def _move(settings: Settings, folder: Path) -> None:
    dispose(settings_for(folder))
    settings.home.mkdir(parents=True, exist_ok=True)
    for path in sorted(folder.iterdir()):
        if path.name == contents.LEDGER:
            file = sqlite_file(settings)
            target = file if file is not None else settings.home / path.name
        elif path.name in (contents.LAKE, "landing"):
            place = contents.folder_of(settings, path.name)
            target = place if place is not None else settings.home / path.name
        else:
            target = settings.home / path.name
        _clear(target)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(path, target)
    close_home(settings, is_whole=True)  # a backup keeps the modes of its time


def _clear(target: Path) -> None:
    """Remove an empty folder that stands where a full one comes."""
    if target.is_dir():
        shutil.rmtree(target)


def _begin_again(settings: Settings, manifest: dict[str, Any], count: int) -> None:
    """End the sessions of that time, and write the restore down."""
    with writing(settings) as work:
        work.session.execute(sa.delete(Session))
        work.append(
            "backup.restored",
            actor=OPERATOR,
            organisation=OPERATORS,
            details={"made_at": manifest["made_at"], "entries": count},
        )


def _are_agreements_other(settings: Settings) -> bool:
    kept = settings.home / "agreements"
    if not kept.is_dir():
        return False
    return policy_hashes(replace(settings, agreements=kept)) != policy_hashes(settings)


def _are_feeds_other(settings: Settings) -> bool:
    """True where the backup brought feeds that are not looked for at their new place."""
    kept = settings.home / contents.FEEDS
    return kept.is_dir() and kept not in feed_folders()


def _lake_problems(settings: Settings, language: Language) -> list[str]:
    """Show the tables at their new place, then compare them with the deliveries."""
    if not settings.landing.exists() and not Path(settings.lake).exists():
        return []
    try:
        write_catalogue(settings)
        return [problem.text(language) for problem in check_lake(settings)]
    except NothingPublishedError:
        return []
    except LakeOutdatedError as older:  # a backup of an earlier version of the program
        return [older.text(language)]
