"""Workbooks to a staged table: calamine through pandas, sheet by sheet, every cell as text.

Not here: whether a workbook may be opened at all (`workbook_safety`).

Text of a cell: a date as `YYYY-MM-DD`, with ` HH:MM:SS` unless it is midnight; a time as
`HH:MM:SS`; a number without a needless `.0` and with the 15 digits that Excel keeps, of more as
Excel itself shows it (`1.23456789012346E+17`), since the others are lost; with the leading zeros
that its format shows, except where the column is one of numbers; TRUE or FALSE; an Excel error
(`#N/A`) by its name. Vectorised by column: no cell is visited in Python code.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

from pipelines.core.findings import DeliveryError, Finding
from pipelines.landing.columns import (
    SHEET_COLUMN,
    Columns,
    are_titles,
    as_declared,
    has_all,
    is_header,
    matched,
    merged_headings,
    numeric_columns,
    plain,
    spelled_otherwise,
)
from pipelines.landing.lines import SPACES
from pipelines.landing.readers.staging import TextProfile, cell_list, in_one_form
from pipelines.landing.readers.workbook_formats import as_text, shown_text
from pipelines.landing.readers.workbook_kinds import XLSX
from pipelines.landing.readers.workbook_safety import SheetParts, inspect
from pipelines.landing.refuse import finding, refusal
from schemas.feed import Feed, Layout

if TYPE_CHECKING:
    import pandas as pd

SHEET_STEP = 10_000_000
ROWS_ABOVE = 20  # of titles, at most
MOST_NAMED = 20
MergedRange = tuple[tuple[int, int], tuple[int, int]]


@dataclass(frozen=True)
class Sheet:
    """One sheet that is read: headings by position, and the text of all its cells.

    `sent` are the headings as they stand there, `headings` as the feed spells them. `covered` are
    merged cells over several rows whose value stands in the first of them alone.
    """

    name: str
    sent: tuple[str, ...]
    headings: tuple[str, ...]
    cells: pd.DataFrame
    covered: tuple[MergedRange, ...] = ()


@dataclass(frozen=True)
class SentSheet:
    """One sheet as it was sent; `merged` are ranges of cells as (top, left), (bottom, right)."""

    name: str
    cells: pd.DataFrame
    merged: tuple[MergedRange, ...]


@dataclass(frozen=True)
class Workbook:
    """The sheets of a delivery that are read, and the columns that all of them have."""

    read: tuple[Sheet, ...]
    columns: Columns
    headings: tuple[str, ...]
    layout: Layout
    notes: list[Finding]

    @property
    def first_row(self) -> int:
        """The first row below the headings."""
        return max(self.layout.header_rows) + 1

    @property
    def sheets(self) -> tuple[str, ...]:
        """The names of the sheets that are read, in the order of the workbook."""
        return tuple(sheet.name for sheet in self.read)


def sheet_and_row(source_row: int) -> tuple[int, int]:
    """The position of the sheet among those read (`TextRows.sheets`) and the row in it.

    A source_row is the row in the sheet plus SHEET_STEP for each sheet before: of a workbook with
    one sheet it is the row itself.
    """
    return divmod(source_row, SHEET_STEP)


def open_workbook(file: Path, shown: Path, feed: Feed, layout: Layout) -> Workbook:
    """Read the sheets whose names the layout expects and match their columns.

    `file` is an `.xlsx`, `shown` the file as sent.
    Raises DeliveryError: what `workbook_safety.inspect` and `columns.matched` raise (the latter
    for all sheets at once), DEL-705 where no sheet has an expected name, DEL-729 where one of them
    has another, DEL-714 without a header, DEL-713 where the archive holds no workbook.
    """
    try:
        return _open(file, shown, feed, layout)
    except DeliveryError as refusal:  # the sender knows the file by its own name
        named = [Finding(f.code, {**f.values, "file_name": shown.name}) for f in refusal.findings]
        raise DeliveryError(named) from None


def _open(file: Path, shown: Path, feed: Feed, layout: Layout) -> Workbook:
    parts = inspect(file)
    sheets, others, seen = _load(file, feed, layout, parts)
    if not sheets:
        raise refusal("DEL-705", file, sheets=_listed(sheet.name for sheet in others))
    if renamed := [one.name for one in others if is_header(feed, one.headings)]:
        raise refusal("DEL-729", file, sheets=_listed(renamed))
    notes = [finding("DEL-712", shown, cells=parts.formulas)] if parts.formulas else []
    if parts.links:
        notes.append(finding("DEL-762", shown, links=parts.links))
    if seen.header_rows != layout.header_rows:
        rows = {"row": max(seen.header_rows), "agreed": max(layout.header_rows)}
        notes.append(finding("DEL-757", shown, **rows))
    filled = [sheet for sheet in sheets if not sheet.cells.empty]
    if not filled:
        raise refusal("DEL-706", file)
    columns, headings = _match(shown, feed, seen, filled)
    sent = [heading for sheet in filled for heading in sheet.sent]
    notes += spelled_otherwise(shown, sent, [one for sheet in filled for one in sheet.headings])
    return Workbook(tuple(filled), columns, headings, seen, notes)


def stage_workbook(connection: duckdb.DuckDBPyConnection, workbook: Workbook, staged: str) -> str:
    """Fill the temporary table `staged`; returns the SQL of a row's number in it."""
    raw = [f"r{at}" for at in range(len(workbook.headings))]
    has_sheet = workbook.headings[-1:] == (SHEET_COLUMN,)
    looked = TextProfile()
    texts, relation = in_one_form(workbook.columns, raw, "landing_batch", looked)
    cells = cell_list(
        workbook.columns, texts, looked=looked, unjudged=int(has_sheet), covered="covered"
    )
    into = f"CREATE OR REPLACE TEMP TABLE {staged} AS"
    for at, sheet in enumerate(workbook.read):
        connection.register("landing_batch", _arrow(workbook, sheet, at, has_sheet))
        connection.execute(f"{into} SELECT source_row, {cells} FROM {relation}")
        connection.unregister("landing_batch")
        into = f"INSERT INTO {staged}"
    return "source_row"


def cells_as_sent(file: Path, sheets: tuple[str, ...]) -> Iterator[SentSheet]:
    """The sheets of these names with all their cells as Python values, from A1 on."""
    import pandas as pd

    parts = inspect(file)
    with pd.ExcelFile(file, engine="calamine") as book:
        for name in sheets:
            cells = _cells(book, name, None)
            _show_errors(cells, parts, name)
            yield SentSheet(name, cells, tuple(_merged(book, name)))


def _match(
    file: Path, feed: Feed, layout: Layout, sheets: list[Sheet]
) -> tuple[Columns, tuple[str, ...]]:
    """The columns of all sheets together, each sheet checked by itself."""
    extra = (SHEET_COLUMN,) if layout.with_sheet_column else ()
    header_row = max(layout.header_rows)
    wrong: dict[str, Finding] = {}
    for sheet in sheets:
        try:
            matched(feed, [*sheet.headings, *extra], file, header_row=header_row)
        except DeliveryError as refusal:
            wrong |= {f"{f.code} {f.values.get('column')}": f for f in refusal.findings}
        if is_header(feed, sheet.headings):
            wrong |= {f.code + str(f.values): f for f in _unheaded(file, sheet, header_row)}
    if wrong:
        raise DeliveryError(list(wrong.values()))
    named = dict.fromkeys(name for sheet in sheets for name in sheet.headings if name)
    headings = (*named, *extra)
    return matched(feed, headings, file, header_row=header_row), headings


def _listed(names: Iterable[str]) -> str:
    return ", ".join(islice(names, MOST_NAMED))


def _unheaded(file: Path, sheet: Sheet, header_row: int) -> list[Finding]:
    """A finding for each column that has text below the header and no heading."""
    below = sheet.cells.iloc[header_row:]
    return [
        finding("DEL-704", file, column=f"#{at + 1}")
        for at in range(below.shape[1])
        if (at >= len(sheet.headings) or not sheet.headings[at])
        and below[at].str.strip(SPACES).ne("").any()
    ]


def _arrow(workbook: Workbook, sheet: Sheet, at: int, has_sheet: bool) -> Any:
    """The rows of a sheet below its header: source_row and the workbook's headings as r0, r1 …"""
    import numpy as np
    import pyarrow as pa

    below = sheet.cells.iloc[workbook.first_row - 1 :]
    rows = np.arange(workbook.first_row, workbook.first_row + len(below)) + at * SHEET_STEP
    covered = np.zeros(len(below), dtype=bool)
    for (top, left), (bottom, _right) in sheet.covered:
        if left < len(sheet.headings) and sheet.headings[left] in workbook.columns.kept_headings:
            start = workbook.first_row - 1
            covered[max(0, top + 1 - start) : max(0, bottom + 1 - start)] = True
    arrays: dict[str, Any] = {"source_row": pa.array(rows, pa.int64()), "covered": covered}
    for number, heading in enumerate(workbook.headings):
        if has_sheet and number == len(workbook.headings) - 1:
            arrays[f"r{number}"] = pa.array([sheet.name] * len(below), pa.string())
        elif heading in sheet.headings:
            text = below[sheet.headings.index(heading)]
            arrays[f"r{number}"] = pa.array(text.to_numpy(dtype=object), pa.string())
        else:
            arrays[f"r{number}"] = pa.nulls(len(below), pa.string())
    return pa.table(arrays)


def _load(
    file: Path, feed: Feed, layout: Layout, parts: SheetParts
) -> tuple[list[Sheet], list[Sheet], Layout]:
    """All sheets: those with an expected name, and the others (of which only the head is read).

    Besides, the layout in which the first have their headings.
    """
    import pandas as pd
    from python_calamine import CalamineError

    read: dict[str, tuple[pd.DataFrame, pd.DataFrame]] = {}
    heads: dict[str, tuple[pd.DataFrame, pd.DataFrame]] = {}
    try:
        with pd.ExcelFile(file, engine="calamine") as book:
            for name in map(str, book.sheet_names):
                is_read = bool(re.search(layout.sheets, name))
                head_rows = max(layout.header_rows) + ROWS_ABOVE
                cells = _cells(book, name, None if is_read else head_rows)
                if is_read:
                    _show_errors(cells, parts, name)
                text = cells.apply(as_text) if not cells.empty else cells
                (read if is_read else heads)[name] = (cells, text)
            texts = {name: text for name, (_raw, text) in read.items()}
            seen = _seen_layout(book, feed, layout, texts)
            sheets = []
            for name, (cells, text) in read.items():
                sheet = _sheet(feed, name, _headings(book, name, text, seen), text)
                _show_formats(cells, text, parts, name, _numeric(feed, sheet.headings))
                spans = _with_value(text, _merged(book, name), seen)
                if layout.merged_cells == "fill":
                    _fill(text, spans)
                    spans = []
                sheets.append(replace(sheet, covered=tuple(spans)))
            others = [
                _sheet(feed, name, _headings(book, name, text, seen), text)
                for name, (_raw, text) in heads.items()
            ]
    except (CalamineError, KeyError, ValueError):
        raise refusal("DEL-713", file, expected=XLSX, found="ZIP") from None
    return sheets, others, seen


def _sheet(feed: Feed, name: str, sent: list[str], text: pd.DataFrame) -> Sheet:
    return Sheet(name, tuple(sent), tuple(as_declared(feed, sent)), text)


def _seen_layout(
    book: pd.ExcelFile, feed: Feed, layout: Layout, texts: dict[str, pd.DataFrame]
) -> Layout:
    """The layout in which every sheet with cells has all headings; the declared one if none has."""
    first = min(layout.header_rows)
    filled = {name: text for name, text in texts.items() if not text.empty}
    found = []
    for shift in (0, *range(1 - first, 0), *range(1, ROWS_ABOVE)):
        rows = tuple(row + shift for row in layout.header_rows)
        other = layout.model_copy(update={"header_rows": rows})
        heads = (_headings(book, name, text, other) for name, text in filled.items())
        if filled and all(has_all(feed, head) for head in heads):
            found.append(other)
            if not shift:
                return layout
    if len(found) != 1:
        return layout
    last = min(found[0].header_rows) - 1
    above = (row for text in filled.values() for row in text.iloc[:last].to_numpy().tolist())
    return found[0] if are_titles(feed, above) else layout


def _cells(book: pd.ExcelFile, name: str, rows: int | None) -> pd.DataFrame:
    """The cells of a sheet as Python values, from A1 on, in columns 0, 1, …"""
    import pandas as pd

    return pd.read_excel(
        book, sheet_name=name, header=None, dtype=object, na_filter=False, nrows=rows
    )


def _headings(book: pd.ExcelFile, name: str, text: pd.DataFrame, layout: Layout) -> list[str]:
    """The headings of a sheet; an upper one counts for all columns that its cell is merged over."""
    if len(text) < max(layout.header_rows):
        return []
    rows = [text.iloc[at - 1].tolist() for at in layout.header_rows]
    is_filled = False
    if len(rows) > 1:
        for (top, left), (bottom, right) in _merged(book, name):
            for row, number in zip(rows, layout.header_rows, strict=True):
                if top == number - 1 <= bottom and left < right:
                    row[left : right + 1] = [row[left]] * (min(right + 1, len(row)) - left)
                    is_filled = True
    return [plain(heading) for heading in merged_headings(rows, is_filled=is_filled)]


def _merged(book: pd.ExcelFile, name: str) -> list[MergedRange]:
    return book.book.get_sheet_by_name(name).merged_cell_ranges or []


def _with_value(text: pd.DataFrame, merged: list[MergedRange], layout: Layout) -> list[MergedRange]:
    """The merged cells with a value that span several rows below the headings."""
    above = max(layout.header_rows)
    return [
        ((top, left), (bottom, right))
        for (top, left), (bottom, right) in merged
        if above <= top < bottom and top < text.shape[0] and left < text.shape[1]
        if str(text.iat[top, left]).strip(SPACES)
    ]


def _fill(text: pd.DataFrame, spans: list[MergedRange]) -> None:
    """Give the value of merged cells to every row that they span."""
    for (top, left), (bottom, _right) in spans:
        text.iloc[top + 1 : bottom + 1, left] = str(text.iat[top, left])


def _show_errors(cells: pd.DataFrame, parts: SheetParts, name: str) -> None:
    """Put the names of Excel errors where the parser left nothing."""
    for row, column, text in parts.errors.get(parts.part_of.get(name, ""), [])[:10_000]:
        if row < cells.shape[0] and column < cells.shape[1]:
            cells.iat[row, column] = text


def _numeric(feed: Feed, headings: Sequence[str]) -> set[int]:
    """The positions of columns that hold quantities and times, whose zeros mean nothing."""
    numeric = numeric_columns(feed)
    return {at for at, heading in enumerate(headings) if heading in numeric}


def _show_formats(
    cells: pd.DataFrame, text: pd.DataFrame, parts: SheetParts, name: str, numeric: set[int]
) -> None:
    """Write whole numbers as their format shows them: 0012, where the cell keeps 12."""
    styled: dict[tuple[int, int], list[int]] = {}
    for row, column, style in parts.shown.get(parts.part_of.get(name, ""), []):
        if row < cells.shape[0] and column < cells.shape[1] and column not in numeric:
            styled.setdefault((column, style), []).append(row)
    for (column, style), rows in styled.items():
        kept = cells[column].iloc[rows]
        kept = kept[kept.map(lambda value: type(value) is int)]
        text.loc[kept.index, column] = kept.map(partial(shown_text, code=parts.formats[style]))
