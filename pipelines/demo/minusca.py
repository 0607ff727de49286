"""MINUSCA's police: an event database's nested JSON export, in French and English at once.

Not here: the national police and gendarmerie, which tell some of the same events.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, ClassVar

from pipelines.demo.defect_places import decimal_position_defects, has_position, put_position
from pipelines.demo.delivery import Defect, Draft, Spoil, cell
from pipelines.demo.files import nested_json
from pipelines.demo.incidents import IncidentFeed, Written
from pipelines.demo.places import area_names, describe
from pipelines.demo.telling import Habit, numbered, set_until, tell, without_coincidences
from pipelines.demo.world import World

if TYPE_CHECKING:
    import pandas as pd

_COUNTRY_NAMES = ("RCA", "CAF", "Central African Republic", "République centrafricaine")
_COMPONENTS = ("UNPOL MINUSCA", "MINUSCA police component", "Composante police MINUSCA")
_HEAD = (
    '{"export": {"system": "illustrative", "mission": "MINUSCA", "language": "fr/en"},\n'
    ' "data": {"events": ['
)


class Minusca(IncidentFeed):
    """Events with a version, a classification, and both a type and a place in two languages."""

    feed = "minusca_unpol_incidents"
    country = "CAF"
    columns: ClassVar[dict[str, str]] = {
        "source_revision": "version",
        "admin1_code": "location.prefecture",
        "place_text": "location.place",
        "location_precision": "location.accuracy",
        "occurred_at_precision": "occurrence.precision",
        "offence_code": "incident.type",
        "perpetrator_kind": "incident.alleged_perpetrator",
        "weapon_kind": "incident.weapon",
        "incident_status": "incident.status",
        "victims_total": "victims.total",
        "victims_female": "victims.female",
        "victims_male": "victims.male",
        "victims_children": "victims.children",
        "killed_total": "victims.killed",
        "injured_total": "victims.injured",
        "suspects_total": "suspects.total",
        "arrested_total": "suspects.arrested",
        "handling": "classification",
    }
    id_columns = ("id",)
    withdrawn_cell = ("retracted", "true")
    file_names = ("unpol_events_20260501_20260930.json", "unpol_events_20261001_20261031.json")
    received = (dt.datetime(2026, 10, 1, 17, 30), dt.datetime(2026, 11, 2, 17, 35))
    has_revisions = True
    habit = Habit(
        rounding_minutes={1: 0.1, 5: 0.2, 15: 0.2, 30: 0.3, 60: 0.2},
        share_day_only=0.1,
        share_positioned=0.85,
        jitter_km=0.8,
        share_recounted=0.2,
        median_delay_h=26,
    )

    @property
    def column_order(self) -> list[str]:
        """The leaves of an event, in the order of the export."""
        return [
            *("id", "version", "component", "occurrence.start", "occurrence.end"),
            *("occurrence.precision", "reported", "location.country", "location.prefecture"),
            *("location.place", "location.latitude", "location.longitude", "location.accuracy"),
            *("incident.type", "incident.alleged_perpetrator", "incident.weapon"),
            *("incident.status", "victims.total", "victims.female", "victims.male"),
            *("victims.children", "victims.killed", "victims.injured", "suspects.total"),
            *("suspects.arrested", "classification", "retracted", "narrative", "officer"),
        ]

    def compose(self, world: World) -> pd.DataFrame:
        """The mission's reports on the Central African Republic."""
        rng = world.rng(self.feed)
        reports = tell(world, "CAF", "mission", self.habit, f"{self.feed} telling")
        places = ["latitude_deg", "longitude_deg"]
        reports[places] = reports[places].round(6)
        set_until(rng, reports, 0.12)
        reports["place_text"] = describe(rng, reports, "fr")
        reports["admin1_code_word"] = reports["admin1_code"].map(area_names("fr"))
        reports["country_word"] = rng.choice(_COUNTRY_NAMES, len(reports))
        reports["component"] = rng.choice(_COMPONENTS, len(reports))
        reports["source"] = "minusca_unpol"
        reports["source_revision"] = 1
        _say_precisely(reports)
        reports = without_coincidences(self.speak(rng, reports), "place_text", "latitude_deg")
        reports["source_record_id"] = numbered("CAF-2026-", reports.index + 1, 6)
        return reports

    def id_cells(self, reports: pd.DataFrame) -> dict[str, Any]:
        """The event's number in the mission's database."""
        return {"id": reports["source_record_id"]}

    def time_cells(self, what: str, local: pd.Series, is_timed: Any) -> dict[str, Any]:
        """Local time as ISO 8601 without an offset; the date alone where the hour is unknown."""
        text = local.dt.strftime("%Y-%m-%dT%H:%M")
        if what == "reported":
            return {"reported": text}
        column = "occurrence.start" if what == "occurred" else "occurrence.end"
        return {column: text.where(is_timed, local.dt.strftime("%Y-%m-%d"))}

    def position_cells(self, latitude_deg: Any, longitude_deg: Any) -> dict[str, Any]:
        """Decimal degrees."""
        return {
            "location.latitude": _degrees(latitude_deg),
            "location.longitude": _degrees(longitude_deg),
        }

    def other_cells(self, reports: pd.DataFrame) -> dict[str, Any]:
        """Country and component, and placeholders where the database holds names and a story."""
        return {
            "component": reports["component"],
            "location.country": reports["country_word"],
            "narrative": "[not exported]",
            "officer": numbered("OFFICER ", reports.index % 60 + 1),
        }

    def own_defects(self) -> list[Defect]:
        """Who reports and about which country; an unknown country leaves its area unknown too."""
        country = "location.country"
        return [
            *decimal_position_defects(self, "location.latitude", "location.longitude"),
            Defect(("INC-102", "INC-303"), cell(country, None), _is_nowhere),
            Defect(("INC-302", "INC-303"), cell(country, ["Zone 51", "R.C."]), _is_nowhere),
            Defect(("INC-303", "INC-401"), cell(country, ["Tchad", "Chad"]), _is_nowhere),
            Defect(("INC-301",), cell("component", ["JMAC", "Section 4"])),
            Defect(("INC-520",), _without_position(self), has_position),
        ]

    def write(self, cells: pd.DataFrame) -> Written:
        """One event a line inside a document; an event's number is its ordinal."""
        text = cells.map(str, na_action="ignore")
        return Written(nested_json(text, _HEAD, "]}}"), list(range(1, len(cells) + 1)))


def _is_nowhere(draft: Draft) -> pd.Series:
    return draft.truth["latitude_deg"].isna()


def _without_position(feed: IncidentFeed) -> Spoil:
    """Rows that claim a position by GPS and give none."""

    def change(draft: Draft, rows: Any) -> None:
        put_position(feed, draft, rows, float("nan"), float("nan"))

    return change


def _degrees(degrees: pd.Series) -> pd.Series:
    import numpy as np

    text = type(degrees)(np.char.mod("%.6f", degrees.to_numpy()), index=degrees.index)
    return text.astype(object).where(degrees.notna(), None)


def _say_precisely(reports: pd.DataFrame) -> None:
    """How exactly place and time are known, and the marking, in code and word."""
    import numpy as np

    has_position = reports["latitude_deg"].notna()
    reports["location_precision"] = np.where(has_position, "exact", "settlement")
    reports["location_precision_word"] = np.where(has_position, "GPS", "localité")
    on_the_hour = reports["occurred_local"].dt.minute == 0
    precision = np.where(on_the_hour, "hour", "minute")
    reports["occurred_at_precision"] = np.where(reports["is_timed"], precision, "day")
    words = {"minute": "exact", "hour": "heure", "day": "jour"}
    reports["occurred_at_precision_word"] = reports["occurred_at_precision"].map(words)
    is_grave = reports["offence_code"].str.startswith("03") | (reports["victims_children"] > 0)
    reports["handling"] = np.where(is_grave, "STRICTLY_CONFIDENTIAL", "CONFIDENTIAL")
    reports["handling_word"] = reports["handling"].str.replace("_", " ")
