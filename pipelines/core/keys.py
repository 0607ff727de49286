"""Keys of this installation: made at first use, readable by their owner only.

Not here: what each key is for (the ledger's head, tokens in the data, the signing of extracts).
"""

from __future__ import annotations

import os
import secrets
import threading
from contextlib import suppress
from pathlib import Path

from pipelines.core.settings import Settings

KEY_BYTES = 32


def installation_key(settings: Settings, name: str) -> bytes:
    """The 32-byte key `<home>/secrets/<name>.key`, made if it is new."""
    path = settings.prepare().secrets / f"{name}.key"
    if not path.is_file():
        write_whole(path, secrets.token_hex(KEY_BYTES).encode("ascii"), 0o600, replace=False)
    return bytes.fromhex(path.read_text(encoding="ascii").strip())


def write_whole(path: Path, content: bytes, mode: int, *, replace: bool) -> None:
    """Write beside `path` and put it there whole; without `replace` the first process wins."""
    draft = path.with_name(f".{path.name}.{os.getpid()}-{threading.get_ident()}")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
    if replace:
        draft.replace(path)
        return
    with suppress(FileExistsError):
        os.link(draft, path)
    draft.unlink()
