"""Take a file in: fingerprint, receipt, a copy that never changes; open and list deliveries.

Not here: reading what the file holds (`read`), judging it (`pipelines.ingest`, later stages).

A delivery is `landing/<feed>/<sha256>/`: `original/<file name>` and `receipt.json`. It exists from
the moment that it has a receipt. On a local disk the folder is made under another name, synced and
renamed, so that it appears whole; elsewhere the receipt is written last and only if there is none.
A kill at any moment leaves a delivery or nothing, and the same bytes again are the same delivery.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
import os
import re
import shutil
import tempfile
import time
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError
from upath import UPath

from pipelines.core.files import sync
from pipelines.core.settings import Settings
from pipelines.landing.as_of import as_of_of_name
from pipelines.landing.refuse import MEGABYTE, refusal
from pipelines.landing.report_number import ReportNumber, find_number
from schemas.feed import Statement, load_feed

RECEIPT = "receipt.json"
ORIGINAL = "original"
BLOCK_BYTES = 4 * 1024**2
LONGEST_NAME_BYTES = 150
PART_PREFIX = ".part-"
PART_EXPIRES_S = 24 * 3600
# Before it lies the moment at which a clock starts that nobody set, and 1980, where ZIP starts.
EARLIEST = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)
FAST_CLOCK = dt.timedelta(hours=1)  # of the machine that the file was written on

_DELIVERY_ID = re.compile(r"(?P<feed>[a-z0-9_]+)\.(?P<mark>[0-9a-f]{12})")
_FORBIDDEN = re.compile(r'[<>:"/\\|?*\x00-\x1f\x7f]')
_DEVICE = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\.|$)", re.IGNORECASE)


TimeSource = Literal["file", "clock", "given", "report"]


class Receipt(BaseModel):
    """What is known about a delivery besides its bytes; written once, never changed.

    `received_at_from` says who told the time: the file itself, our clock, whoever delivered it, or
    our own report that it was made from, where it says to be older than that. `report_number` is
    the number of the report (see `report_number.py`), empty for other files.
    `kind` is what whoever delivered it said that it is (a register, a correction), and `as_of` the
    day in its name; None where that was not known at the receipt.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    delivery_id: str
    feed: str
    sha256: str
    file_name: str
    bytes: int
    origin: str = ""
    received_at: AwareDatetime
    received_at_from: TimeSource = "file"
    received_by: str = ""
    licence: str = ""
    kind: Statement | None = None
    as_of: dt.date | None = None
    report_number: str = ""


@dataclass(frozen=True)
class Delivery:
    """A delivery as it lies in the landing; `is_new` is False for bytes that were there before."""

    folder: UPath
    receipt: Receipt
    is_new: bool = False

    @property
    def delivery_id(self) -> str:
        """`<feed>.<first 12 digits of the fingerprint>`."""
        return self.receipt.delivery_id

    @property
    def feed(self) -> str:
        """The name of the feed."""
        return self.receipt.feed

    @property
    def sha256(self) -> str:
        """The fingerprint of the bytes."""
        return self.receipt.sha256

    @property
    def payload(self) -> UPath:
        """The file as it was sent."""
        return self.folder / ORIGINAL / self.receipt.file_name


def receive(
    settings: Settings,
    feed: str,
    file: str | Path | UPath,
    *,
    origin: str = "",
    received_by: str = "",
    received_at: dt.datetime | None = None,
    file_name: str = "",
    kind: Statement | None = None,
) -> Delivery:
    """Keep `file` as a delivery of `feed`; bytes that are there already keep their first receipt.

    `file_name` is what the sender calls it, where it lies here under another name. `received_at`
    (UTC if it names no zone) is the file's time of modification unless given, or the present
    moment where the file has none, or one that no set clock shows: before 2000, or to come.
    `kind` is what whoever delivers it says that it is; made from our own report, it is a correction
    unless they say otherwise, and came after what it was made from.
    Raises DeliveryError (DEL-718) for a file beyond `settings.largest_delivery_bytes`, KeyError
    for a feed that is not declared, OSError where a place cannot be read or written.
    """
    source = UPath(file)
    declared = load_feed(feed)
    moment, told_by = _received_at(source, received_at)
    with _spool(settings, feed) as part:
        name = safe_file_name(file_name or source.name)
        copy = part / ORIGINAL / name
        copy.parent.mkdir()
        sha256, size = _copy(settings, source, copy)
        receipt = Receipt(
            delivery_id=f"{feed}.{sha256[:12]}",
            feed=feed,
            sha256=sha256,
            file_name=name,
            bytes=size,
            origin=origin,
            received_by=received_by,
            licence=declared.licence,
            as_of=as_of_of_name(declared, name),
            **_statement(find_number(copy, name, feed), kind, moment, told_by),
        )
        folder = settings.landing / feed / sha256
        is_new = False
        if (known := _receipt(folder)) is None:
            keep = _keep_local if _is_local(settings.landing) else _keep_remote
            is_new, known = keep(part, folder, receipt), _receipt(folder)
    if known is None:
        raise OSError(f"the receipt of {receipt.delivery_id} cannot be read back")
    return Delivery(folder, known, is_new)


def open_delivery(settings: Settings, delivery_id: str) -> Delivery:
    """The delivery of that id. Raises KeyError where there is none."""
    found = _DELIVERY_ID.fullmatch(delivery_id)
    if found:
        for folder in _folders(settings.landing / found["feed"]):
            if folder.name.startswith(found["mark"]) and (receipt := _receipt(folder)):
                return Delivery(folder, receipt)
    raise KeyError(delivery_id)


def list_deliveries(settings: Settings, feed: str | None = None) -> list[Delivery]:
    """All deliveries, or those of one feed, in the order in which they were received."""
    feeds = [settings.landing / feed] if feed else _folders(settings.landing)
    found = [
        Delivery(folder, receipt)
        for place in feeds
        for folder in _folders(place)
        if (receipt := _receipt(folder))
    ]
    return sorted(found, key=lambda one: (one.receipt.received_at, one.delivery_id))


def local_file(place: UPath, folder: Path) -> Path:
    """A file of a delivery where it lies; from an object store, a copy of it in `folder`.

    It is copied once: where `folder` holds a file of that name, that is it.
    Raises OSError where a place cannot be read or written.
    """
    if _is_local(place):
        return Path(place.path)
    target = folder / place.name
    if not target.exists():
        folder.mkdir(parents=True, exist_ok=True)
        half = folder / f"{PART_PREFIX}{place.name}"
        with place.open("rb") as reader, half.open("wb") as writer:
            shutil.copyfileobj(reader, writer, BLOCK_BYTES)
        half.replace(target)
    return target


def safe_file_name(name: str) -> str:
    """A file name that every system accepts and no path can hide in; the ending is kept."""
    text = unicodedata.normalize("NFC", re.split(r"[/\\]", name)[-1])
    text = _FORBIDDEN.sub("_", text).strip(" .")
    stem, dot, ending = text.rpartition(".")
    stem, ending = (stem, dot + ending[:20]) if stem else (text, "")
    while len((stem + ending).encode()) > LONGEST_NAME_BYTES:
        stem = stem[:-1]
    stem = f"_{stem}" if _DEVICE.match(stem) else stem
    return (stem or "delivery") + ending


@contextlib.contextmanager
def _spool(settings: Settings, feed: str) -> Iterator[Path]:
    """A folder for the copy while it is made; on the landing's own disk where that is local."""
    place = settings.scratch
    if _is_local(settings.landing):
        place = Path(settings.landing.path) / feed
    place.mkdir(parents=True, exist_ok=True)
    _sweep(place)
    part = Path(tempfile.mkdtemp(prefix=PART_PREFIX, dir=place))
    try:
        yield part
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _sweep(place: Path) -> None:
    """Remove what a killed process left a day ago or earlier."""
    for part in place.glob(f"{PART_PREFIX}*"):
        with contextlib.suppress(OSError):
            if part.stat().st_mtime < time.time() - PART_EXPIRES_S:
                shutil.rmtree(part)


def _copy(settings: Settings, source: UPath, copy: Path) -> tuple[str, int]:
    """Copy and fingerprint in one pass; returns the sha256 and the number of bytes."""
    digest, size = hashlib.sha256(), 0
    with source.open("rb") as reader, copy.open("wb") as writer:
        while block := reader.read(BLOCK_BYTES):
            size += len(block)
            if size > settings.largest_delivery_bytes:
                limit_mb = settings.largest_delivery_bytes // MEGABYTE
                raise refusal("DEL-718", Path(source.name), limit_mb=limit_mb)
            digest.update(block)
            writer.write(block)
        _sync(writer)
    return digest.hexdigest(), size


def _keep_local(part: Path, folder: UPath, receipt: Receipt) -> bool:
    """Rename the finished folder into place; False where another process was first."""
    target = Path(folder.path)
    with (part / RECEIPT).open("wb") as writer:
        writer.write(_to_bytes(receipt))
        _sync(writer)
    for file in (part / RECEIPT, part / ORIGINAL / receipt.file_name):
        file.chmod(0o400)
    sync(part / ORIGINAL)
    sync(part)
    try:
        part.rename(target)
    except OSError:
        if not target.is_dir():
            raise
        return False
    sync(target.parent)
    return True


def _keep_remote(part: Path, folder: UPath, receipt: Receipt) -> bool:
    """Upload the file, then the receipt, which is what makes it a delivery."""
    payload = folder / ORIGINAL / receipt.file_name
    payload.parent.mkdir(parents=True, exist_ok=True)
    copy = part / ORIGINAL / receipt.file_name
    payload.fs.put_file(str(copy), payload.path)
    if payload.stat().st_size != receipt.bytes:
        raise OSError(f"{payload.name} did not arrive whole")
    target = folder / RECEIPT
    with contextlib.suppress(FileExistsError):
        target.fs.pipe_file(target.path, _to_bytes(receipt), mode="create")
        return True
    return False


def _receipt(folder: UPath) -> Receipt | None:
    """The receipt in a folder; None where there is none, or only a torn one."""
    try:
        return Receipt.model_validate_json((folder / RECEIPT).read_bytes())
    except (FileNotFoundError, NotADirectoryError, ValidationError):
        return None


def _folders(place: UPath) -> list[UPath]:
    try:
        return sorted(
            (child for child in place.iterdir() if not child.name.startswith(".")),
            key=lambda child: child.name,
        )
    except (FileNotFoundError, NotADirectoryError):
        return []


def _to_bytes(receipt: Receipt) -> bytes:
    return receipt.model_dump_json(indent=2).encode() + b"\n"


def _as_utc(moment: dt.datetime) -> dt.datetime:
    return moment.astimezone(dt.UTC) if moment.tzinfo else moment.replace(tzinfo=dt.UTC)


def _received_at(source: UPath, given: dt.datetime | None) -> tuple[dt.datetime, TimeSource]:
    """The time of receipt in UTC, and who told it."""
    if given:
        return _as_utc(given), "given"
    now, modified = dt.datetime.now(dt.UTC), _modified_at(source)
    if modified is None or not EARLIEST <= modified <= now + FAST_CLOCK:
        return now, "clock"
    return min(modified, now), "file"


def _statement(
    report: ReportNumber | None, kind: Statement | None, moment: dt.datetime, told_by: TimeSource
) -> dict[str, Any]:
    """What the file is and when it came: made from a report, a correction that came after it."""
    if report and moment < report.judged_at:
        moment, told_by = min(report.judged_at, dt.datetime.now(dt.UTC)), "report"
    return {
        "kind": kind or ("correction" if report else None),
        "received_at": moment,
        "received_at_from": told_by,
        "report_number": str(report or ""),
    }


def _modified_at(source: UPath) -> dt.datetime | None:
    """When the file was last changed, in UTC; None where its place keeps no such time."""
    if _is_local(source):
        ns = Path(source.path).stat().st_mtime_ns
        return dt.datetime.fromtimestamp(0, dt.UTC) + dt.timedelta(microseconds=ns // 1000)
    try:
        return _as_utc(source.fs.modified(source.path))
    except (NotImplementedError, KeyError, AttributeError):
        return None


def _is_local(place: UPath) -> bool:
    return place.protocol in ("", "file", "local")


def _sync(writer: BinaryIO) -> None:
    writer.flush()
    os.fsync(writer.fileno())
