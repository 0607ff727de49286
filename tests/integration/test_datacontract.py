"""`datacontract test` reads a copy of each published table and finds that it keeps its contract.

Not here: whether the contracts are valid documents (`tests/contract/test_contracts.py`).
"""

from __future__ import annotations

import os
from contextlib import closing
from pathlib import Path

import pytest

from pipelines import connect
from pipelines.core.settings import Settings, settings_for
from pipelines.lake.publish import publish
from schemas.contract import load_contract, table_names
from schemas.render.__main__ import DOCS
from schemas.render.odcs import PUBLISHED, SUFFIX
from tests.unit.lake.judged import deliver, row

if not os.environ.get("CI"):  # where the lock is installed, a missing part is a fault
    pytest.importorskip("ibis", reason="datacontract-cli[duckdb] is not installed")


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.chdir(tmp_path)  # the contracts name a folder beside whoever reads them
    return settings_for(tmp_path / "home", memory_limit="256MB", threads=2)


def copied(settings: Settings, query: str = "FROM incidents", table: str = "incidents") -> int:
    """Copy what the catalogue shows for the test, as the guide says; how many rows."""
    Path(PUBLISHED).mkdir(exist_ok=True)
    with closing(connect(settings)) as connection:
        path = f"{PUBLISHED}/{table}.parquet"
        return int(connection.execute(f"COPY ({query}) TO '{path}'").fetchall()[0][0])


def outcome(table: str = "incidents") -> tuple[str, int, list[str]]:
    """What the tool finds: its verdict, how many checks passed, and what failed."""
    from datacontract.data_contract import DataContract

    run = DataContract(data_contract_file=str(DOCS / f"schemas/{table}{SUFFIX}")).test()
    results = [str(check.result.value) for check in run.checks]
    wrong = [str(c.reason) for c in run.checks if c.result.value in ("failed", "error")]
    return str(run.result.value), results.count("passed"), wrong


def full(record: str, text: str = "as first told") -> dict[str, object]:
    return row(record, text, admin1_code="CF71", offence_code="0101", is_sensitive=False)


def test_each_published_table_keeps_its_contract_again_after_a_correction(
    settings: Settings,
) -> None:
    deliver(settings, "a", [full("1"), full("2")], rejected=[row("3", reasons=["INC-101"])])
    publish(settings)
    for table in table_names():
        copied(settings, f"FROM {table}", table)
        verdict, passed, wrong = outcome(table)
        assert (verdict in ("passed", "warning"), wrong) == (True, []), table
        assert passed >= len(load_contract(table).published)  # each column is there, at least
    deliver(settings, "b", [full("1", "as corrected")], day=1)
    publish(settings)
    assert copied(settings) == 2
    assert outcome()[2] == []


def test_a_write_that_was_not_committed_is_not_seen(settings: Settings) -> None:
    """A copy comes from the catalogue, never from whatever lies in the folder of the lake."""
    deliver(settings, "a", [full("1")])
    publish(settings)
    stray = Path(settings.lake) / "incidents" / "stray.parquet"
    with closing(connect(settings)) as connection:
        connection.execute(f"COPY (SELECT NULL AS record_id) TO '{stray}'")
    assert copied(settings) == 1
    assert outcome()[2] == []


@pytest.mark.parametrize(
    "query",
    [
        "SELECT * REPLACE (NULL AS record_id) FROM incidents",
        "SELECT * EXCLUDE (offence_code) FROM incidents",
        "FROM incidents UNION ALL FROM incidents",
    ],
)
def test_a_table_that_does_not_keep_its_contract_is_found(settings: Settings, query: str) -> None:
    deliver(settings, "a", [full("1")])
    publish(settings)
    copied(settings, query)
    verdict, _passed, wrong = outcome()
    assert verdict in ("failed", "error") and wrong


def test_what_is_never_kept_is_no_column_of_a_published_table() -> None:
    for table in table_names("data"):
        text = (DOCS / f"schemas/{table}{SUFFIX}").read_text(encoding="utf-8")
        for column in load_contract(table).columns_filled_by("input"):
            assert f"- name: {column.name}\n" not in text
