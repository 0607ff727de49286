"""A portal over an empty home, for tests of pages that need no data."""

from __future__ import annotations

import pytest
from fastapi import FastAPI

from pipelines.core.settings import settings_for
from tests.portal import make_app


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> FastAPI:
    """The application, in which nobody asks too often."""
    return make_app(settings_for(tmp_path_factory.mktemp("p")))
