"""The profile of a feed in the demonstration: the habits of its service, which feed.yaml omits.

What a file must look like is in feed.yaml, and `cells.py` reads that backwards. A profile says what
is left to the sender: which events it tells and how exactly, how it numbers its records, which of
several forms of a date it types, and what goes wrong there. All are in `profiles.yaml`.
"""

from __future__ import annotations

import datetime as dt
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict

PROFILES = Path(__file__).parent / "profiles.yaml"


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Shipment(_Model):
    """A file that is sent: its name, and when it arrives, in UTC."""

    file: str
    received: dt.datetime


class Archive(_Model):
    """Older records, sent once before all others, and their own forms of dates."""

    shipment: Shipment
    records: dict[str, Any]
    cells: dict[str, str]
    formats: dict[str, tuple[str, ...]] = {}


class Profile(_Model):
    """The habits of one service.

    `records` are what the composition of its table takes. `cells` are source columns that no
    column of the table tells: their text, with `{column}` of the record. Of the first shipment are
    all records, or those reported before `until`; of the second the others, and the corrections.
    """

    shipments: tuple[Shipment, Shipment]
    until: dt.date | None = None
    archive: Archive | None = None
    first_revision: int = 1
    correction: dict[str, str] = {}  # column → SQL of what a correction changes of a record
    records: dict[str, Any] = {}
    cells: dict[str, str] = {}
    order_by: str = "feed"  # the column within whose values `{order}` counts

    # What goes wrong: percent of the rows by rule, and where it goes wrong more often.
    faults: dict[str, float]
    weak_post: dict[str, str] = {}

    # How the service types what the feed lets it type in several ways.
    words: dict[str, dict[str, tuple[str | None, ...]]] = {}  # column → code → words
    codes: frozenset[str] = frozenset()  # columns of which it writes the codes, not words
    labels: tuple[str, ...] = ()  # languages of its words; none: that of the feed
    formats: dict[str, tuple[str, ...]] = {}  # of dates, where it does not use the first
    mixed: frozenset[str] = frozenset()  # dates of which it uses every form
    day_only: frozenset[str] = frozenset()  # moments of which it never tells the hour
    in_utc: frozenset[str] = frozenset()  # moments with an offset that it writes by UTC
    as_dates: dict[str, float] = {}  # share that a workbook knows as dates; the others are text
    as_text: frozenset[str] = frozenset()  # numbers that it writes as text where others do not
    digits: dict[str, int] = {}  # decimals of a number, other than 5

    # What stands around the rows.
    line_ending: str = "\n"
    titles: tuple[str, ...] = ()  # lines above the header; `{sheet}` is the sheet's name
    foot: tuple[str, ...] = ()  # a row below the last; `{rows}` is their number
    sheet: str = ""  # the name of a row's sheet, with `{column}` of the record
    notice: str = ""  # a last sheet that holds no rows
    envelope: dict[str, Any] = {}  # the members of a JSON document beside its records


@cache
def load_profiles() -> dict[str, Profile]:
    """By feed, in the order in which the demonstration writes them."""
    declared = yaml.safe_load(PROFILES.read_text("utf-8"))
    return {feed: Profile.model_validate(one) for feed, one in declared.items()}


def load_profile(feed: str) -> Profile:
    """The profile of a feed. Raises KeyError for a feed that the demonstration does not write."""
    return load_profiles()[feed]
