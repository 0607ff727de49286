"""The signed head of the ledger, in its table and in a file: without it a cut end would not show.

Not here: the chain (`chain.py`) and comparing the two (`verify.py`).

The file lies outside the database, so that whoever can change only the database cannot put an
older head back. It may be behind by what was written as a process was killed, never ahead.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock

from pipelines.core.keys import installation_key
from pipelines.core.settings import Settings
from pipelines.ledger.database import sessions, troubles
from pipelines.ledger.errors import LedgerError
from pipelines.ledger.models import LedgerHead

FIRST_HASH = "0" * 64
KEY_NAME = "ledger"


@dataclass(frozen=True)
class Head:
    """The last entry: its number, its hash and the code over both."""

    seq: int
    hash: str
    mac: str


def sealed(settings: Settings, seq: int, entry_hash: str) -> Head:
    """A head with the code of this installation."""
    said = f"passerelle-ledger-head v1 {seq} {entry_hash}".encode()
    mac = hmac.new(installation_key(settings, KEY_NAME), said, hashlib.sha256).hexdigest()
    return Head(seq, entry_hash, mac)


def is_ours(settings: Settings, head: Head) -> bool:
    """True where the code of a head is the one that this installation makes."""
    return hmac.compare_digest(sealed(settings, head.seq, head.hash).mac, head.mac)


def head_file(settings: Settings) -> Path:
    """Where the head lies outside the database."""
    return settings.home / "ledger.head"


def read_head_file(settings: Settings) -> Head | None:
    """The head in the file; None where there is none that can be read."""
    try:
        said = json.loads(head_file(settings).read_text(encoding="utf-8"))
        return Head(int(said["seq"]), str(said["hash"]), str(said["mac"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def reseal(settings: Settings) -> None:
    """Sign the head as it stands with the key of this installation: after a restore without keys.

    The chain must have been checked; nothing is signed where there is no entry.
    """
    with troubles(), sessions(settings).begin() as session:
        kept = session.get(LedgerHead, 1)
        if kept is None:
            raise LedgerError("LED-403")
        head = sealed(settings, kept.seq, kept.hash)
        kept.mac = head.mac if head.seq else ""
    if head.seq:
        write_head_file(settings, head, is_forced=True)


def write_head_file(settings: Settings, head: Head, *, is_forced: bool = False) -> None:
    """Put the head into the file, unless another process has put a later one there."""
    file = head_file(settings)
    with FileLock(f"{file}.lock"):
        known = read_head_file(settings)
        if known and known.seq >= head.seq and not is_forced:
            return
        draft = file.with_name(f".{file.name}.{os.getpid()}")
        with draft.open("w", encoding="utf-8") as stream:
            json.dump(vars(head), stream)
            stream.flush()
            os.fsync(stream.fileno())
        draft.replace(file)
