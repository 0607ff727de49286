"""Wrong and hostile deliveries: a declared code, in seconds and in bounded memory, never a trace.

Not here: ordinary mistakes of each format (`tests/unit/landing`), wrong rows (`harmonise`).
"""

from __future__ import annotations

import io
import shutil
import traceback
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from reading import codes, make_feed, read

from pipelines.core.findings import DeliveryError
from pipelines.core.settings import settings_for
from pipelines.landing.readers import delimited, workbook_kinds
from pipelines.landing.readers import json as json_reader
from pipelines.landing.receive import list_deliveries, receive

resource = pytest.importorskip("resource", reason="measures memory as POSIX does")
GIGABYTE = 1024**3
CSV = {"format": "csv", "name": "*.csv"}
XLSX = {"format": "xlsx", "name": "*.xlsx"}
SECRET = "Awa-Ndiaye-0661"  # noqa: S105  (a cell, not a password)


def feed(layout: dict[str, Any]) -> Any:
    return make_feed(["a", "b"], file=layout)


def write(folder: Path, name: str, data: bytes) -> Path:
    file = folder / name
    file.write_bytes(data)
    return file


def sparse(folder: Path, name: str, head: bytes, size: int) -> Path:
    """A file that claims `size` bytes and takes hardly any room on the disk."""
    file = write(folder, name, head)
    with file.open("r+b") as stream:
        stream.truncate(size)
    return file


def peak_bytes() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def xlsx(folder: Path, rows: list[list[Any]] | None = None) -> Path:
    book = openpyxl.Workbook()
    for row in rows or [["a", "b"], [1, 2]]:
        book.active.append(row)
    book.save(folder / "d.xlsx")
    return folder / "d.xlsx"


def with_part(folder: Path, name: str, data: bytes, rows: list[list[Any]] | None = None) -> Path:
    """A workbook with one more part in its archive, or one replaced."""
    plain = xlsx(folder, rows)
    changed = folder / "e.xlsx"
    with zipfile.ZipFile(plain) as old, zipfile.ZipFile(changed, "w", zipfile.ZIP_DEFLATED) as new:
        for part in old.namelist():
            if part != name:
                new.writestr(part, old.read(part))
        new.writestr(name, data)
    return changed


# --- text ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("quote", [b"", b'"'])
def test_a_cell_of_two_gigabytes_is_not_read(tmp_path: Path, quote: bytes) -> None:
    before = peak_bytes()
    file = sparse(tmp_path, "d.csv", b"a,b\n1,2\n3," + quote + b"x", 2 * GIGABYTE)
    assert codes(file, feed(CSV)) == ["DEL-707"]
    assert peak_bytes() - before < GIGABYTE // 2


def test_a_long_cell_of_short_lines(tmp_path: Path) -> None:
    data = b'a,b\n1,"' + b"line\n" * (delimited.LONGEST_CELL_CHARS // 4) + b'"\n'
    assert codes(write(tmp_path, "d.csv", data), feed(CSV)) == ["DEL-707"]


def test_a_json_text_of_two_gigabytes_is_not_read(tmp_path: Path) -> None:
    before = peak_bytes()
    file = sparse(tmp_path, "d.json", b'[{"a": "', 2 * GIGABYTE)
    assert codes(file, feed({"format": "json"})) == ["DEL-707"]
    file = sparse(tmp_path, "d.ndjson", b'{"a": 1}\n{"a": "', 2 * GIGABYTE)
    assert codes(file, feed({"format": "ndjson"})) == ["DEL-707"]
    assert peak_bytes() - before < GIGABYTE // 2


def test_a_record_beyond_the_limit(tmp_path: Path) -> None:
    numbers = b"1," * json_reader.LARGEST_RECORD_BYTES
    text = b'{"a": 1, "b": [' + numbers + b"1]}"
    line = write(tmp_path, "d.ndjson", b'{"a": 1}\n' + text)
    assert codes(line, feed({"format": "ndjson"})) == ["DEL-707"]
    array = write(tmp_path, "d.json", b"[" + text + b"]")
    assert codes(array, feed({"format": "json"})) == ["DEL-707"]


def test_a_json_array_that_never_closes(tmp_path: Path) -> None:
    text = b"[" + b'{"a": 1, "b": 2},\n' * 200_000
    assert codes(write(tmp_path, "d.json", text), feed({"format": "json"})) == ["DEL-711"]


@pytest.mark.parametrize(
    "text",
    [
        b'[{"a": ' + b"[" * 200_000 + b"]" * 200_000 + b"}]",
        b'[{"a": ' + b'{"a": ' * 100_000 + b"1" + b"}" * 100_000 + b"}]",
        b"[" * 3_000_000,
    ],
)
def test_json_nested_beyond_reason_does_not_kill_the_process(tmp_path: Path, text: bytes) -> None:
    assert codes(write(tmp_path, "d.json", text), feed({"format": "json"})) == ["DEL-711"]
    line = write(tmp_path, "d.ndjson", text[1:-1] + b"\n")
    assert codes(line, feed({"format": "ndjson"})) == ["DEL-711"]


def test_many_brackets_in_a_text_are_no_nesting(tmp_path: Path) -> None:
    text = b'[{"a": "' + b"[{" * 500 + b'", "b": [[1], [2]]}]'
    rows = read(write(tmp_path, "d.json", text), feed({"format": "json"}))[1]
    assert rows == [(1, "[{" * 500, "[[1],[2]]")]


@pytest.mark.parametrize("layout", [CSV, {"format": "json"}, {"format": "ndjson"}, XLSX])
@pytest.mark.parametrize(
    "data",
    [
        b"\x00" * 4096,
        bytes(range(256)) * 64,
        b"\xff\xfe\x00",
        b"%PDF-1.7\n%\xe2\xe3",
        b"PK\x03\x04",
    ],
)
def test_files_of_another_kind(tmp_path: Path, layout: dict[str, Any], data: bytes) -> None:
    file = write(tmp_path, f"d.{layout['format']}", data)
    found = codes(file, feed(layout))
    assert len(set(found) - {"DEL-750"}) == 1, found  # and that its bytes are zero, if they are
    assert found[0].startswith("DEL-7"), found


def test_a_file_beyond_the_limit_is_not_opened(tmp_path: Path) -> None:
    file = sparse(tmp_path, "d.csv", b"a,b\n", 9 * GIGABYTE)
    assert codes(file, feed(CSV)) == ["DEL-718"]


@pytest.mark.parametrize(
    "text",
    [
        f'a,b\n{SECRET},1\n"{SECRET}"x,2\n',
        f"a,b\n{SECRET},1,{SECRET}\n",
        f'a,b\n{SECRET},"{SECRET}\n',
        f"a,b\n{SECRET},\x81\n{SECRET},\x81\n",
    ],
)
def test_no_cell_is_shown_in_a_refusal(tmp_path: Path, text: str) -> None:
    file = write(tmp_path, "d.csv", text.encode("latin-1"))
    with pytest.raises(DeliveryError) as refusal:
        read(file, feed(CSV))
    assert SECRET not in "".join(traceback.format_exception(refusal.value))
    assert SECRET not in repr(refusal.value) + repr(refusal.value.findings)


# --- workbooks ----------------------------------------------------------------------------------


def bomb(folder: Path) -> Path:
    return with_part(folder, "xl/media/image1.png", b"\0" * 24 * 1024**2)


def swollen_text(folder: Path) -> Path:
    return with_part(folder, "xl/sharedStrings.xml", b"<sst>" + b"x" * 24 * 1024**2)


def far_cell(folder: Path) -> Path:
    """One cell at the far corner makes a sheet of 17 billion cells."""
    book = openpyxl.Workbook()
    book.active.append(["a", "b"])
    book.active["XFD1048576"] = 1
    book.save(folder / "d.xlsx")
    return folder / "d.xlsx"


def compound(marker: str) -> Callable[[Path], Path]:
    data = workbook_kinds.COMPOUND_FILE + b"\0" * 600 + marker.encode("utf-16-le") + b"\0" * 600
    return lambda folder: write(folder, "d.xlsx", data)


def cut_short(folder: Path) -> Path:
    data = xlsx(folder).read_bytes()
    return write(folder, "d.xlsx", data[: len(data) * 2 // 3])


def damaged(folder: Path) -> Path:
    data = bytearray(xlsx(folder, [["a", "b"], *([n, n * 7] for n in range(500))]).read_bytes())
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        at = archive.getinfo("xl/worksheets/sheet1.xml").header_offset + 200
    data[at : at + 64] = b"\xaa" * 64
    return write(folder, "d.xlsx", bytes(data))


ENTITIES = (
    b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>'
    b'<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><si><t>&b;</t></si></sst>'
)
# In letters of two bytes, in which no search for bytes finds a declaration.
WIDE_ENTITIES = (
    '<?xml version="1.0" encoding="UTF-16"?><!DOCTYPE x [<!ENTITY a "Sheet1">]>'
    '<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r='
    '"http://schemas.openxmlformats.org/officeDocument/2006/relationships">'
    '<sheets><sheet name="&a;" sheetId="1" r:id="rId1"/></sheets></workbook>'
).encode("utf-16")


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (bomb, "DEL-708"),
        (swollen_text, "DEL-708"),
        (far_cell, "DEL-728"),
        (compound("EncryptedPackage"), "DEL-710"),
        (compound("Workbook"), "DEL-702"),
        (cut_short, "DEL-702"),
        (damaged, "DEL-702"),
        (lambda f: with_part(f, "xl/vbaProject.bin", b"x"), "DEL-709"),
        (lambda f: with_part(f, "xl/macrosheets/sheet1.xml", b"<x/>"), "DEL-709"),
        (lambda f: with_part(f, "xl/embeddings/oleObject1.bin", b"x"), "DEL-719"),
        (lambda f: with_part(f, "xl/sharedStrings.xml", ENTITIES), "DEL-719"),
        (lambda f: with_part(f, "xl/workbook.xml", WIDE_ENTITIES), "DEL-713"),
        (lambda f: with_part(f, "xl/workbook.xml", b"<broken"), "DEL-713"),
        (lambda f: xlsx(f, [["a", "b"], [1, "=1+1"]]), "DEL-724"),
        (lambda f: write(f, "d.xlsx", b"a,b\n1,2\n"), "DEL-713"),
    ],
)
def test_workbooks_that_are_not_opened(
    tmp_path: Path, make: Callable[[Path], Path], expected: str
) -> None:
    before = peak_bytes()
    assert codes(make(tmp_path), feed(XLSX)) == [expected]
    assert peak_bytes() - before < GIGABYTE // 2


def test_an_archive_that_is_no_workbook(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "d.xlsx", "w") as archive:
        archive.writestr("d.csv", "a,b\n1,2\n")
    assert codes(tmp_path / "d.xlsx", feed(XLSX)) == ["DEL-713"]


def test_saved_values_of_formulas_are_read_and_counted(tmp_path: Path) -> None:
    import xlsxwriter

    with xlsxwriter.Workbook(tmp_path / "d.xlsx") as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, ["a", "b"])
        for row in range(1, 6):
            sheet.write_row(row, 0, [row])
            sheet.write_formula(row, 1, f"=A{row + 1}*2", None, row * 2)
    rows, found = read(tmp_path / "d.xlsx", feed(XLSX))
    assert [row[2] for row in found] == ["2", "4", "6", "8", "10"]
    assert [(note.code, note.values["cells"]) for note in rows.notes] == [("DEL-712", 5)]


def test_texts_that_look_like_formulas_stay_texts(tmp_path: Path) -> None:
    text = b'a,b\n"=HYPERLINK(""http://x"",""y"")",+1\n@SUM(A1),-2\n'
    rows = read(write(tmp_path, "d.csv", text), feed(CSV))[1]
    assert rows == [(2, '=HYPERLINK("http://x","y")', "+1"), (3, "@SUM(A1)", "-2")]


# --- landing ------------------------------------------------------------------------------------


def test_a_file_beyond_the_limit_is_not_kept(tmp_path: Path) -> None:
    settings = settings_for(tmp_path / "home", largest_delivery_bytes=10)
    file = write(tmp_path, "d.csv", b"a,b\n" * 10)
    with pytest.raises(DeliveryError) as refusal:
        receive(settings, "ucdp_ged_incidents", file)
    assert [one.code for one in refusal.value.findings] == ["DEL-718"]
    assert list_deliveries(settings) == []
    assert not [path for path in settings.landing.rglob("*") if path.is_file()]
    shutil.rmtree(settings.home)
