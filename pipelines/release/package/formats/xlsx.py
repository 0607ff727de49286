"""An Excel workbook: rows under headings in the chosen language and HXL tags, and a README sheet.

Not here: which rows leave.

The workbook is made with one row of cells as a pattern; the rows themselves are then put in its
place as text that DuckDB wrote, so that a million rows take seconds and no memory. Text is always
text: a cell that begins with `=` is no formula. The marking is the first row and on every page.
"""

from __future__ import annotations

import datetime as dt
import re
import zipfile
from pathlib import Path
from typing import Any

from pipelines.core.i18n import mark, translator
from pipelines.release.errors import ReleaseError
from pipelines.release.package.formats.content import Content, Field, joined
from pipelines.release.package.formats.format import Format
from schemas.sqltext import literal, name

MOST_ROWS = 1_048_570
LONGEST_CELL = 32_767
HEAD_ROWS = 3  # marking, headings, tags
PATTERN_ROW = HEAD_ROWS + 1
SHEET = "xl/worksheets/sheet1.xml"
EPOCH = (1980, 1, 1, 0, 0, 0)
FIXED = dt.datetime(2000, 1, 1)
MANY_CELLS = 20_000_000  # from here its sheet may be larger than 2 GiB
UNIX_DAYS = 25_569  # from the first day that Excel counts to 1970-01-01
DAY_US = 86_400_000_000
SAMPLE: dict[str, Any] = {"TIMESTAMP": FIXED, "DATE": FIXED, "BOOLEAN": True}
NUMBERS = ("INTEGER", "BIGINT", "DOUBLE", "HUGEINT")
WIDTHS = {"TIMESTAMP": 16, "DATE": 11, "BOOLEAN": 8, **dict.fromkeys(NUMBERS, 10)}
TEXT_WIDTH, NAMED_WIDTH = 16, 28
# What XML 1.0 cannot hold; and what Excel would take for the code of a character.
_NOT_XML = r"[\x00-\x08\x0B\x0C\x0E-\x1F\x{FFFE}\x{FFFF}]"
_LIKE_CODE = "(_x[0-9A-Fa-f]{4}_)"


def longest_cell(content: Content) -> int:
    """Characters of the longest text cell."""
    texts = [_as_text(field) for field in content.fields if field.is_text]
    if not texts:
        return 0
    lengths = ", ".join(f"coalesce(max(length({text})), 0)" for text in texts)
    return int(str(content.one(f"SELECT greatest({lengths}, 0) FROM {content.relation}")[0]))


def write(content: Content, path: Path) -> None:
    """Write the file. Raises ReleaseError for a text that is longer than a cell may be."""
    if (longest := longest_cell(content)) > LONGEST_CELL:
        raise ReleaseError("REL-109", "cell", length=longest, format="xlsx", limit=LONGEST_CELL)
    frame = path.with_name(f"{path.name}.frame")
    _write_frame(content, frame)
    try:
        with zipfile.ZipFile(frame) as old, zipfile.ZipFile(path, "w") as new:
            for info in old.infolist():
                body = old.read(info)
                is_many = content.row_count * len(content.fields) > MANY_CELLS
                named = zipfile.ZipInfo(info.filename, date_time=EPOCH)
                named.compress_type = zipfile.ZIP_DEFLATED
                with new.open(named, "w", force_zip64=is_many) as target:
                    if info.filename == SHEET and content.row_count:
                        before, styles, after = _cut(body.decode("utf-8"))
                        whole = _sized(before, content.row_count)
                        target.write(whole.encode("utf-8"))
                        content.write_text(_rows(content, styles), target)
                        target.write(after.encode("utf-8"))
                    else:
                        target.write(body)
    finally:
        frame.unlink(missing_ok=True)


def _cut(sheet: str) -> tuple[str, list[str], str]:
    """The sheet before its pattern row, the style of each of that row's cells, and the rest."""
    row = re.search(rf'<row r="{PATTERN_ROW}".*?</row>', sheet, re.DOTALL)
    assert row is not None  # noqa: S101  (we wrote it)
    styles = re.findall(r'<c r="[A-Z]+\d+" s="(\d+)"', row.group())
    return sheet[: row.start()], styles, sheet[row.end() :]


def _sized(before: str, row_count: int) -> str:
    """With the range of cells that the sheet will have."""
    size = rf'(<dimension ref="A1:[A-Z]+){PATTERN_ROW}"'
    return re.sub(size, rf'\g<1>{HEAD_ROWS + row_count}"', before, count=1)


def _rows(content: Content, styles: list[str]) -> str:
    from xlsxwriter.utility import xl_col_to_name

    cells = " || ".join(
        _cell(field, xl_col_to_name(at), style)
        for at, (field, style) in enumerate(zip(content.fields, styles, strict=True))
    )
    return f"""
        SELECT '<row r="' || sheet_row || '">' || {cells} || '</row>'
        FROM (SELECT *, CAST(row_number() OVER () + {HEAD_ROWS} AS VARCHAR) AS sheet_row
              FROM {content.relation})"""


def _cell(field: Field, letters: str, style: str) -> str:
    """The SQL of one cell's XML; nothing for NULL."""
    opening = f"""'<c r="{letters}' || sheet_row || '" s="{style}\""""
    column = name(field.name)
    match field.duckdb_type:
        case "VARCHAR" | "VARCHAR[]":
            text = _escaped(_as_text(field))
            start = f"""{opening} t="inlineStr"><is><t xml:space="preserve">'"""
            return f"coalesce({start} || {text} || '</t></is></c>', '')"
        case "TIMESTAMP":
            value = f"epoch_us({column}) / {DAY_US}.0 + {UNIX_DAYS}"
        case "DATE":
            value = f"datediff('day', DATE '1970-01-01', {column}) + {UNIX_DAYS}"
        case "BOOLEAN":
            truth = f"CASE WHEN {column} THEN '1' ELSE '0' END"
            return (
                f"CASE WHEN {column} IS NULL THEN '' ELSE {opening} t=\"b\"><v>' "
                f"|| {truth} || '</v></c>' END"
            )
        case _:
            value = column
    return f"coalesce({opening}><v>' || CAST({value} AS VARCHAR) || '</v></c>', '')"


def _as_text(field: Field) -> str:
    return joined(field.name) if field.duckdb_type == "VARCHAR[]" else name(field.name)


def _escaped(sql: str) -> str:
    lines = f"replace(replace({sql}, chr(13) || chr(10), chr(10)), chr(13), chr(10))"
    escaped = f"regexp_replace({lines}, {literal(_LIKE_CODE)}, '_x005F\\1', 'g')"
    escaped = f"regexp_replace({escaped}, {literal(_NOT_XML)}, '', 'g')"
    for sign, spelt in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;")):
        escaped = f"replace({escaped}, '{sign}', '{spelt}')"
    return escaped


def _write_frame(content: Content, path: Path) -> None:
    """The workbook with a single row of cells, which shows how each column is styled."""
    import xlsxwriter

    _ = translator(content.language)
    options = {"strings_to_formulas": False, "strings_to_urls": False, "in_memory": True}
    book = xlsxwriter.Workbook(str(path), options)
    book.set_properties(
        {"title": content.title, "comments": content.marking_line, "created": FIXED}
    )
    sheet = book.add_worksheet(content.title[:31])
    _write_data(content, book, sheet)
    _write_about(content, book, book.add_worksheet(_("Read me")))
    book.close()


def _write_data(content: Content, book: Any, sheet: Any) -> None:
    _mark(content, book, sheet)
    head = book.add_format(
        {"bold": True, "bg_color": "#E4EAF0", "border": 1, "text_wrap": True, "valign": "top"}
    )
    tag = book.add_format({"font_color": "#5B6B7B", "italic": True})
    last = len(content.fields) - 1
    for at, field in enumerate(content.fields):
        sheet.write_string(1, at, field.label, head)
        sheet.write_string(2, at, field.hxl, tag)
        named = NAMED_WIDTH if field.words_of else TEXT_WIDTH
        sheet.set_column(at, at, WIDTHS.get(field.duckdb_type, named))
        if content.row_count:
            style = book.add_format(_style(field))
            sample = SAMPLE.get(field.duckdb_type, 1 if field.duckdb_type in NUMBERS else "x")
            _write_sample(sheet, at, sample, style)
    sheet.set_row(1, 32)
    sheet.freeze_panes(HEAD_ROWS, 0)
    sheet.repeat_rows(0, 1)
    if content.row_count:
        sheet.autofilter(1, 0, HEAD_ROWS + content.row_count - 1, last)


def _write_sample(sheet: Any, at: int, sample: Any, style: Any) -> None:
    row = PATTERN_ROW - 1
    if isinstance(sample, bool):
        sheet.write_boolean(row, at, sample, style)
    elif isinstance(sample, dt.datetime):
        sheet.write_datetime(row, at, sample, style)
    elif isinstance(sample, int):
        sheet.write_number(row, at, sample, style)
    else:
        sheet.write_string(row, at, sample, style)


def _style(field: Field) -> dict[str, str]:
    kinds = {"TIMESTAMP": "yyyy-mm-dd hh:mm", "DATE": "yyyy-mm-dd", "DOUBLE": "General"}
    if field.is_text:
        return {"num_format": "@"}
    return {"num_format": kinds.get(field.duckdb_type, "0"), "valign": "top"}


def _mark(content: Content, book: Any, sheet: Any) -> None:
    """The marking in the first row and on every printed page."""
    red = book.add_format({"bold": True, "font_color": "#A3221B"})
    sheet.write_string(0, 0, content.marking_line, red)
    printed = content.marking_line.replace("&", "&&")[:200]
    sheet.set_header(f'&C&"Arial,Bold"{printed}')
    sheet.set_footer(f'&L{content.reference}&C&"Arial,Bold"{printed}&R&P / &N')
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)


def _write_about(content: Content, book: Any, sheet: Any) -> None:
    _mark(content, book, sheet)
    bold = book.add_format({"bold": True, "valign": "top", "text_wrap": True})
    wrap = book.add_format({"text_wrap": True, "valign": "top", "num_format": "@"})
    sheet.set_column(0, 0, 28)
    sheet.set_column(1, 1, 96)
    sheet.set_portrait()
    for row, (heading, text) in enumerate(content.about, start=2):
        sheet.write_string(row, 0, heading, bold)
        sheet.write_string(row, 1, text, wrap)
        lines = sum(1 + len(part) // 100 for part in text.split("\n"))
        sheet.set_row(row, 15.5 * lines)


FORMAT = Format(
    name="xlsx",
    label=mark("Excel workbook"),
    reading=mark(
        "An Excel workbook. The first row is the marking, the second the headings, the third the "
        "HXL tags; records begin in the fourth."
    ),
    write=write,
    is_compressed=True,
    most_rows=MOST_ROWS,
)
