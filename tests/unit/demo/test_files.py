"""File bytes of cells: the encodings and shapes that the services send, the same every time."""

from __future__ import annotations

import datetime as dt
import io
import json
from typing import Any

import openpyxl
import pandas as pd

from pipelines.demo.files import file_of, json_objects
from pipelines.demo.profile import Profile, load_profile
from schemas.feed import Feed, Layout, load_feed

CELLS = pd.DataFrame({"a": ["é;1", None], "b.c": [12, "x"], "b.d": ["1.5", None]}, dtype=object)


def written(
    layout: dict[str, Any], cells: pd.DataFrame = CELLS, **habits: Any
) -> tuple[bytes, Any]:
    feed, profile = load_feed("cod_pnc_incidents"), load_profile("dpo_police_deployments")
    laid_out: Feed = feed.model_copy(update={"file": (Layout(**layout),), "skip_rows": ()})
    habitual: Profile = profile.model_copy(update=habits)
    content, rows = file_of(laid_out, habitual, cells)
    return content, list(rows)


def test_delimited_text_quotes_only_what_needs_it() -> None:
    layout = {"format": "csv", "delimiter": ";", "encoding": "cp1252"}
    content, rows = written(layout, line_ending="\r\n")
    assert content == b'a;b.c;b.d\r\n"\xe9;1";12;1.5\r\n;x;\r\n'
    assert rows == [2, 3]


def test_lines_may_stand_above_the_header() -> None:
    content, rows = written({"format": "csv", "header_rows": [2]}, titles=("Registre",))
    assert content.decode().splitlines()[:2] == ["Registre", "a,b.c,b.d"]
    assert rows == [3, 4]


def test_utf_16_has_its_mark_on_any_machine() -> None:
    content, _ = written({"format": "csv", "encoding": "utf-16"})
    assert content.startswith(b"\xff\xfea\x00")


def test_dotted_columns_become_nested_objects_and_numbers_stay_numbers() -> None:
    layout = {"format": "json", "records": "$.data.events"}
    content, rows = written(layout, envelope={"export": {"of": "é"}})
    assert json.loads(content) == {
        "export": {"of": "é"},
        "data": {
            "events": [
                {"a": "é;1", "b": {"c": 12, "d": "1.5"}},
                {"a": None, "b": {"c": "x", "d": None}},
            ]
        },
    }
    assert rows == [1, 2]


def test_json_may_be_a_list_or_lines() -> None:
    assert len(json.loads(written({"format": "json"})[0])) == 2
    lines = written({"format": "ndjson"})[0].decode().splitlines()
    assert lines == json_objects(CELLS)


def test_a_workbook_has_the_same_bytes_every_time_and_real_dates() -> None:
    cells = pd.DataFrame(
        {"when": [dt.datetime(2026, 5, 3, 21, 15), "hier"], "n": [1, None]}, dtype=object
    )
    content, rows = written({"format": "xlsx", "header_rows": [3]}, cells, titles=("Registre",))
    assert (content, rows) == written(
        {"format": "xlsx", "header_rows": [3]}, cells, titles=("Registre",)
    )
    sheet = openpyxl.load_workbook(io.BytesIO(content)).worksheets[0]
    assert (sheet["A1"].value, sheet["A3"].value) == ("Registre", "when")
    assert sheet["A4"].value == dt.datetime(2026, 5, 3, 21, 15)
    assert (sheet["A5"].value, sheet["B4"].value, sheet["B5"].value) == ("hier", 1, None)


def test_headings_in_two_rows_are_merged_across_and_down() -> None:
    cells = pd.DataFrame({"N°": ["1"], "Date / Faits": ["x"], "Date / Plainte": ["y"]})
    content, rows = written({"format": "xlsx", "header_rows": [1, 2]}, cells)
    sheet = openpyxl.load_workbook(io.BytesIO(content)).worksheets[0]
    assert sorted(str(one) for one in sheet.merged_cells.ranges) == ["A1:A2", "B1:C1"]
    assert [cell.value for cell in sheet[2]] == [None, "Faits", "Plainte"]
    assert rows == [3]
