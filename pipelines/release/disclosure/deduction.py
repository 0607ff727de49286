"""What follows from published sums: whether a set of atoms is a linear combination of them.

Not here: what is published, and which sets must not follow (`differencing.py`).

Random probes are projected onto what no published sum touches. Where the rest of every probe adds
up to nothing over a set, the set is a combination of the sums; so one projection answers for any
number of sets. Sums of one unknown atom are taken out first, atoms that are always published
together are one, and what hangs together in no sum is solved apart: what is left is small.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from scipy.sparse import csr_array  # type: ignore[import-untyped]

Amounts = NDArray[np.float64]
Numbers = NDArray[np.int64]
Mask = NDArray[np.bool_]

PROBES, SEED = 3, 20_261_130
MOST_WORK = 125_000_000_000  # of 5,000 sums or atoms that hang together: some seconds
MOST_PAIRS = 3_000_000
_TINY, _RANK = 1e-7, 1e-8


class TooManySumsError(Exception):
    """There are more sums, and more atoms in them, than can be solved."""


def rest_of(sums: csr_array, vectors: Amounts | None = None) -> Amounts:
    """What is left of each vector beside the space of the sums; `sums` has one row a sum.

    `vectors` has one row an atom, one column a vector; unless given, random probes.
    Raises TooManySumsError.
    """
    rest = probes(sums.shape[1]) if vectors is None else vectors.copy()
    is_known, sums = _solved_one_by_one(_distinct(sums))
    rest[is_known] = 0.0
    unknown = np.flatnonzero(~is_known)
    touched, kind = _kinds(sums[:, unknown])
    if not len(touched):
        return rest
    touched = unknown[touched]
    first = np.unique(kind, return_index=True)[1]
    scale = np.sqrt(np.bincount(kind))[:, None]
    whole = np.zeros((len(first), rest.shape[1]))
    np.add.at(whole, kind, rest[touched])
    whole /= scale
    found = np.zeros_like(whole)
    for rows, columns in _blocks(sums[:, touched[first]]):
        block = sums[rows][:, touched[first][columns]].multiply(scale[columns, 0]).tocsr()
        found[columns] = _projected(block, whole[columns])
    rest[touched] -= (found / scale)[kind]
    return rest


def probes(atoms: int) -> Amounts:
    """Random vectors, the same each time."""
    return np.random.default_rng(SEED).standard_normal((atoms, PROBES))


def rest_beside(sums: csr_array, more: csr_array) -> tuple[Amounts, Amounts]:
    """`rest_of` the sums, and of the sums with some more, for little more than the first."""
    added = more.toarray().T
    left = rest_of(sums, np.concatenate([probes(sums.shape[1]), added], axis=1))
    before, added = left[:, :PROBES], left[:, PROBES:]
    return before, before - _projected(np.ascontiguousarray(added.T), before)


def is_nothing(sums: Amounts) -> Mask:
    """Are all probes nothing? `sums` has one row a set: the rests of its atoms added up."""
    return np.asarray((np.abs(sums) < _TINY).all(axis=-1))


def small_circuits(rest: Amounts, weight: Numbers, least: Numbers) -> Iterator[Numbers]:
    """Sets of two to four atoms, one a row, whose rests add up to nothing and that are small.

    Small: fewer people than `least` of one of its atoms. No part of a set adds up to nothing. Of
    more atoms than `MOST_PAIRS` allows, only sets of two are looked for.
    """
    pool = np.flatnonzero(~is_nothing(rest) & (weight > 0) & (weight < least))
    most = int(least[pool].max(initial=0))
    for size in (2, 3, 4):
        light = pool[weight[pool] <= most - size]  # each of the others is somebody
        if len(light) < size or (size > 2 and len(light) ** 2 > 2 * MOST_PAIRS):
            continue
        found = _circuits(light, size, most, rest, weight)
        yield found[weight[found].sum(axis=1) < least[found].max(axis=1)]


def _circuits(pool: Numbers, size: int, most: int, rest: Amounts, weight: Numbers) -> Numbers:
    if size == 2:
        left, right = _opposite(rest[pool], rest[pool])
        return np.stack([pool[left], pool[right]], axis=1)[left < right]
    one, other = np.triu_indices(len(pool), 1)
    pairs = np.stack([pool[one], pool[other]], axis=1)
    pairs = pairs[weight[pairs].sum(axis=1) <= most - size + 1]
    pairs = pairs[~is_nothing(rest[pairs].sum(axis=1))]
    more = pool[:, None] if size == 3 else pairs
    left, right = _opposite(rest[pairs].sum(axis=1), rest[more].sum(axis=1))
    found = np.concatenate([pairs[left], more[right]], axis=1)
    return found[(np.diff(found[:, 1:], axis=1) > 0).all(axis=1)]  # each set once


def _opposite(sums: Amounts, added: Amounts) -> tuple[Numbers, Numbers]:
    """Which of `sums` and which of `added` make nothing together."""
    order = np.argsort(added[:, 0], kind="stable")
    ordered = added[order, 0]
    start = np.searchsorted(ordered, -sums[:, 0] - _TINY)
    count = np.searchsorted(ordered, -sums[:, 0] + _TINY) - start
    left = np.repeat(np.arange(len(sums)), count)
    within = np.arange(len(left)) - np.repeat(np.cumsum(count) - count, count)
    right = order[np.repeat(start, count) + within]
    is_real = is_nothing(sums[left] + added[right])
    return left[is_real], right[is_real]


def _distinct(sums: csr_array) -> csr_array:
    """Each sum once, and none of nothing."""
    codes = np.random.default_rng(SEED).integers(1, 2**62, sums.shape[1], dtype=np.uint64)
    filled = np.flatnonzero(np.diff(sums.indptr))
    if not len(filled):
        return sums[filled]
    marks = np.add.reduceat(codes[sums.indices], sums.indptr[filled])
    return sums[filled[np.unique(marks, return_index=True)[1]]]


def _solved_one_by_one(sums: csr_array) -> tuple[Mask, csr_array]:
    """Atoms that are known since they are the only unknown one of a sum; and the other sums."""
    is_known = np.zeros(sums.shape[1], dtype=bool)
    while True:
        unknown = sums @ (~is_known).astype(float)
        single = sums[np.flatnonzero(unknown == 1)].indices
        found = single[~is_known[single]]
        if not len(found):
            return is_known, sums[np.flatnonzero(unknown > 1)]
        is_known[found] = True


def _kinds(sums: csr_array) -> tuple[Numbers, Numbers]:
    """The columns that are in some sum, and for each its kind: those in the same sums."""
    by_column = sums.tocsc()
    touched = np.flatnonzero(np.diff(by_column.indptr))
    if not len(touched):
        return touched, touched
    codes = np.random.default_rng(SEED + 1).integers(1, 2**62, sums.shape[0], dtype=np.uint64)
    marks = np.add.reduceat(codes[by_column.indices], by_column.indptr[touched])
    return touched, np.unique(marks, return_inverse=True)[1].ravel()


def _blocks(sums: csr_array) -> Iterator[tuple[Numbers, Numbers]]:
    """Rows and columns of each part that shares nothing with others. Raises TooManySumsError."""
    from scipy.sparse import block_array
    from scipy.sparse.csgraph import connected_components  # type: ignore[import-untyped]

    rows = sums.shape[0]
    graph = block_array([[None, sums], [sums.T, None]], format="csr")
    count, part = connected_components(graph, directed=False)
    row_part, column_part = part[:rows], part[rows:]
    heights = np.bincount(row_part, minlength=count).astype(float)
    widths = np.bincount(column_part, minlength=count).astype(float)
    if (np.minimum(heights, widths) ** 3).sum() > MOST_WORK:
        raise TooManySumsError
    by_row, by_column = np.argsort(row_part, kind="stable"), np.argsort(column_part, kind="stable")
    row_cuts = np.cumsum(heights).astype(int)[:-1]
    column_cuts = np.cumsum(widths).astype(int)[:-1]
    yield from zip(np.split(by_row, row_cuts), np.split(by_column, column_cuts), strict=True)


def _projected(block: Any, vectors: Amounts) -> Amounts:
    """The vectors on the space of the rows of `block`; of products, since those are fast."""
    from scipy.linalg import cho_solve  # type: ignore[import-untyped]

    if block.shape[0] > block.shape[1]:
        triangle, order = _factor(_dense(block.T @ block))
        block = np.zeros((triangle.shape[1], len(order)))
        block[:, order] = triangle.T
    triangle, order = _factor(_dense(block @ block.T))
    rank = triangle.shape[1]
    block, triangle = block[order[:rank]], triangle[:rank]
    found, rest = np.zeros_like(vectors), vectors
    for _again in range(2):  # the second time takes away what the first left by rounding
        step = block.T @ cho_solve((triangle, True), block @ rest, check_finite=False)
        found, rest = found + step, rest - step
    return np.asarray(found)


def _factor(gram: Amounts) -> tuple[Amounts, Numbers]:
    """The triangle of a Cholesky factorisation with pivots, of full rank, and the pivots."""
    from scipy.linalg.lapack import dpstrf  # type: ignore[import-untyped]

    lower, order, rank, _info = dpstrf(gram, tol=_RANK, lower=1)
    return np.tril(lower)[:, :rank], np.asarray(order, dtype=np.int64) - 1


def _dense(product: Any) -> Amounts:
    return np.asarray(product.toarray() if hasattr(product, "toarray") else product)
