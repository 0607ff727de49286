"""A table is published by what its contract has: without a time, without a place, without either.

Not here: the tables that have all of it (`test_publish.py`, `test_tables.py`).
"""

from __future__ import annotations

from contextlib import closing
from typing import Any

import pytest

from pipelines.core.settings import Settings
from pipelines.lake import batches as passes
from pipelines.lake import catalogue
from pipelines.lake import publish as publishing
from pipelines.lake.catalogue import connect
from pipelines.lake.publish import publish
from pipelines.lake.tables import data_files, existing_table, partition_columns
from schemas.contract import Contract, load_contract
from tests.lacking import without
from tests.unit.lake.judged import deliver, row

ALL = ("is_latest", "country", "occurred_month")
WITHOUT = {
    ("time",): ("is_latest", "country"),
    ("place",): ("is_latest", "occurred_month"),
    ("time", "place"): ("is_latest",),
}


def asked(settings: Settings, query: str) -> list[tuple[Any, ...]]:
    with closing(connect(settings)) as connection:
        return connection.execute(query).fetchall()


@pytest.fixture(params=WITHOUT, ids="-".join)
def groups(request, monkeypatch):
    contract = without(*request.param)

    def load(table: str) -> Contract:
        return contract if table == "incidents" else load_contract(table)

    for module in (publishing, catalogue):
        monkeypatch.setattr(module, "load_contract", load)
    return request.param


def test_it_is_partitioned_by_what_it_has(groups):
    assert partition_columns(load_contract("incidents")) == ALL
    assert partition_columns(without(*groups)) == WITHOUT[groups]
    assert partition_columns(load_contract("deliveries")) == ()


def test_it_is_published_and_corrected_beside_the_others(settings, groups):
    deliver(settings, "a", [row("1"), row("2")])
    deliver(settings, "s", [row("1")], table="seizures")
    assert publish(settings).faults == {}
    deliver(settings, "b", [row("2", "corrected"), row("3", is_withdrawn=True)], day=1)
    assert publish(settings).faults == {}
    found = asked(settings, "SELECT source_record_id, offence_text FROM incidents ORDER BY 1")
    assert found == [("1", "as first told"), ("2", "corrected")]
    assert asked(settings, "SELECT count(*) FROM incidents_history") == [(4,)]
    assert asked(settings, "SELECT count(*) FROM incidents_as_of('2026-01-01 12:00')") == [(2,)]
    assert asked(settings, "SELECT source_record_id, country FROM seizures") == [("1", "CAF")]
    files = data_files(existing_table(settings, "incidents"))
    assert {tuple(file.partition) for file in files} == {WITHOUT[groups]}


def test_more_rows_than_one_pass_are_all_written(settings, groups, monkeypatch):
    monkeypatch.setattr(passes, "ROWS_A_PASS", 10)
    deliver(settings, "a", [row(str(number)) for number in range(45)])
    assert publish(settings).faults == {}
    assert asked(settings, "SELECT count(*), count(DISTINCT record_id) FROM incidents") == [
        (45, 45)
    ]
    assert len(data_files(existing_table(settings, "incidents"))) > ("time" in groups)
