"""Cells with an error (#N/A, #REF!) in workbooks of older kinds, of which the parser gives nothing.

Not here: `.xlsx` (`workbook_safety`). The parser leaves such a cell empty, or 0, which nobody
wrote. What is read here is read in the process of its own that bounds memory and time.
"""

from __future__ import annotations

import struct
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from defusedxml.ElementTree import ParseError, fromstring, iterparse

from pipelines.landing.readers.workbook_kinds import ODS, XLS, XLSB

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

Errors = dict[tuple[int, int], str]
SHOWN = {
    0x00: "#NULL!",
    0x07: "#DIV/0!",
    0x0F: "#VALUE!",
    0x17: "#REF!",
    0x1D: "#NAME?",
    0x24: "#NUM!",
    0x2A: "#N/A",
}
# Records of Excel 97 (MS-XLS), and the streams of a compound file (MS-CFB) that hold them.
FORMULA, BEGIN, END, SHEET, BOOLEAN_OR_ERROR = 0x06, 0x809, 0x0A, 0x85, 0x205
STREAMS = ("Workbook", "Book")
# Records of Excel's binary form (MS-XLSB).
ROW, CONSTANT_ERROR, FORMULA_ERROR, BUNDLED_SHEET = 0, 3, 11, 156
EXCEL_97, LAST_SECTOR, SMALL_BYTES = 0x600, 0xFFFFFFF9, 4096


def errors_of(file: Path, kind: str) -> dict[str, Errors]:
    """By sheet, the cells (row, column) with an error, as it is shown; of other kinds none.

    Raises OSError, ValueError for a file that is damaged.
    """
    try:
        if kind == ODS:
            return _of_open_document(file)
        if kind == XLSB:
            return _of_binary_form(file)
        return _of_excel_97(_stream(file.read_bytes())) if kind == XLS else {}
    except (ParseError, KeyError, struct.error, IndexError) as error:
        raise ValueError(kind) from error


def _of_open_document(file: Path) -> dict[str, Errors]:
    found: dict[str, Errors] = {}
    row = column = 0
    mine: Errors = {}
    with zipfile.ZipFile(file) as archive, archive.open("content.xml") as stream:
        for event, node in iterparse(stream, ("start", "end")):
            tag = node.tag.rpartition("}")[2]
            if event == "start" and tag == "table":
                mine = found.setdefault(_attribute(node, "name"), {})
                row = 0
            elif event == "start" and tag == "table-row":
                column = 0
            elif event == "end" and tag in ("table-cell", "covered-table-cell"):
                if _attribute(node, "value-type", "calcext:1.0") == "error":
                    mine[row, column] = "".join(node.itertext())
                column += int(_attribute(node, "number-columns-repeated") or 1)
            elif event == "end" and tag == "table-row":
                row += int(_attribute(node, "number-rows-repeated") or 1)
                node.clear()
    return found


def _of_binary_form(file: Path) -> dict[str, Errors]:
    with zipfile.ZipFile(file) as archive:
        links = fromstring(archive.read("xl/_rels/workbook.bin.rels"))
        parts = {link.get("Id"): link.get("Target", "") for link in links}
        found = {}
        for kind, body in _binary_records(archive.read("xl/workbook.bin")):
            if kind == BUNDLED_SHEET:
                link, at = _wide_text(body, 8)
                part = parts[link].removeprefix("/xl/")
                found[_wide_text(body, at)[0]] = _binary_errors(archive.read(f"xl/{part}"))
    return found


def _binary_errors(sheet: bytes) -> Errors:
    found: Errors = {}
    row = 0
    for kind, body in _binary_records(sheet):
        if kind == ROW:
            (row,) = struct.unpack_from("<I", body)
        elif kind in (CONSTANT_ERROR, FORMULA_ERROR):
            (column,) = struct.unpack_from("<I", body)
            found[row, column] = SHOWN.get(body[8], "#N/A")
    return found


def _binary_records(part: bytes) -> Iterator[tuple[int, bytes]]:
    """Kind and length are written seven bits a byte, the lowest first."""
    at = 0
    while at < len(part):
        kind = part[at]
        at += 1
        if kind & 0x80:
            kind = (kind & 0x7F) | (part[at] << 7)
            at += 1
        length = shift = 0
        while True:
            length |= (part[at] & 0x7F) << shift
            shift += 7
            at += 1
            if not part[at - 1] & 0x80:
                break
        yield kind, part[at : at + length]
        at += length


def _wide_text(body: bytes, at: int) -> tuple[str, int]:
    """A text with its length before it, and where the next one begins."""
    (letters,) = struct.unpack_from("<I", body, at)
    end = at + 4 + 2 * letters
    return body[at + 4 : end].decode("utf-16-le"), end


def _attribute(node: Element, name: str, space: str = "") -> str:
    """An attribute by its name, of a name space that ends so."""
    ends = f"{space}}}{name}"
    return next((value for key, value in node.items() if key.endswith(ends)), "")


def _stream(data: bytes) -> bytes:
    """The stream of a compound file that holds the workbook; empty where it is kept otherwise."""
    size = 1 << struct.unpack_from("<H", data, 30)[0]
    (tables, directory) = struct.unpack_from("<II", data, 44)
    listed = list(struct.unpack_from("<109I", data, 76))
    more = struct.unpack_from("<I", data, 68)[0]
    while more <= LAST_SECTOR and len(listed) < tables + 1:
        block = struct.unpack_from(f"<{size // 4}I", data, (more + 1) * size)
        listed += block[:-1]
        more = block[-1]
    fat: list[int] = []
    for sector in listed[:tables]:
        fat += struct.unpack_from(f"<{size // 4}I", data, (sector + 1) * size)

    def chain(sector: int) -> bytes:
        parts: list[bytes] = []
        while sector <= LAST_SECTOR and len(parts) <= len(fat):
            parts.append(data[(sector + 1) * size : (sector + 2) * size])
            sector = fat[sector]
        return b"".join(parts)

    entries = chain(directory)
    for at in range(0, len(entries), 128):
        letters = max(0, struct.unpack_from("<H", entries, at + 64)[0] - 2)
        if entries[at : at + letters].decode("utf-16-le", "replace") in STREAMS:
            start, length = struct.unpack_from("<II", entries, at + 116)
            return chain(start)[:length] if length >= SMALL_BYTES else b""
    return b""


def _records(stream: bytes, at: int) -> Iterator[tuple[int, bytes]]:
    """The records from a place on, up to the end of what begins there."""
    depth = 0
    while at + 4 <= len(stream):
        kind, length = struct.unpack_from("<HH", stream, at)
        depth += (kind == BEGIN) - (kind == END)
        yield kind, stream[at + 4 : at + 4 + length]
        if depth <= 0:
            return
        at += 4 + length


def _of_excel_97(stream: bytes) -> dict[str, Errors]:
    if len(stream) < 6 or struct.unpack_from("<H", stream, 4)[0] != EXCEL_97:
        return {}  # Excel 95 and before
    sheets = [body for kind, body in _records(stream, 0) if kind == SHEET]
    found = {}
    for body in sheets:
        start, letters, is_wide = struct.unpack_from("<IxxBB", body)
        name = body[8:].decode("utf-16-le")[:letters] if is_wide & 1 else body[8:].decode("latin-1")
        found[name[:letters]] = dict(_errors(stream, start))
    return found


def _errors(stream: bytes, start: int) -> Iterator[tuple[tuple[int, int], str]]:
    for kind, body in _records(stream, start):
        code = None
        if kind == BOOLEAN_OR_ERROR and body[7]:
            code = body[6]
        elif kind == FORMULA and body[12:14] == b"\xff\xff" and body[6] == 2:
            code = body[8]
        if code is not None:
            row, column = struct.unpack_from("<HH", body)
            yield (row, column), SHOWN.get(code, "#N/A")
