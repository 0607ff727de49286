"""Revisions depend on what was asserted, never on the order in which we came to know it.

The oracle is written here in plain Python from the design's sentences, not from the SQL.
"""

from __future__ import annotations

import datetime as dt
import itertools
import random
import zlib
from pathlib import Path

import duckdb
import pytest
from hypothesis import HealthCheck, assume, example, given, settings, strategies

from pipelines.core.settings import settings_for
from pipelines.lake.publish import publish
from pipelines.lake.revisions import revisions_sql
from schemas.contract import load_contract
from tests.unit.lake.judged import START, content, deliver, row

ASSERTION = strategies.fixed_dictionaries(
    {
        "record_id": strategies.sampled_from(["p", "q"]),
        "source_revision": strategies.sampled_from([None, None, 1, 2]),
        "day": strategies.integers(0, 3),
        # days between the day as of which it speaks and its receipt; None: an older lake
        "late": strategies.sampled_from([None, 0, 1, 2]),
        "kind": strategies.sampled_from([None, "register", "correction"]),
        "delivery_id": strategies.sampled_from(["d1", "d2", "d3"]),
        "source_row": strategies.integers(2, 4),
        "says": strategies.sampled_from(["A", "B"]),
        "care": strategies.sampled_from([0, 0, 1]),
    }
)
ONE_EACH = strategies.lists(
    ASSERTION,
    min_size=1,
    max_size=9,
    unique_by=lambda one: (one["record_id"], one["delivery_id"], one["source_row"]),
)
JUST_BEFORE = dt.timedelta(microseconds=1)


def at(day: int) -> dt.datetime:
    return START + dt.timedelta(days=day)


def as_of(one: dict) -> dt.date | None:
    return None if one["late"] is None else at(one["day"] - one["late"]).date()


def stands_at(one: dict) -> dt.datetime:
    """A correction at its receipt; a register at the end of its day, before its receipt."""
    if one["late"] is None or one["kind"] == "correction":
        return at(one["day"])
    return min(at(one["day"] - one["late"] + 1), at(one["day"]) - JUST_BEFORE)


def rank(one: dict) -> tuple:
    """Where an assertion stands: what decides, before anything that only keeps the order fixed."""
    stated = -1 if one["source_revision"] is None else one["source_revision"]
    return stated, stands_at(one), one["care"], -one["day"]


def meaning(one: dict) -> tuple:
    return one["says"], one["care"], one["source_revision"]


def why_held(one: dict, told: list[dict]) -> str | None:
    """The code for which a row waits, by the sentences of the journey."""
    top = max(told, key=lambda other: (*rank(other), other["delivery_id"], other["source_row"]))
    level = [other for other in told if rank(other) == rank(top)]
    if (
        rank(one) == rank(top)
        and len({meaning(other) for other in level}) > 1
        and all(other["late"] is not None for other in level)
    ):
        return "DEL-742"
    is_open = one["kind"] is None and one["late"] is not None and meaning(one) != meaning(top)
    if is_open and one["source_revision"] == top["source_revision"]:
        as_a_register, as_a_correction = stands_at(one), at(one["day"])
        if as_a_register <= stands_at(top) < as_a_correction:
            return "DEL-741"
    return None


def expected(assertions: list[dict]) -> list[tuple]:
    """(record, delivery, row, revision, known_from, known_to, is_latest, held), sorted."""
    result = []
    for record in {one["record_id"] for one in assertions}:
        about = [one for one in assertions if one["record_id"] == record]
        held = [(one, code) for one in about if (code := why_held(one, about))]
        result += [
            (
                *(record, one["delivery_id"], one["source_row"]),
                *(None, at(one["day"]), at(one["day"]), False, code),
            )
            for one, code in held
        ]
        told = sorted(
            (one for one in about if not why_held(one, about)),
            key=lambda one: (*rank(one), one["delivery_id"], one["source_row"]),
        )
        meanings = [meaning(one) for one in told]
        runs = [list(run) for _, run in itertools.groupby(range(len(told)), meanings.__getitem__)]
        for number, run in enumerate(runs, start=1):
            since = min(told[position]["day"] for position in run)
            later = [told[position]["day"] for other in runs[number:] for position in other]
            for position in run:
                is_first = position == run[0]
                until = max(since, min(later)) if later else None
                one = told[position]
                result.append(
                    (
                        *(record, one["delivery_id"], one["source_row"], number, at(since)),
                        (None if until is None else at(until)) if is_first else at(since),
                        is_first and number == len(runs),
                        None,
                    )
                )
    return sorted(result, key=lambda one: one[:3])


def numbers(identity: list[str] | None) -> list[int] | None:
    return None if identity is None else [zlib.crc32(text.encode()) for text in identity]


def judged(assertions: list[dict]) -> list[tuple]:
    with duckdb.connect() as connection:
        connection.execute(
            "CREATE TABLE assertions (record_id VARCHAR, source_revision BIGINT, "
            "received_at TIMESTAMP, as_of DATE, statement VARCHAR, care INTEGER, "
            "delivery_id VARCHAR, source_row BIGINT, identity UBIGINT[], reuse_code VARCHAR, "
            "content UBIGINT)"
        )
        connection.executemany(
            "INSERT INTO assertions VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, hash(?, ?, ?))",
            [
                [
                    *(one["record_id"], one["source_revision"], at(one["day"])),
                    *(as_of(one), one["kind"], one["care"]),
                    *(one["delivery_id"], one["source_row"]),
                    *(numbers(one.get("identity")), "INC-603"),
                    *meaning(one),
                ]
                for one in assertions
            ],
        )
        return connection.execute(
            "SELECT record_id, delivery_id, source_row, revision, known_from, known_to, "
            f"is_latest, held FROM ({revisions_sql('assertions')}) ORDER BY 1, 2, 3"
        ).fetchall()


@given(ONE_EACH)
@settings(max_examples=150, deadline=None)
def test_the_query_agrees_with_the_oracle(assertions):
    assert judged(assertions) == expected(assertions)


def plain(delivery_id: str, day: int, **said) -> dict:
    one = {"record_id": "p", "source_revision": None, "late": None, "kind": None, "says": "A"}
    return one | {"day": day, "delivery_id": delivery_id, "source_row": 2, "care": 0} | said


# The first and the third say the same; what comes last stands between them.
BETWEEN = [plain("d1", 0, care=1), plain("d2", 2, care=1), plain("d3", 3, late=2, kind="register")]


@given(ONE_EACH)
@example(BETWEEN)
@settings(max_examples=50, deadline=None)
def test_at_any_moment_one_version_of_a_record_was_known_and_it_is_the_last_one_heard(assertions):
    rows = judged(assertions)
    for day in range(5):
        heard = [one for one in assertions if one["day"] <= day]
        # what waits for an answer then, or now, was not known for certain
        assume(not any(row[7] for row in [*expected(heard), *rows]))
        said = {(one["record_id"], one["delivery_id"], one["source_row"]): one for one in heard}
        known = [r[:3] for r in rows if r[4] <= at(day) and (r[5] is None or r[5] > at(day))]
        assert len(known) == len({one["record_id"] for one in heard})
        # By what they say: of two that said the same then, a later one may come to stand between.
        last = {r[0]: meaning(said[r[:3]]) for r in expected(heard) if r[6]}
        assert {key[0]: meaning(said[key]) for key in known} == last


# One story that has every hard case: late news, A-B-A, a move to another partition and back, a
# withdrawal and a return, the source's own numbering against the order of receipt, repetitions.
MARCH = dt.date(2026, 3, 2)
STORY = {
    "d1": (0, [row("1", "A"), row("2", "A"), row("3", "A"), row("4", "A", source_revision=1)]),
    "d2": (1, [row("1", "B"), row("2", "A"), row("3", "A", country="COD")]),
    "d3": (2, [row("1", "A"), row("2", "A", is_withdrawn=True), row("5", "A")]),
    "d4": (3, [row("1", "A"), row("2", "A"), row("3", "A", occurred_on=MARCH)]),
    "d5": (4, [row("3", "A"), row("4", "C", source_revision=3), row("6", "A", country=None)]),
    "d6": (5, [row("4", "B", source_revision=2), row("6", "A", country=None), row("7", "A")]),
    # Two registers handed in together, the older one with a withdrawal undone and one kept; a third
    # that stands where the second does; and a file of which nobody said what it is.
    "e1": (20, [row("8", "A"), row("9", "A", is_withdrawn=True), row("10", "A")]),
    "e2": (20, [row("8", "B"), row("9", "B"), row("11", "A"), row("12", "A", is_withdrawn=True)]),
    "e3": (20, [row("11", "B"), row("12", "B"), row("8", "B")]),
    "e4": (30, [row("8", "C"), row("10", "A"), row("13", "A"), row("9", "B")]),
}
KINDS = {
    "e1": {"as_of": dt.date(2026, 1, 5), "kind": "register"},
    "e2": {"as_of": dt.date(2026, 1, 10), "kind": "register"},
    "e3": {"as_of": dt.date(2026, 1, 10), "kind": "register"},
    "e4": {"as_of": dt.date(2026, 1, 8)},
}


def told(tmp_path: Path, name: str, batches: list[list[str]]) -> dict[str, list[tuple]]:
    """The content after publishing the story in these batches, each twice."""
    place = settings_for(tmp_path / name, memory_limit="256MB", threads=2)
    for batch in batches:
        ids = [
            deliver(place, label, STORY[label][1], day=STORY[label][0], **KINDS.get(label, {}))
            for label in batch
        ]
        publish(place, ids)
        publish(place, ids)
    return content(place)


@pytest.fixture(scope="module")
def truth(tmp_path_factory) -> dict[str, list[tuple]]:
    return told(tmp_path_factory.mktemp("truth"), "all", [list(STORY)])


def test_the_story_ends_as_it_should(truth):
    columns = [column.name for column in load_contract("incidents").published]
    rows = [dict(zip(columns, one, strict=True)) for one in truth["incidents"]]
    latest = {
        one["source_record_id"]: (one["offence_text"], one["revision"], one["country"])
        for one in rows
    }
    assert latest == {
        "1": ("A", 3, "CAF"),
        "2": ("A", 3, "CAF"),
        "3": ("A", 4, "CAF"),
        "4": ("C", 3, "CAF"),
        "5": ("A", 1, "CAF"),
        "6": ("A", 1, None),
        "7": ("A", 1, "CAF"),
        "8": ("B", 2, "CAF"),  # of the later register; what e4 says of it is asked about
        "9": ("B", 2, "CAF"),  # a later register undoes the withdrawal; e4 says the same
        "10": ("A", 1, "CAF"),
        # of 11, e2 and e3 say different things as of one day, at one moment: neither is shown
        # 12 is withdrawn by one of the two: the more careful one stands, so nothing is shown
        "13": ("A", 1, "CAF"),
    }
    held = {(one[0], one[3], one[4]) for one in truth["rejections"]}
    assert held == {
        ("caf_gendarmerie_incidents.e4", 2, "DEL-741"),
        ("caf_gendarmerie_incidents.e2", 4, "DEL-742"),
        ("caf_gendarmerie_incidents.e3", 2, "DEL-742"),
    }
    assert len(truth["incidents_history"]) == sum(len(rows) for _, rows in STORY.values()) - 3


@pytest.mark.parametrize("seed", range(4))
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
                handling=strategies.sampled_from(["CONFIDENTIAL", "STRICTLY_CONFIDENTIAL"]),
            ),
            max_size=3,
            unique_by=lambda one: one["record_id"],
        ),
        min_size=2,
        max_size=3,
    ),
    said=strategies.lists(
        strategies.tuples(
            strategies.sampled_from([None, "register", "correction"]), strategies.integers(0, 3)
        ),
        min_size=3,
        max_size=3,
    ),
)
def test_any_deliveries_forwards_and_backwards(tmp_path_factory, deliveries, said):
    places = [settings_for(tmp_path_factory.mktemp("home")) for _ in range(2)]
    numbered = list(enumerate(deliveries))
    for place, order in zip(places, (numbered, numbered[::-1]), strict=True):
        for number, rows in order:
            kind, late = said[number]
            day = number // 2 + 3
            as_of = (START + dt.timedelta(days=day - late)).date()
            one = deliver(place, f"d{number}", rows, day=day, as_of=as_of, kind=kind)
            publish(place, [one])
    assert content(places[0]) == content(places[1])


def about(number: str, when: str, area: str, offence: str, **said) -> dict:
    """One assertion that says when, where and what."""
    plain = {"record_id": "p", "source_revision": None, "late": 0, "kind": "register"}
    who = {"delivery_id": number, "source_row": 2, "says": number, "care": 0}
    return plain | who | {"identity": [f"0={when}", f"1={area}", f"2={offence}"]} | said


@pytest.mark.parametrize("order", itertools.permutations(range(4)))
def test_a_number_that_returns_with_another_event_is_held_and_no_correction_is(order):
    told = [
        about("burglary", "2026-05-08", "CD71", "0501", day=1),
        about("corrected", "2026-05-09", "CD71", "0502", day=2),  # the same place
        about("murder", "2026-09-20", "CD62", "0101", day=3),
        about("retold", "2026-09-20", "CD62", "0101", day=4),  # of the murder: no more its number
    ]
    held = {row[1]: row[7] for row in judged([told[place] for place in order])}
    latest = [row[1] for row in judged([told[place] for place in order]) if row[6]]
    assert held == {"burglary": None, "corrected": None, "murder": "INC-603", "retold": "INC-603"}
    assert latest == ["corrected"]


@pytest.mark.parametrize(
    ("said", "is_held"),
    [
        ({}, True),
        ({"kind": "correction"}, True),  # the file is one, but nobody said so of this number
        ({"kind": "confirmed"}, False),
        ({"source_revision": 1}, False),
        ({"source_revision": 0}, True),
        ({"identity": None}, False),  # the row does not say where or when: nothing to go by
        ({"identity": ["0=2026-05-08", "1=CD62", "2=0101"]}, False),
        ({"identity": ["0=2026-09-20", "1=CD71", "2=0101"]}, False),
        ({"identity": ["0=2026-09-20", "1=CD62", "2=0501"]}, False),
    ],
)
def test_what_has_anything_in_common_or_is_stated_is_a_correction(said, is_held):
    first = about("burglary", "2026-05-08", "CD71", "0501", day=1)
    second = about("murder", "2026-09-20", "CD62", "0101", day=3)
    found = {row[1]: (row[7], row[6]) for row in judged([second | said, first])}
    assert found["murder"] == (("INC-603", False) if is_held else (None, True))
    assert found["burglary"] == (None, is_held)
