"""Workbooks: titles, merged headings, sheets a month, cells of every kind as text."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from reading import codes, make_feed, read

from pipelines.findings import DeliveryRefused
from pipelines.landing.workbook import sheet_and_row

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
        ({"S": [["a", "b"], [1, 2]], "S (2)": [["a", "b"], [3, 4]]}, ["DEL-705"]),
        ({"S": [["a", "b"]]}, ["DEL-706"]),
        ({"S": []}, ["DEL-706"]),
        ({"S": [[], ["a", "b"], [1, 2]]}, ["DEL-714"]),
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
    with pytest.raises(DeliveryRefused) as refusal:
        read(file, make_feed(["a", "b"], file={**XLSX, "sheets": "^S$"}))
    assert refusal.value.findings[0].values["sheets"] == "S (2)"
