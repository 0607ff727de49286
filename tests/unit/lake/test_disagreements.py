"""Two deliveries that say different things as of one day: one counts, and each is told."""

from __future__ import annotations

import datetime as dt
import itertools

import pytest

import pipelines.lake.publish as publishing
from pipelines import connect
from pipelines.core.settings import Settings, settings_for
from pipelines.lake.judged_deliveries import find_judged_delivery
from pipelines.lake.publish import publish
from pipelines.landing.answers import keep_answer
from pipelines.validate.remarks import DISAGREEMENTS, read_disagreements
from tests.unit.lake.judged import FEED, deliver, row

DAY = {"as_of": dt.date(2026, 1, 10), "kind": "register"}
# The first two disagree about 1 (received first) and 2 (withdrawn, by the later one), and say the
# same of 3; the third speaks as of another day.
STORY = {
    "aaaaaaaaaaaa": ([row("1", "A"), row("2", "A"), row("3", "A")], 20, DAY),
    "bbbbbbbbbbbb": ([row("1", "B"), row("2", "A", is_withdrawn=True), row("3", "A")], 21, DAY),
    "cccccccccccc": ([row("1", "C"), row("3", "C")], 22, DAY | {"as_of": dt.date(2026, 1, 9)}),
}
A, B, C = (f"{FEED}.{mark}" for mark in STORY)
TOLD = {
    A: [("DEL-743", B, 1), ("DEL-744", B, 1)],
    B: [("DEL-743", A, 1), ("DEL-744", A, 1)],
    C: [],
}


def hand_in(place: Settings, marks: tuple[str, ...]) -> None:
    for mark in marks:
        rows, day, said = STORY[mark]
        deliver(place, mark, rows, day=day, **said)
    publish(place)


def told(place: Settings) -> dict[str, list[tuple]]:
    found = {one: find_judged_delivery(place, one) for one in TOLD}
    return {
        one: [(f.code, f.values["other"], f.values["records"]) for f in read_disagreements(it.home)]
        for one, it in found.items()
        if it
    }


def latest(place: Settings) -> list[tuple]:
    with connect(place) as connection:
        return connection.execute(
            "SELECT source_record_id, offence_text FROM incidents ORDER BY ALL"
        ).fetchall()


def listed(place: Settings) -> dict[str, int]:
    with connect(place) as connection:
        rows = connection.execute("SELECT delivery_id, disagreements FROM deliveries").fetchall()
    return dict(rows)


@pytest.mark.parametrize("order", [*itertools.permutations(STORY), None], ids=str)
def test_each_is_told_in_any_order_and_together(tmp_path, order):
    place = settings_for(tmp_path / "home", memory_limit="256MB", threads=1)
    for batch in [(mark,) for mark in order] if order else [tuple(STORY)]:
        hand_in(place, batch)
    assert told(place) == TOLD
    assert latest(place) == [("1", "A"), ("3", "A")]
    assert listed(place) == {one: sum(said[2] for said in every) for one, every in TOLD.items()}
    publish(place)
    assert told(place) == TOLD


def test_what_is_told_is_said_in_both_languages_without_a_cell(settings):
    hand_in(settings, tuple(STORY))
    careful, first = (
        one.finding for one in read_disagreements(find_judged_delivery(settings, A).home)
    )
    assert careful.text("en") == (
        f"{B} says otherwise as of the same day (records: 1); the more careful version counts."
    )
    assert "la version reçue en premier l’emporte" in first.text("fr")
    assert not careful.is_error


def test_an_answer_takes_it_back_from_both(settings):
    hand_in(settings, tuple(STORY))
    keep_answer(find_judged_delivery(settings, B).home, B, "correction", "caf.gn.1")
    publish(settings, [B])
    assert told(settings) == {A: [], B: [], C: []}
    assert not (find_judged_delivery(settings, A).home / DISAGREEMENTS).exists()
    assert latest(settings) == [("1", "B"), ("3", "A")]


def test_rows_judged_again_are_compared_again(settings):
    hand_in(settings, tuple(STORY))
    rows = [row("1", "A"), row("2", "A", is_withdrawn=True), row("3", "B")]
    deliver(settings, B.rpartition(".")[2], rows, day=21, again=30, **DAY)
    publish(settings, [B])
    assert told(settings)[A] == [("DEL-743", B, 1), ("DEL-744", B, 1)]
    rows = [row("1", "A"), row("2", "A"), row("3", "A")]
    deliver(settings, B.rpartition(".")[2], rows, day=21, again=31, **DAY)
    publish(settings, [B])
    assert told(settings) == {A: [], B: [], C: []}


def test_what_an_interrupted_publish_did_not_tell_the_next_one_tells(settings, monkeypatch):
    marks = tuple(STORY)
    hand_in(settings, marks[:1])
    with monkeypatch.context() as patched:
        patched.setattr(publishing.disagreements, "tell", lambda *_arguments: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            hand_in(settings, marks[1:])
    assert told(settings)[B] == []
    publish(settings)
    assert told(settings) == TOLD


def test_a_correction_stands_over_the_register_of_its_own_day(settings):
    """A register that came at noon tells of its whole day; what came in the evening knew it."""
    deliver(settings, "a" * 12, [row("1", "A")], day=9.5, **DAY)
    deliver(settings, "b" * 12, [row("1", "B")], day=9.8, as_of=DAY["as_of"], kind="correction")
    publish(settings)
    assert latest(settings) == [("1", "B")]
    assert listed(settings) == {A: 0, B: 0}
