"""Where the number of our report is found, and what bears none."""

from __future__ import annotations

import datetime as dt
import zipfile
from pathlib import Path

import pytest

from pipelines.landing.report_number import (
    find_number,
    has_number,
    number_of,
    numbered_lines,
    numbered_records,
    row_sheets,
)

FEED = "caf_police_incidents"
NUMBER = number_of(f"{FEED}.9f2c1b7a44d0", dt.datetime(2026, 11, 30, 6, 45, 0, 123456))
TEXT = f"# passerelle_report: {NUMBER}\r\nA;B\r\n"


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.csv", TEXT.encode("cp1252")),
        ("a.csv", f'"# passerelle_report: {NUMBER}";;'.encode()),
        ("a.csv", b"sep=;\r\n" + TEXT.encode()),
        ("a.txt", TEXT.encode("utf-16")),
        ("a.json", f'{{"data": [{{"passerelle_report": "{NUMBER}", "a": 1}}]}}'.encode()),
        ("a.xls", bytes.fromhex("d0cf11e0a1b11ae1") + b"\0" * 9000 + str(NUMBER).encode("utf-16")),
        (f"{NUMBER}.to-correct (1).csv", b"A;B"),
    ],
)
def test_it_is_found_wherever_it_stands(tmp_path: Path, name: str, data: bytes) -> None:
    file = tmp_path / name
    file.write_bytes(data)
    found = find_number(file, name, FEED)
    assert found == NUMBER
    assert found.judged_at == dt.datetime(2026, 11, 30, 6, 45, 0, 123456, tzinfo=dt.UTC)
    assert found.delivery_id == f"{FEED}.9f2c1b7a44d0"


@pytest.mark.parametrize("part", ["docProps/custom.xml", "meta.xml"])
def test_a_workbook_has_it_in_its_properties(tmp_path: Path, part: str) -> None:
    file = tmp_path / "a.xlsx"
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(part, f"<property><value>{NUMBER}</value></property>")
    assert find_number(file, file.name, FEED) == NUMBER
    assert find_number(file, file.name, "cod_pnc_incidents") is None


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"PK\x03\x04 and no more",
        f"about {NUMBER}".encode(),  # a text that only speaks of it
        TEXT.replace("20261130", "20261331").encode(),  # no moment
        TEXT.replace("9f2c", "zz2c").encode(),
    ],
)
def test_anything_else_bears_none(tmp_path: Path, data: bytes) -> None:
    file = tmp_path / "a.csv"
    file.write_bytes(data)
    assert find_number(file, file.name, FEED) is None


def test_a_file_bears_one_number_however_often_it_goes_back() -> None:
    later = number_of(NUMBER.delivery_id, dt.datetime(2026, 12, 1))
    for lines, is_hidden in ((["A;B\r\n", "1;2\r\n"], False), (["sep=;\r\n", "A;B\r\n"], True)):
        once = list(numbered_lines(lines, NUMBER, is_hidden=is_hidden))
        assert [has_number(one) for one in once] == [not is_hidden, is_hidden, False]
        again = list(numbered_lines(once, later, is_hidden=is_hidden))
        assert [one.replace(str(later), str(NUMBER)) for one in again] == once != again
        assert list(numbered_lines(once, None)) == once
    records = ['{"a": 1}', "{}"]
    once = list(numbered_records(records, NUMBER))
    assert once == [f'{{"passerelle_report": "{NUMBER}", "a": 1}}', "{}"]
    assert next(iter(numbered_records(once, later))).count("passerelle_report") == 1
    assert list(numbered_records(["{}"], NUMBER)) == [f'{{"passerelle_report": "{NUMBER}"}}']


def test_sheets_for_reading_are_no_rows() -> None:
    import re

    pattern = row_sheets("^OB|.*")
    read = {name: bool(re.fullmatch(pattern, name)) for name in ("OB 2026", "Lignes à corriger")}
    assert all(read.values())
    for name in ("Summary", "Résumé", "Cells to look at", "Cellules à examiner"):
        assert not re.search(pattern, name)
