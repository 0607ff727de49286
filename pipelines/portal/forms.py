"""What a person typed: read field by field, kept as typed, each fault said beside its field."""

from __future__ import annotations

import datetime as dt
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field

from pipelines.portal.words import _, date, number

LONGEST_TEXT = 1000
YEARS = (1900, 2100)  # a day outside was mistyped, and calendars end somewhere


@dataclass
class Form:
    """Typed values and their faults. A page with a fault is shown again, with status 422."""

    values: dict[str, list[str]] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)

    @property
    def is_good(self) -> bool:
        """True while no fault was found."""
        return not self.errors

    def value(self, name: str, otherwise: str = "") -> str:
        """The first value as typed."""
        return next(iter(self.values.get(name, ())), otherwise)

    def many(self, name: str) -> list[str]:
        """All values as typed: of boxes that were ticked, of a list of which several were taken."""
        return self.values.get(name, [])

    def fail(self, name: str, message: str) -> None:
        """Say what is wrong with a field; the first fault of a field stands."""
        self.errors.setdefault(name, message)

    def text(self, name: str, *, required: bool = False, longest: int = LONGEST_TEXT) -> str:
        """One line of text, without blanks around it or characters that cannot be seen."""
        typed = self.value(name).strip()
        if required and not typed:
            self.fail(name, _("Fill in this field."))
        elif len(typed) > longest:
            self.fail(name, _("Use at most {count} characters.", count=number(longest)))
        elif any(unicodedata.category(sign) in ("Cc", "Cs") for sign in typed):
            self.fail(name, _("This holds a character that cannot be used here."))
        return typed if name not in self.errors else ""

    def choice(
        self, name: str, among: Iterable[str], *, required: bool = True, otherwise: str = ""
    ) -> str:
        """One of the values that the page offered."""
        typed = self.value(name, otherwise)
        if typed in set(among):
            return typed
        if typed or required:
            self.fail(name, _("Choose one of the list."))
        return ""

    def choices(
        self, name: str, among: Iterable[str], *, required: bool = False
    ) -> tuple[str, ...]:
        """Some of the values that the page offered, in the order of the page."""
        offered, typed = list(among), set(self.many(name)) - {""}
        if typed - set(offered):
            self.fail(name, _("Choose from the list."))
        elif required and not typed:
            self.fail(name, _("Choose at least one."))
        return tuple(one for one in offered if one in typed) if name not in self.errors else ()

    def date(self, name: str, *, required: bool = False) -> dt.date | None:
        """A day, as browsers send it (2026-02-03) or as people here write it (03/02/2026)."""
        typed = self.value(name).strip()
        if not typed:
            if required:
                self.fail(name, _("Fill in this field."))
            return None
        for pattern in ("%Y-%m-%d", "%d/%m/%Y", "%d.%m.%Y"):
            try:
                day = dt.datetime.strptime(typed, pattern).date()
            except ValueError:
                continue
            if YEARS[0] <= day.year <= YEARS[1]:
                return day
            first, last = map(str, YEARS)
            self.fail(name, _("Give a year from {first} to {last}.", first=first, last=last))
            return None
        self.fail(name, _("This is not a date. Write it like 2026-02-03."))
        return None

    def period(self, since: str, until: str) -> tuple[dt.date | None, dt.date | None]:
        """Two days, of which the first is not after the second."""
        first, last = self.date(since), self.date(until)
        if first and last and first > last:
            self.fail(until, _("This is before the start, {date}.", date=date(first)))
        return first, last

    def integer(
        self, name: str, *, least: int, most: int, otherwise: int | None = None
    ) -> int | None:
        """A whole number within bounds."""
        typed = self.value(name).strip()
        if not typed and otherwise is not None:
            return otherwise
        if typed.isascii() and typed.isdigit() and least <= int(typed[:18]) <= most:
            return int(typed)
        bounds = {"least": number(least), "most": number(most)}
        self.fail(name, _("Give a whole number from {least} to {most}.", **bounds))
        return None

    def ticked(self, name: str) -> bool:
        """True where a box was ticked."""
        return bool(self.value(name))


def blank(**values: str | Iterable[str]) -> Form:
    """A form that nobody has filled in yet, with what it proposes."""
    return Form({k: [v] if isinstance(v, str) else list(v) for k, v in values.items()})
