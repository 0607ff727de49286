"""What waits in the inbox: files by feed, and the fingerprint by which a content is known.

Not here: taking them in (`ingest`) and what was taken in (`landing`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

from upath import UPath

from pipelines.core.settings import Settings

BLOCK_BYTES = 1 << 20
PARTIAL_ENDINGS = (".part", ".partial", ".tmp", ".filepart", ".crdownload")


@dataclass(frozen=True)
class InboxFile:
    """A file in the inbox: its feed (the folder it lies in), where it is, and its state there."""

    feed: str
    file: UPath
    bytes: int
    modified_s: float


def inbox_files(settings: Settings) -> Iterator[InboxFile]:
    """Every file `<inbox>/<feed>/<file>`, by feed and name; hidden and partial files are not seen.

    Raises OSError where the inbox cannot be listed.
    """
    if not settings.inbox.exists():
        return
    for folder in sorted(settings.inbox.iterdir(), key=str):
        if not folder.is_dir() or folder.name.startswith("."):
            continue
        for file in sorted(folder.iterdir(), key=str):
            if file.is_file() and not _is_partial(file.name):
                state = file.stat()
                yield InboxFile(folder.name, UPath(file), state.st_size, state.st_mtime)


def misplaced(settings: Settings) -> list[str]:
    """What lies where nothing is taken in: files beside the feeds, folders with files within one.

    Each as it stands below the inbox. Raises OSError as `inbox_files`.
    """
    if not settings.inbox.exists():
        return []
    found = []
    for place in sorted(settings.inbox.iterdir(), key=str):
        if _is_partial(place.name):
            continue
        if place.is_file():
            found.append(place.name)
        elif place.is_dir():
            found += [
                f"{place.name}/{folder.name}"
                for folder in sorted(place.iterdir(), key=str)
                if folder.is_dir() and not _is_partial(folder.name) and _has_files(folder)
            ]
    return found


def _has_files(folder: UPath) -> bool:
    return any(
        _has_files(one) if one.is_dir() else not _is_partial(one.name) for one in folder.iterdir()
    )


def _is_partial(name: str) -> bool:
    """True for names that programs give to files which are hidden, open or still being copied."""
    return name.startswith((".", "~")) or name.lower().endswith(PARTIAL_ENDINGS)


def fingerprint(file: UPath) -> str:
    """The SHA-256 of a file, in hexadecimal."""
    digest = hashlib.sha256()
    with file.open("rb") as stream:
        while block := stream.read(BLOCK_BYTES):
            digest.update(block)
    return digest.hexdigest()


def delivery_id_of(feed: str, sha256: str) -> str:
    """The id of the delivery of these bytes to this feed."""
    return f"{feed}.{sha256[:12]}"
