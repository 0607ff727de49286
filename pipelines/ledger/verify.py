"""Looking through the whole ledger for entries altered, removed, inserted, reordered or cut off.

Not here: how entries come to be (`chain.py`).

The triggers of the database refuse all of that; this finds what was done around them. Whoever also
has the key of this installation and both heads can write another history: against that, keep the
last line of a check somewhere else, and give it to the next check as an anchor.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from sqlalchemy import orm

from pipelines.core.i18n import mark, translator
from pipelines.core.settings import Settings
from pipelines.ledger.chain import Entry, append, as_entry, hash_of
from pipelines.ledger.database import readings, troubles
from pipelines.ledger.models import LedgerEntry, LedgerHead
from pipelines.ledger.seal import FIRST_HASH, Head, is_ours, read_head_file
from schemas.text import Language

AT_ONCE = 2_000
MOST_FAULTS = 500
MOST_COMPARED = 200  # entries among which a change of places is looked for

KINDS = {
    "altered": mark("Entry {seq} was altered: it no longer has the hash that it was given."),
    "removed": mark("Entries {seq} to {last} were removed."),
    "removed_one": mark("Entry {seq} was removed."),
    "cut_off": mark(
        "The end was cut off: the ledger once reached entry {last}; from {seq} on, "
        "nothing is there."
    ),
    "replaced": mark(
        "Entry {seq} does not follow from the entry before it: one of the two was replaced."
    ),
    "inserted": mark("Entry {seq} was inserted: those after it were moved to make room."),
    "reordered": mark("Entry {seq} stands in the wrong place: it was written as entry {was}."),
    "moved": mark(
        "Entries {seq} to {last} stand in the wrong place: they were written as entries {was} "
        "and following."
    ),
    "added": mark("Entry {seq} was added past the signed end of the ledger."),
    "rewritten": mark(
        "The ledger was rewritten: entry {seq} is not the one whose hash was kept ({where})."
    ),
    "head_missing": mark("The signed head is missing ({where})."),
    "head_forged": mark(
        "The signed head was not made by this installation ({where}), or its key is another one."
    ),
    "more": mark("There is more; only the first {count} faults are listed."),
}


@dataclass(frozen=True)
class Fault:
    """One thing that is not as it was written; `kind` is a key of KINDS."""

    kind: str
    seq: int
    values: dict[str, Any] = field(default_factory=dict, hash=False)

    def text(self, language: Language = "en") -> str:
        """The sentence in `language`."""
        return translator(language)(KINDS[self.kind], seq=self.seq, **self.values)


@dataclass(frozen=True)
class ChainCheck:
    """What a check found, and the end that it saw: the anchor of the next one."""

    faults: tuple[Fault, ...]
    count: int
    seq: int
    hash: str

    @property
    def anchor(self) -> str:
        """To be kept elsewhere: `<number>:<hash>`."""
        return f"{self.seq}:{self.hash}"


def verify(settings: Settings, anchor: str = "") -> list[Fault]:
    """Everything that was tampered with; none where all is as it was written. LedgerError."""
    return list(check(settings, anchor).faults)


def check(settings: Settings, anchor: str = "") -> ChainCheck:
    """Read every entry once, in order and in bounded memory, while others may go on writing.

    `anchor` is that of an earlier check. Raises LedgerError, and ValueError for no anchor.
    """
    kept = read_head_file(settings)  # before the entries: they may only be further on
    known = [("ledger.head", kept)] if kept else []
    if anchor:
        seq, _, entry_hash = anchor.partition(":")
        known.append(("anchor", Head(int(seq), entry_hash.strip(), "")))
    with troubles(), readings(settings).begin() as session:
        head = session.get(LedgerHead, 1)
        table_head = Head(head.seq, head.hash, head.mac) if head else None
        if table_head:
            known.append(("ledger_head", table_head))
        walk = _Walk([(one, where) for where, one in known if one.seq])
        faults = list(walk.faults(session))
    faults += _of_heads(settings, kept, table_head, walk)
    faults.sort(key=lambda fault: fault.seq)
    if len(faults) > MOST_FAULTS:
        faults = [*faults[:MOST_FAULTS], Fault("more", 0, {"count": MOST_FAULTS})]
    return ChainCheck(tuple(faults), walk.count, walk.seq, walk.hash)


def check_and_note(
    settings: Settings, *, actor: str, organisation: str = "", anchor: str = ""
) -> ChainCheck:
    """The same, written down without trusting what was found: who checked is evidence too.

    Where the ledger has lost its head there is nowhere to write.
    """
    found = check(settings, anchor)
    if not any(fault.kind == "head_missing" and not fault.seq for fault in found.faults):
        details = {"entries": found.count, "faults": len(found.faults)}
        append(settings, "ledger.checked", actor=actor, organisation=organisation, details=details)
    return found


@dataclass
class _Run:
    """Neighbours that were all moved by as many places."""

    first: int
    last: int
    shift: int

    @property
    def fault(self) -> Fault:
        kind = "reordered" if self.first == self.last else "moved"
        return Fault(kind, self.first, {"was": self.first + self.shift, "last": self.last})


class _Walk:
    """One pass through the entries; what it remembers does not grow with them."""

    def __init__(self, known: list[tuple[Head, str]]) -> None:
        self.known = known
        self.seq, self.hash, self.count = 0, FIRST_HASH, 0
        self.broken: list[Entry] = []
        self.inserted: set[int] = set()
        self.run: _Run | None = None
        self.was_changed = False
        self.found = 0

    def faults(self, session: orm.Session) -> Iterator[Fault]:
        for entry in _all(session):
            self.count += 1
            for fault in self._of(entry):
                self.found += 1
                if self.found <= MOST_FAULTS:
                    yield fault
            self.seq, self.hash = entry.seq, entry.hash
        yield from self._end_of_run()
        yield from self._of_broken()

    def _of(self, entry: Entry) -> Iterator[Fault]:
        is_next = entry.seq == self.seq + 1
        if not is_next:
            missing = entry.seq - 1
            kind = "removed" if missing > self.seq + 1 else "removed_one"
            yield Fault(kind, self.seq + 1, {"last": missing})
        is_changed = hash_of(entry) != entry.hash
        if is_changed:
            yield from self._of_changed(entry)
        else:
            yield from self._end_of_run()
            if is_next and entry.previous_hash != self.hash and not self.was_changed:
                yield Fault("replaced", entry.seq)
        self.was_changed = is_changed
        others = [w for kept, w in self.known if kept.seq == entry.seq and kept.hash != entry.hash]
        if others:
            yield Fault("rewritten", entry.seq, {"where": ", ".join(others)})

    def _of_changed(self, entry: Entry) -> Iterator[Fault]:
        """An entry without its hash: moved with its neighbours, or looked at again at the end."""
        shifts = ([self.run.shift] if self.run else []) + [-1, 1]
        moved = (s for s in shifts if hash_of(entry, seq=entry.seq + s) == entry.hash)
        shift = next(moved, None)
        if shift is None:
            yield from self._end_of_run()
            if len(self.broken) < MOST_COMPARED:
                self.broken.append(entry)
            else:
                yield Fault("altered", entry.seq)
        elif self.run and self.run.shift == shift and self.run.last == entry.seq - 1:
            self.run.last = entry.seq
        else:
            yield from self._end_of_run()
            self.run = _Run(entry.seq, entry.seq, shift)
            if shift == -1 and self._is_broken(entry.seq - 1):
                self.inserted.add(entry.seq - 1)

    def _end_of_run(self) -> Iterator[Fault]:
        if self.run:
            yield self.run.fault
        self.run = None

    def _is_broken(self, seq: int) -> bool:
        return bool(self.broken) and self.broken[-1].seq == seq

    def _of_broken(self) -> Iterator[Fault]:
        """Entries moved to each other's places, inserted, or altered."""
        seqs = [entry.seq for entry in self.broken]
        for entry in self.broken:
            was = next((seq for seq in seqs if hash_of(entry, seq=seq) == entry.hash), None)
            if was is not None:
                yield Fault("reordered", entry.seq, {"was": was})
            else:
                yield Fault("inserted" if entry.seq in self.inserted else "altered", entry.seq)


def _all(session: orm.Session) -> Iterator[Entry]:
    chosen = sa.select(LedgerEntry).order_by(LedgerEntry.seq)
    for row in session.scalars(chosen.execution_options(yield_per=AT_ONCE)):
        session.expunge(row)
        yield as_entry(row)


def _of_heads(
    settings: Settings, kept: Head | None, head: Head | None, walk: _Walk
) -> Iterator[Fault]:
    """Compare the end that was reached with what the two heads and the anchor say it is."""
    reached = max((kept.seq for kept, _where in walk.known), default=0)
    if reached > walk.seq:
        yield Fault("cut_off", walk.seq + 1, {"last": reached})
    if head is None:
        yield Fault("head_missing", 0, {"where": "ledger_head"})
    elif head.seq and not is_ours(settings, head):
        yield Fault("head_forged", head.seq, {"where": "ledger_head"})
    elif head.seq < walk.seq:
        yield Fault("added", head.seq + 1)
    if kept is None and walk.count:
        yield Fault("head_missing", 0, {"where": "ledger.head"})
    elif kept and not is_ours(settings, kept):
        yield Fault("head_forged", kept.seq, {"where": "ledger.head"})
