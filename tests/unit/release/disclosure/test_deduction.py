"""What follows from published sums: projections against elimination, and what is too much.

Not here: which sets must not follow (`test_differencing.py`, `tests/property`).
"""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csr_array

from pipelines.release.disclosure import deduction
from pipelines.release.disclosure.deduction import (
    TooManySumsError,
    is_nothing,
    rest_beside,
    rest_of,
    small_circuits,
)

SUMS = [[1, 1, 1, 0, 0, 0], [0, 0, 1, 1, 0, 0], [1, 1, 0, 0, 1, 0], [0, 0, 0, 0, 1, 0]]


def matrix(rows: list[list[int]]) -> csr_array:
    return csr_array(np.array(rows, dtype=float).reshape(len(rows), -1))


def follows(rest: np.ndarray, *atoms: int) -> bool:
    return bool(is_nothing(rest[list(atoms)].sum(axis=0)))


def test_what_follows_adds_up_to_nothing_and_nothing_else_does() -> None:
    """The last sum tells 4, with the third 0 + 1, with the first 2, with the second 3."""
    rest = rest_of(matrix(SUMS))
    assert follows(rest, 4)
    assert follows(rest, 0, 1)
    assert follows(rest, 2)
    assert follows(rest, 3)
    assert not follows(rest, 0)
    assert not follows(rest, 5)
    assert not follows(rest, 0, 5)


@pytest.mark.parametrize(("height", "width"), [(6, 40), (40, 6), (12, 12)])
def test_more_sums_than_atoms_and_fewer(height: int, width: int) -> None:
    random = np.random.default_rng(7)
    dense = (random.random((height, width)) < 0.4).astype(float)
    rest = rest_of(csr_array(dense))
    full = np.linalg.matrix_rank(dense)
    for at in range(width):
        own = np.zeros((1, width))
        own[0, at] = 1.0
        is_told = np.linalg.matrix_rank(np.concatenate([dense, own])) == full
        assert follows(rest, at) == is_told


def test_some_sums_more_are_as_all_of_them_at_once() -> None:
    before, now = rest_beside(matrix(SUMS[:2]), matrix(SUMS[2:]))
    assert np.allclose(now, rest_of(matrix(SUMS)), atol=1e-9)
    assert np.allclose(before, rest_of(matrix(SUMS[:2])), atol=1e-9)


def test_sets_of_two_three_and_four_are_found_and_none_that_has_a_part() -> None:
    rows = [[1, 1] + [0] * 9, [0, 0, 1, 1, 1] + [0] * 6, [0] * 5 + [1, 1, 1, 1, 0, 0]]
    rest, weight = rest_of(matrix(rows)), np.ones(11, dtype=np.int64)
    found = [tuple(one) for some in small_circuits(rest, weight, weight * 5) for one in some]
    assert sorted(map(tuple, map(sorted, found))) == [(0, 1), (2, 3, 4), (5, 6, 7, 8)]
    heavy = np.array([1, 4, *[1] * 9], dtype=np.int64)
    found = [tuple(one) for some in small_circuits(rest, heavy, weight * 5) for one in some]
    assert (0, 1) not in found, "five people are enough"


def test_too_much_is_said_and_what_hangs_together_in_nothing_costs_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(deduction, "MOST_WORK", 20)
    apart = np.kron(np.eye(9), np.ones((1, 3)))
    assert not follows(rest_of(csr_array(apart)), 0)
    chain = np.eye(9, 10) + np.eye(9, 10, k=1)
    with pytest.raises(TooManySumsError):
        rest_of(csr_array(chain))


def test_a_set_is_small_by_the_highest_threshold_of_those_in_it() -> None:
    rest, weight = rest_of(matrix([[1, 1]])), np.array([3, 3])
    for least, is_found in (([10, 5], True), ([5, 10], True), ([5, 5], False)):
        found = [*small_circuits(rest, weight, np.array(least))]
        assert sum(map(len, found)) == is_found, least
