"""The key of this installation that turns a document number into a token, and its two HMAC pads.

Not here: which columns are tokens (contracts) and the SQL of HMAC itself (`macros.py`).

A token is pseudonymous, not anonymous: whoever holds the key can test a guess. The key is made on
first use, is readable by its owner only, and belongs in the backup of the home, nowhere else.
"""

from __future__ import annotations

import os
import secrets
import threading
from contextlib import suppress
from pathlib import Path

import duckdb

from pipelines.settings import Settings

_BLOCK_BYTES = 64  # of SHA-256, by RFC 2104


def token_key(settings: Settings) -> bytes:
    """The 32-byte key: `PASSERELLE_TOKEN_KEY` (hex), else `<home>/secrets/token.key`, made if new.

    Raises ValueError where the variable is not 32 bytes of hexadecimal.
    """
    if text := os.environ.get("PASSERELLE_TOKEN_KEY"):
        key = bytes.fromhex(text)
        if len(key) != 32:
            raise ValueError("PASSERELLE_TOKEN_KEY must be 64 hexadecimal digits")
        return key
    path = settings.prepare().secrets / "token.key"
    if not path.is_file():
        _make_key(path)
    return bytes.fromhex(path.read_text(encoding="ascii").strip())


def _make_key(path: Path) -> None:
    """Write a new key beside `path` and link it there whole, unless another process was first."""
    draft = path.with_name(f".{path.name}.{os.getpid()}-{threading.get_ident()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as stream:
        stream.write(secrets.token_hex(32))
        stream.flush()
        os.fsync(stream.fileno())
    with suppress(FileExistsError):
        os.link(draft, path)
    draft.unlink()


def set_token_key(connection: duckdb.DuckDBPyConnection, key: bytes) -> None:
    """Give the connection the pads as variables, so that the key is in no statement and no log."""
    padded = key.ljust(_BLOCK_BYTES, b"\0")
    for variable, pad in (("token_inner", 0x36), ("token_outer", 0x5C)):
        value = bytes(byte ^ pad for byte in padded)
        connection.execute(f"SET VARIABLE {variable} = ?", [value])
