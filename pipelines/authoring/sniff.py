"""How a sample file is laid out: format, encoding, delimiter, header rows, sheets, HXL row.

Not here: what its columns mean (`match.py`) and reading the rows (`landing.readers`).

A guess never raises for a doubt: it takes the likelier reading and says why it is not sure.
"""

from __future__ import annotations

import csv
import itertools
import json
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any

from pipelines.landing.columns import merged_headings, plain
from pipelines.landing.readers.encoding import detect
from pipelines.landing.readers.workbook_kinds import ODS, XLS, XLSB, XLSX, kind_of
from pipelines.landing.refuse import refusal

HEAD_ROWS = 40
HEAD_BYTES = 256 * 1024
DELIMITERS = (";", ",", "\t", "|")
LARGEST_JSON_BYTES = 64 * 1024**2
_YEAR = re.compile(r"\b20\d\d\b")
_NUMBER = re.compile(r"[+-]?\d+(?:[.,]\d+)?")
_DATE = re.compile(r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}.*")

MONTHS = tuple(
    tuple(text.split("|"))
    for text in (
        "Janvier|Février|Mars|Avril|Mai|Juin|Juillet|Août|Septembre|Octobre|Novembre|Décembre",
        "January|February|March|April|May|June|July|August|September|October|November|December",
    )
)
Row = Sequence[object]


@dataclass
class LayoutGuess:
    """A guessed layout, as the keys of `file:` in a feed.yaml, and the doubts by key.

    `headings` are the columns in the order of the file; of JSON they are found when it is read.
    """

    layout: dict[str, Any]
    headings: list[str] = field(default_factory=list)
    doubts: dict[str, str] = field(default_factory=dict)


def sniff(sample: Path) -> LayoutGuess:
    """The likely layout of `sample`.

    Raises DeliveryError for a file that holds nothing, or nothing that we read (DEL-706, DEL-731,
    DEL-713, DEL-711), and for a table without headings (DEL-714): its cells are nobody's to show.
    """
    with sample.open("rb") as stream:
        head = stream.read(HEAD_BYTES)
    if not head.strip():
        raise refusal("DEL-706", sample)
    if kind := kind_of(sample):
        if kind in (XLSX, XLS, XLSB, ODS, "ZIP"):
            return _workbook(sample)
        raise refusal("DEL-713", sample, expected=XLSX, found=kind)
    encoding = detect(sample, head)
    text = _decoded(sample, encoding)
    found = _json(sample, text) if text[:1] in ("{", "[") else _delimited(sample, text)
    found.layout["encoding"] = "utf-8-sig" if head.startswith(b"\xef\xbb\xbf") else encoding
    if encoding not in ("utf-8", "utf-16", "utf-32"):
        found.doubts["encoding"] = "guessed from the letters of the sample"
    return found


def _decoded(sample: Path, encoding: str) -> str:
    size = sample.stat().st_size
    with sample.open(encoding=encoding, errors="replace", newline="") as stream:
        text = stream.read(size if size <= LARGEST_JSON_BYTES else HEAD_BYTES)
    return text.lstrip("\ufeff \t\r\n")


# --- delimited text ---


def _delimited(sample: Path, text: str) -> LayoutGuess:
    lines = text[:HEAD_BYTES].splitlines(keepends=True)[:HEAD_ROWS]
    scores = {mark: _regularity(lines, mark) for mark in DELIMITERS}
    delimiter = max(DELIMITERS, key=lambda mark: scores[mark])
    rows = [[plain(cell) for cell in row] for row in csv.reader(lines, delimiter=delimiter)]
    header_rows, doubt = header_of(rows)
    if not has_header(rows, header_rows):
        raise refusal("DEL-714", sample, row=1)
    layout = {
        "format": "csv",
        "name": f"*{sample.suffix or '.csv'}",
        "delimiter": delimiter,
        "header_rows": header_rows,
        "hxl_row": "optional" if _is_hxl(rows, header_rows) else "never",
    }
    found = LayoutGuess(layout, merged_headings([rows[at - 1] for at in header_rows]))
    if doubt:
        found.doubts["header_rows"] = doubt
    rivals = [
        mark for mark in DELIMITERS if mark != delimiter and scores[mark] >= scores[delimiter]
    ]
    if rivals:
        found.doubts["delimiter"] = "another delimiter fits as well"
    return found


def _regularity(lines: list[str], delimiter: str) -> float:
    """How many columns a delimiter makes, times the share of rows that have that many."""
    widths = Counter(len(row) for row in csv.reader(lines, delimiter=delimiter) if any(row))
    if not widths:
        return 0.0
    width, times = widths.most_common(1)[0]
    return 0.0 if width < 2 else times / widths.total() * (1 + width / 1000)


def _is_hxl(rows: list[list[str]], header_rows: list[int]) -> bool:
    after = rows[header_rows[-1]] if len(rows) > header_rows[-1] else []
    tags = [cell for cell in after if cell]
    return bool(tags) and all(cell.startswith("#") for cell in tags)


def header_of(rows: Sequence[Row]) -> tuple[list[int], str]:
    """The 1-based numbers of the header rows of a table, and a doubt (empty where there is none).

    The header is the last row of words before the rows of data; titles above it fill few cells.
    The row above belongs to it where it heads groups of columns.
    """
    texts = [[plain(cell) for cell in row] for row in rows]
    width = max((sum(1 for cell in row if cell) for row in texts), default=0)
    for at, row in enumerate(texts):
        filled = [cell for cell in row if cell]
        is_title = len(set(filled)) < 2  # one text, merged over the width of the table
        if is_title or len(filled) < max(2, width * 0.4) or not _is_words(filled):
            continue
        if at + 1 < len(texts) and _heads_groups(row, texts[at + 1]):
            return [at + 1, at + 2], ""
        doubt = "" if len(filled) >= width * 0.8 else "columns without a heading"
        return [at + 1], doubt
    return [1], "no row looks like a header"


def _is_words(cells: list[str]) -> bool:
    """True for cells that are headings: no numbers, no dates, all different but for merged ones."""
    values = [c for c in cells if _NUMBER.fullmatch(c) or _DATE.fullmatch(c)]
    runs = [cell for cell, _ in groupby(cells)]
    return not values and len(set(runs)) >= 0.8 * len(runs)


def has_header(rows: Sequence[Row], header_rows: list[int]) -> bool:
    """False where the row taken for the header, or a full one above it, is a row of data.

    A row of data has dates or many numbers; or cells that come again below, in the same column.
    """
    texts = [[plain(cell) for cell in row] for row in rows]
    header, below = texts[header_rows[-1] - 1], texts[header_rows[-1] :]
    filled = sum(1 for cell in header if cell)
    above = [row for row in texts[: header_rows[0] - 1] if sum(map(bool, row)) > 0.6 * filled]
    if any(map(_is_data, [*above, header])):
        return False
    same = [
        {at for at, (one, other) in enumerate(zip(header, row, strict=False)) if one == other != ""}
        for row in below
    ]
    is_repeated = any(len(one) >= 0.9 * filled for one in same)  # a header on every page
    return is_repeated or len(set[int]().union(*same)) < 2


def _is_data(cells: list[str]) -> bool:
    filled = [cell for cell in cells if cell and not _YEAR.fullmatch(cell)]
    numbers = sum(1 for cell in filled if _NUMBER.fullmatch(cell))
    return any(map(_DATE.fullmatch, filled)) or 3 * numbers > len(filled)


def _heads_groups(upper: list[str], lower: list[str]) -> bool:
    """True where `lower` names columns under the headings of `upper`; some span several."""
    filled = [cell for cell in lower if cell]
    if len(filled) < 2 or any(_NUMBER.fullmatch(c) or _DATE.fullmatch(c) for c in filled):
        return False
    width = max(len(upper), len(lower))
    above, below = (row + [""] * (width - len(row)) for row in (upper, lower))
    pairs = list(zip(above, below, strict=True))
    spans = any(
        one[1] and other[1] and other[0] in ("", one[0]) and one[0]
        for one, other in itertools.pairwise(pairs)
    )
    stands_alone = any(up and not down for up, down in pairs)
    return spans and stands_alone and all(up or down for up, down in pairs)


# --- workbooks ---


def _workbook(sample: Path) -> LayoutGuess:
    """The sheets that share the commonest headings, and where their header is."""
    import python_calamine

    try:
        with sample.open("rb") as stream:
            book = python_calamine.CalamineWorkbook.from_filelike(stream)
        sheets = {name: _grid(book.get_sheet_by_name(name)) for name in book.sheet_names}
    except (python_calamine.CalamineError, OSError, ValueError):
        raise refusal("DEL-713", sample, expected=XLSX, found=kind_of(sample)) from None
    heads: dict[str, tuple[tuple[int, ...], tuple[str, ...], str]] = {}
    has_headless = False
    for name, rows in sheets.items():
        header_rows, doubt = header_of(rows)
        if len(rows) > header_rows[-1] and not has_header(rows, header_rows):
            has_headless = True
        elif len(rows) > header_rows[-1]:
            cells = merged_headings([rows[at - 1] for at in header_rows])
            heads[name] = (tuple(header_rows), tuple(cells), doubt)
    if not heads:
        raise refusal("DEL-714", sample, row=1) if has_headless else refusal("DEL-706", sample)
    wanted = Counter(cells for _, cells, _ in heads.values() if len(cells) > 2)
    common = max(wanted, key=lambda key: (wanted[key], len(key)), default=())
    names = [name for name, (_, cells, _) in heads.items() if cells == common]
    names = names or list(heads)[:1]
    at_rows, headings, doubt = heads[names[0]]
    layout = {
        "format": "xlsx",
        "name": f"*{sample.suffix or '.xlsx'}",
        "header_rows": list(at_rows),
        "sheets": sheets_pattern(names),
    }
    found = LayoutGuess(layout, list(headings))
    if len(sheets) > 1:
        found.doubts["sheets"] = "next time the sheets may have other names"
    if doubt:
        found.doubts["header_rows"] = doubt
    return found


def sheets_pattern(names: Sequence[str]) -> str:
    """A pattern for sheets like these: any year for a year, all months for some months."""
    bare = {_YEAR.sub("", name).strip() for name in names}
    year = " 20[0-9]{2}" if all(_YEAR.search(name) for name in names) else ""
    for months in MONTHS:
        if len(bare) > 1 and bare <= set(months):
            return f"^({'|'.join(months)}){year}$"
    escaped = (re.escape(name).replace(r"\ ", " ") for name in names)
    words = (_YEAR.sub("20[0-9]{2}", word) for word in escaped)
    return "^(" + "|".join(dict.fromkeys(words)) + ")$"


def _grid(sheet: Any) -> list[list[object]]:
    """The head of a sheet from A1 on, with the text of merged cells in all of their cells."""
    rows = [list(row) for row in sheet.to_python(skip_empty_area=False, nrows=HEAD_ROWS)]
    for (top, left), (bottom, right) in sheet.merged_cell_ranges or []:
        # A title merged over the whole width is no header of groups.
        if top == bottom < len(rows) and left < right and right - left + 1 < len(rows[top]):
            rows[top][left : right + 1] = [rows[top][left]] * (right - left + 1)
    return rows


# --- JSON ---


def _json(sample: Path, text: str) -> LayoutGuess:
    first_line = text.partition("\n")[0].strip()
    if first_line.startswith("{") and _is_object(first_line) and len(text.split("\n", 2)) > 1:
        return LayoutGuess({"format": "ndjson", "name": f"*{sample.suffix or '.ndjson'}"})
    try:
        document = json.loads(text)
    except json.JSONDecodeError as error:
        raise refusal("DEL-711", sample, row=error.lineno) from None
    if isinstance(document, dict) and document.get("type") == "FeatureCollection":
        return LayoutGuess({"format": "geojson", "name": f"*{sample.suffix or '.geojson'}"})
    arrays = dict(_arrays(document, "$"))
    if not arrays:
        raise refusal("DEL-706", sample)
    path = max(arrays, key=lambda name: arrays[name])
    found = LayoutGuess({"format": "json", "name": f"*{sample.suffix or '.json'}", "records": path})
    if len(arrays) > 1:
        found.doubts["records"] = "the longest of several arrays"
    return found


def _is_object(line: str) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except json.JSONDecodeError:
        return False


def _arrays(value: Any, path: str) -> list[tuple[str, int]]:
    """The arrays of objects in a document, by path, with their lengths."""
    if isinstance(value, list):
        return [(path, len(value))] if value and isinstance(value[0], dict) else []
    if isinstance(value, dict):
        return [found for key, inner in value.items() for found in _arrays(inner, f"{path}.{key}")]
    return []
