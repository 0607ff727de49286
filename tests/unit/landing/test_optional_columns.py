"""A column that a feed calls optional: files with and without it are read, of every format."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from reading import codes, make_feed, read

from pipelines.authoring.folder import folder_problems
from pipelines.core.i18n import translator
from schemas.feed import Feed

HEADINGS = ["N°", "Lieu", "Suite"]


def feed_with(layout: dict[str, Any], **optional: bool) -> Feed:
    feed = make_feed(HEADINGS, file=layout)
    mapped = {
        target: {"from": list(one.source), "optional": optional.get(one.source[0], False)}
        for target, one in feed.map.items()
    }
    return make_feed(HEADINGS, file=layout, map=mapped)


def write(folder: Path, kind: str, headings: list[str], rows: list[list[str]]) -> Path:
    file = folder / f"d.{kind}"
    if kind == "csv":
        file.write_text("\n".join(map(";".join, [headings, *rows])), encoding="utf-8")
    elif kind == "xlsx":
        book = openpyxl.Workbook()
        for row in [headings, *rows]:
            book.active.append(row)
        book.save(file)
    else:
        records = [dict(zip(headings, row, strict=True)) for row in rows]
        file.write_text(json.dumps(records), encoding="utf-8")
    return file


LAYOUTS: dict[str, dict[str, Any]] = {
    "csv": {"format": "csv", "delimiter": ";"},
    "xlsx": {"format": "xlsx", "name": "*.xlsx"},
    "json": {"format": "json", "name": "*.json"},
}


@pytest.mark.parametrize("kind", LAYOUTS)
def test_a_file_without_it_is_read_as_if_its_cells_were_empty(tmp_path: Path, kind: str) -> None:
    feed = feed_with(LAYOUTS[kind], Suite=True)
    rows, found = read(write(tmp_path, kind, HEADINGS[:2], [["1", "Bria"]]), feed)
    assert [row[1:] for row in found] == [("1", "Bria", None)]
    assert not rows.notes, "what is declared needs no warning"
    _, found = read(write(tmp_path, kind, HEADINGS, [["1", "Bria", "classé"]]), feed)
    assert [row[1:] for row in found] == [("1", "Bria", "classé")]


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_what_is_not_optional_is_missed_as_before(tmp_path: Path, kind: str) -> None:
    feed = feed_with(LAYOUTS[kind], Suite=True)
    assert codes(write(tmp_path, kind, ["N°", "Suite"], [["1", "x"]]), feed) == ["DEL-703"]
    assert codes(write(tmp_path, kind, HEADINGS[:2], [["1", "x"]]), feed_with(LAYOUTS[kind])) == [
        "DEL-703"
    ]


def test_a_column_that_another_target_needs_is_not_optional() -> None:
    feed = make_feed(
        HEADINGS,
        file=LAYOUTS["csv"],
        map={
            "source_record_id": {"from": "N°"},
            "place_text": {"from": ["Lieu", "Suite"]},
            "incident_status": {"from": "Suite", "optional": True},
        },
    )
    assert feed.optional_columns == frozenset()


def test_what_is_always_filled_cannot_be_optional() -> None:
    mapped = {"country": {"from": "Pays", "optional": True}}
    problems = folder_problems(
        make_feed(["Pays"], file=LAYOUTS["csv"], map=mapped), translator("en")
    )
    assert any("cannot be optional" in one for one in problems)
    with pytest.raises(ValueError, match="can be optional"):
        make_feed(
            ["Pays"], file=LAYOUTS["csv"], map={"country": {"value": "CAF", "optional": True}}
        )
