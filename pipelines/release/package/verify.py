"""Is this file an extract of ours, unchanged? Offline, with the public key alone.

Not here: the signature itself (`signature.py`) and printing the answer (`cli/release.py`).

The bytes are proved before anything in them is parsed, so a hostile zip (a bomb, names that climb
out of a folder) is refused unread; nothing is ever unpacked. Codes: VER-1xx, never reused.
"""

from __future__ import annotations

import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.core.i18n import mark, translator
from pipelines.release.package import keys
from pipelines.release.package.archive import (
    LARGEST_MANIFEST_BYTES,
    MANIFEST,
    MANIFEST_SIGNATURE,
    MOST_FILES,
    hashes,
)
from pipelines.release.package.manifest import FORMAT, Manifest, parse, stated_format
from pipelines.release.package.signature import (
    NoSignature,
    OtherKey,
    SignatureError,
    check_file,
)
from schemas.text import Language

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

SENTENCES = {
    "VER-101": mark("This file is not an extract: it has no signature of Passerelle."),
    "VER-102": mark("This file was signed with another key ({signer}) than the one given."),
    "VER-103": mark("This file was changed after it was signed. Do not use it."),
    "VER-104": mark("The files inside do not agree with the manifest. Do not use it."),
    "VER-105": mark("This extract was made by a later version of Passerelle ({format})."),
}
HINTS = {
    "VER-101": mark("Ask for the zip as it was made; a file taken out of it has no signature."),
    "VER-102": mark("Ask the maker for the public key, by another way than the file came."),
    "VER-103": mark("Download it again, or ask whoever sent it for the zip as it was made."),
    "VER-104": mark("Tell the maker of the extract; the key may be in wrong hands."),
    "VER-105": mark("Install that version to read what it says; its signature is right."),
}


class NotAuthentic(Exception):  # noqa: N818  (an answer, not a fault)
    """The file is not an unchanged extract of the holder of the key."""

    def __init__(self, code: str, **values: Any) -> None:
        """Keep the code and the values of its sentence."""
        self.code, self.values = code, values
        super().__init__(f"{code}: {self.text('en')}")

    def text(self, language: Language) -> str:
        """Why, in one sentence."""
        return translator(language)(SENTENCES[self.code], **self.values)

    def hint(self, language: Language) -> str:
        """What to do."""
        return translator(language)(HINTS[self.code])


@dataclass(frozen=True)
class AuthenticExtract:
    """An authentic extract: what it says, and what was proved."""

    manifest: Manifest
    key_fingerprint: str
    sha256: str
    bytes: int


def verify(file: Path, public_key: Path | Ed25519PublicKey) -> AuthenticExtract:
    """Prove a file against a public key. Raises NotAuthentic.

    Raises also `keys.KeyUnusable` for a key file that is none, OSError where one cannot be read.
    """
    key = keys.read_public_key(public_key) if isinstance(public_key, Path) else public_key
    try:
        sha256 = check_file(file, key)
    except NoSignature:
        raise NotAuthentic("VER-101") from None
    except OtherKey as other:
        raise NotAuthentic("VER-102", signer=keys.spoken(str(other))) from None
    except SignatureError:
        raise NotAuthentic("VER-103") from None
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
        raise NotAuthentic("VER-104") from None
    if len(found) != len(stated) or dict(found) != stated:
        raise NotAuthentic("VER-104")
    return manifest


def _manifest(archive: zipfile.ZipFile, key: Ed25519PublicKey) -> Manifest:
    names = archive.namelist()
    if len(names) > MOST_FILES or len(set(names)) != len(names):
        raise zipfile.BadZipFile
    content = _read_small(archive, MANIFEST)
    key.verify(_read_small(archive, MANIFEST_SIGNATURE), content)
    if (made := stated_format(content)) != FORMAT:
        raise NotAuthentic("VER-105", format=made or "?")
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
