"""MONUSCO's police: a spreadsheet saved as "Unicode text" (UTF-16, tabs), with grid references.

Not here: the Congolese police (`cod_pnc.py`), which tells some of the same events.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, ClassVar

from pipelines.demo.defect_places import has_position, put_position
from pipelines.demo.delivery import Defect, cell
from pipelines.demo.files import delimited, first_rows
from pipelines.demo.grids import to_mgrs
from pipelines.demo.incidents import IncidentFeed, Written
from pipelines.demo.places import area_names, describe
from pipelines.demo.telling import Habit, numbered, set_times, set_until, tell, without_coincidences
from pipelines.demo.world import World

if TYPE_CHECKING:
    import pandas as pd

BYTE_ORDER_MARK = b"\xff\xfe"


class Monusco(IncidentFeed):
    """Reports with a range of deaths, and positions by the military grid to ten metres."""

    feed = "monusco_unpol_incidents"
    country = "COD"
    columns: ClassVar[dict[str, str]] = {
        "source_revision": "Version",
        "admin1_code": "Province",
        "place_text": "Localité",
        "offence_code": "Type d'incident",
        "perpetrator_kind": "Auteur présumé",
        "weapon_kind": "Arme",
        "incident_status": "État",
        "victims_total": "Victimes",
        "victims_female": "Dont femmes",
        "victims_children": "Dont enfants",
        "killed_total": "Tués",
        "killed_low": "Tués min",
        "killed_high": "Tués max",
        "injured_total": "Blessés",
        "suspects_total": "Suspects",
        "arrested_total": "Arrêtés",
    }
    id_columns = ("N° incident",)
    day_only = ("occurred_until",)
    withdrawn_cell = ("Retiré", "oui")
    file_names = ("UNPOL_incidents_mai_sept_2026.txt", "UNPOL_incidents_oct_2026.txt")
    received = (dt.datetime(2026, 10, 2, 6, 15), dt.datetime(2026, 11, 3, 6, 20))
    has_revisions = True
    habit = Habit(
        rounding_minutes={5: 0.2, 15: 0.3, 30: 0.3, 60: 0.2},
        share_day_only=0.15,
        share_positioned=0.9,
        jitter_km=1.0,
        share_recounted=0.22,
        median_delay_h=30,
    )

    @property
    def column_order(self) -> list[str]:
        """As the sheet has them."""
        return [
            *("N° incident", "Version", "Date", "Heure", "Date de fin", "Date du rapport"),
            *("Province", "Localité", "MGRS", "Type d'incident", "Auteur présumé", "Arme"),
            *("Victimes", "Dont femmes", "Dont enfants", "Tués", "Tués min", "Tués max"),
            *("Blessés", "Suspects", "Arrêtés", "État", "Retiré", "Rédacteur"),
        ]

    def compose(self, world: World) -> pd.DataFrame:
        """The mission's reports on the Democratic Republic of the Congo."""
        rng = world.rng(self.feed)
        reports = tell(world, "COD", "mission", self.habit, f"{self.feed} telling")
        set_until(rng, reports, 0.1)
        reports["until_local"] = reports["until_local"].dt.normalize()
        set_times(reports)
        reports["place_text"] = describe(rng, reports, "fr")
        reports["admin1_code_word"] = reports["admin1_code"].map(area_names("fr"))
        doubt = (rng.random(len(reports)) < 0.3) & (reports["killed_total"] > 0)
        reports["killed_low"] = reports["killed_total"] - doubt * rng.integers(0, 2, len(reports))
        reports["killed_high"] = reports["killed_total"] + doubt * rng.integers(0, 3, len(reports))
        reports["source_revision"] = 1
        reports = without_coincidences(self.speak(rng, reports), "place_text", "latitude_deg")
        reports["source_record_id"] = numbered("COD/UNPOL/2026/", reports.index + 1, 5)
        return reports

    def id_cells(self, reports: pd.DataFrame) -> dict[str, Any]:
        """The incident's number."""
        return {"N° incident": reports["source_record_id"]}

    def time_cells(self, what: str, local: pd.Series, is_timed: Any) -> dict[str, Any]:
        """Dates with dots, hours in a column of their own."""
        day = local.dt.strftime("%d.%m.%Y")
        if what == "until":
            return {"Date de fin": day}
        if what == "reported":
            return {"Date du rapport": local.dt.strftime("%d.%m.%Y %H:%M")}
        return {"Date": day, "Heure": local.dt.strftime("%H:%M").where(is_timed, None)}

    def position_cells(self, latitude_deg: Any, longitude_deg: Any) -> dict[str, Any]:
        """A grid reference to one metre, in groups."""
        known = latitude_deg.notna()
        north = latitude_deg.where(known, 0.0).to_numpy()
        east = longitude_deg.where(known, 20.0).to_numpy()
        text = type(latitude_deg)(to_mgrs(north, east), index=known.index)
        split = text.str.slice(0, -10) + " " + text.str.slice(-10, -5) + " " + text.str.slice(-5)
        return {"MGRS": split.astype(object).where(known, None)}

    def other_cells(self, reports: pd.DataFrame) -> dict[str, Any]:
        """A placeholder where the sheet holds a name."""
        return {"Rédacteur": numbered("AGENT ", reports.index % 40 + 1)}

    def own_defects(self) -> list[Defect]:
        """References that are no square of the grid, and the middle of the ocean."""
        return [
            Defect(("INC-204",), cell("MGRS", ["35I AA 1234", "carte 1/200 000"]), has_position),
            Defect(
                ("INC-405",),
                lambda draft, rows: put_position(self, draft, rows, 0.5, 0.5),
                has_position,
                share=0.002,
            ),
        ]

    def write(self, cells: pd.DataFrame) -> Written:
        """Tabs, UTF-16 little endian with its mark, CRLF."""
        text = delimited(cells, delimiter="\t", encoding="utf-16-le", newline="\r\n")
        return Written(BYTE_ORDER_MARK + text, first_rows(len(cells), 2))
