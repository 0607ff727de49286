"""The gendarmerie of the Central African Republic: a register exported as semicolon text, cp1252.

Not here: the police of the towns (`caf_police.py`), which takes the other half of the complaints.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, ClassVar

from pipelines.demo.caf_police import is_for_the_police
from pipelines.demo.files import delimited, first_rows
from pipelines.demo.incidents import IncidentFeed, Written
from pipelines.demo.places import describe
from pipelines.demo.telling import Habit, numbered, retell, set_times, without_coincidences
from pipelines.demo.world import World

if TYPE_CHECKING:
    import pandas as pd


class CafGendarmerie(IncidentFeed):
    """Rural units: times rounded to the half hour, places in words, no coordinates."""

    feed = "caf_gendarmerie_incidents"
    country = "CAF"
    columns: ClassVar[dict[str, str]] = {
        "admin1_code": "Unité",
        "place_text": "Lieu des faits",
        "offence_code": "Nature de l'infraction",
        "perpetrator_kind": "Auteur(s) présumé(s)",
        "weapon_kind": "Arme utilisée",
        "victims_total": "Nb victimes",
        "victims_female": "dont femmes",
        "victims_children": "dont mineurs",
        "killed_total": "Tués",
        "injured_total": "Blessés",
        "suspects_total": "Nb auteurs",
        "arrested_total": "Interpellés",
        "incident_status": "Suite donnée",
    }
    id_columns = ("N° PV",)
    day_only = ("reported_at",)
    withdrawn_cell = ("Annulé", "OUI")
    file_names = (
        "GN_registre_infractions_mai-septembre_2026.csv",
        "GN_registre_infractions_octobre_2026.csv",
    )
    received = (dt.datetime(2026, 10, 2, 8, 40), dt.datetime(2026, 11, 3, 9, 5))
    habit = Habit(
        rounding_minutes={5: 0.1, 15: 0.3, 30: 0.4, 60: 0.2},
        share_day_only=0.12,
        share_recounted=0.08,
        median_delay_h=14,
    )

    @property
    def column_order(self) -> list[str]:
        """As the register prints them."""
        return [
            *("N° PV", "Unité", "Date des faits", "Heure", "Lieu des faits"),
            *("Nature de l'infraction", "Auteur(s) présumé(s)", "Arme utilisée"),
            *("Nb victimes", "dont femmes", "dont mineurs", "Tués", "Blessés"),
            *("Nb auteurs", "Interpellés", "Identité de la victime"),
            *("Date du compte rendu", "Suite donnée", "Annulé"),
        ]

    def compose(self, world: World) -> pd.DataFrame:
        """Reports of the rural half of the country's complaints."""
        rng = world.rng(self.feed)
        events = world.events
        heard = events[
            (events["country"] == "CAF") & events["is_told_by_police"] & ~is_for_the_police(world)
        ]
        reports = retell(rng, heard.reset_index(drop=True), self.habit)
        reports["reported_local"] = reports["reported_local"].dt.normalize()
        reports["place_text"] = describe(rng, reports, "fr")
        reports["admin1_code_word"] = "Brigade de " + reports["place"]
        reports = without_coincidences(self.speak(rng, set_times(reports)), "place_text")
        unit = reports["place"].str.upper().str.slice(0, 3)
        order = reports.groupby(unit).cumcount() + 1
        reports["source_record_id"] = numbered("", order) + "/BT-" + unit + "/2026"
        return reports

    def id_cells(self, reports: pd.DataFrame) -> dict[str, Any]:
        """The number of the record of proceedings."""
        return {"N° PV": reports["source_record_id"]}

    def time_cells(self, what: str, local: pd.Series, is_timed: Any) -> dict[str, Any]:
        """Day first; hours with an h; the report by its day."""
        day = local.dt.strftime("%d/%m/%Y")
        if what == "reported":
            return {"Date du compte rendu": day}
        return {"Date des faits": day, "Heure": local.dt.strftime("%Hh%M").where(is_timed, None)}

    def other_cells(self, reports: pd.DataFrame) -> dict[str, Any]:
        """A placeholder where the register holds a name."""
        return {"Identité de la victime": numbered("VICTIME ", reports.index + 1)}

    def write(self, cells: pd.DataFrame) -> Written:
        """Semicolons, cp1252, CRLF."""
        content = delimited(cells, delimiter=";", encoding="cp1252", newline="\r\n")
        return Written(content, first_rows(len(cells), 2))
