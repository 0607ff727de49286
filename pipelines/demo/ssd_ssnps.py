"""The South Sudan National Police Service: the occurrence book as a workbook, in English.

Not here: what UNMISS tells of the same events (`unmiss.py`).
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, ClassVar

from pipelines.demo.defect_places import has_position, put_position
from pipelines.demo.delivery import Defect, cell
from pipelines.demo.files import workbook, write_table
from pipelines.demo.grids import to_dms
from pipelines.demo.incidents import IncidentFeed, Written
from pipelines.demo.places import area_names, describe
from pipelines.demo.telling import Habit, numbered, tell, without_coincidences
from pipelines.demo.world import World

if TYPE_CHECKING:
    import pandas as pd

TITLE_ROWS = 1
FIRST_ROW = TITLE_ROWS + 2


class SsdSsnps(IncidentFeed):
    """Dates and times in columns of their own, positions in degrees, minutes and seconds."""

    feed = "ssd_ssnps_incidents"
    country = "SSD"
    columns: ClassVar[dict[str, str]] = {
        "admin1_code": "State",
        "place_text": "Place of occurrence",
        "offence_code": "Offence",
        "perpetrator_kind": "Accused (category)",
        "weapon_kind": "Weapon used",
        "victims_total": "Victims",
        "victims_female": "Female",
        "victims_male": "Male",
        "victims_children": "Children",
        "killed_total": "Killed",
        "injured_total": "Injured",
        "suspects_total": "No. accused",
        "arrested_total": "No. arrested",
        "incident_status": "Case status",
    }
    id_columns = ("Station", "OB No")
    withdrawn_cell = ("Cancelled", "YES")
    file_names = ("OB returns May-Sept 2026.xlsx", "OB returns Oct 2026.xlsx")
    received = (dt.datetime(2026, 10, 6, 9, 30), dt.datetime(2026, 11, 5, 12, 0))
    has_numbers = True
    habit = Habit(
        rounding_minutes={1: 0.1, 5: 0.3, 15: 0.2, 30: 0.3, 60: 0.1},
        share_day_only=0.1,
        share_positioned=0.35,
        jitter_km=1.5,
        share_recounted=0.08,
        median_delay_h=11,
    )

    @property
    def column_order(self) -> list[str]:
        """As the returns have them."""
        return [
            *("OB No", "Station", "State", "Place of occurrence", "Latitude", "Longitude"),
            *("Date of occurrence", "Time", "Date reported", "Time reported", "Offence"),
            *("Complainant", "Victims", "Female", "Male", "Children", "Killed", "Injured"),
            *("Accused (category)", "Weapon used", "No. accused", "No. arrested"),
            *("Case status", "Cancelled", "Remarks"),
        ]

    def compose(self, world: World) -> pd.DataFrame:
        """Reports of the police of South Sudan."""
        rng = world.rng(self.feed)
        reports = tell(world, "SSD", "police", self.habit, f"{self.feed} telling")
        reports["place_text"] = describe(rng, reports, "en")
        reports["admin1_code_word"] = reports["admin1_code"].map(area_names("en"))
        reports = without_coincidences(self.speak(rng, reports), "place_text")
        reports["station"] = reports["place"] + " Police Station"
        order = reports.groupby("station").cumcount() + 1
        reports["number"] = "OB " + numbered("", order, 3) + "/2026"
        reports["source_record_id"] = reports["station"] + " " + reports["number"]
        return reports

    def id_cells(self, reports: pd.DataFrame) -> dict[str, Any]:
        """The station and its running number."""
        return {"Station": reports["station"], "OB No": reports["number"]}

    def time_cells(self, what: str, local: pd.Series, is_timed: Any) -> dict[str, Any]:
        """Dates as 03-Jul-2026, times as 21:15."""
        day, time = local.dt.strftime("%d-%b-%Y"), local.dt.strftime("%H:%M")
        if what == "reported":
            return {"Date reported": day, "Time reported": time}
        return {"Date of occurrence": day, "Time": time.where(is_timed, None)}

    def position_cells(self, latitude_deg: Any, longitude_deg: Any) -> dict[str, Any]:
        """Degrees, minutes, seconds and a letter."""
        known = latitude_deg.notna()
        north = latitude_deg.where(known, 0.0).to_numpy()
        east = longitude_deg.where(known, 0.0).to_numpy()
        series = type(latitude_deg)
        cells = {"Latitude": to_dms(north, "N", "S"), "Longitude": to_dms(east, "E", "W")}
        return {
            column: series(text, index=known.index, dtype=object).where(known, None)
            for column, text in cells.items()
        }

    def other_cells(self, reports: pd.DataFrame) -> dict[str, Any]:
        """Placeholders where the book holds a name or remarks."""
        return {
            "Complainant": numbered("COMPLAINANT ", reports.index + 1),
            "Remarks": "brief facts in the book",
        }

    def own_defects(self) -> list[Defect]:
        """Positions that cannot be read or lie where no police station is."""
        return [
            Defect(
                ("INC-204",), cell("Latitude", ["04°71'12.0\"N", "see sketch map"]), has_position
            ),
            Defect(
                ("INC-404",),
                lambda draft, rows: put_position(self, draft, rows, 0.0, 0.0),
                has_position,
            ),
        ]

    def write(self, cells: pd.DataFrame) -> Written:
        """One sheet with a title row above the header."""

        def fill(book: Any) -> None:
            sheet = book.add_worksheet("OB 2026")
            sheet.write_string(
                0, 0, "SOUTH SUDAN NATIONAL POLICE SERVICE – OB returns (illustrative)"
            )
            sheet.write_row(TITLE_ROWS, 0, list(cells.columns), book.add_format({"bold": True}))
            write_table(sheet, FIRST_ROW - 1, cells)

        return Written(workbook(fill), list(range(FIRST_ROW, FIRST_ROW + len(cells))))
