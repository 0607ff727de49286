"""What border patrols of the three missions seized: an item a row, described in two languages.

Not here: travellers (`border_crossings.py`). What is seized is in `seized_items.csv`: plausible
weights and prices of our own, not statistics.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.demo.world import FIRST_DAY, HERE, LAST_DAY, World, jitter

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from schemas.feed import Feed

MISSIONS = {"CAF": "MINUSCA", "COD": "MONUSCO", "SSD": "UNMISS"}
LANGUAGES = {"CAF": "fr", "COD": "fr", "SSD": "en"}
LAST_REPORT = "2026-10-31 23:50"
RADIUS_KM = 2.0
SERVICES = ("un_police", "joint", "customs", "gendarmerie", "police", "border_police")
CIRCUMSTANCES = ("patrol", "checkpoint", "border_control", "search_person", "tip_off")
OUTCOMES = ("held_as_evidence", "handed_to_customs", "handed_to_other", "destroyed", "stored")


def compose(world: World, feed: Feed, at_scale_1: int) -> pd.DataFrame:
    """Items by report, in order of seizure; a report has one to three items."""
    import numpy as np
    import pandas as pd

    rng = world.rng(feed.feed)
    items = world.count(at_scale_1)
    sizes = rng.choice([1, 2, 3], items, p=[0.7, 0.2, 0.1])
    sizes = sizes[: np.searchsorted(sizes.cumsum(), items) + 1]
    reports = _reports(world, rng, len(sizes))
    rows = reports.loc[reports.index.repeat(sizes)][:items].reset_index(names="report")
    rows = rows.join(_items(rng, len(rows), rows["country"]))
    rows = rows.drop_duplicates(["report", "seizure_kind", "quantity"], ignore_index=True)
    rows["report_number"] = (
        rows["country"].map(MISSIONS) + "-SZ-" + ((rows["report"] + 1).astype(str).str.zfill(5))
    )
    rows["item"] = (rows.groupby("report").cumcount() + 1).astype(str)
    rows["language"] = rows["country"].map(LANGUAGES)
    rows["serial_number"] = ("SYN" + pd.Series(np.arange(len(rows))).astype(str)).where(
        rows["has_serial"] == 1, None
    )
    made = np.array(["CHN", "RUS", "SRB", "ROU"], dtype=object)[rng.integers(0, 4, len(rows))]
    rows["manufacture_country"] = pd.Series(made).where(rows["has_serial"] == 1, None)
    return rows


def _reports(world: World, rng: np.random.Generator, count: int) -> pd.DataFrame:
    import numpy as np
    import pandas as pd

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
    place = rows["border_point_code"].str.slice(8).str.title()
    distance_km = pd.Series(rng.integers(1, 19, count)).astype(str)
    rows["place_text"] = place + ", " + distance_km + " km"
    latitude, longitude = (
        pd.to_numeric(point[c], errors="coerce") for c in ("latitude_deg", "longitude_deg")
    )
    rows["latitude_deg"], rows["longitude_deg"] = jitter(rng, latitude, longitude, RADIUS_KM)
    rows["location_precision"] = np.where(rows["latitude_deg"].notna(), "exact", "settlement")
    return _told(rng, rows)


def _told(rng: np.random.Generator, rows: pd.DataFrame) -> pd.DataFrame:
    """When it was seized and filed, by whom, how, and what became of it."""
    import pandas as pd

    size = len(rows)
    span_minutes = len(pd.date_range(FIRST_DAY, LAST_DAY)) * 24 * 60
    start = pd.Timestamp(FIRST_DAY)
    minutes = pd.Series(rng.integers(0, span_minutes, size)).sort_values(ignore_index=True)
    local = (start + pd.to_timedelta(minutes, unit="m")).astype("datetime64[us]")
    filed = local + pd.to_timedelta(60 + rng.exponential(900, size).astype(int), unit="m")
    last = pd.Timestamp(LAST_REPORT)
    rows["occurred_at"] = local
    rows["reported_at"] = filed.where(filed <= last, local).astype("datetime64[us]")
    for column, codes in (("seized_by", SERVICES), ("circumstance", CIRCUMSTANCES)):
        rows[column] = rng.choice(codes, size)
    rows["outcome"] = rng.choice(OUTCOMES, size)
    rows["suspects_total"] = rng.poisson(1.1, size)
    rows["occurred_at_precision"], rows["handling"] = "minute", "CONFIDENTIAL"
    return rows


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
