"""Tables of cells as file bytes: the same bytes for the same cells, on any day and machine.

Not here: what the cells say (a module a feed).
"""

from __future__ import annotations

import datetime as dt
import io
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

CREATED = dt.datetime(2026, 5, 1)  # a workbook says when it was made; ours always say this


def delimited(
    cells: pd.DataFrame,
    *,
    delimiter: str = ",",
    encoding: str = "utf-8",
    newline: str = "\n",
) -> bytes:
    """Delimited text with one header row; quotes only where a cell needs them."""
    text = cells.to_csv(index=False, sep=delimiter, lineterminator=newline)
    return text.encode(encoding)


def first_rows(count: int, first: int) -> list[int]:
    """The row numbers of `count` rows that follow each other from `first`."""
    return list(range(first, first + count))


def workbook(write_sheets: Any) -> bytes:
    """An XLSX file; `write_sheets` is given the xlsxwriter workbook to fill."""
    import xlsxwriter

    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(
        buffer, {"in_memory": True, "default_date_format": "dd/mm/yyyy hh:mm"}
    )
    book.set_properties({"author": "Passerelle demo", "created": CREATED})
    write_sheets(book)
    book.close()
    return buffer.getvalue()


def write_table(sheet: Any, first_row: int, cells: pd.DataFrame) -> None:
    """Write cells from `first_row` (0-based), by column; dates get the book's date format."""
    for number, column in enumerate(cells.columns):
        values = cells[column].astype(object)
        sheet.write_column(first_row, number, values.where(values.notna(), None).tolist())


def nested_json(cells: pd.DataFrame, head: str, foot: str) -> bytes:
    """JSON objects, one a line, between `head` and `foot`; `a.b` columns become nested objects.

    Cells are text; those that look like numbers are written as JSON numbers, as senders do.
    """
    import duckdb
    import pyarrow as pa

    arrays = {c: pa.array(cells[c].tolist(), pa.string(), from_pandas=True) for c in cells.columns}
    with duckdb.connect() as connection:
        connection.register("cells", pa.table(arrays))
        [(objects,)] = connection.execute(
            f"SELECT string_agg(to_json({_struct(list(cells.columns))})::VARCHAR, ',\n') FROM cells"
        ).fetchall()
    return f"{head}\n{objects or ''}\n{foot}\n".encode()


def _struct(columns: list[str], prefix: str = "") -> str:
    """SQL of the nested object of dotted columns, in their order."""
    fields: dict[str, list[str]] = {}
    for column in columns:
        first, _, rest = column.partition(".")
        fields.setdefault(first, []).append(rest)
    parts = []
    for key, rests in fields.items():
        name = f'"{prefix}{key}"'
        value = _struct(rests, f"{prefix}{key}.") if rests[0] else _json_value(name)
        parts.append(f"'{key}': {value}")
    return "{" + ", ".join(parts) + "}"


def _json_value(name: str) -> str:
    is_number = f"regexp_full_match({name}, '-?(0|[1-9][0-9]*)([.][0-9]+)?')"
    return f"CASE WHEN {is_number} THEN {name}::JSON ELSE to_json({name}) END"
