"""File bytes of cells: the encodings and shapes that the services send, the same every time."""

from __future__ import annotations

import datetime as dt
import io
import json

import openpyxl
import pandas as pd

from pipelines.demo.files import delimited, nested_json, workbook, write_table

CELLS = pd.DataFrame({"a": ["é;1", None], "b.c": ["12", "x"], "b.d": ["1.5", None]}, dtype=object)


def test_delimited_text_quotes_only_what_needs_it() -> None:
    text = delimited(CELLS, delimiter=";", encoding="cp1252", newline="\r\n")
    assert text == b'a;b.c;b.d\r\n"\xe9;1";12;1.5\r\n;x;\r\n'


def test_dotted_columns_become_nested_objects_and_numbers_stay_numbers() -> None:
    document = json.loads(nested_json(CELLS, '{"events": [', "]}"))
    assert document["events"] == [
        {"a": "é;1", "b": {"c": 12, "d": 1.5}},
        {"a": None, "b": {"c": "x", "d": None}},
    ]


def test_a_workbook_has_the_same_bytes_every_time_and_real_dates() -> None:
    cells = pd.DataFrame({"when": [dt.datetime(2026, 5, 3, 21, 15), "hier"], "n": [1, None]})

    def fill(book: object) -> None:
        write_table(book.add_worksheet("Mai"), 1, cells)  # type: ignore[attr-defined]

    content = workbook(fill)
    assert content == workbook(fill)
    sheet = openpyxl.load_workbook(io.BytesIO(content))["Mai"]
    assert sheet["A2"].value == dt.datetime(2026, 5, 3, 21, 15)
    assert (sheet["A3"].value, sheet["B2"].value, sheet["B3"].value) == ("hier", 1, None)
