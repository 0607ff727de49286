"""IOM's counts at flow monitoring points: JSON as its API sends it, with and without breakdowns.

Not here: single travellers (`border_travellers.py`).

Large points send a day in five rows (two sexes, two ages, the total); small ones send the total
alone. Mistakes of a single row are made in the small ones, so that no other row's sum changes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar

from pipelines.demo.border import BorderFeed, labels
from pipelines.demo.border_defects import (
    UNKNOWN_WORDS,
    UNREADABLE_DATES,
    UNREADABLE_NUMBERS,
    both,
    cell,
    change,
    common_defects,
    is_,
    put,
    told_twice,
    unreadable,
)
from pipelines.demo.border_json import json_objects
from pipelines.demo.delivery import Defect, Draft, Spoil, duplicated_number
from pipelines.demo.files import first_rows
from pipelines.demo.incidents import Written
from pipelines.demo.world import FIRST_DAY, LAST_DAY, World, to_utc

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

DAYS_AT_SCALE_1 = 2400  # point-days, of which LARGE_SHARE come in five rows
LARGE_SHARE = 0.25
SHARE_ALONE = 0.3  # of a delivery's rows, about: shares of defects are of all rows
LAST_PUBLISHED = "2026-11-02 08:00"
BREAKDOWN = (
    ("male", "total"),
    ("female", "total"),
    ("total", "under_18"),
    ("total", "adult"),
    ("total", "total"),
)
NUMBERS = ("numTravellers", "hoursObserved", "daysObserved", "revision", "latitude", "longitude")
UNREADABLE = {"period_start": "210", "period_end": "211"}
UNREADABLE_COUNTS = {"travellers_count": "212", "observed_h": "213", "observed_days": "214"}
UNKNOWN_CODES = {
    "border_point_code": "310",
    "direction": "311",
    "crossing_mode": "312",
    "sex": "313",
    "age_group": "314",
    "nationality": "315",
    "origin_country": "316",
    "destination_country": "317",
    "travel_reason": "318",
}


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

    @property
    def words(self) -> dict[str, Any]:  # type: ignore[override]
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
        admin1 = pd.Series(np.where(is_a, point["admin1_a"], point["admin1_b"]))
        rows["admin1_code"] = admin1.replace("", None)
        zones = {row["code"]: row["time_zone"] for row in load_codelist("admin_areas")}
        homes = {row["code"]: row["time_zone"] for row in load_codelist("countries")}
        home = rows["country"].map(homes).replace("", "UTC")
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
        """Sums that disagree, in the large points; everything else in the small ones."""
        return [*_of_sums(self), *(_alone(defect) for defect in _of_rows(self))]

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

    total = rows["total"].to_numpy()
    men, minors = (total * 55) // 100, (total * 38) // 100
    parts = np.stack([men, total - men, minors, total - minors, total])
    return rows["total"] * 0 + parts[rows["part"].to_numpy(), np.arange(len(rows))]


def _alone(defect: Defect) -> Defect:
    def is_alone(draft: Draft) -> Any:
        return draft.context["is_alone"]  # type: ignore[index]

    needs = both(is_alone, defect.needs) if defect.needs else is_alone
    return Defect(defect.codes, defect.spoil, needs, defect.together, defect.share * SHARE_ALONE)


def _of_sums(feed: BorderFlows) -> list[Defect]:
    def is_total(draft: Draft) -> Any:
        context = draft.context
        assert context is not None  # noqa: S101  (a border draft always has one)
        return ~context["is_alone"] & (context["part"] == 4)

    share = 0.004
    return [
        Defect(("BFL-602",), _add_to(feed, -4, 3), is_total, share=share),
        Defect(("BFL-603",), _add_to(feed, -2, 3), is_total, share=share),
        Defect(("BFL-604",), _add_to(feed, -4, -2), is_total, share=share),
    ]


def _add_to(feed: BorderFlows, offset: int, step: int) -> Spoil:
    """Change the count of the row `offset` rows from each total: the total then disagrees."""

    def apply(draft: Draft, rows: Any) -> None:
        others = rows + offset
        counts = draft.truth.loc[others, "travellers_count"].astype(int) + step
        draft.cells.loc[others, feed.columns["travellers_count"]] = counts.astype(str)
        draft.truth.loc[others, "travellers_count"] = counts

    return apply


def _of_rows(feed: BorderFlows) -> list[Defect]:
    leaving = is_("direction", "exit")
    skipped = {("BFL-407",), ("BFL-502",)}  # the period must move with the date: see _of_dates
    common = [d for d in common_defects(feed, "BFL") if d.codes not in skipped]
    elsewhere = change(
        put(feed, country="UGA", admin1_code=None), cell("latitude", None), cell("longitude", None)
    )
    ugandan = is_("border_point_code", "SSD-UGA-NIMULE", "SSD-UGA-KAYA", "SSD-UGA-PURE")
    missing = {"border_point_code": "104", "direction": "105", "travellers_count": "106"}
    missing |= {"period_start": "107", "period_end": "108", "observed_h": "109"}
    foreign = cell(feed.columns["border_point_code"], "COD-ZMB-KIPUSHI")
    return [
        Defect(("BFL-401",), _in_uganda(elsewhere), ugandan, share=0.004),
        Defect(("BFL-508",), put(feed, travel_reason="asylum"), leaving),
        Defect(("BFL-509",), put(feed, origin_country="TCD", destination_country="TCD")),
        Defect(("BFL-507",), foreign, is_("country", "SSD", "CAF")),
        *(Defect((f"BFL-{code}",), put(feed, **{c: None})) for c, code in missing.items()),
        *unreadable(feed, "BFL", UNREADABLE, UNREADABLE_DATES),
        *unreadable(feed, "BFL", UNREADABLE_COUNTS, UNREADABLE_NUMBERS),
        *unreadable(feed, "BFL", UNKNOWN_CODES, UNKNOWN_WORDS),
        *_of_values(feed),
        *_of_dates(feed),
        *common,
        Defect(("BFL-601",), duplicated_number(["id"]), together=2),
        Defect(("BFL-605",), told_twice(feed, "id"), together=2),
    ]


def _in_uganda(spoil: Spoil) -> Spoil:
    """A count that the neighbour made: its own area, and a clock that we do not know."""

    def apply(draft: Draft, rows: Any) -> None:
        spoil(draft, rows)
        local = draft.context.loc[rows, "occurred_local"]  # type: ignore[union-attr]
        draft.expect(rows, latitude_deg=None, longitude_deg=None, admin1_code="UG3")
        draft.expect(rows, occurred_at=local)

    return apply


def _of_values(feed: BorderFlows) -> list[Defect]:
    return [
        Defect(("BFL-409",), put(feed, travellers_count=-5)),
        Defect(("BFL-410",), put(feed, travellers_count=60000), share=0.002),
        Defect(("BFL-411",), put(feed, observed_h=-2)),
        Defect(("BFL-412", "BFL-514"), put(feed, observed_h=30)),
        Defect(("BFL-413",), put(feed, observed_days=-1)),
        Defect(("BFL-414",), put(feed, observed_days=3)),
        Defect(("BFL-512",), put(feed, observed_h=0)),
        Defect(("BFL-513",), put(feed, observed_days=0)),
    ]


def _of_dates(feed: BorderFlows) -> list[Defect]:
    import pandas as pd

    def in_year(year: int) -> Callable[[Any], Any]:
        return lambda day: day + pd.DateOffset(years=year - 2026)

    def shift(days: int) -> Callable[[Any], Any]:
        return lambda day: day + pd.Timedelta(days=days)

    def at_the_end_of_the_year(day: Any) -> Any:
        return day + (pd.Timestamp("2026-12-31") - day)

    every = ("reportingDate", "periodStart", "periodEnd")
    long_ago, someday = in_year(1986), in_year(2055)
    never = change(cell("publishedAt", None), put(feed, reported_at=None))
    year_2024 = in_year(2024)
    return [
        Defect(("BFL-407",), _days(feed, dict.fromkeys(every, long_ago)), _in_an_old_area),
        Defect(
            ("BFL-502", "BFL-511"), change(_days(feed, dict.fromkeys(every, someday)), never)
        ),
        Defect(("BFL-415",), _days(feed, {"reportingDate": year_2024, "periodStart": year_2024})),
        Defect(("BFL-510",), _days(feed, {"periodEnd": shift(-3)})),
        Defect(("BFL-511",), _days(feed, {"periodEnd": at_the_end_of_the_year})),
        Defect(("BFL-514",), change(_days(feed, {"periodEnd": shift(3)}), put(feed, observed_h=30))),
        Defect(("BFL-515",), _days(feed, {"reportingDate": shift(-5)})),
    ]


def _in_an_old_area(draft: Draft) -> Any:
    from pipelines.demo.border_defects import areas_with_a_beginning

    return ~draft.truth["admin1_code"].isin(areas_with_a_beginning())


TARGETS = {"periodStart": "period_start", "periodEnd": "period_end"}


def _days(feed: BorderFlows, moves: dict[str, Callable[[Any], Any]]) -> Spoil:
    """Write days made from the rows' own day in some fields, and expect them."""

    def apply(draft: Draft, rows: Any) -> None:
        import pandas as pd

        context = draft.context.loc[rows]  # type: ignore[union-attr]
        for column, move in moves.items():
            day = pd.Series(move(context["occurred_local"]), index=rows).astype("datetime64[us]")
            draft.cells.loc[rows, column] = day.dt.strftime(feed.day_format)
            if target := TARGETS.get(column):
                draft.truth.loc[rows, target] = day
            else:
                draft.truth.loc[rows, "occurred_at"] = to_utc(day, context["time_zone"])

    return apply
