"""Extracts of counts laid over each other: the guard against somebody who tries every set there is.

Not here: extracts made by real agreements (`tests/unit/release/disclosure/test_differencing.py`).

Worlds are so small that every set of records can be tried, by elimination over fractions, with
nothing of the product. The guard must refuse what that finds, and nothing else.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.release.disclosure.differencing import telling_extracts, tells_more
from pipelines.release.query.cells import CELLS_SCHEMA

Set = frozenset[int]


@dataclass(frozen=True)
class World:
    """Extracts, the new one first: cells with their records, nodes with their cells."""

    weight: tuple[int, ...]
    extracts: tuple[Made, ...]


@dataclass(frozen=True)
class Made:
    """One extract: who is in which cell, and by node the cells that it adds and is it shown."""

    cells: tuple[Set, ...]
    nodes: tuple[tuple[tuple[int, ...], bool], ...]
    threshold: int

    @property
    def shown(self) -> list[Set]:
        return [self._records(parts) for parts, is_shown in self.nodes if is_shown]

    @property
    def everybody(self) -> Set:
        return frozenset().union(*self.cells)

    def _records(self, parts: Sequence[int]) -> Set:
        return frozenset().union(*(self.cells[at] for at in parts))

    def table(self, weight: Sequence[int]) -> pa.Table:
        sums = [sum(weight[one] for one in self._records(parts)) for parts, _shown in self.nodes]
        records = [sorted(one) for one in self.cells]
        empty: list[list[int]] = [[]] * (len(self.nodes) - len(self.cells))
        return pa.table(
            {
                "node": [str(at) for at in range(len(self.nodes))],
                "is_published": [is_shown for _parts, is_shown in self.nodes],
                "is_primary": [0 < one < self.threshold for one in sums],
                "threshold": [self.threshold] * len(self.nodes),
                "measures": [[]] * len(self.nodes),
                "parts": [list(parts) for parts, _shown in self.nodes],
                "records": [*records, *empty],
                "weights": [*([weight[one] for one in row] for row in records), *empty],
            },
            schema=CELLS_SCHEMA,
        )


@st.composite
def extracts(draw: st.DrawFn, size: int, thresholds: st.SearchStrategy[int]) -> Made:
    """Some of the records in one to three cells; each cell and some totals, shown or not."""
    place = draw(st.lists(st.integers(0, 3), min_size=size, max_size=size))
    cells = tuple(
        found
        for at in (1, 2, 3)
        if (found := frozenset(one for one in range(size) if place[one] == at))
    )
    own = [(at,) for at in range(len(cells))]
    pairs = [(one, two) for one in range(len(cells)) for two in range(one + 1, len(cells))]
    totals = draw(st.lists(st.sampled_from([*pairs, tuple(range(len(cells)))]), max_size=2))
    chosen = [*own, *totals]
    shown = draw(st.lists(st.booleans(), min_size=len(chosen), max_size=len(chosen)))
    return Made(cells, tuple(zip(chosen, shown, strict=True)), draw(thresholds))


@st.composite
def worlds(draw: st.DrawFn, *, equal: bool, least: int = 2) -> World:
    """Up to seven records in `least` to four extracts, with one threshold or several."""
    size = draw(st.integers(1, 7))
    weight = tuple(draw(st.lists(st.integers(0, 3), min_size=size, max_size=size)))
    one = draw(st.integers(2, 5))
    thresholds = st.just(one) if equal else st.integers(1, 5)
    found = draw(st.lists(extracts(size, thresholds), min_size=least, max_size=4))
    return World(weight, tuple(found))


class Span:
    """What follows from some sums: Gauss over fractions."""

    def __init__(self, sums: Sequence[Set], size: int) -> None:
        self.size = size
        self.basis: list[tuple[int, list[Fraction]]] = []
        for one in sums:
            row = self._reduced(one)
            pivot = next((at for at, value in enumerate(row) if value), None)
            if pivot is not None:
                self.basis.append((pivot, [value / row[pivot] for value in row]))

    def __contains__(self, wanted: Set) -> bool:
        return not any(self._reduced(wanted))

    def _reduced(self, of: Set) -> list[Fraction]:
        row = [Fraction(int(at in of)) for at in range(self.size)]
        for pivot, other in self.basis:
            if factor := row[pivot]:
                row = [a - factor * b for a, b in zip(row, other, strict=True)]
        return row


def secrets(world: World) -> set[Set]:
    """Every small set that the new extract tells beside the others, and that they did not."""
    somebody = frozenset(at for at, one in enumerate(world.weight) if one)
    size = len(world.weight)

    def people(of: Set) -> int:
        return sum(world.weight[at] for at in of)

    def shown(made: Made) -> list[Set]:
        return [found for one in made.shown if (found := one & somebody)]

    new, *others = world.extracts
    if not any(new.everybody & made.everybody for made in others):
        return set()  # what it tells by itself is for `suppression`
    old = [one for made in others for one in shown(made)]
    signature = {
        at: tuple(
            next((c for c, cell in enumerate(m.cells) if at in cell), -1) for m in world.extracts
        )
        for at in somebody
    }
    atoms = [
        frozenset(at for at in somebody if signature[at] == one)
        for one in dict.fromkeys(signature.values())
    ]
    unions = [
        frozenset().union(*some)
        for count in range(1, len(atoms) + 1)
        for some in combinations(atoms, count)
    ]
    before, now = Span(old, size), Span([*shown(new), *old], size)
    told = [one for one in unions if one in now]
    found = set()
    for one in told:
        least = max(m.threshold for m in world.extracts if m.everybody & one)
        is_whole = not any(part < one for part in told)
        is_small, is_told_by_itself = people(one) < least, one in shown(new)
        if is_whole and is_small and not is_told_by_itself and one not in before:
            found.add(one)
    for made in others:
        for mine in shown(new):
            for theirs in shown(made):
                if not (mine < theirs or theirs < mine):
                    continue
                apart = mine ^ theirs
                own = [one for one in shown(new) if one <= apart]
                is_small = people(apart) < max(new.threshold, made.threshold)
                if is_small and apart not in Span([*old, *own], size):
                    found.add(apart)
    return found


def secrets_beside(world: World, released: Set) -> set[Set]:
    """Every small set of others that the new extract tells who has some records, and did not know.

    Whoever has the records takes them out of each number. Nothing that way where none is in the
    new extract, nor in one that holds others with it, or others with such a one.
    """
    somebody = frozenset(at for at, one in enumerate(world.weight) if one)
    left, size = frozenset(range(len(world.weight))) - released, len(world.weight)
    new, *others = world.extracts
    reached, near, waiting = new.everybody & left, [new], list(others)
    while more := [made for made in waiting if made.everybody & reached]:
        near += more
        waiting = [made for made in waiting if made not in more]
        reached = reached.union(*(made.everybody & left for made in more))
    if not any(made.everybody & released for made in near):
        return set()

    def people(of: Set) -> int:
        return sum(world.weight[at] for at in of)

    def least(of: Set) -> int:
        return max(made.threshold for made in near if made.everybody & of)

    def shown(made: Made) -> list[Set]:
        return [found for one in made.shown if (found := one & somebody & left)]

    meant = [one & somebody for one in new.shown if not one & released and one & somebody]
    old = [one for made in near[1:] for one in shown(made)]
    now = Span([*shown(new), *old], size)

    def is_news(one: Set) -> bool:
        return one not in Span([*old, *(part for part in meant if part <= one)], size)

    chosen = sorted(new.everybody.union(*(made.everybody for made in near)) & somebody & left)
    told = [
        found
        for count in range(1, len(chosen) + 1)
        for some in combinations(chosen, count)
        if (found := frozenset(some)) in now
    ]
    apart = [
        (mine ^ theirs, max(new.threshold, made.threshold))
        for made in near[1:]
        for mine in shown(new)
        for theirs in shown(made)
        if mine < theirs or theirs < mine
    ]
    small = {one for one in told if people(one) < least(one)}
    small |= {one for one, threshold in apart if people(one) < threshold}
    return {one for one in small if is_news(one)}


def is_refused(world: World, released: Set = frozenset()) -> bool:
    new, *others = [made.table(world.weight) for made in world.extracts]
    earlier = {str(at): one for at, one in enumerate(others)}
    records = {"records": np.array(sorted(released), np.uint64)} if released else {}
    names = telling_extracts(new, earlier, records)
    assert tells_more(new, earlier, records) == bool(names)
    assert set(names) <= {*earlier, *records}
    if names:  # those that are named are enough
        assert telling_extracts(
            new,
            {name: earlier[name] for name in names if name in earlier},
            {name: records[name] for name in names if name in records},
        )
    return bool(names)


@given(world=worlds(equal=True))
@settings(deadline=None, max_examples=300)
def test_what_is_told_is_refused_and_nothing_else(world: World) -> None:
    assert is_refused(world) == bool(secrets(world)), secrets(world)


@given(world=worlds(equal=False))
@settings(deadline=None, max_examples=300)
def test_the_same_where_clauses_have_other_thresholds(world: World) -> None:
    assert is_refused(world) == bool(secrets(world)), secrets(world)


@given(world=worlds(equal=False, least=1), released=st.frozensets(st.integers(0, 6), max_size=5))
@settings(deadline=None, max_examples=300)
def test_who_has_some_of_the_records_is_told_no_few_others(world: World, released: Set) -> None:
    released &= frozenset(range(len(world.weight)))
    found = secrets(world) | secrets_beside(world, released)
    assert is_refused(world, released) == bool(found), found
