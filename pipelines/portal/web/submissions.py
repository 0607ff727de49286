"""What a person sent and sees again later, kept for some hours: sealed, for one browser alone.

An address names it by a random number and says nothing else of it. It lies in the scratch folder,
which is in no backup, sealed with a key made of the portal's own and of what only the browser's
cookie says (`binding`): another account, another browser and whoever reads the disk cannot open it.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from fastapi import Request

from pipelines.core.keys import write_whole
from pipelines.core.settings import Settings

KEPT_S = 12 * 3600  # as long as a session lasts
MOST_EACH = 30
ID_BYTES = 24
OWNER_ONLY = 0o600


def hold(settings: Settings, key: bytes, binding: str, content: dict[str, Any]) -> str:
    """Keep `content`, which JSON can hold; the number that names it. The oldest give way."""
    number, folder = secrets.token_urlsafe(ID_BYTES), _folder(settings)
    sealed = _box(key, binding).encrypt(json.dumps(content).encode())
    write_whole(folder / _name(binding, number), sealed, OWNER_ONLY, replace=True)
    _sweep(folder, binding)
    return number


def opened(settings: Settings, key: bytes, binding: str, number: str) -> dict[str, Any] | None:
    """What was kept under this number for this binding; None where it is not, or no longer."""
    try:
        sealed = (_folder(settings) / _name(binding, number)).read_bytes()
        found: dict[str, Any] = json.loads(_box(key, binding).decrypt(sealed, ttl=KEPT_S))
    except (OSError, InvalidToken):
        return None
    return found


def keep(request: Request, binding: str, content: dict[str, Any]) -> str:
    """Hold something that came with a request; its number."""
    state = request.app.state
    return hold(state.settings, state.portal_key, binding, content)


def kept(request: Request, binding: str, number: str) -> dict[str, Any] | None:
    """What was held for whoever sends this request."""
    state = request.app.state
    return opened(state.settings, state.portal_key, binding, number)


def _folder(settings: Settings) -> Path:
    folder = settings.scratch / "held"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def _name(binding: str, number: str) -> str:
    """Of one binding they begin alike; neither it nor the number can be read from the name."""
    return f"{_digest(binding)[:20]}-{_digest(number)[:40]}"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()


def _box(key: bytes, binding: str) -> Fernet:
    about = b"held\n" + binding.encode("utf-8", "replace")
    derived = HKDF(algorithm=SHA256(), length=32, salt=None, info=about).derive(key)
    return Fernet(base64.urlsafe_b64encode(derived))


def _sweep(folder: Path, binding: str) -> None:
    """Remove what is over, and of one binding the oldest of too many."""
    ages: list[tuple[float, Path]] = []
    oldest, mine = time.time() - KEPT_S, _digest(binding)[:20]
    for file in folder.iterdir():
        with suppress(OSError):
            written = file.stat().st_mtime
            if written < oldest:
                file.unlink()
            elif file.name.startswith(mine):
                ages.append((written, file))
    for _written, file in sorted(ages, reverse=True)[MOST_EACH:]:
        file.unlink(missing_ok=True)
