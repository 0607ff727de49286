"""The catalogue opens in the oldest and the newest DuckDB that we promise, as it is and offline.

Each version is installed into a folder of its own; without a package index the test says so.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from pipelines import connect
from pipelines.core.settings import Settings, settings_for
from pipelines.lake.publish import publish
from tests.unit.lake.judged import deliver, row

QUERIES = {
    "rows": "SELECT record_id, country, occurred_on, revision, quality_flags "
    "FROM incidents ORDER BY ALL",
    "history": "SELECT record_id, offence_text, revision, known_from, known_to, is_latest "
    "FROM incidents_history ORDER BY ALL",
    "one country": "SELECT count(*) FROM incidents WHERE country = 'CAF'",
    "no country": "SELECT count(*) FROM incidents WHERE country IS NULL",
    "as of": "SELECT count(*) FROM incidents_as_of(TIMESTAMP '2026-01-02')",
    "attached": "SELECT count(*) FROM catalog.main.incidents_as_of(TIMESTAMP '2026-01-02')",
    "words": "SELECT label('sexes', 'female', lang := 'fr')",
    "deliveries": "SELECT * EXCLUDE (program_version) FROM deliveries ORDER BY ALL",
    "rejections": "FROM rejections ORDER BY ALL",
    "empty": "FROM seizures",
    "reference": "SELECT count(*), max(label_fr) FROM admin_areas",
    "types": "SELECT table_name, column_name, data_type, comment FROM duckdb_columns() "
    "WHERE database_name = 'catalog' AND NOT internal ORDER BY ALL",
}
ASK = """
import json, sys
sys.path.insert(0, sys.argv[1])
import duckdb
assert duckdb.__file__.startswith(sys.argv[1]), duckdb.__file__
offline = {"autoinstall_known_extensions": "false", "autoload_known_extensions": "false"}
connection = duckdb.connect(sys.argv[2], read_only=True, config=offline)
queries = json.loads(sys.argv[3])
print(json.dumps({q: connection.execute(s).fetchall() for q, s in queries.items()}, default=str))
"""


@pytest.fixture(scope="module")
def published(tmp_path_factory) -> Settings:
    settings = settings_for(tmp_path_factory.mktemp("home"), memory_limit="256MB", threads=2)
    first = [
        row("1"),
        row("2", country=None, quality_flags=["INC-901"]),
        row("3", occurred_on=None),
        row("4", is_withdrawn=True),
    ]
    deliver(settings, "a", first, rejected=[row("9", reasons=["INC-101"])])
    deliver(settings, "b", [row("1", "corrected"), row("2", country=None)], day=3)
    publish(settings)
    return settings


@pytest.mark.slow
@pytest.mark.parametrize("version", ["1.1.3", "2.0.0"])
def test_another_duckdb_reads_the_same(published, tmp_path, version):
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--only-binary=:all:"]
    installed = subprocess.run(
        [*pip, "--target", str(tmp_path), f"duckdb=={version}"],
        capture_output=True,
        text=True,
        check=False,
    )
    if installed.returncode:
        pytest.skip(f"pip cannot install duckdb {version}: {installed.stderr.strip()[-200:]}")
    asked = subprocess.run(
        [sys.executable, "-c", ASK, str(tmp_path), str(published.catalogue), json.dumps(QUERIES)],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
    )
    assert asked.returncode == 0, asked.stderr
    with connect(published) as connection:
        ours = {name: connection.execute(sql).fetchall() for name, sql in QUERIES.items()}
    assert json.loads(asked.stdout) == json.loads(json.dumps(ours, default=str))


def test_the_catalogue_works_beside_an_analysts_own_database(published):
    import duckdb

    with duckdb.connect() as connection:
        connection.execute(f"ATTACH '{published.catalogue}' AS theirs (READ_ONLY)")
        assert connection.execute("SELECT count(*) FROM theirs.incidents").fetchone() == (3,)
        assert connection.execute(
            "SELECT count(*) FROM theirs.incidents_as_of(TIMESTAMP '2026-01-02')"
        ).fetchone() == (3,)


def test_the_catalogue_works_from_any_folder(published, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with connect(published) as connection:
        assert connection.execute("SELECT count(*) FROM incidents").fetchone() == (3,)
    paths = connect(published).execute("SELECT sql FROM duckdb_views()").fetchall()
    assert not [sql for (sql,) in paths if "../" in (sql or "")]
    assert Path(published.lake).is_absolute()
