"""Cells as JSON objects, column by column: nested by the dots of a column's name, numbers bare.

Not here: the envelope or the lines that hold the objects (the feed modules).
"""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

NUMBER = r"-?\d+(?:\.\d+)?"


def json_objects(cells: pd.DataFrame, numbers: Collection[str] = ()) -> list[str]:
    """One JSON object a row, its keys in the order of the columns; an empty cell is null.

    Columns `a.b` and `a.c` share the object `a`, if they stand side by side. In the columns named
    in `numbers` a cell that is a number is written as one, any other as text.
    """
    objects: list[str] = _object(list(cells.columns), cells, set(numbers), "").tolist()
    return objects


def _object(names: list[str], cells: pd.DataFrame, numbers: set[str], above: str) -> Any:
    import pandas as pd

    text = pd.Series("{", index=cells.index)
    keys = dict.fromkeys(name.removeprefix(above).split(".")[0] for name in names)
    for at, key in enumerate(keys):
        path = above + key
        inner = [name for name in names if name.startswith(path + ".")]
        if inner:
            value = _object(inner, cells, numbers, path + ".")
        else:
            value = _values(cells[path], path in numbers)
        text = text + (", " if at else "") + json.dumps(key) + ": " + value
    return text + "}"


def _values(values: pd.Series, is_number: bool) -> pd.Series:
    known = {value: json.dumps(value, ensure_ascii=False) for value in values.dropna().unique()}
    text = values.map(known).astype(object)
    if is_number:
        plain = values.astype("string").str.fullmatch(NUMBER).fillna(False).astype(bool)
        text = text.mask(plain, values)
    return text.where(values.notna(), "null")
