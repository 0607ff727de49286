"""One small installation a test."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.core.settings import Settings, settings_for


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return settings_for(tmp_path / "home", memory_limit="256MB", threads=2)
