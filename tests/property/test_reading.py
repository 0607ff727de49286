"""Any text in a cell comes back as it was, on its own row; any bytes at all give rows or a code.

Not here: what texts become (`tests/property` of the casts), files made to do harm (`tests/faults`).
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
import re
import tempfile
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import openpyxl
import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from reading import make_feed, read_with, scratch_connection

from pipelines.core.findings import DeliveryError
from pipelines.landing.lines import SPACES

quick = settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
open_connections: list[duckdb.DuckDBPyConnection] = []


@pytest.fixture(scope="module", autouse=True)
def _one_connection() -> Iterator[None]:
    """Opening a database takes longer than reading one of these files."""
    with scratch_connection() as connection:
        open_connections.append(connection)
        yield
        open_connections.clear()


# Signs that are not assigned may be composed in another way by a later version of Unicode.
UNICODE = st.characters(codec="utf-8", exclude_categories=["Cs", "Cn"])
WESTERN = st.characters(codec="cp1252")
AWKWARD = [*" \"',;\t|\n\r\\#é\u00a0\u200e\u00ad\u0301\x0b\x7f", "", '""', "\r\n", "NULL"]
INVISIBLE = re.compile(
    "[\x01-\x08\x0e-\x1f\x7f-\x9f\xad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064"
    "\u2066-\u206f\ufeff\ufff9-\ufffb\U000e0001\U000e0020-\U000e007f]"
)
UNCERTAIN = re.compile("[\0\U0010ff80-\U0010ffff]")  # a row with one of these is set aside


def cells(alphabet: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    codec = "cp1252" if alphabet is WESTERN else "utf-8"
    awkward = st.sampled_from(
        [text for text in AWKWARD if text.encode(codec, "ignore") or not text]
    )
    return st.one_of(st.text(alphabet, max_size=12), st.lists(awkward, max_size=5).map("".join))


def tables(alphabet: st.SearchStrategy[str]) -> st.SearchStrategy[list[list[str]]]:
    row = st.lists(cells(alphabet), min_size=3, max_size=3)
    return st.lists(row, min_size=1, max_size=8)


def meant(cell: str) -> str:
    """A text in its one form: composed, without what nobody sees, trimmed."""
    composed = unicodedata.normalize("NFC", cell)
    lines = composed.translate(dict.fromkeys(map(ord, "\x0b\x0c\x85\u2028\u2029"), "\n"))
    return INVISIBLE.sub("", lines).strip(SPACES)


def expected(table: list[list[str]], first_row: int) -> list[tuple[Any, ...]]:
    """The rows as they must be read; empty as None, rows without any text left out."""
    texts = [[meant(cell) or None for cell in row] for row in table]
    sound = [not UNCERTAIN.search("".join(row)) for row in table]
    return [
        (n, *row) for n, row in enumerate(texts, first_row) if any(row) and sound[n - first_row]
    ]


def is_read(table: list[list[str]]) -> bool:
    """Whether a row is data, or is set aside for what it holds: then the file is not empty."""
    return any(any(map(meant, row)) for row in table)


def outcome(name: str, data: bytes, layout: dict[str, Any]) -> list[tuple[Any, ...]] | str:
    """The rows, or the code of the first finding."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / name
        file.write_bytes(data)
        try:
            feed = make_feed(["a", "b", "c"], file=layout)
            return read_with(open_connections[0], file, feed)[1]
        except DeliveryError as refusal:
            return refusal.findings[0].code


@quick
@given(
    data=st.data(),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "cp1252"]),
    delimiter=st.sampled_from([",", ";", "\t", "|"]),
    end=st.sampled_from(["\n", "\r\n"]),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
)
def test_any_text_in_a_csv_cell_is_read_back(
    data: st.DataObject, encoding: str, delimiter: str, end: str, quoting: int
) -> None:
    table = data.draw(tables(WESTERN if encoding == "cp1252" else UNICODE))
    text = io.StringIO(newline="")
    if end == "\n" and any("\r" in cell for row in table for cell in row):
        quoting = csv.QUOTE_ALL  # Python's writer would leave such a cell bare, as a row's end
    writer = csv.writer(text, delimiter=delimiter, lineterminator=end, quoting=quoting)
    writer.writerows([["a", "b", "c"], *table])
    declared = "utf-8" if encoding == "utf-8-sig" else encoding
    layout = {"format": "csv", "encoding": declared, "delimiter": delimiter}
    content = text.getvalue().encode(encoding)
    assume(encoding != "cp1252" or content.isascii() or not is_utf8(content))
    assert outcome("d.csv", content, layout) == (
        expected(table, 2) if is_read(table) else "DEL-706"
    )


def is_utf8(content: bytes) -> bool:
    """True for the rare text of a code page that another program would take for UTF-8."""
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


@quick
@example(table=[["", "", "\r\r"]], gaps=[0] * 9)
@given(
    table=tables(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"])),
    gaps=st.lists(st.integers(0, 2), min_size=9, max_size=9),
)
def test_blank_lines_keep_the_row_numbers(table: list[list[str]], gaps: list[int]) -> None:
    text, number, rows = io.StringIO(newline=""), 1, []
    writer = csv.writer(text, lineterminator="\n", quoting=csv.QUOTE_ALL)
    writer.writerow(["a", "b", "c"])
    for row, gap in zip(table, gaps, strict=False):
        text.write("\n" * gap)
        writer.writerow(row)
        number += gap + 1
        rows += expected([row], number)
    text.write("\n" * gaps[-1])
    assert outcome("d.csv", text.getvalue().encode(), {"format": "csv"}) == (rows or "DEL-706")


@quick
@given(
    data=st.binary(max_size=400),
    head=st.sampled_from([b"", b"a,b,c\n", b'[{"a": "', b'{"a": 1}\n', b'{"features": [']),
    layout=st.sampled_from(["csv", "json", "ndjson", "geojson", "xlsx"]),
)
def test_any_bytes_give_rows_or_a_code(data: bytes, head: bytes, layout: str) -> None:
    found = outcome(f"d.{layout}", head + data, {"format": layout})
    assert isinstance(found, list) or found.startswith("DEL-7")


@quick
@given(data=st.binary(max_size=200))
def test_no_line_is_lost_silently(data: bytes) -> None:
    """Where a file of arbitrary bytes is read, the rows are those of a strict parser."""
    found = outcome("d.csv", b"a,b,c\n" + data, {"format": "csv"})
    if isinstance(found, list) and is_utf8(data):
        lines = io.StringIO(data.decode(), newline="")
        try:
            records = list(csv.reader(lines, strict=True, skipinitialspace=True))
        except csv.Error:  # a stray quotation mark, which takes its own row only
            return
        assert found == expected([[*row, "", "", ""][:3] for row in records], 2)


@quick
@given(records=st.lists(st.dictionaries(st.sampled_from("abc"), cells(UNICODE)), min_size=1))
def test_any_text_in_json_is_read_back(records: list[dict[str, str]]) -> None:
    records = [{"a": "x"}, *records]
    rows = expected([[record.get(key, "") for key in "abc"] for record in records], 1)
    for ascii_only in (True, False):
        array = json.dumps({"n": "]}", "d": {"r": records}}, ensure_ascii=ascii_only).encode()
        assert outcome("d.json", array, {"format": "json", "records": "$.d.r"}) == rows
        lines = "\n".join(json.dumps(r, ensure_ascii=ascii_only) for r in records).encode()
        assert outcome("d.ndjson", lines, {"format": "ndjson"}) == rows


NUMBERS = st.one_of(
    st.integers(-(10**14), 10**14),
    st.decimals(-(10**6), 10**6, places=4).map(float),
)
MOMENTS = st.datetimes(dt.datetime(1901, 1, 1), dt.datetime(2099, 12, 31)).map(
    lambda moment: moment.replace(microsecond=0)
)


def one_end(text: str | None) -> Any:
    """XML itself knows one line end only."""
    return text and text.replace("\r\n", "\n").replace("\r", "\n")


WRITABLE = cells(UNICODE).filter(lambda text: not ILLEGAL_CHARACTERS_RE.search(text))


@settings(quick, max_examples=60)
@given(table=st.lists(st.tuples(WRITABLE, NUMBERS, MOMENTS), min_size=1, max_size=6))
def test_any_cell_of_a_workbook_is_read_back(table: list[tuple[Any, ...]]) -> None:
    book = openpyxl.Workbook()
    for row, values in enumerate([("a", "b", "c"), *table], 1):
        for column, value in enumerate(values, 1):
            cell = book.active.cell(row, column, value)
            cell.data_type = "s" if isinstance(value, str) else cell.data_type
    stream = io.BytesIO()
    book.save(stream)
    texts = [
        [one_end(text) or "", f"{number:.15g}", str(moment).removesuffix(" 00:00:00")]
        for text, number, moment in table
    ]
    found = outcome("d.xlsx", stream.getvalue(), {"format": "xlsx"})
    assert isinstance(found, list)
    assert [(n, one_end(a), b, c) for n, a, b, c in found] == expected(texts, 2)
