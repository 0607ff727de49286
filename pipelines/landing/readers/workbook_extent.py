"""How far the filled cells of a sheet reach, told from its XML before any parser makes a grid.

Not here: how large a grid may be (`workbook_safety`). A cell with a colour and no value is not
there for the parser either.

Nearly every program writes a cell as `<c r="B2" s="1"><v>…`; these are found in blocks of bytes. A
sheet in which one cell is written otherwise (the format allows to leave `r` out) is read again by
an XML parser, which cannot be misled: slower, and exact.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass, field
from xml.parsers import expat

MOST_ROWS = 1_048_576  # of a sheet, by the format

_OPENING = rb'<(?:\w+:)?c(?:\s+[\w:]+="[^"<>]*")*?\s+r="([A-Z]{1,3})([0-9]{1,7})"'
_VALUELESS = rb"\s*(?:<(?:\w+:)?v\s*(?:/>|></(?:\w+:)?v>)\s*)?</"
_CELL = re.compile(rb"<(?:[^\s<>/:]+:)?c[\s/>]")
_PLACED = re.compile(_OPENING)
_FILLED = re.compile(_OPENING + rb"[^<>]*(?<!/)>(?!" + _VALUELESS + rb")")
_PLACE = re.compile("([A-Za-z]{1,7})([0-9]{1,10})")


@dataclass
class Extent:
    """The rows and columns that hold a value, both from 1, and how many cells do.

    `is_plain` is False once a cell was seen that is not written as nearly all programs do.
    """

    rows: set[int] = field(default_factory=set)
    columns: set[int] = field(default_factory=set)
    filled: int = 0
    is_plain: bool = True

    def look(self, settled: bytes) -> None:
        """Take the next bytes of the sheet into account; no tag of a cell is cut in them."""
        if len(_CELL.findall(settled)) != len(_PLACED.findall(settled)):
            self.is_plain = False
        if found := _FILLED.findall(settled):
            letters, numbers = map(set, zip(*found, strict=True))
            self.rows.update(map(int, numbers))
            self.columns.update(column_of(one.decode()) + 1 for one in letters)
            self.filled += len(found)

    @property
    def area(self) -> int:
        """Cells of the rectangle from A1 that a parser makes."""
        return max(self.rows, default=0) * max(self.columns, default=0)

    @property
    def packed(self) -> int:
        """Cells of that rectangle without the rows and columns that are all empty."""
        return len(self.rows) * len(self.columns)

    @property
    def blank(self) -> int:
        """Cells of the rectangle that hold nothing."""
        return self.area - min(self.filled, self.packed)


def exact_extent(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, most_cells: int) -> Extent:
    """The extent by an XML parser, as far as `most_cells`; for parts without a DOCTYPE only.

    Raises ValueError for what is no sheet.
    """
    reader = _Reader()
    parser = expat.ParserCreate()
    parser.StartElementHandler = reader.start
    try:
        with archive.open(entry) as stream:
            while block := stream.read(1024**2):
                parser.Parse(block)
                if is_beyond(reader.extent, most_cells):
                    return reader.extent
        parser.Parse(b"", True)
    except expat.ExpatError as error:
        raise ValueError(str(error.code)) from None
    return reader.extent


def is_beyond(extent: Extent, most_cells: int) -> bool:
    """True once a sheet is too large however its cells are arranged: no need to look further."""
    return extent.packed > most_cells or len(extent.rows) > MOST_ROWS


def largest_gap(extents: Iterable[tuple[str, Extent]]) -> str:
    """The sheet that has most cells in rows and columns that are all empty."""
    return max(extents, key=lambda one: one[1].area - one[1].packed)[0]


def column_of(letters: str) -> int:
    """`A` → 0, `Z` → 25, `AA` → 26."""
    at = 0
    for letter in letters.upper():
        at = at * 26 + ord(letter) - 64
    return at - 1


class _Reader:
    """Where each value stands: a cell that does not say so comes after the one before it."""

    def __init__(self) -> None:
        self.extent = Extent()
        self._row, self._at, self._column = 0, 0, 0

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        """Take the beginning of an element into account."""
        kind, place = tag.rpartition(":")[2], attributes.get("r")
        if kind == "row":
            self._row, self._column = int(place) if place else self._row + 1, 0
        elif kind == "c":
            self._at, self._column = self._row, self._column + 1
            if place:
                found = _PLACE.fullmatch(place)
                if not found:
                    raise ValueError("place of a cell")
                self._at, self._column = int(found[2]), column_of(found[1]) + 1
        elif kind in ("v", "is"):
            self.extent.rows.add(self._at)
            self.extent.columns.add(self._column)
            self.extent.filled += 1
