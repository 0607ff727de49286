"""Homes from which extracts are made in tests: the published tables of the demo, and a home's own
ledger, keys and releases.

Not here: tests.
"""

from __future__ import annotations

import datetime as dt
import shutil
from pathlib import Path

from pipelines.core.settings import Settings, settings_for
from pipelines.release.request import Request

AS_OF = dt.date(2026, 11, 20)
NOW = dt.datetime.combine(AS_OF, dt.time(9), dt.UTC)


def home_beside(demo: Settings, place: Path, **changes: object) -> Settings:
    """A new home that reads the demo's tables where they are and has the demo's keys."""
    place.mkdir(parents=True)
    shutil.copy2(demo.catalogue, place / demo.catalogue.name)
    shutil.copytree(demo.secrets, place / "secrets")
    return settings_for(place, lake=demo.lake, **changes)


def wanted(**changes: object) -> Request:
    """Incidents for the mission in the Central African Republic, unless changed."""
    usual: dict[str, object] = {
        "table": "incidents",
        "recipient": "minusca_unpol",
        "purpose": "joint_planning",
        "as_of": AS_OF,
        "language": "fr",
    }
    return Request(**{**usual, **changes})  # type: ignore[arg-type]
