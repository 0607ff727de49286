"""From a file to its verdict: what goes wrong on this machine is no verdict on a delivery.

Not here: the stages (`harmonise`, `validate`) and whole rounds (`tests/integration`).
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from pipelines.core.settings import settings_for
from pipelines.ingest.ingest import ingest
from pipelines.landing.receive import list_deliveries
from pipelines.validate.verdict import verdict_of
from schemas.feed import load_feed

FEED = "caf_border_crossings"


def test_too_little_memory_leaves_no_verdict_and_the_next_attempt_judges(tmp_path: Path) -> None:
    settings = settings_for(tmp_path, threads=1).prepare()
    sent = load_feed(FEED).examples()[0]
    with pytest.raises(OSError, match="OutOfMemory"):
        ingest(replace(settings, memory_limit="3MB"), FEED, sent)
    [delivery] = list_deliveries(settings)
    assert verdict_of(delivery) is None
    assert ingest(settings, FEED, sent).is_accepted
