"""The standard tests of feeds as somebody uses them who keeps feeds outside this repository."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from pipelines.authoring.suite import feed_tests
from schemas.feed import FEEDS_FOLDER

pytest_plugins = ["pytester"]

THREE_LINES = """
from pathlib import Path
from pipelines.authoring.suite import feed_tests
test_feed = feed_tests(Path(__file__).parent)
"""
FAMILIES = "".join(f"  {family}xx: {{en: for brevity, fr: par souci}}\n" for family in range(2, 7))


def test_a_repository_of_feeds_tests_them_in_three_lines(pytester: pytest.Pytester) -> None:
    good, bad = pytester.path / "mission_events", pytester.path / "mission_draft"
    model = FEEDS_FOLDER / "ucdp_ged_incidents"
    shutil.copytree(model, good, ignore=shutil.ignore_patterns("*examples"))
    for file in (
        *("examples/without_hxl_row.csv", "examples/features.geojson"),
        "counterexamples/INC-101_no_id.csv",
    ):
        (good / file).parent.mkdir(exist_ok=True)
        shutil.copy(model / file, good / file)
    text = (good / "feed.yaml").read_text(encoding="utf-8")
    text = text.replace("feed: ucdp_ged_incidents", "feed: mission_events")
    text += f"no_counterexample:\n{FAMILIES}"
    (good / "feed.yaml").write_text(text, encoding="utf-8")
    bad.mkdir()
    (bad / "feed.yaml").write_text("feed: mission_draft\n", encoding="utf-8")
    (pytester.path / "test_feeds.py").write_text(THREE_LINES, encoding="utf-8")
    result = pytester.runpytest_subprocess("-p", "no:cacheprovider", "-n", "0", "-v")
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["*test_feed?mission_events?*PASSED*"])
    result.stdout.fnmatch_lines(["*feed.yaml:1: CON-104: “version” is missing here.*"])


def test_a_folder_without_feeds_does_not_pass_for_nothing(tmp_path: Path) -> None:
    test_feed = feed_tests(tmp_path)
    [mark] = test_feed.pytestmark
    [(place,)] = [one.values for one in mark.args[1]]
    with pytest.raises(AssertionError, match=r"There is no feed\.yaml in this folder"):
        test_feed(place, tmp_path)
