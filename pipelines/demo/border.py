"""What the border feeds of the demo have in common: from records to cells, deliveries, and truth.

Not here: who crossed or what was found (`border_travellers.py` and the feed modules), one layout.

Each feed sends six months in a first delivery; a second one corrects some accepted records, sends
half of the rejected ones again, put right, and withdraws a few.
"""

from __future__ import annotations

import datetime as dt
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

from pipelines.demo.delivery import (
    Defect,
    DemoDelivery,
    DemoFeed,
    Draft,
    finish,
    repeat_rows,
    set_days,
    without_unknown_hours,
)
from pipelines.demo.incidents import Written
from pipelines.demo.telling import say
from pipelines.demo.world import World

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

SHARE_CORRECTED, SHARE_RESENT, SHARE_WITHDRAWN = 0.03, 0.5, 0.01

Words = Mapping[str, tuple[str, ...]]


class BorderFeed(DemoFeed):
    """One service's way to send what happens at a border."""

    columns: ClassVar[Mapping[str, str]]  # canonical column or input → its source column
    withdrawn_words: ClassVar[tuple[str, str]]  # texts of the status: valid, withdrawn
    file_names: ClassVar[tuple[str, str]]
    received: ClassVar[tuple[dt.datetime, dt.datetime]] = (
        dt.datetime(2026, 11, 3, 6, 30),
        dt.datetime(2026, 11, 17, 6, 30),
    )

    # --- what each feed says -------------------------------------------------------------------

    @cached_property
    @abstractmethod
    def words(self) -> Mapping[str, Words]:
        """Canonical column → code → the service's words for it, the usual one first."""

    @abstractmethod
    def compose(self, world: World) -> pd.DataFrame:
        """The records in the order of the file: canonical columns, inputs, local times."""

    @abstractmethod
    def own_cells(self, records: pd.DataFrame) -> dict[str, Any]:
        """The cells that `columns` does not fill: numbers, times, positions, ignored columns."""

    @abstractmethod
    def write(self, cells: pd.DataFrame) -> Written:
        """The delivery file."""

    @abstractmethod
    def defects(self) -> Sequence[Defect]:
        """Every way in which this feed can break a rule, those with the narrowest needs first."""

    @abstractmethod
    def correct(self, rng: np.random.Generator, records: pd.DataFrame) -> pd.DataFrame:
        """Later knowledge about accepted records."""

    # --- what all do ---------------------------------------------------------------------------

    @property
    def stated(self) -> list[str]:
        """The table's columns whose value this feed states, beside the record's number."""
        inputs = {column.name for column in self.contract.columns_filled_by("input")}
        known = {*self.declared.map, "country", "admin1_code", "occurred_at_precision"}
        known |= {"latitude_deg", "longitude_deg"} if "position" in self.declared.map else set()
        known |= {"age_years"} if "birth_date" in self.declared.map else set()
        return sorted(known - inputs - {"source_record_id"})

    def word(self, column: str, code: str | None) -> str | None:
        """The first of the service's words for a code; a value without words as text."""
        if code is None or column not in self.words:
            return code
        return self.words[column][code][0]

    def cells(self, rng: np.random.Generator, records: pd.DataFrame) -> pd.DataFrame:
        """The records as the file's cells, None where empty; the same index."""
        import pandas as pd

        cells: dict[str, Any] = {}
        for column, source in self.columns.items():
            cells[source] = self._texts(rng, column, records[column])
        valid, withdrawn = self.withdrawn_words
        cells[self.declared.map["withdrawal"].source[0]] = records["is_withdrawn"].map(
            {True: withdrawn, False: valid}
        )
        cells |= self.own_cells(records)
        order = [*self.column_order, *(c for c in cells if c not in self.column_order)]
        frame = pd.DataFrame(cells, index=records.index, columns=order, dtype=object)
        return frame.where(frame.notna(), None)

    @property
    def column_order(self) -> list[str]:
        """The source columns in the order of the file."""
        declared = self.declared
        return [*declared.mapped_columns, *(c for c in declared.ignore)]

    def _texts(self, rng: np.random.Generator, column: str, values: pd.Series) -> pd.Series:
        import pandas as pd

        if column in self.words:
            vocabulary = [
                {"source_value": word, "code": code}
                for code, words in self.words[column].items()
                for word in words
            ]
            spoken = say(rng, values, vocabulary, self.contract.column(column).codelist)
            if not spoken["code"].equals(values.astype(object).where(values.notna(), None)):
                raise ValueError(f"{self.feed}: no word for some codes of {column}")
            text: pd.Series = spoken["text"]
            return text
        if values.dtype.kind == "M":
            days: pd.Series = values.dt.strftime(self.day_format)
            return days
        if values.dtype.kind in "iuf":
            whole = values.astype("Int64").astype(object)
            return pd.Series(whole.map(str, na_action="ignore"), index=values.index)
        return values

    day_format: ClassVar[str] = "%Y-%m-%d"

    def truth(self, records: pd.DataFrame) -> pd.DataFrame:
        """What a right reading of these records yields."""
        truth = records[["source_record_id", "is_withdrawn"]].copy()
        truth.insert(1, "event_id", None)
        for column in self.stated:
            truth[column] = records.get(column)
        set_days(truth, truth.index, {w: records[f"{w}_local"] for w in ("occurred", "reported")})
        return truth

    def draft(self, rng: np.random.Generator, records: pd.DataFrame) -> Draft:
        """Records as rows to send, all right so far."""
        records = records.reset_index(drop=True)
        return Draft(self.cells(rng, records), self.truth(records), records)

    def deliveries(self, world: World) -> list[DemoDelivery]:
        """The feed's two deliveries, in the order of their arrival."""
        rng = world.rng(f"{self.feed} deliveries")
        records = self.compose(world).reset_index(drop=True)
        first = self.spoil(self.draft(rng, records), self.defects(), rng)
        second = self.draft(rng, self._second(rng, records, first.truth))
        drafts = (repeat_rows(first, rng), second)
        return [
            self._delivery(draft, name, received)
            for draft, name, received in zip(drafts, self.file_names, self.received, strict=True)
        ]

    def _delivery(self, draft: Draft, file_name: str, received_at: dt.datetime) -> DemoDelivery:
        written = self.write(draft.cells)
        truth = without_unknown_hours(finish(draft, written.source_rows), ())
        return DemoDelivery(self.feed, file_name, written.content, received_at, truth)

    def _second(
        self, rng: np.random.Generator, records: pd.DataFrame, truth: pd.DataFrame
    ) -> pd.DataFrame:
        """The records of the second delivery, in the order of the first."""
        import pandas as pd

        is_right = (truth["rule_codes"].str.len() == 0).to_numpy()
        right, wrong = records[is_right & self.can_be_revised(records)], records[~is_right]
        order = rng.permutation(len(right))
        changed = max(1, round(SHARE_CORRECTED * len(records)))
        gone = max(1, round(SHARE_WITHDRAWN * len(records)))
        corrected = self.correct(rng, right.iloc[sorted(order[:changed])].copy())
        withdrawn = right.iloc[sorted(order[changed : changed + gone])].assign(is_withdrawn=True)
        again = wrong[rng.random(len(wrong)) < SHARE_RESENT]
        second = pd.concat([corrected, withdrawn, again]).sort_index(kind="stable")
        sent: pd.DataFrame = second.assign(source_revision=2).reset_index(drop=True)
        return sent

    def can_be_revised(self, records: pd.DataFrame) -> Any:
        """True for the records that a correction or a withdrawal may touch by itself."""
        import numpy as np

        return np.ones(len(records), dtype=bool)


def labels(codelist: str, language: str) -> dict[str, tuple[str, ...]]:
    """The label of every code of a list, as words that a service may use."""
    from schemas.codelist import load_codelist

    return {row["code"]: (row[f"label_{language}"],) for row in load_codelist(codelist)}
