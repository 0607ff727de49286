"""A new extract of counts beside earlier ones: whether the two together would tell more than each.

Not here: protecting one extract by itself (`suppression.py`) and keeping the record (`extract.py`).

Each extract leaves a private record of its cells with who is in them (`cells.CELLS_SCHEMA`). Laid
over each other, the cells of several extracts cut the records into atoms: those in the same
cells everywhere. Every published number is a sum of atoms, so two things are asked:

1. Of two published numbers, one new and one earlier, where one holds all records of the other: are
   there between 1 and threshold − 1 people in the difference? Subtraction would tell them.
2. Is a number that is too small to be published a linear combination of what all of them publish?
   Then solving the equations would tell it. Asked of every small number that an extract hides, of
   every small atom, and of every small part of a cell that some extracts count and others do not
   (the whole, less one area, less another).

Limits: sums of a measure are judged by who is in them, not by their size; what only bounds a small
number closely is not looked for across extracts; a record that a correction moved to another cell
is in both; records that left as records are not compared with counts of them. What another
organisation received, or knows otherwise, is out of reach. Beyond `MOST_ATOMS` the question cannot
be answered here, and the answer is no. Method: differencing attacks in the literature on
statistical disclosure control (Hundepool et al., Statistical Disclosure Control, 2012).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import chain

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipelines.release.refusals import ReleaseRefused
from pipelines.release.suppression import basis_of, is_within
from schemas.organisation import lineage, units

MOST_ATOMS, MOST_TOGETHER = 6_000, 1_000

Numbers = NDArray[np.int64]
Rows = NDArray[np.float64]
Group = tuple[int, ...]


def sharing_recipients(recipient: str) -> tuple[str, ...]:
    """Whose earlier extracts count: the recipient, those above it, and every unit of those.

    Two units of one mission sit in one building: what both were told, each may know.
    """
    above = lineage(recipient)
    return tuple(dict.fromkeys((*above, *(unit for one in above for unit in units(one)))))


def check_differencing(cells: pa.Table, earlier: Mapping[str, pa.Table]) -> None:
    """Raise ReleaseRefused REL-108 where `cells` and earlier extracts together tell too much.

    `cells` and the values of `earlier`, by the id of the extract, have `cells.CELLS_SCHEMA`; the
    earlier ones are of the same table, to any of `sharing_recipients`.
    """
    others = {name: table for name, table in earlier.items() if not _is_same(table, cells)}
    for name, table in others.items():
        if _is_told_by_difference(_Overlay([cells, table])):
            raise ReleaseRefused("REL-108", extract=name)
    if others:
        overlay = _Overlay([cells, *others.values()])
        if overlay.atoms > MOST_ATOMS or _is_solvable(overlay):
            raise ReleaseRefused("REL-108", extract=next(reversed(others)))


class _Overlay:
    """Several extracts over the atoms that they cut the records into."""

    def __init__(self, tables: list[pa.Table]) -> None:
        records = [_members(table) for table in tables]
        everyone = np.unique(np.concatenate([one[0] for one in records]))
        cell_of = np.full((len(everyone), len(tables)), -1, dtype=np.int64)
        weight = np.zeros(len(everyone), dtype=np.int64)
        for at, (who, cell, weighs) in enumerate(records):
            place = np.searchsorted(everyone, who)
            cell_of[place, at] = cell
            weight[place] = np.maximum(weight[place], weighs)
        signatures, atom = np.unique(cell_of, axis=0, return_inverse=True)
        self.tables = tables
        self.atoms = len(signatures)
        self.signatures = signatures
        self.weight = np.bincount(atom.ravel(), weights=weight, minlength=self.atoms)

    def rows(self, at: int, column: str) -> tuple[Rows, Numbers]:
        """The nodes of a table for which `column` holds, as sums of atoms; and their thresholds."""
        table = self.tables[at]
        chosen = np.flatnonzero(np.asarray(table[column]))
        parts = table["parts"].combine_chunks()
        cells, cuts = np.asarray(parts.values), np.asarray(parts.offsets)
        rows = np.zeros((len(chosen), self.atoms))
        for row, node in enumerate(chosen):
            rows[row] = np.isin(self.signatures[:, at], cells[cuts[node] : cuts[node + 1]])
        return rows, np.asarray(table["threshold"])[chosen]

    def small_parts(self) -> set[Group]:
        """What is too small, as atoms: single ones, and parts of cells by who counts them."""
        least = max(int(np.max(table["threshold"].to_numpy(), initial=0)) for table in self.tables)
        counted_by = np.unique(self.signatures >= 0, axis=0, return_inverse=True)[1].ravel()
        groupings = [np.arange(self.atoms), counted_by]
        for at in range(len(self.tables)):
            pairs = np.stack([counted_by, self.signatures[:, at]], axis=1)
            groupings.append(np.unique(pairs, axis=0, return_inverse=True)[1].ravel())
        return {group for one in groupings for group in self._small(one, least)}

    def _small(self, grouping: Numbers, least: int) -> Iterator[Group]:
        """The groups of fewer people; nobody's atoms do not count, so each has few atoms."""
        size = np.bincount(grouping, weights=self.weight)
        chosen = np.flatnonzero((size[grouping] < least) & (self.weight > 0))
        ordered = chosen[np.argsort(grouping[chosen], kind="stable")]
        cuts = np.flatnonzero(np.diff(grouping[ordered])) + 1
        for group in np.split(ordered, cuts):
            if len(group):
                yield tuple(group.tolist())


def _is_told_by_difference(overlay: _Overlay) -> bool:
    new, new_least = overlay.rows(0, "is_published")
    old, old_least = overlay.rows(1, "is_published")
    weighted = overlay.weight
    both = (new * weighted) @ old.T
    size_new, size_old = (new @ weighted)[:, None], (old @ weighted)[None, :]
    # one holds all records of the other: nobody of the smaller is outside the larger
    outside_old, outside_new = new @ (1 - old).T, (1 - new) @ old.T
    is_nested = (outside_old == 0) | (outside_new == 0)
    difference = size_new + size_old - 2 * both
    least = np.maximum(new_least[:, None], old_least[None, :])
    return bool((is_nested & (difference > 0) & (difference < least)).any())


def _is_solvable(overlay: _Overlay) -> bool:
    """Question 2, of people and of each sum that the new extract tells.

    Where too few records make up a sum of a cell, the sum is the secret and how many records there
    are is not: only numbers of the same sum can tell it.
    """
    everybody = range(len(overlay.tables))
    shown = {at: overlay.rows(at, "is_published")[0] for at in everybody}
    few: list[Rows] = []
    thin: dict[int, Rows] = {}
    for at in everybody:
        hidden, least = overlay.rows(at, "is_primary")
        is_few = hidden @ overlay.weight < least
        few.append(hidden[is_few])
        thin[at] = hidden[~is_few]
    people = np.unique(np.concatenate(list(shown.values())), axis=0)
    if _is_told(overlay, people, chain(few, _as_rows(overlay, people))):
        return True
    for measure in _sums(overlay.tables[0]) or ():
        same = [at for at in everybody if _tells(overlay.tables[at], measure)]
        told = np.unique(np.concatenate([shown[at] for at in same]), axis=0)
        if _is_told(overlay, told, [thin[at] for at in same]):
            return True
    return False


def _is_told(overlay: _Overlay, shown: Rows, wanted: Iterable[Rows]) -> bool:
    """Is a row of `wanted` a linear combination of those shown?"""
    is_somebody = overlay.weight > 0
    if not len(shown):
        return False
    basis = basis_of(shown[:, is_somebody])
    for rows in wanted:
        of_people = rows[:, is_somebody]
        if is_within(basis, of_people[of_people.any(axis=1)]).any():
            return True
    return False


def _sums(table: pa.Table) -> list[str] | None:
    """The sums that an extract tells; None for a record of before they were written down."""
    if "measures" not in table.column_names:
        return None
    return table["measures"][0].as_py() if table.num_rows else []


def _tells(table: pa.Table, measure: str) -> bool:
    sums = _sums(table)
    return sums is None or measure in sums


def _as_rows(overlay: _Overlay, everything: Rows) -> Iterator[Rows]:
    """The small parts as sums of atoms, some at a time, but for those that are published."""
    only = np.where(overlay.weight > 0, everything, 0)
    few = only[only.sum(axis=1) < MOST_TOGETHER]
    told = {tuple(np.flatnonzero(row).tolist()) for row in few}
    open_parts = [group for group in sorted(overlay.small_parts()) if group not in told]
    for start in range(0, len(open_parts), MOST_TOGETHER):
        some = open_parts[start : start + MOST_TOGETHER]
        rows = np.zeros((len(some), everything.shape[1]))
        for at, group in enumerate(some):
            rows[at, list(group)] = 1.0
        yield rows


def _members(table: pa.Table) -> tuple[NDArray[np.uint64], Numbers, Numbers]:
    """Each record of an extract, the row of its cell, and how many people it stands for."""
    records = table["records"].combine_chunks()
    weights = table["weights"].combine_chunks()
    sizes = np.diff(np.asarray(records.offsets))
    cell = np.repeat(np.arange(table.num_rows), sizes)
    start, end = records.offsets[0].as_py(), records.offsets[-1].as_py()
    who = np.asarray(records.values)[start:end]
    return who, cell, np.asarray(weights.values)[start:end]


def _is_same(one: pa.Table, other: pa.Table) -> bool:
    """The same numbers about the same records tell nothing new."""
    columns = ["is_published", "parts", "records", "weights"]
    return bool(one.select(columns).equals(other.select(columns)))
