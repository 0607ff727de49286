"""A feed read backwards: what is written from records is read back as the same values.

Not here: records that are wrong (`test_truth.py`).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml

from pipelines.demo.cells import at_random
from pipelines.demo.delivery import DemoDelivery, Draft
from pipelines.demo.generator import FeedGenerator
from pipelines.demo.profile import Profile, load_profile, load_profiles
from pipelines.demo.world import World, build_world
from schemas.feed import load_feed
from tests.unit.demo.truths import assert_judged_as_meant, read_all, values_read


@pytest.fixture(scope="module")
def world() -> World:
    return build_world(scale=0.05)


def right_delivery(generator: FeedGenerator, world: World) -> DemoDelivery:
    draft = Draft(generator.writer, generator.records(world))
    return generator.delivery(draft, generator.profile.shipments[1], world.rng("right"))


def assert_read_back(delivery: DemoDelivery, place: Path, feed: Any = None) -> None:
    read = read_all([delivery], place, feed)
    assert_judged_as_meant(read)
    assert set(delivery.truth["verdict"]) <= {"accepted", "duplicate"}
    [(_, columns, wrong)] = values_read(read)
    assert len(columns) > 6
    assert wrong == {}


@pytest.mark.parametrize("feed", load_profiles())
def test_what_is_written_from_records_is_read_back(world: World, feed: str, tmp_path: Path) -> None:
    assert_read_back(right_delivery(FeedGenerator(feed), world), tmp_path)


# Another service, of which nothing but feed.yaml and the profile says how it writes.
OTHER_FORMS: list[dict[str, Any]] = [
    {
        "file": {"format": "csv", "encoding": "utf-16", "delimiter": "|"},
        "decimal": ",",
        "dates": ["%Y/%m/%d %Hh%M", "%Y/%m/%d"],
        "point": {"position": {"from": ["X", "Y"], "notation": "dms"}},
    },
    {
        "file": {"format": "xlsx", "header_rows": [3], "sheets": ".*"},
        "dates": ["%d %b %Y %H:%M", "%d %b %Y"],
        "point": {"position": {"from": "Grid", "notation": "mgrs"}},
    },
    {
        "file": {"format": "ndjson"},
        "dates": ["%Y-%m-%dT%H:%M%z", "%Y-%m-%d"],
        "point": {"position": {"from": ["Zone", "E", "N"], "notation": "utm"}},
    },
    {
        "file": {"format": "json", "records": "$.a.b"},
        "dates": ["%m-%d-%Y %H:%M", "%m-%d-%Y"],
        "point": {"latitude_deg": {"from": "at.lat"}, "longitude_deg": {"from": "at.lon"}},
    },
]


@pytest.mark.parametrize("form", OTHER_FORMS, ids=lambda form: form["file"]["format"])
def test_a_feed_that_nobody_programmed_is_written_and_read_back(
    world: World, form: dict[str, Any], tmp_path: Path
) -> None:
    folder = tmp_path / "other_service"
    folder.mkdir()
    said = yaml.safe_load((load_feed("ssd_ssnps_incidents").folder / "feed.yaml").read_text())
    for name in ("as_of", "skip_rows", "corrections"):
        said.pop(name, None)
    mapped = {
        "source_record_id": {"from": "Number"},
        "country": {"value": "SSD"},
        "admin1_code": {"from": "State"},
        "place_text": {"from": ["Village", "Town"], "join": " - "},
        "occurred_at": {"from": "Seen", "time_zone": "place"},
        "reported_at": {"from": "Told", "time_zone": "Africa/Kinshasa"},
        "offence_code": {"from": "What"},
        "offence_text": {"from": "What"},
        "victims_total": {"from": "How many"},
        "withdrawal": {"from": "Void"},
    }
    said |= {"feed": "other_service", "map": mapped | form.pop("point"), "ignore": {}} | form
    (folder / "feed.yaml").write_text(yaml.safe_dump(said, allow_unicode=True))
    habits = load_profile("ssd_ssnps_incidents").model_dump(exclude_defaults=True)
    cells = {"Number": "N-{row:05}", "Village": "{place_text}", "Town": "{place}"}
    habits |= {"cells": cells, "titles": (), "sheet": "", "mixed": {"reported_at"}, "words": {}}
    habits["records"] |= {"share_positioned": 0.6}
    generator = FeedGenerator(folder, Profile.model_validate(habits))
    assert_read_back(right_delivery(generator, world), tmp_path, load_feed(folder))


def test_a_record_is_written_in_the_same_way_each_time(world: World) -> None:
    generator = FeedGenerator("caf_police_incidents")
    records = generator.records(world)
    some = records.sample(frac=0.5, random_state=1)
    pd.testing.assert_frame_equal(
        generator.writer.cells(some), generator.writer.cells(records).loc[some.index]
    )


def test_every_form_is_used_where_several_are(world: World) -> None:
    cells = FeedGenerator("caf_police_incidents").writer
    records = FeedGenerator("caf_police_incidents").records(world)
    told = cells.cells(records)["Dates / Plainte"]
    texts = told[told.map(lambda value: isinstance(value, str))]
    assert 0.3 < 1 - len(texts) / len(told) < 0.9  # the others are dates of the workbook
    assert texts.str.contains("h").any()
    assert texts.str.contains(":").any()


def test_numbers_at_random_are_even_and_another_purpose_draws_others() -> None:
    rows = np.arange(1, 4001)
    drawn = at_random(rows, "a", 4)
    assert all(abs((drawn == one).mean() - 0.25) < 0.03 for one in range(4))
    assert 0.2 < (drawn == at_random(rows, "b", 4)).mean() < 0.3
