"""The immigration service of South Sudan: a workbook of arrivals and departures.

Not here: who crossed (`border_travellers.py`).
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

from pipelines.demo.border import BorderFeed, labels
from pipelines.demo.border_crossing_defects import crossing_defects
from pipelines.demo.border_travellers import crossings
from pipelines.demo.delivery import Defect
from pipelines.demo.files import workbook, write_table
from pipelines.demo.incidents import Written
from pipelines.demo.world import World
from pipelines.landing.readers.workbook import SHEET_STEP

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

ROWS_AT_SCALE_1 = 3500
SHEET, HEADER_ROW = "sheet", 4  # 1-based
SHEETS = {"entry": "Arrivals", "exit": "Departures", "transit": "Transit"}


class SsdBorderCrossings(BorderFeed):
    """Three title rows, days first, military hours at some posts, positions as angles."""

    feed = "ssd_immigration_border_crossings"
    country = "SSD"
    day_format = "%d/%m/%Y"
    can_lose_post = False  # the post is part of the record's number
    unreadable_moments: ClassVar[list[str]] = ["31/02/2026", "yesterday", "Monday"]
    file_names = (
        "Movement register May-October 2026.xlsx",
        "Movement register amendments November 2026.xlsx",
    )
    withdrawn_words = ("Valid", "Void")
    columns: ClassVar[dict[str, str]] = {
        "border_point_code": "Port of entry",
        "admin1_code": "State",
        "occurred_at_precision": "Time is",
        "crossing_mode": "Mode",
        "traveller_kind": "Travelling as",
        "group_size": "No. of persons",
        "sex": "Sex",
        "age_years": "Age",
        "age_group": "Age group",
        "nationality": "Nationality",
        "origin_country": "Coming from",
        "destination_country": "Going to",
        "travel_reason": "Purpose of travel",
        "document_type": "Travel document",
        "document_issuer": "Issued by",
        "document_number": "Document no.",
        "document_expires_on": "Valid until",
        "vehicle_kind": "Vehicle",
        "vehicle_plate": "Registration no.",
        "source_revision": "Entry version",
    }

    @cached_property
    def words(self) -> dict[str, Any]:
        """The labels of the lists in English, and the register's short forms."""
        lists = {"nationality": "document_issuers", "document_issuer": "document_issuers"}
        lists |= {"origin_country": "countries", "destination_country": "countries"}
        lists |= {"travel_reason": "travel_reasons", "document_type": "document_types"}
        lists |= {"vehicle_kind": "vehicle_kinds", "crossing_mode": "crossing_modes"}
        lists |= {"traveller_kind": "traveller_kinds", "admin1_code": "admin_areas"}
        lists |= {"age_group": "age_groups"}
        words = {column: labels(name, "en") for column, name in lists.items()}
        words["border_point_code"] = {
            code: (code.rpartition("-")[2].title(),) for code in labels("border_points", "en")
        }
        words["border_point_code"] |= {
            "SSD-UGA-NIMULE": ("Nimule OSBP", "Nimule"),
            "SSD-UGA-OWINYKIBUL": ("Owiny Ki Bul",),
            "SSD-AIR-JUBA": ("Juba International Airport",),
            "SSD-SDN-JODA": ("Renk–Joda",),
        }
        words["direction"] = {code: (sheet,) for code, sheet in SHEETS.items()}
        words["sex"] = {"male": ("M", "Male"), "female": ("F", "Female")}
        words["crossing_mode"] |= {"motorcycle": ("Boda boda", "Motorcycle")}
        words["document_type"] |= {"identity_card": ("National ID", "ID card")}
        words["occurred_at_precision"] = {"minute": ("exact",), "hour": ("about",)}
        return words

    def compose(self, world: World) -> pd.DataFrame:
        """Crossings sheet by sheet, in one series of numbers; some hours are known roughly only."""
        rng = world.rng(f"{self.feed} habits")
        records = crossings(world, "SSD", world.count(ROWS_AT_SCALE_1), self.feed)
        order = (records.index + 1).to_series(index=records.index)
        records["number"] = order.astype(str).str.zfill(5) + "/26"
        records["post"] = records["border_point_code"].map(
            {code: words[0] for code, words in self.words["border_point_code"].items()}
        )
        records["source_record_id"] = records["post"] + "-" + records["number"]
        is_rough = rng.random(len(records)) < 0.15
        records["occurred_at_precision"] = "minute"
        records.loc[is_rough, "occurred_at_precision"] = "hour"
        rank = records["direction"].map({code: at for at, code in enumerate(SHEETS)})
        return records.assign(_rank=rank).sort_values("_rank", kind="stable").drop(columns="_rank")

    def own_cells(self, records: pd.DataFrame) -> dict[str, Any]:
        """The sheet, number, times and position; placeholders where the register holds names."""
        return {
            SHEET: records["direction"].map(SHEETS),
            "Port of entry": records["post"],
            "S/No": records["number"],
            **self.time_cells("occurred", records["occurred_local"], records),
            **self.time_cells("reported", records["reported_local"], records),
            **self.position_cells(records["latitude_deg"], records["longitude_deg"]),
            "Full name": "TRAVELLER " + (records.index + 1).astype(str).str.zfill(4),
            "Officer": "OFFICER " + (records.index % 29 + 1).astype(str).str.zfill(2),
            "Remarks": None,
        }

    def time_columns(self, what: str) -> list[str]:
        """The cells of a time, the one with the date first."""
        return ["Date", "Time"] if what == "occurred" else ["Entered on"]

    def time_cells(self, what: str, local: pd.Series, records: pd.DataFrame) -> dict[str, Any]:
        """Text in two cells for the crossing; a real Excel date for the entry in the register."""
        if what == "reported":
            return {"Entered on": local.astype(object).where(local.notna(), None)}
        is_military = records["border_point_code"].isin(["SSD-UGA-NIMULE", "SSD-UGA-KAYA"])
        hour = local.dt.strftime("%H:%M").mask(is_military, local.dt.strftime("%H%M hrs"))
        return {"Date": local.dt.strftime("%d/%m/%Y"), "Time": hour}

    def position_cells(self, latitude_deg: pd.Series, longitude_deg: pd.Series) -> dict[str, Any]:
        """Degrees, minutes and seconds in one cell."""
        north, east = _angle(latitude_deg, "N", "S"), _angle(longitude_deg, "E", "W")
        return {"GPS of post": (north + " " + east).where(latitude_deg.notna(), None)}

    def defects(self) -> list[Defect]:
        """Those of any crossing."""
        return crossing_defects(self)

    def correct(self, rng: np.random.Generator, records: pd.DataFrame) -> pd.DataFrame:
        """The purpose was written wrong: it was trade, which fits either direction."""
        del rng
        return records.assign(travel_reason="trade")

    def write(self, cells: pd.DataFrame) -> Written:
        """One sheet a direction; two title rows, an empty one, the header; a total below."""
        import numpy as np

        source_rows = np.zeros(len(cells), dtype=int)

        def fill(book: Any) -> None:
            for at, title in enumerate(cells[SHEET].unique()):
                here = (cells[SHEET] == title).to_numpy()
                rows = cells[here].drop(columns=SHEET)
                sheet = book.add_worksheet(title)
                sheet.write_string(0, 0, "REPUBLIC OF SOUTH SUDAN – Immigration")
                sheet.write_string(1, 0, f"{title}, illustrative example")
                sheet.write_row(HEADER_ROW - 1, 0, list(rows.columns))
                write_table(sheet, HEADER_ROW, rows)
                sheet.write_row(HEADER_ROW + len(rows), 1, ["Total", str(len(rows))])
                source_rows[here] = at * SHEET_STEP + HEADER_ROW + 1 + np.arange(len(rows))

        return Written(workbook(fill), source_rows)


def _angle(degrees: pd.Series, positive: str, negative: str) -> pd.Series:
    """Angles as 4°20'15"N, rounded to the second."""
    seconds = (degrees.abs().fillna(0) * 3600).round().astype("int64")
    letter = (degrees >= 0).map({True: positive, False: negative})
    whole, minute = (seconds // 3600).astype(str), (seconds // 60 % 60).astype(str).str.zfill(2)
    return whole + "°" + minute + "'" + (seconds % 60).astype(str).str.zfill(2) + '"' + letter
