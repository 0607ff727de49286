"""Is this file an extract of ours, unchanged? Offline, with the public key alone.

Not here: the signature itself (`signature.py`) and printing the answer (`cli/verify.py`).

The bytes are proved before anything in them is parsed, so a hostile zip (a bomb, names that climb
out of a folder) is refused unread; nothing is ever unpacked.
"""

from __future__ import annotations

import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.release.errors import AuthenticityError
from pipelines.release.package import keys
from pipelines.release.package.archive import (
    LARGEST_MANIFEST_BYTES,
    MANIFEST,
    MANIFEST_SIGNATURE,
    MOST_FILES,
    hashes,
)
from pipelines.release.package.manifest import FORMAT, Manifest, parse, stated_format
from pipelines.release.package.signature import check_file

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey


@dataclass(frozen=True)
class AuthenticExtract:
    """An authentic extract: what it says, and what was proved."""

    manifest: Manifest
    key_fingerprint: str
    sha256: str
    bytes: int


def verify(file: Path, public_key: Path | Ed25519PublicKey) -> AuthenticExtract:
    """Prove a file against a public key. Raises AuthenticityError.

    Raises also `KeyFileError` for a key file that is none, OSError where one cannot be read.
    """
    key = keys.read_public_key(public_key) if isinstance(public_key, Path) else public_key
    sha256 = check_file(file, key)
    return AuthenticExtract(
        manifest=_agreeing_manifest(file, key),
        key_fingerprint=keys.fingerprint(key),
        sha256=sha256,
        bytes=file.stat().st_size,
    )


def _agreeing_manifest(file: Path, key: Ed25519PublicKey) -> Manifest:
    """The manifest, once every file has the size and hash that it says, and none is beside them.

    The holder of the key signed the file as a whole, so this guards against a maker's mistake.
    """
    from cryptography.exceptions import InvalidSignature

    try:
        with zipfile.ZipFile(file) as archive:
            manifest = _manifest(archive, key)
            stated = {one.name: one.sha256 for one in manifest.files}
            sizes = {one.name: one.bytes for one in manifest.files}
            alone = (MANIFEST, MANIFEST_SIGNATURE)
            found = [pair for pair in hashes(archive, sizes) if pair[0] not in alone]
    except (zipfile.BadZipFile, zlib.error, InvalidSignature, NotImplementedError, RuntimeError):
        raise AuthenticityError("VER-104") from None
    if len(found) != len(stated) or dict(found) != stated:
        raise AuthenticityError("VER-104")
    return manifest


def _manifest(archive: zipfile.ZipFile, key: Ed25519PublicKey) -> Manifest:
    names = archive.namelist()
    if len(names) > MOST_FILES or len(set(names)) != len(names):
        raise zipfile.BadZipFile
    content = _read_small(archive, MANIFEST)
    key.verify(_read_small(archive, MANIFEST_SIGNATURE), content)
    if (made := stated_format(content)) != FORMAT:
        raise AuthenticityError("VER-105", format=made or "?")
    try:
        return parse(content)
    except ValueError:
        raise zipfile.BadZipFile from None


def _read_small(archive: zipfile.ZipFile, name: str) -> bytes:
    try:
        with archive.open(name) as stream:
            content = stream.read(LARGEST_MANIFEST_BYTES + 1)
    except KeyError:
        raise zipfile.BadZipFile from None
    if len(content) > LARGEST_MANIFEST_BYTES:
        raise zipfile.BadZipFile
    return content
