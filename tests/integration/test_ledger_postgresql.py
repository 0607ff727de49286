"""The whole program with its ledger in a real PostgreSQL server, which this test starts.

What the ledger and the accounts do in themselves is tested with both databases beside them.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import uuid
from dataclasses import replace
from pathlib import Path

import pytest

from pipelines.backup.errors import BackupError
from pipelines.backup.make import make_backup
from pipelines.backup.restore import restore
from pipelines.core.settings import Settings, settings_for
from pipelines.ledger.chain import append, entries
from pipelines.ledger.database import dispose
from pipelines.ledger.verify import verify
from schemas.feed import FEEDS_FOLDER
from tests.databases import Server, postgresql, untied

__all__ = ["postgresql"]

FEED = "caf_gendarmerie_incidents"
EXAMPLES = sorted((FEEDS_FOLDER / FEED / "examples").iterdir())


@pytest.fixture
def url(postgresql: Server):
    database = f"t{uuid.uuid4().hex}"
    postgresql.run(f"CREATE DATABASE {database}")
    yield postgresql.url(database)
    postgresql.run(f"DROP DATABASE {database} WITH (FORCE)")


@pytest.fixture
def settings(url: str, tmp_path: Path) -> Settings:
    home = tmp_path / "home"
    home.mkdir()
    settings = settings_for(home, database=url, memory_limit="256MB", threads=2)
    yield settings
    dispose(settings)


def passerelle(
    settings: Settings, *arguments: str, stdin: str = "", **more: str
) -> subprocess.CompletedProcess[str]:
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PASSERELLE_")}
    environment |= {
        "PASSERELLE_HOME": str(settings.home),
        "PASSERELLE_DATABASE": settings.database,
        "LANG": "en",
        **more,
    }
    return subprocess.run(
        [sys.executable, "-m", "pipelines.cli", *arguments],
        env=environment,
        cwd=settings.home,
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_commands_work_with_it_and_leave_no_sqlite_file(settings):
    done = passerelle(settings, "ingest", FEED, *map(str, EXAMPLES))
    assert done.returncode == 0, done.stderr
    line = ("user", "add", "jma.1", "--organisation", "minusca_unpol", "--role", "analyst")
    added = passerelle(settings, *line, "--password-stdin", stdin="correct horse battery\n")
    assert added.returncode == 0, added.stderr
    listed = json.loads(passerelle(settings, "user", "list", "--json").stdout)
    assert [one["name"] for one in listed] == ["jma.1"]
    checked = json.loads(passerelle(settings, "ledger", "verify", "--json").stdout)
    assert checked["faults"] == []
    events = {entry.event for entry in entries(settings, size=100).entries}
    assert {"delivery.judged", "delivery.published", "user.added", "ledger.checked"} <= events
    assert not (settings.home / "ledger.db").exists()


def test_tampering_is_found_and_gives_exit_code_3(settings):
    for number in range(5):
        append(settings, "sql.run", actor=f"a{number}")
    untied(settings, "UPDATE ledger_entries SET actor = 'x' WHERE seq = 3")
    done = passerelle(settings, "ledger", "verify")
    assert (done.returncode, "PSL-304" in done.stderr) == (3, True)
    assert "Entry 3 was altered" in done.stderr
    said = passerelle(settings, "ledger", "verify", LANG="fr").stderr
    assert "L’inscription 3 a été modifiée" in said.replace("\n", " ")


def test_a_server_that_is_away_is_said_and_nothing_is_published(settings, postgresql):
    away = replace(settings, database=postgresql.url("no_such_database"))
    done = passerelle(away, "ingest", FEED, str(EXAMPLES[0]))
    assert (done.returncode, "LED-401" in done.stderr) == (4, True)
    assert "Traceback" not in done.stderr
    assert not settings.catalogue.exists()
    mended = passerelle(settings, "run")
    assert mended.returncode == 0, mended.stderr
    events = [entry.event for entry in entries(settings).entries]
    assert events.count("delivery.judged") == events.count("delivery.published") == 1


def test_a_backup_leaves_the_server_to_pg_dump_and_a_restore_looks_at_it(settings, tmp_path):
    passerelle(settings, "ingest", FEED, *map(str, EXAMPLES))
    made = make_backup(settings, tmp_path / "b.tar.gz", with_secrets=True)
    assert made.left_out == ("database",)
    into_sqlite = settings_for(tmp_path / "sqlite")
    with pytest.raises(BackupError) as refused:
        restore(into_sqlite, made.file)
    assert refused.value.code == "BAK-205"
    other = settings_for(tmp_path / "other", database=settings.database, threads=2)
    assert restore(other, made.file).problems == ()
    assert verify(other) == []
    dispose(other)
