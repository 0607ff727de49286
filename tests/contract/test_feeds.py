"""Every declared feed does what its folder says: examples pass, counterexamples raise their code.

Not here: how a feed is compiled (`tests/unit/harmonise`) and the checker (`tests/unit/authoring`).
"""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.authoring.check import check_feed
from pipelines.core.settings import Settings, settings_for
from schemas.codelist import codes
from schemas.feed import FEEDS_FOLDER, feed_names, load_feed

FEEDS = feed_names()
OF_THE_ISSUE = {
    "caf_police_incidents",
    "caf_gendarmerie_incidents",
    "cod_pnc_incidents",
    "ssd_ssnps_incidents",
    "minusca_unpol_incidents",
    "monusco_unpol_incidents",
    "unmiss_unpol_incidents",
    "caf_border_crossings",
    "cod_dgm_border_crossings",
    "ssd_immigration_border_crossings",
    "iom_dtm_border_flows",
    "unpol_border_seizures",
    "ucdp_ged_incidents",
    "dpo_police_deployments",
    "lcm_support_offers",
    "lcm_support_needs",
    "dpo_capability_pledges",
}


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return settings_for(tmp_path_factory.mktemp("feeds")).prepare()


def test_the_feeds_of_the_design_are_declared() -> None:
    assert set(FEEDS) >= OF_THE_ISSUE


@pytest.mark.parametrize("name", FEEDS)
def test_feed_does_what_its_folder_says(settings: Settings, name: str) -> None:
    wrong = [
        f"{result.path.name}: {problem}"
        for result in check_feed(settings, FEEDS_FOLDER / name)
        for problem in result.problems
    ]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("name", FEEDS)
def test_feed_has_words_in_both_languages(name: str) -> None:
    feed = load_feed(name)
    pairs = [feed.title, *feed.ignore.values(), *([feed.notes] if feed.notes else [])]
    assert all(pair.en.strip() and pair.fr.strip() for pair in pairs)
    assert feed.source in codes("sources")


@pytest.mark.parametrize("name", FEEDS)
def test_a_layout_that_is_not_public_says_illustrative(name: str) -> None:
    feed = load_feed(name)
    assert feed.status == ("public" if name == "ucdp_ged_incidents" else "illustrative")
    if feed.status == "illustrative":
        assert feed.notes is not None
        assert "llustrative" in feed.notes.en
        assert "llustrati" in feed.notes.fr


def test_feeds_have_no_python() -> None:
    assert not list(Path(FEEDS_FOLDER).rglob("*.py"))


def test_no_feed_copies_the_real_events() -> None:
    """The UCDP examples are synthetic: their ids are out of the range that UCDP uses."""
    for path in load_feed("ucdp_ged_incidents").examples():
        assert "Synthetic" in path.read_text(encoding="utf-8")
