"""Take a file in through the web: straight to the disk, with limits, and away again if it breaks.

A file is written to `<uploads>/<random>.part` as it comes and renamed to `<random>.whole` once all
of it is on the disk; only then does anybody hear of it. Memory holds one block. Its own name is
kept as words and is never a path. A kill leaves a `.part` that nobody writes: it is swept.
No library bounds, asks and notices a form that is cut short as this does: see CONTRIBUTING.md.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import re
import secrets
import shutil
import time
import unicodedata
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from pipelines.core.settings import Settings
from pipelines.landing.receive import safe_file_name
from pipelines.portal.services.upload_errors import UploadError

PART, WHOLE = ".part", ".whole"
BLOCK_BYTES = 1 << 20
FIELD_BYTES = 4096
MOST_FIELDS = 8
MOST_HEADER_BYTES = 8192
DRAINED_BYTES = 32 << 20
RESERVE_BYTES = 512 << 20
LOOK_AT_DISK_EVERY_BYTES = 64 << 20
# A copy in the landing and what is read from it, beside the upload itself.
COPIES = 3
PART_EXPIRES_S = 600.0
NEW_S = 2.0  # a file this young may not have its lock yet
WHOLE_EXPIRES_S = 7 * 24 * 3600.0

Admit = Callable[[dict[str, str]], None]


@dataclass(frozen=True)
class Limits:
    """How long an upload may take, and how many at once; its size is in the settings."""

    idle_s: float = 60.0
    whole_s: float = 6 * 3600.0
    at_once: int = 16
    at_once_each: int = 2


@dataclass(frozen=True)
class Upload:
    """A file that came whole: where it lies, what its sender calls it, and the form's fields."""

    file: Path
    file_name: str
    sha256: str
    bytes: int
    fields: dict[str, str]


def display_name(name: str) -> str:
    """The sender's own name for the file, fit to be shown: no path, no sign that hides another."""
    visible = (c for c in name if unicodedata.category(c) not in ("Cc", "Cf", "Cs", "Co", "Cn"))
    text = re.sub(r"\s+", " ", "".join(visible)).strip()
    return safe_file_name(text) if text.strip(" ./\\") else ""


async def take_upload(
    stream: AsyncIterator[bytes],
    headers: dict[str, str],
    settings: Settings,
    *,
    sender: str,
    admit: Admit,
    limits: Limits = Limits(),
) -> Upload:
    """Read a multipart form with one file from `stream`; the file goes to `settings.uploads`.

    `admit` is asked with the fields that stand before the file, and raises where they forbid it:
    not a byte of the file is kept then. Raises UploadError; whatever is raised, nothing is left.
    """
    await asyncio.to_thread(sweep, settings)
    length = _length(headers)
    with _place_at_the_desk(sender, limits):
        try:
            if length > settings.largest_delivery_bytes + MOST_FIELDS * FIELD_BYTES:
                raise UploadError("too_large")
            await asyncio.to_thread(_demand_room, settings, COPIES * length)
            form = _Form(headers.get("content-type", ""), settings, admit)
            try:
                async for chunk in _in_time(stream, limits):
                    form.feed(chunk)
                    if form.waiting_bytes >= BLOCK_BYTES:
                        await asyncio.to_thread(form.write_out)
                return await asyncio.to_thread(form.finish)
            finally:
                form.drop()
        except Exception:
            await _drain(stream)
            raise


def sweep(settings: Settings, *, expires_s: float = PART_EXPIRES_S) -> int:
    """Remove what killed processes left; returns how many files. One being written is spared.

    A `.part` goes as soon as nobody writes it (its lock is free), where there are no such locks
    once it is old; a `.whole` that no job took, after a week.
    """
    removed = 0
    for file in settings.uploads.glob(f"*{PART}"):
        with suppress(OSError):
            if _is_abandoned(file, expires_s):
                file.unlink()
                removed += 1
    for file in settings.uploads.glob(f"*{WHOLE}"):
        with suppress(OSError):
            if file.stat().st_mtime < time.time() - WHOLE_EXPIRES_S:
                file.unlink()
                removed += 1
    return removed


class _Form:
    """One multipart form as it comes: small fields in memory, the one file on the disk."""

    def __init__(self, content_type: str, settings: Settings, admit: Admit) -> None:
        from python_multipart.multipart import MultipartParser, parse_options_header

        kind, options = parse_options_header(content_type)
        if kind != b"multipart/form-data" or not options.get(b"boundary"):
            raise UploadError("broken")
        self.settings, self.admit = settings, admit
        self.fields: dict[str, str] = {}
        self.file: _File | None = None
        self.file_name = ""
        self._header = self._value = self._disposition = b""
        self._name: str | None = None
        self._data = bytearray()
        self._is_file = self._is_at_end = False
        callbacks: Any = {
            "on_part_begin": self._begin,
            "on_header_field": self._on_header,
            "on_header_value": self._on_value,
            "on_header_end": self._on_header_end,
            "on_headers_finished": self._on_headers,
            "on_part_data": self._on_data,
            "on_part_end": self._end,
            "on_end": self._at_end,
        }
        self.parser = MultipartParser(
            options[b"boundary"], callbacks, max_header_size=MOST_HEADER_BYTES
        )

    @property
    def waiting_bytes(self) -> int:
        """Bytes of the file that are not yet on the disk."""
        return self.file.waiting_bytes if self.file else 0

    def feed(self, chunk: bytes) -> None:
        """Parse the next bytes of the form."""
        from python_multipart.exceptions import FormParserError

        try:
            self.parser.write(chunk)
        except FormParserError:
            raise UploadError("broken", self.fields) from None

    def write_out(self) -> None:
        """Put what is waiting on the disk."""
        if self.file:
            self.file.write_out()

    def finish(self) -> Upload:
        """The upload, once the whole form has been fed."""
        if not self._is_at_end:
            raise UploadError("broken", self.fields)
        if self.file is None:
            raise UploadError("no_file", self.fields)
        place = self.file.keep()
        return Upload(
            place, self.file_name, self.file.digest.hexdigest(), self.file.size, self.fields
        )

    def drop(self) -> None:
        """Close the file; unless it was kept, nothing is left of it."""
        if self.file:
            self.file.drop()

    def _begin(self) -> None:
        self._disposition, self._name, self._is_file = b"", None, False
        self._data = bytearray()

    def _on_header(self, data: bytes, start: int, end: int) -> None:
        self._header += data[start:end]

    def _on_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _on_header_end(self) -> None:
        if self._header.lower() == b"content-disposition":
            self._disposition = self._value
        self._header = self._value = b""

    def _on_headers(self) -> None:
        from python_multipart.multipart import parse_options_header

        _kind, options = parse_options_header(self._disposition)
        self._name = options.get(b"name", b"").decode("utf-8", "replace")
        if b"filename" not in options:
            if len(self.fields) >= MOST_FIELDS:
                raise UploadError("broken", self.fields)
            return
        # A form without a chosen file sends a part with an empty name.
        if name := display_name(options[b"filename"].decode("utf-8", "replace")):
            if self.file is not None:
                raise UploadError("broken", self.fields)
            self.admit(dict(self.fields))
            self.file_name, self._is_file = name, True
            self.file = _File(self.settings, self.fields)

    def _on_data(self, data: bytes, start: int, end: int) -> None:
        if self._is_file and self.file:
            self.file.add(data[start:end])
        elif len(self._data) + end - start > FIELD_BYTES:
            raise UploadError("broken", self.fields)
        else:
            self._data += data[start:end]

    def _end(self) -> None:
        if self._name and not self._is_file:
            self.fields[self._name] = self._data.decode("utf-8", "replace")

    def _at_end(self) -> None:
        self._is_at_end = True


@dataclass
class _File:
    """The `.part` of one upload: bounded, hashed as it is written, locked while we live."""

    settings: Settings
    fields: dict[str, str]
    waiting: list[bytes] = field(default_factory=list)
    waiting_bytes: int = 0
    digest: Any = field(default_factory=hashlib.sha256)
    size: int = 0

    def __post_init__(self) -> None:
        folder = self.settings.uploads
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.place = folder / f"{secrets.token_urlsafe(24)}{PART}"
        descriptor = os.open(self.place, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        self.stream: BinaryIO = os.fdopen(descriptor, "wb")
        _lock(self.stream)
        self._looked_at_bytes = 0

    def add(self, data: bytes) -> None:
        """Take the next bytes; they are written by `write_out`."""
        self.size += len(data)
        if self.size > self.settings.largest_delivery_bytes:
            raise UploadError("too_large", self.fields)
        self.waiting.append(data)
        self.waiting_bytes += len(data)

    def write_out(self) -> None:
        """Write and hash what is waiting; now and then see that there is still room."""
        if self.size - self._looked_at_bytes >= LOOK_AT_DISK_EVERY_BYTES:
            self._looked_at_bytes = self.size
            _demand_room(self.settings, 0, self.fields)
        for data in self.waiting:
            self.digest.update(data)
            self.stream.write(data)
        self.waiting, self.waiting_bytes = [], 0

    def keep(self) -> Path:
        """Make it last under the name of a whole upload; returns its place."""
        self.write_out()
        self.stream.flush()
        os.fsync(self.stream.fileno())
        whole = self.place.with_suffix(WHOLE)
        self.place.replace(whole)
        return whole

    def drop(self) -> None:
        """Close it, and remove it unless it was kept."""
        with suppress(OSError):
            self.stream.close()
        self.place.unlink(missing_ok=True)


_at_the_desk: Counter[str] = Counter()


@contextmanager
def _place_at_the_desk(sender: str, limits: Limits) -> Iterator[None]:
    """One of the places for uploads under way; only the event loop counts them."""
    if _at_the_desk[sender] >= limits.at_once_each or _at_the_desk.total() >= limits.at_once:
        raise UploadError("too_many")
    _at_the_desk[sender] += 1
    try:
        yield
    finally:
        _at_the_desk[sender] -= 1
        if not _at_the_desk[sender]:
            del _at_the_desk[sender]


async def _in_time(stream: AsyncIterator[bytes], limits: Limits) -> AsyncIterator[bytes]:
    """The chunks of a stream that neither stands still nor lasts for ever."""
    end_s = time.monotonic() + limits.whole_s
    while True:
        patience_s = min(limits.idle_s, end_s - time.monotonic())
        try:
            chunk = await asyncio.wait_for(anext(stream), max(patience_s, 0))
        except StopAsyncIteration:
            return
        except TimeoutError:
            raise UploadError("too_slow") from None
        yield chunk


async def _drain(stream: AsyncIterator[bytes]) -> None:
    """Let a refused sender finish a small upload: a browser that is cut off shows no answer."""
    drained = 0
    with suppress(Exception):
        async with asyncio.timeout(10):
            async for chunk in stream:
                drained += len(chunk)
                if drained > DRAINED_BYTES:
                    return


def _demand_room(settings: Settings, needed: int, fields: dict[str, str] | None = None) -> None:
    settings.uploads.mkdir(parents=True, exist_ok=True, mode=0o700)
    if shutil.disk_usage(settings.uploads).free < needed + RESERVE_BYTES:
        raise UploadError("no_room", fields)


def _length(headers: dict[str, str]) -> int:
    """The announced length of the body; 0 where none is, or no number."""
    text = headers.get("content-length", "")
    return int(text) if text.isascii() and text.isdigit() else 0


def _lock(stream: BinaryIO) -> None:
    """Mark a file as being written; the kernel takes the mark away with the process."""
    if os.name == "posix":
        import fcntl

        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _is_abandoned(file: Path, expires_s: float) -> bool:
    """True where nobody writes the file any more."""
    if file.stat().st_mtime > time.time() - (NEW_S if os.name == "posix" else expires_s):
        return False
    if os.name != "posix":
        return True
    import fcntl

    with file.open("rb") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True
