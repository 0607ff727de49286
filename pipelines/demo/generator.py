"""The deliveries of one feed: its records of the world, made wrong here and there, and written.

A first delivery holds what is known until then. A second corrects some records, withdraws a few,
sends half of the rejected ones again, put right, and brings what is new. Some feeds send an archive
before. Nothing here knows a feed: that is in feed.yaml and in the profile.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.demo.cells import CellWriter, joined
from pipelines.demo.delivery import TRUTH_COLUMNS, DemoDelivery, Draft, repeated
from pipelines.demo.faults import FaultList
from pipelines.demo.files import file_of
from pipelines.demo.profile import Profile, Shipment, load_profile
from pipelines.demo.query import RecordQuery
from pipelines.demo.tables import compose
from pipelines.demo.world import HERE, World
from schemas.codelist import load_codelist
from schemas.contract import load_contract
from schemas.feed import load_feed

if TYPE_CHECKING:
    import pandas as pd

SHARE_CORRECTED, SHARE_RESENT, SHARE_WITHDRAWN = 0.035, 0.5, 0.01
FIELD = re.compile(r"\{(\w+)(?::(\w+))?\}")


class FeedGenerator:
    """Makes the deliveries of one feed."""

    def __init__(self, feed: str | Path, profile: Profile | None = None) -> None:
        """Read what is declared. Raises KeyError for a feed without a profile."""
        self.profile = profile or load_profile(str(feed))
        self.feed = load_feed(feed)
        self.contract = load_contract(self.feed.table)
        self.writer = CellWriter(self.feed, self.contract, self.profile)
        self.faults = FaultList(self.writer, self.profile, self.profile.shipments[0].received)

    def deliveries(self, world: World, *, is_every_rule: bool = False) -> list[DemoDelivery]:
        """All deliveries, in the order of their arrival."""
        archive = self._archive()
        before = archive._one(world, is_every_rule) if archive else []
        rng = world.rng(f"{self.feed.feed} deliveries")
        records = self.records(world)
        until = self.profile.until
        is_new = records["reported_at"] >= str(until) if until else records["row"] < 0
        early = records[~is_new].reset_index(drop=True)
        faults = self.faults.of_every_rule() if is_every_rule else self.faults.usual()
        options = {"is_weighted": not is_every_rule}
        first = Draft(self.writer, early)
        first.inject(faults, rng, is_each_present=is_every_rule, **options)
        later, is_old = self._later(early, first.is_right(), records[is_new], rng)
        second = Draft(self.writer, later, is_old)
        second.inject(faults, rng, **options)
        return [
            *before,
            *(
                self.delivery(draft, shipment, rng)
                for draft, shipment in zip((first, second), self.profile.shipments, strict=True)
            ),
        ]

    def records(self, world: World) -> pd.DataFrame:
        """The records that the service sends, in the order in which it numbers them."""
        records = compose(world, self.feed, self.profile).reset_index(drop=True)
        records["row"] = records.index + 1
        for column, mapping in self.feed.map.items():
            if mapping.value is not None:
                records[column] = mapping.value
        records = self._only_told(records.assign(is_withdrawn=False))
        records = self.writer.sayable(records)
        told = [c for c in records if c in self.feed.map and c not in ("source_revision",)]
        records = records.drop_duplicates(told, ignore_index=True)
        records["row"] = records.index + 1
        return self._named(_placed(records) if "admin1_code" in records else records)

    def _archive(self) -> FeedGenerator | None:
        """The generator of the archive, which is told by habits of its own."""
        if not (archive := self.profile.archive):
            return None
        changed = {
            "records": self.profile.records | archive.records,
            "cells": self.profile.cells | archive.cells,
            "formats": self.profile.formats | archive.formats,
            "shipments": (archive.shipment, archive.shipment),
            "archive": None,
        }
        return FeedGenerator(self.feed.feed, self.profile.model_copy(update=changed))

    def _one(self, world: World, is_every_rule: bool) -> list[DemoDelivery]:
        """One delivery of all records, some of them wrong."""
        rng = world.rng(f"{self.feed.feed} archive")
        draft = Draft(self.writer, self.records(world))
        faults = self.faults.of_every_rule() if is_every_rule else self.faults.usual()
        draft.inject(faults, rng, is_weighted=not is_every_rule)
        return [self.delivery(draft, self.profile.shipments[0], rng)]

    def _only_told(self, records: pd.DataFrame) -> pd.DataFrame:
        """Without the columns of the table that the feed does not tell."""
        roles = self.contract.roles
        always = {"country", "admin1_code", "is_withdrawn", roles.event_time}
        if roles.position in self.feed.map:
            always |= set(roles.point)
        inputs = {"withdrawal", "source_record_id", "source_revision", "occurred_at_precision"}
        known = {column.name for column in self.contract.columns} - inputs
        untold = [c for c in records if c in known and c not in always | set(self.feed.map)]
        records = records.drop(columns=untold)
        if "occurred_at_precision" in records:
            records["is_timed"] = records["occurred_at_precision"].isin(("minute", "hour"))
            if "occurred_at_precision" not in self.feed.map:
                timed = records["is_timed"].map({True: "minute", False: "day"})
                records["occurred_at_precision"] = timed
        for column, mapping in self.feed.map.items():
            if column not in records and column not in (*inputs, roles.position) and mapping.source:
                records[column] = None
        if "is_alone" not in records:
            records["is_alone"] = True
        if "event_id" not in records:
            records["event_id"] = None
        if "source_revision" in self.feed.map:
            records["source_revision"] = self.profile.first_revision
        return records

    def _named(self, records: pd.DataFrame) -> pd.DataFrame:
        """With the record's number, and the cells that the profile tells."""
        group = self.profile.order_by
        records["order"] = 1 + (
            records["row"] - 1 if group == "feed" else records.groupby(group).cumcount()
        )
        for source, template in self.profile.cells.items():
            records[f"cell {source}"] = filled(template, records)
        if self.profile.sheet:
            records["sheet name"] = filled(self.profile.sheet, records)
        told = records[[f"cell {one}" for one in self.profile.cells]]
        told = told.rename(columns=lambda name: name.removeprefix("cell "))
        for column, mapping in self.writer.read.items():
            if set(mapping.source) <= set(told) and self.contract.column(column).is_plain_text:
                records[column] = joined(told, mapping)
        if "source_record_id" not in records:
            records["source_record_id"] = records["row"].astype(str)
        return records

    def _later(
        self, early: pd.DataFrame, is_right: pd.Series, new: pd.DataFrame, rng: Any
    ) -> tuple[pd.DataFrame, Any]:
        """The records of the second delivery, and which of them are not new."""
        import pandas as pd

        right = early[is_right & early["is_alone"]]
        order = rng.permutation(len(right))
        changed = max(1, round(SHARE_CORRECTED * len(early)))
        gone = max(1, round(SHARE_WITHDRAWN * len(early)))
        corrected = right.iloc[sorted(order[:changed])]
        withdrawn = right.iloc[sorted(order[changed : changed + gone])].assign(is_withdrawn=True)
        wrong = early[~is_right]
        again = wrong[rng.random(len(wrong)) < SHARE_RESENT]
        old = pd.concat([self._corrected(corrected), withdrawn, again])
        if "source_revision" in old:
            old["source_revision"] += 1
        later = pd.concat([old.assign(is_old=True), new.assign(is_old=False)])
        later = later.sort_values("row", kind="stable", ignore_index=True)
        return later.drop(columns="is_old"), later["is_old"].astype(bool)

    def _corrected(self, records: pd.DataFrame) -> pd.DataFrame:
        """What was learnt later."""
        query = RecordQuery(self.contract, self.feed.handling)
        return self.writer.sayable(
            records.assign(**query.changed(records, self.profile.correction))
        )

    def delivery(self, draft: Draft, shipment: Shipment, rng: Any) -> DemoDelivery:
        """One file from a draft, a few of its rows twice."""
        cells = draft.cells()
        truth = draft.truth(cells)
        sheets = draft.records.get("sheet name")
        if sheets is not None:
            cells["sheet name"] = sheets
        cells, truth = repeated(cells, truth, draft.is_right(), rng)
        name = "sheet" if self.feed.file[0].with_sheet_column else "sheet name"
        sheets = cells.pop(name) if name in cells else None
        content, rows = file_of(self.feed, self.profile, cells, sheets)
        truth.insert(0, "source_row", rows)
        truth = truth[[*TRUTH_COLUMNS, *(c for c in truth if c not in TRUTH_COLUMNS)]]
        received = shipment.received
        return DemoDelivery(self.feed.feed, shipment.file, content, received, truth)


def filled(template: str, records: pd.DataFrame) -> pd.Series:
    """The text of a template for each record: `{order:04}` with zeros, `{place:BAN}` shortened."""
    import pandas as pd

    text, end = pd.Series("", index=records.index, dtype=object), 0
    for match in FIELD.finditer(template):
        values = records[match[1]].astype(object).map(str, na_action="ignore")
        if (form := match[2] or "").isdigit():
            values = values.str.zfill(int(form))
        elif form:
            values = values.str.slice(0, len(form)).str.upper()
        text, end = text + template[end : match.start()] + values, match.end()
    return text + template[end:]


def _placed(records: pd.DataFrame) -> pd.DataFrame:
    """With what the world knows of each record's area, by which places can be wrong."""
    import pandas as pd

    areas = {row["code"]: row for row in load_codelist("admin_areas")}
    former = {
        code: row["split_from"]
        for code, row in areas.items()
        if row["split_from"] and areas[row["split_from"]]["valid_to"]
    }
    begins = {code: row["valid_from"] or None for code, row in areas.items()}
    area = records["admin1_code"]
    far = area.map(farthest_places())
    return records.assign(
        former_area=area.map(former).astype(object),
        area_from=pd.to_datetime(area.map(begins)).astype("datetime64[us]"),
        far_latitude_deg=far.str[0].astype(float),
        far_longitude_deg=far.str[1].astype(float),
    )


@cache
def farthest_places() -> dict[str, tuple[float, float]]:
    """For each first-level area, the demo's settlement farthest from it in its country."""
    import pandas as pd

    places = pd.read_csv(HERE / "settlements.csv")
    columns = ["country", "latitude_deg", "longitude_deg"]
    own = places.groupby("admin1_code", as_index=False)[columns].first()
    pairs = own.merge(places, on="country", suffixes=("", "_far"))
    north = pairs["latitude_deg_far"] - pairs["latitude_deg"]
    east = pairs["longitude_deg_far"] - pairs["longitude_deg"]
    pairs["distance"] = north**2 + east**2
    best = pairs.loc[pairs.groupby("admin1_code")["distance"].idxmax()]
    positions = zip(best["latitude_deg_far"], best["longitude_deg_far"], strict=True)
    return dict(zip(best["admin1_code"], positions, strict=True))
