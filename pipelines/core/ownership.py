"""Whose the files of an installation are: the account that runs it, and a group of readers.

Not here: who may do what in the portal (`accounts`) and what may leave (`release`).

Everything below the home is for its owner alone. Where PASSERELLE_READERS names a group, its
members may read two things besides: the catalogue and the lake, each in an account of their own.
Every process of ours begins with `keep_private`, so that files of libraries are born so; what an
older version left open is closed by `close_home`.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipelines.core.settings import Settings

OWNER_FOLDER, OWNER_FILE = 0o700, 0o600
# The group may pass through the home, and read in the lake; what is new in the lake is the group's.
PASSAGE, READERS_FOLDER, READERS_FILE = 0o710, 0o2750, 0o640
OTHERS = 0o077


def keep_private() -> None:
    """Let every file that this process makes from now on be for its owner alone."""
    if os.name == "posix":
        os.umask(OTHERS)


def group_id(name: str) -> int:
    """The number of a group that this account may give files to. Raises ValueError for others."""
    import grp

    try:
        found = grp.getgrnam(name).gr_gid
    except KeyError:
        raise ValueError(name) from None
    if os.geteuid() != 0 and found not in (*os.getgroups(), os.getegid()):
        raise ValueError(name)
    return found


def close_home(settings: Settings, *, is_whole: bool = False) -> int:
    """Take from others what lies open in the places of an installation; returns how many it was.

    Only what lies directly in the home is looked at, unless something there is open or `is_whole`:
    a closed folder hides what is in it. A shared folder such as /tmp is nobody's home.
    """
    home = settings.home
    if os.name != "posix" or not home.is_dir() or home.stat().st_mode & stat.S_ISVTX:
        return 0
    tops = [path for path in home.iterdir() if not path.is_symlink()]
    is_open = any(_is_open(path) for path in (home, *tops) if not _is_for_readers(settings, path))
    closed = 0
    if is_open or is_whole or _is_closed_to_readers(settings):
        shared = {Path(settings.lake), settings.catalogue} if settings.readers else set()
        for place in dict.fromkeys((home, *_places(settings))):
            for path in _below(place, shared):
                is_passage = path == home and bool(settings.readers)
                closed += 0 if is_passage else _close(path)
        open_to_readers(settings)
        if settings.readers and settings.catalogue.is_file():
            catalogue_mode(settings, settings.catalogue)
    if settings.readers:
        _give(home, PASSAGE, group_id(settings.readers))
    return closed


def open_to_readers(settings: Settings) -> None:
    """Let the group of readers, where one is named, read the lake; new files will be the group's.

    For a lake on this machine. Raises OSError where a file is another account's.
    """
    if os.name != "posix" or not (settings.readers and settings.is_lake_local):
        return
    group, lake = group_id(settings.readers), Path(settings.lake)
    if settings.home in lake.parents:
        for folder in (one for one in lake.parents if settings.home in (one, *one.parents)):
            _give(folder, PASSAGE, group)
    for path in _below(lake, set()):
        is_lock = path.name.endswith(".lock")
        if not is_lock:
            _give(path, READERS_FOLDER if path.is_dir() else READERS_FILE, group)


def catalogue_mode(settings: Settings, file: Path) -> None:
    """Make a finished catalogue read-only, for its owner and for the readers if there are any."""
    if os.name == "posix" and settings.readers:
        _give(file, 0o440, group_id(settings.readers))
    else:
        file.chmod(0o400)


def _places(settings: Settings) -> list[Path]:
    """The folders of this machine that hold what the program writes, the home not among them."""
    landing = settings.landing
    places = [Path(landing.path)] if landing.protocol in ("", "file", "local") else []
    places += [Path(settings.lake)] if settings.is_lake_local else []
    return [one for one in places if one.is_dir() and settings.home not in one.parents]


def _below(place: Path, spared: set[Path]) -> Iterator[Path]:
    """The place and everything in it, except what is spared, and links."""
    if place in spared or place.is_symlink() or not place.exists():
        return
    yield place
    for folder, names, files in os.walk(place):
        here = Path(folder)
        names[:] = [n for n in names if here / n not in spared and not (here / n).is_symlink()]
        yield from (here / name for name in names)
        found = (here / name for name in files)
        yield from (one for one in found if one not in spared and not one.is_symlink())


def _is_for_readers(settings: Settings, path: Path) -> bool:
    shared = (settings.home, Path(settings.lake), settings.catalogue)
    return bool(settings.readers) and path in shared and not path.stat().st_mode & 0o027


def _is_closed_to_readers(settings: Settings) -> bool:
    """True where a lake is here that its group of readers cannot open yet."""
    lake = Path(settings.lake)
    if not (settings.readers and settings.is_lake_local and lake.is_dir()):
        return False
    return stat.S_IMODE(lake.stat().st_mode) != READERS_FOLDER


def _is_open(path: Path) -> bool:
    with suppress(FileNotFoundError):
        return bool(path.stat().st_mode & OTHERS)
    return False


def _close(path: Path) -> int:
    """Take others' bits away; 1 where something changed, and is ours to change."""
    with suppress(FileNotFoundError, PermissionError):
        was = stat.S_IMODE(path.stat().st_mode)
        now = was & ~OTHERS & ~stat.S_ISGID
        if was != now:
            path.chmod(now)
            return 1
    return 0


def _give(path: Path, mode: int, group: int) -> None:
    """Set group and mode where they are others; a file that is gone meanwhile is no error."""
    with suppress(FileNotFoundError):
        known = path.stat()
        if known.st_gid != group:
            os.chown(path, -1, group)
        if stat.S_IMODE(known.st_mode) != mode or known.st_gid != group:
            path.chmod(mode)
