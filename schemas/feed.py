"""The typed reader of the feeds (`schemas/feeds/<feed>/feed.yaml`): layout and mapping.

Not here: reading a delivery (`pipelines/landing`), compiling a mapping (`pipelines/harmonise`).
"""

from __future__ import annotations

import datetime as dt
import re
from functools import cache
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from schemas.text import FOLDER, Bilingual, Language, read_csv, read_yaml

FEEDS_FOLDER = FOLDER / "feeds"

Format = Literal["csv", "xlsx", "json", "ndjson", "geojson"]
Notation = Literal["decimal", "dms", "utm", "mgrs"]
# What a delivery is: what the source's book says as of a day, or a later statement about some rows
Statement = Literal["register", "correction"]
Correction = Literal["source_revision", "withdrawal"]


class _Declared(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Layout(_Declared):
    """How one delivery file of the feed is laid out."""

    format: Format
    name: str = "*"
    encoding: str = "utf-8"
    delimiter: str = ","
    quote: str = '"'
    header_rows: tuple[int, ...] = (1,)
    sheets: str = ".*"
    with_sheet_column: bool = False
    records: str = "$"
    hxl_row: Literal["never", "optional"] = "never"
    # What merged cells below the headings mean: their value for every row that they span, or
    # nothing certain, so that the rows after the first are set aside.
    merged_cells: Literal["refuse", "fill"] = "refuse"


class SkipRows(_Declared):
    """Rows that are part of the layout, not data: totals, signatures, repeated headings."""

    column: str
    matches: str


class Mapping(_Declared):
    """How one target column is filled: from source columns, or with one fixed value."""

    source: tuple[str, ...] = Field(default=(), alias="from")
    value: str | int | float | bool | None = None
    join: str = " "
    crosswalk: str = ""
    formats: tuple[str, ...] = ()
    time_zone: str = ""
    notation: Notation = "decimal"
    pattern: str = ""
    decimal: str = ""
    thousands: str = ""
    optional: bool = False  # older files, or some of them, do not have its source columns

    @field_validator("source", mode="before")
    @classmethod
    def _as_tuple(cls, value: Any) -> Any:
        return (value,) if isinstance(value, str) else value

    @model_validator(mode="after")
    def _one_origin(self) -> Mapping:
        if bool(self.source) == (self.value is not None):
            raise ValueError("say either 'from' (source columns) or 'value' (one fixed value)")
        if self.optional and not self.source:
            raise ValueError("only what comes 'from' source columns can be optional")
        return self


class AsOf(_Declared):
    """Where a delivery says as of which day it speaks: its name, a cell above the table, a column.

    `name` and `title` are regular expressions whose groups, joined by a space, are the text of the
    date; `formats` say how it is written. Month names are read in the feed's language and in
    English. A month or a year stands for its last day.
    """

    name: str = ""
    title: str = ""
    column: str = ""
    formats: tuple[str, ...]

    @model_validator(mode="after")
    def _one_place(self) -> AsOf:
        if sum(map(bool, (self.name, self.title, self.column))) != 1:
            raise ValueError("say one of 'name', 'title' and 'column'")
        for pattern in filter(None, (self.name, self.title)):
            try:
                groups = re.compile(pattern).groups
            except re.error as error:
                raise ValueError(f"{pattern!r} is no regular expression: {error}") from None
            if not groups:
                raise ValueError(f"{pattern!r} has no group (…) for the date")
        if not self.formats or not all(_has_year(form) for form in self.formats):
            raise ValueError("every format of 'as_of' must have a year (%Y or %y)")
        return self


def _has_year(form: str) -> bool:
    return "%Y" in form or "%y" in form


class Feed(_Declared):
    """One source's dataset: who sends what, how it is laid out, what each column becomes."""

    feed: str
    version: str
    table: str
    source: str
    status: Literal["illustrative", "official", "public"]
    title: Bilingual
    language: Language
    handling: str
    expected_every_days: int
    deliveries: Statement | None = None  # not said: asked where it decides which version stands
    corrections: tuple[Correction, ...] = ()  # a row in which one of these says something is one
    as_of: AsOf | None = None  # not said: the latest plausible date among the accepted rows
    starts: dt.date | None = None  # nothing that it reports on is older
    licence: str = ""
    citation: str = ""
    notes: Bilingual | None = None
    file: tuple[Layout, ...]
    blank: tuple[str, ...] = ("",)
    skip_rows: tuple[SkipRows, ...] = ()
    decimal: str = "."
    thousands: str = ""
    dates: tuple[str, ...] = ()
    map: dict[str, Mapping]
    ignore: dict[str, Bilingual] = {}
    no_counterexample: dict[str, Bilingual] = {}  # rule family (`6xx`) → why none can be given
    folder: Path = Field(default=Path(), exclude=True)

    @model_validator(mode="after")
    def _corrections_are_mapped(self) -> Feed:
        if unmapped := [column for column in self.corrections if column not in self.map]:
            raise ValueError(f"'corrections' names what is not mapped: {', '.join(unmapped)}")
        return self

    @field_validator("file", mode="before")
    @classmethod
    def _as_list(cls, value: Any) -> Any:
        return [value] if isinstance(value, dict) else value

    @property
    def mapped_columns(self) -> tuple[str, ...]:
        """The source columns that are read, each once, in the order of the mapping."""
        read = [column for mapping in self.map.values() for column in mapping.source]
        read += [self.as_of.column] if self.as_of and self.as_of.column else []
        return tuple(dict.fromkeys(read))

    @property
    def optional_columns(self) -> frozenset[str]:
        """The source columns that a file may lack: all that they fill is optional."""
        needed = {
            c for mapping in self.map.values() if not mapping.optional for c in mapping.source
        }
        if self.as_of:
            needed.add(self.as_of.column)
        return frozenset(self.mapped_columns) - needed

    def crosswalk(self, name: str) -> list[dict[str, str]]:
        """The rows (`source_value`, `code`, …) of one of this feed's crosswalks."""
        return read_csv(self.folder / "crosswalks" / f"{name}.csv")

    def examples(self) -> list[Path]:
        """Deliveries that must pass without a rejection."""
        return _files(self.folder / "examples")

    def counterexamples(self) -> dict[Path, str]:
        """Deliveries that must raise the code that begins their file name."""
        return {p: p.stem.split("_")[0] for p in _files(self.folder / "counterexamples")}


def feed_names(folder: Path = FEEDS_FOLDER) -> list[str]:
    """The declared feeds, by name."""
    return sorted(path.parent.name for path in folder.glob("*/feed.yaml"))


def load_feed(feed: str | Path) -> Feed:
    """A feed by its name or by its folder.

    Raises KeyError for a feed that is not declared, FeedDeclarationError for a file that does not
    say what a feed must say (the sentence names the field).
    """
    folder = FEEDS_FOLDER / feed if isinstance(feed, str) else feed
    if not (folder / "feed.yaml").is_file():
        raise KeyError(str(feed))
    return _load(folder.resolve(), (folder / "feed.yaml").stat().st_mtime_ns)


class FeedDeclarationError(ValueError):
    """A feed.yaml that cannot be used; each line of the message names a field and what is wrong."""


@cache
def _load(folder: Path, _changed_ns: int) -> Feed:
    raw = read_yaml(folder / "feed.yaml")
    try:
        feed = Feed.model_validate({**raw, "folder": folder})
    except ValidationError as error:
        lines = [f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors()]
        raise FeedDeclarationError(f"{folder.name}/feed.yaml\n" + "\n".join(lines)) from None
    return feed


def _files(folder: Path) -> list[Path]:
    return sorted(p for p in folder.glob("*") if p.is_file() and not p.name.startswith("."))
