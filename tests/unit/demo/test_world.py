"""The synthetic world: the same for the same seed, plausible, and consistent in each event."""

from __future__ import annotations

import pandas as pd
import pytest

from pipelines.demo.world import World, build_world, generator, jitter, to_utc
from schemas.codelist import codes


@pytest.fixture(scope="module")
def world() -> World:
    return build_world()


def test_same_seed_gives_the_same_events(world: World) -> None:
    pd.testing.assert_frame_equal(world.events, build_world().events)


def test_another_seed_gives_other_events(world: World) -> None:
    assert not world.events["occurred_at"].equals(build_world(seed=1).events["occurred_at"])


def test_scale_multiplies_the_events(world: World) -> None:
    assert len(build_world(scale=3).events) == 3 * len(world.events)


def test_people_add_up(world: World) -> None:
    events = world.events
    assert (events["victims_female"] + events["victims_male"] == events["victims_total"]).all()
    assert (events["killed_total"] + events["injured_total"] <= events["victims_total"]).all()
    assert (events["victims_children"] <= events["victims_total"]).all()
    assert (events["arrested_total"] <= events["suspects_total"]).all()
    assert (events.loc[events["offence_code"] == "0101", "killed_total"] > 0).all()


def test_events_lie_in_the_six_months_and_are_all_told(world: World) -> None:
    local = world.events["occurred_local"]
    assert local.min() >= pd.Timestamp("2026-05-01")
    assert local.max() < pd.Timestamp("2026-11-01")
    assert (world.events["is_told_by_police"] | world.events["is_told_by_mission"]).all()
    both = world.events["is_told_by_police"] & world.events["is_told_by_mission"]
    assert 0.30 < both.mean() < 0.40


def test_sensitive_events_are_rare(world: World) -> None:
    is_sensitive = world.events["offence_code"].str.startswith("03")
    is_sensitive |= world.events["victims_children"] > 0
    assert 0.02 < is_sensitive.mean() < 0.15


@pytest.mark.parametrize(
    ("column", "codelist"),
    [
        ("offence_code", "offences"),
        ("perpetrator_kind", "perpetrator_kinds"),
        ("weapon_kind", "weapon_kinds"),
        ("admin1_code", "admin_areas"),
        ("country", "countries"),
    ],
)
def test_codes_are_declared(world: World, column: str, codelist: str) -> None:
    assert set(world.events[column]) <= set(codes(codelist))


def test_congo_has_two_time_zones(world: World) -> None:
    zones = world.events.loc[world.events["country"] == "COD", "time_zone"].unique()
    assert sorted(zones) == ["Africa/Kinshasa", "Africa/Lubumbashi"]


def test_local_time_to_utc_follows_the_clock_change_of_juba() -> None:
    local = pd.Series(pd.to_datetime(["2021-01-31 12:00", "2021-02-01 12:00"]))
    utc = to_utc(local, pd.Series(["Africa/Juba"] * 2))
    assert utc.dt.hour.tolist() == [9, 10]


def test_jitter_stays_within_its_radius() -> None:
    rng = generator(1, "test")
    north, east = jitter(rng, pd.Series([5.0] * 500), pd.Series([20.0] * 500), 2.0)
    distance_km = (((north - 5) * 111.2) ** 2 + ((east - 20) * 111.2 * 0.9962) ** 2) ** 0.5
    assert distance_km.max() <= 2.001
    assert distance_km.max() > 1.5
