"""Delta tables: conflicts are noticed, a contract may widen, memory is bounded by passes."""

from __future__ import annotations

from dataclasses import replace

import duckdb
import pytest

from pipelines import connect
from pipelines.core.settings import Settings, settings_for
from pipelines.lake import batches as passing
from pipelines.lake import publish as publishing
from pipelines.lake.errors import CommitConflictError, LakeError
from pipelines.lake.publish import publish
from pipelines.lake.tables import (
    commit,
    data_files,
    existing_table,
    holds,
    open_table,
    stage,
    stored_columns,
)
from schemas.contract import load_contract
from tests.unit.lake.judged import content, deliver, row


def test_a_commit_on_a_version_that_is_no_longer_the_newest_is_refused(settings):
    with duckdb.connect() as connection:
        contract = load_contract("rejections")
        mine = open_table(settings, contract)
        theirs = open_table(settings, contract)
        nulls = ", ".join(f"NULL::{kind} AS {c}" for c, kind in stored_columns(contract).items())
        commit(
            settings, theirs, stage(settings, connection, contract, [f"SELECT {nulls}"]), [], ["a"]
        )
        with pytest.raises(CommitConflictError):
            commit(settings, mine, [], [], ["b"])
    newest = existing_table(settings, "rejections")
    assert (holds(newest, "a"), holds(newest, "b")) == (True, False)
    assert [file.rows for file in data_files(newest)] == [1]


def without(contract, column):
    return replace(contract, columns=tuple(c for c in contract.columns if c.name != column))


def test_a_column_that_the_contract_gains_is_empty_in_older_rows(settings, monkeypatch):
    def before_it_was_widened(table: str):
        contract = load_contract(table)
        return without(contract, "place_text") if table == "incidents" else contract

    deliver(settings, "a", [row("1"), row("2")])
    with monkeypatch.context() as patch:
        patch.setattr(publishing, "load_contract", before_it_was_widened)
        publish(settings)
    deliver(settings, "b", [row("2", place_text="Bria"), row("3", place_text="Obo")], day=1)
    publish(settings)
    with connect(settings) as connection:
        assert connection.execute(
            "SELECT source_record_id, place_text, revision FROM incidents ORDER BY ALL"
        ).fetchall() == [("1", None, 1), ("2", "Bria", 2), ("3", "Obo", 1)]
        assert connection.execute("SELECT count(*) FROM incidents_history").fetchone() == (4,)


@pytest.mark.parametrize(("column", "kind"), [("victims_total", "VARCHAR"), ("new", "VARCHAR[]")])
def test_what_a_table_cannot_become_stops_the_publish_with_a_sentence(settings, column, kind):
    contract = load_contract("incidents")
    kept = [c for c in contract.columns if c.name != column]
    changed = replace(contract.columns[0], name=column, duckdb_type=kind)
    deliver(settings, "a", [row("1")])
    publish(settings)
    with pytest.raises(LakeError, match=rf"incidents\.{column} is .*migrated first"):
        open_table(settings, replace(contract, columns=(*kept, changed)))


def test_rows_beyond_one_pass_are_written_in_several(tmp_path, monkeypatch):
    def publish_into(name: str) -> Settings:
        place = settings_for(tmp_path / name, memory_limit="256MB", threads=2)
        for label, day in (("a", 0), ("b", 1)):
            rows = [
                row(f"{n}", f"told on {day}", occurred_on=f"2026-{1 + n % 12:02}-05")
                for n in range(60)
            ]
            deliver(place, label, [*rows, row("undated", occurred_on=None)], day=day)
            publish(place)
        return place

    in_one = publish_into("one")
    monkeypatch.setattr(passing, "ROWS_A_PASS", 10)
    in_several = publish_into("several")
    assert content(in_several) == content(in_one)
    assert len(content(in_one)["incidents"]) == 61


@pytest.mark.parametrize("stem", ["x", "long " * 40, "é" * 90, "𝔘" * 70, "\U0010ffff" * 80])
def test_a_record_is_found_again_whatever_the_statistics_make_of_its_id(settings, stem):
    records = [f"{stem}{n}" for n in ("0", "a", "é", "\U0010ffff")]
    deliver(settings, "a", [row(record) for record in records])
    publish(settings)
    for day, record in enumerate(records, start=1):
        deliver(settings, f"b{day}", [row(record, "corrected")], day=day)
    publish(settings)
    with connect(settings) as connection:
        assert connection.execute("SELECT DISTINCT revision FROM incidents").fetchall() == [(2,)]
        assert connection.execute("SELECT count(*) FROM incidents_history").fetchone() == (8,)


def test_the_writer_has_only_so_many_partitions_open_at_once(settings, monkeypatch):
    monkeypatch.setattr(passing, "PARTITIONS_A_PASS", 3)
    rows = [
        row(f"{n}", country=("CAF", "COD")[n % 2], occurred_on=f"{2000 + n % 7}-05-01")
        for n in range(40)
    ]
    deliver(settings, "a", [*rows, row("undated", occurred_on=None)])
    publish(settings)
    files = data_files(existing_table(settings, "incidents"))
    assert sum(file.rows for file in files) == 41
    assert len(files) == len({tuple(file.partition.items()) for file in files}) == 15
