"""What a step of Dagster does when something goes wrong: again, or one sentence; never a trace.

Not here: findings about data, which are results (`tests/integration/test_dagster.py`).
"""

from __future__ import annotations

import dagster as dg
import duckdb
import pytest

from assets.resources import faults_in_words
from pipelines.lake.errors import LakeBusyError, LakeError


@pytest.mark.parametrize(
    "fault",
    [OSError("disk"), duckdb.IOException("disk"), LakeBusyError("busy", place="x", seconds=9)],
)
def test_a_disk_or_a_busy_lake_is_left_to_the_policy(fault: Exception) -> None:
    with pytest.raises(type(fault)), faults_in_words():
        raise fault


def test_an_error_of_ours_is_not_tried_again_and_its_words_are_not_repeated(caplog) -> None:
    with pytest.raises(dg.Failure) as failed, faults_in_words():
        raise ValueError("CANARY")
    assert failed.value.allow_retries is False
    assert "ValueError" in str(failed.value.description)
    assert "CANARY" not in str(failed.value.description) + caplog.text
    assert "test_resources.py" in caplog.text, "the log says where"


def test_a_lake_that_cannot_says_so_in_both_languages() -> None:
    with pytest.raises(dg.Failure) as failed, faults_in_words():
        raise LakeError("unknown", deliveries="a.1")
    assert failed.value.description == "No verdict for a.1. / Aucun verdict pour a.1."
    assert failed.value.allow_retries is False


def test_the_words_of_an_engine_are_not_repeated() -> None:
    with pytest.raises(dg.Failure) as failed, faults_in_words():
        raise duckdb.ConversionException("Could not convert 'CANARY' to INT32")
    assert "CANARY" not in str(failed.value.description)
    assert failed.value.__suppress_context__
