"""A new extract of counts beside earlier ones: whether the two together would tell more than each.

Not here: protecting one extract by itself (`suppression.py`), whose earlier ones count and where
they are kept (`past_disclosures.py`), and what follows from sums (`deduction.py`).

Each extract leaves a private record of its cells with who is in them (`cells.CELLS_SCHEMA`). Laid
over each other, the cells of several extracts cut the records into atoms: those in the same
cells everywhere. Every published number is a sum of atoms, so it is asked whether a set of fewer
people than the threshold is a linear combination of all published numbers, and was none of those
that were out before. Asked of every set of up to four atoms; and, however many atoms they have, of
the difference of any two published numbers of which one holds all records of the other, of every
number that an extract hides, and of every small part of a cell that some extracts count and others
do not (the whole, less one area, less another). A set that a clause itself publishes is no secret,
and what earlier extracts tell already is no reason to refuse another one.

Records that left as records are known one by one, so everything is asked once more without them:
nine of thirteen that were counted, and the count tells of the other four. Then a published number
is no longer what a clause means to tell where some of its records are known, and extracts tell by
themselves, too.

A refusal tells what a number left empty tells: that there are between 1 and threshold - 1 people.

Limits: sums of a measure are judged by who is in them, not by their size, and a correction of how
many people a record stands for is no difference; what only bounds a small number closely is not
looked for across extracts; a record that a correction moved to another cell is in both. Counts are
compared with what left as records before, not records with counts. What a recipient that is not the
public received, or what somebody knows otherwise, is out of reach of the others. Method:
differencing attacks in the literature on statistical disclosure control (Hundepool et al.,
Statistical Disclosure Control, 2012).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipelines.release.disclosure.deduction import (
    TooManySumsError,
    is_nothing,
    rest_beside,
    rest_of,
    small_circuits,
)
from pipelines.release.disclosure.members import (
    Mask,
    Numbers,
    Who,
    content,
    members,
    sums,
    without,
)

if TYPE_CHECKING:
    from scipy.sparse import csr_array  # type: ignore[import-untyped]

__all__ = ["TooManySumsError", "compared", "telling_extracts", "tells_more"]

AT_ONCE = 4_000  # published numbers that the new ones are compared with

Group = tuple[int, ...]
NOBODY: Mapping[str, Who] = MappingProxyType({})


def tells_more(
    cells: pa.Table, earlier: Mapping[str, pa.Table], released: Mapping[str, Who] = NOBODY
) -> bool:
    """Do `cells` tell too much together with the earlier extracts? As `telling_extracts`."""
    near = _connected(cells, earlier)
    if near and _tells([cells, *near.values()]):
        return True
    beside = _beside(cells, earlier, released)
    return beside is not None and beside.tells(beside.near)


def telling_extracts(
    cells: pa.Table, earlier: Mapping[str, pa.Table], released: Mapping[str, Who] = NOBODY
) -> tuple[str, ...]:
    """The earlier extracts that together with `cells` tell too much; empty where none do.

    `cells` and the values of `earlier`, by the id of the extract, have `cells.CELLS_SCHEMA`;
    `released` are the records of extracts of records, as the numbers that are in the cells. The
    earlier ones are of the same table, and known to one recipient. Where several earlier ones each
    tell something beside the new one, all of these are named; else a set of them of which none can
    be spared. Of extracts of records all are named that hold records of these.
    Raises TooManySumsError.
    """
    return _telling_counts(cells, earlier) or _telling_records(cells, earlier, released)


def _telling_counts(cells: pa.Table, earlier: Mapping[str, pa.Table]) -> tuple[str, ...]:
    near = _connected(cells, earlier)
    if not near or not _tells([cells, *near.values()]):
        return ()
    alone = tuple(name for name, table in near.items() if _tells([cells, table]))
    return alone or _needed(tuple(near), lambda some: _tells([cells, *(near[one] for one in some)]))


def _telling_records(
    cells: pa.Table, earlier: Mapping[str, pa.Table], released: Mapping[str, Who]
) -> tuple[str, ...]:
    beside = _beside(cells, earlier, released)
    if beside is None or not beside.tells(beside.near):
        return ()
    counts: tuple[str, ...] = ()
    if not beside.tells(()):
        counts = _needed(beside.near, beside.tells)
    who = np.concatenate([members(one)[0] for one in (cells, *(earlier[n] for n in counts))])
    return (*(name for name, some in released.items() if np.isin(some, who).any()), *counts)


def compared(
    cells: pa.Table, earlier: Mapping[str, pa.Table], released: Mapping[str, Who] = NOBODY
) -> tuple[str, ...]:
    """The earlier extracts that `cells` must be compared with, by their ids."""
    near = _connected(cells, earlier)
    who = np.concatenate([members(one)[0] for one in (cells, *near.values())])
    return (*near, *(name for name, some in released.items() if np.isin(some, who).any()))


@dataclass(frozen=True)
class _Beside:
    """Extracts of counts without the records that are known; `is_cut` where a node of the new one
    has lost some.
    """

    cells: pa.Table
    is_cut: Mask
    earlier: Mapping[str, pa.Table]

    @property
    def near(self) -> tuple[str, ...]:
        return tuple(self.earlier)

    def tells(self, names: Sequence[str]) -> bool:
        """Does what is left of the new one tell too much beside what is left of these?"""
        tables = [self.cells, *(self.earlier[name] for name in names)]
        return _Overlay(tables, self.is_cut).tells_people()


def _beside(
    cells: pa.Table, earlier: Mapping[str, pa.Table], released: Mapping[str, Who]
) -> _Beside | None:
    """None where no record of these is known, or none of the new one is left."""
    if not released:
        return None
    known = np.unique(np.concatenate([*released.values()]))
    new, is_cut = without(cells, known)
    rest = {name: without(table, known) for name, table in earlier.items()}
    near = _connected(new, {name: table for name, (table, _cut) in rest.items()})
    is_any_cut = is_cut.any() or any(rest[name][1].any() for name in near)
    if not is_any_cut or not members(new)[2].any():
        return None
    return _Beside(new, is_cut, near)


def _connected(cells: pa.Table, earlier: Mapping[str, pa.Table]) -> dict[str, pa.Table]:
    """The earlier ones that share records with the new one, or with one that does, each once.

    Others have no part in any combination with the new one.
    """
    distinct = {content(table): name for name, table in reversed([*earlier.items()])}
    chosen = set(distinct.values())
    waiting = {name: table for name, table in earlier.items() if name in chosen}
    reached, found = np.unique(members(cells)[0]), set[str]()
    while True:
        shares = {n: r for n, t in waiting.items() if np.isin(r := members(t)[0], reached).any()}
        if not shares:
            return {name: table for name, table in earlier.items() if name in found}
        reached = np.unique(np.concatenate([reached, *shares.values()]))
        found |= shares.keys()
        waiting = {name: table for name, table in waiting.items() if name not in shares}


def _needed(names: tuple[str, ...], is_told: Callable[[Sequence[str]], bool]) -> tuple[str, ...]:
    """Some of the names that are enough, of which none can be spared, by halves."""

    def search(given: tuple[str, ...], among: tuple[str, ...], is_more: bool) -> tuple[str, ...]:
        if is_more and given and is_told(given):
            return ()
        if len(among) < 2:
            return among
        one, other = among[: len(among) // 2], among[len(among) // 2 :]
        second = search((*given, *one), other, True)
        first = search((*given, *second), one, bool(second))
        return (*first, *second)

    return search((), names, False)


def _tells(tables: Sequence[pa.Table]) -> bool:
    """Does the first of the extracts, beside all others, tell a small number that they did not?"""
    overlay = _Overlay(tables)
    if overlay.tells_people():
        return True
    return any(overlay.tells_sum(measure) for measure in sums(tables[0]) or ())


class _Overlay:
    """Several extracts over the atoms that they cut the records into; the first is the new one.

    `is_cut`: nodes of the new one that tell another number than the clause means to.
    """

    def __init__(self, tables: Sequence[pa.Table], is_cut: Mask | None = None) -> None:
        records = [members(table) for table in tables]
        everyone = np.unique(np.concatenate([one[0] for one in records]))
        weight = np.zeros(len(everyone), dtype=np.int64)
        places = [np.searchsorted(everyone, who) for who, _cell, _weighs in records]
        for place, (_who, _cell, weighs) in zip(places, records, strict=True):
            weight[place] = np.maximum(weight[place], weighs)
        atom = np.zeros(len(everyone), dtype=np.int64)
        for place, (_who, cell, _weighs), table in zip(places, records, tables, strict=True):
            cell_of = np.zeros(len(everyone), dtype=np.int64)
            cell_of[place] = cell + 1
            atom = np.unique(atom * (table.num_rows + 1) + cell_of, return_inverse=True)[1].ravel()
        kept = weight > 0  # nobody is in no sum
        atom = np.unique(atom[kept], return_inverse=True)[1].ravel()
        first = np.unique(atom, return_index=True)[1]
        self.tables = tables
        self.atoms = len(first)
        self.weight = np.bincount(atom, weights=weight[kept], minlength=self.atoms).astype(np.int64)
        self.cells = np.full((self.atoms, len(tables)), -1, dtype=np.int64)
        for at, (place, (_who, cell, _weighs)) in enumerate(zip(places, records, strict=True)):
            cell_of = np.full(len(everyone), -1, dtype=np.int64)
            cell_of[place] = cell
            self.cells[:, at] = cell_of[kept][first]
        thresholds = [int(np.max(table["threshold"].to_numpy(), initial=0)) for table in tables]
        self.least = np.where(self.cells >= 0, thresholds, 0).max(axis=1, initial=0)
        shown = [self.rows(at, "is_published") for at in range(len(tables))]
        self.new, self.shown = shown[0], shown
        published = np.flatnonzero(np.asarray(tables[0]["is_published"]))
        self.is_cut = np.zeros(len(published), bool) if is_cut is None else is_cut[published]

    def rows(self, at: int, column: str) -> csr_array:
        """The nodes of a table for which `column` holds, as sums of atoms."""
        from scipy.sparse import csr_array

        table, counted = self.tables[at], np.flatnonzero(self.cells[:, at] >= 0)
        parts = table["parts"].combine_chunks()
        values, cuts = np.asarray(parts.values), np.asarray(parts.offsets)
        of_cells = csr_array(
            (np.ones(len(values)), values, cuts), shape=(table.num_rows, table.num_rows)
        )
        of_atoms = csr_array(
            (np.ones(len(counted)), (self.cells[counted, at], counted)),
            shape=(table.num_rows, self.atoms),
        )
        return of_cells[np.flatnonzero(np.asarray(table[column]))] @ of_atoms

    def tells_people(self) -> bool:
        """Is a small set of people told now that was not told before?"""
        from scipy.sparse import vstack

        old = vstack([self.new[:0], *self.shown[1:]], format="csr")
        before, now = rest_beside(old, self.new)
        if not len(news := np.flatnonzero(~is_nothing(self.new @ before))):
            return False
        for found in small_circuits(now, self.weight, self.least):
            is_new = ~is_nothing(before[found].sum(axis=1))
            if any(self._is_secret(one, old) for one in map(tuple, found[is_new].tolist())):
                return True
        sets = (*self._cut_numbers(news), *self._small_parts(before, now), *self._differences(news))
        return any(self._is_secret(one, old) for one in dict.fromkeys(sets))

    def tells_sum(self, measure: str) -> bool:
        """Is a sum told now, of too few records that add to it, that was not told before?

        How many records there are in such a cell is no secret: only numbers of the same sum can
        tell it.
        """
        from scipy.sparse import vstack

        same = [at for at, table in enumerate(self.tables) if _tells_measure(table, measure)]
        thin = [self._thin(at) for at in same]
        if not any(one.shape[0] for one in thin):
            return False
        empty = self.new[:0]
        before = rest_of(vstack([empty, *(self.shown[at] for at in same[1:])], format="csr"))
        now = rest_of(vstack([self.shown[at] for at in same], format="csr"))
        wanted = vstack(thin, format="csr")
        return bool((is_nothing(wanted @ now) & ~is_nothing(wanted @ before)).any())

    def _thin(self, at: int) -> csr_array:
        hidden = self.rows(at, "is_primary")
        return hidden[np.flatnonzero(hidden @ self.weight >= self._hidden_least(at))]

    def _hidden_least(self, at: int) -> Numbers:
        table = self.tables[at]
        chosen = np.flatnonzero(np.asarray(table["is_primary"]))
        return np.asarray(table["threshold"].to_numpy()[chosen], dtype=np.int64)

    def _cut_numbers(self, news: Numbers) -> Iterator[Group]:
        """What a new number tells of people beside those who are known, where they are few."""
        is_some = self.new @ self.weight > 0
        for one in news[self.is_cut[news] & is_some[news]]:
            chosen = np.sort(self.new[[one]].indices)
            if self.weight[chosen].sum() < self.least[chosen].max():
                yield tuple(chosen.tolist())

    def _small_parts(
        self, before: NDArray[np.float64], now: NDArray[np.float64]
    ) -> Iterator[Group]:
        """Small sets told now and not before: atoms, hidden numbers, parts of cells by who counts
        them.
        """
        counted_by = np.unique(self.cells >= 0, axis=0, return_inverse=True)[1].ravel()
        groupings = [np.arange(self.atoms), counted_by]
        for at in range(len(self.tables)):
            pairs = counted_by * (self.tables[at].num_rows + 1) + self.cells[:, at] + 1
            groupings.append(np.unique(pairs, return_inverse=True)[1].ravel())
        for grouping in groupings:
            size = np.bincount(grouping, weights=self.weight)
            least = np.zeros(len(size), dtype=np.int64)
            np.maximum.at(least, grouping, self.least)
            told = is_nothing(_added(grouping, now)) & ~is_nothing(_added(grouping, before))
            for group in np.flatnonzero(told & (size < least)):
                yield tuple(np.flatnonzero(grouping == group).tolist())
        for at in range(len(self.tables)):
            hidden = self.rows(at, "is_primary")
            told = is_nothing(hidden @ now) & ~is_nothing(hidden @ before)
            told &= hidden @ self.weight < self._hidden_least(at)
            yield from (
                tuple(sorted(hidden[[one]].indices.tolist())) for one in np.flatnonzero(told)
            )

    def _differences(self, news: Numbers) -> Iterator[Group]:
        """What one number holds more than another, where that is a small set; one of the two is
        new.
        """
        new = self.new[news]
        weighted = (new * self.weight).tocsr()
        size_new = (new @ self.weight)[:, None]
        least_new = _published_least(self.tables[0])[news][:, None]
        for at in range(1, len(self.tables)):
            rows, least = self.shown[at], _published_least(self.tables[at])
            for start in range(0, rows.shape[0], AT_ONCE):
                old = rows[start : start + AT_ONCE]
                both = (weighted @ old.T).toarray()
                size_old = (old @ self.weight)[None, :]
                is_nested = (both > 0) & (both == np.minimum(size_new, size_old))
                difference = size_new + size_old - 2 * both
                most = np.maximum(least_new, least[start : start + AT_ONCE][None, :])
                for one, other in np.argwhere(is_nested & (difference > 0) & (difference < most)):
                    apart = np.setxor1d(new[[one]].indices, old[[other]].indices)
                    yield tuple(apart.tolist())

    def _is_secret(self, chosen: Group, old: csr_array) -> bool:
        """Does the set follow from more than the old numbers and new numbers of its own parts?"""
        from scipy.sparse import vstack

        among = np.zeros(self.atoms)
        among[list(chosen)] = 1.0
        within = self.new @ among
        is_part = (within > 0) & (within == self.new.sum(axis=1))
        own = np.flatnonzero(is_part & ~self.is_cut)
        if not len(own):
            return True
        rest = rest_of(vstack([old, self.new[own]], format="csr"))
        return not bool(is_nothing(rest[list(chosen)].sum(axis=0)))


def _added(grouping: Numbers, rest: NDArray[np.float64]) -> NDArray[np.float64]:
    columns = [np.bincount(grouping, weights=rest[:, at]) for at in range(rest.shape[1])]
    return np.stack(columns, axis=1)


def _published_least(table: pa.Table) -> Numbers:
    chosen = np.flatnonzero(np.asarray(table["is_published"]))
    return np.asarray(table["threshold"].to_numpy()[chosen], dtype=np.int64)


def _tells_measure(table: pa.Table, measure: str) -> bool:
    found = sums(table)
    return found is None or measure in found
