"""How services tell events: late, rounded, in their own words, never contradicting themselves."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from pipelines.demo.telling import Habit, say, tell
from pipelines.demo.world import World, build_world
from pipelines.demo.writer import FEEDS
from schemas.feed import load_feed

INCIDENT_FEEDS = [feed for feed in FEEDS if load_feed(feed).table == "incidents"]


@pytest.fixture(scope="module")
def world() -> World:
    return build_world()


def test_reports_come_after_the_event_and_stay_consistent(world: World) -> None:
    habit = Habit(share_day_only=0.2, share_positioned=0.5, jitter_km=1, share_recounted=0.5)
    reports = tell(world, "COD", "mission", habit, "test")
    assert (reports["reported_at"] > reports["occurred_at"]).all()
    women_and_men = reports["victims_female"] + reports["victims_male"]
    assert (women_and_men == reports["victims_total"]).all()
    assert (reports["killed_total"] + reports["injured_total"] <= reports["victims_total"]).all()
    assert 0.15 < 1 - reports["is_timed"].mean() < 0.25
    assert 0.4 < reports["latitude_deg"].notna().mean() < 0.6


def test_police_and_mission_tell_some_of_the_same_events(world: World) -> None:
    police = tell(world, "SSD", "police", Habit(), "a").set_index("event_id")
    mission = tell(world, "SSD", "mission", Habit(share_recounted=0.3), "b").set_index("event_id")
    shared = police.index.intersection(mission.index)
    assert len(shared) > 250
    gap = police.loc[shared, "occurred_at"] - mission.loc[shared, "occurred_at"]
    assert gap.abs().max() < pd.Timedelta(hours=1)
    assert gap.abs().max() > pd.Timedelta(0)
    assert (police.loc[shared, "victims_total"] != mission.loc[shared, "victims_total"]).any()


def test_a_code_without_a_word_is_told_by_the_next_broader_one() -> None:
    vocabulary = [{"source_value": "VMA", "code": "0401"}, {"source_value": "Vol", "code": "0502"}]
    codes = pd.Series(["040111", "0502", "0101"])
    spoken = say(np.random.default_rng(1), codes, vocabulary, "offences")
    assert spoken["code"].tolist() == ["0401", "0502", None]
    assert spoken["text"].tolist() == ["VMA", "Vol", None]


@pytest.mark.parametrize("feed", INCIDENT_FEEDS)
def test_each_service_has_a_word_for_each_offence_of_the_world(world: World, feed: str) -> None:
    codes = pd.Series(world.events["offence_code"].unique())
    words = load_feed(feed).crosswalk("offences")
    spoken = say(np.random.default_rng(1), codes, words, "offences")
    assert codes[spoken["text"].isna()].tolist() == []
