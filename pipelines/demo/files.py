"""Cells as the bytes of a file, by the layout of its feed: the same on any day and machine.

Not here: what the cells say (`cells.py`).
"""

from __future__ import annotations

import codecs
import datetime as dt
import io
import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

    from pipelines.demo.profile import Profile
    from schemas.feed import Feed, Layout

CREATED = dt.datetime(2026, 5, 1)  # a workbook says when it was made; ours always say this
JOINED = " / "  # between the parts of a heading in two rows


def file_of(
    feed: Feed, profile: Profile, cells: pd.DataFrame, sheets: pd.Series | None = None
) -> tuple[bytes, Any]:
    """The content of a file, and the number in it of each row of `cells`, in their order.

    `sheets` names the sheet of each row of a workbook. Raises ValueError for a format that the
    demonstration does not write.
    """
    layout = feed.file[0]
    if layout.format == "csv":
        return delimited(layout, profile, cells)
    if layout.format == "xlsx":
        foot_at = [list(cells.columns).index(one.column) for one in feed.skip_rows]
        return workbook(layout, profile, cells, sheets, (foot_at or [0])[0])
    if layout.format in ("json", "ndjson"):
        return json_text(layout, profile, cells)
    raise ValueError(f"the demonstration does not write {layout.format}")


def delimited(layout: Layout, profile: Profile, cells: pd.DataFrame) -> tuple[bytes, Any]:
    """Delimited text; quotes only where a cell needs them, a mark of UTF-16 always."""
    end = profile.line_ending
    above = "".join(title + end for title in profile.titles)
    text = above + cells.to_csv(
        index=False, sep=layout.delimiter, quotechar=layout.quote, lineterminator=end
    )
    if codecs.lookup(layout.encoding).name == "utf-16":
        content = codecs.BOM_UTF16_LE + text.encode("utf-16-le")
    else:
        content = text.encode(layout.encoding)
    first = layout.header_rows[-1] + 1
    return content, range(first, first + len(cells))


def workbook(
    layout: Layout,
    profile: Profile,
    cells: pd.DataFrame,
    sheets: pd.Series | None,
    foot_column: int = 0,
) -> tuple[bytes, Any]:
    """A workbook: titles, the header in its row or two, the rows, a foot; sheet by sheet."""
    import numpy as np
    import xlsxwriter

    from pipelines.landing.readers.workbook import SHEET_STEP

    buffer = io.BytesIO()
    options = {"in_memory": True, "default_date_format": "dd/mm/yyyy hh:mm"}
    book = xlsxwriter.Workbook(buffer, options)
    book.set_properties({"author": "Passerelle demo", "created": CREATED})
    names = cells.index.map(lambda _: "Sheet1") if sheets is None else sheets
    rows_in_file = np.zeros(len(cells), dtype=int)
    first = layout.header_rows[-1]
    for number, name in enumerate(dict.fromkeys(names)):
        here = np.asarray(names == name)
        sheet, rows = book.add_worksheet(name), cells[here]
        for at, title in enumerate(profile.titles):
            sheet.write_string(at, 0, title.format(sheet=name))
        _write_header(book, sheet, layout.header_rows, list(cells.columns))
        for at, column in enumerate(rows.columns):
            sheet.write_column(first, at, rows[column].tolist())
        foot = [text.format(rows=len(rows)) for text in profile.foot]
        sheet.write_row(first + len(rows), foot_column, foot)
        rows_in_file[here] = number * SHEET_STEP + first + 1 + np.arange(len(rows))
    if profile.notice:
        book.add_worksheet("Notice").write_string(0, 0, profile.notice)
    book.close()
    return buffer.getvalue(), rows_in_file


def _write_header(book: Any, sheet: Any, header_rows: tuple[int, ...], names: list[str]) -> None:
    """Headings in one row, or in two with cells merged across and down."""
    style = book.add_format({"bold": True, "align": "center", "valign": "vcenter", "border": 1})
    upper_row, lower_row = header_rows[0] - 1, header_rows[-1] - 1
    if upper_row == lower_row:
        sheet.write_row(upper_row, 0, names, style)
        return
    parts = [name.partition(JOINED) for name in names]
    for upper in dict.fromkeys(part[0] for part in parts):
        at = [column for column, part in enumerate(parts) if part[0] == upper]
        for column in at:
            sheet.write_string(lower_row, column, parts[column][2], style)
        last_row = upper_row if parts[at[0]][2] else lower_row
        if (upper_row, at[0]) == (last_row, at[-1]):
            sheet.write_string(upper_row, at[0], upper, style)
        else:
            sheet.merge_range(upper_row, at[0], last_row, at[-1], upper, style)


def json_text(layout: Layout, profile: Profile, cells: pd.DataFrame) -> tuple[bytes, Any]:
    """One object a line, alone or in the document that the layout's path goes through."""
    objects = json_objects(cells)
    rows = range(1, len(cells) + 1)
    if layout.format == "ndjson":
        return ("\n".join(objects) + "\n").encode(layout.encoding), rows
    document: Any = "records"
    for key in filter(None, reversed(layout.records.removeprefix("$").split("."))):
        document = {key: document}
    if isinstance(document, dict):
        document = profile.envelope | document
    head, _, foot = json.dumps(document, ensure_ascii=False).partition('"records"')
    text = head + "[\n" + ",\n".join(objects) + "\n]" + foot + "\n"
    return text.encode(layout.encoding), rows


def json_objects(cells: pd.DataFrame) -> list[str]:
    """One JSON object a row, its keys in the order of the columns; an empty cell is null.

    Columns `a.b` and `a.c` share the object `a`, if they stand side by side.
    """
    objects: list[str] = _object(list(cells.columns), cells, "").tolist()
    return objects


def _object(names: list[str], cells: pd.DataFrame, above: str) -> pd.Series:
    import pandas as pd

    text = pd.Series("{", index=cells.index)
    keys = dict.fromkeys(name.removeprefix(above).split(".")[0] for name in names)
    for at, key in enumerate(keys):
        path = above + key
        inner = [name for name in names if name.startswith(path + ".")]
        value = _object(inner, cells, path + ".") if inner else _values(cells[path])
        text = text + (", " if at else "") + json.dumps(key, ensure_ascii=False) + ": " + value
    return text + "}"


def _values(values: pd.Series) -> pd.Series:
    known = {value: json.dumps(value, ensure_ascii=False) for value in values.dropna().unique()}
    return values.map(known).astype(object).where(values.notna(), "null")
