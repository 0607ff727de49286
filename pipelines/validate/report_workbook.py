"""The report as an Excel workbook: summary, cells to look at, and the bad rows to correct and send.

Not here: what it says (`report_words.py`, the contracts) which cells (`rejected_cells.py`).

Every cell is written as text or as a number, never parsed: a cell that begins with `=`, `+`, `-` or
`@` stays the text that was sent. Rows go to disk as they come, so memory does not grow with them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

from pipelines.landing.columns import HEADING_JOINT, SHEET_COLUMN
from pipelines.landing.readers.read import TextRows
from pipelines.landing.readers.workbook import SHEET_STEP, sheet_and_row
from pipelines.landing.report_number import KEY as REPORT_KEY
from pipelines.validate.report import Report
from pipelines.validate.report_words import Words, number, words
from schemas.sqltext import name

LAST_ROW = 1_048_576  # of a sheet, in Excel
BATCH_ROWS = 10_000
TEXT_LIMIT = 32_767  # characters of a cell, in Excel
OPTIONS = {
    "constant_memory": True,
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
}
SUMMARY_WIDTHS = (22, 10, 60, 72)
SHEET_NAME_WIDTH = 18
CELL_WIDTHS = (8, 24, 30, 10, 38, 48, 48)
LINE_POINTS = 15.5
MOST_LINES = 12


def write_workbook(report: Report, path: Path) -> None:
    """Write the workbook to `path`, whatever its name ends in."""
    import xlsxwriter

    said = words(report)
    book = xlsxwriter.Workbook(str(path), OPTIONS)
    book.set_properties({"title": said.title, "comments": said.heads["handling"]})
    book.set_custom_property(REPORT_KEY, str(report.number))
    styles = _styles(book)
    _write_summary(report, said, book.add_worksheet(said.heads["summary"]), styles)
    if report.rows is not None:
        _write_cells(report, said, book.add_worksheet(said.heads["cells"]), styles)
        if report.is_for_sender:
            _write_rows(report, report.rows, said, book, styles)
    book.close()


def _styles(book: Any) -> dict[str, Any]:
    wrap = {"text_wrap": True, "valign": "top"}
    return {
        "handling": book.add_format({"bold": True, "font_color": "#A3221B"}),
        "title": book.add_format({"bold": True, "font_size": 16}),
        "part": book.add_format({"bold": True, "font_size": 12, "top": 1}),
        "head": book.add_format({**wrap, "bold": True, "bg_color": "#E4EAF0", "border": 1}),
        "text": book.add_format({**wrap, "num_format": "@"}),
        "plain": book.add_format({"num_format": "@"}),
        "bold": book.add_format({"bold": True, "num_format": "@"}),
        "number": book.add_format({"valign": "top", "align": "center", "num_format": "0"}),
        "sent": book.add_format({"num_format": "@"}),
        "bad": book.add_format({"num_format": "@", "bg_color": "#FFD9D2", "bold": True}),
    }


def _mark(sheet: Any, said: Words) -> None:
    """The handling on every printed page, and the layout of the print."""
    sheet.set_header(f'&C&"Arial,Bold"{said.heads["handling"]}')
    sheet.set_footer("&C&P / &N")
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)


class _Cursor:
    """Writes a sheet line by line from the top, each line as high as its longest cell needs."""

    def __init__(self, sheet: Any, styles: dict[str, Any], widths: Sequence[int]) -> None:
        self.sheet, self.styles, self.widths, self.row = sheet, styles, widths, 0
        for column, width in enumerate(widths):
            sheet.set_column(column, column, width)

    def line(self, cells: Sequence[Any], style: str = "plain") -> None:
        """One line; numbers are written as numbers, everything else as text."""
        is_wrapped = style in ("text", "head")
        if is_wrapped:
            self.sheet.set_row(self.row, LINE_POINTS * self._lines(cells))
        for column, cell in enumerate(cells):
            if isinstance(cell, int):
                self.sheet.write_number(self.row, column, cell, self.styles["number"])
            else:
                self.sheet.write_string(self.row, column, cell or "", self.styles[style])
        self.row += 1

    def _lines(self, cells: Sequence[Any]) -> int:
        # Spreadsheet programs differ in whether they fit the height of a wrapped line themselves.
        pairs = zip(cells, self.widths, strict=False)
        return min(
            MOST_LINES,
            max(
                sum(1 + int(len(part) / (1.1 * width)) for part in str(cell or "").split("\n"))
                for cell, width in pairs
            ),
        )


def _write_summary(report: Report, said: Words, sheet: Any, styles: dict[str, Any]) -> None:
    heads, lang = said.heads, report.language
    _mark(sheet, said)
    cursor = _Cursor(sheet, styles, SUMMARY_WIDTHS)
    cursor.line([heads["handling"]], "handling")
    sheet.set_row(1, 26)
    cursor.line([said.title], "title")
    for fact in said.facts:
        cursor.line(fact)
    cursor.row += 1
    for figure in said.figures:
        cursor.line(figure, "bold")
    cursor.row += 1
    cursor.line([said.outcome], "bold")
    if said.steps:
        cursor.row += 1
        cursor.line([heads["to_do"]], "part")
        for at, step in enumerate(said.steps, start=1):
            cursor.line([f"{at}. {step}"])
    if report.findings:
        cursor.row += 1
        cursor.line([heads["findings"]], "part")
        cursor.line([heads["code"], "", heads["reason"], heads["correction"]], "head")
        for found in report.findings:
            cursor.line([found.code, "", found.text(lang), found.correction(lang)], "text")
    parts = (("reasons", report.reasons), ("held", report.held), ("warnings", report.warnings))
    for title, reasons in parts:
        if reasons:
            cursor.row += 1
            cursor.line([heads[title]], "part")
            cursor.line([heads[key] for key in ("code", "count", "reason", "correction")], "head")
            for one in reasons:
                rule = one.rule
                words_of = (rule.message[lang], rule.correction[lang])
                cursor.line([rule.code, one.rows, *words_of], "text")


def _write_cells(report: Report, said: Words, sheet: Any, styles: dict[str, Any]) -> None:
    heads, lang, rows = said.heads, report.language, report.rows
    sheets = rows.sheets if rows and len(rows.sheets) > 1 else ()
    _mark(sheet, said)
    cursor = _Cursor(sheet, styles, (*(SHEET_NAME_WIDTH,) * bool(sheets), *CELL_WIDTHS))
    cursor.line([heads["handling"]], "handling")
    if report.rejected > LAST_ROW - 3:
        cursor.line([heads["cut_cells"].format(rows=number(report, LAST_ROW - 3))], "handling")
    keys = ("row", "column", "cell", "code", "reason", "explanation", "correction")
    head = [*[heads["sheet"]] * bool(sheets), *(heads[key] for key in keys)]
    cursor.line(head, "head")
    first = cursor.row
    sheet.freeze_panes(first, 0)
    sheet.repeat_rows(first - 1)
    rules = {one.rule.code: one.rule for one in (*report.reasons, *report.held)}
    said_of = {
        code: (message, rules[code].explanation[lang], rules[code].correction[lang])
        for code, message in report.messages(heads["held_row"]).items()
    }
    query = f"FROM rejected ORDER BY source_row, code LIMIT {LAST_ROW - 3}"
    for source_row, code, column, cell in _batched(report, query):
        at, row = sheet_and_row(source_row)
        where: list[Any] = [sheets[at]] if sheets else []
        shown = (cell or "")[:TEXT_LIMIT]
        line = [*where, row, column or heads["whole_row"], shown, code, *said_of[code]]
        cursor.line(line, "text")
    if cursor.row > first:
        sheet.autofilter(first - 1, 0, cursor.row - 1, len(head) - 1)


def _write_rows(
    report: Report, rows: TextRows, said: Words, book: Any, styles: dict[str, Any]
) -> None:
    """The bad rows under the source's own headings, as its layout has them: they can be sent back.

    A workbook's sheets keep their names and the place of their header; of other formats there is
    one sheet, with the header in its first row.
    """
    columns = [column for column in rows.columns if column != SHEET_COLUMN]
    cells = ", ".join(name(column) for column in columns)
    bad = _bad_columns(report, columns)
    header_rows = rows.layout.header_rows if rows.sheets else (1,)
    for at, title in enumerate(rows.sheets or (said.heads["rows"],)):
        query = (
            f"SELECT codes, {cells} FROM text_rows JOIN bad_rows USING (source_row) "
            f"WHERE source_row // {SHEET_STEP} = {at} ORDER BY source_row "
            f"LIMIT {LAST_ROW - max(header_rows)}"
        )
        batch = _batched(report, query)
        if (first := next(batch, None)) is None:
            continue
        sheet = book.add_worksheet(title)
        _mark(sheet, said)
        sheet.set_column(0, len(columns) - 1, 18)
        if min(header_rows) > 1:
            sheet.write_string(0, 0, said.heads["handling"], styles["handling"])
        _write_header(sheet, columns, header_rows, styles)
        sheet.freeze_panes(max(header_rows), 0)
        _write_bad_rows(sheet, max(header_rows), chain([first], batch), bad, styles)


def _write_bad_rows(
    sheet: Any,
    row: int,
    rows: Iterable[Sequence[Any]],
    bad: dict[str, set[int]],
    styles: dict[str, Any],
) -> None:
    for codes, *texts in rows:
        blamed = set().union(*(bad[code] for code in codes))
        for column, text in enumerate(texts):
            if text is not None or column in blamed:
                style = styles["bad" if column in blamed else "sent"]
                sheet.write_string(row, column, (text or "")[:TEXT_LIMIT], style)
        row += 1


def _write_header(
    sheet: Any, columns: list[str], header_rows: tuple[int, ...], styles: dict[str, Any]
) -> None:
    """The headings where the layout has them; of two rows, the upper part of a name goes above."""
    for row in header_rows:
        for at, column in enumerate(columns):
            upper, joint, lower = column.partition(HEADING_JOINT)
            text = column
            if len(header_rows) > 1 and joint:
                text = upper if row < max(header_rows) else lower
            sheet.write_string(row - 1, at, text, styles["head"])


def _bad_columns(report: Report, columns: list[str]) -> dict[str, set[int]]:
    """Positions of the cells that each code blames."""
    return {
        one.rule.code: {columns.index(c) for c in one.blame.columns if c in columns}
        for one in (*report.reasons, *report.held)
    }


def _batched(report: Report, query: str) -> Iterator[Sequence[Any]]:
    """Rows of a query, fetched a batch at a time; a workbook can only be written cell by cell."""
    result = report.connection.execute(query)
    while batch := result.fetchmany(BATCH_ROWS):
        yield from batch
