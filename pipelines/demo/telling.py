"""How one service tells the events it heard of: late, rounded, nearby, with its own words.

Not here: the events (`world.py`) and the layout in which a service writes them (a module a feed).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from pipelines.demo.world import World, jitter, to_utc

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

LAST_REPORT = "2026-10-31 23:50"


@dataclass(frozen=True)
class Habit:
    """How a service tells: shares are of its reports, times in the unit of their name."""

    rounding_minutes: Mapping[int, float] = field(
        default_factory=lambda: {1: 0.25, 5: 0.35, 15: 0.2, 30: 0.2}
    )
    share_day_only: float = 0.0
    share_positioned: float = 0.0
    jitter_km: float = 0.0
    share_recounted: float = 0.0
    median_delay_h: float = 6.0


def tell(
    world: World, country: str, teller: Literal["police", "mission"], habit: Habit, purpose: str
) -> pd.DataFrame:
    """The reports of one teller about the events of `country`, in order of reporting.

    Columns are those of the incidents table as the teller believes them (occurred_at and
    reported_at in UTC), with event_id, place, kind, occurred_local, reported_local and is_timed.
    """
    rng = world.rng(purpose)
    events = world.events
    heard = events[(events["country"] == country) & events[f"is_told_by_{teller}"]]
    return retell(rng, heard.reset_index(drop=True), habit)


def retell(rng: np.random.Generator, events: pd.DataFrame, habit: Habit) -> pd.DataFrame:
    """The reports of `events` by `habit`; see `tell`."""
    import numpy as np

    reports = events.copy()
    _tell_time(rng, reports, habit)
    latitude, longitude = jitter(
        rng,
        reports["latitude_deg"].to_numpy(),
        reports["longitude_deg"].to_numpy(),
        habit.jitter_km,
    )
    is_positioned = rng.random(len(reports)) < habit.share_positioned
    reports["latitude_deg"] = np.where(is_positioned, latitude, np.nan)
    reports["longitude_deg"] = np.where(is_positioned, longitude, np.nan)
    _recount(rng, reports, habit.share_recounted)
    reports["incident_status"] = _status(rng, reports)
    reports["is_withdrawn"] = False
    return reports.sort_values("reported_local", kind="stable", ignore_index=True)


def set_times(reports: pd.DataFrame) -> pd.DataFrame:
    """Recompute the UTC columns after a local one has changed; returns the same frame."""
    targets = {"occurred": "occurred_at", "reported": "reported_at", "until": "occurred_until"}
    for what, target in targets.items():
        if f"{what}_local" in reports:
            reports[target] = to_utc(reports[f"{what}_local"], reports["time_zone"])
    return reports


def set_until(rng: np.random.Generator, reports: pd.DataFrame, share: float) -> None:
    """Give a share of the reports an end, one to four days later (`until_local`)."""
    import pandas as pd

    days = pd.Series(pd.to_timedelta(rng.integers(1, 5, len(reports)), unit="D"))
    has_end = rng.random(len(reports)) < share
    until = reports["occurred_local"] + days.set_axis(reports.index)
    reports["until_local"] = until.where(has_end).astype("datetime64[us]")
    set_times(reports)


def say(
    rng: np.random.Generator, codes: pd.Series, vocabulary: list[dict[str, str]], codelist: str
) -> pd.DataFrame:
    """A word of the feed's own for each code, and the code that the word means.

    `vocabulary` is a crosswalk of the feed (`source_value`, `code`): the nearest of the code
    itself and its broader codes that has a word is used, any of its words being as likely.
    Returns columns `text` and `code`, both None where the feed has no word.
    """
    import pandas as pd

    words: dict[str, list[str]] = {}
    for row in vocabulary:
        words.setdefault(row["code"], []).append(row["source_value"])
    spoken = pd.DataFrame({"text": None, "code": None}, index=codes.index, dtype=object)
    for code in codes.dropna().unique():
        meant = next((c for c in _line(codelist, code) if c in words), None)
        if meant is not None:
            here = codes.index[codes == code]
            spoken.loc[here, "text"] = rng.choice(words[meant], len(here))
            spoken.loc[here, "code"] = meant
    return spoken


def without_coincidences(reports: pd.DataFrame, *keys: str) -> pd.DataFrame:
    """Leave out reports that would look like another one told twice; tests need no such luck."""
    told = ["occurred_at", "admin1_code", "offence_code", "victims_total", "suspects_total", *keys]
    return reports.drop_duplicates(told, ignore_index=True)


def numbered(prefix: Any, numbers: Any, width: int = 4) -> pd.Series:
    """Record numbers such as `MC/0042`, from a prefix (text or texts) and whole numbers."""
    import pandas as pd

    texts: pd.Series = prefix + pd.Series(numbers).astype(int).astype(str).str.zfill(width)
    return texts


def _line(codelist: str, code: str) -> list[str]:
    """A code and its broader codes, nearest first."""
    from schemas.codelist import load_codelist

    parents = {row["code"]: row["parent"] for row in load_codelist(codelist)}
    line = [code]
    while parents.get(line[-1]):
        line.append(parents[line[-1]])
    return line


def _tell_time(rng: np.random.Generator, reports: pd.DataFrame, habit: Habit) -> None:
    import numpy as np
    import pandas as pd

    size = len(reports)
    steps = np.array(list(habit.rounding_minutes))
    shares = np.array(list(habit.rounding_minutes.values()))
    step = rng.choice(steps, size, p=shares / shares.sum())
    minute = reports["occurred_local"].astype("datetime64[s]").astype("int64") // 60
    told = pd.to_datetime((minute // step) * step * 60, unit="s").astype("datetime64[us]")
    reports["is_timed"] = rng.random(size) >= habit.share_day_only
    reports["occurred_local"] = told.where(reports["is_timed"], told.dt.normalize())
    delay_minutes = 10 + (rng.lognormal(np.log(habit.median_delay_h), 0.9, size) * 60).astype(int)
    heard = told + pd.to_timedelta(delay_minutes, unit="m")
    heard = heard.where(heard <= pd.Timestamp(LAST_REPORT), told + pd.to_timedelta(5, unit="m"))
    reports["reported_local"] = heard.astype("datetime64[us]")
    set_times(reports)


def _recount(rng: np.random.Generator, reports: pd.DataFrame, share: float) -> None:
    """Another count of victims and suspects by one, in a share of the reports, still consistent."""
    import numpy as np

    size = len(reports)
    is_other = (rng.random(size) < share) & (reports["victims_total"] > 0).to_numpy()
    step = np.where(is_other, 1, 0)
    is_male = rng.random(size) < 0.6
    reports["victims_total"] += step
    reports["victims_male"] += np.where(is_male, step, 0)
    reports["victims_female"] += np.where(is_male, 0, step)
    hurt = reports["injured_total"].to_numpy() > 0
    reports["injured_total"] += np.where(is_other & hurt & (rng.random(size) < 0.6), 1, 0)
    reports["suspects_total"] += np.where(rng.random(size) < share, 1, 0)


def _status(rng: np.random.Generator, reports: pd.DataFrame) -> Any:
    import numpy as np

    open_codes = ["reported", "under_investigation", "closed_unsolved", "verified"]
    chance = rng.random(len(reports))
    without_arrest = np.select(
        [chance < 0.45, chance < 0.85, chance < 0.95], open_codes[:3], open_codes[3]
    )
    with_arrest = np.where(chance < 0.5, "prosecution", "under_investigation")
    return np.where(reports["arrested_total"] > 0, with_arrest, without_arrest)
