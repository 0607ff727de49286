"""The zip of an extract: the same bytes at any hour, on any machine.

Not here: making the files, and the signature in the zip's comment (`signature.py`).
"""

from __future__ import annotations

import hashlib
import shutil
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING

from pipelines.release.package.formats.registry import FORMATS
from pipelines.release.package.signature import BLOCK_BYTES, PLACEHOLDER, sign_file

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

MANIFEST, MANIFEST_SIGNATURE = "manifest.json", "manifest.json.sig"
LARGEST_MANIFEST_BYTES = 8 * 1024**2
MOST_FILES = 16
EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest moment that a zip can name
UNIX, READABLE = 3, 0o100644 << 16
# Compressed already, or as good as random.
STORED = (".sig", *(f".{one.name}" for one in FORMATS.values() if one.is_compressed))
NEEDS_ZIP64 = 2 * 1024**3 - 1


@dataclass(frozen=True)
class Part:
    """One file of the zip: its name there, and where its bytes are now."""

    name: str
    source: Path | bytes

    @property
    def size(self) -> int:
        """Its bytes."""
        return len(self.source) if isinstance(self.source, bytes) else self.source.stat().st_size

    def sha256(self) -> str:
        """The SHA-256 of its bytes."""
        if isinstance(self.source, bytes):
            return hashlib.sha256(self.source).hexdigest()
        with self.source.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()


def write_package(path: Path, parts: Sequence[Part], key: Ed25519PrivateKey) -> str:
    """Write the signed zip to `path`, synced; returns its SHA-256."""
    with zipfile.ZipFile(path, "w") as archive:
        archive.comment = PLACEHOLDER
        for part in parts:
            _add(archive, part)
    return sign_file(path, key)


def _add(archive: zipfile.ZipFile, part: Part) -> None:
    info = zipfile.ZipInfo(part.name, date_time=EPOCH)
    info.create_system, info.external_attr = UNIX, READABLE
    is_stored = part.name.endswith(STORED)
    info.compress_type = zipfile.ZIP_STORED if is_stored else zipfile.ZIP_DEFLATED
    info.file_size = part.size
    with archive.open(info, "w", force_zip64=part.size > NEEDS_ZIP64) as target:
        if isinstance(part.source, bytes):
            target.write(part.source)
        else:
            with part.source.open("rb") as source:
                shutil.copyfileobj(source, target, BLOCK_BYTES)


def hashes(archive: zipfile.ZipFile, sizes: dict[str, int]) -> Iterator[tuple[str, str]]:
    """Name and SHA-256 of each member of an opened zip, never reading more than `sizes` says.

    A member that is longer than its size yields an empty hash. Raises what zipfile raises for a
    damaged one.
    """
    for info in archive.infolist():
        with archive.open(info) as stream:
            yield info.filename, _hash_at_most(stream, sizes.get(info.filename, 0))


def _hash_at_most(stream: IO[bytes], size: int) -> str:
    digest, left = hashlib.sha256(), size
    while block := stream.read(min(BLOCK_BYTES, left + 1)):
        left -= len(block)
        if left < 0:
            return ""
        digest.update(block)
    return digest.hexdigest()
