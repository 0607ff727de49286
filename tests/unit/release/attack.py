"""An attacker on published counts: exact elimination over fractions, and linear programming.

Not here: anything of the product. It knows the layout of a table of counts and nothing else.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np
from scipy.optimize import linprog

OWN = ("level", "is_suppressed")


def equations(
    rows: Sequence[dict[str, Any]], cells: Sequence[tuple[Any, ...]], dimensions: Sequence[str]
) -> list[tuple[list[int], dict[str, Any]]]:
    """For every row that shows numbers: which cells it is the sum of, and the row."""
    found = []
    for row in rows:
        if row["is_suppressed"]:
            continue
        fixed = {
            "cell": list(range(len(dimensions))),
            "total": [],
        }.get(row["level"])
        if fixed is None:
            fixed = [dimensions.index(row["level"])]
        parts = [
            at
            for at, cell in enumerate(cells)
            if all(cell[one] == row[dimensions[one]] for one in fixed)
        ]
        found.append((parts, row))
    return found


def is_determined(known: Sequence[Sequence[int]], wanted: Sequence[int], size: int) -> bool:
    """Does the sum of the wanted cells follow from the known sums? Gauss over fractions."""
    basis: dict[int, list[Fraction]] = {}

    def reduced(parts: Sequence[int]) -> list[Fraction]:
        row = [Fraction(int(at in set(parts))) for at in range(size)]
        for pivot, other in basis.items():
            if row[pivot]:
                factor = row[pivot]
                row = [a - factor * b for a, b in zip(row, other, strict=True)]
        return row

    for parts in known:
        row = reduced(parts)
        pivot = next((at for at, value in enumerate(row) if value), None)
        if pivot is None:
            continue
        row = [value / row[pivot] for value in row]
        for at, other in list(basis.items()):
            if other[pivot]:
                factor = other[pivot]
                basis[at] = [a - factor * b for a, b in zip(other, row, strict=True)]
        basis[pivot] = row
    return not any(reduced(wanted))


def interval(
    known: Sequence[tuple[Sequence[int], float]], wanted: Sequence[int], size: int, least: float
) -> tuple[float, float]:
    """The least and the most that the sum of the wanted cells can be."""
    shown = np.zeros((max(len(known), 1), size))
    values = np.zeros(max(len(known), 1))
    for at, (parts, value) in enumerate(known):
        shown[at, list(parts)] = 1
        values[at] = value
    goal = np.zeros(size)
    goal[list(wanted)] = 1
    found = []
    for sign in (1, -1):
        answer = linprog(sign * goal, A_eq=shown, b_eq=values, bounds=[(least, None)] * size)
        found.append(float("inf") if answer.status == 3 else sign * float(answer.fun))
    low, high = found[0], abs(found[1]) if found[1] == float("inf") else found[1]
    return low, high
