"""The demonstration without `--every-rule`: a few mistakes, as in life, and the truth about them.

Not here: that every rule is broken where that is asked for (the truths beside this file).
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from pipelines.demo.delivery import DemoDelivery, Draft
from pipelines.demo.generator import FeedGenerator
from pipelines.demo.profile import load_profile
from pipelines.demo.world import FIRST_DAY, LAST_DAY, World, build_world
from pipelines.demo.writer import FEEDS, expected_records, feed_deliveries, labelled_truth
from tests.unit.demo.truths import assert_judged_as_meant, read_all, values_read

# One of each kind: the truths beside this file hold every fault of every feed.
JUDGED = ["cod_pnc_incidents", "caf_border_crossings", "unpol_border_seizures", "lcm_support_needs"]
WITH_POSTS = [feed for feed in FEEDS if load_profile(feed).weak_post]
# The day of a record, by table; pledges are made at a few conferences, months of any other table
# are those of the world.
DAYS = dict.fromkeys(("incidents", "border_crossings", "border_flows", "seizures"), "occurred_on")
DAYS |= dict.fromkeys(("support_offers", "support_needs"), "declared_on")
DAYS |= {"deployments": "reporting_month"}


@pytest.fixture(scope="module")
def world() -> World:
    return build_world()


@pytest.fixture(scope="module")
def sent(world: World) -> dict[str, list[DemoDelivery]]:
    return {feed: feed_deliveries(world, feed) for feed in FEEDS}


@pytest.fixture(scope="module")
def truth(sent: dict[str, list[DemoDelivery]]) -> pd.DataFrame:
    every = [labelled_truth(one) for some in sent.values() for one in some]
    return pd.concat(every, ignore_index=True)


def test_few_rows_are_rejected(truth: pd.DataFrame) -> None:
    is_rejected = truth["verdict"] == "quarantined"
    assert 0.03 < is_rejected.mean() < 0.06
    shares = is_rejected.groupby(truth["feed"]).mean()
    assert set(shares.index) == set(FEEDS)
    assert shares.between(0.005, 0.12).all(), shares


def test_the_causes_are_those_of_the_profile(truth: pd.DataFrame) -> None:
    rows = truth.explode("rule_codes").dropna(subset="rule_codes")
    for feed, codes in rows.groupby("feed")["rule_codes"]:
        assert set(codes) == set(load_profile(str(feed)).faults), feed


@pytest.mark.parametrize("feed", WITH_POSTS)
def test_one_post_is_clearly_worse_than_the_others(world: World, feed: str) -> None:
    generator = FeedGenerator(feed)
    draft = Draft(generator.writer, generator.records(world))
    is_weak = pd.Series(draft.weights() > 1)
    draft.inject(generator.faults.usual(), world.rng(f"{feed} post"))
    is_wrong = draft.codes.str.len() > 0
    assert 0.01 < is_weak.mean() < 0.12
    assert is_wrong[is_weak].mean() > 2.5 * is_wrong[~is_weak].mean()


def test_every_month_is_full_to_its_last_day(truth: pd.DataFrame) -> None:
    months = pd.period_range(FIRST_DAY, LAST_DAY, freq="M")
    records = expected_records(truth[~truth["is_withdrawn"].astype(bool)])
    for table, column in DAYS.items():
        days = pd.to_datetime(records.loc[records["table_name"] == table, column])
        counts = days.dt.to_period("M").value_counts().reindex(months, fill_value=0)
        assert counts.min() > 0.5 * counts.mean(), f"{table}\n{counts}"
        if column == "occurred_on":  # of those, each day has some
            assert (days >= pd.Timestamp(LAST_DAY)).any(), table


@pytest.mark.parametrize("feed", JUDGED)
def test_every_row_is_judged_and_read_as_meant(
    sent: dict[str, list[DemoDelivery]], feed: str, tmp_path: Path
) -> None:
    read = read_all(sent[feed], tmp_path)
    assert_judged_as_meant(read)
    for delivery, _columns, wrong in values_read(read):
        assert not wrong, delivery.file_name


def test_any_scale_will_do() -> None:
    """Where every rule is broken, each needs a row; a few usual mistakes may be absent."""
    small = build_world(scale=0.01)
    assert all(feed_deliveries(small, feed) for feed in FEEDS)


def test_a_usual_fault_breaks_one_rule_and_has_the_share_of_the_profile() -> None:
    for feed in FEEDS:
        generator = FeedGenerator(feed)
        shares = {fault.codes: fault.share for fault in generator.faults.usual()}
        assert shares == {(c,): percent / 100 for c, percent in load_profile(feed).faults.items()}


def test_a_rule_that_no_fault_breaks_alone_cannot_be_usual() -> None:
    generator = FeedGenerator("cod_pnc_incidents")
    generator.faults.profile = generator.profile.model_copy(update={"faults": {"INC-301": 1.0}})
    with pytest.raises(KeyError):
        generator.faults.usual()
