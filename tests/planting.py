"""Deliveries with a planted word in each column that is not read, and in each that is never kept.

Not here: what is looked for afterwards (`tests/integration/test_nothing_leaks.py`).
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import openpyxl

from pipelines.landing.columns import merged_headings, plain
from pipelines.landing.readers.read import layout_of
from schemas.contract import load_contract
from schemas.feed import Feed, Layout


@dataclass
class Planted:
    """The words of one delivery: `ignored` stand in every row, `masked` in the row that is wrong.

    Of other rows the texts that were in masked columns anyway count too, where they are words of
    their own.
    """

    file: Path
    ignored: list[str] = field(default_factory=list)
    masked: list[str] = field(default_factory=list)


def planted(feed: Feed, sample: Path, wrong: str, number: int, folder: Path) -> Planted:
    """A copy of `sample`, of which the row that holds `wrong` is the wrong one."""
    contract = load_contract(feed.table)
    masked = [c for t, m in feed.map.items() if contract.column(t).is_never_kept for c in m.source]
    found = Planted(folder / sample.name)
    words = {
        **{plain(one): f"ZQIGN{number:02}N{at:02}X" for at, one in enumerate(feed.ignore)},
        **{plain(one): f"ZQMSK{number:02}N{at:02}X" for at, one in enumerate(masked)},
    }
    layout = layout_of(feed, sample)
    write = {"csv": _csv, "xlsx": _xlsx}.get(layout.format, _json)
    present = write(_Work(layout, sample, words, {plain(one) for one in masked}, wrong, found))
    found.ignored = [word for one, word in words.items() if "IGN" in word and one in present]
    found.masked += [word for one, word in words.items() if "MSK" in word and one in present]
    return found


@dataclass
class _Work:
    layout: Layout
    sample: Path
    words: dict[str, str]
    masked: set[str]
    wrong: str
    found: Planted

    def value(self, heading: str, was: Any, is_wrong: bool) -> Any:
        """What a cell becomes."""
        if heading not in self.words:
            return was
        if heading in self.masked and not is_wrong:
            if isinstance(was, str) and len(was) >= 7 and not was.isalpha():
                self.found.masked.append(was)
            return was
        return [self.words[heading]] if isinstance(was, list) else self.words[heading]

    def is_wrong(self, cells: Iterable[Any]) -> bool:
        return any(str(cell) == self.wrong for cell in cells)


def _csv(work: _Work) -> set[str]:
    layout = work.layout
    text = work.sample.read_bytes().decode(layout.encoding)
    how: dict[str, Any] = {"delimiter": layout.delimiter}
    how |= {"quotechar": layout.quote} if layout.quote else {"quoting": csv.QUOTE_NONE}
    rows = list(csv.reader(io.StringIO(text, newline=""), **how))
    last = max(layout.header_rows)
    headings = merged_headings([rows[at - 1] for at in layout.header_rows])
    headings = [one.lstrip("\ufeff") for one in headings]
    for row in rows[last:]:
        if row and not all(cell == "" or cell.startswith("#") for cell in row):
            _fill(work, headings, row)
    sink = io.StringIO(newline="")
    csv.writer(sink, **how, lineterminator="\r\n").writerows(rows)
    work.found.file.write_bytes(sink.getvalue().encode(layout.encoding))
    return set(headings)


def _fill(work: _Work, headings: Sequence[str], row: list[Any]) -> None:
    is_wrong = work.is_wrong(row)
    for at, heading in enumerate(headings):
        if at < len(row):
            row[at] = work.value(heading, row[at], is_wrong)


def _xlsx(work: _Work) -> set[str]:
    book = openpyxl.load_workbook(work.sample)
    seen: set[str] = set()
    last = max(work.layout.header_rows)
    for sheet in book:
        rows = [[cell.value for cell in sheet[at]] for at in work.layout.header_rows]
        headings = merged_headings(rows)
        seen |= set(headings)
        for cells in sheet.iter_rows(min_row=last + 1):
            values = [cell.value for cell in cells]
            if not any(value not in (None, "") for value in values):
                continue
            _fill(work, headings, values)
            for cell, value in zip(cells, values, strict=True):
                if value != cell.value:
                    cell.value = value
    book.save(work.found.file)
    return seen


def _json(work: _Work) -> set[str]:
    text = work.sample.read_text("utf-8")
    is_lines = work.layout.format == "ndjson"
    document = [json.loads(line) for line in text.splitlines()] if is_lines else json.loads(text)
    records = document
    if not is_lines:
        path = "$.features" if work.layout.format == "geojson" else work.layout.records
        for key in filter(None, path.removeprefix("$").split(".")):
            records = records[key]
    seen = {heading for record in records for heading in _fill_record(work, record)}
    lines = "\n".join(json.dumps(one, ensure_ascii=False) for one in records) + "\n"
    whole = lines if is_lines else json.dumps(document, ensure_ascii=False)
    work.found.file.write_text(whole, encoding="utf-8")
    return seen


def _fill_record(work: _Work, record: dict[str, Any]) -> set[str]:
    body = record["properties"] if work.layout.format == "geojson" else record
    is_wrong = work.wrong in json.dumps(record, ensure_ascii=False)
    seen = set()
    for heading in work.words:
        place: Any = body
        *above, last = heading.split(".")
        for key in above:
            place = place.get(key) if isinstance(place, dict) else None
        if isinstance(place, dict) and last in place:
            place[last] = work.value(heading, place[last], is_wrong)
            seen.add(heading)
    return seen
