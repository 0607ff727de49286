"""The police of the Central African Republic: the *main courante* as a workbook, a sheet a month.

Not here: the gendarmerie (`caf_gendarmerie.py`), which serves the country outside the towns.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, ClassVar

from pipelines.demo.files import workbook, write_table
from pipelines.demo.incidents import IncidentFeed, Written
from pipelines.demo.places import area_names, describe
from pipelines.demo.telling import Habit, numbered, retell, set_times, without_coincidences
from pipelines.demo.world import World

if TYPE_CHECKING:
    import pandas as pd

MONTHS = (
    *("Janvier", "Février", "Mars", "Avril", "Mai", "Juin"),
    *("Juillet", "Août", "Septembre", "Octobre", "Novembre", "Décembre"),
)
TITLE_ROWS, HEADER_ROWS = 3, 2
FIRST_ROW = TITLE_ROWS + HEADER_ROWS + 1
SHEET = "_sheet"


def is_for_the_police(world: World) -> pd.Series:
    """True where a complaint would go to the police, False where it goes to the gendarmerie."""
    import numpy as np

    chance = world.rng("caf police or gendarmerie").random(len(world.events))
    is_rural = (world.events["kind"] == "rural").to_numpy()
    return world.events["event_id"].notna() & (chance < np.where(is_rural, 0.08, 0.72))


class CafPolice(IncidentFeed):
    """Urban stations: merged headings, dates that Excel knows beside dates that it does not."""

    feed = "caf_police_incidents"
    country = "CAF"
    columns: ClassVar[dict[str, str]] = {
        "admin1_code": "Lieu / Préfecture",
        "place_text": "Lieu / Quartier, localité",
        "offence_code": "Nature des faits",
        "perpetrator_kind": "Auteurs / Qualité",
        "weapon_kind": "Auteurs / Arme",
        "victims_total": "Victimes / Total",
        "victims_female": "Victimes / Femmes",
        "victims_male": "Victimes / Hommes",
        "victims_children": "Victimes / Mineurs",
        "killed_total": "Victimes / Décédés",
        "injured_total": "Victimes / Blessés",
        "suspects_total": "Auteurs / Mis en cause",
        "arrested_total": "Auteurs / Interpellés",
        "incident_status": "Suite donnée",
    }
    id_columns = ("Commissariat", "N° d'ordre")
    withdrawn_cell = ("Radié", "X")
    file_names = (
        "Main courante PN 2026 mai-septembre.xlsx",
        "Main courante PN 2026 octobre et rectificatifs.xlsx",
    )
    received = (dt.datetime(2026, 10, 5, 7, 55), dt.datetime(2026, 11, 4, 10, 20))
    has_numbers = True
    habit = Habit(share_day_only=0.05, share_recounted=0.06, median_delay_h=5)

    @property
    def column_order(self) -> list[str]:
        """As printed, upper and lower heading joined; the last one tells the sheet."""
        return [
            *("N° d'ordre", "Commissariat", "Dates / Faits", "Dates / Plainte"),
            *("Lieu / Préfecture", "Lieu / Quartier, localité", "Nature des faits"),
            *("Victimes / Total", "Victimes / Femmes", "Victimes / Hommes", "Victimes / Mineurs"),
            *("Victimes / Décédés", "Victimes / Blessés", "Auteurs / Qualité", "Auteurs / Arme"),
            *("Auteurs / Mis en cause", "Auteurs / Interpellés", "Plaignant", "Suite donnée"),
            *("Radié", SHEET),
        ]

    def compose(self, world: World) -> pd.DataFrame:
        """Reports of the urban half of the country's complaints."""
        rng = world.rng(self.feed)
        events = world.events
        heard = events[
            (events["country"] == "CAF") & events["is_told_by_police"] & is_for_the_police(world)
        ]
        reports = set_times(retell(rng, heard.reset_index(drop=True), self.habit))
        reports["place_text"] = describe(rng, reports, "fr")
        reports["admin1_code_word"] = reports["admin1_code"].map(area_names("fr"))
        reports = without_coincidences(self.speak(rng, reports), "place_text")
        reports["station"] = "Commissariat de " + reports["place"]
        order = reports.groupby("station").cumcount() + 1
        reports["number"] = numbered("", order) + "/2026"
        reports["source_record_id"] = reports["station"] + "/" + reports["number"]
        return reports

    def id_cells(self, reports: pd.DataFrame) -> dict[str, Any]:
        """The station and its running number."""
        return {"Commissariat": reports["station"], "N° d'ordre": reports["number"]}

    def time_cells(self, what: str, local: pd.Series, is_timed: Any) -> dict[str, Any]:
        """On most days a date of Excel's, else text with an h or a colon; no chance in it.

        Midnight is text: a date of Excel's cannot tell it from a day without an hour.
        """
        import numpy as np

        has_time = np.asarray(is_timed) | (what == "reported")
        with_h, with_colon = "%d/%m/%Y %Hh%M", "%d/%m/%Y %H:%M"
        is_even = local.dt.minute % 2 == 0
        text = local.dt.strftime(with_colon).where(is_even, local.dt.strftime(with_h))
        text = text.where(has_time, local.dt.strftime("%d/%m/%Y")).astype(object)
        is_midnight = local == local.dt.normalize()
        is_excel = has_time & ((local.dt.day % 5 < 3) & ~is_midnight).to_numpy()
        column = "Dates / Faits" if what == "occurred" else "Dates / Plainte"
        return {column: text.mask(is_excel, local.astype(object))}

    def other_cells(self, reports: pd.DataFrame) -> dict[str, Any]:
        """A placeholder where the book holds a name; the sheet by the month of the complaint."""
        months = reports["reported_local"].dt.month.map(dict(enumerate(MONTHS, start=1)))
        return {
            "Plaignant": numbered("PLAIGNANT ", reports.index + 1),
            SHEET: months + " " + reports["reported_local"].dt.year.astype(str),
        }

    def write(self, cells: pd.DataFrame) -> Written:
        """Title, two header rows, the rows of a month, a total at the foot of each sheet."""
        import numpy as np

        from pipelines.landing.readers.workbook import SHEET_STEP

        source_rows = np.zeros(len(cells), dtype=int)

        def fill(book: Any) -> None:
            for number, title in enumerate(cells[SHEET].unique()):
                here = (cells[SHEET] == title).to_numpy()
                rows = cells[here].drop(columns=SHEET)
                sheet = book.add_worksheet(title)
                _write_head(book, sheet, title, list(rows.columns))
                write_table(sheet, FIRST_ROW - 1, rows)
                sheet.write_row(FIRST_ROW - 1 + len(rows), 0, ["TOTAL", f"{len(rows)} affaires"])
                source_rows[here] = number * SHEET_STEP + FIRST_ROW + np.arange(len(rows))
            notice = book.add_worksheet("Notice")
            notice.write_column(0, 0, ["Main courante électronique", "Feuille non traitée"])

        return Written(workbook(fill), source_rows)


def _write_head(book: Any, sheet: Any, title: str, headings: list[str]) -> None:
    """Three title rows, then two header rows with cells merged across and down."""
    bold = book.add_format({"bold": True, "align": "center", "valign": "vcenter", "border": 1})
    sheet.write_string(0, 0, "RÉPUBLIQUE CENTRAFRICAINE – Police nationale")
    sheet.write_string(1, 0, f"MAIN COURANTE – {title.upper()} (exemple illustratif)")
    upper_row, lower_row = TITLE_ROWS, TITLE_ROWS + 1
    parts = [heading.partition(" / ") for heading in headings]
    start = 0
    for column, (upper, _, lower) in enumerate(parts):
        if lower:
            sheet.write_string(lower_row, column, lower, bold)
        is_last = column + 1 == len(parts) or parts[column + 1][0] != upper
        if not is_last:
            continue
        if not lower:
            sheet.merge_range(upper_row, column, lower_row, column, upper, bold)
        elif start == column:
            sheet.write_string(upper_row, column, upper, bold)
        else:
            sheet.merge_range(upper_row, start, upper_row, column, upper, bold)
        start = column + 1
