"""Which counts stay hidden, so that no small one can be worked out from those that are shown.

Not here: what a count is made of (`counts.py`) and earlier extracts (`differencing.py`).

Cells add up to totals, so a hidden cell may follow from what is shown. It is safe when (1) it is
not a linear combination of what is shown, decided by the row space of the shown totals over the
hidden cells, and (2) what is shown leaves it an interval at least as wide as asked, by linear
programming, knowing that no count is negative. While one is not, the smallest count that breaks
the deduction is hidden too; at last all totals are, after which nothing adds up to anything.
Method: complementary cell suppression and its audit as in the literature on statistical disclosure
control (Hundepool et al., Statistical Disclosure Control, 2012; Fischetti and Salazar, 2000); the
choice is greedy, hence safe but not the least possible.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Amounts = NDArray[np.float64]
Mask = NDArray[np.bool_]

MOST_CELLS, MOST_HIDDEN, MOST_ROUNDS = 100_000, 3_000, 200
_TINY = 1e-9


class TooManyCellsError(Exception):
    """There are more cells than can be checked; `cells` says how many."""

    def __init__(self, cells: int) -> None:
        """Keep the number."""
        self.cells = cells
        super().__init__(f"{cells} cells")


@dataclass(frozen=True)
class Quantity:
    """One number of every cell, as an attacker thinks of it.

    `cells`: its value in each cell. `least`: no hidden cell is known to have less. `width`: by node
    (cells, then totals), how wide the interval that what is shown leaves must be; 0: no demand.
    """

    cells: Amounts
    least: float
    width: Amounts


@dataclass
class Table:
    """Cells and their totals. Nodes are the cells in their order, then the totals in theirs.

    `totals`: for each total the indices of its cells, ascending. `weight`: how many people or
    records stand behind a cell; of two that would do, the lighter is hidden.
    """

    weight: Amounts
    totals: list[NDArray[np.int64]]
    quantities: Sequence[Quantity] = ()
    reached: list[tuple[Amounts, Amounts]] = field(default_factory=list)

    @property
    def cells(self) -> int:
        """How many cells there are."""
        return len(self.weight)

    def sums(self, values: Amounts) -> Amounts:
        """A value of each node from those of the cells."""
        return np.concatenate([values, [float(values[one].sum()) for one in self.totals]])


@dataclass(frozen=True)
class _Shown:
    """What is shown: the rows of its totals over the hidden cells, and which those are."""

    rows: NDArray[np.float64]
    unknown: NDArray[np.int64]


def hide(table: Table, primary: Mask) -> Mask:
    """The nodes that must not be shown: the primary ones, and those that would give them away.

    Raises TooManyCellsError beyond `MOST_CELLS` cells, or `MOST_HIDDEN` of them hidden.
    """
    if table.cells > MOST_CELLS:
        raise TooManyCellsError(table.cells)
    hidden = primary.copy()
    true = [table.sums(quantity.cells) for quantity in table.quantities]
    table.reached = [(values.copy(), values.copy()) for values in true]
    weight = table.sums(table.weight)
    for _round in range(MOST_ROUNDS):
        if int(hidden[: table.cells].sum()) > MOST_HIDDEN:
            break
        more = _deduced(table, primary, hidden, weight)
        if not more.any():
            more = _too_narrow(table, primary, hidden, weight)
        if not more.any():
            return hidden
        hidden |= more
    hidden[table.cells :] = True  # nothing adds up to anything any more
    return hidden


def is_deducible(shown: NDArray[np.float64], wanted: NDArray[np.float64]) -> Mask:
    """For each row of `wanted`: is it a linear combination of the rows of `shown`?"""
    if not len(wanted):
        return np.zeros(0, dtype=bool)
    size = np.einsum("ij,ij->i", wanted, wanted)
    if not len(shown):
        return np.asarray(size < _TINY)
    return is_within(basis_of(shown), wanted)


def is_within(basis: NDArray[np.float64], wanted: NDArray[np.float64]) -> Mask:
    """For each row of `wanted`: does it lie in the space of `basis`?"""
    size = np.einsum("ij,ij->i", wanted, wanted)
    rest = wanted - (wanted @ basis.T) @ basis
    return np.asarray(np.einsum("ij,ij->i", rest, rest) < _TINY * np.maximum(size, 1.0))


def basis_of(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Orthonormal rows that span the same space."""
    _left, sizes, right = np.linalg.svd(rows, full_matrices=False)
    is_real = sizes > max(rows.shape) * np.finfo(float).eps * max(sizes.max(initial=0.0), 1.0)
    return np.asarray(right[is_real])


def _rows(table: Table, nodes: NDArray[np.int64], among: NDArray[np.int64]) -> NDArray[np.float64]:
    """The nodes as sums of cells: one row a node, one column a cell of `among`."""
    column = np.full(table.cells, -1)
    column[among] = np.arange(len(among))
    rows = np.zeros((len(nodes), len(among)))
    for at, node in enumerate(nodes):
        parts = np.array([node]) if node < table.cells else table.totals[node - table.cells]
        there = column[parts]
        rows[at, there[there >= 0]] = 1.0
    return rows


def _shown_totals(table: Table, hidden: Mask) -> NDArray[np.int64]:
    return table.cells + np.flatnonzero(~hidden[table.cells :])


def _deduced(table: Table, primary: Mask, hidden: Mask, weight: Amounts) -> Mask:
    """What to hide so that fewer primary nodes follow from the shown ones by addition."""
    more = np.zeros_like(hidden)
    totals = _shown_totals(table, hidden)
    unknown = np.flatnonzero(hidden[: table.cells])
    shown, nodes = _rows(table, totals, unknown), np.flatnonzero(primary)
    wanted = _rows(table, nodes, unknown)
    is_open = is_deducible(shown, wanted)
    if not is_open.any():
        return more
    whole = _rows(table, totals, np.arange(table.cells))
    closing, is_part = is_deducible(shown.T, whole.T), whole.sum(axis=1) < table.cells
    proofs = np.linalg.lstsq(shown.T, wanted[is_open].T, rcond=None)[0].T
    for proof, node in zip(proofs, nodes[is_open], strict=True):
        own = _rows(table, np.array([node]), np.arange(table.cells))[0]
        uses = (np.abs(proof @ whole - own) > 1e-6) & ~hidden[: table.cells]
        used_totals = totals[np.abs(proof) > 1e-6]
        if (uses & more[: table.cells]).any() or more[used_totals].any():
            continue  # broken already
        near = (((whole @ own > 0) & is_part) @ whole) > 0
        # A cell whose totals the hidden ones make up already ends the deduction for good; another
        # one of the same total is a step towards that.
        options = (uses & closing, uses & near, uses)
        choice = next((np.flatnonzero(one) for one in options if one.any()), used_totals)
        more[_lightest(choice, weight)] = True
    return more


def _lightest(nodes: NDArray[np.int64], weight: Amounts) -> int:
    return int(nodes[np.lexsort((nodes, weight[nodes]))[0]])


def _too_narrow(table: Table, primary: Mask, hidden: Mask, weight: Amounts) -> Mask:
    """What to hide so that a primary node has a wider interval."""
    more = np.zeros_like(hidden)
    totals = _shown_totals(table, hidden)
    unknown = np.flatnonzero(hidden[: table.cells])
    shown = _rows(table, totals, unknown)
    for quantity, (low, high) in zip(table.quantities, table.reached, strict=True):
        for node in map(int, np.flatnonzero(primary & (quantity.width > 0))):
            if high[node] - low[node] >= quantity.width[node] - 1e-6 or not len(totals):
                continue
            _stretch(table, quantity, (low, high), node, _Shown(shown, unknown))
            if high[node] - low[node] < quantity.width[node] - 1e-6:
                more[_neighbour(table, node, hidden | more, weight)] = True
    return more


def _stretch(
    table: Table,
    quantity: Quantity,
    reached: tuple[Amounts, Amounts],
    node: int,
    given: _Shown,
) -> None:
    """The least and the most that `node` can be, kept in `reached` with what others were then."""
    from scipy.optimize import linprog  # type: ignore[import-untyped]
    from scipy.sparse import csr_matrix  # type: ignore[import-untyped]

    low, high = reached
    shown, unknown = given.rows, given.unknown
    wanted = _rows(table, np.array([node]), unknown)[0]
    true = quantity.cells[unknown]
    for sign in (1.0, -1.0):
        answer = linprog(
            sign * wanted,
            A_eq=csr_matrix(shown),
            b_eq=shown @ true,
            bounds=[(min(quantity.least, float(value)), None) for value in true],
            method="highs",
        )
        if answer.status == 3:  # without bound
            (low if sign > 0 else high)[node] = -sign * np.inf
            continue
        if answer.status != 0:
            continue  # nothing proved, so nothing gained: treated as narrow
        values = quantity.cells.copy()
        values[unknown] = answer.x
        sums = table.sums(values)
        np.minimum(low, sums, out=low)
        np.maximum(high, sums, out=high)


def _neighbour(table: Table, node: int, hidden: Mask, weight: Amounts) -> int:
    """The lightest shown cell that shares a shown total with the node; else the lightest total."""
    own = {node} if node < table.cells else set(table.totals[node - table.cells].tolist())
    shown = _shown_totals(table, hidden)
    over = [one for one in shown if not own.isdisjoint(table.totals[one - table.cells].tolist())]
    parts = [table.totals[one - table.cells] for one in over]
    cells = np.unique(np.concatenate(parts)) if parts else np.zeros(0, dtype=np.int64)
    cells = cells[~hidden[cells]]
    choice = cells if len(cells) else np.array(over or shown, dtype=np.int64)
    if not len(choice):
        return node
    return _lightest(choice, weight)
