"""Whether a workbook is safe to open, told from its archive alone, before any parser sees it.

Not here: reading its cells (`workbook`). Every part is unpacked once, in blocks, under one bound.
"""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from defusedxml.ElementTree import ParseError, fromstring

from pipelines.landing.readers.workbook_extent import (
    Extent,
    column_of,
    exact_extent,
    is_beyond,
    largest_gap,
)
from pipelines.landing.readers.workbook_formats import shown_formats
from pipelines.landing.readers.workbook_kinds import XLSX, kind_of
from pipelines.landing.refuse import MEGABYTE, refusal

LARGEST_UNPACKED_BYTES = 512 * MEGABYTE
LARGEST_RATIO = 200
RATIO_MATTERS_BYTES = 16 * MEGABYTE
MOST_PARTS = 2_000
# Of one sheet's rectangle, and of the blank cells in those of all sheets: a cell takes about 150
# bytes while it is read, whether it holds anything or not.
MOST_CELLS = 6_000_000
BLOCK_BYTES = 1024**2
OVERLAP_BYTES = 64 * 1024  # longer than a cell's opening tag with its formula

MACRO_PARTS = re.compile(r"vbaProject\.bin$|/macrosheets/|vbaData\.xml$", re.IGNORECASE)
FOREIGN_PARTS = re.compile(r"/(embeddings|activeX)/", re.IGNORECASE)
LINKED_PARTS = re.compile(r"/externalLinks/[^/]+\.xml$", re.IGNORECASE)
SHEET_PART = re.compile(r"xl/worksheets/[^/]+\.xml$", re.IGNORECASE)
BOOK, BOOK_LINKS = "xl/workbook.xml", "xl/_rels/workbook.xml.rels"
STYLES = "xl/styles.xml"
RELATION = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"

_FORMULA = re.compile(rb"<(?:\w+:)?f[\s>/]")
_NO_VALUE = re.compile(
    rb"<(?:\w+:)?f(?:\s[^>]*)?(?:/>|>[^<]*</(?:\w+:)?f>)\s*"
    rb"(?:<(?:\w+:)?v\s*/>|<(?:\w+:)?v>\s*</(?:\w+:)?v>)?\s*</(?:\w+:)?c>"
)
_ERROR_CELL = re.compile(
    rb'<(?:\w+:)?c\s(?=[^>]*?r="([A-Z]{1,3})([0-9]{1,7})")[^>]*?t="e"[^>]*>'
    rb"(?:<(?:\w+:)?f(?:\s[^>]*)?(?:/>|>[^<]*</(?:\w+:)?f>))?<(?:\w+:)?v>([^<]*)</"
)
_DECLARATIONS = (b"<!DOCTYPE", b"<!ENTITY")


@dataclass
class SheetParts:
    """What the sheets hold beyond values, by part (`xl/worksheets/sheet1.xml`).

    `part_of`: sheet name → its part. `errors`: part → (row, column, text) of cells that hold an
    Excel error, both from 0: the parser would show them as empty. `extents`: how far each reaches.
    `formats`: style → format under which a number is shown otherwise than it is kept; `shown`: part
    → (row, column, style) of the cells that have such a style. `links`: other files that formulas
    look into; none is followed.
    """

    part_of: dict[str, str] = field(default_factory=dict)
    links: int = 0
    formulas: int = 0
    formulas_without_value: int = 0
    errors: dict[str, list[tuple[int, int, str]]] = field(default_factory=dict)
    extents: dict[str, Extent] = field(default_factory=dict)
    formats: dict[int, str] = field(default_factory=dict)
    shown: dict[str, list[tuple[int, int, int]]] = field(default_factory=dict)

    @cached_property
    def shown_cell(self) -> re.Pattern[bytes] | None:
        """What a cell with one of the formats looks like; None where there are none."""
        if not self.formats:
            return None
        styles = b"|".join(str(style).encode() for style in self.formats)
        place = rb'<(?:\w+:)?c\s(?=[^>]*?r="([A-Z]{1,3})([0-9]{1,7})")'
        return re.compile(place + rb'(?=[^>]*?\ss="(' + styles + rb')")[^>]*[^>/]>')


def inspect(file: Path) -> SheetParts:
    """Look into the archive `file` without opening it as a workbook.

    Raises DeliveryError: DEL-713 no workbook of this kind, DEL-710 password, DEL-709 macros,
    DEL-719 parts of other files, DEL-708 what would grow too large, DEL-728 a cell so
    far away that the sheet would, DEL-724 formulas without a saved value.
    """
    _demand_archive(file)
    parts = SheetParts()
    try:
        with zipfile.ZipFile(file) as archive:
            entries = archive.infolist()
            _demand_harmless(file, entries)
            budget = LARGEST_UNPACKED_BYTES
            # These two say which parts are sheets, so they are known to be harmless before others.
            for entry in (archive.getinfo(BOOK), archive.getinfo(BOOK_LINKS)):
                _read_part(file, archive, entry, budget, parts)
            parts.links = sum(bool(LINKED_PARTS.search(one.filename)) for one in entries)
            parts.part_of = _sheet_parts(archive)
            if STYLES in archive.namelist():
                _read_part(file, archive, archive.getinfo(STYLES), budget, parts)
                parts.formats = shown_formats(archive.read(STYLES))
            for entry in entries:
                budget -= _read_part(file, archive, entry, budget, parts)
    except (KeyError, ValueError, ParseError):
        raise refusal("DEL-713", file, expected=XLSX, found="ZIP") from None
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError):
        raise refusal("DEL-702", file) from None
    _demand_bounded(file, parts)
    if parts.formulas_without_value:
        raise refusal("DEL-724", file, cells=parts.formulas_without_value)
    return parts


def _demand_archive(file: Path) -> None:
    with file.open("rb") as stream:
        head = stream.read(8)
    if not head.startswith(b"PK"):
        raise refusal("DEL-713", file, expected=XLSX, found=kind_of(file) or "TXT")
    if not zipfile.is_zipfile(file):
        raise refusal("DEL-702", file)


def _demand_harmless(file: Path, entries: list[zipfile.ZipInfo]) -> None:
    """Judge by the list of parts alone."""
    names = [entry.filename for entry in entries]
    if any(MACRO_PARTS.search(name) for name in names):
        raise refusal("DEL-709", file)
    if foreign := next((found[1] for name in names if (found := FOREIGN_PARTS.search(name))), ""):
        raise refusal("DEL-719", file, detail=foreign)
    if BOOK not in names or len({name.lower() for name in names}) != len(names):
        raise refusal("DEL-713", file, expected=XLSX, found=kind_of(file))
    if any(entry.flag_bits & 1 for entry in entries):
        raise refusal("DEL-710", file)
    swollen = any(
        entry.file_size > RATIO_MATTERS_BYTES
        and entry.file_size > LARGEST_RATIO * max(1, entry.compress_size)
        for entry in entries
    )
    total = sum(entry.file_size for entry in entries)
    if swollen or total > LARGEST_UNPACKED_BYTES or len(entries) > MOST_PARTS:
        raise _grows(file)


def _grows(file: Path) -> Exception:
    return refusal("DEL-708", file, limit_mb=LARGEST_UNPACKED_BYTES // MEGABYTE)


def _read_part(
    file: Path, archive: zipfile.ZipFile, entry: zipfile.ZipInfo, budget: int, parts: SheetParts
) -> int:
    """Unpack one part, whatever size its entry claims; returns how many bytes it really has."""
    is_sheet = _is_sheet(entry.filename, parts)
    is_xml = is_sheet or entry.filename.lower().endswith((".xml", ".rels"))
    extent, size = Extent(), 0
    for size, text, fresh in _blocks(archive, entry):
        if size > budget:
            raise _grows(file)
        if is_xml and any(word in text for word in _DECLARATIONS):
            raise refusal("DEL-719", file, detail="XML DOCTYPE")
        if is_sheet:
            extent.look(text[:fresh])
            _note_cells(entry.filename, text[:fresh], parts)
        if is_beyond(extent, MOST_CELLS):
            raise _grows(file)
    if is_sheet:
        known = extent if extent.is_plain else exact_extent(archive, entry, MOST_CELLS)
        parts.extents[entry.filename] = known
    return size


def _is_sheet(part: str, parts: SheetParts) -> bool:
    """By the name that nearly all programs give it, or because the workbook says so."""
    return bool(SHEET_PART.search(part)) or part.lower() in map(str.lower, parts.part_of.values())


def _sheet_parts(archive: zipfile.ZipFile) -> dict[str, str]:
    """Sheet name → its part in the archive."""
    book = fromstring(archive.read(BOOK))
    links = fromstring(archive.read(BOOK_LINKS))
    targets = {link.get("Id"): str(link.get("Target")) for link in links}
    found = {}
    for sheet in book.iterfind(".//{*}sheets/{*}sheet"):
        target = targets.get(sheet.get(RELATION), "").removeprefix("/")
        found[str(sheet.get("name"))] = target if target.startswith("xl/") else f"xl/{target}"
    return found


def _demand_bounded(file: Path, parts: SheetParts) -> None:
    """Raise where the grids that a parser makes of the sheets would not fit in memory."""
    extents = parts.extents.values()
    is_wide = any(extent.area > MOST_CELLS for extent in extents)
    if not is_wide and sum(extent.blank for extent in extents) <= MOST_CELLS:
        return
    if any(is_beyond(extent, MOST_CELLS) for extent in extents):
        raise _grows(file)
    if sum(extent.packed - min(extent.filled, extent.packed) for extent in extents) > MOST_CELLS:
        raise _grows(file)
    part = largest_gap(parts.extents.items())
    names = {of_sheet.lower(): name for name, of_sheet in parts.part_of.items()}
    raise refusal("DEL-728", file, sheet=names.get(part.lower(), Path(part).stem))


def _blocks(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> Iterator[tuple[int, bytes, int]]:
    """Bytes so far; a block that begins at a cell where it can; where what is new in it ends.

    The last cell of a block may be cut, so it is handed out again at the head of the next one and
    counts there only: `fresh` is the offset at which the cell that may be cut begins.
    """
    size, carry = 0, b""
    with archive.open(entry) as stream:
        while block := stream.read(BLOCK_BYTES):
            size += len(block)
            text = carry + block
            nearby = len(text) - OVERLAP_BYTES
            cut = max(text.rfind(b"<c "), text.rfind(b":c "))
            cut = text.rfind(b"<", 0, cut + 1) if cut > nearby else text.rfind(b"<")
            cut = cut if cut > max(nearby, -1) else len(text)
            yield size, text, cut
            carry = text[cut:]
    if carry:
        yield size, carry, len(carry)


def _note_cells(part: str, settled: bytes, parts: SheetParts) -> None:
    parts.formulas += len(_FORMULA.findall(settled))
    parts.formulas_without_value += len(_NO_VALUE.findall(settled))
    for letters, number, shown in _ERROR_CELL.findall(settled):
        place = (int(number) - 1, column_of(letters.decode()), shown.decode("utf-8", "replace"))
        parts.errors.setdefault(part, []).append(place)
    if parts.shown_cell:
        for letters, number, style in parts.shown_cell.findall(settled):
            cell = (int(number) - 1, column_of(letters.decode()), int(style))
            parts.shown.setdefault(part, []).append(cell)
