"""A draft that `feed check` refuses is no asset, keeps no other from loading, and is told of."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from assets import feeds
from pipelines.authoring.guess import propose_feed
from schemas.feed import FEEDS_FOLDER, VARIABLE

GOOD, COPY = "caf_gendarmerie_incidents", "mis_gendarmerie_incidents"


@pytest.fixture(autouse=True)
def anew() -> Iterator[None]:
    """What Dagster knows of feeds is looked up once a process."""
    known = (feeds.drafts, feeds.loaded_feeds, feeds.folders_at_fault)
    for one in known:
        one.cache_clear()
    yield
    for one in known:
        one.cache_clear()


def test_a_draft_is_not_loaded_and_the_log_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv(VARIABLE, f"{tmp_path}:{tmp_path / 'nowhere'}")
    shutil.copytree(FEEDS_FOLDER / GOOD, tmp_path / COPY)
    text = (tmp_path / COPY / "feed.yaml").read_text(encoding="utf-8")
    [sample, *_] = sorted((FEEDS_FOLDER / GOOD / "examples").iterdir())
    for name, said in (
        (COPY, text.replace(f"feed: {GOOD}", f"feed: {COPY}")),
        ("mis_new_incidents", propose_feed(sample, "incidents", "mis_new_incidents")),
        ("mis_broken_incidents", "feed: mis_broken_incidents\nversion: 1\n"),
    ):
        (tmp_path / name).mkdir(exist_ok=True)
        (tmp_path / name / "feed.yaml").write_text(said, encoding="utf-8")
    with caplog.at_level(logging.WARNING, logger="passerelle"):
        loaded = feeds.loaded_feeds()
        [folder] = feeds.folders_at_fault()
    assert {GOOD, COPY} <= set(loaded)
    assert set(feeds.drafts()) == {"mis_new_incidents", "mis_broken_incidents"}
    assert not set(feeds.drafts()) & set(loaded)
    for name in feeds.drafts():
        assert f"passerelle feed check {name}" in caplog.text
    assert folder.startswith("CON-601")
    assert folder in caplog.text


def test_every_declared_feed_is_loaded() -> None:
    assert feeds.drafts() == {}
    assert feeds.folders_at_fault() == []


def test_a_proposed_feed_bears_the_name_of_its_folder() -> None:
    [sample, *_] = sorted((FEEDS_FOLDER / GOOD / "examples").iterdir())
    assert "\nfeed: caf_x_incidents  #" in propose_feed(sample, "incidents", "caf_x_incidents")
