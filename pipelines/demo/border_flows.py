"""Counts at flow monitoring points of the synthetic world, with and without breakdowns.

Not here: single travellers (`border_crossings.py`).

Large points send a day in several rows, by sex, by age or by both, and the total; small ones send
the total alone. Faults of a single row are made in the small ones, so that no other row's sum
changes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipelines.demo.world import FIRST_DAY, LAST_DAY, World

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from schemas.feed import Feed

LARGE_SHARE = 0.35
LAST_PUBLISHED = "2026-11-02 08:00"
PARTS = (("male", "total"), ("female", "total"), ("total", "under_18"), ("total", "adult"))
TOTAL = 4
BREAKDOWNS = {
    "none": (TOTAL,),
    "sex": (0, 1, TOTAL),
    "age": (2, 3, TOTAL),
    "both": (0, 1, 2, 3, TOTAL),
}


def compose(world: World, feed: Feed, days_at_scale_1: int) -> pd.DataFrame:
    """Counts by point and day, in the order of the days; `breakdown` is that of their group."""
    import numpy as np

    rng = world.rng(feed.feed)
    own = {row["code"]: row["source_value"][4:7] for row in feed.crosswalk("border_points")}
    days = _point_days(world, rng, own, days_at_scale_1)
    chance = rng.random(len(days))
    chance[:3] = [0.0, 0.5 * LARGE_SHARE, 0.9 * LARGE_SHARE]
    names = np.array(["sex", "age", "both"], dtype=object)
    kind = names[np.minimum(chance / LARGE_SHARE * 3, 2).astype(int)]
    days["breakdown"] = np.where(chance < LARGE_SHARE, kind, "none")
    parts = days["breakdown"].map(BREAKDOWNS)
    rows = days.loc[days.index.repeat(parts.str.len())].reset_index(drop=True)
    rows["part"] = np.concatenate(parts.tolist())
    sexes, ages = zip(*PARTS, ("total", "total"), strict=True)
    rows["sex"] = rows["part"].map(dict(enumerate(sexes)))
    rows["age_group"] = rows["part"].map(dict(enumerate(ages)))
    rows["travellers_count"] = _counts(rows)
    rows["is_alone"] = rows["breakdown"] == "none"
    for column in ("nationality", "crossing_mode", "travel_reason"):
        rows[column] = rows[column].where(rows["is_alone"], None)
    return rows


def _point_days(
    world: World, rng: np.random.Generator, own: dict[str, str], at_scale_1: int
) -> pd.DataFrame:
    """One row a point and day: where, when, which way, how many, how long observed."""
    import numpy as np
    import pandas as pd

    listed = world.border_points.set_index("code").loc[list(own)]
    days = pd.date_range(FIRST_DAY, LAST_DAY, freq="D")
    count = min(world.count(at_scale_1), len(listed) * len(days))
    chosen = np.sort(rng.choice(len(listed) * len(days), count, replace=False))
    point = listed.iloc[chosen % len(listed)].reset_index()
    rows = pd.DataFrame({"border_point_code": point["code"]})
    rows["country"] = rows["border_point_code"].map(own)
    is_a = (point["country_a"] == rows["country"]).to_numpy()
    rows["other_side"] = np.where(is_a, point["country_b"], point["country_a"])
    admin1 = point["admin1_a"].where(is_a, point["admin1_b"])
    rows["admin1_code"] = admin1.where(admin1 != "", None)
    rows["place_text"] = rows["border_point_code"].str.slice(8).str.title() + " FMP"
    for column in ("latitude_deg", "longitude_deg"):
        rows[column] = pd.to_numeric(point[column], errors="coerce")
    rows["location_precision"] = np.where(rows["latitude_deg"].notna(), "exact", "settlement")
    return _traffic(rng, rows, days[chosen // len(listed)])


def _traffic(rng: np.random.Generator, rows: pd.DataFrame, day: Any) -> pd.DataFrame:
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
    rows["occurred_at"] = rows["period_start"] = rows["period_end"] = local
    published = local + pd.to_timedelta(7 * 24 + 8, unit="h")
    last = pd.Timestamp(LAST_PUBLISHED)
    rows["reported_at"] = published.where(published <= last, last)
    rows["occurred_at_precision"], rows["handling"] = "day", "UNCLASSIFIED"
    return rows


def _counts(rows: pd.DataFrame) -> pd.Series:
    """Counts of the parts, which add up to the total of their point and day."""
    import numpy as np
    import pandas as pd

    total = rows["total"].to_numpy()
    men, minors = (total * 55) // 100, (total * 38) // 100
    parts = np.stack([men, total - men, minors, total - minors, total])
    return pd.Series(parts[rows["part"].to_numpy(), np.arange(len(rows))], index=rows.index)
