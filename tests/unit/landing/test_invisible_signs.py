"""One text, one form: what cannot be seen is taken out and counted, what is missing is told.

Not here: the key of a record's number (`tests/unit/core/test_duck.py`).
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from reading import make_feed, read, scratch_connection

from pipelines.landing import lines
from pipelines.landing.invisible_signs import may_hold_signs, signs_in, without_signs
from pipelines.landing.lines import count_lines
from pipelines.landing.readers.read import read_text_rows

FORMATS = ("csv", "json", "ndjson", "xlsx", "escaped")


def write(folder: Path, kind: str, rows: list[list[str]]) -> Path:
    """Rows of two columns, a and b, as a file of that kind."""
    file = folder / f"d.{'json' if kind == 'escaped' else kind}"
    records = [dict(zip("ab", row, strict=True)) for row in rows]
    if kind == "csv":
        text = "a;b\n" + "".join(f"{a};{b}\n" for a, b in rows)
        file.write_text(text, encoding="utf-8", newline="")
    elif kind == "xlsx":
        book = openpyxl.Workbook()
        for row in (["a", "b"], *rows):
            book.active.append(row)
        book.save(file)
    elif kind == "ndjson":
        lines_of = (json.dumps(one, ensure_ascii=False) for one in records)
        file.write_text("\n".join(lines_of), encoding="utf-8")
    else:
        file.write_text(json.dumps(records, ensure_ascii=kind == "escaped"), encoding="utf-8")
    return file


def read_kind(folder: Path, kind: str, rows: list[list[str]], **more: Any) -> tuple[Any, Any]:
    layout = {"format": "json" if kind == "escaped" else kind, "name": "*", "delimiter": ";"}
    file = write(folder, kind, rows)
    read_rows, found = read(file, make_feed(["a", "b"], file=layout, **more))
    return read_rows, [row[1:] for row in found]


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize(
    ("sent", "meant", "signs"),
    [
        ("Bangui", "Bangui", 0),
        ("Kémo, près du marché – « n° 5 » à 10 €", "Kémo, près du marché – « n° 5 » à 10 €", 0),
        ("Ke\u0301mo", "Kémo", 0),  # composed: nothing is taken out
        ("\u212bngström", "Ångström", 0),
        ("Ban\u00adgui", "Bangui", 1),
        ("\u200eBangui\u200f", "Bangui", 2),
        ("\u202bبانغي\u202c", "بانغي", 2),
        ("Ban\u2060gui\ufeff", "Bangui", 2),
        ("Ban\u200bgui", "Bangui", 1),
        ("\u0645\u06cc\u200c\u062e", "\u0645\u06cc\u200c\u062e", 0),  # a joiner is a letter's part
        ("Ban\x7fgui", "Bangui", 1),
        ("Ban\u0085gui", "Ban\ngui", 0),
        ("Ban\u2028gui", "Ban\ngui", 0),
    ],
)
def test_a_text_has_one_form(tmp_path: Path, kind: str, sent: str, meant: str, signs: int) -> None:
    rows, found = read_kind(tmp_path, kind, [["1", sent], ["2", "x"]])
    assert found == [("1", meant), ("2", "x")]
    told = [(one.code, one.values["signs"], one.values["cells"]) for one in rows.notes]
    assert told == ([("DEL-752", signs, 1)] if signs else [])


def test_each_sign_that_nobody_sees_is_taken_out_and_its_neighbours_stay() -> None:
    out = "\x01\x08\x0e\x1f\x7f\x9f\u00ad\u061c\u180e\u200b\u200e\u200f\u202a\u202e\u2060\u2064"
    out += "\u2066\u206f\ufeff\ufff9\ufffb\U000e0001\U000e0020\U000e007f"
    stay = " ~\u00a0\u00ae\u061b\u200c\u200d\u2010\u202f\u2070\ufffd\U000e0100"
    with scratch_connection() as connection:
        for sign in out + stay:
            sent = f"a{sign}b"
            assert may_hold_signs(sent.encode()) or sign in stay, hex(ord(sign))
            row = connection.execute(
                f"SELECT {without_signs('t')}, {signs_in('t')} FROM (SELECT ? AS t)", [sent]
            ).fetchone()
            assert row == (("ab", 1) if sign in out else (sent, 0)), hex(ord(sign))


@pytest.mark.parametrize("kind", FORMATS)
def test_arabic_indic_figures_are_read_in_numbers_and_kept_in_texts(
    tmp_path: Path, kind: str
) -> None:
    mapped = {"source_record_id": {"from": "a"}, "killed_total": {"from": "b"}}
    _, found = read_kind(tmp_path, kind, [["٠١٢", "٣٤"], ["۵", "۶"]], map=mapped)
    assert found == [("٠١٢", "34"), ("۵", "6")]


@pytest.mark.parametrize("kind", ["csv", "escaped"])
def test_a_row_with_zero_bytes_is_set_aside(tmp_path: Path, kind: str) -> None:
    file = write(tmp_path, kind, [["1", "x"], ["2", "quartier \0\0\0\0\0, Kolwezi"], ["3", "y"]])
    layout = {"format": file.suffix[1:], "name": "*", "delimiter": ";"}
    with scratch_connection() as connection:
        rows = read_text_rows(connection, file, make_feed(["a", "b"], file=layout))
        found = connection.execute("SELECT a FROM text_rows ORDER BY 1").fetchall()
        unread = connection.execute("SELECT code FROM text_rows_unreadable").fetchall()
    assert (found, unread) == ([("1",), ("3",)], [("DEL-751",)])
    assert rows.rows_unreadable == {"DEL-751": 1}


def test_a_file_of_which_every_row_is_set_aside_is_no_empty_file(tmp_path: Path) -> None:
    rows, found = read_kind(tmp_path, "csv", [["1", "a\0b"]])
    assert (found, rows.rows_unreadable) == ([], {"DEL-751": 1})


@pytest.mark.parametrize("size", [16, 4 * 1024**2])
def test_a_hole_says_how_many_bytes_and_about_how_many_rows_are_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    monkeypatch.setattr(lines, "BLOCK_BYTES", size)
    rows = [f"{n:04};{'x' * 94}\n".encode() for n in range(100)]
    data = b"a;b\n" + b"".join(rows)
    data = data[:1050] + bytes(1000) + data[2050:]
    file = tmp_path / "d.csv"
    file.write_bytes(data)
    layout = {"format": "csv", "delimiter": ";"}
    read_rows, found = read(file, make_feed(["a", "b"], file=layout))
    (hole,) = read_rows.notes
    assert hole.code == "DEL-750"
    assert (hole.values["bytes"], hole.values["row"]) == (1000, 12)
    assert 8 <= int(hole.values["rows"]) <= 12
    assert len(found) == 100 - 11
    assert read_rows.rows_unreadable == {"DEL-751": 1}


@pytest.mark.parametrize("kind", ["json", "ndjson"])
def test_a_refusal_tells_of_holes_too(tmp_path: Path, kind: str) -> None:
    file = write(tmp_path, kind, [["1", "x" * 50], ["2", "y"]])
    data = file.read_bytes()
    file.write_bytes(data[:20] + bytes(20) + data[40:])
    with pytest.raises(Exception, match="DEL-711, DEL-750"):
        read(file, make_feed(["a", "b"], file={"format": kind}))


@pytest.mark.parametrize("literal", ["NaN", "Infinity", "-Infinity"])
def test_nan_is_no_value(tmp_path: Path, literal: str) -> None:
    from pipelines.harmonise.expressions import text_of
    from schemas.contract import load_contract

    file = tmp_path / "d.json"
    file.write_text(f'[{{"a": 1, "b": {literal}}}, {{"a": 2, "b": "x"}}]', encoding="utf-8")
    feed = make_feed(["a", "b"], file={"format": "json"})
    column = load_contract("incidents").column("place_text")
    with scratch_connection() as connection:
        read_text_rows(connection, file, feed)
        text = text_of(feed, feed.map["column_1"], column)
        found = connection.execute(f"SELECT {text} FROM text_rows ORDER BY source_row").fetchall()
    assert found == [(None,), ("x",)]


PLAIN = "Kémo – « n° 5 », l’été à Œbo… 10 € № 3\t²½\u00a0\u202f→"


def test_plain_bytes_are_told_from_suspect_ones() -> None:
    assert not may_hold_signs(PLAIN.encode())
    suspect = "\0\x01\x0b\x1f\x7f\x80\x85\x9f\u00ad\u0301\u061c\u200b\u200e\u2028\u202e\u2060\u212b"
    for sign in [*suspect, "\ufeff", "\ufb1d", "\U000e0001", "\U0010ff81", "ا", "\u0344", "\u0f43"]:
        assert may_hold_signs(sign.encode()), hex(ord(sign))


@pytest.mark.parametrize("cut", range(1, 12))
def test_a_sign_that_two_blocks_share_is_seen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cut: int
) -> None:
    monkeypatch.setattr(lines, "BLOCK_BYTES", cut)
    file = tmp_path / "d.csv"
    file.write_bytes("a;b\nabcé;x\u200ey\n".encode())
    assert count_lines(file, ";", '"').has_signs
