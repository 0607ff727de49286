"""Every declared feed does what its folder says: examples pass, counterexamples raise their code.

Not here: how a feed is compiled (`tests/unit/harmonise`) and the checker (`tests/unit/authoring`).
"""

from __future__ import annotations

import pytest

from pipelines.authoring.check import check_feed
from pipelines.core.settings import Settings, settings_for
from schemas.feed import FEEDS_FOLDER, feed_names, load_feed

FEEDS = feed_names()


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return settings_for(tmp_path_factory.mktemp("feeds")).prepare()


@pytest.mark.parametrize("name", FEEDS)
def test_feed_does_what_its_folder_says(settings: Settings, name: str) -> None:
    wrong = [
        f"{result.path.name}: {problem}"
        for result in check_feed(settings, FEEDS_FOLDER / name)
        for problem in result.problems
    ]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("name", FEEDS)
def test_a_layout_that_is_not_public_says_illustrative(name: str) -> None:
    feed = load_feed(name)
    assert feed.status == ("public" if name == "ucdp_ged_incidents" else "illustrative")
    if feed.status == "illustrative":
        assert feed.notes is not None
        assert "llustrative" in feed.notes.en
        assert "llustrati" in feed.notes.fr


def test_no_feed_copies_the_real_events() -> None:
    """The UCDP examples are synthetic: their ids are out of the range that UCDP uses."""
    for path in load_feed("ucdp_ged_incidents").examples():
        assert "Synthetic" in path.read_text(encoding="utf-8")
