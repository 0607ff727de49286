"""One table as its contract describes it: its columns, its rules, and what is computed for them.

Not here: the files that say so (`declared.py`) and how they are put together (`contract.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import chain
from typing import Any, Literal

from schemas.roles import Roles
from schemas.text import Bilingual

Kind = Literal["data", "reference", "log"]
FilledBy = Literal["feed", "derive", "reader", "lake", "input"]
Severity = Literal["error", "warning"]
# What a cell gives away beyond its own meaning, so that whoever hands it on coarsens it as agreed.
# A place: point, admin2, admin1; how well a place or a time is known: area_precision,
# time_precision. A moment: time, and its words: time_text. An age: age_exact, age_group. Words that
# may hold anything: free_text; words that a crosswalk bounds: own_words. What follows one person or
# thing from row to row: token. A number that the source built from its station, date or order of
# rows: record_key.
Coarsen = Literal[
    "",
    "point",
    "admin2",
    "admin1",
    "area_precision",
    "time",
    "time_text",
    "time_precision",
    "age_exact",
    "age_group",
    "free_text",
    "own_words",
    "token",
    "record_key",
]


@dataclass(frozen=True)
class LookUp:
    """What the code list of another column says: one attribute, or one by side of a border.

    `sides` are pairs of attributes: a country, and what holds on its side.
    """

    column: str
    attribute: str = ""
    sides: tuple[tuple[str, str], ...] = ()

    @property
    def attributes(self) -> tuple[str, ...]:
        """What is read of the code list."""
        return (self.attribute,) if self.attribute else tuple(chain(*self.sides))


@dataclass(frozen=True)
class Level:
    """A level of a classification, told by the first characters of a code."""

    name: str
    characters: int
    label: Bilingual


@dataclass(frozen=True)
class Column:
    """One property of a contract: what a cell holds, for machines and for people."""

    name: str
    logical_type: str
    duckdb_type: str
    is_required: bool
    label: Bilingual
    description: Bilingual
    hxl: str = ""
    classification: str = ""
    examples: tuple[Any, ...] = ()
    unit: str = ""
    codelist: str = ""
    filled_by: FilledBy = "feed"
    derive: str = ""
    withheld_when: str = ""
    is_quasi_identifier: bool = False
    coarsen: Coarsen = ""
    # The columns that this one tells something of; None where the contract does not say.
    reveals: tuple[str, ...] | None = None
    day_of: str = ""  # the moment of which this is the local day
    day: str = ""  # of a moment, the column that holds its local day
    precision: str = ""  # the column that tells how exactly the day is known
    known_to: str = ""  # or the code of `time_precisions` by which every row knows it
    levels: tuple[Level, ...] = ()  # of its codes, the coarsest first
    look_ups: tuple[LookUp, ...] = ()  # that fill it where the source does not, in this order
    is_content: bool = True  # False: it only says how a record came to us
    is_primary_key: bool = False

    @property
    def is_published(self) -> bool:
        """False for inputs: values that a feed may map and that no table ever holds."""
        return self.filled_by != "input"

    @property
    def unread(self) -> str:
        """The column that keeps the source text where it yielded no value."""
        return f"{self.name}__unread"

    @property
    def is_never_kept(self) -> bool:
        """True for the strictest handling: not even a text that yielded no value is kept."""
        return self.classification == "STRICTLY_CONFIDENTIAL"

    @property
    def is_plain_text(self) -> bool:
        """True where any text is a valid value, so nothing can be left unread."""
        return self.duckdb_type == "VARCHAR" and not self.codelist and self.filled_by != "input"

    @property
    def is_numeric(self) -> bool:
        """True for quantities, dates and times, and for a position, which is made of figures."""
        return self.duckdb_type not in ("VARCHAR", "BOOLEAN") or (
            self.filled_by == "input" and self.coarsen == "point"
        )


@dataclass(frozen=True)
class Rule:
    """One quality rule: its stable code, its words, and the expectation that judges it."""

    code: str
    name: str
    severity: Severity
    dimension: str
    column: str
    expectation: str
    kwargs: dict[str, Any] = field(hash=False)
    message: Bilingual
    explanation: Bilingual
    correction: Bilingual
    is_about_row: bool = True  # False: about a file as a whole
    # Judged by the lake: of these columns, or columns that count together, a correction keeps one.
    identity: tuple[tuple[str, ...], ...] = ()
    # What it was made from: a template of rule_templates.yaml and what the table told it. How a
    # rule came about is no part of what it says, so it stays out of the fingerprint.
    template: str = field(default="", repr=False)
    parameters: Mapping[str, Any] = field(default_factory=dict, repr=False, hash=False)


@dataclass(frozen=True)
class Fact:
    """A value computed across the rows of one delivery, for rules that compare records.

    Besides typed columns it may name `same_content_rows`: how many rows of the delivery have the
    same text in every mapped column but the record's own number.
    """

    name: str
    sql: str

    @property
    def compares_rows(self) -> bool:
        """True for a window over the delivery, which every row must be present for."""
        return " OVER " in self.sql


@dataclass(frozen=True)
class Question:
    """A question about the table to start from, in SQL; `{lang}` stands for a language.

    `columns` are those of the table that it names.
    """

    name: str
    title: Bilingual
    sql: str
    columns: tuple[str, ...]


@dataclass(frozen=True)
class Helper:
    """A private column that rules may use.

    An attribute of a code, a geofence answer, or `starts`: the first day of the feed's period.
    """

    name: str
    codelist: str = ""
    column: str = ""
    attribute: str = ""
    type: str = "VARCHAR"
    geofence: Literal["", "country", "admin1"] = ""
    feed: Literal["", "starts"] = ""


@dataclass(frozen=True)
class Contract:
    """One table: its columns in order, its rules by code, and what is computed to judge it.

    `rules` are judged by what a delivery says; `lake_rules` need the other deliveries too.
    """

    table: str
    kind: Kind
    version: str
    title: Bilingual
    description: Bilingual
    grain: Bilingual  # what a row is
    purpose: str
    usage: Bilingual
    limitations: Bilingual
    columns: tuple[Column, ...]
    rules: tuple[Rule, ...]
    facts: tuple[Fact, ...]
    helpers: tuple[Helper, ...]
    lake_rules: tuple[Rule, ...]
    codes: str = ""  # what the codes of its rules begin with
    roles: Roles = field(default_factory=Roles)  # what its columns are for
    questions: tuple[Question, ...] = ()

    @cached_property
    def fingerprint(self) -> str:
        """Everything that the contract says, as text: it differs where anything does."""
        return repr(self)

    def column(self, name: str) -> Column:
        """The column of that name. Raises KeyError."""
        return {column.name: column for column in self.columns}[name]

    @property
    def published(self) -> tuple[Column, ...]:
        """The columns that the lake holds, in order."""
        return tuple(column for column in self.columns if column.is_published)

    @property
    def days(self) -> dict[str, Column]:
        """By each moment, the column that holds its local day."""
        return {column.day_of: column for column in self.columns if column.day_of}

    @property
    def event_day(self) -> str | None:
        """The column of the local day of what happened; None where no row tells when."""
        moment = self.roles.event_time
        return self.days[moment].name if moment in self.days else moment

    def look_ups(self, column: str | None) -> tuple[LookUp, ...]:
        """How a column is filled from others; none for one that the table lacks."""
        return self.column(column).look_ups if column else ()

    @property
    def hierarchy(self) -> Column | None:
        """The column whose classification has levels, each of which can be told alone; or None."""
        kind = self.roles.classification
        return self.column(kind) if kind and self.column(kind).levels else None

    @property
    def levels(self) -> dict[str, Level]:
        """By name, the levels of that column, the coarsest first."""
        return {one.name: one for one in (self.hierarchy.levels if self.hierarchy else ())}

    @property
    def variables(self) -> dict[str, Column]:
        """By name, all that a row can say: its columns, and the levels as columns."""
        found = {column.name: column for column in self.published}
        if kind := self.hierarchy:
            for one in kind.levels:
                found[one.name] = replace(
                    kind, name=one.name, label=one.label, description=one.label, levels=()
                )
        return found

    def columns_filled_by(self, *who: FilledBy) -> tuple[Column, ...]:
        """The columns that `who` fills, in order."""
        return tuple(column for column in self.columns if column.filled_by in who)

    def rule(self, code: str) -> Rule:
        """The rule of that code. Raises KeyError."""
        return {rule.code: rule for rule in (*self.rules, *self.lake_rules)}[code]
