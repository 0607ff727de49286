"""Who is in the cells of an extract of counts, by its private record (`cells.CELLS_SCHEMA`).

Not here: making that record (`cells.py`), and what several tell together (`differencing.py`).
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

Numbers = NDArray[np.int64]
Mask = NDArray[np.bool_]
Who = NDArray[np.uint64]


def members(table: pa.Table) -> tuple[Who, Numbers, Numbers]:
    """Each record of an extract, the row of its cell, and how many people it stands for."""
    records = table["records"].combine_chunks()
    weights = table["weights"].combine_chunks()
    sizes = np.diff(np.asarray(records.offsets))
    cell = np.repeat(np.arange(table.num_rows), sizes)
    start, end = records.offsets[0].as_py(), records.offsets[-1].as_py()
    who = np.asarray(records.values)[start:end]
    return who, cell, np.asarray(weights.values)[start:end]


def without(table: pa.Table, known: Who) -> tuple[pa.Table, Mask]:
    """An extract without some records; and which of its nodes have lost any."""
    who, cell, weighs = members(table)
    is_left = ~np.isin(who, known)
    cuts = np.concatenate([[0], np.cumsum(np.bincount(cell[is_left], minlength=table.num_rows))])
    for column, values in (("records", who[is_left]), ("weights", weighs[is_left])):
        at = table.column_names.index(column)
        left = pa.ListArray.from_arrays(pa.array(cuts, pa.int32()), pa.array(values))
        table = table.set_column(at, table.schema.field(column), left)
    lost = np.bincount(cell[~is_left], minlength=table.num_rows)
    parts = table["parts"].combine_chunks()
    of_parts, starts = lost[np.asarray(parts.values)], np.asarray(parts.offsets)
    added = np.concatenate([[0], np.cumsum(of_parts)])
    return table, np.asarray(added[starts[1:]] > added[starts[:-1]])


def content(table: pa.Table) -> tuple[bytes, ...]:
    """What makes two extracts one: the same numbers published of the same records."""
    who, cell, weighs = members(table)
    parts, told = table["parts"].combine_chunks(), repr(sums(table)).encode()
    shown = np.asarray(table["is_published"])
    small, least = np.asarray(table["is_primary"]), table["threshold"].to_numpy()
    found = (who, cell, weighs, shown, small, least, np.asarray(parts.values))
    return (*(one.tobytes() for one in found), np.asarray(parts.offsets).tobytes(), told)


def is_same(one: pa.Table, other: pa.Table) -> bool:
    """Do two extracts tell the same numbers of the same records?"""
    return content(one) == content(other)


def sums(table: pa.Table) -> list[str] | None:
    """The sums that an extract tells; None for a record of before they were written down."""
    if "measures" not in table.column_names:
        return None
    return table["measures"][0].as_py() if table.num_rows else []
