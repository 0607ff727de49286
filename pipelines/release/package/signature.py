"""Signing a finished zip as a whole, in its own comment, and telling whether one is unchanged.

Not here: the key (`keys.py`), what the zip holds (`archive.py`) and what it says (`verify.py`).

The comment of a zip stands at its very end and has a fixed length here, so everything before it can
be hashed first and signed then. It is one line of lower-case text with exactly one valid spelling:

    passerelle-extract v1 sha256=<of every byte before> key=<of the public key> ed25519=<signature>

The signature is over the text before ` ed25519=`. So no byte of the file can change unnoticed, and
nothing of a zip has to be parsed (it may be hostile) before it is known to be authentic.
"""

from __future__ import annotations

import hashlib
import os
import re
import struct
from pathlib import Path
from typing import IO, TYPE_CHECKING

from pipelines.release.errors import AuthenticityError
from pipelines.release.package.keys import fingerprint, spoken

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import (
        Ed25519PrivateKey,
        Ed25519PublicKey,
    )

PURPOSE = "passerelle-extract v1"
_COMMENT = re.compile(
    rb"(passerelle-extract v1 sha256=([0-9a-f]{64}) key=([0-9a-f]{64})) ed25519=([0-9a-f]{128})"
)
COMMENT_BYTES = len(PURPOSE) + len(" sha256= key= ed25519=") + 64 + 64 + 128
PLACEHOLDER = b" " * COMMENT_BYTES
_END = struct.Struct("<4s4H2LH")  # end of central directory, the last thing before the comment
_END_MAGIC = b"PK\x05\x06"
BLOCK_BYTES = 1024**2


def sign_file(path: Path, key: Ed25519PrivateKey) -> str:
    """Sign a zip whose comment is `PLACEHOLDER`, in place and synced; its SHA-256 as a whole."""
    covered = path.stat().st_size - COMMENT_BYTES
    with path.open("r+b") as stream:
        digest = _hash(stream, covered)
        partial = digest.copy()
        statement = f"{PURPOSE} sha256={partial.hexdigest()} key={fingerprint(key.public_key())}"
        signature = key.sign(statement.encode("ascii")).hex()
        comment = f"{statement} ed25519={signature}".encode("ascii")
        stream.seek(covered)
        stream.write(comment)
        stream.flush()
        os.fsync(stream.fileno())
    digest.update(comment)
    return digest.hexdigest()


def check_file(path: Path, key: Ed25519PublicKey) -> str:
    """The SHA-256 of a file that is byte for byte as it was signed with `key`'s private half.

    Raises AuthenticityError (VER-101 no signature, VER-102 another key, VER-103 changed), OSError
    where it cannot be read.
    """
    from cryptography.exceptions import InvalidSignature

    size = path.stat().st_size
    if size < COMMENT_BYTES + _END.size:
        raise AuthenticityError("VER-101")
    covered = size - COMMENT_BYTES
    with path.open("rb") as stream:
        stream.seek(covered - _END.size)
        magic, *_counts, comment_bytes = _END.unpack(stream.read(_END.size))
        comment = stream.read(COMMENT_BYTES)
        found = _COMMENT.fullmatch(comment)
        if found is None:
            raise AuthenticityError("VER-103" if _was_ours(path, size) else "VER-101")
        statement, sha256, signer, signature = found.groups()
        if signer.decode("ascii") != fingerprint(key):
            raise AuthenticityError("VER-102", signer=spoken(signer.decode("ascii")))
        try:
            key.verify(bytes.fromhex(signature.decode("ascii")), statement)
        except InvalidSignature:
            raise AuthenticityError("VER-103") from None
        stream.seek(0)
        digest = _hash(stream, covered)
    if digest.hexdigest() != sha256.decode("ascii"):
        raise AuthenticityError("VER-103")
    if magic != _END_MAGIC or comment_bytes != COMMENT_BYTES:
        raise AuthenticityError("VER-101")
    digest.update(comment)
    return digest.hexdigest()


def _was_ours(path: Path, size: int) -> bool:
    """True where a signature of ours stands somewhere near the end: cut, longer or damaged."""
    with path.open("rb") as stream:
        stream.seek(max(0, size - 4 * COMMENT_BYTES))
        tail = stream.read()
    return PURPOSE.encode("ascii") in tail or b" ed25519=" in tail


def _hash(stream: IO[bytes], covered: int) -> hashlib._Hash:
    digest = hashlib.sha256()
    while covered and (block := stream.read(min(BLOCK_BYTES, covered))):
        digest.update(block)
        covered -= len(block)
    return digest
