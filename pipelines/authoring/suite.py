"""The standard tests of feeds, for pytest: what `passerelle feed check` says, a test for each feed.

Whoever keeps feeds outside this repository has in a `test_feeds.py` beside them:

    from pathlib import Path
    from pipelines.authoring.suite import feed_tests

    test_feed = feed_tests(Path(__file__).parent)
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from pipelines.authoring.check import check_feed
from pipelines.core.settings import settings_for


def feed_tests(*folders: Path) -> Callable[[Path, Path], None]:
    """A test of each feed in these folders (all that there are, without a folder).

    It fails with a sentence for everything that is wrong. A folder in which there is no feed fails
    too, since its tests would else pass for nothing. Needs pytest.
    """
    import pytest

    from schemas.feed import feed_folders

    places = [
        pytest.param(place.parent, id=place.parent.name)
        for folder in folders or feed_folders()
        for place in sorted(folder.glob("*/feed.yaml")) or [folder / "*" / "feed.yaml"]
    ]

    @pytest.mark.parametrize("folder", places)
    def test_feed(folder: Path, tmp_path: Path) -> None:
        wrong = [
            f"{one.path.name}: {problem}"
            for one in check_feed(settings_for(tmp_path).prepare(), folder)
            for problem in one.problems
        ]
        assert not wrong, "\n".join(wrong)  # noqa: S101  (a test)

    return test_feed
