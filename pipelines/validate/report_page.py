"""The report as one web page: no script, nothing to fetch, good to print, light or dark.

Not here: what it says (`report_words.py`, the contracts) which cells (`rejected_cells.py`).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipelines.landing.readers.workbook import sheet_and_row
from pipelines.validate.report import Report
from pipelines.validate.report_words import number, words

PAGES = Path(__file__).parent / "pages"
SHOWN_CELLS = 500  # a page is read by a person; the workbook lists all


@dataclass(frozen=True)
class Cell:
    """One rejected cell as the page shows it."""

    sheet: str
    row: int
    column: str
    text: str
    code: str


def write_page(report: Report, path: Path) -> None:
    """Write the page to `path`, in UTF-8."""
    from jinja2 import Environment, FileSystemLoader

    said = words(report)
    environment = Environment(
        loader=FileSystemLoader(PAGES), autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    cells = first_cells(report, said.heads["whole_row"])
    text = environment.get_template("report.j2").render(
        report=report,
        said=said,
        heads=said.heads,
        lang=report.language,
        cells=cells,
        messages=report.messages(said.heads["held_row"]),
        cut=_cut(report, said.heads, len(cells)),
        number=lambda count: number(report, count),
    )
    path.write_text(text, encoding="utf-8")


def first_cells(report: Report, whole_row: str, limit: int = SHOWN_CELLS) -> list[Cell]:
    """The first rejected cells in the order of the file; `whole_row` stands for no one column."""
    if report.rows is None:
        return []
    sheets = report.rows.sheets if len(report.rows.sheets) > 1 else ()
    query = f"FROM rejected ORDER BY source_row, code LIMIT {limit:d}"
    found: list[tuple[Any, ...]] = report.connection.execute(query).fetchall()
    placed = [(*sheet_and_row(source_row), *rest) for source_row, *rest in found]
    return [
        Cell(sheets[at] if sheets else "", row, column or whole_row, text or "", code)
        for at, row, code, column, text in placed
    ]


def _cut(report: Report, heads: dict[str, str], shown: int) -> str:
    if shown == report.rejected:
        return ""
    return heads["more_cells"].format(rows=number(report, shown))
