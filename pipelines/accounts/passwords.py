"""Passwords: what is good enough, and their argon2id hashes.

Not here: who typed one, how often, and what follows (`signin.py`).
"""

from __future__ import annotations

import secrets
import threading
import unicodedata
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.profiles import RFC_9106_LOW_MEMORY

from pipelines.accounts.errors import AccountError

LEAST, MOST = 12, 200
FEWEST_SIGNS = 3
PARAMETERS = RFC_9106_LOW_MEMORY  # 64 MiB, three passes; tests put argon2's CHEAPEST here
# Each takes 64 MiB for a twentieth of a second: more at once would let strangers fill the memory.
_AT_ONCE = threading.BoundedSemaphore(4)


def check(password: str, name: str) -> None:
    """Raise AccountError where a password is not good enough for the account of this name."""
    if len(password) < LEAST:
        raise AccountError("ACC-111", "password", least=LEAST)
    if len(password) > MOST:
        raise AccountError("ACC-112", "password", most=MOST)
    if name.casefold() in password.casefold():
        raise AccountError("ACC-113", "password")
    if len(set(password)) < FEWEST_SIGNS:
        raise AccountError("ACC-114", "password")


def hash_of(password: str) -> str:
    """The hash to keep, with its salt and its parameters."""
    with _AT_ONCE:
        return _hasher().hash(_same_signs(password))


def is_right(kept: str | None, password: str) -> bool:
    """True where `password` is the one of the hash. Without a hash it takes as long, and is not."""
    try:
        with _AT_ONCE:
            return _hasher().verify(kept or _nobody(), _same_signs(password)) and kept is not None
    except (VerificationError, InvalidHashError):
        return False


def is_outdated(kept: str) -> bool:
    """True where a hash was made with other parameters than today's."""
    return _hasher().check_needs_rehash(kept)


def one_time() -> str:
    """A password for the first sign-in, in groups that can be read aloud."""
    letters = "abcdefghjkmnpqrstuvwxyz23456789"
    return "-".join("".join(secrets.choice(letters) for _ in range(5)) for _ in range(4))


def _hasher() -> PasswordHasher:
    return PasswordHasher.from_parameters(PARAMETERS)


@cache
def _nobody_for(parameters: str) -> str:
    return _hasher().hash(secrets.token_hex(16))


def _nobody() -> str:
    """A hash that no password has, as costly to try as a real one."""
    return _nobody_for(repr(PARAMETERS))


def _same_signs(password: str) -> str:
    """One form of letters with accents: keyboards send them in two."""
    return unicodedata.normalize("NFKC", password)[: 4 * MOST]
