"""Workbooks: titles, merged headings, sheets a month, cells of every kind as text."""

from __future__ import annotations

import datetime as dt
import re
import zipfile
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from reading import codes, make_feed, read

from pipelines.core.findings import DeliveryError
from pipelines.landing.readers import workbook_safety
from pipelines.landing.readers.workbook import sheet_and_row
from pipelines.landing.readers.workbook_formats import shown_text

XLSX = {"format": "xlsx", "name": "*.xlsx"}


def save(folder: Path, sheets: dict[str, list[list[Any]]], merged: tuple[str, ...] = ()) -> Path:
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
        for cells in merged:
            sheet.merge_cells(cells)
    file = folder / "d.xlsx"
    book.save(file)
    return file


def test_every_kind_of_cell_as_text(tmp_path: Path) -> None:
    cells: list[tuple[Any, str | None]] = [
        ("0012", "0012"),
        (" x\u00a0", "x"),
        (5, "5"),
        (5.0, "5"),
        (5.25, "5.25"),
        (0.1 + 0.2, "0.3"),
        (-1234567.5, "-1234567.5"),
        (dt.datetime(2024, 3, 1), "2024-03-01"),
        (dt.datetime(2024, 3, 1, 8, 5, 59), "2024-03-01 08:05:59"),
        (dt.date(2024, 3, 1), "2024-03-01"),
        (dt.time(8, 5), "08:05:00"),
        (dt.timedelta(hours=30, minutes=5), "30:05:00"),
        (True, "TRUE"),
        ("2024-01-01 00:00:00", "2024-01-01 00:00:00"),
        ("NA", "NA"),
        ("nan", "nan"),
        (None, None),
    ]
    file = save(tmp_path, {"S": [["a", "b"], *([f"k{n}", c] for n, (c, _) in enumerate(cells))]})
    _, rows = read(file, make_feed(["a", "b"], file=XLSX))
    assert rows == [(n + 2, f"k{n}", text) for n, (_, text) in enumerate(cells)]


@pytest.mark.parametrize(
    ("number", "code", "shown"),
    [
        (12, "0000", "0012"),
        (12345, "0000", "12345"),
        (12, "000-000", "000-012"),
        (1234567, "000-000", "1234-567"),
        (12, '"PV-"0000', "PV-0012"),
        (12, '0000"/2026"', "0012/2026"),
        (12, "\\P000;[Red]-000", "P012"),
        (-12, "0000", "-0012"),
        (2, "00##", "02"),
    ],
)
def test_a_number_is_shown_as_its_format_shows_it(number: int, code: str, shown: str) -> None:
    assert shown_text(number, code) == shown


def test_leading_zeros_that_a_format_shows_are_what_was_written(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    for row in (["a", "n"], [12, 12], ["0012", 12], [12, 3], [12.5, 3], [12, 1]):
        book.active.append(row)
    for place, form in {
        **{"A2": "0000", "B2": "0000", "A4": "0", "A5": "0000", "A6": "#,##0", "B3": "0.00"},
    }.items():
        book.active[place].number_format = form
    file = tmp_path / "d.xlsx"
    book.save(file)
    feed = make_feed(["a"], file=XLSX, map={
        "source_record_id": {"from": "a"}, "victims_total": {"from": "n"},
    })  # fmt: skip
    _, rows = read(file, feed)
    # The zeros of a quantity mean nothing.
    assert rows == [
        (2, "0012", "12"), (3, "0012", "12"), (4, "12", "3"), (5, "12.5", "3"), (6, "12", "1"),
    ]  # fmt: skip


def test_a_number_of_more_figures_than_excel_keeps_is_shown_so(tmp_path: Path) -> None:
    numbers = [999_999_999_999_999, 202607040000012345, 202607040000012399, 1.5e300, -(10**16)]
    _, rows = read(
        save(tmp_path, {"S": [["a"], *([n] for n in numbers)]}), make_feed(["a"], file=XLSX)
    )
    shown = [text for _, text in rows]
    rounded = "2.02607040000012E+17"
    assert shown[:3] == ["999999999999999", rounded, rounded]
    assert all("E+" in text for text in shown[1:])


def test_excel_errors_are_shown_by_name(tmp_path: Path) -> None:
    file = save(tmp_path, {"S": [["a", "b"], ["1", "#N/A"], ["2", "x"], ["3", "#REF!"]]})
    _, rows = read(file, make_feed(["a", "b"], file=XLSX))
    assert [row[2] for row in rows] == ["#N/A", "x", "#REF!"]


def test_titles_merged_header_and_a_sheet_a_month(tmp_path: Path) -> None:
    head = [
        ["Main courante"],
        [],
        ["N°", "Victimes", None, "Suite", "Seul"],
        [None, "Total", "F", None, None],
    ]
    file = save(
        tmp_path,
        {
            "Janvier": [
                *head,
                [1, 3, 1, "x", "y"],
                [],
                [None, None, None, None, None],
                [2, 0, 0, None, "z"],
            ],
            "Notes": [["Rien ici"]],
            "Février": [*head, ["TOTAL", 3, 1], [3, 1, None, "w", "v"]],
        },
        merged=("A3:A4", "B3:C3", "D3:D4", "E3:E4"),
    )
    feed = make_feed(
        ["N°", "Victimes / Total", "Victimes / F", "Suite", "Seul", "sheet"],
        file={
            **XLSX,
            "header_rows": [3, 4],
            "sheets": "^(Janv|Févr)ier$",
            "with_sheet_column": True,
        },
        skip_rows=[{"column": "N°", "matches": "^TOTAL"}],
    )
    rows, found = read(file, feed)
    assert (rows.row_count, rows.rows_skipped, rows.sheets) == (3, 1, ("Janvier", "Février"))
    assert [(sheet_and_row(number), *cells) for number, *cells in found] == [
        ((0, 5), "1", "3", "1", "x", "y", "Janvier"),
        ((0, 8), "2", "0", "0", None, "z", "Janvier"),
        ((1, 6), "3", "1", None, "w", "v", "Février"),
    ]


def test_sheets_may_order_their_columns_differently_but_not_lack_one(tmp_path: Path) -> None:
    feed = make_feed(["a", "b"], file=XLSX)
    file = save(tmp_path, {"S": [["a", "b"], [1, 2]], "T": [["b", "a"], [4, 3]]})
    assert [row[1:] for row in read(file, feed)[1]] == [("1", "2"), ("3", "4")]
    assert codes(save(tmp_path, {"S": [["a", "b"], [1, 2]], "T": [["b"], [4]]}), feed) == [
        "DEL-703"
    ]


@pytest.mark.parametrize(
    ("sheets", "expected"),
    [
        ({"Other": [["x"], [1]]}, ["DEL-705"]),
        ({"S": [["a", "b"], [1, 2]], "S (2)": [["a", "b"], [3, 4]]}, ["DEL-729"]),
        ({"S (2)": [["a", "b"], [3, 4]], "T": [["x"]]}, ["DEL-705"]),
        ({"S": [["a", "b"]]}, ["DEL-706"]),
        ({"S": []}, ["DEL-706"]),
        ({"S": [[], ["a", "c"], [1, 2]]}, ["DEL-714"]),
        ({"S": [["a", "b"], [1, 2, "beside"]]}, ["DEL-704"]),
        ({"S": [["a", "b", "a"], [1, 2, 3]]}, ["DEL-716"]),
    ],
)
def test_what_cannot_be_read_is_refused(
    tmp_path: Path, sheets: dict[str, list[list[Any]]], expected: list[str]
) -> None:
    feed = make_feed(["a", "b"], file={**XLSX, "sheets": "^S$"})
    assert codes(save(tmp_path, sheets), feed) == expected


def test_a_renamed_sheet_is_named(tmp_path: Path) -> None:
    file = save(tmp_path, {"S": [["a", "b"], [1, 2]], "S (2)": [["a", "b"], [3, 4]]})
    with pytest.raises(DeliveryError) as refusal:
        read(file, make_feed(["a", "b"], file={**XLSX, "sheets": "^S$"}))
    assert refusal.value.findings[0].values["sheets"] == "S (2)"


@pytest.mark.parametrize("above", [0, 2])
@pytest.mark.parametrize("feed_sheets", ["^[ST]$", "^S$"])
def test_cells_of_a_row_that_is_no_header_are_never_quoted(
    tmp_path: Path, above: int, feed_sheets: str
) -> None:
    columns = ["Nom", "N°", "Pièce", "Poste", "sheet"]
    table = [["N°", "Poste"], ["DUPONT Jean", 1, "P-0001", "Bangui"], ["x", 2, "P-0002", "Bria"]]
    rows = [*[["Registre"]] * above, *table]
    layout = {**XLSX, "header_rows": [2], "sheets": feed_sheets, "with_sheet_column": True}
    file = save(tmp_path, {"S": rows, "T": rows})
    with pytest.raises(DeliveryError) as refusal:
        read(file, make_feed(columns, file=layout))
    assert [one.code for one in refusal.value.findings] == ["DEL-714"]
    assert "DUPONT" not in repr(refusal.value.findings)


def with_cells(folder: Path, cells: str, file: str = "d.xlsx") -> Path:
    """A table of two columns, and rows below it as XML."""
    plain = save(folder, {"Mai": [["a", "b"], [1, 2]]})
    with zipfile.ZipFile(plain) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    sheet = "xl/worksheets/sheet1.xml"
    parts[sheet] = parts[sheet].replace(b"</sheetData>", cells.encode() + b"</sheetData>")
    with zipfile.ZipFile(folder / file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, part in parts.items():
            archive.writestr(name, part)
    return folder / file


@pytest.mark.parametrize(
    "cell",
    [
        '<c r="XFD1048576" s="1"/>',
        '<c r="XFD1048576" s="1"></c>',
        '<c r="XFD1048576" s="1"><v/></c>',
        "<c r='XFD1048576' s='1'/>",
        '<c s="1"/>',
    ],
)
def test_a_coloured_cell_without_a_value_is_not_there(tmp_path: Path, cell: str) -> None:
    file = with_cells(tmp_path, f'<row r="1048576">{cell}</row>')
    assert read(file, make_feed(["a", "b"], file=XLSX))[1] == [(2, "1", "2")]


@pytest.mark.parametrize(
    "row",
    [
        '<row r="9"><c r="XFD1048576" s="1" t="str"><v> </v></c></row>',
        "<row r='9'><c r='XFD1048576'><v>1</v></c></row>",
        '<row r="9"><c foo="&gt;" r="xfd1048576"><v>1</v></c></row>',
        '<row r="9"><c s=\' r="A9"\' r="XFD1048576"><v>1</v></c></row>',
        '<row r="9"><x-y:c xmlns:x-y="z" r="XFD1048576"><x-y:v>1</x-y:v></x-y:c></row>',
        '<row r="999999999"><c><v>1</v></c></row>',
        '<row r="3"><c r="XFC3"/><c><v>1</v></c></row><row r="900000"/><row><c><v>1</v></c></row>',
        '<row r="9"><c' + " " * 100_000 + 'r="XFD1048576"><v>1</v></c></row>',
    ],
)
def test_a_value_far_away_is_said_to_be_there(tmp_path: Path, row: str) -> None:
    file = with_cells(tmp_path, row)
    feed = make_feed(["a", "b"], file=XLSX)
    assert codes(file, feed) == ["DEL-728"]
    with pytest.raises(DeliveryError) as refusal:
        read(file, feed)
    assert refusal.value.findings[0].values == {"file_name": "d.xlsx", "sheet": "Mai"}


def test_cells_that_do_not_say_where_they_stand_are_read(tmp_path: Path) -> None:
    file = with_cells(tmp_path, "<row><c><v>3</v></c><c><v>4</v></c></row>")
    found = read(file, make_feed(["a", "b"], file=XLSX))[1]
    assert found == [(2, "1", "2"), (3, "3", "4")]


def test_a_full_table_that_is_too_large_has_nothing_far_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workbook_safety, "MOST_CELLS", 100)
    feed = make_feed(["a", "b"], file={**XLSX, "sheets": "^S$"})
    table = [["a", "b"], *([n, n] for n in range(50))]
    assert codes(save(tmp_path, {"S": table}), feed) == ["DEL-708"]
    assert codes(save(tmp_path, {"S": table[:50], "Notes": table[:50]}), feed) == ["DEL-729"]
    stray = [["x"], *[[]] * 60, [1]]
    sheets = {"S": table[:3], "Notes": stray, "More": stray}
    assert codes(save(tmp_path, sheets), feed) == ["DEL-728"]


def test_a_sheet_is_looked_into_wherever_the_archive_keeps_it(tmp_path: Path) -> None:
    file = with_cells(tmp_path, '<row r="9"><c r="XFD1048576"><v>1</v></c></row>')
    with zipfile.ZipFile(file) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, part in parts.items():
            moved = re.sub(rb"worksheets/sheet1.xml", b"other/table.bin", part)
            archive.writestr(name.replace("worksheets/sheet1.xml", "other/table.bin"), moved)
    assert codes(file, make_feed(["a", "b"], file=XLSX)) == ["DEL-728"]
