"""A draft that `feed check` refuses is no asset, keeps no other from loading, and is told of."""

from __future__ import annotations

import logging
import shutil

import pytest

from assets.feeds import drafts, loaded_feeds
from pipelines.authoring.guess import propose_feed
from schemas.feed import FEEDS_FOLDER

GOOD = "caf_gendarmerie_incidents"


def test_a_draft_is_not_loaded_and_the_log_says_why(
    tmp_path, caplog: pytest.LogCaptureFixture
) -> None:
    shutil.copytree(FEEDS_FOLDER / GOOD, tmp_path / GOOD)
    [sample, *_] = sorted((FEEDS_FOLDER / GOOD / "examples").iterdir())
    for name, text in (
        ("caf_new_incidents", propose_feed(sample, "incidents", "caf_new_incidents")),
        ("caf_broken_incidents", "feed: caf_broken_incidents\nversion: 1\n"),
    ):
        (tmp_path / name).mkdir()
        (tmp_path / name / "feed.yaml").write_text(text, encoding="utf-8")
    with caplog.at_level(logging.WARNING, logger="passerelle"):
        assert loaded_feeds(tmp_path) == (GOOD,)
    assert set(drafts(tmp_path)) == {"caf_new_incidents", "caf_broken_incidents"}
    for name in drafts(tmp_path):
        assert f"passerelle feed check {name}" in caplog.text


def test_every_declared_feed_is_loaded() -> None:
    assert drafts() == {}


def test_a_proposed_feed_bears_the_name_of_its_folder(tmp_path) -> None:
    [sample, *_] = sorted((FEEDS_FOLDER / GOOD / "examples").iterdir())
    assert "\nfeed: caf_x_incidents  #" in propose_feed(sample, "incidents", "caf_x_incidents")
