"""How services report events: late, rounded, in their own words, never contradicting themselves."""

from __future__ import annotations

import pandas as pd
import pytest

from pipelines.demo.generator import FeedGenerator
from pipelines.demo.incidents import compose
from pipelines.demo.profile import load_profiles
from pipelines.demo.world import World, build_world
from schemas.feed import Feed, load_feed

INCIDENT_FEEDS = [feed for feed in load_profiles() if load_feed(feed).table == "incidents"]


@pytest.fixture(scope="module")
def world() -> World:
    return build_world()


@pytest.fixture(scope="module")
def feed() -> Feed:
    return load_feed("cod_pnc_incidents")


def test_reports_come_after_the_event_and_stay_consistent(world: World, feed: Feed) -> None:
    habits = {"share_day_only": 0.2, "share_positioned": 0.5, "share_recounted": 0.5}
    reports = compose(world, feed, country="COD", told_by="mission", jitter_km=1, **habits)
    assert (reports["reported_at"] > reports["occurred_at"]).all()
    women_and_men = reports["victims_female"] + reports["victims_male"]
    assert (women_and_men == reports["victims_total"]).all()
    assert (reports["killed_total"] + reports["injured_total"] <= reports["victims_total"]).all()
    assert 0.15 < (reports["occurred_at_precision"] == "day").mean() < 0.25
    assert 0.4 < reports["latitude_deg"].notna().mean() < 0.6


def test_police_and_mission_tell_some_of_the_same_events(world: World, feed: Feed) -> None:
    police, mission = (
        compose(world, feed, country="SSD", told_by=teller, share_recounted=share).set_index(
            "event_id"
        )
        for teller, share in (("police", 0.0), ("mission", 0.3))
    )
    shared = police.index.intersection(mission.index)
    assert len(shared) > 250
    gap = police.loc[shared, "occurred_at"] - mission.loc[shared, "occurred_at"]
    assert gap.abs().max() < pd.Timedelta(hours=1)
    assert (police.loc[shared, "victims_total"] != mission.loc[shared, "victims_total"]).any()


@pytest.mark.parametrize("feed_name", INCIDENT_FEEDS)
def test_each_service_has_a_word_for_each_offence_of_the_world(
    world: World, feed_name: str
) -> None:
    generator = FeedGenerator(feed_name)
    codes = pd.Series(world.events["offence_code"].unique())
    records = pd.DataFrame(dict.fromkeys(generator.writer.words), index=codes.index)
    said = generator.writer.sayable(records.assign(offence_code=codes))
    assert len(said) == len(codes)
    assert all(code.startswith(broader) for code, broader in zip(codes, said["offence_code"]))  # noqa: B905
