"""By how much a feed is late: counted from what was accepted, and said in both languages.

Not here: who shows it (`tests/integration/test_dagster.py`, `tests/unit/cli`).
"""

from __future__ import annotations

import datetime as dt

import pytest

from pipelines.cli.common_options import CommonOptions
from pipelines.cli.session import Session
from pipelines.cli.status import feed_states
from pipelines.core.settings import settings_for
from pipelines.ingest.ingest import ingest
from pipelines.validate.lateness import Lateness, lateness_of
from schemas.feed import load_feed

FEED = "caf_gendarmerie_incidents"
EVERY = load_feed(FEED).expected_every_days


def ago(days: int) -> dt.datetime:
    return dt.datetime.now(dt.UTC) - dt.timedelta(days=days, hours=1)


@pytest.mark.parametrize(
    ("age_days", "days_late", "is_lost"),
    [(0, 0, False), (7, 0, False), (8, 1, False), (14, 7, False), (15, 8, True)],
)
def test_lateness_is_counted_in_whole_days_beyond_the_rhythm(age_days, days_late, is_lost):
    one = Lateness(ago(age_days), 7)
    assert (one.days_late, one.is_lost) == (days_late, is_lost)


def test_a_feed_of_which_nothing_was_accepted_is_unheard_of_and_not_late():
    one = Lateness(None, 7)
    assert (one.days_late, one.is_lost) == (0, False)
    assert "accepted yet" in one.text("en")
    assert "encore été acceptée" in one.text("fr")


def test_it_is_said_in_both_languages():
    one = Lateness(ago(9), 7)
    assert one.text("en").startswith("Days late: 2. The last accepted delivery was received on ")
    assert one.text("fr").startswith("Jours de retard\u00a0: 2. La dernière livraison acceptée")


def test_a_refused_file_ends_no_lateness(tmp_path):
    settings = settings_for(tmp_path / "home").prepare()
    wrong = tmp_path / "registre.csv"
    wrong.write_text("a;b\n1;2\n", encoding="ascii")
    assert not ingest(settings, FEED, wrong, received_at=ago(0)).is_accepted
    assert lateness_of(settings, FEED).last_accepted_at is None
    assert ingest(settings, FEED, load_feed(FEED).examples()[0], received_at=ago(EVERY + 4))
    assert lateness_of(settings, FEED).days_late == 4
    session = Session(CommonOptions("en", home=str(settings.home)))
    [state] = [one for one in feed_states(session) if one.feed == FEED]
    assert state.days_late == 4, "the status says the same as Dagster"
    assert state.last_received_at != state.last_accepted_at
