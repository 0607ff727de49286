"""The migration service of the DR Congo: an export of its border system, codes of ICAO 9303.

Not here: who crossed (`border_travellers.py`).
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

from pipelines.demo.border import BorderFeed, labels
from pipelines.demo.border_crossing_defects import crossing_defects
from pipelines.demo.border_defects import old_province
from pipelines.demo.border_travellers import crossings
from pipelines.demo.delivery import Defect
from pipelines.demo.files import delimited, first_rows
from pipelines.demo.incidents import Written
from pipelines.demo.world import World, to_utc

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

ROWS_AT_SCALE_1 = 6000
MRZ = {
    "passport": "P",
    "identity_card": "I",
    "un_laissez_passer": "PL",
    "refugee_travel_document": "PR",
    "laissez_passer": "LP",
    "border_pass": "CEPGL",
    "voter_card": "CE",
    "refugee_card": "UNHCR card",
    "none": "NONE",
}


class CodBorderCrossings(BorderFeed):
    """Commas, UTF-8, ISO dates; one row a traveller, with the birth date and the document."""

    feed = "cod_dgm_border_crossings"
    country = "COD"
    can_lose_post = True
    foreign_post = "CAF-CMR-BELOKO"
    unreadable_moments: ClassVar[list[str]] = ["2026-02-30 10:00:00", "0000-00-00", "12:30"]
    file_names = (
        "dgm_crossings_20260501_20261031.csv",
        "dgm_crossings_amended_20261117.csv",
    )
    withdrawn_words = ("ACTIVE", "DELETED")
    columns: ClassVar[dict[str, str]] = {
        "country": "country",
        "border_point_code": "poe_id",
        "admin1_code": "province",
        "place_text": "poe_name",
        "location_precision": "poe_gps_kind",
        "direction": "direction",
        "crossing_mode": "transport_mode",
        "sex": "sex",
        "birth_date": "dob",
        "nationality": "nationality",
        "origin_country": "country_from",
        "destination_country": "country_to",
        "travel_reason": "travel_reason",
        "document_type": "doc_type",
        "document_issuer": "issuing_state",
        "document_number": "doc_number",
        "document_expires_on": "expiry",
        "vehicle_kind": "vehicle_type",
        "vehicle_plate": "vehicle_plate",
        "handling": "sensitivity",
        "source_revision": "record_version",
    }

    @cached_property
    def words(self) -> dict[str, Any]:
        """Codes of the system, most of them from the feed's own crosswalks."""
        own = {
            column: _inverse(self.declared.crosswalk(name))
            for column, name in (
                ("border_point_code", "border_points"),
                ("location_precision", "location_precisions"),
                ("travel_reason", "travel_reasons"),
            )
        }
        words: dict[str, Any] = {**own}
        words["border_point_code"]["COD-SSD-SAKURE"] = ("COD-SSD-SAKURE",)
        words["admin1_code"] = labels("admin_areas", "fr")
        words["direction"] = {"entry": ("IN",), "exit": ("OUT",), "transit": ("T",)}
        words["sex"] = {"male": ("M",), "female": ("F",)}
        words["document_type"] = {code: (mrz,) for code, mrz in MRZ.items()}
        words["crossing_mode"] = labels("crossing_modes", "en")
        words["vehicle_kind"] = labels("vehicle_kinds", "en")
        return words

    def compose(self, world: World) -> pd.DataFrame:
        """Persons only; points that the system has no code for send by another."""
        records = crossings(world, "COD", world.count(ROWS_AT_SCALE_1), self.feed)
        known = records["border_point_code"].isin(self.words["border_point_code"])
        is_person = records["traveller_kind"] == "person"
        records = records[known & is_person].reset_index(drop=True)
        number = (records.index + 1).astype(str).str.zfill(7).to_series(index=records.index)
        records["source_record_id"] = "DGM26" + number
        records["place_text"] = records["border_point_code"].str.slice(8).str.title()
        records["location_precision"] = "settlement"
        has_gps = records["latitude_deg"].notna()
        records.loc[has_gps, "location_precision"] = "exact"
        records["handling"] = "CONFIDENTIAL"
        records["occurred_at_precision"] = "minute"
        driven = records["crossing_mode"].isin(["car", "truck", "motorcycle", "bus"])
        records["vehicle_kind"] = records["crossing_mode"].where(driven, None)
        records["vehicle_plate"] = ("ZZ" + number + "AA").where(driven, None)
        return records.drop(columns=["age_group", "group_size"])

    def own_cells(self, records: pd.DataFrame) -> dict[str, Any]:
        """The number, times and position; placeholders for what the feed ignores."""
        order = (records.index + 1).astype(str).str.zfill(4)
        return {
            "crossing_id": records["source_record_id"],
            **self.time_cells("occurred", records["occurred_local"], records),
            **self.time_cells("reported", records["reported_local"], records),
            **self.position_cells(records["latitude_deg"], records["longitude_deg"]),
            "surname": "VOYAGEUR " + order,
            "given_names": "SYNTHETIQUE",
            "officer": "AGENT " + (records.index % 53 + 1).astype(str).str.zfill(2),
            "mrz_line": None,
            "photo_ref": None,
            "fingerprint_ref": None,
            "alert_hit": "0",
            "visa_no": None,
            "address_in_country": None,
            "workstation": "WS-" + (records.index % 5 + 1).astype(str),
        }

    def time_columns(self, what: str) -> list[str]:
        """The cell of a time."""
        return ["crossing_at"] if what == "occurred" else ["synced_at"]

    def time_cells(self, what: str, local: pd.Series, records: pd.DataFrame) -> dict[str, Any]:
        """Crossings by the clock of the post; uploads in UTC."""
        if what == "occurred":
            return {"crossing_at": local.dt.strftime("%Y-%m-%d %H:%M:%S")}
        utc = to_utc(local, records["time_zone"])
        return {"synced_at": utc.dt.strftime("%Y-%m-%dT%H:%M:%SZ")}

    def position_cells(self, latitude_deg: pd.Series, longitude_deg: pd.Series) -> dict[str, Any]:
        """Decimal degrees."""
        named = {"poe_lat": latitude_deg, "poe_lon": longitude_deg}
        return {
            name: values.map("{:.5f}".format, na_action="ignore") for name, values in named.items()
        }

    def defects(self) -> list[Defect]:
        """Those of any crossing, and provinces that ceased to exist in 2015."""
        return [old_province(self, "BXC"), *crossing_defects(self)]

    def correct(self, rng: np.random.Generator, records: pd.DataFrame) -> pd.DataFrame:
        """The reason was keyed wrong: it was a family visit, which fits either direction."""
        del rng
        return records.assign(travel_reason="family")

    def write(self, cells: pd.DataFrame) -> Written:
        """Commas, UTF-8, LF."""
        return Written(delimited(cells), first_rows(len(cells), 2))


def _inverse(crosswalk: list[dict[str, str]]) -> dict[str, tuple[str, ...]]:
    """A crosswalk the other way round: code → the words of the source."""
    words: dict[str, tuple[str, ...]] = {}
    for row in crosswalk:
        words[row["code"]] = (*words.get(row["code"], ()), row["source_value"])
    return words
