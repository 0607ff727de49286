"""The shipped feeds: the standard tests of feeds, and what these alone promise."""

from __future__ import annotations

import pytest

from pipelines.authoring.suite import feed_tests
from schemas.feed import FEEDS_FOLDER, feed_names, load_feed

FEEDS = feed_names()


test_feed_does_what_its_folder_says = feed_tests(FEEDS_FOLDER)


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
