"""Revisions depend on what was asserted, never on the order in which we came to know it.

The oracle is written here in plain Python from the design's sentences, not from the SQL.
"""

from __future__ import annotations

import datetime as dt
import itertools
import random
from pathlib import Path

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings, strategies

from pipelines.lake.publish import publish
from pipelines.lake.revisions import judged_sql
from pipelines.settings import settings_for
from tests.unit.lake.judged import START, content, deliver, row

ASSERTION = strategies.fixed_dictionaries(
    {
        "record_id": strategies.sampled_from(["p", "q"]),
        "source_revision": strategies.sampled_from([None, None, 1, 2]),
        "day": strategies.integers(0, 3),
        "delivery_id": strategies.sampled_from(["d1", "d2", "d3"]),
        "source_row": strategies.integers(2, 4),
        "says": strategies.sampled_from(["A", "B"]),
    }
)
ONE_EACH = strategies.lists(
    ASSERTION,
    min_size=1,
    max_size=9,
    unique_by=lambda one: (one["record_id"], one["delivery_id"], one["source_row"]),
)


def at(day: int) -> dt.datetime:
    return START + dt.timedelta(days=day)


def expected(assertions: list[dict]) -> list[tuple]:
    """(record, delivery, row, revision, known_from, known_to, is_latest), sorted."""
    result = []
    for record in {one["record_id"] for one in assertions}:
        told = sorted(
            (one for one in assertions if one["record_id"] == record),
            key=lambda one: (
                -1 if one["source_revision"] is None else one["source_revision"],
                one["day"],
                one["delivery_id"],
                one["source_row"],
            ),
        )
        meanings = [(one["says"], one["source_revision"]) for one in told]
        runs = [list(run) for _, run in itertools.groupby(range(len(told)), meanings.__getitem__)]
        for number, run in enumerate(runs, start=1):
            since = told[run[0]]["day"]
            later = [told[other[0]]["day"] for other in runs[number:]]
            for position in run:
                is_first = position == run[0]
                until = max(since, min(later)) if later else None
                one = told[position]
                result.append(
                    (
                        *(record, one["delivery_id"], one["source_row"], number, at(since)),
                        (None if until is None else at(until)) if is_first else at(since),
                        is_first and number == len(runs),
                    )
                )
    return sorted(result, key=lambda one: one[:3])


def judged(assertions: list[dict]) -> list[tuple]:
    with duckdb.connect() as connection:
        connection.execute(
            "CREATE TABLE assertions (record_id VARCHAR, source_revision BIGINT, "
            "received_at TIMESTAMP, delivery_id VARCHAR, source_row BIGINT, content UBIGINT)"
        )
        connection.executemany(
            "INSERT INTO assertions VALUES (?, ?, ?, ?, ?, hash(?, ?))",
            [
                [
                    *(one["record_id"], one["source_revision"], at(one["day"])),
                    *(one["delivery_id"], one["source_row"]),
                    *(one["says"], one["source_revision"]),
                ]
                for one in assertions
            ],
        )
        return connection.execute(
            "SELECT record_id, delivery_id, source_row, revision, known_from, known_to, is_latest "
            f"FROM ({judged_sql('assertions')}) ORDER BY 1, 2, 3"
        ).fetchall()


@given(ONE_EACH)
@settings(max_examples=150, deadline=None)
def test_the_query_agrees_with_the_oracle(assertions):
    assert judged(assertions) == expected(assertions)


@given(ONE_EACH)
@settings(max_examples=50, deadline=None)
def test_at_any_moment_one_version_of_a_record_was_known_and_it_is_the_last_one_heard(assertions):
    rows = judged(assertions)
    for day in range(5):
        heard = [one for one in assertions if one["day"] <= day]
        known = [(r[0], r[3]) for r in rows if r[4] <= at(day) and (r[5] is None or r[5] > at(day))]
        assert len(known) == len({one["record_id"] for one in heard})
        last = {r[0]: (r[1], r[2]) for r in expected(heard) if r[6]}
        places = {(r[0], r[1], r[2]): r[3] for r in rows}
        assert {record: places[(record, *key)] for record, key in last.items()} == dict(known)


# One story that has every hard case: late news, A-B-A, a move to another partition and back, a
# withdrawal and a return, the source's own numbering against the order of receipt, repetitions.
MARCH = dt.datetime(2026, 3, 2)
STORY = {
    "d1": (0, [row("1", "A"), row("2", "A"), row("3", "A"), row("4", "A", source_revision=1)]),
    "d2": (1, [row("1", "B"), row("2", "A"), row("3", "A", country="COD")]),
    "d3": (2, [row("1", "A"), row("2", "A", is_withdrawn=True), row("5", "A")]),
    "d4": (3, [row("1", "A"), row("2", "A"), row("3", "A", occurred_at=MARCH)]),
    "d5": (4, [row("3", "A"), row("4", "C", source_revision=3), row("6", "A", country=None)]),
    "d6": (5, [row("4", "B", source_revision=2), row("6", "A", country=None), row("7", "A")]),
}


def told(tmp_path: Path, name: str, batches: list[list[str]]) -> dict[str, list[tuple]]:
    """The content after publishing the story in these batches, each twice."""
    place = settings_for(tmp_path / name, memory_limit="256MB", threads=2)
    for batch in batches:
        ids = [deliver(place, label, STORY[label][1], day=STORY[label][0]) for label in batch]
        publish(place, ids)
        publish(place, ids)
    return content(place)


@pytest.fixture(scope="module")
def truth(tmp_path_factory) -> dict[str, list[tuple]]:
    return told(tmp_path_factory.mktemp("truth"), "all", [list(STORY)])


def test_the_story_ends_as_it_should(truth):
    latest = {one[2]: (one[17], one[39], one[3]) for one in truth["incidents"]}
    assert latest == {
        "1": ("A", 3, "CAF"),
        "2": ("A", 3, "CAF"),
        "3": ("A", 4, "CAF"),
        "4": ("C", 3, "CAF"),
        "5": ("A", 1, "CAF"),
        "6": ("A", 1, None),
        "7": ("A", 1, "CAF"),
    }
    assert len(truth["incidents_history"]) == sum(len(rows) for _, rows in STORY.values())


@pytest.mark.parametrize("seed", range(6))
def test_any_order_and_any_batches_give_the_same_tables(tmp_path, truth, seed):
    chance = random.Random(seed)
    order = list(STORY)
    chance.shuffle(order)
    batches: list[list[str]] = []
    for label in order:
        if batches and chance.random() < 0.4:
            batches[-1].append(label)
        else:
            batches.append([label])
    assert told(tmp_path, "shuffled", batches) == truth


@settings(
    max_examples=4, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    deliveries=strategies.lists(
        strategies.lists(
            strategies.builds(
                row,
                strategies.sampled_from(["1", "2", "3"]),
                strategies.sampled_from(["A", "B"]),
                country=strategies.sampled_from(["CAF", "COD"]),
                source_revision=strategies.sampled_from([None, 1]),
                is_withdrawn=strategies.booleans(),
            ),
            max_size=3,
            unique_by=lambda one: one["record_id"],
        ),
        min_size=2,
        max_size=3,
    ),
)
def test_any_deliveries_forwards_and_backwards(tmp_path_factory, deliveries):
    places = [settings_for(tmp_path_factory.mktemp("home")) for _ in range(2)]
    numbered = list(enumerate(deliveries))
    for place, order in zip(places, (numbered, numbered[::-1]), strict=True):
        for number, rows in order:
            publish(place, [deliver(place, f"d{number}", rows, day=number // 2)])
    assert content(places[0]) == content(places[1])
