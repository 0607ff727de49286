"""The layout of a sample: encodings, delimiters, headers, sheets, arrays.

Not here: what columns mean (`test_guess.py`).
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import xlsxwriter

from pipelines.authoring.sniff import header_of, sheets_pattern, sniff
from pipelines.core.findings import DeliveryError

TABLE = "n°{d}préfecture{d}décès\r\n1{d}Kémo{d}2\r\n2{d}Ouaka{d}0\r\n3{d}Vakaga{d}1\r\n"


@pytest.mark.parametrize("delimiter", [";", ",", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
def test_delimiter_and_encoding(tmp_path: Path, delimiter: str, encoding: str) -> None:
    sample = tmp_path / "sample.csv"
    sample.write_bytes(TABLE.format(d=delimiter).encode(encoding))
    found = sniff(sample)
    assert (found.layout["delimiter"], found.layout["encoding"]) == (delimiter, encoding)
    assert found.headings == ["n°", "préfecture", "décès"]


def test_a_comma_inside_quotes_is_no_delimiter(tmp_path: Path) -> None:
    sample = tmp_path / "sample.csv"
    sample.write_text('id;place\n1;"Bria, marché, axe Ippy"\n2;"Ippy, centre"\n', encoding="utf-8")
    assert sniff(sample).layout["delimiter"] == ";"


def test_an_encoding_that_was_guessed_is_a_doubt(tmp_path: Path) -> None:
    sample = tmp_path / "sample.csv"
    sample.write_bytes(TABLE.format(d=";").encode("cp1252"))
    assert "encoding" in sniff(sample).doubts


@pytest.mark.parametrize(
    ("rows", "header_rows"),
    [
        ([["id", "date"], ["1", "01/05/2026"]], [1]),
        ([["REGISTER", "", ""], ["", "", ""], ["id", "date", "n"], ["1", "2026-05-01", "2"]], [3]),
        (
            [
                ["No", "Victims", "", "Date"],
                ["", "Female", "Male", ""],
                ["1", "2", "3", "2026-05-01"],
            ],
            [1, 2],
        ),
        (
            [
                ["TITLE", "TITLE", "TITLE", "TITLE"],
                ["No", "Victims", "Victims", "Date"],
                ["", "Female", "Male", ""],
                ["1", "2", "3", "2026-05-01"],
            ],
            [2, 3],
        ),
        ([["1", "2"], ["3", "4"]], [1]),
    ],
)
def test_header_rows(rows: list[list[str]], header_rows: list[int]) -> None:
    assert header_of(rows)[0] == header_rows


def test_a_table_without_words_is_a_doubt() -> None:
    assert header_of([["1", "2"], ["3", "4"]])[1] == "no row looks like a header"


def test_hxl_tags_under_the_header(tmp_path: Path) -> None:
    sample = tmp_path / "sample.csv"
    sample.write_text("id,where\n#event+id,#adm1+name\n1,Unity\n", encoding="utf-8")
    assert sniff(sample).layout["hxl_row"] == "optional"


@pytest.mark.parametrize(
    ("names", "pattern"),
    [
        (["OB 2026"], "^(OB 20[0-9]{2})$"),
        (["Arrivals", "Departures"], "^(Arrivals|Departures)$"),
        (["A (1)"], r"^(A \(1\))$"),
    ],
)
def test_sheets_pattern(names: list[str], pattern: str) -> None:
    assert sheets_pattern(names) == pattern


def test_some_months_stand_for_all_months() -> None:
    pattern = sheets_pattern(["Mai 2026", "Juin 2026"])
    assert pattern.startswith("^(Janvier|")
    assert pattern.endswith("|Décembre) 20[0-9]{2}$")


def test_a_workbook_with_merged_headers(tmp_path: Path) -> None:
    sample = tmp_path / "book.xlsx"
    with xlsxwriter.Workbook(str(sample)) as book:
        sheet = book.add_worksheet("Mai 2026")
        sheet.merge_range(0, 0, 0, 3, "MAIN COURANTE")
        sheet.merge_range(1, 0, 2, 0, "N°")
        sheet.merge_range(1, 1, 1, 2, "Victimes")
        sheet.merge_range(1, 3, 2, 3, "Date")
        sheet.write_row(2, 1, ["Femmes", "Hommes"])
        sheet.write_row(3, 0, [1, 2, 3, "01/05/2026"])
        book.add_worksheet("Notice").write(0, 0, "nothing here")
    found = sniff(sample)
    assert found.layout["header_rows"] == [2, 3]
    assert found.headings == ["N°", "Victimes / Femmes", "Victimes / Hommes", "Date"]
    assert found.layout["sheets"] == "^(Mai 20[0-9]{2})$"
    assert "sheets" in found.doubts


def test_the_longest_array_of_a_document(tmp_path: Path) -> None:
    sample = tmp_path / "sample.json"
    document = {"errors": [{"a": 1}], "data": {"events": [{"id": 1}, {"id": 2}]}}
    sample.write_text(json.dumps(document), encoding="utf-8")
    found = sniff(sample)
    assert (found.layout["format"], found.layout["records"]) == ("json", "$.data.events")
    assert "records" in found.doubts


def test_lines_of_json_and_geojson(tmp_path: Path) -> None:
    lines = tmp_path / "sample.ndjson"
    lines.write_text('{"id": 1}\n{"id": 2}\n', encoding="utf-8")
    assert sniff(lines).layout["format"] == "ndjson"
    features = tmp_path / "sample.geojson"
    features.write_text('{"type": "FeatureCollection", "features": []}', encoding="utf-8")
    assert sniff(features).layout["format"] == "geojson"


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "DEL-706"),
        (b'{"a": [', "DEL-711"),
        (b'{"a": 1}', "DEL-706"),
        (b"PK\x03\x04x", "DEL-713"),
        (b"1/26;28/05/2026;28/05/2026;Vol\n2/26;29/05/2026;29/05/2026;Vol\n", "DEL-714"),
        (b"A;Jean;12;3\nB;Luc;13;4\n", "DEL-714"),
        (b"A;12/05/2026;13\nB;;\nC;14/05/2026;2\n", "DEL-714"),
        (b"BT1;Jean;Vol;Feu\nBT2;Luc;Vol;Feu\nBT3;Paul;Viol;Feu\n", "DEL-714"),
    ],
)
def test_what_cannot_be_read_is_refused(tmp_path: Path, content: bytes, code: str) -> None:
    sample = tmp_path / "sample"
    sample.write_bytes(content)
    with pytest.raises(DeliveryError) as refused:
        sniff(sample)
    assert [finding.code for finding in refused.value.findings] == [code]
    assert "sample" in refused.value.findings[0].text("en")


def test_a_header_on_every_page_and_years_are_still_headings(tmp_path: Path) -> None:
    sample = tmp_path / "sample.csv"
    header = "n;place;kind;2025;2026\n"
    sample.write_text(header + "1;a;b;3;4\n" + header + "2;a;b;5;6\n", encoding="utf-8")
    assert sniff(sample).headings == ["n", "place", "kind", "2025", "2026"]
