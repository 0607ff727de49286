"""Incidents as one service reports them: late, rounded, nearby, told by its own count.

Not here: the events (`world.py`) and how the service writes them (`cells.py`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from pipelines.demo.places import describe
from pipelines.demo.world import World, jitter

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from schemas.feed import Feed

MONTHS = {
    "fr": "Janvier Février Mars Avril Mai Juin Juillet Août Septembre Octobre Novembre Décembre",
    "en": "January February March April May June July August September October November December",
}
LAST_REPORT = "2026-10-31 23:50"
# The hour that the clocks of South Sudan gave twice: nobody could tell which one was meant.
AMBIGUOUS_HOUR = "2021-01-31 23:00"


@dataclass(frozen=True)
class Habits:
    """How a service reports: shares are of its reports, times in the unit of their name.

    `past` are records of events of earlier months instead: since which day, over how many days.
    """

    country: str
    told_by: Literal["police", "mission"]
    area: Literal["", "town", "country"] = ""  # where police and gendarmerie share a country
    rounding_minutes: dict[int, float] = field(
        default_factory=lambda: {1: 0.25, 5: 0.35, 15: 0.2, 30: 0.2}
    )
    share_day_only: float = 0.0
    share_positioned: float = 0.0
    jitter_km: float = 0.0
    share_recounted: float = 0.0
    share_with_end: float = 0.0
    share_in_doubt: float = 0.0  # of those with killed: a range beside the best figure
    median_delay_h: float = 6.0
    past: tuple[str, int, int] | None = None  # first day, days, records


def compose(world: World, feed: Feed, **habits: Any) -> pd.DataFrame:
    """The reports of a feed's service, in order of reporting, with place, kind and event_id."""
    told = Habits(**habits)
    rng = world.rng(f"{feed.feed} archive" if told.past else feed.feed)
    reports = report(rng, heard(world, told, rng), told)
    reports["place_text"] = describe(rng, reports, feed.language)
    months = dict(enumerate(MONTHS[feed.language].split(), start=1))
    reported = reports["reported_at"].dt
    reports["month"] = reported.month.map(months) + " " + reported.year.astype(str)
    reports["source"] = feed.source
    reports["admin2_code"] = None
    is_placed = reports["latitude_deg"].notna()
    reports["location_precision"] = is_placed.map({True: "exact", False: "settlement"})
    is_grave = reports["offence_code"].str.startswith("03") | (reports["victims_children"] > 0)
    reports["handling"] = is_grave.map({True: "STRICTLY_CONFIDENTIAL", False: "CONFIDENTIAL"})
    return reports


def heard(world: World, told: Habits, rng: np.random.Generator) -> pd.DataFrame:
    """The events that a service heard of, or as many of other months."""
    import numpy as np
    import pandas as pd

    events = world.events[world.events["country"] == told.country]
    if told.past is None:
        events = events[events[f"is_told_by_{told.told_by}"]]
        if told.area:
            chance = world.rng("police or gendarmerie").random(len(world.events))[events.index]
            is_town = chance < np.where(events["kind"] == "rural", 0.08, 0.72)
            events = events[is_town == (told.area == "town")]
        return events.reset_index(drop=True)
    first_day, days, count = told.past
    size = min(len(events), world.count(count))
    old = events.iloc[rng.permutation(len(events))[:size]].reset_index(drop=True)
    minutes = pd.to_timedelta(rng.integers(0, days * 24 * 60, size), unit="m")
    moments = pd.Series(pd.Timestamp(first_day) + minutes).astype("datetime64[us]")
    twice = moments.dt.floor("h") == pd.Timestamp(AMBIGUOUS_HOUR)
    old["occurred_local"] = moments - pd.to_timedelta(twice * 2, unit="h")
    old["event_id"] = f"{told.country}-H" + pd.Series(old.index + 1).astype(str).str.zfill(6)
    return old


def report(rng: np.random.Generator, events: pd.DataFrame, told: Habits) -> pd.DataFrame:
    """The reports of `events`: occurred_at, reported_at and occurred_until by the local clock."""
    import numpy as np

    reports = events.drop(columns=["occurred_at", "time_zone"], errors="ignore")
    reports = reports.rename(columns={"occurred_local": "occurred_at"})
    _tell_times(rng, reports, told)
    north, east = (reports[column].to_numpy() for column in ("latitude_deg", "longitude_deg"))
    north, east = jitter(rng, north, east, told.jitter_km)
    is_placed = rng.random(len(reports)) < told.share_positioned
    reports["latitude_deg"] = np.where(is_placed, north, np.nan)
    reports["longitude_deg"] = np.where(is_placed, east, np.nan)
    _recount(rng, reports, told)
    reports["incident_status"] = _status(rng, reports)
    return reports.sort_values("reported_at", kind="stable", ignore_index=True)


def _tell_times(rng: np.random.Generator, reports: pd.DataFrame, told: Habits) -> None:
    import numpy as np
    import pandas as pd

    size = len(reports)
    steps, shares = (
        np.array(list(part)) for part in zip(*told.rounding_minutes.items(), strict=True)
    )
    step = rng.choice(steps.astype(int), size, p=shares / shares.sum())
    minute = reports["occurred_at"].astype("datetime64[s]").astype("int64") // 60
    known = pd.to_datetime((minute // step) * step * 60, unit="s").astype("datetime64[us]")
    is_timed = rng.random(size) >= told.share_day_only
    reports["occurred_at"] = known.where(is_timed, known.dt.normalize())
    precision = np.where(known.dt.minute == 0, "hour", "minute")
    reports["occurred_at_precision"] = np.where(is_timed, precision, "day")
    delay_minutes = 10 + (rng.lognormal(np.log(told.median_delay_h), 0.9, size) * 60).astype(int)
    later = known + pd.to_timedelta(delay_minutes, unit="m")
    later = later.where(later <= pd.Timestamp(LAST_REPORT), known + pd.Timedelta(minutes=5))
    reports["reported_at"] = later.astype("datetime64[us]")
    lasts = pd.Series(pd.to_timedelta(rng.integers(1, 5, size), unit="D"), reports.index)
    until = (reports["occurred_at"] + lasts).where(rng.random(size) < told.share_with_end)
    reports["occurred_until"] = until.astype("datetime64[us]")


def _recount(rng: np.random.Generator, reports: pd.DataFrame, told: Habits) -> None:
    """Another count of victims and suspects by one, in a share of the reports, still consistent."""
    import numpy as np

    size, share = len(reports), told.share_recounted
    is_other = (rng.random(size) < share) & (reports["victims_total"] > 0).to_numpy()
    step = np.where(is_other, 1, 0)
    is_male = rng.random(size) < 0.6
    reports["victims_total"] += step
    reports["victims_male"] += np.where(is_male, step, 0)
    reports["victims_female"] += np.where(is_male, 0, step)
    hurt = reports["injured_total"].to_numpy() > 0
    reports["injured_total"] += np.where(is_other & hurt & (rng.random(size) < 0.6), 1, 0)
    reports["suspects_total"] += np.where(rng.random(size) < share, 1, 0)
    doubt = (rng.random(size) < told.share_in_doubt) & (reports["killed_total"] > 0)
    reports["killed_low"] = reports["killed_total"] - doubt * rng.integers(0, 2, size)
    reports["killed_high"] = reports["killed_total"] + doubt * rng.integers(0, 3, size)


def _status(rng: np.random.Generator, reports: pd.DataFrame) -> Any:
    import numpy as np

    open_codes = ["reported", "under_investigation", "closed_unsolved", "verified"]
    chance = rng.random(len(reports))
    without_arrest = np.select(
        [chance < 0.45, chance < 0.85, chance < 0.95], open_codes[:3], open_codes[3]
    )
    with_arrest = np.where(chance < 0.5, "prosecution", "under_investigation")
    return np.where(reports["arrested_total"] > 0, with_arrest, without_arrest)
