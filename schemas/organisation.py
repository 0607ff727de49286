"""The typed reader of the organisations and purposes that agreements name, and who is under whom.

Not here: what an organisation may receive (`schemas/agreements`) and people (`pipelines/accounts`).
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from functools import cache

from schemas.codelist import load_codelist
from schemas.text import Bilingual

EVERYBODY = "all"  # in a restriction only: every recipient there is


@dataclass(frozen=True)
class Organisation:
    """One organisation or a unit of one; `sources` are the services whose data it provides."""

    code: str
    parent: str
    label: Bilingual
    kind: str
    is_security_force: bool
    country: str
    mission: str
    sources: tuple[str, ...]
    valid_from: dt.date | None = None
    valid_to: dt.date | None = None


@dataclass(frozen=True)
class Purpose:
    """One reason for which data may be asked."""

    code: str
    label: Bilingual
    description: Bilingual


@cache
def organisations() -> dict[str, Organisation]:
    """Every organisation by its code, in the order of the list."""
    return {
        row["code"]: Organisation(
            code=row["code"],
            parent=row["parent"],
            label=Bilingual(en=row["label_en"], fr=row["label_fr"]),
            kind=row["kind"],
            is_security_force=row["is_security_force"] == "true",
            country=row["country"],
            mission=row["mission"],
            sources=tuple(filter(None, row["sources"].split("|"))),
            valid_from=_day(row["valid_from"]),
            valid_to=_day(row["valid_to"]),
        )
        for row in load_codelist("organisations")
    }


@cache
def purposes() -> dict[str, Purpose]:
    """Every purpose by its code, in the order of the list."""
    return {
        row["code"]: Purpose(
            code=row["code"],
            label=Bilingual(en=row["label_en"], fr=row["label_fr"]),
            description=Bilingual(en=row["description_en"], fr=row["description_fr"]),
        )
        for row in load_codelist("purposes")
    }


def lineage(code: str) -> tuple[str, ...]:
    """The organisation and those above it, nearest first; empty for one that is not listed."""
    listed, found = organisations(), []
    while code in listed and code not in found:
        found.append(code)
        code = listed[code].parent
    return tuple(found)


def units(code: str) -> tuple[str, ...]:
    """The organisation and everything under it, in the order of the list."""
    return tuple(one for one in organisations() if code in lineage(one))


def covers(named: str, recipient: str) -> bool:
    """Does naming one organisation mean the other too? A parent covers its units, never back."""
    return recipient in organisations() and (named == EVERYBODY or named in lineage(recipient))


def exists_on(code: str, day: dt.date) -> bool:
    """Is the organisation listed and valid on a day, and whatever it is a unit of too?"""
    return code in organisations() and all(
        (one.valid_from or day) <= day <= (one.valid_to or day)
        for one in (organisations()[above] for above in lineage(code))
    )


def is_security_force(code: str) -> bool:
    """True for a security force and for any unit of one."""
    return any(organisations()[one].is_security_force for one in lineage(code))


def is_public(code: str) -> bool:
    """True for everybody: what such a recipient is given, all know."""
    return any(organisations()[one].kind == "public" for one in lineage(code))


def sources_of(code: str) -> tuple[str, ...]:
    """The sources whose data the organisation or one of its units provides."""
    return tuple(dict.fromkeys(s for one in units(code) for s in organisations()[one].sources))


def _day(text: str) -> dt.date | None:
    return dt.date.fromisoformat(text) if text else None
