"""The columns that a delivery has, held against those that its feed maps or ignores by name.

Not here: finding the header in a file (each format), and the cells below it (`staging`).
"""

from __future__ import annotations

import difflib
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipelines.core.findings import DeliveryError, Finding
from pipelines.landing.lines import SPACES
from pipelines.landing.refuse import finding
from pipelines.landing.report_number import KEY as REPORT_KEY
from schemas.contract import load_contract
from schemas.feed import Feed

SHEET_COLUMN = "sheet"
HEADING_JOINT = " / "
MOST_KEPT_OUT = 1  # unknown columns; with more of them the file has another form
OTHERS = "*"  # instead of JSON keys of which most are unknown: they may be people's names
# What word processors put for the two signs that a keyboard has.
_TYPED = str.maketrans(dict.fromkeys("‘’ʼ′`´", "'") | dict.fromkeys("‐‑‒–—−", "-"))


@dataclass(frozen=True)
class Columns:
    """Which physical columns of a delivery are read, by their position in it.

    `names`: the mapped columns as the feed spells and orders them. `kept`: name → position; one
    without a position (in JSON, or optional) is in no record of this file and is read as empty.
    `unnamed`: positions without a heading, which must turn out to be empty. `skip_tests`: position
    and pattern of rows that the feed declares as no data. `width`: positions in all. `numeric`:
    positions of columns that hold nothing but quantities and times, with the feed's `decimal` sign.
    `notes`: headings that were spelled otherwise, and a column that was kept out.
    """

    names: tuple[str, ...]
    kept: dict[str, int]
    unnamed: tuple[int, ...]
    skip_tests: tuple[tuple[int, str], ...]
    width: int
    numeric: frozenset[int] = frozenset()
    decimal: str = "."
    notes: tuple[Finding, ...] = ()

    @property
    def kept_headings(self) -> frozenset[str]:
        """The headings that are read, as they are compared."""
        return frozenset(map(plain, self.kept))


def plain(heading: object) -> str:
    """A heading without the accidents of typing.

    Letters composed, apostrophes and dashes as typed on a keyboard, single spaces, trimmed.
    """
    text = unicodedata.normalize("NFC", "" if heading is None else str(heading)).translate(_TYPED)
    return " ".join("".join(" " if c in SPACES else c for c in text).split())


def merged_headings(rows: Sequence[Sequence[object]], *, is_filled: bool = False) -> list[str]:
    """One heading a column from one or two header rows; trailing empty ones are dropped.

    Of two rows a column is called `upper / lower`, or by the only one of them that it has. Unless
    merged cells are known and `is_filled` already, an upper heading also counts for the blank cells
    at its right that have a lower one.
    """
    texts = [[plain(cell) for cell in row] for row in rows]
    width = max((len(row) for row in texts), default=0)
    padded = [row + [""] * (width - len(row)) for row in texts]
    names, upper = [], ""
    for parts in zip(*padded, strict=True):
        *above, last = parts
        carried = upper if last and not is_filled else ""
        upper = next((part for part in reversed(above) if part), carried)
        names.append(HEADING_JOINT.join(dict.fromkeys(part for part in (upper, last) if part)))
    while names and not names[-1]:
        names.pop()
    return names


def matched(
    feed: Feed, found: Sequence[str], file: Path, *, header_row: int, is_json: bool = False
) -> Columns:
    """The columns to read, in one look at all headings of a delivery.

    A heading that differs by accents, capitals or spaces is taken for the one that it can only be,
    and one unknown column beside all that are needed is kept out; both are told.
    Raises DeliveryError with one finding for each wrong column: DEL-703 missing (with the nearest
    heading found), DEL-704 unknown, DEL-716 twice; or with DEL-714 alone where fewer than half of
    the mapped ones are there: then the row is no header, and its cells may be anybody's names.
    A column that the feed calls optional may be missing, and is read as empty.
    In JSON a key that no record has is how a writer says "no value": it is missing only where the
    contract requires the column that it fills. What is below an ignored key is ignored with it.
    """
    known = set(map(plain, known_headings(feed)))
    sent = [plain(name) for name in found]
    names = as_declared(feed, sent)
    if not is_json and not is_header(feed, names):
        raise DeliveryError(finding("DEL-714", file, row=header_row))
    if is_json:
        known.update((REPORT_KEY, *_below(feed.ignore, names)))
    unknown = [name for name in dict.fromkeys(names) if name and name not in known]
    if is_json and 2 * len(unknown) > len(names):
        unknown = [OTHERS]
    missing = [name for name in map(plain, feed.mapped_columns) if name not in names]
    tolerated = _optional(feed) if is_json else frozenset(map(plain, feed.optional_columns))
    lacking = [name for name in missing if name not in tolerated]
    is_kept_out = len(unknown) == MOST_KEPT_OUT and unknown != [OTHERS] and not lacking
    wrong = _missing(file, lacking, unknown)
    wrong += [finding("DEL-704", file, column=name) for name in unknown if not is_kept_out]
    wrong += [finding("DEL-716", file, column=name) for name in _twice(names)]
    if wrong:
        raise DeliveryError(wrong)
    return Columns(
        names=feed.mapped_columns,
        kept={n: names.index(plain(n)) for n in feed.mapped_columns if plain(n) in names},
        unnamed=tuple(at for at, name in enumerate(names) if not name),
        skip_tests=tuple(
            (names.index(plain(skip.column)), skip.matches)
            for skip in feed.skip_rows
            if plain(skip.column) in names
        ),
        width=len(names),
        numeric=frozenset(at for at, name in enumerate(names) if name in numeric_columns(feed)),
        decimal=feed.decimal,
        notes=(
            *spelled_otherwise(file, sent, names),
            *(finding("DEL-759", file, column=name) for name in unknown),
        ),
    )


def as_declared(feed: Feed, names: Sequence[str]) -> list[str]:
    """The headings as the feed spells them, where accents, capitals and spaces leave one choice."""
    declared: dict[str, set[str]] = {}
    for heading in map(plain, known_headings(feed)):
        declared.setdefault(_loose(heading), set()).add(heading)
    times = Counter(map(_loose, names))
    renamed = []
    for name in names:
        choice = declared.get(_loose(name), set())
        is_certain = len(choice) == 1 and times[_loose(name)] == 1
        renamed.append(next(iter(choice)) if is_certain else name)
    return renamed


def spelled_otherwise(file: Path, sent: Sequence[str], names: Sequence[str]) -> list[Finding]:
    """A warning for each heading that is not spelled as the feed spells it."""
    pairs = dict.fromkeys(zip(sent, names, strict=True))
    return [
        finding("DEL-758", file, found=found, column=name) for found, name in pairs if found != name
    ]


def has_all(feed: Feed, found: Sequence[str]) -> bool:
    """Whether a row holds each mapped heading once, and at most one that the feed does not know."""
    names = as_declared(feed, [plain(name) for name in found])
    optional = {SHEET_COLUMN, *feed.optional_columns}
    mapped = {plain(name) for name in feed.mapped_columns if name not in optional}
    known = set(map(plain, known_headings(feed)))
    strange = [name for name in names if name and name not in known]
    return mapped <= set(names) and not _twice(list(names)) and len(strange) <= MOST_KEPT_OUT


def are_titles(feed: Feed, rows: Iterable[Sequence[object]]) -> bool:
    """Whether none of these rows can be one of data: such a row fills half of the mapped columns.

    A table that was sorted with its headings has rows above them, which must not get lost.
    """
    mapped = sum(name != SHEET_COLUMN for name in feed.mapped_columns)
    filled = (sum(bool(plain(cell)) for cell in row) for row in rows)
    return all(cells < 2 or 2 * cells < mapped for cells in filled)


def is_header(feed: Feed, found: Sequence[str]) -> bool:
    """Whether a row holds at least half of the mapped headings, with or without their accents.

    The name of the sheet stands in no row, so it says nothing.
    """
    mapped = {_loose(name) for name in feed.mapped_columns if name != SHEET_COLUMN}
    return 2 * len(mapped & set(map(_loose, found))) >= max(1, len(mapped))


def numeric_columns(feed: Feed) -> frozenset[str]:
    """The headings of columns that fill numbers, dates and times, and nothing that is text."""
    columns = {column.name: column for column in load_contract(feed.table).columns}
    kinds: dict[str, set[bool]] = {}
    for target, mapping in feed.map.items():
        column = columns.get(target)
        for heading in mapping.source:
            is_numeric = column is not None and column.is_numeric
            kinds.setdefault(plain(heading), set()).add(is_numeric)
    return frozenset(heading for heading, found in kinds.items() if found == {True})


def _below(ignored: Iterable[str], names: Sequence[str]) -> set[str]:
    """The JSON paths below an ignored one."""
    above = tuple(f"{plain(name)}." for name in ignored)
    return {name for name in names if name.startswith(above)}


def known_headings(feed: Feed) -> list[str]:
    """Every heading that the feed mentions."""
    return [*feed.mapped_columns, *feed.ignore, *(skip.column for skip in feed.skip_rows)]


def _optional(feed: Feed) -> frozenset[str]:
    """Source columns that fill no required column of the contract."""
    columns = {column.name: column for column in load_contract(feed.table).columns}
    needed: set[str] = set()
    for target, mapping in feed.map.items():
        if (column := columns.get(target)) and column.is_required:
            needed.update(mapping.source)
    return frozenset(plain(name) for name in feed.mapped_columns if name not in needed)


def _missing(file: Path, missing: list[str], unknown: list[str]) -> list[Finding]:
    keys = {_key(name): name for name in unknown}
    findings = []
    for name in missing:
        near = difflib.get_close_matches(_key(name), keys, n=1, cutoff=0.7)
        values = {"column": name, "near": keys[near[0]] if near else "–"}
        findings.append(finding("DEL-703", file, **values))
    return findings


def _twice(names: list[str]) -> list[str]:
    """Headings that occur again; DuckDB does not tell capitals apart, so neither do we."""
    folded = [name.casefold() for name in names]
    return [
        name
        for at, name in enumerate(names)
        if name and folded[at] in folded[:at] and folded[:at].count(folded[at]) == 1
    ]


def _loose(name: str) -> str:
    """A heading as it is recognised: no accents, no capitals, no spaces."""
    return "".join(_key(name).split())


def _key(name: str) -> str:
    """A heading as it is compared for likeness: no accents, no capitals."""
    split = unicodedata.normalize("NFKD", plain(name))
    return "".join(c for c in split if not unicodedata.combining(c)).casefold()
