"""Local time of a place and UTC, both ways; and the time zone of each record's place.

Not here: how the pipeline does it (`pipelines/harmonise/timezones.py`), another program on purpose.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from schemas.codelist import load_codelist

if TYPE_CHECKING:
    import pandas as pd


def to_utc(local: pd.Series, zone: pd.Series) -> pd.Series:
    """Naive wall-clock times to naive UTC, by the zone of each; NaT stays NaT."""
    import pandas as pd

    utc = pd.Series(pd.NaT, index=local.index, dtype="datetime64[us]")
    for name in zone.dropna().unique():
        here = zone == name
        aware = local[here].dt.tz_localize(name, ambiguous="NaT", nonexistent="shift_forward")
        utc[here] = aware.dt.tz_convert("UTC").dt.tz_localize(None).astype("datetime64[us]")
    return utc


def from_utc(utc: pd.Series, zone: str) -> pd.Series:
    """Naive UTC to the wall clock of one zone."""
    local: pd.Series = utc.dt.tz_localize("UTC").dt.tz_convert(zone).dt.tz_localize(None)
    return local.astype("datetime64[us]")


def area_zones(records: pd.DataFrame) -> pd.Series:
    """The time zone of each record: of its area, or of its country if that has one, or UTC."""
    country = records["country"].map(zones("countries"))
    area = records["admin1_code"].map(zones("admin_areas"))
    found: pd.Series = area.fillna(country).fillna("UTC")
    return found


@cache
def zones(codelist: str) -> dict[str, str]:
    """The time zone of each code of a list that has one."""
    return {row["code"]: row["time_zone"] for row in load_codelist(codelist) if row["time_zone"]}
