"""What is kept of a random token: its hash, from which it cannot be had back.

Not here: passwords, which are guessed and need more (`passwords.py`).
"""

from __future__ import annotations

import hashlib


def hash_of(token: str) -> str:
    """The SHA-256 of a token, as hexadecimal digits."""
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()
