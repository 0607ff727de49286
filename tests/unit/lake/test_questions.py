"""What may be answered to what is asked about a delivery.

Not here: which rows are held, and the pages that ask (`tests/integration/test_held_*.py`).
"""

from __future__ import annotations

import datetime as dt

import pytest

from pipelines.lake.questions import Question

BOTH = ("register", "correction")


@pytest.mark.parametrize(
    ("codes", "answers"),
    [
        ({"DEL-741": 2}, BOTH),
        ({"DEL-742": 1}, BOTH),
        ({"INC-603": 1}, ("correction",)),
        ({"SEI-604": 3}, ("correction",)),
        ({"DEL-741": 2, "INC-603": 1}, BOTH),
    ],
)
def test_only_what_settles_it_may_be_answered(
    codes: dict[str, int], answers: tuple[str, ...]
) -> None:
    asked_at = dt.datetime(2026, 11, 30, tzinfo=dt.UTC)
    asked = Question(delivery_id="x.0", asked_at=asked_at, as_of=None, codes=codes)
    assert asked.answers == answers
