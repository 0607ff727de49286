"""Hidden counts stay hidden: nothing follows by addition, and no interval is too narrow.

Not here: what a count is made of (`test_counting.py`).
"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.release.disclosure import suppression
from pipelines.release.disclosure.suppression import (
    Quantity,
    Table,
    TooManyCellsError,
    hide,
    is_deducible,
)
from tests.unit.release.attack import interval, is_determined

THRESHOLD = 5


def crosstab(counts: list[list[int]], least: float = 1.0) -> tuple[Table, np.ndarray]:
    """Rows × columns with their totals and the grand total; empty cells are not listed."""
    grid = np.array(counts)
    where = np.argwhere(grid > 0)
    weight = grid[grid > 0].astype(float)
    totals = [np.flatnonzero(where[:, 0] == row) for row in range(grid.shape[0])]
    totals += [np.flatnonzero(where[:, 1] == column) for column in range(grid.shape[1])]
    totals = [one for one in totals if len(one)] + [np.arange(len(weight))]
    table = Table(weight, totals)
    table.quantities = [
        Quantity(weight, least, np.full(len(weight) + len(totals), float(THRESHOLD)))
    ]
    nodes = table.sums(weight)
    return table, (nodes > 0) & (nodes < THRESHOLD)


def attacked(
    table: Table, hidden: np.ndarray, primary: np.ndarray, least: float = 1.0
) -> list[str]:
    """What an attacker finds out of the primary nodes."""
    parts = [[at] for at in range(table.cells)] + [one.tolist() for one in table.totals]
    values = table.sums(table.weight)
    known = [(parts[at], float(values[at])) for at in np.flatnonzero(~hidden)]
    found = []
    for at in np.flatnonzero(primary):
        if is_determined([one for one, _value in known], parts[at], table.cells):
            found.append(f"node {at} is {values[at]}")
            continue
        low, high = interval(known, parts[at], table.cells, least)
        if high - low < THRESHOLD - 1e-6:
            found.append(f"node {at} is between {low} and {high}")
    return found


CASES = [
    [[20, 3, 15], [12, 30, 9], [25, 8, 40]],
    [[3, 20], [30, 40]],
    [[2, 2, 2], [2, 2, 2], [2, 2, 2]],
    [[1, 0, 50], [0, 1, 50], [50, 50, 0]],
    [[4]],
    [[100, 100], [100, 1]],
    [[3, 3, 3, 3, 60], [70, 80, 90, 60, 50]],
]


@pytest.mark.parametrize("counts", CASES)
def test_no_small_count_can_be_worked_out(counts: list[list[int]]) -> None:
    table, primary = crosstab(counts)
    hidden = hide(table, primary)
    assert (hidden | ~primary).all(), "small ones are hidden"
    assert attacked(table, hidden, primary) == []


def test_where_nothing_is_small_nothing_is_hidden() -> None:
    table, primary = crosstab([[20, 30], [40, 50]])
    assert not hide(table, primary).any()


def test_one_small_cell_costs_a_square_of_four_and_no_total() -> None:
    table, primary = crosstab(CASES[0])
    hidden = hide(table, primary)
    assert hidden[: table.cells].sum() == 4
    assert not hidden[table.cells :].any()


@settings(max_examples=60, deadline=None)
@given(
    st.integers(2, 4).flatmap(
        lambda width: st.lists(
            st.lists(
                st.sampled_from([0, 1, 2, 3, 4, 6, 9, 20, 45]), min_size=width, max_size=width
            ),
            min_size=2,
            max_size=4,
        )
    ),
    st.sampled_from([0.0, 1.0]),
)
def test_of_any_table(counts: list[list[int]], least: float) -> None:
    if not np.any(counts):
        return
    table, primary = crosstab(counts, least)
    hidden = hide(table, primary)
    assert (hidden | ~primary).all()
    assert attacked(table, hidden, primary, least) == []


@pytest.mark.parametrize("steps", [("_too_narrow",), ("_deduced", "_too_narrow")])
def test_the_attacker_notices_where_a_step_is_left_out(
    steps: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """If the protection were gone, or only its intervals, these tests would tell."""
    for step in steps:
        monkeypatch.setattr(
            suppression, step, lambda _table, _primary, hidden, _weight: np.zeros_like(hidden)
        )
    found = []
    for counts in CASES:
        table, primary = crosstab(counts)
        found += attacked(table, hide(table, primary), primary)
    assert found


def test_linear_combinations_are_told_from_others() -> None:
    shown = np.array([[1.0, 1, 0, 0], [0, 0, 1, 1], [1, 0, 1, 0]])
    wanted = np.array([[1.0, 1, 1, 1], [0, 1, 0, 1], [1, 0, 0, 0], [0, 0, 0, 0]])
    assert is_deducible(shown, wanted).tolist() == [True, True, False, True]
    assert is_deducible(np.zeros((0, 4)), wanted).tolist() == [False, False, False, True]


def test_the_same_table_hides_the_same_cells() -> None:
    first, primary = crosstab(CASES[3])
    again, _primary = crosstab(CASES[3])
    assert (hide(first, primary) == hide(again, primary)).all()


def test_more_cells_than_can_be_checked_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(suppression, "MOST_CELLS", 3)
    table, primary = crosstab([[20, 30], [40, 50]])
    with pytest.raises(TooManyCellsError) as refused:
        hide(table, primary)
    assert refused.value.cells == 4


def test_beyond_the_work_allowed_every_total_is_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(suppression, "MOST_HIDDEN", 1)
    table, primary = crosstab(CASES[2])
    hidden = hide(table, primary)
    assert hidden[table.cells :].all()
    assert attacked(table, hidden, primary) == []
