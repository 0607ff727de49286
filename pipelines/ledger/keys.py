"""Keys of this installation: made at first use, readable by their owner only.

Not here: the key of the tokens in the data (`harmonise/tokens.py`) and of releases (`release`).
"""

from __future__ import annotations

import os
import secrets
import threading
from contextlib import suppress
from pathlib import Path

from pipelines.settings import Settings

KEY_BYTES = 32


def installation_key(settings: Settings, name: str) -> bytes:
    """The 32-byte key `<home>/secrets/<name>.key`, made if it is new."""
    path = settings.prepare().secrets / f"{name}.key"
    if not path.is_file():
        _make(path)
    return bytes.fromhex(path.read_text(encoding="ascii").strip())


def _make(path: Path) -> None:
    """Write a new key beside `path` and link it there whole, unless another process was first."""
    draft = path.with_name(f".{path.name}.{os.getpid()}-{threading.get_ident()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as stream:
        stream.write(secrets.token_hex(KEY_BYTES))
        stream.flush()
        os.fsync(stream.fileno())
    with suppress(FileExistsError):
        os.link(draft, path)
    draft.unlink()
