"""The key of this installation that turns a document number into a token, and its two HMAC pads.

Not here: which columns are tokens (contracts) and the SQL of HMAC itself (`macros.py`).

A token is pseudonymous, not anonymous: whoever holds the key can test a guess. The key is made on
first use, is readable by its owner only, and belongs in the backup of the home, nowhere else.
"""

from __future__ import annotations

import os

import duckdb

from pipelines.core.keys import installation_key
from pipelines.core.settings import Settings

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
    return installation_key(settings, "token")


def set_token_key(connection: duckdb.DuckDBPyConnection, key: bytes) -> None:
    """Give the connection the pads as variables, so that the key is in no statement and no log."""
    set_hmac_pads(connection, key, "token")


def set_hmac_pads(connection: duckdb.DuckDBPyConnection, key: bytes, prefix: str) -> None:
    """Set the variables `<prefix>_inner` and `<prefix>_outer`: the key, padded for each round."""
    padded = key.ljust(_BLOCK_BYTES, b"\0")
    for variable, pad in ((f"{prefix}_inner", 0x36), (f"{prefix}_outer", 0x5C)):
        value = bytes(byte ^ pad for byte in padded)
        connection.execute(f"SET VARIABLE {variable} = ?", [value])
