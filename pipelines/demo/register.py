"""A register as it is sent in the demo, and its mistakes, from its feed and its contract alone.

Not here: what stands in one (`contributions.py`). A table is added with a class of its records and
a line in `writer.FEEDS`.

A first delivery holds the register; the second corrects some rows, sends half of the rejected ones
again, put right, and withdraws a few. Each rule that a column by itself can break is broken; those
that need more are the `own_defects` of the class.
"""

from __future__ import annotations

import datetime as dt
from abc import abstractmethod
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar

from pipelines.demo import delivery as made
from pipelines.demo.border_json import json_objects
from pipelines.demo.delivery import Defect, DemoDelivery, DemoFeed, Draft, Spoil, cell
from pipelines.demo.files import delimited, first_rows
from schemas.codelist import load_codelist

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from pipelines.demo.world import World

SHARE_CORRECTED, SHARE_RESENT, SHARE_WITHDRAWN = 0.03, 0.5, 0.01
NUMBER = "source_record_id"
UNREADABLE = ["???", "31/02/2026 ?", "à voir"]
# What can be wrong with a number at the source, by the rule of its group; no two are the same
WRONG_NUMBERS = {
    "208": ["-" * length for length in range(3, 60)],
    "209": ["x" * length for length in range(121, 180)],
    "220": [f"2.02{number}E+17" for number in range(600, 660)],
}


class Register(DemoFeed):
    """One feed of rows without a place: its records are canonical columns, its words the lists’."""

    file_names: ClassVar[tuple[str, str]]
    coded: ClassVar[tuple[str, ...]] = ()  # columns of which the sender writes codes, not words
    received: ClassVar[tuple[dt.datetime, dt.datetime]] = (
        dt.datetime(2026, 11, 4, 9, 0),
        dt.datetime(2026, 11, 18, 9, 0),
    )

    @abstractmethod
    def compose(self, world: World) -> pd.DataFrame:
        """The records: canonical columns; `is_kept_right` for rows that nothing may spoil."""

    @abstractmethod
    def correct(self, records: pd.DataFrame) -> pd.DataFrame:
        """What a correction changes of these records."""

    def own_defects(self) -> list[Defect]:
        """The mistakes that more than one cell makes, or one value that is wrong."""
        return []

    def deliveries(self, world: World) -> list[DemoDelivery]:
        """The register, then its corrections."""
        rng = world.rng(self.feed)
        records = self.compose(world).assign(source_revision=1, is_withdrawn=False)
        first = self.spoil(self._draft(records), self.defects(), rng)
        second = self._draft(self._second(rng, records, first.truth))
        drafts = (made.repeat_rows(first, rng), second)
        return [
            self._delivery(draft, file_name, received)
            for draft, file_name, received in zip(
                drafts, self.file_names, self.received, strict=True
            )
        ]

    def source(self, column: str) -> str:
        """The source column that a column is read from."""
        return self.declared.map[column].source[0]

    def text(self, column: str, value: Any) -> str | None:
        """How the sender writes a value of a column."""
        said, mapping = self.contract.column(column), self.declared.map[column]
        if value is None:
            return None
        if mapping.crosswalk:
            code = str(value).lower() if isinstance(value, bool) else value
            rows = self.declared.crosswalk(mapping.crosswalk)
            return next(row["source_value"] for row in rows if row["code"] == code)
        if said.codelist and column not in self.coded:
            label = f"label_{self.declared.language}"
            return {row["code"]: row[label] for row in load_codelist(said.codelist)}[value]
        if said.duckdb_type == "BOOLEAN":
            return {"en": ("no", "yes"), "fr": ("non", "oui")}[self.declared.language][bool(value)]
        if said.duckdb_type == "DATE":
            return str(value.strftime((mapping.formats or self.declared.dates)[0]))
        return str(value)

    def is_told(self, column: str) -> Callable[[Draft], pd.Series]:
        """Rows that say something of a column: what may be empty is missing only where it was."""
        return lambda draft: draft.cells[self.source(column)].notna()

    def put(self, column: str, value: Any) -> Spoil:
        """Write a value of a column, and expect it."""

        def change(draft: Draft, rows: Any) -> None:
            draft.set(rows, self.source(column), self.text(column, value))
            draft.expect(rows, **{column: value})

        return change

    def told_twice(self, draft: Draft, rows: Any) -> None:
        """The second row of each pair says what the first says, under its own number."""
        cells = [column for column in draft.cells if column != self.source(NUMBER)]
        told = [c for c in draft.truth if c in self.declared.map and c != NUMBER]
        for frame, columns in ((draft.cells, cells), (draft.truth, told)):
            frame.loc[rows[1::2], columns] = frame.loc[rows[0::2], columns].to_numpy()

    def defects(self) -> list[Defect]:
        """The mistakes of the class, then those that the feed's contract tells."""
        own = self.own_defects()
        return [*own, *self._declared_defects({code for one in own for code in one.codes})]

    def _declared_defects(self, told: set[str]) -> list[Defect]:
        found = [
            Defect((f"{self.contract.codes}-{code}",), cell(self.source(NUMBER), texts))
            for code, texts in WRONG_NUMBERS.items()
        ]
        twice = made.duplicated_number([self.source(NUMBER)])
        found.append(Defect((f"{self.contract.codes}-601",), twice, together=2))
        for rule in [rule for rule in self.contract.rules if rule.code not in told]:
            column = rule.column
            if column in self.declared.map and self.declared.map[column].source:
                unread = {"column": self.contract.column(column).unread}
                if rule.name == f"{column}_missing":
                    found.append(Defect((rule.code,), self.put(column, None), self.is_told(column)))
                elif rule.kwargs == unread:
                    found.append(Defect((rule.code,), cell(self.source(column), UNREADABLE)))
        return found

    def _draft(self, records: pd.DataFrame) -> Draft:
        import pandas as pd

        records = records.reset_index(drop=True)
        cells = pd.DataFrame(index=records.index)
        for column, mapping in self.declared.map.items():
            if mapping.source:
                told = "is_withdrawn" if column == "withdrawal" else column
                values = records[told].astype(object)
                known = {value: self.text(column, value) for value in values.dropna().unique()}
                cells[mapping.source[0]] = values.map(known)
        kept = [c for c in records if c in self.declared.map or c == "is_withdrawn"]
        draft = Draft(cells, records[kept].assign(event_id=None), records)
        if "is_kept_right" in records:
            draft.truth["is_kept_right"] = records["is_kept_right"]
        return draft

    def _second(
        self, rng: np.random.Generator, records: pd.DataFrame, truth: pd.DataFrame
    ) -> pd.DataFrame:
        import pandas as pd

        is_wrong = (truth["rule_codes"].str.len() > 0).to_numpy()
        right = records[~is_wrong & ~truth["is_kept_right"].to_numpy()]
        order = rng.permutation(len(right))
        changed, gone = (
            max(1, round(share * len(records))) for share in (SHARE_CORRECTED, SHARE_WITHDRAWN)
        )
        corrected = self.correct(right.iloc[sorted(order[:changed])].copy())
        withdrawn = right.iloc[sorted(order[changed : changed + gone])].assign(is_withdrawn=True)
        again = records[is_wrong & (rng.random(len(records)) < SHARE_RESENT)]
        second = pd.concat([corrected, withdrawn, again]).sort_index(kind="stable")
        sent: pd.DataFrame = second.assign(source_revision=2)
        return sent

    def _delivery(self, draft: Draft, file_name: str, received: dt.datetime) -> DemoDelivery:
        layout = self.declared.file[0]
        if layout.format == "csv":
            content = delimited(draft.cells, delimiter=layout.delimiter, encoding=layout.encoding)
        else:
            objects = ",\n".join(json_objects(draft.cells))
            content = f'{{"{layout.records.removeprefix("$.")}": [\n{objects}\n]}}\n'.encode()
        first = 2 if layout.format == "csv" else 1
        truth = made.finish(draft, first_rows(len(draft.cells), first))
        return DemoDelivery(self.feed, file_name, content, received, truth)
