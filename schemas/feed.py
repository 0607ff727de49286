"""The typed reader of the feeds (`schemas/feeds/<feed>/feed.yaml`): layout and mapping.

Not here: reading a delivery (`pipelines/landing`), compiling a mapping (`pipelines/harmonise`).
"""

from __future__ import annotations

import codecs
import datetime as dt
import os
import re
from collections.abc import Collection, Sequence
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

from schemas.declared import Version, checked, problem, read_declared, table_path
from schemas.problem import ContractError, ContractProblem, words
from schemas.text import FOLDER, Bilingual, Language, read_csv

FEEDS_FOLDER = FOLDER / "feeds"
VARIABLE = "PASSERELLE_FEEDS"  # further folders of feeds, separated as those of PATH
OF_A_FOLDER = ("CON-601", "CON-602")
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


def feed_folders() -> list[Path]:
    """Where feeds are looked for: the shipped ones, then what `PASSERELLE_FEEDS` names."""
    named = os.environ.get(VARIABLE, "").split(os.pathsep)
    folders = [Path(one).expanduser().absolute() for one in named if one]
    return list(dict.fromkeys([FEEDS_FOLDER, *folders]))


def feed_places() -> dict[str, Path]:
    """The folder of each feed by its name, those of faulty ones among them."""
    return _search()[0]


def load_feeds() -> list[Feed]:
    """The feeds that are in order, by name."""
    found = (_read(place) for place in feed_places().values())
    return sorted((one for one in found if isinstance(one, Feed)), key=lambda one: one.feed)


def feed_names() -> list[str]:
    """The feeds that are in order, by name."""
    return [feed.feed for feed in load_feeds()]


def feed_problems(names: Collection[str] | None = None) -> list[ContractProblem]:
    """What keeps feeds from being loaded: a folder, a name that stands twice, a declaration.

    With `names`, only what concerns these feeds, or a whole folder.
    """
    places, problems = _search()
    for place in places.values():
        found = _read(place)
        problems += () if isinstance(found, Feed) else found
    return [
        one
        for one in problems
        if names is None or one.code in OF_A_FOLDER or one.path.parent.name in names
    ]


def _search() -> tuple[dict[str, Path], list[ContractProblem]]:
    """Where each feed stands, and what is wrong with the folders; of two, the first stands."""
    places: dict[str, Path] = {}
    problems = []
    for folder in feed_folders():
        try:
            with os.scandir(folder) as entries:
                names = sorted(one.name for one in entries if one.is_dir())
            found = {name: folder / name for name in names if _stamp(folder / name)}
        except OSError as error:
            is_absent = isinstance(error, FileNotFoundError | NotADirectoryError)
            values = {"folder": error.filename, "problem": error.strerror, "variable": VARIABLE}
            problems.append(
                ContractProblem("CON-601" if is_absent else "CON-602", folder, 0, values)
            )
            continue
        for name, place in found.items():
            if (first := places.setdefault(name, place)) != place:
                values = {"feed": name, "folder": folder, "other": first.parent}
                problems.append(ContractProblem("CON-603", place / "feed.yaml", 0, values))
    return places, problems


def _stamp(folder: Path) -> int:
    """Another number whenever the feed.yaml of a folder changed; 0 where there is none."""
    try:
        return (folder / "feed.yaml").stat().st_mtime_ns
    except (FileNotFoundError, NotADirectoryError):
        return 0
    except OSError:  # it is there, and told when it is read
        return 1


def schema_line(folder: Path) -> str:
    """The first line of the feed.yaml of a folder, by which editors complete and check it."""
    here = folder.resolve() if SCHEMA.is_file() else FEEDS_FOLDER / folder.name  # where it will be
    place = Path(os.path.relpath(SCHEMA, here)).as_posix()
    return f"# yaml-language-server: $schema={place}"


def load_feed(feed: str | Path) -> Feed:
    """A feed by its name or by its folder.

    Raises UnknownFeedError (a KeyError) for a feed that is not declared, ContractError for a file
    that does not say what a feed must say.
    """
    folders = feed_folders() if isinstance(feed, str) else [feed.parent]
    name = feed if isinstance(feed, str) else feed.name
    place = next((folder / name for folder in folders if _stamp(folder / name)), None)
    if place is None:
        raise UnknownFeedError(name, folders)
    found = _read(place)
    if not isinstance(found, Feed):
        raise ContractError(found)
    return found


class UnknownFeedError(ContractError, KeyError):
    """No folder of feeds has this feed: the name is wrong, or its folder is out of reach."""

    def __init__(self, feed: str, folders: Sequence[Path]) -> None:
        """Keep the name and where it was looked for."""
        self.feed, self.folders = feed, folders
        values = {"feed": feed, "folders": list(map(str, folders)), "variable": VARIABLE}
        super().__init__([ContractProblem("CON-604", Path(), 0, values)])

    def __reduce__(self) -> Any:
        """As it was, for a process that asked for it."""
        return type(self), (self.feed, self.folders)


def _read(folder: Path) -> Feed | tuple[ContractProblem, ...]:
    """The feed of a folder, or what is wrong with its feed.yaml."""
    try:
        return _read_once(folder.absolute(), _stamp(folder))
    except OSError as error:
        path = folder / "feed.yaml"
        values = {"folder": str(path), "problem": error.strerror}
        return (ContractProblem("CON-602", path, 0, values),)


@cache
def _read_once(folder: Path, _changed_ns: int) -> Feed | tuple[ContractProblem, ...]:
    path = folder / "feed.yaml"
    try:
        feed = checked(Feed, read_declared(path), path, ())
        if feed.feed != folder.name:
            raise problem("CON-514", path, ("feed",), said=feed.feed, name=folder.name)
        if not table_path(feed.table).is_file():
            raise problem("CON-513", path, ("table",), name=feed.table)
    except ContractError as error:
        return error.problems
    feed._folder = folder.resolve()
    return feed


def _files(folder: Path) -> list[Path]:
    return sorted(p for p in folder.glob("*") if p.is_file() and not p.name.startswith("."))
