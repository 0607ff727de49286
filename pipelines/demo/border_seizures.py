"""What border patrols of the three missions seized: one line of JSON an item, in two languages.

Not here: travellers (`border_travellers.py`). What is seized is in `seized_items.csv`: plausible
weights and prices of our own, not statistics.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

from pipelines.demo.border import BorderFeed, labels
from pipelines.demo.border_json import json_objects
from pipelines.demo.border_seizure_defects import seizure_defects
from pipelines.demo.delivery import Defect
from pipelines.demo.files import first_rows
from pipelines.demo.incidents import Written
from pipelines.demo.world import FIRST_DAY, HERE, LAST_DAY, World, jitter, to_utc

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

ROWS_AT_SCALE_1 = 2400
MISSIONS = {"CAF": "MINUSCA", "COD": "MONUSCO", "SSD": "UNMISS"}
LANGUAGES = {"CAF": "fr", "COD": "fr", "SSD": "en"}
LAST_REPORT = "2026-10-31 23:50"
RADIUS_KM = 2.0
NUMBERS = ("item.number", "item.quantity", "item.value_usd", "people.suspects", "report.version")
SERVICES = ("un_police", "joint", "customs", "gendarmerie", "police", "border_police")
CIRCUMSTANCES = ("patrol", "checkpoint", "border_control", "search_person", "tip_off")
OUTCOMES = ("held_as_evidence", "handed_to_customs", "handed_to_other", "destroyed", "stored")


class BorderSeizures(BorderFeed):
    """Nested objects, times with an offset from UTC; English and French words mixed."""

    feed = "unpol_border_seizures"
    unreadable_moments: ClassVar[list[str]] = ["2026-02-30T10:00:00+01:00", "last night", "10h30"]
    file_names = ("seizures_2026-05_2026-10.ndjson", "seizures_amendments_2026-11.ndjson")
    withdrawn_words = ("Valid", "Withdrawn")
    columns: ClassVar[dict[str, str]] = {
        "country": "report.mission",
        "handling": "report.sensitivity",
        "source_revision": "report.version",
        "admin1_code": "where.admin1",
        "place_text": "where.place",
        "location_precision": "where.precision",
        "border_point_code": "where.post",
        "occurred_at_precision": "when.precision",
        "seizure_kind": "item.kind",
        "item_text": "item.description",
        "quantity": "item.quantity",
        "unit": "item.unit",
        "weapon_kind": "item.weapon.type",
        "serial_number": "item.weapon.serial",
        "manufacture_country": "item.weapon.made_in",
        "cites_appendix": "item.wildlife.cites",
        "hs_code": "item.goods.hs_code",
        "estimated_value_usd": "item.value_usd",
        "vehicle_kind": "item.vehicle",
        "suspects_total": "people.suspects",
        "seized_by": "by.service",
        "circumstance": "by.circumstance",
        "outcome": "outcome",
    }

    @cached_property
    def words(self) -> dict[str, Any]:
        """The labels of the lists in both languages, so that a mission's words vary."""
        lists = {"admin1_code": "admin_areas", "seizure_kind": "seizure_kinds", "unit": "units"}
        lists |= {"weapon_kind": "weapon_kinds", "manufacture_country": "countries"}
        lists |= {"cites_appendix": "cites_appendices", "vehicle_kind": "vehicle_kinds"}
        lists |= {"seized_by": "seizing_authorities", "circumstance": "seizure_circumstances"}
        lists |= {"outcome": "seizure_outcomes", "border_point_code": "border_points"}
        words: dict[str, Any] = {
            column: {
                code: tuple(dict.fromkeys((*english, *labels(name, "fr")[code])))
                for code, english in labels(name, "en").items()
            }
            for column, name in lists.items()
        }
        words["unit"] |= {"kilogram": ("kg",), "gram": ("g",), "piece": ("pcs", "pièces")}
        words["country"] = {code: (mission,) for code, mission in MISSIONS.items()}
        words["handling"] = {"CONFIDENTIAL": ("Confidential", "Confidentiel")}
        words["location_precision"] = {"exact": ("GPS",), "settlement": ("settlement", "localité")}
        words["occurred_at_precision"] = {"minute": ("exact",)}
        return words

    def compose(self, world: World) -> pd.DataFrame:
        """Items by report, in order of seizure; a report has one to three items."""
        import numpy as np
        import pandas as pd

        rng = world.rng(self.feed)
        items = world.count(ROWS_AT_SCALE_1)
        sizes = rng.choice([1, 2, 3], items, p=[0.7, 0.2, 0.1])
        sizes = sizes[: np.searchsorted(sizes.cumsum(), items) + 1]
        reports = self._reports(world, rng, len(sizes))
        rows = reports.loc[reports.index.repeat(sizes)][:items].reset_index(names="report")
        rows = rows.join(_items(rng, len(rows), rows["country"]))
        rows = rows.drop_duplicates(["report", "seizure_kind", "quantity"], ignore_index=True)
        number = pd.Series(rows["report"] + 1).astype(str).str.zfill(5)
        rows["report_number"] = rows["country"].map(MISSIONS) + "-SZ-" + number
        rows["item_number"] = (rows.groupby("report").cumcount() + 1).astype(str)
        rows["source_record_id"] = rows["report_number"] + "#" + rows["item_number"]
        rows["serial_number"] = ("SYN" + pd.Series(np.arange(len(rows))).astype(str)).where(
            rows["has_serial"] == 1, None
        )
        made = np.array(["CHN", "RUS", "SRB", "ROU"], dtype=object)[rng.integers(0, 4, len(rows))]
        rows["manufacture_country"] = pd.Series(made).where(rows["has_serial"] == 1, None)
        return rows.assign(source_revision=1, is_withdrawn=False)

    def _reports(self, world: World, rng: np.random.Generator, count: int) -> pd.DataFrame:
        import numpy as np
        import pandas as pd

        from schemas.codelist import load_codelist

        listed = world.border_points
        country = pd.Series(rng.choice(list(MISSIONS), count, p=[0.4, 0.33, 0.27]))
        chosen = pd.Series(0, index=country.index)
        for code in MISSIONS:
            here = (country == code).to_numpy()
            pool = np.flatnonzero(
                ((listed["country_a"] == code) | (listed["country_b"] == code))
                & (listed["kind"] != "airport")
            )
            chosen[here] = pool[(rng.random(here.sum()) ** 1.5 * len(pool)).astype(int)]
        point = listed.iloc[chosen].reset_index(drop=True)
        is_a = point["country_a"] == country
        rows = pd.DataFrame({"country": country, "border_point_code": point["code"]})
        rows["admin1_code"] = point["admin1_a"].where(is_a, point["admin1_b"]).replace("", None)
        zones = {row["code"]: row["time_zone"] for row in load_codelist("admin_areas")}
        homes = {"CAF": "Africa/Bangui", "COD": "Africa/Kinshasa", "SSD": "Africa/Juba"}
        rows["time_zone"] = rows["admin1_code"].map(zones).fillna(country.map(homes))
        place = rows["border_point_code"].str.slice(8).str.title()
        distance_km = pd.Series(rng.integers(1, 19, count)).astype(str)
        rows["place_text"] = place + ", " + distance_km + " km"
        latitude, longitude = (
            pd.to_numeric(point[c], errors="coerce") for c in ("latitude_deg", "longitude_deg")
        )
        rows["latitude_deg"], rows["longitude_deg"] = jitter(rng, latitude, longitude, RADIUS_KM)
        rows["location_precision"] = np.where(rows["latitude_deg"].notna(), "exact", "settlement")
        return self._told(rng, rows)

    def _told(self, rng: np.random.Generator, rows: pd.DataFrame) -> pd.DataFrame:
        """When it was seized and filed, by whom, how, and what became of it."""
        import pandas as pd

        size = len(rows)
        span_minutes = len(pd.date_range(FIRST_DAY, LAST_DAY)) * 24 * 60
        start = pd.Timestamp(FIRST_DAY)
        minutes = pd.Series(rng.integers(0, span_minutes, size)).sort_values(ignore_index=True)
        local = (start + pd.to_timedelta(minutes, unit="m")).astype("datetime64[us]")
        filed = local + pd.to_timedelta(60 + rng.exponential(900, size).astype(int), unit="m")
        last = pd.Timestamp(LAST_REPORT)
        rows["occurred_local"] = local
        rows["reported_local"] = filed.where(filed <= last, local).astype("datetime64[us]")
        for column in ("occurred", "reported"):
            rows[f"{column}_at"] = to_utc(rows[f"{column}_local"], rows["time_zone"])
        for column, codes in (("seized_by", SERVICES), ("circumstance", CIRCUMSTANCES)):
            rows[column] = rng.choice(codes, size)
        rows["outcome"] = rng.choice(OUTCOMES, size)
        rows["suspects_total"] = rng.poisson(1.1, size)
        rows["occurred_at_precision"], rows["handling"] = "minute", "CONFIDENTIAL"
        return rows

    def own_cells(self, records: pd.DataFrame) -> dict[str, Any]:
        """Numbers, times, position; placeholders where a report holds names."""
        return {
            "report.number": records["report_number"],
            "item.number": records["item_number"],
            **self.time_cells("occurred", records["occurred_local"], records),
            **self.time_cells("reported", records["reported_local"], records),
            **self.position_cells(records["latitude_deg"], records["longitude_deg"]),
            "item.quantity": records["quantity"].map("{:g}".format),
            "item.value_usd": records["estimated_value_usd"].map("{:g}".format),
            "by.patrol_leader": "OFFICER " + (records.index % 41 + 1).astype(str).str.zfill(2),
            "people.names": None,
            "narrative": None,
            "report.language": records["country"].map(LANGUAGES),
        }

    @property
    def column_order(self) -> list[str]:
        """As declared, the fields of one object side by side."""
        declared = super().column_order
        heads = list(dict.fromkeys(name.split(".")[0] for name in declared))
        return sorted(declared, key=lambda name: heads.index(name.split(".")[0]))

    def time_columns(self, what: str) -> list[str]:
        """The field of a time."""
        return ["when.seized"] if what == "occurred" else ["when.filed"]

    def time_cells(self, what: str, local: pd.Series, records: pd.DataFrame) -> dict[str, Any]:
        """ISO 8601 with the offset of the place and date."""
        offset = (local - to_utc(local, records["time_zone"])).dt.total_seconds() // 3600
        sign = "+0" + offset.astype("Int64").astype(str) + ":00"
        return {self.time_columns(what)[0]: local.dt.strftime("%Y-%m-%dT%H:%M:%S") + sign}

    def position_cells(self, latitude_deg: pd.Series, longitude_deg: pd.Series) -> dict[str, Any]:
        """Decimal degrees, as text."""
        named = {"where.lat": latitude_deg, "where.lon": longitude_deg}
        return {
            name: values.map("{:.5f}".format, na_action="ignore") for name, values in named.items()
        }

    def truth(self, records: pd.DataFrame) -> pd.DataFrame:
        """As sent: positions to five decimals."""
        truth = super().truth(records)
        for column in ("latitude_deg", "longitude_deg"):
            truth[column] = truth[column].round(5)
        return truth

    def defects(self) -> list[Defect]:
        """Those of any seizure."""
        return list(seizure_defects(self))

    def correct(self, rng: np.random.Generator, records: pd.DataFrame) -> pd.DataFrame:
        """One more suspect; the goods have been handed over."""
        del rng
        suspects = records["suspects_total"] + 1
        return records.assign(suspects_total=suspects, outcome="handed_to_justice")

    def write(self, cells: pd.DataFrame) -> Written:
        """One object a line."""
        lines = "\n".join(json_objects(cells, NUMBERS)) + "\n"
        return Written(lines.encode(), first_rows(len(cells), 1))


def _items(rng: np.random.Generator, size: int, country: pd.Series) -> pd.DataFrame:
    """What was seized, row by row, described in the mission's language."""
    import numpy as np
    import pandas as pd

    known = pd.read_csv(HERE / "seized_items.csv", dtype={"hs_code": str})
    shares = known["weight"].to_numpy(dtype=float)
    items = known.iloc[rng.choice(len(known), size, p=shares / shares.sum())]
    items = items.reset_index(drop=True).astype({"weapon_kind": object, "vehicle_kind": object})
    low, high = items["lowest"].to_numpy(), items["highest"].to_numpy()
    share = rng.random(size) ** 3  # small seizures are the usual ones
    items["quantity"] = np.round(low + share * (high - low)).astype(float)
    items["estimated_value_usd"] = items["quantity"] * items["value_usd"]
    is_french = country.map(LANGUAGES) == "fr"
    items["item_text"] = items["text_fr"].where(is_french, items["text_en"])
    kept = ["weapon_kind", "vehicle_kind", "cites_appendix", "hs_code"]
    items[kept] = items[kept].astype(object).where(items[kept].notna(), None)
    columns = ["seizure_kind", "item_text", "quantity", "unit", *kept, "estimated_value_usd"]
    return pd.DataFrame(items[[*columns, "has_serial"]])
