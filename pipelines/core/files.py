"""Putting files in their place: whole, and on the disk before anything says that they are there."""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path


def place(draft: Path, target: Path) -> None:
    """Put a finished file in its place, whole and on the disk; the place may be another disk."""
    target.parent.mkdir(parents=True, exist_ok=True)
    sync(draft)
    try:
        draft.replace(target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        _copy_beside(draft, target)
    sync(target.parent)


def _copy_beside(draft: Path, target: Path) -> None:
    """From another disk, where one rename cannot do it: copied unseen, then renamed."""
    copy = target.with_name(f".{target.name}.{draft.parent.name}")
    try:
        shutil.copyfile(draft, copy)
        sync(copy)
        copy.replace(target)
    finally:
        copy.unlink(missing_ok=True)


def sync(path: Path) -> None:
    """Have a file, or the names in a folder, on the disk when this returns."""
    if os.name == "nt" and path.is_dir():  # Windows cannot open a folder, and syncs names itself
        return
    handle = os.open(path, os.O_RDONLY if os.name != "nt" else os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
