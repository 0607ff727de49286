"""The table of counts that leaves, and the private record of the cells behind it.

Not here: the query (`counts.py`), which cells stay hidden (`suppression.py`), and the comparison
with earlier extracts (`differencing.py`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipelines.release.disclosure.suppression import Mask, Quantity, Table, TooManyCellsError, hide
from pipelines.release.errors import ReleaseError
from pipelines.release.query.counts import CELL, LEVEL, SUPPRESSED, TOTAL, CompiledCounts
from schemas.agreement import RECORDS, TIME_DIMENSIONS

_UNLISTED = "passerelle.suppressed_rows_are_not_listed"
SUM_WIDTH = 0.2  # of a hidden sum: how uncertain it must stay
_ARROW = {
    "VARCHAR": pa.string(),
    "BIGINT": pa.int64(),
    "DOUBLE": pa.float64(),
    "BOOLEAN": pa.bool_(),
}
CELLS_SCHEMA = pa.schema(
    [
        ("node", pa.string()),  # what it is a count of, for a reader of the private record
        ("is_published", pa.bool_()),
        ("is_primary", pa.bool_()),  # too small by itself
        ("threshold", pa.int64()),
        ("measures", pa.list_(pa.string())),  # the sums that are told beside the number of records
        ("parts", pa.list_(pa.int64())),  # the cells that it is the sum of, by their row here
        ("records", pa.list_(pa.uint64())),  # of a cell: who is in it
        ("weights", pa.list_(pa.int64())),  # of a cell: how many people each record stands for
    ]
)


@dataclass(frozen=True)
class Protection:
    """Which rows of the answer are hidden, and whether the hidden ones are listed."""

    hidden: Mask
    is_listed: bool


def protect_counts(
    compiled: CompiledCounts, counted: pa.Table, found: Protection | None = None
) -> pa.Table:
    """The table that leaves: dimensions, `level`, measures, coverage, `is_suppressed`.

    `counted` is the answer to `compiled.sql`. `level` is `cell`, the one dimension that a total is
    of (of a stock in each period, and the period where it is all of it), or `total`. A suppressed
    row is listed with no number, and what is not listed holds nothing. Where so many cells are
    small that this would hide the grand total too, nothing suppressed is listed: then what is not
    listed is suppressed or holds nothing (`is_listing_suppressed`), and knowing less of the cells,
    a reader may know more of the totals. `found` is what `protection` gave, if that was asked
    before. Raises ReleaseError REL-116 where there are more cells than can be checked.
    """
    found = found or protection(compiled, counted)
    leaving = _leaving(compiled, counted, found.hidden)
    if not found.is_listed:
        leaving = leaving.filter(pa.array(~found.hidden)).replace_schema_metadata(
            {_UNLISTED: "true"}
        )
    return leaving


def is_listing_suppressed(protected: pa.Table) -> bool:
    """Are suppressed rows of the table listed, so that what is not listed is zero?"""
    return _UNLISTED.encode() not in (protected.schema.metadata or {})


def protection(compiled: CompiledCounts, counted: pa.Table) -> Protection:
    """What must be hidden of the answer to `compiled.sql`. Raises as `protect_counts`."""
    order, parts = _nodes(compiled, counted)
    primary = _primary(compiled, counted)
    hidden, is_listed = np.zeros(counted.num_rows, dtype=bool), True
    try:
        table = _additive(compiled, counted, order, parts, is_listed=True)
        hidden[order] = hide(table, primary[order])
        if parts and hidden[_grand_totals(compiled, counted)].any():
            table = _additive(compiled, counted, order, parts, is_listed=False)
            other = hide(table, primary[order])
            if other.sum() < hidden.sum():
                hidden[order], is_listed = other, False
    except TooManyCellsError as error:
        raise ReleaseError("REL-116", cells=error.cells) from None
    return Protection(hidden, is_listed)


def cells_table(
    compiled: CompiledCounts,
    counted: pa.Table,
    members: pa.Table,
    found: Protection | None = None,
) -> pa.Table:
    """The private record of an extract of counts (`CELLS_SCHEMA`), cells first, then totals.

    `members` is the answer to `compiled.members_sql`, `found` as for `protect_counts`. It is what
    later extracts are compared with, and is never handed on.
    """
    order, parts = _nodes(compiled, counted)
    cells = counted.num_rows - len(parts)
    is_published = ~(found or protection(compiled, counted)).hidden[order]
    own: list[NDArray[np.int64]] = [np.array([at]) for at in range(cells)]
    empty: list[list[int]] = [[] for _one in parts]
    names = [_node_name(compiled, counted, int(at)) for at in order]
    return pa.table(
        {
            "node": pa.array(names, pa.string()),
            "is_published": pa.array(is_published),
            "is_primary": pa.array(_primary(compiled, counted)[order]),
            "threshold": pa.array([compiled.threshold] * counted.num_rows, pa.int64()),
            "measures": pa.array(
                [[one for one in compiled.measures if one != RECORDS]] * counted.num_rows,
                pa.list_(pa.string()),
            ),
            "parts": pa.array([*own, *parts], pa.list_(pa.int64())),
            "records": pa.chunked_array(
                [*members["records"].chunks, pa.array(empty, pa.list_(pa.uint64()))],
                pa.list_(pa.uint64()),
            ),
            "weights": pa.chunked_array(
                [*members["weights"].chunks, pa.array(empty, pa.list_(pa.int64()))],
                pa.list_(pa.int64()),
            ),
        },
        schema=CELLS_SCHEMA,
    )


def _nodes(
    compiled: CompiledCounts, counted: pa.Table
) -> tuple[NDArray[np.int64], list[NDArray[np.int64]]]:
    """The rows of `counted` with the cells first, and for each total the cells that it adds up."""
    size, added = len(compiled.dimensions), _added(compiled, counted)
    depth = added.sum(axis=1)
    cells, totals = np.flatnonzero(depth == 0), np.flatnonzero(depth > 0)
    codes = [_codes(counted[f"_d{at}"]) for at in range(size)]
    parts = []
    for row in totals:
        is_part = np.ones(len(cells), dtype=bool)
        for at in range(size):
            if not added[row, at]:
                is_part &= codes[at][cells] == codes[at][row]
        parts.append(np.flatnonzero(is_part))
    return np.concatenate([cells, totals]), parts


def _grand_totals(compiled: CompiledCounts, counted: pa.Table) -> Mask:
    """The rows that add up the most: of a stock one in each period, else one."""
    depth = _added(compiled, counted).sum(axis=1)
    found: Mask = depth == depth.max()
    return found


def _added(compiled: CompiledCounts, counted: pa.Table) -> NDArray[np.bool_]:
    """By row and dimension: is the row a total over the dimension?"""
    size = len(compiled.dimensions)
    columns = [_array(counted[f"_t{at}"]) > 0 for at in range(size)]
    return np.array(columns, dtype=bool).reshape(size, counted.num_rows).T


def _additive(
    compiled: CompiledCounts,
    counted: pa.Table,
    order: NDArray[np.int64],
    parts: list[NDArray[np.int64]],
    *,
    is_listed: bool,
) -> Table:
    cells = order[: counted.num_rows - len(parts)]
    weight = _array(counted["_weight"]).astype(float)[cells]
    least = 1.0 if is_listed and not compiled.counts_people else 0.0
    width = np.full(counted.num_rows, float(compiled.threshold))
    quantities = [Quantity(weight, least, width)]
    for at, measure in enumerate(compiled.measures):
        if measure == RECORDS or (compiled.counts_people and at == 0):
            continue
        values = np.nan_to_num(_array(counted[f"_m{at}"]).astype(float))
        if (values >= 0).all():
            quantities.append(Quantity(values[cells], 0.0, SUM_WIDTH * values[order]))
    return Table(weight, parts, quantities)


def _primary(compiled: CompiledCounts, counted: pa.Table) -> Mask:
    """Too few behind it: people or records in it, or records that a sum is made of."""
    weight = _array(counted["_weight"])
    found: Mask = (weight > 0) & (weight < compiled.threshold)
    if compiled.counts_people:
        return found
    for at, measure in enumerate(compiled.measures):
        if measure != RECORDS:
            givers = _array(counted[f"_c{at}"])
            found |= (givers > 0) & (givers < compiled.threshold)
    return found


def _leaving(compiled: CompiledCounts, counted: pa.Table, hidden: Mask) -> pa.Table:
    shown = pa.array(~hidden)
    size = len(compiled.dimensions)
    found = {one: counted[f"_d{at}"] for at, one in enumerate(compiled.dimensions)}
    found[LEVEL] = pa.array(_levels(compiled, counted), pa.string())
    numbers = [(one, f"_m{at}") for at, one in enumerate(compiled.measures)]
    numbers += [(one, f"_v{at}") for at, one in enumerate(compiled.coverage)]
    for one, held in numbers:
        found[one] = _where(shown, counted[held])
    found[SUPPRESSED] = pa.array(hidden)
    types = {column.name: _ARROW[column.duckdb_type] for column in compiled.columns}
    assert size + 2 + len(numbers) == len(types)  # noqa: S101
    return pa.table({one: found[one].cast(kind) for one, kind in types.items()})


def _levels(compiled: CompiledCounts, counted: pa.Table) -> list[str]:
    size = len(compiled.dimensions)
    if not size:
        return [TOTAL] * counted.num_rows

    def level(is_added: NDArray[np.bool_]) -> str:
        kept = [one for one, gone in zip(compiled.dimensions, is_added, strict=True) if not gone]
        if len(kept) in (0, size):
            return CELL if kept else TOTAL
        # beside the period of a stock, which is in each of its totals
        return min(kept, key=lambda one: one in TIME_DIMENSIONS)

    masks, of_row = np.unique(_added(compiled, counted), axis=0, return_inverse=True)
    found: list[str] = np.array([level(mask) for mask in masks])[of_row.ravel()].tolist()
    return found


def _node_name(compiled: CompiledCounts, counted: pa.Table, row: int) -> str:
    said = []
    for at, dimension in enumerate(compiled.dimensions):
        if not counted[f"_t{at}"][row].as_py():
            said.append(f"{dimension}={counted[f'_d{at}'][row].as_py()}")
    return " ".join(said) or TOTAL


def _where(shown: pa.Array, values: pa.ChunkedArray) -> pa.ChunkedArray:
    import pyarrow.compute as pc

    return pc.if_else(shown, values, pa.scalar(None, values.type))


def _codes(column: pa.ChunkedArray) -> NDArray[np.int64]:
    encoded = column.combine_chunks().dictionary_encode(null_encoding="encode")
    return np.asarray(encoded.indices.to_numpy(zero_copy_only=False), dtype=np.int64)


def _array(column: pa.ChunkedArray) -> NDArray[Any]:
    return np.asarray(column.to_numpy())
