"""The provider's report as a file: a workbook or a page, whole or not at all.

Not here: what it says (`report.py`) and its two forms (`report_workbook.py`, `report_page.py`).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pipelines.core.settings import Settings
from pipelines.landing.receive import Delivery
from pipelines.validate.report import gathered
from pipelines.validate.report_page import write_page
from pipelines.validate.report_workbook import write_workbook
from pipelines.validate.verdict import Verdict
from schemas.text import Language

FORMATS = (".xlsx", ".html")


def write_report(
    settings: Settings,
    delivery: Delivery,
    verdict: Verdict,
    lang: Language,
    path: Path,
    *,
    is_for_sender: bool = True,
) -> Path:
    """Write the report of a judged delivery as `.xlsx` or `.html`; returns `path`.

    Columns that the feed does not read are in none. For others than the sender it names the rows,
    columns and reasons, and holds no cell.

    Raises ValueError for another ending, OSError where the delivery or `path` is out of reach.
    """
    if path.suffix.lower() not in FORMATS:
        raise ValueError(f"a report is one of {', '.join(FORMATS)}")
    write = write_workbook if path.suffix.lower() == ".xlsx" else write_page
    with (
        whole(path) as half,
        gathered(settings, delivery, verdict, lang, is_for_sender=is_for_sender) as report,
    ):
        write(report, half)
    return path


@contextmanager
def whole(path: Path) -> Iterator[Path]:
    """Where to write what becomes `path` once it is whole; after an error nothing is left of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    half = path.with_name(f".{path.name}.part")
    try:
        yield half
        half.replace(path)
    finally:
        half.unlink(missing_ok=True)
