"""The competitors of the benchmark do the same work as ours: the same rows, the same cells.

Not here: any time. `python -m benchmarks` measures; nothing in the tests depends on it.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import duckdb
import pytest

from benchmarks.compare import differences, fingerprint
from benchmarks.generate import generate
from benchmarks.measure import Limits, run_once
from pipelines.core.settings import settings_for

ROWS = 2_000
NEEDED = {"pandas_gx": ("pandas",), "polars_pandera": ("polars", "pandera")}


@pytest.fixture(scope="module")
def limits(tmp_path_factory: pytest.TempPathFactory) -> Limits:
    home = tmp_path_factory.mktemp("benchmark")
    generate(settings_for(home), ROWS, home / "incidents.csv")
    return Limits(home=home, threads=2, memory_limit="1GB")


@pytest.fixture(scope="module")
def ours(limits: Limits) -> Path:
    return run_once("ours", limits.home / "incidents.csv", limits)[1]


@pytest.mark.parametrize("engine", ["hand_sql", "pandas_gx", "polars_pandera"])
def test_a_competitor_writes_what_we_write(ours: Path, limits: Limits, engine: str) -> None:
    if missing := [package for package in NEEDED.get(engine, ()) if find_spec(package) is None]:
        pytest.skip(f"{' and '.join(missing)} not installed: pip install -e '.[bench]'")
    theirs = run_once(engine, limits.home / "incidents.csv", limits)[1]
    assert _accepted(theirs) == _accepted(ours)
    assert 0.9 * ROWS < len(_accepted(ours)) < ROWS
    assert differences(_fingerprint(ours), _fingerprint(theirs)) == []


def _accepted(folder: Path) -> list[str]:
    ids = duckdb.sql(f"SELECT record_id FROM read_parquet('{folder / 'accepted.parquet'}')")
    return sorted(row[0] for row in ids.fetchall())


def _fingerprint(folder: Path) -> dict[str, str]:
    return fingerprint(folder / "accepted.parquet", folder / "quarantined.parquet")


def test_the_floor_copies_and_judges_nothing(limits: Limits) -> None:
    folder = run_once("plain_copy", limits.home / "incidents.csv", limits)[1]
    assert [file.name for file in folder.iterdir()] == ["copy.parquet"]
