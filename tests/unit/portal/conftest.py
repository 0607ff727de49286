"""A portal over an empty home, for tests of pages that need no data."""

from __future__ import annotations

import pytest
from fastapi import FastAPI

from pipelines.core.settings import settings_for
from pipelines.portal.app import create_app
from pipelines.portal.configuration import DEFAULT_RATES, Configuration
from tests.portal import cheap_passwords


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> FastAPI:
    """The application, in which nobody asks too often."""
    cheap_passwords()
    rates = dict.fromkeys(DEFAULT_RATES, "100000/minute")
    return create_app(settings_for(tmp_path_factory.mktemp("p")), Configuration(rates=rates))
