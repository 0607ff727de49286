"""The synthetic world: what happened, where and when, before anybody reported it.

Not here: how a service reports an event (`incidents.py`) and writes it (`cells.py`).

Nothing here is measured or copied: the settlements are real places at approximate coordinates of
our own, and the patterns (`offence_patterns.csv`) are plausible weights, not statistics.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.demo.clock import to_utc, zones

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

HERE = Path(__file__).parent
FIRST_DAY, LAST_DAY = "2026-05-01", "2026-10-31"
EVENTS_AT_SCALE_1 = {"CAF": 1250, "COD": 1000, "SSD": 900}
SHARE_TOLD_BY_BOTH, SHARE_POLICE_ONLY = 0.35, 0.40  # the rest is told by the mission alone
KM_PER_DEGREE = 111.2

_HOURS = {  # centre and spread of the time of day, in hours
    "night": (23.0, 3.2),
    "evening": (19.5, 2.6),
    "dawn": (4.5, 1.8),
    "day": (12.5, 3.4),
    "market": (11.0, 2.4),
}
_MONTHS = {  # May … October: the rains grow, roads worsen, herds move back south in October
    "flat": (1.0, 1.0, 1.0, 1.0, 1.0, 1.0),
    "dry": (1.5, 1.2, 0.8, 0.7, 0.8, 1.1),
    "rain": (0.8, 0.9, 1.1, 1.2, 1.2, 1.0),
    "cattle": (1.7, 1.4, 0.7, 0.5, 0.7, 1.3),
}


@dataclass(frozen=True)
class World:
    """The seeded world: `events` (one row an event), `settlements`, and a source of chance.

    `events` has event_id, country, admin1_code, place, kind, latitude_deg, longitude_deg,
    time_zone, occurred_local and occurred_at (naive; the second in UTC), offence_code (ICCS),
    victims_{total,female,male,children}, killed_total, injured_total, suspects_total,
    arrested_total, perpetrator_kind, weapon_kind, is_told_by_police, is_told_by_mission.
    """

    seed: int
    scale: float
    settlements: pd.DataFrame = field(repr=False)
    events: pd.DataFrame = field(repr=False)

    def rng(self, purpose: str) -> np.random.Generator:
        """A generator for each purpose, so that one feed's draws never move another's."""
        return generator(self.seed, purpose)

    def count(self, at_scale_1: float) -> int:
        """A number of rows at this world's scale, at least 1."""
        return max(1, round(at_scale_1 * self.scale))

    @cached_property
    def border_points(self) -> pd.DataFrame:
        """The border points of the code list, as text columns in the order of the list."""
        import pandas as pd

        from schemas.codelist import load_codelist

        return pd.DataFrame(load_codelist("border_points"))

    def choose_border_points(self, rng: np.random.Generator, size: int, mask: Any = None) -> Any:
        """`size` rows of `border_points`, the first listed the most used; `mask` keeps some."""
        points = self.border_points if mask is None else self.border_points[mask]
        weights = 1.0 / (1.0 + 0.35 * points.index.argsort())
        rows = rng.choice(len(points), size=size, p=weights / weights.sum())
        return points.iloc[rows].reset_index(drop=True)


def generator(seed: int, purpose: str) -> np.random.Generator:
    """A reproducible generator for one purpose of one seed."""
    import numpy as np

    return np.random.default_rng([seed, zlib.crc32(purpose.encode())])


def build_world(seed: int = 20260501, scale: float = 1.0) -> World:
    """The world of six months, 2026-05-01 to 2026-10-31; the same for the same seed and scale."""
    import pandas as pd

    settlements = pd.read_csv(HERE / "settlements.csv")
    settlements["time_zone"] = settlements["admin1_code"].map(zones("admin_areas"))
    patterns = pd.read_csv(HERE / "offence_patterns.csv", dtype={"offence_code": str})
    events = pd.concat(
        [
            _events(generator(seed, f"events {country}"), country, count, settlements, patterns)
            for country, count in (
                (c, max(40, round(n * scale))) for c, n in EVENTS_AT_SCALE_1.items()
            )
        ],
        ignore_index=True,
    )
    events["occurred_at"] = to_utc(events["occurred_local"], events["time_zone"])
    return World(seed, scale, settlements, events)


def jitter(
    rng: np.random.Generator, latitude_deg: Any, longitude_deg: Any, radius_km: Any
) -> tuple[Any, Any]:
    """Positions moved by up to `radius_km`, evenly over the disc."""
    import numpy as np

    size = len(latitude_deg)
    distance = radius_km * np.sqrt(rng.random(size)) / KM_PER_DEGREE
    bearing = rng.random(size) * 2 * np.pi
    north, east = distance * np.cos(bearing), distance * np.sin(bearing)
    return latitude_deg + north, longitude_deg + east / np.cos(np.radians(latitude_deg))


def _events(
    rng: np.random.Generator,
    country: str,
    count: int,
    settlements: pd.DataFrame,
    patterns: pd.DataFrame,
) -> pd.DataFrame:
    import numpy as np
    import pandas as pd

    places = settlements[settlements["country"] == country]
    where = places.iloc[rng.choice(len(places), count, p=_share(places["weight"]))]
    is_rural = (where["kind"] == "rural").to_numpy()
    what = _offences(rng, patterns, country.lower(), is_rural)
    events = pd.DataFrame(
        {
            "country": country,
            "admin1_code": where["admin1_code"].to_numpy(),
            "place": where["place"].to_numpy(),
            "kind": where["kind"].to_numpy(),
            "time_zone": where["time_zone"].to_numpy(),
            "occurred_local": _local_times(rng, what),
            "offence_code": what["offence_code"].to_numpy(),
        }
    )
    reach_km = np.where(is_rural, 7.0, np.where(where["kind"] == "city", 2.5, 3.5))
    events["latitude_deg"], events["longitude_deg"] = jitter(
        rng, where["latitude_deg"].to_numpy(), where["longitude_deg"].to_numpy(), reach_km
    )
    events = events.join(_people(rng, what))
    for column, choices in (("perpetrator_kind", "perpetrators"), ("weapon_kind", "weapons")):
        events[column] = _one_of(rng, what[choices])
    is_urban_gang = (events["kind"] == "city") & (events["perpetrator_kind"] == "armed_group")
    events.loc[is_urban_gang, "perpetrator_kind"] = "criminal_group"
    told = rng.random(count)
    events["is_told_by_police"] = told < SHARE_TOLD_BY_BOTH + SHARE_POLICE_ONLY
    events["is_told_by_mission"] = (told < SHARE_TOLD_BY_BOTH) | ~events["is_told_by_police"]
    events = events.sort_values("occurred_local", ignore_index=True)
    numbers = pd.Series(np.arange(1, count + 1)).astype(str).str.zfill(7)
    events.insert(0, "event_id", f"{country}-" + numbers)
    return events


def _offences(
    rng: np.random.Generator, patterns: pd.DataFrame, country: str, is_rural: Any
) -> pd.DataFrame:
    """One row of `patterns` an event: the country's weights, urban or rural."""
    import numpy as np

    urban = rng.choice(
        len(patterns), len(is_rural), p=_share(patterns[country] * patterns["urban"])
    )
    rural = rng.choice(
        len(patterns), len(is_rural), p=_share(patterns[country] * patterns["rural"])
    )
    return patterns.iloc[np.where(is_rural, rural, urban)].reset_index(drop=True)


def _local_times(rng: np.random.Generator, what: pd.DataFrame) -> Any:
    """Wall-clock minutes: a day by the season of the offence, an hour by its habit."""
    import numpy as np
    import pandas as pd

    days = pd.date_range(FIRST_DAY, LAST_DAY, freq="D")
    chosen = np.zeros(len(what), dtype=int)
    for season, months in _MONTHS.items():
        weights = _share(np.array([months[month - 5] for month in days.month]))
        here = (what["season"] == season).to_numpy()
        chosen[here] = rng.choice(len(days), here.sum(), p=weights)
    centre = what["hours"].map({name: mean for name, (mean, _) in _HOURS.items()}).to_numpy()
    spread = what["hours"].map({name: sd for name, (_, sd) in _HOURS.items()}).to_numpy()
    minutes = (rng.normal(centre, spread) % 24 * 60).astype(int)
    return (days[chosen] + pd.to_timedelta(minutes, unit="m")).astype("datetime64[us]")


def _people(rng: np.random.Generator, what: pd.DataFrame) -> pd.DataFrame:
    """Victims by sex and age, killed and injured among them, suspects and arrests."""
    import numpy as np
    import pandas as pd

    size, mean = len(what), what["victims"].to_numpy()
    total = np.where(mean > 0, 1 + rng.poisson(np.clip(mean - 1, 0, None)), 0)
    is_sexual = what["offence_code"].str.startswith("03").to_numpy()
    female = rng.binomial(total, np.where(is_sexual, 0.93, 0.36))
    children = rng.binomial(total, what["children"].to_numpy())
    killed = rng.binomial(total, what["killed"].to_numpy())
    killed = np.where((what["offence_code"] == "0101") & (killed == 0), 1, killed)
    injured = rng.binomial(total - killed, np.clip(what["injured"].to_numpy(), 0, 1))
    suspects = rng.poisson(1.6, size) + (mean == 0)
    arrested = rng.binomial(suspects, what["arrest"].to_numpy())
    return pd.DataFrame(
        {
            "victims_total": total,
            "victims_female": female,
            "victims_male": total - female,
            "victims_children": children,
            "killed_total": killed,
            "injured_total": injured,
            "suspects_total": suspects,
            "arrested_total": arrested,
        }
    )


def _one_of(rng: np.random.Generator, choices: pd.Series) -> Any:
    """One of the `a|b|c` of each row, the first the likeliest."""
    table = choices.str.split("|", expand=True)
    count = table.notna().sum(axis=1).to_numpy()
    pick = (rng.random(len(choices)) ** 1.6 * count).astype(int)
    return table.to_numpy()[range(len(table)), pick]


def _share(weights: Any) -> Any:
    import numpy as np

    values = np.asarray(weights, dtype=float)
    return values / values.sum()
