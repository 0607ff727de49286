"""Deliveries that were judged again: what stands, what history keeps, what was known when."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from pipelines import connect
from pipelines.core.settings import Settings
from pipelines.lake.maintenance import check
from pipelines.lake.publish import publish
from pipelines.lake.tables import existing_table
from tests.unit.lake.judged import START, content, deliver, interrupt, row


def at(day: float) -> dt.datetime:
    return START + dt.timedelta(days=day)


def asked(settings: Settings, query: str) -> list[tuple[Any, ...]]:
    with connect(settings) as connection:
        return connection.execute(query).fetchall()


def known(settings: Settings, day: float) -> list[tuple[Any, ...]]:
    """What was published on a day, as the macro tells it."""
    return asked(
        settings,
        "SELECT source_record_id, offence_text FROM "
        f"incidents_as_of(TIMESTAMP '{at(day)}') ORDER BY ALL",
    )


def test_the_new_judgement_stands_and_the_old_one_stays_in_history(settings):
    deliver(settings, "a", [row("1", "misread"), row("2"), row("3", "no longer accepted")])
    publish(settings)
    deliver(
        settings, "a", [row("1", "read well"), row("2"), row("4", "new", source_row=9)], again=5
    )
    publish(settings)
    assert asked(settings, "SELECT source_record_id, offence_text, revision FROM incidents "
                 "ORDER BY ALL") == [
        ("1", "read well", 1), ("2", "as first told", 1), ("4", "new", 1),
    ]  # fmt: skip
    assert known(settings, 4) == [
        ("1", "misread"), ("2", "as first told"), ("3", "no longer accepted"),
    ]  # fmt: skip
    assert known(settings, 5) == [("1", "read well"), ("2", "as first told"), ("4", "new")]
    assert asked(
        settings,
        "SELECT source_record_id, offence_text, known_from, known_to, is_latest, restated_at, "
        "superseded_at FROM incidents_history ORDER BY source_record_id, known_from",
    ) == [
        ("1", "misread", at(0), at(5), False, None, at(5)),
        ("1", "read well", at(5), None, True, at(5), None),
        ("2", "as first told", at(0), None, True, None, None),
        ("3", "no longer accepted", at(0), at(5), False, None, at(5)),
        ("4", "new", at(5), None, True, at(5), None),
    ]
    assert check(settings) == []


def test_a_later_delivery_about_the_same_record_still_stands(settings):
    deliver(settings, "a", [row("1", "misread")])
    deliver(settings, "b", [row("1", "corrected")], day=2)
    publish(settings)
    deliver(settings, "a", [row("1", "read well")], again=5)
    publish(settings)
    assert known(settings, 1) == [("1", "misread")]
    assert known(settings, 3) == known(settings, 6) == [("1", "corrected")]
    assert asked(settings, "SELECT offence_text, revision FROM incidents") == [("corrected", 2)]
    assert check(settings) == []


def test_a_row_that_goes_gives_way_to_the_statement_before_it(settings):
    deliver(settings, "a", [row("1", "first")])
    deliver(settings, "b", [row("1", "wrongly accepted"), row("2")], day=2)
    publish(settings)
    deliver(settings, "b", [row("2", source_row=3)], again=5,
            rejected=[row("1", reasons=["INC-101"], source_row=2)])  # fmt: skip
    publish(settings)
    assert known(settings, 1) == [("1", "first")]
    assert known(settings, 3) == [("1", "wrongly accepted"), ("2", "as first told")]
    assert known(settings, 6) == [("1", "first"), ("2", "as first told")]
    assert check(settings) == []


def test_what_comes_afterwards_does_not_rewrite_what_was_published_before(settings):
    deliver(settings, "a", [row("1", "misread"), row("2", "wrongly accepted")])
    publish(settings)
    deliver(settings, "a", [row("1", "read well"), row("3", "new", source_row=9)], again=5)
    publish(settings)
    # Received before the second judgement, and taken in after it.
    late = [row("1", "corrected"), row("2", "told again"), row("3", "corrected")]
    deliver(settings, "b", late, day=3)
    publish(settings)
    assert known(settings, 4) == [("1", "misread"), ("2", "wrongly accepted")]
    assert known(settings, 5) == [("1", "corrected"), ("2", "told again"), ("3", "corrected")]
    assert check(settings) == []


def test_a_delivery_that_is_refused_now_brings_no_rows_and_its_findings(settings):
    delivery = deliver(settings, "a", [row("1")])
    deliver(settings, "b", [row("2")])
    publish(settings)
    deliver(settings, "a", [row("1")], again=5, state="refused", findings=["DEL-703"])
    publish(settings)
    assert [one[0] for one in known(settings, 6)] == ["2"]
    assert asked(settings, "SELECT delivery_id, rule_code FROM rejections") == [
        (delivery, "DEL-703")
    ]
    assert check(settings) == []
    deliver(settings, "a", [row("1", "accepted once more")], again=7)
    publish(settings)
    assert known(settings, 8)[0] == ("1", "accepted once more")
    assert check(settings) == []


def test_each_judgement_is_taken_in_once_and_the_third_stands_over_the_second(settings):
    deliver(settings, "a", [row("1", "first")])
    publish(settings)
    for day in (5, 7):
        deliver(settings, "a", [row("1", f"judged on {day}")], again=day)
        publish(settings)
    before = content(settings)
    assert publish(settings).deliveries == ()
    assert content(settings) == before
    assert [known(settings, day)[0][1] for day in (0, 6, 8)] == [
        "first", "judged on 5", "judged on 7",
    ]  # fmt: skip


def test_a_judgement_that_changes_nothing_rewrites_nothing(settings):
    deliver(settings, "a", [row("1"), row("2")])
    publish(settings)
    before = content(settings)["incidents_history"]
    deliver(settings, "a", [row("1"), row("2")], again=5)
    publish(settings)
    assert content(settings)["incidents_history"] == before


def test_a_held_row_that_another_judgement_answers_is_gone(settings):
    """It was never published, so that there is nothing of it to keep."""
    said = {"day": 35, "as_of": dt.date(2026, 1, 31), "kind": "register"}
    deliver(settings, "a", [row("1", "as it stands")], **said)
    unsaid = {"day": 40, "as_of": dt.date(2026, 1, 15)}
    held = deliver(settings, "b", [row("1", "otherwise")], **unsaid)
    publish(settings)
    states = "SELECT state, rows_held FROM deliveries WHERE delivery_id = '{}'"
    assert asked(settings, states.format(held)) == [("held", 1)]
    deliver(settings, "b", [row("1", "as it stands")], **unsaid, again=50)
    publish(settings)
    assert asked(settings, states.format(held)) == [("accepted", 0)]
    stored = existing_table(settings, "incidents").to_pyarrow_table()
    assert set(stored["held"].to_pylist()) == {None}
    assert set(stored["offence_text"].to_pylist()) == {"as it stands"}


def test_an_undeclared_file_of_the_very_day_of_a_register_is_asked_about(settings):
    day = {"as_of": dt.date(2026, 1, 31)}
    deliver(settings, "a", [row("1", "as it stands")], day=35, kind="register", **day)
    held = deliver(settings, "b", [row("1", "otherwise"), row("2")], day=40, **day)
    publish(settings)
    states = f"SELECT state, rows_held FROM deliveries WHERE delivery_id = '{held}'"
    assert asked(settings, states) == [("held", 1)]
    texts = "SELECT source_record_id, offence_text FROM incidents ORDER BY ALL"
    assert asked(settings, texts) == [("1", "as it stands"), ("2", "as first told")]


@pytest.mark.parametrize(("flags", "state"), [([], "held"), (["INC-602"], "accepted")])
def test_a_number_is_not_taken_for_another_record_by_a_row_that_is_in_doubt_itself(
    settings, flags, state
):
    """Where the row may be of another event anyway, its day, place and kind prove nothing."""
    said = {"kind": "register", "as_of": dt.date(2026, 1, 31)}
    first = row("1", admin1_code="CF11", offence_code="0101")
    deliver(settings, "a", [first], day=35, **said)
    other = {"admin1_code": "CF71", "offence_code": "0501", "occurred_on": dt.date(2026, 1, 20)}
    told = deliver(settings, "b", [row("1", **other, quality_flags=flags)], day=40, **said)
    publish(settings)
    states = f"SELECT state FROM deliveries WHERE delivery_id = '{told}'"
    assert asked(settings, states) == [(state,)]


@pytest.mark.parametrize("step", ["publish_rejections", "publish_deliveries", "swap_catalogue"])
def test_an_interruption_leaves_readers_the_old_state_and_is_made_good(settings, monkeypatch, step):
    deliver(settings, "a", [row("1", "misread"), row("2")])
    publish(settings)
    deliver(settings, "a", [row("1", "read well")], again=5,
            rejected=[row("2", reasons=["INC-101"], source_row=3)])  # fmt: skip
    before = content(settings)
    interrupt(settings, monkeypatch, step)
    assert content(settings) == before
    publish(settings)
    assert known(settings, 6) == [("1", "read well")]
    assert known(settings, 4) == [("1", "misread"), ("2", "as first told")]
    assert check(settings) == []
