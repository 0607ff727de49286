"""Appending to the ledger and reading it: each entry carries the hash of the one before.

Not here: looking for what was tampered with (`verify.py`) and the head's code (`seal.py`).

Writers take turns (SQLite: the write lock; PostgreSQL: an advisory lock), so the chain cannot fork.
What an entry is about goes into `subject`: the id of the extract or the delivery, the name of the
account. No personal value of the data ever goes into an entry.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from sqlalchemy import orm

from pipelines.core import clock
from pipelines.core.settings import Settings
from pipelines.ledger.database import readings, sessions, troubles
from pipelines.ledger.errors import LedgerError
from pipelines.ledger.models import LedgerEntry, LedgerHead
from pipelines.ledger.seal import Head, is_ours, read_head_file, sealed, write_head_file
from schemas.text import printable

EVENTS = (
    *("delivery.judged", "delivery.published", "delivery.rejudged", "delivery.answered"),
    "delivery.repeated",
    "rejections.downloaded",
    *("extract.previewed", "extract.made", "extract.refused", "extract.downloaded"),
    *("consent.needed", "consent.given", "consent.revoked"),
    "extract.outdated",
    *("signin.succeeded", "signin.failed", "signin.locked"),
    *("user.added", "user.changed", "token.made", "token.revoked"),
    *("device.added", "device.removed"),
    *("policy.changed", "sql.run", "ledger.checked", "ledger.fault_noticed"),
    *("backup.made", "backup.restored"),
)
OPERATOR = "operator"  # whoever may type commands on this machine
OPERATORS = "passerelle"  # their organisation
PAGE_SIZE = 50
APPEND_LOCK = 0x50534C02  # of PostgreSQL's advisory locks
LONGEST = {"actor": 200, "organisation": 80, "subject": 200}


@dataclass(frozen=True)
class NewEntry:
    """What is to be written down."""

    event: str
    actor: str
    organisation: str = ""
    subject: str = ""
    details: dict[str, Any] = field(default_factory=dict, hash=False)


@dataclass(frozen=True)
class Entry:
    """One entry as it stands in the ledger."""

    seq: int
    at: dt.datetime
    event: str
    actor: str
    organisation: str
    subject: str
    details: dict[str, Any] = field(hash=False)
    previous_hash: str = ""
    hash: str = ""


@dataclass(frozen=True)
class Page:
    """Some entries, newest first, and how many there are in all."""

    entries: tuple[Entry, ...]
    total: int
    page: int
    size: int


class Writing:
    """A transaction that may change other tables too and writes down what it did."""

    def __init__(self, settings: Settings, session: orm.Session) -> None:
        """Begin; `session` is one of `database.sessions`."""
        self.settings, self.session = settings, session
        self.head: Head | None = None
        self.is_head_in_doubt = False

    def append(
        self,
        event: str,
        *,
        actor: str,
        organisation: str = "",
        subject: str = "",
        details: dict[str, Any] | None = None,
    ) -> Entry:
        """Write one entry. Raises ValueError for an event that is not in EVENTS."""
        return self.append_all([NewEntry(event, actor, organisation, subject, details or {})])[0]

    def append_all(self, new: Sequence[NewEntry]) -> list[Entry]:
        """Write several entries, in this order."""
        if unknown := {one.event for one in new} - set(EVENTS):
            raise ValueError(f"no such event: {sorted(unknown)}")
        kept = self.session.get(LedgerHead, 1)
        if kept is None:
            raise LedgerError("LED-403")
        # Once a transaction: until its end the head file says what it said at the beginning.
        faults = [] if self.is_head_in_doubt else _faults_of_head(self.settings, kept)
        self.is_head_in_doubt = self.is_head_in_doubt or bool(faults)
        written, seq, previous = [], kept.seq, kept.hash
        for one in (*faults, *new):
            seq += 1
            entry = _entry(one, seq, previous)
            previous = entry.hash
            written.append(entry)
        if written:
            self.session.execute(sa.insert(LedgerEntry), [vars(entry) for entry in written])
            self.head = sealed(self.settings, seq, previous)
            kept.seq, kept.hash, kept.mac = self.head.seq, self.head.hash, self.head.mac
        return written[len(faults) :]


def _faults_of_head(settings: Settings, kept: LedgerHead) -> list[NewEntry]:
    """What is wrong with the head that the next entry would cover up, written down before it.

    A head that this installation did not sign: its key was lost or exchanged. A head file that is
    further on than the table: the end was cut off.
    """
    found: list[dict[str, Any]] = []
    if kept.seq and not is_ours(settings, Head(kept.seq, kept.hash, kept.mac)):
        found.append({"kind": "head_forged", "entry": kept.seq})
    known = read_head_file(settings)
    if known and known.seq > kept.seq:
        found.append(
            {"kind": "cut_off", "entry": kept.seq + 1, "last": known.seq, "hash": known.hash}
        )
    return [NewEntry("ledger.fault_noticed", "", details=one) for one in found]


@contextmanager
def writing(settings: Settings) -> Iterator[Writing]:
    """A transaction for changes and their entries: all of it happens, or nothing. LedgerError."""
    with troubles():
        with sessions(settings).begin() as session:
            if session.get_bind().dialect.name == "postgresql":
                session.execute(sa.select(sa.func.pg_advisory_xact_lock(APPEND_LOCK)))
            work = Writing(settings, session)
            yield work
        if work.head:
            write_head_file(settings, work.head, is_forced=work.is_head_in_doubt)


def append(
    settings: Settings,
    event: str,
    *,
    actor: str,
    organisation: str = "",
    subject: str = "",
    details: dict[str, Any] | None = None,
) -> Entry:
    """Write one entry down, for good. Raises LedgerError, and ValueError for an unknown event."""
    with writing(settings) as work:
        return work.append(
            event, actor=actor, organisation=organisation, subject=subject, details=details
        )


def append_all(settings: Settings, new: Sequence[NewEntry]) -> list[Entry]:
    """Write several entries in one transaction. Raises as `append`."""
    if not new:
        return []
    with writing(settings) as work:
        return work.append_all(new)


def entries(
    settings: Settings,
    *,
    events: Collection[str] = (),
    actor: str = "",
    organisation: str = "",
    subject: str = "",
    since: dt.datetime | None = None,
    until: dt.datetime | None = None,
    within: sa.ColumnElement[bool] | None = None,
    page: int = 1,
    size: int = PAGE_SIZE,
) -> Page:
    """A page of entries, newest first; what is not given is not asked for. Raises LedgerError.

    `within` is a condition on `LedgerEntry`: what the reader may see.
    """
    conditions: list[sa.ColumnElement[bool]] = [] if within is None else [within]
    if events:
        conditions.append(LedgerEntry.event.in_(sorted(events)))
    for column, value in (
        (LedgerEntry.actor, actor),
        (LedgerEntry.organisation, organisation),
        (LedgerEntry.subject, subject),
    ):
        if value:
            conditions.append(column == value)
    if since:
        conditions.append(LedgerEntry.at >= since)
    if until:
        conditions.append(LedgerEntry.at < until)
    page = max(1, page)
    chosen = sa.select(LedgerEntry).where(*conditions).order_by(LedgerEntry.seq.desc())
    with troubles(), readings(settings).begin() as session:
        counted = sa.select(sa.func.count()).select_from(LedgerEntry).where(*conditions)
        total = session.scalar(counted) or 0
        found = session.scalars(chosen.limit(size).offset((page - 1) * size))
        return Page(tuple(map(as_entry, found)), total, page, size)


def entries_from(
    settings: Settings, seq: int, events: Collection[str], *, size: int
) -> list[Entry]:
    """The first `size` entries of these events from number `seq` on, oldest first. LedgerError."""
    chosen = sa.select(LedgerEntry).where(
        LedgerEntry.event.in_(sorted(events)), LedgerEntry.seq >= seq
    )
    with troubles(), readings(settings).begin() as session:
        found = session.scalars(chosen.order_by(LedgerEntry.seq).limit(size))
        return list(map(as_entry, found))


def last(settings: Settings, event: str, subject: str = "") -> Entry | None:
    """The newest entry of an event, about one subject where it is given; None if there is none."""
    found = entries(settings, events=[event], subject=subject, size=1).entries
    return found[0] if found else None


def as_entry(row: LedgerEntry) -> Entry:
    """A row of the table as a plain value."""
    return Entry(
        seq=row.seq,
        at=row.at,
        event=row.event,
        actor=row.actor,
        organisation=row.organisation,
        subject=row.subject,
        details=row.details,
        previous_hash=row.previous_hash,
        hash=row.hash,
    )


def hash_of(entry: Entry, *, seq: int | None = None, previous_hash: str | None = None) -> str:
    """SHA-256 over the canonical JSON of an entry and the hash before it: the same everywhere."""
    said = {
        "previous": entry.previous_hash if previous_hash is None else previous_hash,
        "seq": entry.seq if seq is None else seq,
        "at": entry.at.astimezone(dt.UTC).isoformat(timespec="microseconds"),
        **{name: getattr(entry, name) for name in ("event", *LONGEST, "details")},
    }
    return hashlib.sha256(_canonical(said).encode("ascii")).hexdigest()


def _entry(new: NewEntry, seq: int, previous: str) -> Entry:
    details = json.loads(_canonical(new.details))
    texts = {name: printable(getattr(new, name))[:length] for name, length in LONGEST.items()}
    entry = Entry(seq, clock.now(), new.event, **texts, details=details, previous_hash=previous)
    return Entry(**{**vars(entry), "hash": hash_of(entry)})


def _canonical(value: Any) -> str:
    return json.dumps(
        value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False
    )
