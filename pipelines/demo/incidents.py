"""What the seven incident feeds have in common: from reports to cells, deliveries and their truth.

Not here: any one service's layout and words (a module a feed) and the ways to be wrong
(`defects.py`).

Each feed sends a long first delivery and a later one, which brings the last month, corrections of
accepted records, second attempts at half of the rejected ones, and withdrawals.
"""

from __future__ import annotations

import datetime as dt
from abc import abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from pipelines.demo.defects import incident_defects
from pipelines.demo.delivery import (
    DAYS,
    Defect,
    DemoDelivery,
    DemoFeed,
    Draft,
    finish,
    repeat_rows,
    set_days,
    without_unknown_hours,
)
from pipelines.demo.telling import say
from pipelines.demo.world import World, to_utc

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

SPOKEN = {  # column → the feed's crosswalk that holds its words, the code list
    "offence_code": ("offences", "offences"),
    "perpetrator_kind": ("perpetrators", "perpetrator_kinds"),
    "weapon_kind": ("weapons", "weapon_kinds"),
    "incident_status": ("statuses", "incident_statuses"),
}
SHARE_CORRECTED, SHARE_RESENT, SHARE_WITHDRAWN = 0.04, 0.5, 0.01
WITHHELD = ("place_text", "latitude_deg", "longitude_deg")


class Written(NamedTuple):
    """The bytes of a file and, in the order of the cells, the row number of each in it."""

    content: bytes
    source_rows: Any


class IncidentFeed(DemoFeed):
    """One service's way to send incidents."""

    country: ClassVar[str]
    columns: ClassVar[Mapping[str, str]]  # canonical column → source column, where one holds one
    id_columns: ClassVar[tuple[str, ...]]
    withdrawn_cell: ClassVar[tuple[str, str]]  # source column, the text that withdraws
    file_names: ClassVar[tuple[str, str]]
    received: ClassVar[tuple[dt.datetime, dt.datetime]]
    split_at: ClassVar[str] = "2026-10-01"
    has_revisions: ClassVar[bool] = False
    has_numbers: ClassVar[bool] = False  # true for workbooks, whose cells are typed
    day_only: ClassVar[tuple[str, ...]] = ()  # moments of which the feed never tells the hour

    # --- what each feed says -------------------------------------------------------------------

    @abstractmethod
    def compose(self, world: World) -> pd.DataFrame:
        """The service's reports, one row a record, with `source_record_id` and `place_text`."""

    @abstractmethod
    def time_cells(self, what: str, local: pd.Series, is_timed: Any) -> dict[str, Any]:
        """The cells of a local time; `what` is occurred, reported or until."""

    @abstractmethod
    def id_cells(self, reports: pd.DataFrame) -> dict[str, Any]:
        """The cells of the record's number."""

    @abstractmethod
    def other_cells(self, reports: pd.DataFrame) -> dict[str, Any]:
        """Place, unit and the columns that the feed ignores."""

    @abstractmethod
    def write(self, cells: pd.DataFrame) -> Written:
        """The delivery file."""

    def time_columns(self, what: str) -> list[str]:
        """The names of the cells of a time, the one with the date first."""
        import pandas as pd

        moment = pd.Series(pd.to_datetime(["2026-05-01 12:00"]))
        return list(self.time_cells(what, moment, [True]))

    def position_cells(self, latitude_deg: Any, longitude_deg: Any) -> dict[str, Any]:
        """The cells of positions; none unless the feed sends positions."""
        return {}

    def own_defects(self) -> list[Defect]:
        """Ways to be wrong that only this layout has."""
        return []

    @property
    def column_order(self) -> list[str]:
        """The source columns in the order of the file."""
        raise NotImplementedError

    # --- what all do ---------------------------------------------------------------------------

    @property
    def language(self) -> str:
        """The language in which the feed is written, `en` or `fr`."""
        return self.declared.language

    @property
    def stated(self) -> list[str]:
        """The canonical columns whose value this feed states."""
        known = set(self.declared.map) - {"source_record_id", "position", "withdrawal"}
        known |= {"country", "occurred_at_precision"}
        known |= {"latitude_deg", "longitude_deg"} if "position" in self.declared.map else set()
        return sorted(known)

    def speak(self, rng: np.random.Generator, reports: pd.DataFrame) -> pd.DataFrame:
        """Put the service's words beside the codes, and the codes that those words mean."""
        for column, (crosswalk, codelist) in SPOKEN.items():
            spoken = say(rng, reports[column], self.declared.crosswalk(crosswalk), codelist)
            reports[column], reports[f"{column}_word"] = spoken["code"], spoken["text"]
        reports["offence_text"] = reports["offence_code_word"]
        if "occurred_at_precision" not in reports:
            timed = {True: "minute", False: "day"}
            reports["occurred_at_precision"] = reports["is_timed"].map(timed)
        return reports

    def cells(self, reports: pd.DataFrame) -> pd.DataFrame:
        """The reports as the file's cells, None where empty; the same index."""
        import pandas as pd

        cells: dict[str, Any] = {**self.id_cells(reports), **self.other_cells(reports)}
        for what in ("occurred", "reported", "until"):
            if f"{what}_local" in reports:
                local = reports[f"{what}_local"]
                cells |= self.time_cells(what, local, reports["is_timed"].to_numpy())
        cells |= self.position_cells(reports["latitude_deg"], reports["longitude_deg"])
        for column, source in self.columns.items():
            word = f"{column}_word"
            cells[source] = reports[word] if word in reports else self._number(reports[column])
        column, text = self.withdrawn_cell
        cells[column] = reports["is_withdrawn"].map({True: text, False: None})
        frame = pd.DataFrame(cells, index=reports.index, columns=self.column_order, dtype=object)
        return frame.where(frame.notna(), None)

    def _number(self, values: pd.Series) -> pd.Series:
        if values.dtype.kind not in "iuf":
            return values
        whole = values.astype("Int64").astype(object)
        return whole if self.has_numbers else whole.map(str, na_action="ignore")

    def truth(self, reports: pd.DataFrame) -> pd.DataFrame:
        """What a right reading of these reports yields, sensitive places withheld."""
        truth = reports[["source_record_id", "event_id", "is_withdrawn"]].copy()
        stated = self.stated
        for column in stated:
            truth[column] = reports.get(column)
        local = {w: reports[f"{w}_local"] for w in DAYS if f"{w}_local" in reports}
        set_days(truth, truth.index, local)
        is_sensitive = truth["offence_code"].str.match("030[12]").fillna(False).astype(bool)
        if "victims_children" in stated:
            is_sensitive |= truth["victims_children"] > 0
        truth["is_sensitive"] = is_sensitive
        return truth

    def draft(self, reports: pd.DataFrame) -> Draft:
        """Reports as rows to send, all right so far."""
        reports = reports.reset_index(drop=True)
        remembered = [c for c in reports.columns if c.endswith("_local")]
        context = reports[[*remembered, "is_timed", "time_zone"]]
        return Draft(self.cells(reports), self.truth(reports), context)

    def expect_country_time(self, draft: Draft, rows: Any) -> None:
        """Expect the UTC of rows without an area: by the country's zone, if it has just one."""
        from schemas.codelist import load_codelist

        zones = {row["code"]: row["time_zone"] for row in load_codelist("countries")}
        for what in ("occurred", "reported", "until"):
            if f"{what}_local" in draft.context:
                target = "occurred_until" if what == "until" else f"{what}_at"
                local = draft.context.loc[rows, f"{what}_local"]
                zone = local.astype(object).map(lambda _: zones[self.country] or "UTC")
                draft.truth.loc[rows, target] = to_utc(local, zone)

    def defects(self) -> list[Defect]:
        """Every way in which this feed can break a rule of the table, each with its codes."""
        return [*incident_defects(self), *self.own_defects()]

    def deliveries(self, world: World) -> list[DemoDelivery]:
        """The feed's deliveries in the order of their arrival."""
        reports = self.compose(world)
        rng = world.rng(f"{self.feed} deliveries")
        is_early = reports["reported_local"] < self.split_at
        early = reports[is_early].reset_index(drop=True)
        first = self.spoil(self.draft(early), self.defects(), rng)
        later = self._later(rng, early, first.truth, reports[~is_early])
        second = self.draft(later)
        second.truth["is_kept_right"] = later["is_kept_right"].to_numpy()
        second = self.spoil(second, self.defects(), rng, is_each_present=False)
        drafts = (repeat_rows(first, rng), repeat_rows(second, rng))
        return [
            self.delivery(draft, name, received)
            for draft, name, received in zip(drafts, self.file_names, self.received, strict=True)
        ]

    def delivery(self, draft: Draft, file_name: str, received_at: dt.datetime) -> DemoDelivery:
        """One file from a draft."""
        written = self.write(draft.cells)
        truth = _withhold(finish(draft, written.source_rows))
        truth = without_unknown_hours(truth, self.day_only)
        return DemoDelivery(self.feed, file_name, written.content, received_at, truth)

    def _later(
        self,
        rng: np.random.Generator,
        early: pd.DataFrame,
        truth: pd.DataFrame,
        new: pd.DataFrame,
    ) -> pd.DataFrame:
        """The reports of the second delivery: second attempts, corrections, withdrawals, news."""
        import pandas as pd

        is_right = (truth["rule_codes"].str.len() == 0).to_numpy()
        right, wrong = early[is_right], early[~is_right]
        order = rng.permutation(len(right))
        changed = max(1, round(SHARE_CORRECTED * len(early)))
        gone = max(1, round(SHARE_WITHDRAWN * len(early)))
        corrected = right.iloc[sorted(order[:changed])]
        withdrawn = right.iloc[sorted(order[changed : changed + gone])]
        again = wrong[rng.random(len(wrong)) < SHARE_RESENT]
        parts = [
            again,
            self._corrected(rng, corrected),
            withdrawn.assign(is_withdrawn=True),
        ]
        old = pd.concat(parts).assign(is_kept_right=True)
        if self.has_revisions:
            old["source_revision"] += 1
        later = pd.concat([old, new.assign(is_kept_right=False)])
        return later.sort_values("reported_local", kind="stable", ignore_index=True)

    def _corrected(self, rng: np.random.Generator, reports: pd.DataFrame) -> pd.DataFrame:
        """Later knowledge: one more suspect, arrested; the file moves on."""
        changed = reports.copy()
        changed["suspects_total"] += 1
        changed["arrested_total"] += 1
        changed["incident_status"] = "prosecution"
        crosswalk, codelist = SPOKEN["incident_status"]
        words = self.declared.crosswalk(crosswalk)
        spoken = say(rng, changed["incident_status"], words, codelist)
        changed["incident_status"] = spoken["code"]
        changed["incident_status_word"] = spoken["text"]
        return changed


def _withhold(truth: pd.DataFrame) -> pd.DataFrame:
    """Empty the places of sensitive rows, as the table publishes them."""
    for column in WITHHELD:
        if column in truth:
            truth[column] = truth[column].where(~truth["is_sensitive"], None)
    return truth
