"""Whether a workbook is safe to open, told from its archive alone, before any parser sees it.

Not here: reading its cells (`workbook`). Every part is unpacked once, in blocks, under one bound.
"""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from pipelines.landing.refuse import MEGABYTE, refused

LARGEST_UNPACKED_BYTES = 512 * MEGABYTE
LARGEST_RATIO = 200
RATIO_MATTERS_BYTES = 16 * MEGABYTE
MOST_PARTS = 2_000
MOST_CELLS = 6_000_000  # of one sheet's rectangle; a cell takes about 150 bytes while it is read
BLOCK_BYTES = 1024**2
OVERLAP_BYTES = 64 * 1024  # longer than a cell's opening tag with its formula

COMPOUND_FILE = bytes.fromhex("d0cf11e0a1b11ae1")  # Word/Excel 97 files, and encrypted ones
ENCRYPTED_PART = "EncryptedPackage".encode("utf-16-le")
MACRO_PARTS = re.compile(r"vbaProject\.bin$|/macrosheets/|vbaData\.xml$", re.IGNORECASE)
FOREIGN_PARTS = re.compile(r"/(externalLinks|embeddings|activeX)/", re.IGNORECASE)
SHEET_PART = re.compile(r"xl/worksheets/[^/]+\.xml$", re.IGNORECASE)

_CELL = re.compile(rb'<(?:\w+:)?c\s[^>]*?r="([A-Z]{1,3})([0-9]{1,7})"')
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

    `errors`: part → (row, column, text) of cells that hold an Excel error, both from 0: the parser
    would show them as empty.
    """

    formulas: int = 0
    formulas_without_value: int = 0
    errors: dict[str, list[tuple[int, int, str]]] = field(default_factory=dict)


def inspect(file: Path) -> SheetParts:
    """Look into the archive `file` without opening it as a workbook.

    Raises DeliveryRefused: DEL-713 no workbook of this kind, DEL-710 password, DEL-709 macros,
    DEL-719 links to or parts of other files, DEL-708 what would grow too large, DEL-724 formulas
    without a saved value.
    """
    _demand_archive(file)
    parts = SheetParts()
    try:
        with zipfile.ZipFile(file) as archive:
            entries = archive.infolist()
            _demand_harmless(file, entries)
            budget = LARGEST_UNPACKED_BYTES
            for entry in entries:
                budget -= _read_part(file, archive, entry, budget, parts)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError):
        raise refused("DEL-702", file) from None
    if parts.formulas_without_value:
        raise refused("DEL-724", file, cells=parts.formulas_without_value)
    return parts


def _demand_archive(file: Path) -> None:
    with file.open("rb") as stream:
        head = stream.read(8)
        if head == COMPOUND_FILE:
            code = "DEL-710" if _contains(file, ENCRYPTED_PART) else "DEL-713"
            raise refused(code, file, expected="XLSX")
    if not head.startswith(b"PK"):
        raise refused("DEL-713", file, expected="XLSX")
    if not zipfile.is_zipfile(file):
        raise refused("DEL-702", file)


def _contains(file: Path, wanted: bytes) -> bool:
    carry = b""
    with file.open("rb") as stream:
        while block := stream.read(BLOCK_BYTES):
            if wanted in carry + block:
                return True
            carry = block[-len(wanted) :]
    return False


def _demand_harmless(file: Path, entries: list[zipfile.ZipInfo]) -> None:
    """Judge by the list of parts alone."""
    names = [entry.filename for entry in entries]
    if any(MACRO_PARTS.search(name) for name in names):
        raise refused("DEL-709", file)
    if foreign := next((found[1] for name in names if (found := FOREIGN_PARTS.search(name))), ""):
        raise refused("DEL-719", file, detail=foreign)
    if "xl/workbook.xml" not in names or len(set(names)) != len(names):
        raise refused("DEL-713", file, expected="XLSX")
    if any(entry.flag_bits & 1 for entry in entries):
        raise refused("DEL-710", file)
    swollen = any(
        entry.file_size > RATIO_MATTERS_BYTES
        and entry.file_size > LARGEST_RATIO * max(1, entry.compress_size)
        for entry in entries
    )
    total = sum(entry.file_size for entry in entries)
    if swollen or total > LARGEST_UNPACKED_BYTES or len(entries) > MOST_PARTS:
        raise _grows(file)


def _grows(file: Path) -> Exception:
    return refused("DEL-708", file, limit_mb=LARGEST_UNPACKED_BYTES // MEGABYTE)


def _read_part(
    file: Path, archive: zipfile.ZipFile, entry: zipfile.ZipInfo, budget: int, parts: SheetParts
) -> int:
    """Unpack one part, whatever size its entry claims; returns how many bytes it really has."""
    is_sheet = bool(SHEET_PART.search(entry.filename))
    is_xml = is_sheet or entry.filename.lower().endswith((".xml", ".rels"))
    rows, columns, size = 0, 0, 0
    for size, text, fresh in _blocks(archive, entry):
        if size > budget:
            raise _grows(file)
        if is_xml and any(word in text for word in _DECLARATIONS):
            raise refused("DEL-719", file, detail="XML DOCTYPE")
        if is_sheet:
            below, right = _extent(text)
            rows, columns = max(rows, below), max(columns, right)
            _note_cells(entry.filename, text, fresh, parts)
    if rows * columns > MOST_CELLS:
        raise _grows(file)
    return size


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
            cut = max(text.rfind(b"<c "), text.rfind(b":c "))
            cut = cut if cut > len(text) - OVERLAP_BYTES else len(text)
            yield size, text, cut
            carry = text[cut:]
    if carry:
        yield size, carry, len(carry)


def _extent(text: bytes) -> tuple[int, int]:
    """The lowest row and the rightmost column of the cells in `text`, counted from 1."""
    found = _CELL.findall(text)
    if not found:
        return 0, 0
    letters, numbers = map(set, zip(*found, strict=True))
    return max(map(int, numbers)), 1 + max(map(_column, letters))


def _note_cells(part: str, text: bytes, fresh: int, parts: SheetParts) -> None:
    settled = text[:fresh]
    parts.formulas += len(_FORMULA.findall(settled))
    parts.formulas_without_value += len(_NO_VALUE.findall(settled))
    for letters, number, shown in _ERROR_CELL.findall(settled):
        place = (int(number) - 1, _column(letters), shown.decode("utf-8", "replace"))
        parts.errors.setdefault(part, []).append(place)


def _column(letters: bytes) -> int:
    """`A` → 0, `Z` → 25, `AA` → 26."""
    at = 0
    for letter in letters:
        at = at * 26 + letter - 64
    return at - 1
