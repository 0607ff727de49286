"""The process that writes a workbook of another kind as `.xlsx`, with a bound on its memory.

Not here: starting it, and what its end means (`workbook_kinds`).
"""

from __future__ import annotations

import datetime as dt
import sys
from pathlib import Path
from typing import Any

from pipelines.landing.readers.workbook_errors import errors_of
from pipelines.landing.readers.workbook_kinds import (
    LARGEST_MEMORY_BYTES,
    LOCKED,
    MOST_CELLS,
    TOO_LARGE,
    UNREADABLE,
    kind_of,
)


def convert(source: str, target: str) -> int:
    """Write the workbook `source` as the `.xlsx` file `target`; returns how the process ends."""
    import python_calamine as calamine
    import xlsxwriter

    try:
        with Path(source).open("rb") as stream:  # by its contents, whatever it is called
            book = calamine.CalamineWorkbook.from_filelike(stream)
        sheets = [(name, book.get_sheet_by_name(name)) for name in book.sheet_names]
        errors = errors_of(Path(source), kind_of(Path(source)))
    except calamine.PasswordError:
        return LOCKED
    except (calamine.CalamineError, OSError, ValueError):
        return UNREADABLE
    if any(sheet.total_height * sheet.total_width > MOST_CELLS for _, sheet in sheets):
        return TOO_LARGE
    options = {
        "constant_memory": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
        "nan_inf_to_errors": True,
    }
    with xlsxwriter.Workbook(target, options) as made:
        forms = {kind: made.add_format({"num_format": form}) for kind, form in _FORMS.items()}
        for name, sheet in sheets:
            _write_sheet(made.add_worksheet(name), sheet, forms, errors.get(name, {}))
    return 0


_FORMS = {
    dt.datetime: "yyyy-mm-dd hh:mm:ss",
    dt.date: "yyyy-mm-dd",
    dt.time: "hh:mm:ss",
    dt.timedelta: "[h]:mm:ss",
}


def _write_sheet(
    target: Any, sheet: Any, forms: dict[type, Any], errors: dict[tuple[int, int], str]
) -> None:
    """All cells of a sheet, the `errors` as text; a workbook can only be written cell by cell."""
    merged = {
        top: [span for span in sheet.merged_cell_ranges or [] if span[0][0] == top]
        for top in {span[0][0] for span in sheet.merged_cell_ranges or []}
    }
    for row, cells in enumerate(sheet.to_python(skip_empty_area=False)):
        for column, cell in enumerate(cells):
            if error := errors.get((row, column)):
                target.write_string(row, column, error)
            elif cell != "" and cell is not None:
                target.write(row, column, cell, forms.get(type(cell)))
        for (top, left), (bottom, right) in merged.get(row, ()):
            # Only the range is noted: writing it would write its cells again.
            if (bottom, right) != (top, left):
                target.merge.append([top, left, bottom, right])


def _bound_memory() -> None:
    try:
        import resource
    except ImportError:  # Windows has no such bound
        return
    resource.setrlimit(resource.RLIMIT_AS, (LARGEST_MEMORY_BYTES, LARGEST_MEMORY_BYTES))


if __name__ == "__main__":
    _bound_memory()
    sys.exit(convert(*sys.argv[1:]))
