"""What a step of Dagster does when something goes wrong: again, or one sentence; never a trace.

Not here: findings about data, which are results (`tests/integration/test_dagster.py`).
"""

from __future__ import annotations

from types import SimpleNamespace

import dagster as dg
import duckdb
import pytest

from assets.resources import trying_again
from pipelines.lake.storage import LakeBusy, LakeError

CONTEXT = SimpleNamespace(retry_number=2)


@pytest.mark.parametrize(
    "fault", [OSError("disk"), duckdb.IOException("disk"), LakeBusy("{n} s", n=9)]
)
def test_a_disk_or_a_busy_lake_is_tried_again_later(fault: Exception) -> None:
    with pytest.raises(dg.RetryRequested) as asked, trying_again(CONTEXT):
        raise fault
    assert 10 <= asked.value.seconds_to_wait <= 30


def test_a_lake_that_cannot_says_so_in_both_languages() -> None:
    with pytest.raises(dg.Failure) as failed, trying_again(CONTEXT):
        raise LakeError("No verdict for {deliveries}.", deliveries="a.1")
    assert failed.value.description == "No verdict for a.1. / Aucun verdict pour a.1."
    assert failed.value.allow_retries is False


def test_the_words_of_an_engine_are_not_repeated() -> None:
    with pytest.raises(dg.Failure) as failed, trying_again(CONTEXT):
        raise duckdb.ConversionException("Could not convert 'CANARY' to INT32")
    assert "CANARY" not in str(failed.value.description)
    assert failed.value.__suppress_context__
