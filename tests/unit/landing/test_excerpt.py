"""An excerpt of odd files reads back as just its rows, and is cut out of the very bytes sent.

Not here: the declared feeds (`tests/integration/test_report_rows.py`).
"""

from __future__ import annotations

import codecs
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipelines.landing.excerpt import write_excerpt
from pipelines.landing.readers.read import read_text_rows
from tests.reading import make_feed, read_with, scratch_connection

CSV = {"format": "csv", "name": "*.csv", "delimiter": ";"}
ODD = {
    "lines": ("a;b\n1;x\n2;y\n3;z\n", "a;b\n1;x\n3;z\n"),
    "crlf_quoted": ('"a";"b"\r\n"1";"x"\r\n"2";"y"\r\n3;z', '"a";"b"\r\n"1";"x"\r\n3;z'),
    "cr": ("a;b\r1;x\r2;y\r3;z\r", "a;b\r1;x\r3;z\r"),
    "return_in_quotes": ('a;b\n1;"x\rx"\n2;y\n3;"z\r"\n', 'a;b\n1;"x\rx"\n3;"z\r"\n'),
    "line_ends_in_cells": ('a;b\n1;"x\n;""q"\n2;"y\n\ny"\n3;z\n', 'a;b\n1;"x\n;""q"\n3;z\n'),
    "blank_lines": ("a;b\n1;x\n\n2;y\n;\n3;z\n\n", "a;b\n1;x\n3;z\n"),
    "line_end_in_a_heading": ('a;"b"\n1;"x\n"\n2;y\n3;z\n', 'a;"b"\n1;"x\n"\n3;z\n'),
    "formula_and_spaces": ('a;b\n1; =1+1 \n2;y\n3;"@z "\n', 'a;b\n1; =1+1 \n3;"@z "\n'),
}


def excerpt(file: Path, layout: dict[str, Any], target: Path, columns: list[str]) -> Path:
    """Write the first and the last data row of `file`; they must read back as they were."""
    feed = make_feed(columns, file=layout)
    with scratch_connection() as connection:
        rows, sent = read_with(connection, file, feed)
        wanted = np.array([sent[0][0], sent[-1][0]], dtype=np.int64)
        write_excerpt(connection, file, rows, wanted, target)
        _, back = read_with(connection, target, feed)
    assert [row[1:] for row in back] == [sent[0][1:], sent[-1][1:]]
    return target


@pytest.mark.parametrize("name", ODD)
def test_records_are_cut_out_as_they_stand(name: str, tmp_path: Path) -> None:
    sent, expected = ODD[name]
    (tmp_path / "sent.csv").write_bytes(sent.encode())
    back = excerpt(tmp_path / "sent.csv", CSV, tmp_path / "back.csv", ["a", "b"])
    assert back.read_bytes().decode() == expected


@pytest.mark.parametrize(
    ("declared", "codec", "mark"),
    [
        ("utf-8", "utf-8", b""),
        ("utf-8-sig", "utf-8", codecs.BOM_UTF8),
        ("utf-16", "utf-16-le", codecs.BOM_UTF16_LE),
        ("utf-16", "utf-16-be", codecs.BOM_UTF16_BE),
        ("utf-16", "utf-16-be", b""),
        ("cp1252", "cp1252", b""),
    ],
)
def test_encoding_and_its_mark_are_kept(
    declared: str, codec: str, mark: bytes, tmp_path: Path
) -> None:
    sent, expected = (text.replace("x", "né–") for text in ODD["lines"])
    (tmp_path / "sent.csv").write_bytes(mark + sent.encode(codec))
    layout = CSV | {"encoding": declared}
    back = excerpt(tmp_path / "sent.csv", layout, tmp_path / "back.csv", ["a", "b"])
    assert back.read_bytes() == mark + expected.encode(codec)


def test_lines_above_the_header_and_tags_under_it_stay(tmp_path: Path) -> None:
    text = "Title;\n\na;b\n#x;#y\n1;x\n2;y\n3;z\n"
    (tmp_path / "sent.csv").write_text(text)
    layout = CSV | {"header_rows": (3,), "hxl_row": "optional"}
    back = excerpt(tmp_path / "sent.csv", layout, tmp_path / "back.csv", ["a", "b"])
    assert back.read_text() == text.replace("2;y\n", "")


def test_ignored_columns_are_copied(tmp_path: Path) -> None:
    (tmp_path / "sent.csv").write_text("a;secret;b\n1;s;x\n2;s;y\n")
    feed = make_feed(["a", "b"], file=CSV, ignore={"secret": {"en": "x", "fr": "x"}})
    with scratch_connection() as connection:
        rows = read_text_rows(connection, tmp_path / "sent.csv", feed)
        write_excerpt(connection, tmp_path / "sent.csv", rows, np.array([3]), tmp_path / "back.csv")
    assert (tmp_path / "back.csv").read_text() == "a;secret;b\n2;s;y\n"


def test_document_around_the_records_stays(tmp_path: Path) -> None:
    text = (
        '\ufeff {"made": "é", "data": {"rows" : [{"a":1.50,"b":"x"} , {"a":2,"b":"y"},'
        '{"a":3,\n"b":"z\\u00e9]"}]}, "n": [1]}\n'
    )
    (tmp_path / "sent.json").write_text(text, encoding="utf-8", newline="")
    layout = {"format": "json", "name": "*.json", "records": "$.data.rows"}
    back = excerpt(tmp_path / "sent.json", layout, tmp_path / "back.json", ["a", "b"])
    now = back.read_text(encoding="utf-8")
    assert now.startswith('\ufeff {"made": "é", "data": {"rows" : [')
    assert now.endswith(']}, "n": [1]}\n')
    assert '{"a":1.50,"b":"x"},\n{"a":3,\n"b":"z\\u00e9]"}' in now
    assert len(json.loads(now.lstrip("\ufeff"))["data"]["rows"]) == 2


def test_records_by_line_are_whole_lines(tmp_path: Path) -> None:
    text = '{"a": 1, "b": "x"}\r\n\r\n{"a": 2, "b": "y"}\r\n{"a": 3, "b": "z"}'
    (tmp_path / "sent.ndjson").write_bytes(text.encode())
    layout = {"format": "ndjson", "name": "*.ndjson"}
    back = excerpt(tmp_path / "sent.ndjson", layout, tmp_path / "back.ndjson", ["a", "b"])
    assert back.read_bytes() == b'{"a": 1, "b": "x"}\r\n{"a": 3, "b": "z"}'
