"""Whatever is done to a ledger around its triggers is found; what is appended is never a fault."""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from pipelines.core.settings import Settings, settings_for
from pipelines.ledger.chain import EVENTS, NewEntry, append_all, entries
from pipelines.ledger.database import dispose
from pipelines.ledger.verify import verify

COUNT = 12
SEQS = st.integers(1, COUNT)
TEXT = st.text(max_size=30)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | TEXT | st.floats(-1e9, 1e9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)
ENTRY = st.builds(
    NewEntry, st.sampled_from(EVENTS), TEXT, TEXT, TEXT, st.dictionaries(TEXT, JSON, max_size=4)
)


@pytest.fixture(scope="module")
def ledger(tmp_path_factory) -> Settings:
    """A ledger without its triggers, to be copied and changed."""
    settings = settings_for(tmp_path_factory.mktemp("ledger") / "home")
    append_all(settings, [NewEntry("sql.run", f"a{n}", details={"n": n}) for n in range(COUNT)])
    dispose(settings)
    with closing(sqlite3.connect(settings.home / "ledger.db")) as connection:
        for (name,) in connection.execute(
            "SELECT name FROM sqlite_master WHERE type = 'trigger'"
        ).fetchall():
            connection.execute(f"DROP TRIGGER {name}")
        connection.commit()
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return settings


ONE_CHANGE = st.one_of(
    st.tuples(st.just("remove"), st.sets(SEQS, min_size=1)),
    st.tuples(st.just("swap"), st.tuples(SEQS, SEQS).filter(lambda two: two[0] != two[1])),
    st.tuples(st.just("rename"), st.tuples(SEQS, st.text("bcdxyz", min_size=1, max_size=5))),
    st.tuples(st.just("copy"), SEQS),
    st.tuples(st.just("shift"), st.tuples(SEQS, st.integers(1, 5))),
)


def change(connection: sqlite3.Connection, kind: str, what) -> None:
    run = connection.execute
    if kind == "remove":
        run(f"DELETE FROM ledger_entries WHERE seq IN ({', '.join(map(str, what))})")
    elif kind == "swap":
        first, second = what
        run("UPDATE ledger_entries SET seq = -1 WHERE seq = ?", [first])
        run("UPDATE ledger_entries SET seq = ? WHERE seq = ?", [first, second])
        run("UPDATE ledger_entries SET seq = ? WHERE seq = -1", [second])
    elif kind == "rename":
        run("UPDATE ledger_entries SET actor = ? WHERE seq = ?", [what[1], what[0]])
    elif kind == "copy":
        run(
            "INSERT INTO ledger_entries SELECT (SELECT max(seq) + 1 FROM ledger_entries), at, "
            "event, actor, organisation, subject, details, previous_hash, hash || 'x' "
            "FROM ledger_entries WHERE seq = ?",
            [what],
        )
    else:
        run("UPDATE ledger_entries SET seq = -seq WHERE seq >= ?", [what[0]])
        run("UPDATE ledger_entries SET seq = -seq + ? WHERE seq < 0", [what[1]])


@given(changes=st.lists(ONE_CHANGE, min_size=1, max_size=1))
@hypothesis_settings(max_examples=60, deadline=None)
def test_every_change_is_found(ledger, changes):
    with tempfile.TemporaryDirectory() as folder:
        copy = settings_for(Path(folder) / "home")
        shutil.copytree(ledger.home, copy.home)
        with closing(sqlite3.connect(copy.home / "ledger.db")) as connection:
            for kind, what in changes:
                change(connection, kind, what)
            connection.commit()
        faults = verify(copy)
        dispose(copy)
    assert faults
    kind, what = changes[0]
    if kind == "remove":
        gone = {fault.seq for fault in faults}
        assert min(what) in gone
        assert {fault.kind for fault in faults} <= {"removed", "removed_one", "cut_off"}
    if kind == "rename":
        assert [(fault.kind, fault.seq) for fault in faults] == [("altered", what[0])]


@given(new=st.lists(st.lists(ENTRY, max_size=4), min_size=1, max_size=4))
@hypothesis_settings(max_examples=40, deadline=None)
def test_what_is_appended_is_read_back_and_is_never_a_fault(new):
    with tempfile.TemporaryDirectory() as folder:
        settings = settings_for(Path(folder) / "home")
        written = [entry for some in new for entry in append_all(settings, some)]
        assert verify(settings) == []
        found = entries(settings, size=100)
        assert list(reversed(found.entries)) == written
        dispose(settings)
