"""Police capabilities that countries pledge to missions; all of them are invented."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.demo.deployments import COUNTRIES, MISSIONS
from pipelines.demo.world import World

if TYPE_CHECKING:
    import pandas as pd

    from schemas.feed import Feed

PLEDGED_AT = {
    "uncops_2024": "2024-06-26",
    "ministerial_2023": "2023-12-05",
    "ministerial_2025": "2025-05-13",
    "note_verbale": "2025-02-17",
}
KINDS = (
    *("formed_police_unit", "canine_unit", "specialized_police_team", "team_forensics"),
    *("individual_police_officers", "support_without_unit"),
)
STATES = ("pledged", "under_assessment", "registered", "selected", "deployed", "expired")
LEVELS = ("level_1", "level_2", "level_3", "rapid_deployment")


def compose(world: World, feed: Feed, at_scale_1: int) -> pd.DataFrame:
    """Country by country, each pledge for another first day."""
    import numpy as np
    import pandas as pd

    rng = world.rng(f"{feed.feed} pledges")
    size = world.count(at_scale_1)
    at = pd.Series(range(size))
    found = pd.DataFrame({"contributing_country": [COUNTRIES[one % len(COUNTRIES)] for one in at]})
    chosen = rng.integers(0, len(PLEDGED_AT), size)
    found["pledge_event"] = [list(PLEDGED_AT)[one] for one in chosen]
    found["declared_on"] = pd.to_datetime(found["pledge_event"].map(PLEDGED_AT))
    found["capability_kind"] = [KINDS[one] for one in rng.integers(0, len(KINDS), size)]
    is_support = found["capability_kind"] == "support_without_unit"
    units = pd.Series(rng.integers(1, 4, size)).astype("Int64")
    found["units_count"] = units.mask(is_support).astype(object)
    found["pledge_state"] = [STATES[one] for one in rng.integers(0, len(STATES), size)]
    is_ready = found["pledge_state"].isin(["registered", "selected"])
    level = pd.Series([LEVELS[one] for one in rng.integers(0, len(LEVELS), size)])
    found["readiness_level"] = level.where(is_ready, None)
    found["is_rapidly_deployable"] = found["readiness_level"] == "rapid_deployment"
    found["language_code"] = np.where(at % 2 == 0, "fra", "eng")
    found["second_language_code"] = np.where(at % 3 == 0, "ara", "spa")
    found["available_from"] = pd.Timestamp("2026-01-05") + pd.to_timedelta(at, unit="D")
    found["available_until"] = found["available_from"] + pd.Timedelta(days=730)
    found["medical_level"] = np.where(at % 4 == 0, "level_1", "none")
    found["has_technology"] = is_support | (at % 3 == 0)
    found["has_environment"] = at % 5 == 0
    found["has_training"] = is_support | (at % 7 == 0)
    found["state_on"] = found["declared_on"] + pd.to_timedelta(rng.integers(30, 300, size), "D")
    mission = pd.Series([MISSIONS[one % len(MISSIONS)] for one in at])
    found["mission_code"] = mission.where(found["pledge_state"] == "deployed", None)
    return found
