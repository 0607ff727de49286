"""IOM's counts at flow monitoring points: JSON as its API sends it, with and without breakdowns.

Not here: single travellers (`border_travellers.py`).

Large points send a day in five rows (two sexes, two ages, the total); small ones send the total
alone. Mistakes of a single row are made in the small ones, so that no other row's sum changes.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

from pipelines.demo.border import BorderFeed, labels
from pipelines.demo.border_flow_defects import flow_defects
from pipelines.demo.border_json import json_objects
from pipelines.demo.delivery import Defect
from pipelines.demo.files import first_rows
from pipelines.demo.incidents import Written
from pipelines.demo.world import FIRST_DAY, LAST_DAY, World, to_utc

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

DAYS_AT_SCALE_1 = 2400  # point-days, of which LARGE_SHARE come in five rows
LARGE_SHARE = 0.25
LAST_PUBLISHED = "2026-11-02 08:00"
BREAKDOWN = (
    ("male", "total"),
    ("female", "total"),
    ("total", "under_18"),
    ("total", "adult"),
    ("total", "total"),
)
NUMBERS = ("numTravellers", "hoursObserved", "daysObserved", "revision", "latitude", "longitude")


class BorderFlows(BorderFeed):
    """The API's envelope around an array of counts."""

    feed = "iom_dtm_border_flows"
    day_format = "%Y-%m-%dT00:00:00"
    unreadable_moments: ClassVar[list[str]] = ["2026-02-30T00:00:00", "May 2026", "n/k"]
    file_names = ("dtm_flows_2026-05_2026-10.json", "dtm_flows_revisions_2026-11.json")
    withdrawn_words = ("Active", "Retracted")
    columns: ClassVar[dict[str, str]] = {
        "country": "admin0Pcode",
        "admin1_code": "admin1Name",
        "place_text": "fmpName",
        "border_point_code": "fmpCode",
        "period_start": "periodStart",
        "period_end": "periodEnd",
        "occurred_at_precision": "datePrecision",
        "location_precision": "locationPrecision",
        "direction": "flowDirection",
        "sex": "sex",
        "age_group": "ageGroup",
        "nationality": "nationality",
        "origin_country": "originCountry",
        "destination_country": "destinationCountry",
        "crossing_mode": "transportMode",
        "travel_reason": "travelReason",
        "travellers_count": "numTravellers",
        "observed_h": "hoursObserved",
        "observed_days": "daysObserved",
        "handling": "dataSharing",
        "source_revision": "revision",
    }

    @cached_property
    def words(self) -> dict[str, Any]:
        """English labels; the codes of the points are the feed's own."""
        lists = {"admin1_code": "admin_areas", "crossing_mode": "crossing_modes"}
        lists |= {"travel_reason": "travel_reasons", "origin_country": "countries"}
        lists |= {"destination_country": "countries", "age_group": "age_groups"}
        words = {column: labels(name, "en") for column, name in lists.items()}
        words["border_point_code"] = {
            row["code"]: (row["source_value"],) for row in self.declared.crosswalk("border_points")
        }
        words["direction"] = {"entry": ("Inflow",), "exit": ("Outflow",)}
        words["sex"] = {"male": ("Male",), "female": ("Female",), "total": ("Total",)}
        words["age_group"] |= {"total": ("Total",), "under_18": ("0-17",), "adult": ("18+",)}
        words["location_precision"] = {"exact": ("GPS",), "settlement": ("Settlement",)}
        words["occurred_at_precision"] = {"day": ("Day",)}
        words["handling"] = {"UNCLASSIFIED": ("Public",), "CONFIDENTIAL": ("Partners only",)}
        return words

    def compose(self, world: World) -> pd.DataFrame:
        """Counts by point and day, in the order of the days."""
        import numpy as np
        import pandas as pd

        rng = world.rng(self.feed)
        cells = self._point_days(world, rng)
        is_large = rng.random(len(cells)) < LARGE_SHARE
        is_large[0] = True
        parts = np.where(is_large, len(BREAKDOWN), 1)
        rows = cells.loc[cells.index.repeat(parts)].reset_index(names="group")
        rows["is_alone"] = np.repeat(~is_large, parts)
        rows["part"] = rows.groupby("group").cumcount().where(~rows["is_alone"], 4)
        rows["sex"] = rows["part"].map(dict(enumerate(s for s, _ in BREAKDOWN)))
        rows["age_group"] = rows["part"].map(dict(enumerate(a for _, a in BREAKDOWN)))
        rows["travellers_count"] = _counts(rows)
        for column in ("nationality", "crossing_mode", "travel_reason"):
            rows[column] = rows[column].where(rows["is_alone"], None)
        rows["source_record_id"] = "DTM-FM-" + pd.Series(rows.index + 1).astype(str).str.zfill(7)
        return rows.assign(source_revision=1, is_withdrawn=False)

    def _point_days(self, world: World, rng: np.random.Generator) -> pd.DataFrame:
        """One row a point and day: where, when, which way, how many, how long observed."""
        import numpy as np
        import pandas as pd

        from schemas.codelist import load_codelist

        codes = self.words["border_point_code"]
        listed = world.border_points.set_index("code").loc[list(codes)]
        own = pd.Series([words[0][4:7] for words in codes.values()], index=listed.index)
        days = pd.date_range(FIRST_DAY, LAST_DAY, freq="D")
        count = min(world.count(DAYS_AT_SCALE_1), len(listed) * len(days))
        chosen = np.sort(rng.choice(len(listed) * len(days), count, replace=False))
        point = listed.iloc[chosen % len(listed)].reset_index()
        rows = pd.DataFrame({"border_point_code": point["code"]})
        rows["country"] = rows["border_point_code"].map(own)
        is_a = (point["country_a"] == rows["country"]).to_numpy()
        rows["other_side"] = np.where(is_a, point["country_b"], point["country_a"])
        admin1 = point["admin1_a"].where(is_a, point["admin1_b"])
        rows["admin1_code"] = admin1.where(admin1 != "", None)
        zones = {row["code"]: row["time_zone"] for row in load_codelist("admin_areas")}
        homes = {row["code"]: row["time_zone"] or "UTC" for row in load_codelist("countries")}
        home = rows["country"].map(homes)
        rows["time_zone"] = rows["admin1_code"].map(zones).fillna(home)
        rows["place_text"] = rows["border_point_code"].str.slice(8).str.title() + " FMP"
        for column in ("latitude_deg", "longitude_deg"):
            rows[column] = pd.to_numeric(point[column], errors="coerce")
        rows["location_precision"] = np.where(rows["latitude_deg"].notna(), "exact", "settlement")
        return self._traffic(rng, rows, days[chosen // len(listed)])

    def _traffic(self, rng: np.random.Generator, rows: pd.DataFrame, day: Any) -> pd.DataFrame:
        import numpy as np
        import pandas as pd

        size = len(rows)
        is_entry = rng.random(size) < 0.55
        rows["direction"] = np.where(is_entry, "entry", "exit")
        rows["origin_country"] = np.where(is_entry, rows["other_side"], rows["country"])
        rows["destination_country"] = np.where(is_entry, rows["country"], rows["other_side"])
        rows["nationality"] = np.where(rng.random(size) < 0.5, rows["country"], rows["other_side"])
        modes = np.array(["foot", "motorcycle", "bus", "truck"], dtype=object)
        rows["crossing_mode"] = modes[rng.integers(0, 4, size)]
        reasons = np.array(["trade", "family", "health", "farming"], dtype=object)
        rows["travel_reason"] = reasons[rng.integers(0, 4, size)]
        rows["total"] = 8 + rng.negative_binomial(2, 0.02, size)
        rows["observed_h"] = rng.integers(6, 13, size).astype(float)
        rows["observed_days"] = 1
        local = pd.Series(day).astype("datetime64[us]")
        rows["occurred_local"] = rows["period_start"] = rows["period_end"] = local
        published = local + pd.to_timedelta(7 * 24 + 8, unit="h")
        last = pd.Timestamp(LAST_PUBLISHED)
        rows["reported_local"] = published.where(published <= last, last)
        for column in ("occurred", "reported"):
            rows[f"{column}_at"] = to_utc(rows[f"{column}_local"], rows["time_zone"])
        rows["occurred_at_precision"], rows["handling"] = "day", "UNCLASSIFIED"
        return rows

    def own_cells(self, records: pd.DataFrame) -> dict[str, Any]:
        """Number, times, position; and what the feed ignores."""
        day = records["occurred_local"]
        return {
            "id": records["source_record_id"],
            **self.time_cells("occurred", day, records),
            **self.time_cells("reported", records["reported_local"], records),
            **self.position_cells(records["latitude_deg"], records["longitude_deg"]),
            "operation": "Flow monitoring (illustrative)",
            "admin0Name": records["country"].map(lambda code: labels("countries", "en")[code][0]),
            "admin1Pcode": records["admin1_code"],
            "yearReportingDate": day.dt.year.astype(str),
            "monthReportingDate": day.dt.month.astype(str),
            "roundNumber": day.dt.month.astype(str),
        }

    def time_columns(self, what: str) -> list[str]:
        """The field of a time."""
        return ["reportingDate"] if what == "occurred" else ["publishedAt"]

    def time_cells(self, what: str, local: pd.Series, records: pd.DataFrame) -> dict[str, Any]:
        """Local days; publication in UTC."""
        if what == "occurred":
            return {"reportingDate": local.dt.strftime(self.day_format)}
        utc = to_utc(local, records["time_zone"])
        return {"publishedAt": utc.dt.strftime("%Y-%m-%dT%H:%M:%SZ")}

    def position_cells(self, latitude_deg: pd.Series, longitude_deg: pd.Series) -> dict[str, Any]:
        """Decimal degrees."""
        named = {"latitude": latitude_deg, "longitude": longitude_deg}
        return {
            name: values.map("{:.4f}".format, na_action="ignore") for name, values in named.items()
        }

    def defects(self) -> list[Defect]:
        """Those of any count."""
        return flow_defects(self)

    def correct(self, rng: np.random.Generator, records: pd.DataFrame) -> pd.DataFrame:
        """A late sheet brings more travellers."""
        more = 1 + rng.integers(0, 9, len(records))
        return records.assign(travellers_count=records["travellers_count"] + more)

    def can_be_revised(self, records: pd.DataFrame) -> Any:
        """Only totals sent alone: a part revised alone would contradict its total."""
        return records["is_alone"].to_numpy()

    def write(self, cells: pd.DataFrame) -> Written:
        """The envelope of the API around the records."""
        body = ",\n".join(json_objects(cells, NUMBERS))
        head = '{"isSuccess":true,"statusCode":200,"errorMessages":[],"result":[\n'
        return Written((head + body + "\n]}\n").encode(), first_rows(len(cells), 1))


def _counts(rows: pd.DataFrame) -> pd.Series:
    """Counts of the parts, which add up to the total of their point and day."""
    import numpy as np
    import pandas as pd

    total = rows["total"].to_numpy()
    men, minors = (total * 55) // 100, (total * 38) // 100
    parts = np.stack([men, total - men, minors, total - minors, total])
    return pd.Series(parts[rows["part"].to_numpy(), np.arange(len(rows))], index=rows.index)
