"""Deliveries that break every rule, and their truth: the same bytes each time, and read right.

Not here: the deliveries of incidents (`tests/integration/test_demo_truth.py`) and publishing.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from pipelines.demo.profile import load_profiles
from pipelines.demo.world import build_world
from pipelines.demo.writer import feed_deliveries
from schemas.contract import load_contract, table_names
from schemas.feed import load_feed
from tests.unit.demo.truths import Read, assert_judged_as_meant, read_all, values_read

SCALE = 0.2
FEEDS = [feed for feed in load_profiles() if load_feed(feed).table != "incidents"]
TABLES = [table for table in table_names("data") if table != "incidents"]
# Rules that no delivery of the demonstration breaks, by code or by number, and why.
CANNOT_BE_BROKEN = {
    "301": "the source is the feed's own, never a cell",
    "304": "these feeds map no second-level areas",
    "505": "an area's name is looked up within the country",
    "506": "these feeds map no second-level areas",
    "BFL-204": "the feed sends latitude and longitude, not one position text",
    "SEI-204": "the feed sends latitude and longitude, not one position text",
    "DEP-307": "the handling is the feed's own, never a cell",
    "PLE-307": "the handling is the feed's own, never a cell",
}


@pytest.fixture(scope="module")
def read(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Read]:
    world = build_world(scale=SCALE)
    return {
        feed: read_all(
            feed_deliveries(world, feed, is_every_rule=True), tmp_path_factory.mktemp(feed)
        )
        for feed in FEEDS
    }


@pytest.mark.parametrize("feed", FEEDS)
def test_every_row_is_judged_as_meant(read: dict[str, Read], feed: str) -> None:
    assert_judged_as_meant(read[feed])


@pytest.mark.parametrize("feed", FEEDS)
def test_every_accepted_value_is_read_as_meant(read: dict[str, Read], feed: str) -> None:
    inputs = {c.name for c in load_contract(load_feed(feed).table).columns_filled_by("input")}
    for delivery, columns, wrong in values_read(read[feed]):
        assert {*load_feed(feed).map} - inputs <= set(columns)
        assert not wrong, delivery.file_name


@pytest.mark.parametrize("table", TABLES)
def test_every_rule_is_hit_by_some_feed(read: dict[str, Read], table: str) -> None:
    sent = [d for feed in FEEDS for d, _ in read[feed] if load_feed(feed).table == table]
    hit = set(pd.concat([d.truth["rule_codes"].explode().dropna() for d in sent]))
    declared = {rule.code for rule in load_contract(table).rules}
    cannot = {c for c in declared if {c, c.partition("-")[2]} & set(CANNOT_BE_BROKEN)}
    assert declared - hit == cannot


@pytest.mark.parametrize("feed", FEEDS)
def test_the_second_delivery_corrects_and_withdraws(read: dict[str, Read], feed: str) -> None:
    (first, _), (second, _) = read[feed]
    assert second.received_at > first.received_at
    assert set(second.truth["source_revision"]) == {2}
    assert set(second.truth["is_withdrawn"]) == {True, False}
    assert "quarantined" not in set(second.truth["verdict"])


def test_no_name_and_no_document_number_is_in_the_truth(read: dict[str, Read]) -> None:
    inputs = {"document_number", "vehicle_plate", "serial_number", "birth_date"}
    tokens = {"document_token", "vehicle_token", "serial_token"}
    sent = [delivery for some in read.values() for delivery, _ in some]
    assert not any((inputs | tokens) & set(delivery.truth.columns) for delivery in sent)


def test_a_delivery_is_written_where_it_is_told(read: dict[str, Read], tmp_path: Path) -> None:
    """The names are file names on every system."""
    names = [delivery.file_name for some in read.values() for delivery, _ in some]
    for name in names:
        (tmp_path / name).touch()
    assert len(list(tmp_path.iterdir())) == len(names)
