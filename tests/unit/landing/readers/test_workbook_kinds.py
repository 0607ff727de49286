"""Workbooks of other kinds than `.xlsx` are read; what is no workbook is named for what it is.

Not here: `.xlsx` themselves (`test_read_workbook.py`), files made to do harm (`tests/faults`).
"""

from __future__ import annotations

import io
import struct
import zipfile
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from reading import codes, make_feed, read, scratch_connection

from pipelines.authoring.sniff import sniff
from pipelines.core.findings import DeliveryError
from pipelines.landing.readers import workbook_kinds
from pipelines.landing.readers.read import read_text_rows
from pipelines.landing.readers.workbook_errors import errors_of
from pipelines.landing.readers.workbook_kinds import ODS

XLSX = {"format": "xlsx", "name": "*.xlsx"}
NOTHING, END = 0xFFFFFFFF, 0xFFFFFFFE


def compound(streams: dict[str, bytes]) -> bytes:
    """A compound file (Excel 97, Word 97 …) with these streams."""
    sectors, fat, entries = [b"", b""], [0xFFFFFFFD, END], []
    names = ["Root Entry", *streams]
    for at, name in enumerate(names):
        data = streams.get(name, b"")
        data += bytes(max(0, 4096 - len(data))) if at else b""
        start = len(sectors)
        blocks = [data[n : n + 512].ljust(512, b"\0") for n in range(0, len(data), 512)]
        sectors += blocks
        fat += [*range(start + 1, start + len(blocks)), END] if blocks else []
        text = name.encode("utf-16-le") + b"\0\0"
        right = at + 1 if 0 < at < len(names) - 1 else NOTHING
        entries.append(
            text.ljust(64, b"\0")
            + struct.pack(
                "<HBBIII", len(text), 2 if at else 5, 1, NOTHING, right, NOTHING if at else 1
            )
            + bytes(36)
            + struct.pack("<IQ", start if blocks else END, len(data))
        )
    sectors[0] = struct.pack("<128I", *fat, *[NOTHING] * (128 - len(fat)))
    sectors[1] = b"".join(entries).ljust(512, b"\0")
    head = bytes.fromhex("d0cf11e0a1b11ae1") + bytes(16)
    head += struct.pack(
        "<HHHHH6xIIIIIIIII", 0x3E, 3, 0xFFFE, 9, 6, 0, 1, 1, 0, 4096, END, 0, END, 0
    )
    head += struct.pack("<109I", 0, *[NOTHING] * 108)
    return head + b"".join(sectors)


def record(kind: int, body: bytes) -> bytes:
    return struct.pack("<HH", kind, len(body)) + body


def excel_97(rows: list[list[str | float]]) -> bytes:
    """A workbook of one sheet, S, as Excel 97 wrote it."""
    opening = record(0x809, struct.pack("<HHHHII", 0x600, 0x0005, 0, 0, 0, 6))
    cells = b""
    for row, values in enumerate(rows):
        for column, value in enumerate(values):
            place = struct.pack("<HHH", row, column, 0)
            if isinstance(value, str):
                text = struct.pack("<HB", len(value), 1) + value.encode("utf-16-le")
                cells += record(0x204, place + text)
            else:
                cells += record(0x203, place + struct.pack("<d", value))
    sheet = (
        record(0x809, struct.pack("<HHHHII", 0x600, 0x0010, 0, 0, 0, 6)) + cells + record(0xA, b"")
    )
    bound = len(opening) + 4 + 10 + 4
    listed = record(0x85, struct.pack("<IHBB", bound, 0, 1, 0) + b"S\0")
    stream = opening + listed + record(0xA, b"")
    assert len(stream) == bound
    return compound({"Workbook": stream + sheet})


def open_document(rows: list[list[str]]) -> bytes:
    """A workbook of one sheet, S, as OpenDocument."""
    cell = '<table:table-cell office:value-type="string"><text:p>{}</text:p></table:table-cell>'
    lines = "".join(
        f"<table:table-row>{''.join(cell.format(text) for text in row)}</table:table-row>"
        for row in rows
    )
    space = "urn:oasis:names:tc:opendocument:xmlns"
    content = (
        f'<office:document-content xmlns:office="{space}:office:1.0" '
        f'xmlns:table="{space}:table:1.0" xmlns:text="{space}:text:1.0"><office:body>'
        f'<office:spreadsheet><table:table table:name="S">{lines}</table:table>'
        "</office:spreadsheet></office:body></office:document-content>"
    )
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("content.xml", content)
        archive.writestr("META-INF/manifest.xml", "<manifest/>")
    return stream.getvalue()


def binary_form(rows: list[list[str | float | int]]) -> bytes:
    """A workbook of one sheet, S, as Excel's binary form; an integer is the code of an error."""

    def part(kind: int, body: bytes = b"") -> bytes:
        name = bytes([kind]) if kind < 128 else bytes([kind & 0x7F | 0x80, kind >> 7])
        low, high = len(body) & 0x7F, len(body) >> 7
        return name + (bytes([low | 0x80, high]) if high else bytes([low])) + body

    def text(value: str) -> bytes:
        return struct.pack("<I", len(value)) + value.encode("utf-16-le")

    cells = b""
    for row, values in enumerate(rows):
        cells += part(0, struct.pack("<I", row) + bytes(21))
        for column, value in enumerate(values):
            place = struct.pack("<II", column, 0)
            if isinstance(value, str):
                cells += part(6, place + text(value))
            elif isinstance(value, float):
                cells += part(5, place + struct.pack("<d", value))
            else:
                cells += part(3 if column else 11, place + bytes([value]) + bytes(6))
    size = struct.pack("<IIII", 0, len(rows) - 1, 0, len(rows[0]) - 1)
    listed = part(156, struct.pack("<II", 0, 1) + text("rId1") + text("S"))
    space = "http://schemas.openxmlformats.org/package/2006/relationships"
    kind = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet"
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("xl/workbook.bin", part(131) + part(143) + listed + part(144) + part(132))
        archive.writestr(
            "xl/_rels/workbook.bin.rels",
            f'<Relationships xmlns="{space}"><Relationship Id="rId1" Type="{kind}" '
            'Target="worksheets/sheet1.bin"/></Relationships>',
        )
        archive.writestr(
            "xl/worksheets/sheet1.bin",
            part(129) + part(148, size) + part(145) + cells + part(146) + part(130),
        )
    return stream.getvalue()


def write(folder: Path, name: str, data: bytes) -> Path:
    file = folder / name
    file.write_bytes(data)
    return file


@pytest.mark.parametrize("name", ["old.xls", "old.xlsx"])
def test_an_excel_97_workbook_is_read_whatever_it_is_called(tmp_path: Path, name: str) -> None:
    data = excel_97([["N°", "Lieu"], [12.0, "Kémo"], ["0013", "Bria"], [202607040000012345.0, "x"]])
    file = write(tmp_path, name, data)
    rows, found = read(file, make_feed(["N°", "Lieu"], file=XLSX))
    assert found[:2] == [(2, "12", "Kémo"), (3, "0013", "Bria")]
    assert found[2][1].endswith("E+17")
    assert rows.sheets == ("S",)


def test_an_open_document_is_read(tmp_path: Path) -> None:
    file = write(tmp_path, "d.ods", open_document([["a", "b"], ["1", "Kémo"]]))
    assert read(file, make_feed(["a", "b"], file=XLSX))[1] == [(2, "1", "Kémo")]


def test_a_workbook_in_binary_form_is_read_and_its_errors_stay(tmp_path: Path) -> None:
    """A constant and what a formula gave; the parser leaves nothing for either."""
    data = binary_form([["N°", "Lieu"], ["0013", "Kémo"], [12.0, 0x2A], [0x17, "Bria"]])
    rows, found = read(write(tmp_path, "d.xlsb", data), make_feed(["N°", "Lieu"], file=XLSX))
    assert found == [(2, "0013", "Kémo"), (3, "12", "#N/A"), (4, "#REF!", "Bria")]
    assert rows.sheets == ("S",)


def test_an_error_in_an_excel_97_workbook_stays_one(tmp_path: Path) -> None:
    """As a constant and as what a formula gave; a formula that gave a truth is none."""
    sound = excel_97([["a", "b"], ["1", 2.0], ["2", 3.0], ["3", 4.0]])
    number = [struct.pack("<HHH", row, 1, 0) + struct.pack("<d", row + 1.0) for row in (1, 2, 3)]
    constant = struct.pack("<HHHBB", 1, 1, 0, 0x2A, 1)
    result = struct.pack("<HHHBBBBHH", 2, 1, 0, 2, 0, 0x17, 0, 0, 0xFFFF)
    failed = result + struct.pack("<HIH", 0, 0, 0)
    truth = struct.pack("<HHHBB", 3, 1, 0, 1, 0)
    for old, (kind, new) in zip(
        number, [(0x205, constant), (0x6, failed), (0x205, truth)], strict=True
    ):
        # Another length moves what follows in the stream, of which nothing says where it is.
        sound = sound.replace(record(0x203, old), record(kind, new), 1)
    stream = sound[512 * 3 :]
    file = write(
        tmp_path, "d.xls", compound({"Workbook": stream[: stream.rindex(record(0xA, b"")) + 4]})
    )
    found = read(file, make_feed(["a", "b"], file=XLSX))[1]
    assert found[:2] == [(2, "1", "#N/A"), (3, "2", "#REF!")]
    assert found[2][2].upper() in {"TRUE", "1"}


def test_an_error_in_an_open_document_stays_one(tmp_path: Path) -> None:
    """The parser leaves nothing, or 0, where a formula failed: a number that nobody wrote."""
    sheet = zipfile.ZipFile(io.BytesIO(open_document([["a", "b"], ["1", "x"], ["2", "y"]])))
    text = sheet.read("content.xml").decode()
    error = 'office:value-type="{}" calcext:value-type="error"{}><text:p>{}</text:p>'
    sound = 'office:value-type="string"><text:p>{}</text:p>'
    text = text.replace(sound.format("x"), error.format("string", "", "#N/A"))
    text = text.replace(sound.format("y"), error.format("float", ' office:value="0"', "#DIV/0!"))
    space = 'xmlns:calcext="urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0"'
    text = text.replace("<office:document-content", f"<office:document-content {space}", 1)
    # rows and columns that are repeated count as often as they are
    row = '<table:table-row table:number-rows-repeated="3"><table:table-cell/></table:table-row>'
    text = text.replace("</table:table-row>", f"</table:table-row>{row}", 1)
    file = tmp_path / "d.ods"
    with zipfile.ZipFile(file, "w") as archive:
        for name in ("mimetype", "META-INF/manifest.xml"):
            archive.writestr(name, sheet.read(name))
        archive.writestr("content.xml", text)
    assert read(file, make_feed(["a", "b"], file=XLSX))[1] == [
        (5, "1", "#N/A"),
        (6, "2", "#DIV/0!"),
    ]


@pytest.mark.parametrize(
    ("name", "make"),
    [("d.xls", excel_97), ("d.xlsb", binary_form), ("d.ods", open_document)],
)
def test_such_a_sample_is_proposed_as_a_feed(tmp_path: Path, name: str, make: Any) -> None:
    found = sniff(write(tmp_path, name, make([["N°", "Lieu"], ["1", "x"], ["2", "y"]])))
    assert found.layout["format"] == "xlsx"
    assert found.layout["name"] == f"*.{name[2:]}"
    assert found.headings == ["N°", "Lieu"]


WORD = compound({"WordDocument": b"x"})
FORMS = {
    "HTML": b"<html><body><table><tr><td>a</td></tr></table></body></html>",
    "XML (Excel 2003)": b'<?xml version="1.0"?>'
    b'<Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet"/>',
    "PDF": b"%PDF-1.7 ...",
    "DOC (Word 97)": WORD,
    "TXT": b"a;b\n1;2\n",
}


@pytest.mark.parametrize("kind", FORMS)
def test_what_is_no_workbook_is_named_for_what_it_is(tmp_path: Path, kind: str) -> None:
    file = write(tmp_path, "d.xlsx", FORMS[kind])
    with pytest.raises(DeliveryError) as refusal:
        read(file, make_feed(["a", "b"], file=XLSX))
    (found,) = refusal.value.findings
    assert (found.code, found.values["expected"], found.values["found"]) == (
        "DEL-713",
        "XLSX",
        kind,
    )
    if kind != "TXT":
        with pytest.raises(DeliveryError, match="DEL-713"):
            sniff(file)
        text = {"format": "csv", "name": "*"}
        assert codes(file, make_feed(["a", "b"], file=text)) == ["DEL-713"]


def test_macros_passwords_and_what_grows_are_refused_in_other_kinds_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    feed = make_feed(["a"], file=XLSX)
    sheet = excel_97([["a"], ["1"]])
    assert codes(write(tmp_path, "m.xls", sheet + "_VBA_PROJECT".encode("utf-16-le")), feed) == [
        "DEL-709"
    ]
    locked = compound({"EncryptedPackage": b"x"})
    assert codes(write(tmp_path, "l.xlsx", locked), feed) == ["DEL-710"]
    monkeypatch.setattr(workbook_kinds, "LARGEST_UNPACKED_BYTES", 10)
    assert codes(write(tmp_path, "g.ods", open_document([["a"], ["1"]])), feed) == ["DEL-708"]


def test_no_entity_is_expanded_in_an_open_document(tmp_path: Path) -> None:
    with zipfile.ZipFile(io.BytesIO(open_document([["a"], ["1"]]))) as whole:
        content = whole.read("content.xml")
    file = tmp_path / "e.ods"
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("content.xml", b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">]>' + content)
    with pytest.raises(ValueError):
        errors_of(file, ODS)


def test_a_cell_far_away_in_an_old_workbook_takes_no_memory_of_ours(tmp_path: Path) -> None:
    rows = [["a"], ["1"]]
    data = excel_97(rows)
    far = record(0x203, struct.pack("<HHHd", 65_535, 255, 0, 1.0))
    stream = data[1536 : 1536 + 4096].rstrip(b"\0")
    stream = stream[: stream.rindex(b"\x0a")] + far + record(0xA, b"")
    file = write(tmp_path, "far.xls", compound({"Workbook": stream}))
    assert codes(file, make_feed(["a"], file=XLSX)) == ["DEL-708"]


def merged(folder: Path) -> Path:
    book = openpyxl.Workbook()
    for row in (
        ["a", "b", "c"],
        ["1", "Kémo", "x"],
        ["2", None, "y"],
        ["3", None, "z"],
        ["4", "Bria"],
    ):
        book.active.append(row)
    book.active.merge_cells("B2:B4")
    book.active.merge_cells("B6:B9")  # blank, and below the table
    file = folder / "d.xlsx"
    book.save(file)
    return file


def test_merged_cells_count_for_their_rows_where_the_feed_says_so(tmp_path: Path) -> None:
    feed = make_feed(["a", "b", "c"], file={**XLSX, "merged_cells": "fill"})
    assert read(merged(tmp_path), feed)[1] == [
        (2, "1", "Kémo", "x"),
        (3, "2", "Kémo", "y"),
        (4, "3", "Kémo", "z"),
        (5, "4", "Bria", None),
    ]


def test_rows_under_merged_cells_are_set_aside_where_it_does_not(tmp_path: Path) -> None:
    file = merged(tmp_path)
    with scratch_connection() as connection:
        rows = read_text_rows(connection, file, make_feed(["a", "b", "c"], file=XLSX))
        found = connection.execute("SELECT source_row FROM text_rows ORDER BY 1").fetchall()
        unread = connection.execute("FROM text_rows_unreadable ORDER BY 1").fetchall()
    assert [row for (row,) in found] == [2, 5]
    assert unread == [(3, "DEL-760"), (4, "DEL-760")]
    assert rows.rows_unreadable == {"DEL-760": 2}


def test_merged_cells_of_a_column_that_is_not_read_do_no_harm(tmp_path: Path) -> None:
    words = {"en": "never read", "fr": "jamais lu"}
    feed = make_feed(["a", "c"], file=XLSX, ignore={"b": words})
    assert len(read(merged(tmp_path), feed)[1]) == 4


def test_links_to_other_files_are_told_and_not_followed(tmp_path: Path) -> None:
    file = merged(tmp_path)
    with zipfile.ZipFile(file, "a") as archive:
        archive.writestr("xl/externalLinks/externalLink1.xml", "<externalLink/>")
    feed = make_feed(["a", "b", "c"], file={**XLSX, "merged_cells": "fill"})
    rows, found = read(file, feed)
    assert len(found) == 4
    assert [(one.code, one.values["links"]) for one in rows.notes] == [("DEL-762", 1)]
