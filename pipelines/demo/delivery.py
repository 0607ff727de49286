"""What a demo feed hands over: a delivery's bytes, and the truth about each of its rows.

Not here: what happened (`world.py`), how it is told (`telling.py`) and any one feed's layout.

A feed module builds a `Draft`: the cells as the sender writes them and, row by row, what a right
reading of them must yield. `spoil` then makes some rows bad, one rule a row, and notes the code in
the truth. So the truth is known by construction and owes nothing to the pipeline that it judges.
"""

from __future__ import annotations

from abc import ABC
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

from pipelines.demo.profile import load_profile
from schemas.contract import Contract, load_contract
from schemas.feed import Feed, load_feed

if TYPE_CHECKING:
    import datetime as dt

    import numpy as np
    import pandas as pd

TRUTH_COLUMNS = (
    "source_row",
    "source_record_id",
    "verdict",
    "rule_codes",
    "event_id",
    "is_withdrawn",
)
# The column of the local day of each time that a report tells.
DAYS = {"occurred": "occurred_on", "reported": "reported_on", "until": "ended_on"}
SHARE_SPOILED_PER_RULE = 0.01
SHARE_REPEATED = 0.01


class DemoFeed(ABC):
    """A feed of the demo by its name: what it and its table declare, and what goes wrong there."""

    feed: ClassVar[str]

    def __init__(self, *, is_every_rule: bool = False) -> None:
        """Make the mistakes of the feed's profile, or break every rule that it can break."""
        self.is_every_rule = is_every_rule

    @cached_property
    def declared(self) -> Feed:
        """The feed's declaration, whose crosswalks are the service's vocabulary."""
        return load_feed(self.feed)

    @cached_property
    def contract(self) -> Contract:
        """The contract of the feed's table."""
        return load_contract(self.declared.table)

    def spoil(
        self,
        draft: Draft,
        defects: Sequence[Defect],
        rng: np.random.Generator,
        *,
        is_each_present: bool = True,
    ) -> Draft:
        """Spoil rows by all of `defects`, or by the few that the feed's profile names."""
        if self.is_every_rule:
            return spoil(draft, defects, rng, is_each_present=is_each_present)
        profile = load_profile(self.feed)
        usual, weights = profile.select(defects), profile.weights(draft.cells)
        return spoil(draft, usual, rng, is_each_present=False, weights=weights)


@dataclass(frozen=True)
class DemoDelivery:
    """One file of one feed as it would arrive, and the truth about it.

    `received_at` is naive UTC. `truth` has a row for each data row of the file, in file order:
    `TRUTH_COLUMNS` (verdict is accepted, quarantined or duplicate; rule_codes are errors and
    warnings), then the expected value of any column of the table that the sender states.
    """

    feed: str
    file_name: str
    content: bytes
    received_at: dt.datetime
    truth: pd.DataFrame = field(repr=False, compare=False)


@dataclass
class Draft:
    """The rows of a delivery in the making: `cells` as sent, `truth` as meant; one index.

    `context` is what a feed remembers of its rows that is neither (a DataFrame of local times).
    """

    cells: pd.DataFrame
    truth: pd.DataFrame
    context: pd.DataFrame = None  # type: ignore[assignment]  # feeds that read it set it

    def __post_init__(self) -> None:
        """Start with every row right."""
        self.cells = self.cells.astype(object).where(self.cells.notna(), None)
        if "rule_codes" not in self.truth:
            self.truth["rule_codes"] = [()] * len(self.truth)
            self.truth["is_repeat"] = False
            self.truth["is_kept_right"] = False

    def right_rows(self) -> pd.Series:
        """True for the rows that nothing has spoiled and that nobody asked to leave alone."""
        truth = self.truth
        is_right = ~truth["is_repeat"] & ~truth["is_kept_right"] & ~truth["is_withdrawn"]
        return is_right & (truth["rule_codes"].str.len() == 0)

    def set(self, rows: Any, column: str, values: Any) -> None:
        """Write a cell of each of `rows`; a list is used in turn."""
        if isinstance(values, list):
            values = [values[i % len(values)] for i in range(len(rows))]
        self.cells.loc[rows, column] = values

    def expect(self, rows: Any, **values: Any) -> None:
        """Change what a right reading of `rows` must yield."""
        for column, value in values.items():
            self.truth.loc[rows, column] = value


Spoil = Callable[[Draft, Any], None]


@dataclass(frozen=True)
class Defect:
    """One way in which a row can be wrong, and the code or codes that it must raise.

    `needs` picks the rows that can be spoiled so; `together` rows are spoiled as a group (two
    records with one number). `share` is of the delivery's rows that may be spoiled at all.
    """

    codes: tuple[str, ...]
    spoil: Spoil
    needs: Callable[[Draft], pd.Series] | None = None
    together: int = 1
    share: float = SHARE_SPOILED_PER_RULE


def cell(column: str, values: Any) -> Spoil:
    """A defect that replaces one cell; a list of values is used in turn, None empties it."""
    return lambda draft, rows: draft.set(rows, column, values)


def blank(columns: list[str]) -> Spoil:
    """A defect that empties cells."""

    def change(draft: Draft, rows: Any) -> None:
        for column in columns:
            draft.set(rows, column, None)

    return change


def spoil(
    draft: Draft,
    defects: Sequence[Defect],
    rng: np.random.Generator,
    *,
    is_each_present: bool = True,
    weights: Any = None,
) -> Draft:
    """Apply each defect to its share of the rows that are still right.

    With `is_each_present` every defect spoils a row at least; else small shares are left to chance.
    A row is chosen as many times more readily as `weights` says, an array of the rows.
    Raises ValueError where no row can be spoiled in the way asked.
    """
    import numpy as np

    weights = np.ones(len(draft.truth)) if weights is None else weights
    row_count = int(draft.right_rows().sum())
    for defect in defects:
        can = draft.right_rows()
        if defect.needs is not None:
            can &= defect.needs(draft).fillna(False).astype(bool)
        pool = draft.truth.index[can]
        wanted = defect.share * row_count / defect.together
        groups = max(int(is_each_present), int(wanted + rng.random()))
        size = min(groups, len(pool) // defect.together) * defect.together
        if is_each_present and not size:
            raise ValueError(f"no row left that can raise {defect.codes}")
        turn = np.argsort(rng.permutation(len(pool))) / weights[can.to_numpy()]
        rows = pool[np.argsort(turn)[:size]].sort_values()
        defect.spoil(draft, rows)
        draft.truth.loc[rows, "rule_codes"] = _same([tuple(sorted(defect.codes))] * size, rows)
    return draft


def repeat_rows(draft: Draft, rng: np.random.Generator, share: float = SHARE_REPEATED) -> Draft:
    """Some rows twice, letter for letter, the copy right after the original."""
    import pandas as pd

    pool = draft.truth.index[draft.right_rows()]
    size = min(len(pool), max(1, round(share * len(draft.truth))))
    rows = pool[rng.permutation(len(pool))[:size]].sort_values()
    copies = draft.truth.loc[rows].assign(is_repeat=True)
    order = pd.concat([draft.truth.assign(_copy=0), copies.assign(_copy=1)]).reset_index(
        names="_row"
    )
    order = order.sort_values(["_row", "_copy"], kind="stable")
    cells = draft.cells.loc[order["_row"]].reset_index(drop=True)
    return Draft(cells, order.drop(columns=["_row", "_copy"]).reset_index(drop=True))


def duplicated_number(columns: list[str]) -> Spoil:
    """A defect for pairs of rows: the second record is given the number of the first."""

    def change(draft: Draft, rows: Any) -> None:
        for frame, names in ((draft.cells, columns), (draft.truth, ["source_record_id"])):
            frame.loc[rows[1::2], names] = frame.loc[rows[0::2], names].to_numpy()

    return change


def finish(draft: Draft, source_rows: Iterable[int]) -> pd.DataFrame:
    """The truth table of a delivery: the verdict from the codes, by the contract's severities."""
    import numpy as np

    truth = draft.truth.copy()
    truth["source_row"] = np.asarray(list(source_rows), dtype="int64")
    codes = truth["rule_codes"].explode()
    errors = codes[codes.isin(error_codes())]
    is_bad = truth.index.isin(errors.index)
    truth["verdict"] = np.where(
        truth["is_repeat"], "duplicate", np.where(is_bad, "quarantined", "accepted")
    )
    others = [c for c in truth.columns if c not in (*TRUTH_COLUMNS, "is_repeat", "is_kept_right")]
    return truth[[*TRUTH_COLUMNS, *others]]


def set_days(truth: pd.DataFrame, rows: Any, local: Mapping[str, pd.Series]) -> None:
    """Expect the local days of some moments; `local` are wall-clock times by `occurred` etc."""
    for what, times in local.items():
        truth.loc[rows, DAYS[what]] = times.dt.normalize()


def without_unknown_hours(truth: pd.DataFrame, day_only: Collection[str]) -> pd.DataFrame:
    """Expect no moment where only a day is told, by its precision or of all of a feed's rows."""
    is_timed = truth["occurred_at_precision"].isin(("minute", "hour"))
    for moment in ("occurred_at", "occurred_until"):
        if moment in truth:
            truth[moment] = truth[moment].where(is_timed)
    for moment in day_only:
        truth[moment] = truth[moment].where(truth[moment].isna())
    return truth


def error_codes() -> frozenset[str]:
    """The codes of the contracts' rules that reject a row."""
    from schemas.contract import all_rules

    return frozenset(code for code, rule in all_rules().items() if rule.severity == "error")


def _same(values: list[Any], index: Any) -> pd.Series:
    import pandas as pd

    return pd.Series(values, index=index, dtype=object)
