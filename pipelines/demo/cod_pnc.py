"""The Congolese National Police: a database export with decimal commas, over two time zones.

Not here: what MONUSCO tells of the same events (`monusco.py`).
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, ClassVar

from pipelines.demo.defect_places import decimal_position_defects
from pipelines.demo.delivery import Defect
from pipelines.demo.files import delimited, first_rows
from pipelines.demo.incidents import IncidentFeed, Written
from pipelines.demo.places import area_names, describe
from pipelines.demo.telling import Habit, numbered, tell, without_coincidences
from pipelines.demo.world import World

if TYPE_CHECKING:
    import pandas as pd


class CodPnc(IncidentFeed):
    """Stations of every province; a third of the records has a position."""

    feed = "cod_pnc_incidents"
    country = "COD"
    columns: ClassVar[dict[str, str]] = {
        "admin1_code": "Province",
        "offence_code": "Qualification",
        "perpetrator_kind": "Auteurs",
        "weapon_kind": "Arme",
        "victims_total": "Victimes",
        "victims_female": "Victimes_F",
        "victims_male": "Victimes_M",
        "victims_children": "Victimes_mineures",
        "killed_total": "Deces",
        "injured_total": "Blesses",
        "suspects_total": "Suspects",
        "arrested_total": "Arretes",
        "incident_status": "Etat_dossier",
        "source_revision": "Rectificatif",
    }
    id_columns = ("No_PV",)
    withdrawn_cell = ("Annule", "1")
    file_names = ("export_PNC_2026-05_2026-09.csv", "export_PNC_2026-10.csv")
    received = (dt.datetime(2026, 10, 3, 13, 10), dt.datetime(2026, 11, 2, 14, 45))
    has_revisions = True
    habit = Habit(
        share_day_only=0.08,
        share_positioned=0.4,
        jitter_km=1.2,
        share_recounted=0.07,
        median_delay_h=9,
    )

    @property
    def column_order(self) -> list[str]:
        """As the export has them."""
        return [
            *("No_PV", "Rectificatif", "Commissariat", "Province", "Territoire_ville", "Localite"),
            *("Latitude", "Longitude", "Date_faits", "Heure_faits", "Date_PV", "Qualification"),
            *("Auteurs", "Arme", "Victimes", "Victimes_F", "Victimes_M", "Victimes_mineures"),
            *("Deces", "Blesses", "Suspects", "Arretes", "Identite_plaignant", "Etat_dossier"),
            "Annule",
        ]

    def compose(self, world: World) -> pd.DataFrame:
        """Reports of the police of the Democratic Republic of the Congo."""
        rng = world.rng(self.feed)
        reports = tell(world, "COD", "police", self.habit, f"{self.feed} telling")
        reports[["latitude_deg", "longitude_deg"]] = reports[
            ["latitude_deg", "longitude_deg"]
        ].round(5)
        reports["locality"] = describe(rng, reports, "fr")
        reports["place_text"] = reports["locality"] + ", " + reports["place"]
        reports["admin1_code_word"] = reports["admin1_code"].map(area_names("fr"))
        reports = without_coincidences(self.speak(rng, reports), "place_text")
        order = reports.groupby("admin1_code").cumcount() + 1
        reports["source_record_id"] = (
            "PNC/" + reports["admin1_code"] + "/2026/" + numbered("", order, 5)
        )
        reports["source_revision"] = 0
        return reports

    def id_cells(self, reports: pd.DataFrame) -> dict[str, Any]:
        """The number of the record of proceedings."""
        return {"No_PV": reports["source_record_id"]}

    def time_cells(self, what: str, local: pd.Series, is_timed: Any) -> dict[str, Any]:
        """Day first with hyphens; the hour in a column of its own."""
        day = local.dt.strftime("%d-%m-%Y")
        if what == "reported":
            return {"Date_PV": local.dt.strftime("%d-%m-%Y %H:%M")}
        return {"Date_faits": day, "Heure_faits": local.dt.strftime("%H:%M").where(is_timed, None)}

    def position_cells(self, latitude_deg: Any, longitude_deg: Any) -> dict[str, Any]:
        """Decimal degrees with a comma."""
        return {"Latitude": with_comma(latitude_deg), "Longitude": with_comma(longitude_deg)}

    def other_cells(self, reports: pd.DataFrame) -> dict[str, Any]:
        """Station, territory and place; a placeholder where the export holds a name."""
        return {
            "Commissariat": "Ciat " + reports["place"],
            "Territoire_ville": reports["place"],
            "Localite": reports["locality"],
            "Identite_plaignant": numbered("PLAIGNANT ", reports.index + 1),
        }

    def own_defects(self) -> list[Defect]:
        """Positions that cannot be read, are off the globe, or are half there."""
        return decimal_position_defects(self, "Latitude", "Longitude")

    def write(self, cells: pd.DataFrame) -> Written:
        """Semicolons, UTF-8 with a byte order mark."""
        content = delimited(cells, delimiter=";", encoding="utf-8-sig", newline="\r\n")
        return Written(content, first_rows(len(cells), 2))


def with_comma(degrees: pd.Series) -> pd.Series:
    """Degrees such as `-4,32145`; None where there is no position."""
    import numpy as np

    text = type(degrees)(np.char.mod("%.5f", degrees.to_numpy()), index=degrees.index)
    return text.str.replace(".", ",").astype(object).where(degrees.notna(), None)
