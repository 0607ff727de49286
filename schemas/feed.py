"""The typed reader of the feeds (`schemas/feeds/<feed>/feed.yaml`): layout and mapping.

Not here: reading a delivery (`pipelines/landing`), compiling a mapping (`pipelines/harmonise`).
"""

from __future__ import annotations

import codecs
import datetime as dt
import os
import re
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    PrivateAttr,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError

from schemas.declared import Version, checked, read_declared
from schemas.problem import words
from schemas.text import FOLDER, Bilingual, Language, read_csv

FEEDS_FOLDER = FOLDER / "feeds"
SCHEMA = FOLDER.parent / "docs" / "schemas" / "declarations" / "feeds.schema.json"

Format = Literal["csv", "xlsx", "json", "ndjson", "geojson"]
Notation = Literal["decimal", "dms", "utm", "mgrs"]
# What a delivery is: what the source's book says as of a day, or a later statement about some rows
Statement = Literal["register", "correction"]
Correction = Literal["source_revision", "withdrawal"]
DETECT = "detect"  # an encoding that nobody agreed: it is told from the file itself


class _Declared(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


def _wrong(code: str, **values: Any) -> PydanticCustomError:
    """An error of which `problems.csv` has the words."""
    return PydanticCustomError(code, words()[code].text.en, values)


def _regex(text: str) -> str:
    try:
        re.compile(text)
    except re.error as error:
        raise _wrong("CON-504", pattern=text, problem=str(error)) from None
    return text


def _zone(text: str) -> str:
    try:
        ZoneInfo("UTC" if text in ("", "place", "offset") else text)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise _wrong("CON-508", value=text) from None
    return text


def _encoding(text: str) -> str:
    try:
        codecs.lookup("utf-8" if text == DETECT else text)
    except LookupError:
        raise _wrong("CON-509", value=text) from None
    return text


def _sign(text: str) -> str:
    if len(text) != 1:
        raise _wrong("CON-510", value=text)
    return text


def _from_one(number: int) -> int:
    if number < 1:
        raise _wrong("CON-511", value=number)
    return number


def _some(found: tuple[Any, ...]) -> tuple[Any, ...]:
    if not found:
        raise _wrong("CON-512")
    return found


Regex = Annotated[str, AfterValidator(_regex)]
Sign = Annotated[str, AfterValidator(_sign)]
Positive = Annotated[int, AfterValidator(_from_one)]
Some = AfterValidator(_some)


class Layout(_Declared):
    """How one delivery file of the feed is laid out."""

    format: Format
    name: str = "*"
    encoding: Annotated[str, AfterValidator(_encoding)] = "utf-8"
    delimiter: Sign = ","
    quote: Sign = '"'
    header_rows: Annotated[tuple[Positive, ...], Some] = (1,)
    sheets: Regex = ".*"
    with_sheet_column: bool = False
    records: str = "$"
    hxl_row: Literal["never", "optional"] = "never"
    # What merged cells below the headings mean: their value for every row that they span, or
    # nothing certain, so that the rows after the first are set aside.
    merged_cells: Literal["refuse", "fill"] = "refuse"


class SkipRows(_Declared):
    """Rows that are part of the layout, not data: totals, signatures, repeated headings."""

    column: str
    matches: Regex


class Mapping(_Declared):
    """How one target column is filled: from source columns, or with one fixed value."""

    source: tuple[str, ...] = Field(default=(), alias="from")
    value: str | int | float | bool | None = None
    join: str = " "
    crosswalk: str = ""
    formats: tuple[str, ...] = ()
    time_zone: Annotated[str, AfterValidator(_zone)] = ""
    notation: Notation = "decimal"
    pattern: Regex = ""
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
            raise _wrong("CON-501")
        if self.optional and not self.source:
            raise _wrong("CON-502")
        return self


class AsOf(_Declared):
    """Where a delivery says as of which day it speaks: its name, a cell above the table, a column.

    `name` and `title` are regular expressions whose groups, joined by a space, are the text of the
    date; `formats` say how it is written. Month names are read in the feed's language and in
    English. A month or a year stands for its last day.
    """

    name: Regex = ""
    title: Regex = ""
    column: str = ""
    formats: tuple[str, ...]

    @model_validator(mode="after")
    def _one_place(self) -> AsOf:
        if sum(map(bool, (self.name, self.title, self.column))) != 1:
            raise _wrong("CON-503")
        for pattern in filter(None, (self.name, self.title)):
            if not re.compile(pattern).groups:
                raise _wrong("CON-505", pattern=pattern)
        if not self.formats or not all(_has_year(form) for form in self.formats):
            raise _wrong("CON-506")
        return self


def _has_year(form: str) -> bool:
    return "%Y" in form or "%y" in form


class Feed(_Declared):
    """One source's dataset: who sends what, how it is laid out, what each column becomes."""

    feed: str
    version: Version
    table: str
    source: str
    status: Literal["illustrative", "official", "public"]
    title: Bilingual
    language: Language
    handling: str
    expected_every_days: Positive
    deliveries: Statement | None = None  # not said: asked where it decides which version stands
    corrections: tuple[Correction, ...] = ()  # a row in which one of these says something is one
    as_of: AsOf | None = None  # not said: the latest plausible date among the accepted rows
    starts: dt.date | None = None  # nothing that it reports on is older
    licence: str = ""
    citation: str = ""
    notes: Bilingual | None = None
    file: Annotated[tuple[Layout, ...], Some]
    blank: tuple[str, ...] = ("",)
    skip_rows: tuple[SkipRows, ...] = ()
    decimal: str = "."
    thousands: str = ""
    dates: tuple[str, ...] = ()
    map: dict[str, Mapping]
    ignore: dict[str, Bilingual] = {}
    no_counterexample: dict[str, Bilingual] = {}  # rule family (`6xx`) → why none can be given
    _folder: Path = PrivateAttr(default=Path())

    @property
    def folder(self) -> Path:
        """Where its feed.yaml, its crosswalks and its examples are."""
        return self._folder

    @model_validator(mode="after")
    def _corrections_are_mapped(self) -> Feed:
        if unmapped := [column for column in self.corrections if column not in self.map]:
            raise _wrong("CON-507", names=unmapped)
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


def schema_line(folder: Path) -> str:
    """The first line of the feed.yaml of a folder, by which editors complete and check it."""
    here = folder.resolve() if SCHEMA.is_file() else FEEDS_FOLDER / folder.name  # where it will be
    place = Path(os.path.relpath(SCHEMA, here)).as_posix()
    return f"# yaml-language-server: $schema={place}"


def load_feed(feed: str | Path) -> Feed:
    """A feed by its name or by its folder.

    Raises KeyError for a feed that is not declared, ContractError for a file that does not say what
    a feed must say.
    """
    folder = FEEDS_FOLDER / feed if isinstance(feed, str) else feed
    if not (folder / "feed.yaml").is_file():
        raise KeyError(str(feed))
    return _load(folder.resolve(), (folder / "feed.yaml").stat().st_mtime_ns)


@cache
def _load(folder: Path, _changed_ns: int) -> Feed:
    path = folder / "feed.yaml"
    feed = checked(Feed, read_declared(path), path, ())
    feed._folder = folder
    return feed


def _files(folder: Path) -> list[Path]:
    return sorted(p for p in folder.glob("*") if p.is_file() and not p.name.startswith("."))
