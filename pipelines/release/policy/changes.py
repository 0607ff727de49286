"""Two versions of the agreements compared: what widened, what narrowed, what merely changed.

Not here: what an agreement opens on a day (`permits.py`, `explain.py`).

A change that could let more leave counts as widened, even where another clause opens it already.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from pipelines.core.i18n import mark, translator
from pipelines.release.policy import wording
from schemas import organisation
from schemas.agreement import (
    AGES,
    AREAS,
    HANDLING_LEVELS,
    TIMES,
    Agreement,
    Conditions,
    Permit,
    Restriction,
)
from schemas.text import Language, in_words

Direction = Literal["wider", "narrower", "changed"]

ADDED = mark("{what} gained: {values}")
REMOVED = mark("{what} lost: {values}")
BECAME = mark("{what}: was {old}, is {new}")
LIMITED = mark("{what}: was without limit, is now {values}")
UNLIMITED = mark("{what}: was {values}, is now without limit")
NEW_AGREEMENT = mark("a new agreement: {title}")
GONE_AGREEMENT = mark("the agreement is gone: {title}")
NEW_CLAUSE = mark("a new clause: {summary}")
GONE_CLAUSE = mark("the clause is gone: {summary}")
SAME_VERSION = mark("the text changed and the version is still {version}")
REWORDED = mark("{what}: worded differently")
NEW_STANDING = mark("standing extracts changed: {values}")

KEYS = {
    "valid_from": mark("the first day"),
    "valid_until": mark("the last day"),
    "status": mark("the status"),
    "signed_on": mark("the day of signature"),
    "title": mark("the title"),
    "legal_reference": mark("the legal reference"),
    "parties": mark("the list of parties"),
    "table": mark("the table"),
    "form": mark("the form"),
    "providers": mark("the list of providers"),
    "recipients": mark("the list of recipients"),
    "purposes": mark("the list of purposes"),
    "columns": mark("the list of columns"),
    "dimensions": mark("the list of dimensions"),
    "measures": mark("the list of measures"),
    "rows.countries": mark("the list of countries"),
    "rows.areas": mark("the list of areas"),
    "rows.border_points": mark("the list of crossing points"),
    "rows.offences": mark("the list of offences"),
    "rows.except_offences": mark("the list of excepted offences"),
    "rows.since": mark("the first day of the rows"),
    "rows.until": mark("the last day of the rows"),
    "rows.handling_ceiling": mark("the handling ceiling"),
    "rows.sensitive": mark("whether sensitive rows leave"),
    "rows.handling_at_least": mark("the lowest handling that is held back"),
    "rows.only_sensitive": mark("whether only sensitive rows are held back"),
    "precision.area": mark("the precision of places"),
    "precision.time": mark("the precision of times"),
    "precision.age": mark("the precision of ages"),
    "delay_days": mark("the delay in days"),
    "small_cell_threshold": mark("the smallest cell that is shown"),
    "smallest_group": mark("the smallest group of records alike"),
    "onward.allowed": mark("whether it may be handed on"),
    "onward.consent": mark("whose consent handing on needs"),
    "due_diligence": mark("the human-rights review"),
    "due_diligence.valid_until": mark("the last day of the human-rights review"),
    "due_diligence.reviewed_on": mark("the day of the human-rights review"),
    "due_diligence.reference": mark("the reference of the human-rights review"),
    "summary": mark("the summary"),
    "reason": mark("the reason"),
}
NAMES: dict[str, Callable[[Any, Language], list[str]]] = {
    "parties": wording.organisation_names,
    "recipients": wording.organisation_names,
    "providers": wording.source_names,
    "purposes": wording.purpose_names,
}


@dataclass(frozen=True)
class Change:
    """One difference: which way it goes, where, and its sentence."""

    direction: Direction
    where: str  # an agreement, or the full name of a clause
    sentence: str
    values: Mapping[str, Any] = field(default_factory=dict, hash=False)

    def text(self, language: Language) -> str:
        """What changed, in words."""
        _ = translator(language)
        values = {name: in_words(value, language) for name, value in self.values.items()}
        if key := self.values.get("what"):
            values["what"] = f"{_(KEYS[key])} ({key})"
            if key in NAMES:
                values["values"] = ", ".join(NAMES[key](self.values["values"], language))
        text = _(self.sentence, **values)
        return text[:1].upper() + text[1:]


def diff(old: Sequence[Agreement], new: Sequence[Agreement]) -> list[Change]:
    """Every difference between two sets of agreements, by agreement and clause."""
    before = {one.agreement: one for one in old}
    after = {one.agreement: one for one in new}
    found: list[Change] = []
    for name in dict.fromkeys([*before, *after]):
        if name not in after:
            found += _whole(before[name], "narrower", GONE_AGREEMENT)
        elif name not in before:
            found += _whole(after[name], "wider", NEW_AGREEMENT)
        else:
            found += _agreement(before[name], after[name])
    return found


def is_wider(changes: Sequence[Change]) -> bool:
    """Could anything leave that could not before?"""
    return any(change.direction == "wider" for change in changes)


def _whole(agreement: Agreement, direction: Direction, sentence: str) -> Iterator[Change]:
    """An agreement that came or went. Without permits it opened nothing; its restrictions did."""
    values = {"title": agreement.title}
    way: Direction = direction if agreement.permits else "changed"
    yield Change(way, agreement.agreement, sentence, values)
    mine = agreement.restrictions
    yield from _clauses(*((), mine) if direction == "wider" else (mine, ()), reverse=True)


def _agreement(old: Agreement, new: Agreement) -> Iterator[Change]:
    name, found = new.agreement, _Found(new.agreement)
    found.ordered("valid_from", old.valid_from, new.valid_from, more_is_wider=False)
    found.ordered("valid_until", old.valid_until, new.valid_until)
    found.same("status", old.status, new.status)
    found.same("signed_on", old.signed_on, new.signed_on)
    for key in ("title", "legal_reference"):
        if getattr(old, key) != getattr(new, key):
            found.add("changed", REWORDED, what=key)
    found.named("parties", old.parties, new.parties, is_neutral=True)
    yield from found.changes
    yield from _clauses(old.permits, new.permits)
    yield from _clauses(old.restrictions, new.restrictions, reverse=True)
    if old.standing != new.standing:
        before, after = ({one.name: one for one in side.standing} for side in (old, new))
        names = [n for n in dict.fromkeys([*before, *after]) if before.get(n) != after.get(n)]
        yield Change("changed", name, NEW_STANDING, {"values": names})
    if old.version == new.version and old != new:
        yield Change("changed", name, SAME_VERSION, {"version": new.version})


def _clauses(
    old: Sequence[Permit] | Sequence[Restriction],
    new: Sequence[Permit] | Sequence[Restriction],
    *,
    reverse: bool = False,
) -> Iterator[Change]:
    """The clauses of one agreement; a restriction that comes narrows (`reverse`)."""
    before, after = ({one.clause: one for one in side} for side in (old, new))
    for clause in dict.fromkeys([*before, *after]):
        one, other = before.get(clause), after.get(clause)
        if one is None or other is None:
            there = other or one
            assert there is not None  # noqa: S101
            is_wider_now = (one is None) != reverse
            words = there.reason if isinstance(there, Restriction) else there.summary
            sentence = NEW_CLAUSE if one is None else GONE_CLAUSE
            way: Direction = "wider" if is_wider_now else "narrower"
            yield Change(way, there.full_name, sentence, {"summary": words})
        elif isinstance(one, Permit) and isinstance(other, Permit):
            yield from _permit(one, other)
        elif isinstance(one, Restriction) and isinstance(other, Restriction):
            yield from _restriction(one, other)


def _permit(old: Permit, new: Permit) -> list[Change]:
    found = _Found(new.full_name)
    for key in ("table", "form"):
        found.both(key, getattr(old, key), getattr(new, key))
    for key in ("providers", "purposes", "columns", "dimensions", "measures"):
        found.named(key, getattr(old, key), getattr(new, key))
    found.limit("recipients", old.recipients, new.recipients, covers=_covers)
    _conditions(found, old.rows, new.rows)
    ceilings = (HANDLING_LEVELS.index(one.rows.handling_ceiling) for one in (old, new))
    found.ordered("rows.handling_ceiling", *ceilings, shown=HANDLING_LEVELS.__getitem__)
    found.ordered("rows.sensitive", old.rows.sensitive, new.rows.sensitive)
    for key, order in (("area", AREAS), ("time", TIMES), ("age", AGES)):
        places = (order.index(getattr(one.precision, key)) for one in (old, new))
        found.ordered(f"precision.{key}", *places, shown=order.__getitem__)
    for key in ("delay_days", "small_cell_threshold", "smallest_group"):
        least = (getattr(one, key) or 0 for one in (old, new))
        found.ordered(key, *least, more_is_wider=False)
    found.ordered("onward.allowed", old.onward.allowed, new.onward.allowed)
    if old.onward.consent != new.onward.consent:
        way: Direction = "wider" if new.onward.consent == "not_needed" else "narrower"
        values = {"what": "onward.consent", "old": old.onward.consent, "new": new.onward.consent}
        found.add(way, BECAME, **values)
    _due_diligence(found, old, new)
    if old.summary != new.summary:
        found.add("changed", REWORDED, what="summary")
    return found.changes


def _due_diligence(found: _Found, old: Permit, new: Permit) -> None:
    """A review opens a clause to a security force, and closes it with its last day."""
    one, other = old.due_diligence, new.due_diligence
    if one is None and other is not None:
        found.add("wider", ADDED, what="due_diligence", values=other.reference)
    elif one is not None and other is None:
        found.add("narrower", REMOVED, what="due_diligence", values=one.reference)
    elif one is not None and other is not None:
        found.ordered("due_diligence.valid_until", one.valid_until, other.valid_until)
        first = (one.reviewed_on, other.reviewed_on)
        found.ordered("due_diligence.reviewed_on", *first, more_is_wider=False)
        found.same("due_diligence.reference", one.reference, other.reference)


def _restriction(old: Restriction, new: Restriction) -> list[Change]:
    """Everything the other way round: the more a restriction names, the less leaves."""
    found = _Found(new.full_name, reverse=True)
    found.both("table", old.table, new.table)
    found.named("providers", old.providers, new.providers)
    found.limit("recipients", old.recipients, new.recipients, covers=_covers)
    found.limit("columns", old.columns, new.columns)
    _conditions(found, old.rows, new.rows)
    levels = (_rank(one.rows.handling_at_least) for one in (old, new))
    found.ordered("rows.handling_at_least", *levels, more_is_wider=False, shown=_level)
    only = (one.rows.only_sensitive for one in (old, new))
    found.ordered("rows.only_sensitive", *only, more_is_wider=False)
    if old.reason != new.reason:
        found.add("changed", REWORDED, what="reason")
    return found.changes


def _rank(level: str | None) -> int:
    return HANDLING_LEVELS.index(level) if level else -1


def _level(rank: int) -> str:
    return HANDLING_LEVELS[rank] if rank >= 0 else "–"


def _conditions(found: _Found, old: Conditions, new: Conditions) -> None:
    for key in ("countries", "areas", "border_points"):
        found.limit(f"rows.{key}", getattr(old, key), getattr(new, key))
    found.limit("rows.offences", old.offences, new.offences, covers=_begins)
    # Each one that is excepted holds rows back: naming more of them narrows.
    before, after = old.except_offences, new.except_offences
    if extra := [code for code in after if not any(_begins(one, code) for one in before)]:
        found.add("narrower", ADDED, what="rows.except_offences", values=extra)
    if lost := [code for code in before if not any(_begins(one, code) for one in after)]:
        found.add("wider", REMOVED, what="rows.except_offences", values=lost)
    found.bound("rows.since", old.since, new.since, later_is_wider=False)
    found.bound("rows.until", old.until, new.until, later_is_wider=True)


def _covers(wide: str, narrow: str) -> bool:
    return wide == narrow or organisation.covers(wide, narrow)


def _begins(wide: str, narrow: str) -> bool:
    return narrow.startswith(wide)


def _equals(wide: str, narrow: str) -> bool:
    return wide == narrow


class _Found:
    """The changes of one clause, gathered; in a restriction (`reverse`) more rows is narrower."""

    def __init__(self, where: str, *, reverse: bool = False) -> None:
        self.where, self.reverse = where, reverse
        self.changes: list[Change] = []

    def add(self, direction: Direction, sentence: str, **values: Any) -> None:
        turned: dict[Direction, Direction] = {
            "wider": "narrower",
            "narrower": "wider",
            "changed": "changed",
        }
        way = turned[direction] if self.reverse else direction
        self.changes.append(Change(way, self.where, sentence, values))

    def same(self, what: str, old: Any, new: Any) -> None:
        """A value that opens and closes nothing."""
        if old != new:
            self.add("changed", BECAME, what=what, old=old, new=new)

    def both(self, what: str, old: Any, new: Any) -> None:
        """A value whose change opens one thing and closes another."""
        if old != new:
            self.add("wider", BECAME, what=what, old=old, new=new)
            self.add("narrower", BECAME, what=what, old=old, new=new)

    def named(
        self, what: str, old: Sequence[str], new: Sequence[str], *, is_neutral: bool = False
    ) -> None:
        """A list where each name opens something and none opens nothing."""
        added = [one for one in new if one not in old]
        removed = [one for one in old if one not in new]
        if added:
            self.add("changed" if is_neutral else "wider", ADDED, what=what, values=added)
        if removed:
            self.add("changed" if is_neutral else "narrower", REMOVED, what=what, values=removed)

    def limit(
        self,
        what: str,
        old: Sequence[str],
        new: Sequence[str],
        *,
        covers: Callable[[str, str], bool] = _equals,
    ) -> None:
        """A list that limits: none is everything."""
        if bool(old) != bool(new):
            sentence = LIMITED if new else UNLIMITED
            self.add("narrower" if new else "wider", sentence, what=what, values=new or old)
            return
        added = [one for one in new if not any(covers(wide, one) for wide in old)]
        removed = [one for one in old if not any(covers(wide, one) for wide in new)]
        if added:
            self.add("wider", ADDED, what=what, values=added)
        if removed:
            self.add("narrower", REMOVED, what=what, values=removed)

    def ordered(
        self,
        what: str,
        old: Any,
        new: Any,
        *,
        more_is_wider: bool = True,
        shown: Callable[[Any], Any] = lambda value: value,
    ) -> None:
        """A value on a scale."""
        if old != new:
            way: Direction = "wider" if (new > old) == more_is_wider else "narrower"
            self.add(way, BECAME, what=what, old=shown(old), new=shown(new))

    def bound(self, what: str, old: Any, new: Any, *, later_is_wider: bool) -> None:
        """A first or a last day; without one there is no limit."""
        if old is not None and new is not None:
            self.ordered(what, old, new, more_is_wider=later_is_wider)
        elif old != new:
            sentence = UNLIMITED if new is None else LIMITED
            self.add("wider" if new is None else "narrower", sentence, what=what, values=new or old)
