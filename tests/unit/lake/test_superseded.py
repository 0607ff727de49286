"""The same bytes again: what later statements stand, and what would restore the file."""

from __future__ import annotations

import pytest

from pipelines.core.settings import Settings
from pipelines.lake.publish import publish
from pipelines.lake.superseded import find_supersession
from pipelines.landing.receive import open_delivery
from tests.unit.lake.judged import FEED, deliver, row

ID = f"{FEED}.aaaaaaaaaaaa"


@pytest.fixture
def told(settings: Settings) -> Settings:
    """Four records; one corrected later, one withdrawn, one told again alike, one left alone."""
    deliver(settings, "aaaaaaaaaaaa", [row("1"), row("2"), row("3"), row("4")])
    later = [row("1", "corrected"), row("2", is_withdrawn=True), row("3")]
    deliver(settings, "bbbbbbbbbbbb", later, day=2)
    publish(settings)
    return settings


def test_later_statements_are_counted_by_delivery_with_their_withdrawals(told):
    found = find_supersession(told, open_delivery(told, ID))
    assert (found.records, found.changed, found.withdrawn) == (4, 2, 1)
    [later] = found.later
    assert (later.delivery_id, later.records) == (f"{FEED}.bbbbbbbbbbbb", 2)


def test_the_sentences_say_when_it_came_what_stands_and_what_restores_it(told):
    said = find_supersession(told, open_delivery(told, ID)).sentences("en")
    assert "on 2026-01-01" in said[0]
    assert said[1].startswith("For 2 of its 4 records another statement stands; 1 of them")
    assert f"{FEED}.bbbbbbbbbbbb, received on 2026-01-03: 2" in said[2]
    assert "new file" in said[-1]
    french = find_supersession(told, open_delivery(told, ID)).sentences("fr")
    assert len(french) == len(said)
    assert not set(french) & set(said[:2] + said[3:])


def test_a_delivery_that_stands_as_it_is_says_so(told):
    said = find_supersession(told, open_delivery(told, f"{FEED}.bbbbbbbbbbbb")).sentences("en")
    assert said[1:] == ["All of its records stand as it says."]


def test_of_a_delivery_that_was_judged_again_only_what_stands_counts(told):
    rows = [row("1"), row("2"), row("3", "read otherwise"), row("4")]
    deliver(told, "aaaaaaaaaaaa", rows, again=5)
    publish(told)
    found = find_supersession(told, open_delivery(told, ID))
    assert (found.records, found.changed, found.withdrawn) == (4, 3, 1)


def test_before_anything_is_published_nothing_is_said_of_records(settings):
    deliver(settings, "aaaaaaaaaaaa", [row("1")])
    assert find_supersession(settings, open_delivery(settings, ID)).later == ()
