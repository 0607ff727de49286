"""Registers of the demo and their truth: the same bytes each time, every rule hit, and read right.

Not here: the feeds of incidents and of borders (`test_border_truth.py`), and publishing.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from pipelines.demo.delivery import DemoDelivery
from pipelines.demo.world import build_world
from pipelines.demo.writer import FEEDS, feed_deliveries
from pipelines.harmonise.run import Harmonised, harmonise_file
from pipelines.settings import settings_for
from schemas.contract import load_contract
from schemas.feed import load_feed
from tests.unit.demo.test_border_truth import different, judged

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
def read(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> list[tuple[DemoDelivery, Harmonised]]:
    place = tmp_path_factory.mktemp(request.param)
    settings = settings_for(place / "home").prepare()
    done = []
    for delivery in feed_deliveries(build_world(scale=0.2), request.param):
        file = place / delivery.file_name
        file.write_bytes(delivery.content)
        done.append(
            (
                delivery,
                harmonise_file(
                    settings,
                    load_feed(delivery.feed),
                    file,
                    Path(place / file.stem),
                    delivery_id=f"{delivery.feed}.demo",
                    received_at=delivery.received_at,
                ),
            )
        )
    return done


def test_every_register_is_tried() -> None:
    told = {"incidents", "border_crossings", "border_flows", "seizures"}
    assert [feed for feed in FEEDS if load_feed(feed).table not in told] == REGISTERS


def test_every_row_is_judged_as_meant(read: list[tuple[DemoDelivery, Harmonised]]) -> None:
    for delivery, done in read:
        truth = delivery.truth.set_index("source_row").sort_index()
        found = judged(done)
        assert found["verdict"].to_dict() == truth["verdict"].to_dict(), delivery.file_name
        told = truth["verdict"] != "duplicate"
        assert found.loc[told, "codes"].to_dict() == truth.loc[told, "rule_codes"].to_dict()


def test_every_accepted_value_is_read_as_meant(
    read: list[tuple[DemoDelivery, Harmonised]],
) -> None:
    for delivery, done in read:
        truth = delivery.truth[delivery.truth["verdict"] == "accepted"].set_index("source_row")
        found = pd.read_parquet(done.accepted).set_index("source_row").loc[truth.index]
        columns = [c for c in truth.columns if c in found.columns]
        assert {*load_feed(delivery.feed).map} - {"withdrawal"} <= set(columns)
        wrong = {c: different(truth[c], found[c]) for c in columns}
        assert not {c: rows for c, rows in wrong.items() if rows}, delivery.file_name


def test_every_rule_is_hit(read: list[tuple[DemoDelivery, Harmonised]]) -> None:
    hit = set(pd.concat([d.truth["rule_codes"].explode().dropna() for d, _ in read]))
    feed = load_feed(read[0][0].feed)
    contract = load_contract(feed.table)
    missed = {rule.code.partition("-")[2] for rule in contract.rules if rule.code not in hit}
    rules = {number: contract.rule(f"{contract.codes}-{number}") for number in CANNOT_BE_BROKEN}
    assert missed == {number for number, rule in rules.items() if rule.column not in feed.map}


def test_the_second_delivery_corrects_and_withdraws(
    read: list[tuple[DemoDelivery, Harmonised]],
) -> None:
    (first, _), (second, _) = read
    assert second.received_at > first.received_at
    assert set(second.truth["source_revision"]) == {2}
    assert set(second.truth["is_withdrawn"]) == {True, False}
    assert set(second.truth["verdict"]) == {"accepted"}
