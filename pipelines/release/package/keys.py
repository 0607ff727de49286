"""The Ed25519 key of this installation: made at first use, its public half published.

Not here: what is signed with it (`signature.py`).

Whoever holds the private key can make extracts that look like ours: it is readable by its owner
only, belongs in the backup of the home and nowhere else. Losing it loses nothing that was signed.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.core.keys import write_whole
from pipelines.core.settings import Settings
from pipelines.release.errors import KeyFileError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import (
        Ed25519PrivateKey,
        Ed25519PublicKey,
    )

PRIVATE_NAME = "release_ed25519.pem"
PUBLIC_NAME = "passerelle-public-key.pem"
LARGEST_KEY_BYTES = 10_000


def public_key_path(settings: Settings) -> Path:
    """Where the public key of this installation is published."""
    return settings.releases / PUBLIC_NAME


def signing_key(settings: Settings) -> Ed25519PrivateKey:
    """The private key, made if there is none; its public half is published on the way.

    Raises KeyFileError where the file is not an Ed25519 key.
    """
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    path = settings.prepare().secrets / PRIVATE_NAME
    if not path.is_file():
        write_whole(path, _new_key_pem(), 0o600, replace=False)
    try:
        key = load_pem_private_key(path.read_bytes(), password=None)
    except ValueError as error:
        raise KeyFileError("PSL-412", file=path) from error
    if not isinstance(key, Ed25519PrivateKey):
        raise KeyFileError("PSL-412", file=path)
    publish_key(settings, key.public_key())
    return key


def publish_key(settings: Settings, key: Ed25519PublicKey) -> Path:
    """Write the public key where people find it, unless it is there already; returns the file."""
    path, pem = public_key_path(settings), public_pem(key)
    if not path.is_file() or path.read_bytes() != pem:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, pem, 0o600, replace=True)
    return path


def read_public_key(path: Path) -> Ed25519PublicKey:
    """The public key in a PEM file. Raises KeyFileError, or OSError where it cannot be read."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    unusable = KeyFileError("PSL-241", file=path, command="passerelle key export --help")
    with path.open("rb") as stream:
        pem = stream.read(LARGEST_KEY_BYTES)
    try:
        key = load_pem_public_key(pem)
    except Exception as error:  # the library raises kinds of its own for keys of other kinds
        raise unusable from error
    if not isinstance(key, Ed25519PublicKey):
        raise unusable
    return key


def public_pem(key: Ed25519PublicKey) -> bytes:
    """The public key as a PEM file."""
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def fingerprint(key: Ed25519PublicKey) -> str:
    """SHA-256 of the key's 32 bytes, in hexadecimal: what two people compare by telephone."""
    return hashlib.sha256(key.public_bytes_raw()).hexdigest()


def spoken(key_fingerprint: str) -> str:
    """The first half of a fingerprint in groups of four, for people."""
    return " ".join(key_fingerprint[at : at + 4] for at in range(0, 32, 4))


def _new_key_pem() -> bytes:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import (
        Encoding,
        NoEncryption,
        PrivateFormat,
    )

    return Ed25519PrivateKey.generate().private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
    )
