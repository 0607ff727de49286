"""One town and one browser for all journeys; skipped with a reason where there is no Chromium.

Not here: what a journey is (`walks.py`) and what is held against it (the tests).
"""

from __future__ import annotations

import pytest

from tests.journeys.browsing import CHROMIUM, chromium, town


def pytest_collection_modifyitems(items):
    """Where there is no Chromium, say so and go on."""
    if CHROMIUM.exists():
        return
    for item in items:
        if "journeys" in item.path.parts:
            item.add_marker(pytest.mark.skip(reason=f"needs {CHROMIUM} (apt-get install chromium)"))


@pytest.fixture(scope="session")
def place(demo_home, tmp_path_factory):
    """The portal that all walk through."""
    with town(tmp_path_factory.mktemp("town") / "home", demo_home.home) as found:
        yield found


@pytest.fixture(scope="session")
def browser():
    """One browser; each visitor has a window of their own in it."""
    with chromium() as found:
        yield found
