"""Who crossed a border of the synthetic world: people, vehicles and groups, at real points.

Not here: how a service writes its register (`cells.py`) and counts without names (flows).

Nobody here exists: ages, documents and journeys are drawn from plausible weights of our own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipelines.demo.world import FIRST_DAY, LAST_DAY, World

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from schemas.feed import Feed

KINDS = {"person": 0.84, "vehicle": 0.09, "group": 0.07}
DIRECTIONS = {"entry": 0.53, "exit": 0.43, "transit": 0.04}
MODES = {
    "road": {"foot": 0.5, "motorcycle": 0.2, "car": 0.12, "bus": 0.1, "truck": 0.08},
    "bridge": {"foot": 0.55, "motorcycle": 0.2, "car": 0.12, "bus": 0.06, "truck": 0.07},
    "river": {"canoe": 0.7, "ferry": 0.3},
    "monitoring_point": {"foot": 0.6, "motorcycle": 0.3, "truck": 0.1},
    "airport": {"aircraft": 1.0},
}
VEHICLES = {
    "road": {"truck": 0.45, "car": 0.2, "motorcycle": 0.2, "bus": 0.1, "pickup": 0.05},
    "river": {"truck": 0.3, "canoe": 0.4, "motorcycle": 0.2, "car": 0.1},
    "airport": {"aircraft": 1.0},
}
VEHICLE_MODES = {"pickup": "car"}
REASONS = {
    "entry": {"trade": 8, "family": 4, "work": 2, "health": 2, "study": 1, "official": 1}
    | {"farming": 1, "transhumance": 1, "asylum": 1, "return_home": 1},
    "exit": {"trade": 8, "family": 4, "work": 2, "health": 2, "study": 1, "official": 1}
    | {"farming": 1, "transhumance": 1, "conflict": 1, "end_of_stay": 1},
    "transit": {"transit": 8, "crew": 3, "trade": 1},
}
DOCUMENTS = {"identity_card": 5, "passport": 3, "laissez_passer": 3, "voter_card": 2, "none": 2}
DOCUMENTS |= {"border_pass": 1, "refugee_card": 1}
WITHOUT_NUMBER = ("none",)
FAR_COUNTRIES = ("FRA", "BEL", "CMR", "KEN", "ETH", "UGA", "TUR")
SPECIAL_NATIONALITIES = {"UNO": 2, "XXB": 2, "D": 1, "BEL": 1, "FRA": 2, "IND": 1, "CHN": 2}
POOL_SHARE = 0.8  # travellers per crossing: the others have crossed before
LAST_REPORT = "2026-10-31 23:50"


def compose(
    world: World,
    feed: Feed,
    country: str,
    at_scale_1: int,
    share_rough: float = 0.0,
    *,
    is_of_persons: bool = False,
) -> pd.DataFrame:
    """Right crossings at the points of `country`, in order of crossing.

    Of some the hour is known roughly only. A register of persons has no vehicles and groups, and
    tells of each person the vehicle. `document_sightings` tells how often a document is shown.
    Raises KeyError where the list of border points lacks the country.
    """
    import numpy as np

    rng = world.rng(feed.feed)
    count = world.count(at_scale_1)
    rows = _places(world, rng, country, count)
    rows["direction"] = _pick(rng, DIRECTIONS, count)
    rows["traveller_kind"] = _pick(rng, KINDS, count)
    _set_times(rng, rows)
    _set_people(rng, rows, country)
    _set_vehicles(rng, rows)
    _set_journey(rng, rows, country)
    is_group = rows["traveller_kind"] == "group"
    rows["group_size"] = np.where(is_group, 2 + rng.poisson(6, count), 1).astype("int64")
    is_rough = rng.random(count) < share_rough
    rows["occurred_at_precision"] = np.where(is_rough, "hour", "minute")
    rows["handling"] = "CONFIDENTIAL"
    rows = rows.sort_values("occurred_at", kind="stable", ignore_index=True)
    rows = _without_coincidences(rows)
    if is_of_persons:
        rows = _of_persons(rows)
    shown = rows["document_number"]
    return rows.assign(document_sightings=shown.map(shown.value_counts()))


def _of_persons(rows: pd.DataFrame) -> pd.DataFrame:
    rows = rows[rows["traveller_kind"] == "person"].reset_index(drop=True)
    is_driven = rows["crossing_mode"].isin(["car", "truck", "motorcycle", "bus"])
    rows["vehicle_kind"] = rows["crossing_mode"].where(is_driven, None)
    plate = "ZZ" + rows.index.astype(str).str.zfill(7).to_series(index=rows.index) + "AA"
    return rows.assign(vehicle_plate=plate.where(is_driven, None))


def _places(world: World, rng: np.random.Generator, country: str, count: int) -> pd.DataFrame:
    import numpy as np
    import pandas as pd

    listed = world.border_points
    mask = (listed["country_a"] == country) | (listed["country_b"] == country)
    if not mask.any():
        raise KeyError(country)
    points = world.choose_border_points(rng, count, mask)
    is_a = (points["country_a"] == country).to_numpy()
    other = np.where(is_a, points["country_b"], points["country_a"])
    far = rng.choice(FAR_COUNTRIES, count)
    admin1 = pd.Series(np.where(is_a, points["admin1_a"], points["admin1_b"])).replace("", None)
    latitude = pd.to_numeric(points["latitude_deg"], errors="coerce")
    return pd.DataFrame(
        {
            "country": country,
            "border_point_code": points["code"],
            "point_kind": points["kind"],
            "other_side": np.where(other == "", far, other),
            "admin1_code": admin1,
            "place_text": points["code"].str.slice(8).str.title(),
            "location_precision": np.where(latitude.notna(), "exact", "settlement"),
            "latitude_deg": latitude,
            "longitude_deg": pd.to_numeric(points["longitude_deg"], errors="coerce"),
        }
    )


def _set_times(rng: np.random.Generator, rows: pd.DataFrame) -> None:
    """A crossing by day, registered within the shift; all to the minute."""
    import numpy as np
    import pandas as pd

    size = len(rows)
    days = pd.date_range(FIRST_DAY, LAST_DAY, freq="D")
    minutes = np.clip(rng.normal(12 * 60, 170, size), 5.6 * 60, 19 * 60).astype(int)
    day = days[rng.integers(0, len(days), size)]
    local = pd.Series(day + pd.to_timedelta(minutes, unit="m")).astype("datetime64[us]")
    delay = pd.to_timedelta(2 + (rng.exponential(140, size)).astype(int), unit="m")
    registered = pd.Series(local + delay).astype("datetime64[us]")
    last = pd.Timestamp(LAST_REPORT)
    rows["occurred_at"] = local
    rows["reported_at"] = registered.where(registered <= last, local)


def _set_people(rng: np.random.Generator, rows: pd.DataFrame, country: str) -> None:
    """Travellers drawn from a pool, so that some documents are seen again."""
    import numpy as np
    import pandas as pd

    size = len(rows)
    pool = _pool(rng, max(2, round(size * POOL_SHARE)), country)
    chosen = pool.iloc[rng.integers(0, len(pool), size)].reset_index(drop=True)
    is_person = (rows["traveller_kind"] == "person").to_numpy()
    for column in pool.columns:
        rows[column] = chosen[column].where(is_person, None)
    is_local = (chosen["nationality_kind"] == "other").to_numpy() & is_person
    rows["nationality"] = np.where(is_local, rows["other_side"], rows["nationality"])
    issued = rows["document_type"].notna() & (rows["document_type"] != "none")
    rows["document_issuer"] = rows["nationality"].where(issued, None)
    rows["birth_date"] = pd.to_datetime(rows["birth_date"]).astype("datetime64[us]")
    expires = pd.to_datetime(rows["document_expires_on"])
    rows["document_expires_on"] = expires.astype("datetime64[us]")
    rows["age_years"] = full_years(rows["birth_date"], rows["occurred_at"])
    rows["age_group"] = age_group(rows["age_years"])
    rows.drop(columns=["nationality_kind"], inplace=True)


def _pool(rng: np.random.Generator, size: int, country: str) -> pd.DataFrame:
    import numpy as np
    import pandas as pd

    age_days = np.clip(rng.gamma(4.2, 2900, size), 400, 30_000).astype(int)
    kind = _pick(rng, {"own": 0.46, "other": 0.48, "special": 0.06}, size)
    special = _pick(rng, SPECIAL_NATIONALITIES, size)
    document = _pick(rng, DOCUMENTS, size)
    is_un = (kind == "special") & (special == "UNO")
    is_refugee = (kind == "special") & (special == "XXB")
    document = np.where(is_un, "un_laissez_passer", document)
    document = np.where(is_refugee, "refugee_travel_document", document)
    has_number = ~np.isin(document, WITHOUT_NUMBER)
    number = pd.Series(np.arange(size)).astype(str).str.zfill(7)
    expires = pd.Timestamp("2026-11-15") + pd.to_timedelta(rng.integers(1, 3200, size), unit="D")
    frame = pd.DataFrame(
        {
            "sex": _pick(rng, {"male": 0.58, "female": 0.42}, size),
            "birth_date": pd.Timestamp("2026-04-30") - pd.to_timedelta(age_days, unit="D"),
            "nationality": np.where(kind == "special", special, country),
            "nationality_kind": kind,
            "document_type": document,
            "document_number": ("ZZ" + number).where(has_number, None),
            "document_expires_on": pd.Series(expires).where(has_number, None),
        }
    )
    return frame


def _set_vehicles(rng: np.random.Generator, rows: pd.DataFrame) -> None:
    import numpy as np
    import pandas as pd

    size = len(rows)
    mode = pd.Series(index=rows.index, dtype=object)
    vehicle = pd.Series(index=rows.index, dtype=object)
    for kind in rows["point_kind"].unique():
        here = (rows["point_kind"] == kind).to_numpy()
        mode[here] = _pick(rng, MODES[kind], int(here.sum()))
        vehicle[here] = _pick(rng, VEHICLES.get(kind, VEHICLES["road"]), int(here.sum()))
    is_vehicle = (rows["traveller_kind"] == "vehicle").to_numpy()
    afloat = rows["point_kind"].isin(["river"]) & (vehicle != "canoe")
    carried = vehicle.replace(VEHICLE_MODES).where(~afloat, "ferry")
    rows["crossing_mode"] = mode.where(~is_vehicle, carried)
    rows["vehicle_kind"] = vehicle.where(is_vehicle, None)
    plate = pd.Series(rng.integers(1000, 9999, size)).astype(str)
    letters = np.array(list("ABCDEFGH"))[rng.integers(0, 8, size)]
    rows["vehicle_plate"] = (plate + "-ZZ" + letters).where(is_vehicle, None)


def _set_journey(rng: np.random.Generator, rows: pd.DataFrame, country: str) -> None:
    import numpy as np
    import pandas as pd

    reason = pd.Series(index=rows.index, dtype=object)
    for direction, weights in REASONS.items():
        here = (rows["direction"] == direction).to_numpy()
        reason[here] = _pick(rng, weights, int(here.sum()))
    is_exit = (rows["direction"] == "exit").to_numpy()
    is_transit = (rows["direction"] == "transit").to_numpy()
    third = rng.choice(FAR_COUNTRIES, len(rows))
    third = np.where(third == rows["other_side"], "ZMB", third)
    rows["travel_reason"] = reason
    rows["origin_country"] = np.where(is_exit, country, rows["other_side"])
    destination = np.where(is_exit, rows["other_side"], country)
    rows["destination_country"] = np.where(is_transit, third, destination)


def _without_coincidences(rows: pd.DataFrame) -> pd.DataFrame:
    """Leave out crossings that would look like another one told twice; tests need no such luck."""
    keys = ["document_number", "occurred_at", "border_point_code", "direction"]
    return rows[~(rows["document_number"].notna() & rows.duplicated(keys))].reset_index(drop=True)


def full_years(birth: Any, at: Any) -> Any:
    """Full years between a birth date and the local date of a moment; NA where unknown."""
    import pandas as pd

    birth, day = pd.to_datetime(birth), pd.to_datetime(at).dt.normalize()
    before = (day.dt.month < birth.dt.month) | (
        (day.dt.month == birth.dt.month) & (day.dt.day < birth.dt.day)
    )
    return (day.dt.year - birth.dt.year - before.where(birth.notna(), 0)).astype("Int64")


def age_group(age_years: Any) -> Any:
    """The age group that a register would tick: four of them."""
    import pandas as pd

    bins = [-1, 4, 17, 59, 200]
    labels = ["under_5", "age_5_17", "age_18_59", "age_60_plus"]
    cut = pd.cut(age_years.astype("Float64").astype(float), bins=bins, labels=labels)
    return cut.astype(object).where(cut.notna(), None)


def _pick(rng: np.random.Generator, weights: dict[str, Any], size: int) -> Any:
    import numpy as np

    shares = np.array(list(weights.values()), dtype=float)
    return rng.choice(np.array(list(weights), dtype=object), size, p=shares / shares.sum())
