"""A home beside the demo, on a day of the demo, and its portal: for whatever acts in them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from fastapi import FastAPI

from pipelines.core import clock
from pipelines.core.settings import Settings
from tests.integration.releasing import NOW, home_beside
from tests.portal import make_app


@pytest.fixture(scope="module")
def day_of_the_demo() -> Iterator[None]:
    """It is a morning on which the demo's agreements are in force."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(clock, "now", lambda: NOW)
        yield


@pytest.fixture(scope="module")
def settings(demo_home: Settings, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A home of the module's own that reads the demo's tables."""
    return home_beside(demo_home, tmp_path_factory.mktemp("beside") / "home").prepare()


@pytest.fixture(scope="module")
def app(settings: Settings) -> FastAPI:
    """The portal of that home."""
    return make_app(settings)
