"""What `ledger verify` finds: each way to tamper with a ledger, done around the triggers."""

from __future__ import annotations

import json
import tracemalloc

import pytest

from pipelines.ledger import chain, seal
from pipelines.ledger import verify as verifying
from pipelines.ledger.chain import NewEntry, append, append_all, entries, hash_of
from pipelines.ledger.verify import KINDS, check, verify
from tests.databases import untied

COUNT = 20


@pytest.fixture
def ledger(place):
    append_all(place, [NewEntry("sql.run", f"a{n}", details={"n": n}) for n in range(COUNT)])
    return place


def found(settings, anchor: str = "") -> list[tuple[str, int]]:
    return [(fault.kind, fault.seq) for fault in verify(settings, anchor)]


def test_an_untouched_ledger_has_no_fault(ledger):
    checked = check(ledger)
    assert (checked.faults, checked.count, checked.seq) == ((), COUNT, COUNT)
    append(ledger, "sql.run", actor="a")
    assert found(ledger, checked.anchor) == []


def test_an_empty_ledger_has_no_fault(place):
    assert check(place).anchor == f"0:{seal.FIRST_HASH}"
    assert found(place) == []


@pytest.mark.parametrize(
    "change",
    [
        "actor = 'x'",
        "organisation = 'x'",
        "subject = 'x'",
        "event = 'user.added'",
        "at = '2026-01-01 00:00:00.000000'",
        """details = '{"n": 99}'""",
        "previous_hash = repeat('0', 64)",
        "hash = repeat('0', 64)",
    ],
)
def test_an_altered_entry_is_named(ledger, change):
    if not ledger.database:
        change = change.replace("repeat('0', 64)", f"'{'0' * 64}'")
    untied(ledger, f"UPDATE ledger_entries SET {change} WHERE seq = 7")
    assert found(ledger)[0] == ("altered", 7)
    assert {seq for _kind, seq in found(ledger)} <= {7, 8}


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("seq = 7", [("removed_one", 7)]),
        ("seq = 1", [("removed_one", 1)]),
        ("seq BETWEEN 7 AND 9", [("removed", 7)]),
        ("seq IN (3, 12)", [("removed_one", 3), ("removed_one", 12)]),
        ("seq > 15", [("cut_off", 16)]),
        ("seq = 20", [("cut_off", 20)]),
        ("seq > 0", [("cut_off", 1)]),
    ],
)
def test_removed_entries_are_named(ledger, condition, expected):
    untied(ledger, f"DELETE FROM ledger_entries WHERE {condition}")
    assert found(ledger) == expected


def test_a_cut_end_shows_though_an_older_head_was_put_back(ledger):
    with_old_head = "UPDATE ledger_head SET seq = {0.seq}, hash = '{0.hash}', mac = '{0.mac}'"
    fifteenth = entries(ledger, actor="a14").entries[0]
    head = seal.sealed(ledger, fifteenth.seq, fifteenth.hash)  # as it was, mac and all
    untied(ledger, "DELETE FROM ledger_entries WHERE seq > 15", with_old_head.format(head))
    assert found(ledger) == [("cut_off", 16)]


def cut_end(ledger):
    fifteenth = entries(ledger, actor="a14").entries[0]
    head = seal.sealed(ledger, fifteenth.seq, fifteenth.hash)
    untied(
        ledger,
        "DELETE FROM ledger_entries WHERE seq > 15",
        f"UPDATE ledger_head SET seq = 15, hash = '{head.hash}', mac = '{head.mac}'",
    )


def test_a_cut_end_is_written_down_before_a_new_entry_covers_it_up(ledger):
    cut_end(ledger)
    entry = append(ledger, "sql.run", actor="later")
    assert (entry.seq, entry.actor) == (17, "later")
    append(ledger, "sql.run", actor="later")
    [noticed] = entries(ledger, events=["ledger.fault_noticed"]).entries
    assert noticed.details["kind"] == "cut_off"
    assert (noticed.details["entry"], noticed.details["last"]) == (16, COUNT)


def test_a_cut_end_is_written_down_once_however_many_entries_a_transaction_has(ledger):
    cut_end(ledger)
    with chain.writing(ledger) as work:
        seqs = [work.append("sql.run", actor="later").seq for _once in range(2)]
    assert seqs == [17, 18]
    append(ledger, "sql.run", actor="later")
    [noticed] = entries(ledger, events=["ledger.fault_noticed"]).entries
    assert noticed.details["entry"] == 16
    assert seal.read_head_file(ledger).seq == 19


def test_another_key_is_written_down_before_its_first_entry(ledger):
    for key in ledger.secrets.glob("ledger*"):
        key.unlink()
    append(ledger, "sql.run", actor="later")
    append(ledger, "sql.run", actor="later")
    [noticed] = entries(ledger, events=["ledger.fault_noticed"]).entries
    assert noticed.details == {"kind": "head_forged", "entry": COUNT}
    assert found(ledger) == []


def test_what_both_heads_were_made_to_hide_shows_against_an_anchor(ledger):
    anchor = check(ledger).anchor
    fifteenth = entries(ledger, actor="a14").entries[0]
    head = seal.sealed(ledger, fifteenth.seq, fifteenth.hash)
    untied(
        ledger,
        "DELETE FROM ledger_entries WHERE seq > 15",
        f"UPDATE ledger_head SET seq = 15, hash = '{head.hash}', mac = '{head.mac}'",
    )
    seal.write_head_file(ledger, head, is_forced=True)
    assert found(ledger) == []
    assert found(ledger, anchor) == [("cut_off", 16)]


def swap(first: int, second: int) -> list[str]:
    return [
        f"UPDATE ledger_entries SET seq = 1000 WHERE seq = {first}",
        f"UPDATE ledger_entries SET seq = {first} WHERE seq = {second}",
        f"UPDATE ledger_entries SET seq = {second} WHERE seq = 1000",
    ]


@pytest.mark.parametrize("second", [6, 16])
def test_entries_that_changed_places_are_named(ledger, second):
    untied(ledger, *swap(5, second))
    assert found(ledger) == [("reordered", 5), ("reordered", second)]
    assert [fault.values["was"] for fault in verify(ledger)] == [second, 5]


def test_an_inserted_entry_is_named(ledger):
    untied(
        ledger,
        "UPDATE ledger_entries SET seq = seq + 1000 WHERE seq >= 5",
        "UPDATE ledger_entries SET seq = seq - 999 WHERE seq > 1000",
        "INSERT INTO ledger_entries SELECT 5, at, event, actor, organisation, subject, details, "
        "previous_hash, 'made up' FROM ledger_entries WHERE seq = 4",
    )
    assert found(ledger)[:2] == [("inserted", 5), ("moved", 6)]


def forge(settings, seq: int, actor: str, *, to_the_end: bool) -> list[str]:
    """Statements that put another actor into an entry, with hashes that fit."""
    statements, previous = [], None
    for entry in reversed(entries(settings, size=COUNT).entries):
        if entry.seq < seq or (entry.seq > seq and not to_the_end):
            continue
        changed = chain.Entry(
            **{
                **vars(entry),
                "actor": actor if entry.seq == seq else entry.actor,
                "previous_hash": previous or entry.previous_hash,
            }
        )
        previous = hash_of(changed)
        statements.append(
            f"UPDATE ledger_entries SET actor = '{changed.actor}', hash = '{previous}', "
            f"previous_hash = '{changed.previous_hash}' WHERE seq = {entry.seq}"
        )
    return statements


def test_an_entry_that_was_rewritten_with_its_hash_breaks_the_chain(ledger):
    untied(ledger, *forge(ledger, 7, "x", to_the_end=False))
    assert found(ledger) == [("replaced", 8)]


def test_a_rewritten_end_is_not_what_the_heads_say(ledger):
    untied(ledger, *forge(ledger, 7, "x", to_the_end=True))
    assert found(ledger) == [("rewritten", COUNT)]
    last = entries(ledger, size=1).entries[0]
    untied(ledger, f"UPDATE ledger_head SET hash = '{last.hash}'")
    assert found(ledger) == [("rewritten", COUNT), ("head_forged", COUNT)]


def test_an_entry_added_past_the_head_is_named(ledger):
    last = entries(ledger, size=1).entries[0]
    extra = chain.Entry(**{**vars(last), "seq": 21, "previous_hash": last.hash, "hash": ""})
    values = f"21, at, event, actor, organisation, subject, details, '{last.hash}'"
    untied(
        ledger,
        f"INSERT INTO ledger_entries SELECT {values}, '{hash_of(extra)}' FROM ledger_entries "
        "WHERE seq = 20",
    )
    assert found(ledger) == [("added", 21)]


def test_lost_and_forged_heads_are_named(ledger):
    seal.head_file(ledger).unlink()
    assert found(ledger) == [("head_missing", 0)]
    seal.head_file(ledger).write_text(json.dumps({"seq": 20, "hash": "0" * 64, "mac": "0" * 64}))
    assert ("head_forged", 20) in found(ledger)
    untied(ledger, "DELETE FROM ledger_head")
    assert ("head_missing", 0) in found(ledger)
    with pytest.raises(chain.LedgerError) as stopped:
        append(ledger, "sql.run", actor="a")
    assert stopped.value.code == "LED-403"


def test_faults_are_said_in_both_languages(ledger):
    untied(ledger, "DELETE FROM ledger_entries WHERE seq BETWEEN 7 AND 9", *swap(11, 14))
    for fault in verify(ledger):
        assert str(fault.seq) in fault.text("en")
        assert fault.text("fr") != fault.text("en")
    for kind in KINDS:
        values = {"last": 2, "was": 3, "where": "x", "count": 4}
        assert "{" not in verifying.Fault(kind, 1, values).text("fr")


def test_many_faults_are_listed_up_to_a_limit(ledger, monkeypatch):
    monkeypatch.setattr(verifying, "MOST_FAULTS", 5)
    monkeypatch.setattr(verifying, "MOST_COMPARED", 3)
    untied(ledger, "UPDATE ledger_entries SET actor = 'x'")
    assert [kind for kind, _seq in found(ledger)] == ["altered"] * 5 + ["more"]


def test_memory_does_not_grow_with_the_ledger(place):
    if place.database:
        pytest.skip("the same walk; counted once")
    details = {"text": "x" * 1_000}
    for _ in range(6):
        append_all(place, [NewEntry("sql.run", "a", details=details) for _ in range(2_000)])
    check(place)
    tracemalloc.start()
    assert check(place).count == 12_000
    _now, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 24 * 1024**2  # a page of entries; all of them would be twice as much
