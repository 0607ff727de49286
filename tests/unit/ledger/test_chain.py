"""Appending: one chain whoever writes, refused changes, the same hashes in every database."""

from __future__ import annotations

import datetime as dt
import json
import multiprocessing
from concurrent.futures import ProcessPoolExecutor

import pytest
import sqlalchemy as sa

from pipelines.core import clock
from pipelines.core.settings import Settings, settings_for
from pipelines.ledger.chain import (
    EVENTS,
    NewEntry,
    append,
    append_all,
    entries,
    hash_of,
    last,
    writing,
)
from pipelines.ledger.database import dispose, engine, sqlite_file
from pipelines.ledger.errors import LedgerError
from pipelines.ledger.seal import FIRST_HASH, head_file, is_ours, read_head_file
from pipelines.ledger.verify import check, verify
from pipelines.ledger.words import WORDS

WRITERS, EACH = 8, 12


def test_each_entry_carries_the_hash_of_the_one_before(place):
    written = [append(place, "sql.run", actor=f"a{n}", details={"n": n}) for n in range(3)]
    assert [entry.seq for entry in written] == [1, 2, 3]
    assert written[0].previous_hash == FIRST_HASH
    assert [entry.previous_hash for entry in written[1:]] == [e.hash for e in written[:2]]
    assert list(reversed(entries(place).entries)) == written
    assert all(hash_of(entry) == entry.hash for entry in written)


def test_both_databases_give_the_same_hash(place, monkeypatch):
    moment = dt.datetime(2026, 3, 1, 12, 30, 0, 123456, tzinfo=dt.UTC)
    monkeypatch.setattr(clock, "now", lambda: moment)
    details = {"b": [1, 2.5, None, True], "a": {"é": "’\u202f"}}
    entry = append(place, "extract.made", actor="jma.1", subject="x", details=details)
    assert entry.hash == "71c32fa8fa0349f75d5e3bb91135010ad6d0001fa1d4c10fdc36157bc523ecfd"
    assert entries(place).entries[0] == entry


def test_only_known_events_are_written(place):
    with pytest.raises(ValueError, match="no such event"):
        append(place, "extract.stolen", actor="a")
    assert entries(place).total == 0
    assert set(WORDS) == set(EVENTS)


def test_what_cannot_be_said_again_is_refused_or_made_sayable(place):
    with pytest.raises(ValueError, match="JSON"):
        append(place, "sql.run", actor="a", details={"n": float("nan")})
    entry = append(
        place, "sql.run", actor="a\x00\n\ud800" + "b" * 300, details={"t": "\ud800 \x00"}
    )
    assert len(entry.actor) == 200
    assert "\x00" not in entry.actor
    assert verify(place) == []


def test_a_page_of_entries_is_chosen_by_what_is_asked(place):
    new = [
        NewEntry(event, actor, organisation, subject)
        for event in ("extract.made", "extract.downloaded")
        for actor, organisation, subject in (("a", "x", "1"), ("b", "y", "2"), ("b", "y", "3"))
    ]
    append_all(place, new)
    assert entries(place, events=["extract.made"]).total == 3
    assert entries(place, actor="b").total == 4
    assert entries(place, organisation="x").total == 2
    assert [e.seq for e in entries(place, subject="2").entries] == [5, 2]
    second = entries(place, page=2, size=4)
    assert ([entry.seq for entry in second.entries], second.total) == ([2, 1], 6)
    now = clock.now()
    assert entries(place, since=now).total == 0
    assert entries(place, until=now).total == 6
    third = next(entry.at for entry in entries(place).entries if entry.seq == 3)
    before, after = (entries(place, **{one: third}).total for one in ("until", "since"))
    assert before + after == 6, "at that very moment is since, and not until"
    assert last(place, "extract.made").seq == 3
    assert last(place, "sql.run") is None


def test_the_database_refuses_changes(place):
    append_all(place, [NewEntry("sql.run", "a"), NewEntry("sql.run", "b")])
    statements = [
        "UPDATE ledger_entries SET actor = 'x' WHERE seq = 1",
        "DELETE FROM ledger_entries WHERE seq = 2",
        "DELETE FROM ledger_entries",
        "UPDATE ledger_head SET seq = 1",
        "DELETE FROM ledger_head",
    ]
    if place.database:
        statements += ["TRUNCATE ledger_entries", "TRUNCATE ledger_head"]
    for statement in statements:
        refused = pytest.raises(sa.exc.SQLAlchemyError, match="append-only")
        with refused, engine(place).begin() as connection:
            connection.exec_driver_sql(statement)
    assert verify(place) == []


def test_changes_and_their_entry_happen_together_or_not_at_all(place):
    with pytest.raises(RuntimeError), writing(place) as work:
        work.append("sql.run", actor="a")
        raise RuntimeError
    assert entries(place).total == 0
    assert read_head_file(place) is None
    with writing(place) as work:
        work.append("sql.run", actor="a")
        work.append("sql.run", actor="b")
    assert [entry.seq for entry in entries(place).entries] == [2, 1]
    assert verify(place) == []


def test_the_head_is_signed_and_lies_outside_the_database_too(place):
    entry = append(place, "sql.run", actor="a")
    head = read_head_file(place)
    assert (head.seq, head.hash) == (entry.seq, entry.hash)
    assert is_ours(place, head)
    assert not is_ours(settings_for(place.home / "other"), head)


def test_a_head_file_that_is_behind_is_no_fault_and_is_made_good(place):
    append(place, "sql.run", actor="a")
    before = head_file(place).read_text()
    append(place, "sql.run", actor="b")
    head_file(place).write_text(before)  # killed between the commit and the file
    assert verify(place) == []
    append(place, "sql.run", actor="c")
    assert read_head_file(place).seq == 3


def write(settings: Settings, name: str) -> None:
    for number in range(EACH):
        append(settings, "sql.run", actor=name, details={"number": number})
    dispose(settings)


def test_eight_processes_write_one_chain_from_the_first_use_on(place):
    dispose(place)
    context = multiprocessing.get_context("forkserver")
    with ProcessPoolExecutor(WRITERS, context) as pool:
        list(pool.map(write, [place] * WRITERS, [f"w{n}" for n in range(WRITERS)]))
    checked = check(place)
    assert (checked.faults, checked.count) == ((), WRITERS * EACH)
    for name in (f"w{n}" for n in range(WRITERS)):
        mine = entries(place, actor=name, size=EACH).entries
        assert [e.details["number"] for e in mine] == list(reversed(range(EACH)))
    assert read_head_file(place).seq == WRITERS * EACH


def test_a_ledger_that_cannot_be_written_says_so(place):
    append(place, "sql.run", actor="a")
    dispose(place)
    if file := sqlite_file(place):
        file.write_bytes(b"this is no database " * 100)
        broken = place
    else:
        broken = settings_for(place.home, database="postgresql+psycopg://owner@/x?host=/nowhere")
    with pytest.raises(LedgerError) as stopped:
        append(broken, "sql.run", actor="secret-name")
    assert stopped.value.code == "LED-401"
    assert "secret-name" not in str(stopped.value)
    assert "registre" in stopped.value.text("fr")


def test_what_an_entry_says_is_plain_json(place):
    entry = append(place, "sql.run", actor="a", details={"z": 1, "a": (1, 2)})
    assert entry.details == {"a": [1, 2], "z": 1}
    assert json.loads(json.dumps(entry.details)) == entries(place).entries[0].details
