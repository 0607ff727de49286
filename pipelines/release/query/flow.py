"""What became of the rows by clause: kept, coarsened, masked and dropped; and what is told of it.

Not here: counting them, which is the query's (`records.py`, `counts.py`).

A manifest must not give away what the extract protects, so a number smaller than the threshold of
the clauses is told as `<n`. Kept rows are told exactly, since the recipient can count them; others
are told down to a multiple of n, or two requests one day apart would tell a single row by their
difference. Of a narrow choice what was masked and dropped is not told at all: asked day by day and
area by area, even "some" would say when and where a record is kept back, and in which a cell. That
others lie across a choice is told without a number: whoever asks without one gets them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import duckdb

KEPT, MASKED, DROPPED = "kept", "masked_", "dropped_"
ACROSS = "is_across"
SHOWN_FROM = 5


@dataclass(frozen=True)
class ClauseFlow:
    """The rows of one clause; exact numbers, for this installation only."""

    clause: str
    kept: int
    coarsened: int = 0
    masked: Mapping[str, int] = field(default_factory=dict)
    dropped: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Flow:
    """The flow of an extract; `told()` is what may leave."""

    clauses: tuple[ClauseFlow, ...]
    shown_from: int
    are_kept_told: bool = True  # counts: the rows behind the cells are not told by clause
    is_withheld_told: bool = True  # not of a narrow choice
    has_others_across: bool = False  # told so coarsely that they lie partly outside the choice

    @property
    def kept(self) -> int:
        """How many rows the extract was made of."""
        return sum(one.kept for one in self.clauses)

    def told(self) -> list[dict[str, object]]:
        """By clause, for a manifest or a page: texts such as `412`, `<5` and `≥35`."""
        return [
            {
                "clause": one.clause,
                "kept": str(one.kept) if self.are_kept_told else self._rough(one.kept),
                "coarsened": self._rough(one.coarsened),
                "masked": self._withheld(one.masked),
                "dropped": self._withheld(one.dropped),
            }
            for one in self.clauses
        ]

    def _withheld(self, numbers: Mapping[str, int]) -> dict[str, str]:
        told = numbers if self.is_withheld_told else {}
        return {what: self._rough(n) for what, n in told.items() if n}

    def _rough(self, number: int) -> str:
        if number == 0:
            return "0"
        if number < self.shown_from:
            return f"<{self.shown_from}"
        return f"≥{number - number % self.shown_from}"


def read_flow(
    connection: duckdb.DuckDBPyConnection,
    flow_sql: str,
    *,
    shown_from: int,
    are_kept_told: bool = True,
    is_withheld_told: bool = True,
) -> Flow:
    """Run the `flow_sql` of an extract; every clause is listed, also one that gave nothing."""
    answer = connection.execute(flow_sql)
    names = [one[0] for one in answer.description or ()]
    found, has_others_across = [], False
    for row in answer.fetchall():
        values = dict(zip(names, row, strict=True))
        has_others_across |= bool(values.pop(ACROSS, False))
        numbers = {key: int(n or 0) for key, n in values.items() if key != "clause"}
        found.append(
            ClauseFlow(
                clause=values["clause"],
                kept=numbers[KEPT],
                coarsened=numbers.get("coarsened", 0),
                masked=_of(numbers, MASKED),
                dropped=_of(numbers, DROPPED),
            )
        )
    return Flow(tuple(found), shown_from, are_kept_told, is_withheld_told, has_others_across)


def _of(numbers: Mapping[str, int], prefix: str) -> dict[str, int]:
    return {
        key.removeprefix(prefix): number
        for key, number in numbers.items()
        if key.startswith(prefix)
    }
