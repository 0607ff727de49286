"""UNMISS's police: ISO dates with an offset, UTM coordinates, a history across a clock change.

Not here: the South Sudanese police (`ssd_ssnps.py`), which tells some of the same events.

South Sudan put its clocks back from UTC+3 to UTC+2 on 1 February 2021. The history delivery has
local times without an offset on both sides of that night.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, ClassVar

from pipelines.demo.defect_places import has_position
from pipelines.demo.delivery import Defect, DemoDelivery, cell
from pipelines.demo.files import delimited, first_rows
from pipelines.demo.grids import to_utm
from pipelines.demo.incidents import IncidentFeed, Written
from pipelines.demo.places import area_names, describe
from pipelines.demo.telling import Habit, numbered, retell, tell, without_coincidences
from pipelines.demo.world import World

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

HISTORY_FROM, HISTORY_DAYS = "2020-12-01", 120
HISTORY_RECORDS = 90
HISTORY_FILE = "unpol_incidents_history_2020-12_2021-03.csv"
HISTORY_RECEIVED = dt.datetime(2026, 5, 12, 11, 0)


class Unmiss(IncidentFeed):
    """Reports with a position by zone, easting and northing in whole metres."""

    feed = "unmiss_unpol_incidents"
    country = "SSD"
    columns: ClassVar[dict[str, str]] = {
        "source_revision": "version",
        "admin1_code": "state",
        "place_text": "location",
        "offence_code": "incident_type",
        "perpetrator_kind": "alleged_perpetrator",
        "weapon_kind": "weapon",
        "incident_status": "status",
        "victims_total": "victims",
        "victims_female": "victims_female",
        "victims_male": "victims_male",
        "victims_children": "victims_children",
        "killed_total": "killed",
        "injured_total": "injured",
        "suspects_total": "suspects",
        "arrested_total": "arrested",
    }
    id_columns = ("incident_id",)
    withdrawn_cell = ("retracted", "true")
    file_names = ("unpol_incidents_2026-05_2026-09.csv", "unpol_incidents_2026-10.csv")
    received = (dt.datetime(2026, 10, 2, 15, 0), dt.datetime(2026, 11, 3, 15, 5))
    has_revisions = True
    offset: ClassVar[str] = "+02:00"
    habit = Habit(
        rounding_minutes={1: 0.1, 5: 0.2, 15: 0.2, 30: 0.3, 60: 0.2},
        share_day_only=0.08,
        share_positioned=0.88,
        jitter_km=0.9,
        share_recounted=0.2,
        median_delay_h=28,
    )

    @property
    def column_order(self) -> list[str]:
        """As the export has them."""
        return [
            *("incident_id", "version", "occurred", "reported", "state", "county", "location"),
            *("utm_zone", "easting_m", "northing_m", "incident_type", "alleged_perpetrator"),
            *("weapon", "victims", "victims_female", "victims_male", "victims_children"),
            *("killed", "injured", "suspects", "arrested", "status", "retracted"),
            "reporting_officer",
        ]

    def compose(self, world: World) -> pd.DataFrame:
        """The mission's reports on South Sudan."""
        rng = world.rng(self.feed)
        reports = tell(world, "SSD", "mission", self.habit, f"{self.feed} telling")
        reports = self._worded(rng, reports)
        reports["source_record_id"] = numbered("UNPOL-SSD-2026-", reports.index + 1, 5)
        return reports

    def _worded(self, rng: np.random.Generator, reports: pd.DataFrame) -> pd.DataFrame:
        reports["place_text"] = describe(rng, reports, "en")
        reports["admin1_code_word"] = reports["admin1_code"].map(area_names("en"))
        reports["source_revision"] = 1
        return without_coincidences(self.speak(rng, reports), "place_text", "latitude_deg")

    def id_cells(self, reports: pd.DataFrame) -> dict[str, Any]:
        """The incident's number."""
        return {"incident_id": reports["source_record_id"]}

    def time_cells(self, what: str, local: pd.Series, is_timed: Any) -> dict[str, Any]:
        """ISO 8601, with the offset where a time is given."""
        text = local.dt.strftime("%Y-%m-%dT%H:%M") + self.offset
        if what == "reported":
            return {"reported": text}
        return {"occurred": text.where(is_timed, local.dt.strftime("%Y-%m-%d"))}

    def position_cells(self, latitude_deg: Any, longitude_deg: Any) -> dict[str, Any]:
        """Zone with its hemisphere, easting and northing in metres."""
        import numpy as np

        known = latitude_deg.notna()
        north = latitude_deg.where(known, 0.0).to_numpy()
        east = longitude_deg.where(known, 30.0).to_numpy()
        utm = to_utm(north, east)
        zone = np.char.add(np.char.mod("%02d", utm.zone), np.where(north < 0, "S", "N"))
        cells = {
            "utm_zone": zone,
            "easting_m": np.char.mod("%d", np.rint(utm.easting_m).astype(int)),
            "northing_m": np.char.mod("%d", np.rint(utm.northing_m).astype(int)),
        }
        series = type(latitude_deg)
        return {
            column: series(text, index=known.index, dtype=object).where(known, None)
            for column, text in cells.items()
        }

    def other_cells(self, reports: pd.DataFrame) -> dict[str, Any]:
        """The county, which reporters leave empty, and a placeholder for a name."""
        return {
            "county": None,
            "reporting_officer": numbered("OFFICER ", reports.index % 50 + 1),
        }

    def own_defects(self) -> list[Defect]:
        """Coordinates that are no point of the zone."""
        return [
            Defect(("INC-204",), cell("easting_m", ["E 34", "unknown"]), has_position),
            Defect(("INC-204",), cell("utm_zone", ["Juba", "99"]), has_position, share=0.004),
            # No gazetteer of counties is shipped, so none is recognised until one is loaded; these
            # are in none, so that the truth stays true after that.
            Defect(("INC-304",), cell("county", ["County 14", "New county (2024)"])),
        ]

    def write(self, cells: pd.DataFrame) -> Written:
        """Commas, UTF-8, line feeds."""
        return Written(delimited(cells), first_rows(len(cells), 2))

    def deliveries(self, world: World) -> list[DemoDelivery]:
        """The history first, then the feed's usual two."""
        history = UnmissHistory(is_every_rule=self.is_every_rule)
        return [*history.deliveries(world), *super().deliveries(world)]


class UnmissHistory(Unmiss):
    """Older reports, 2020-12 to 2021-03, by local time without an offset; one delivery."""

    offset = ""

    def compose(self, world: World) -> pd.DataFrame:
        """Reports of those months.

        The hour that the clocks gave twice is left out: nobody could tell which one was meant.
        """
        import pandas as pd

        rng = world.rng(f"{self.feed} history")
        events = world.events[world.events["country"] == "SSD"]
        size = min(len(events), world.count(HISTORY_RECORDS))
        old = events.iloc[rng.permutation(len(events))[:size]].reset_index(drop=True)
        minutes = rng.integers(0, HISTORY_DAYS * 24 * 60, size)
        start = pd.Timestamp(HISTORY_FROM)
        moments = pd.Series(start + pd.to_timedelta(minutes, unit="m")).astype("datetime64[us]")
        twice = moments.dt.floor("h") == pd.Timestamp("2021-01-31 23:00")
        old["occurred_local"] = moments - pd.to_timedelta(twice * 2, unit="h")
        old["event_id"] = numbered("SSD-H", old.index + 1, 6)
        reports = self._worded(rng, retell(rng, old, self.habit))
        reports["source_record_id"] = numbered("UNPOL-SSD-HIST-", reports.index + 1, 5)
        return reports

    def deliveries(self, world: World) -> list[DemoDelivery]:
        """One file, a few of whose rows are wrong."""
        rng = world.rng(f"{self.feed} history deliveries")
        draft = self.draft(self.compose(world))
        draft = self.spoil(draft, self.defects(), rng, is_each_present=False)
        return [self.delivery(draft, HISTORY_FILE, HISTORY_RECEIVED)]
