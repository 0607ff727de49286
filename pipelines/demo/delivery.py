"""A delivery in the making: right records, then faults in some, then its cells and the truth.

Faults change records, or put a text in the place of a cell. The truth about a row is what its
record says and the rules that its fault breaks; so it is known by construction and owes nothing to
the pipeline that it judges.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any

from pipelines.demo.cells import CellWriter
from pipelines.demo.clock import area_zones, to_utc
from pipelines.demo.faults import WEAK_POST_TIMES, Fault, Texts
from pipelines.demo.query import RecordQuery

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
SHARE_REPEATED = 0.01
MANY = 100  # records: a kind of which there is none among so many is never sent
EMPTY = ""  # stands for a cell that a fault has emptied


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


class Draft:
    """The rows of a delivery, all right so far.

    `records` have the columns of the table, moments by the clock of the place, and what the world
    knows besides. `is_fixed` are rows that nothing may make wrong.
    """

    def __init__(self, writer: CellWriter, records: pd.DataFrame, is_fixed: Any = False) -> None:
        """Start with a copy of the records."""
        import pandas as pd

        self.writer, self.contract = writer, writer.contract
        self.records = records.reset_index(drop=True)
        self.query = RecordQuery(self.contract, writer.feed.handling)
        index = self.records.index
        self.codes = pd.Series([()] * len(index), index=index, dtype=object)
        self.is_fixed = pd.Series(is_fixed, index=index, dtype=bool) | self.records["is_withdrawn"]
        self.texts: dict[str, pd.Series] = {}  # source column → texts in the place of cells
        self.copies: list[tuple[Any, Any, list[str]]] = []  # rows to, rows from, source columns

    def is_right(self) -> pd.Series:
        """True for the rows that have no fault and may get one."""
        return ~self.is_fixed & (self.codes.str.len() == 0)

    def weights(self) -> Any:
        """How much more readily than another each row gets a fault: more at the weak post."""
        import numpy as np

        is_weak = np.zeros(len(self.records), dtype=bool)
        for column, value in self.writer.profile.weak_post.items():
            is_weak = (self.records[column] == value).to_numpy()
        return np.where(is_weak, WEAK_POST_TIMES, 1.0)

    def inject(
        self,
        faults: Sequence[Fault],
        rng: np.random.Generator,
        *,
        is_each_present: bool = False,
        is_weighted: bool = True,
    ) -> None:
        """Give each fault to its share of the rows that are still right, the rarest kind first.

        With `is_each_present` each has a row at least; else small shares are left to chance. Raises
        ValueError where no row is left for one.
        """
        import numpy as np

        if not faults or self.records.empty:
            return
        fits = self.query.evaluate(
            self.records, {str(at): fault.where for at, fault in enumerate(faults)}
        )
        fits = fits.fillna(False).astype(bool)
        weights = self.weights() if is_weighted else np.ones(len(self.records))
        right = self.is_right()
        may = {is_sum: right & (self.records["is_alone"] != is_sum) for is_sum in (True, False)}
        could = {
            at: int((fits[str(at)] & may[one.is_of_sums]).sum()) for at, one in enumerate(faults)
        }
        broken: set[str] = set()
        for at in sorted(could, key=lambda at: could[at]):
            fault, together = faults[at], 2 if faults[at].copies else 1
            can = fits[str(at)] & may[fault.is_of_sums] & self.is_right()
            pool = self.records.index[can]
            wanted = fault.share * int(may[fault.is_of_sums].sum()) / together
            groups = max(int(is_each_present), int(wanted + rng.random()))
            size = min(groups, len(pool) // together) * together
            turn = np.argsort(rng.permutation(len(pool))) / weights[can.to_numpy()]
            self._apply(fault, pool[np.argsort(turn)[:size]].sort_values())
            if size or (not fits[str(at)].any() and len(self.records) >= MANY):
                broken.add(fault.rule)
        missed = sorted({fault.rule for fault in faults} - broken)
        if missed and is_each_present:
            raise ValueError(f"no row left that can raise {', '.join(missed)}")

    def _apply(self, fault: Fault, rows: Any) -> None:
        import pandas as pd

        if not len(rows):
            return
        self.codes[rows] = pd.Series([fault.codes] * len(rows), index=rows)
        if fault.copies:
            self._copy(fault, rows[1::2], rows[0::2])
        chosen = self.records.loc[rows].assign(is_second=[at % 2 == 1 for at in range(len(rows))])
        values = {column: sql for column, sql in fault.values.items() if column in chosen}
        for column, told in self.query.changed(chosen, values).items():
            self.records[column] = self.records[column].astype(told.dtype)
            self.records.loc[rows, column] = told
        for column, texts in fault.texts.items():
            self._put(column, rows, texts)

    def _put(self, column: str, rows: Any, texts: Texts) -> None:
        """Texts instead of the cells of a column: in its first cell, or in none of them."""
        import pandas as pd

        if callable(texts):
            turn = [texts(at) for at in range(len(rows))]
        else:
            turn = [texts[at % len(texts)] or EMPTY for at in range(len(rows))]
        sources = list(self.writer.read[column].source)[: None if turn[0] == EMPTY else 1]
        if column == "source_record_id":
            sources = self.writer.number_cells
        for source in sources:
            nothing = pd.Series(None, index=self.records.index, dtype=object)
            self.texts.setdefault(source, nothing)[rows] = turn

    def _copy(self, fault: Fault, to: Any, origin: Any) -> None:
        """Make the second of each pair like the first, in cells and in what they mean."""
        number = self.writer.number_cells
        if fault.copies == "number":
            self.copies.append((to, origin, list(self.writer.read["source_record_id"].source)))
            return
        if fault.copies == "content":
            told = [c for c in self.writer.columns if c not in number]
            self.copies.append((to, origin, told))
            kept = {"source_record_id", "row", "event_id", *(f"cell {one}" for one in number)}
            columns = [str(c) for c in self.records if c not in kept]
        else:
            columns = fault.copies.split()
        for column in columns:
            self.records.loc[to, column] = self.records.loc[origin, column].to_numpy()

    def cells(self) -> pd.DataFrame:
        """The cells as they are sent."""
        cells = self.writer.cells(self.records)
        for source, texts in self.texts.items():
            cells[source] = cells[source].where(texts.isna(), texts)
            cells[source] = cells[source].mask(texts == EMPTY, None)
        for to, origin, columns in self.copies:
            cells.loc[to, columns] = cells.loc[origin, columns].to_numpy()
        return cells

    def truth(self, cells: pd.DataFrame) -> pd.DataFrame:
        """What a right reading of those cells yields, row by row."""
        import numpy as np

        records, contract = self.records.copy(), self.contract
        for column in self.contract.columns:
            for look_up in column.look_ups if column.name in records else ():
                records[column.name] = _looked_up(records, column.name, look_up)
        truth = records[["event_id", "is_withdrawn"]].copy()
        truth["source_record_id"] = self.writer.numbers(cells)
        derived = {}
        for column in contract.published:
            mapping = self.writer.read.get(column.name)
            if mapping and column.is_plain_text and column.name != "source_record_id":
                truth[column.name] = _told_text(cells, mapping)
            elif column.name in truth:
                continue
            elif column.name in records and column.filled_by == "feed":
                truth[column.name] = records[column.name]
            elif column.derive and not _KEYED & set(column.derive.replace("(", " ").split()):
                derived[column.name] = column.derive
        derived = {c: sql for c, sql in derived.items() if c not in truth}
        truth = truth.join(self.query.evaluate(records, derived)) if derived else truth
        if contract.roles.zone:
            self._set_moments(records, truth)
        for column in contract.published:
            if column.withheld_when and column.name in truth:
                is_withheld = truth[column.withheld_when].fillna(False).astype(bool)
                truth[column.name] = truth[column.name].where(~is_withheld, None)
        truth["rule_codes"] = self.codes
        is_wrong = [bool(error_codes().intersection(codes)) for codes in self.codes]
        truth["verdict"] = np.where(is_wrong, "quarantined", "accepted")
        return truth

    def _set_moments(self, records: pd.DataFrame, truth: pd.DataFrame) -> None:
        """The days of moments, and their UTC where the hour is told."""
        zones = area_zones(records)
        for column, day in self.contract.days.items():
            if column in self.writer.read:
                local = records[column]
                is_told = local.notna() & self.writer.has_hours(column)
                if column != self.contract.roles.report_time:
                    is_told &= records["is_timed"]
                truth[column] = to_utc(local, zones).where(is_told)
                shown = self.writer.by_named_clock(column, truth[column])
                truth[day.name] = shown.where(shown.notna(), local).dt.normalize()


_KEYED = {"keyed_token", "record_key", "source"}


def repeated(
    cells: pd.DataFrame, truth: pd.DataFrame, may: pd.Series, rng: np.random.Generator
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Some rows twice, letter for letter, the copy right after the original."""
    import numpy as np

    pool = cells.index[may]
    size = min(len(pool), max(1, round(SHARE_REPEATED * len(cells))))
    rows = np.sort(pool[rng.permutation(len(pool))[:size]])
    order = np.sort(np.concatenate([np.asarray(cells.index), rows]), kind="stable")
    is_copy = np.concatenate([[False], order[1:] == order[:-1]])
    truth = truth.loc[order].reset_index(drop=True)
    truth["verdict"] = truth["verdict"].mask(is_copy, "duplicate")
    return cells.loc[order].reset_index(drop=True), truth


@cache
def error_codes() -> frozenset[str]:
    """The codes of the contracts' rules that reject a row."""
    from schemas.contract import all_rules

    return frozenset(code for code, rule in all_rules().items() if rule.severity == "error")


def _told_text(cells: pd.DataFrame, mapping: Any) -> pd.Series:
    """The text of the cells of a mapping, those that are empty left out."""
    text: pd.Series = cells[mapping.source[0]]
    others = (cells[source] for source in mapping.source[1:])
    for other in others:
        both = text.notna() & other.notna()
        text = (text + mapping.join + other).where(both, text.where(text.notna(), other))
    return text


def _looked_up(records: pd.DataFrame, column: str, look_up: Any) -> pd.Series:
    """A column with what the code of another says where it says nothing itself."""
    from schemas.codelist import load_codelist

    told: pd.Series = records[column]
    if not look_up.sides or look_up.column not in records:
        return told
    rows = {row["code"]: row for row in load_codelist(f"{look_up.column.removesuffix('_code')}s")}
    for country, value in look_up.sides:
        codes = records[look_up.column]
        is_side = codes.map({c: row[country] for c, row in rows.items()}) == records["country"]
        found = codes.map({c: row[value] or None for c, row in rows.items()})
        told = told.where(told.notna(), found.where(is_side, None))
    return told
