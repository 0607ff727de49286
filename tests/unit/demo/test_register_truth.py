"""Registers of the demo and their truth: the same bytes each time, every rule hit, and read right.

Not here: the feeds of incidents and of borders (`test_border_truth.py`), and publishing.
"""

from __future__ import annotations

import pandas as pd
import pytest

from pipelines.demo.world import build_world
from pipelines.demo.writer import FEEDS, feed_deliveries
from schemas.contract import load_contract
from schemas.feed import load_feed
from tests.unit.demo.truths import Read, assert_judged_as_meant, read_all, values_read

REGISTERS = [
    *("dpo_police_deployments", "lcm_support_offers", "lcm_support_needs"),
    "dpo_capability_pledges",
]
# Rules that no register breaks whose feed does not say the column, and why.
CANNOT_BE_BROKEN = {
    "301": "the source is the feed's own, never a cell",
    "307": "the handling is the feed's own, never a cell",
}


@pytest.fixture(scope="module", params=REGISTERS)
def read(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Read:
    deliveries = feed_deliveries(build_world(scale=0.2), request.param, is_every_rule=True)
    return read_all(deliveries, tmp_path_factory.mktemp(request.param))


def test_every_register_is_tried() -> None:
    told = {"incidents", "border_crossings", "border_flows", "seizures"}
    assert [feed for feed in FEEDS if load_feed(feed).table not in told] == REGISTERS


def test_every_row_is_judged_as_meant(read: Read) -> None:
    assert_judged_as_meant(read)


def test_every_accepted_value_is_read_as_meant(read: Read) -> None:
    for delivery, columns, wrong in values_read(read):
        assert {*load_feed(delivery.feed).map} - {"withdrawal"} <= set(columns)
        assert not wrong, delivery.file_name


def test_every_rule_is_hit(read: Read) -> None:
    hit = set(pd.concat([d.truth["rule_codes"].explode().dropna() for d, _ in read]))
    feed = load_feed(read[0][0].feed)
    contract = load_contract(feed.table)
    missed = {rule.code.partition("-")[2] for rule in contract.rules if rule.code not in hit}
    rules = {number: contract.rule(f"{contract.codes}-{number}") for number in CANNOT_BE_BROKEN}
    assert missed == {number for number, rule in rules.items() if rule.column not in feed.map}


def test_the_second_delivery_corrects_and_withdraws(
    read: Read,
) -> None:
    (first, _), (second, _) = read
    assert second.received_at > first.received_at
    assert set(second.truth["source_revision"]) == {2}
    assert set(second.truth["is_withdrawn"]) == {True, False}
    assert set(second.truth["verdict"]) == {"accepted"}
