"""What an earlier moment left: an interrupted publish, a changed code list, a changed contract.

Not here: kills at any moment (`tests/faults/test_kill_during_publish.py`).
"""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import pipelines.lake.migrate as moving
from pipelines import connect
from pipelines.core.settings import Settings
from pipelines.lake import catalogue
from pipelines.lake.data_files import missing_columns
from pipelines.lake.errors import LakeError, LakeOutdatedError
from pipelines.lake.maintenance import check
from pipelines.lake.migrate import migrate
from pipelines.lake.publish import publish, write_catalogue
from pipelines.lake.versions import behind, published_deliveries
from schemas.codelist import codelist_path
from schemas.contract import load_contract
from schemas.text import Bilingual
from tests.unit.lake.judged import content, deliver, interrupt, row


def asked(settings: Settings, query: str) -> list[tuple[Any, ...]]:
    with closing(connect(settings)) as connection:
        return connection.execute(query).fetchall()


def test_a_catalogue_shows_a_changed_code_list_without_a_publish(settings, tmp_path, monkeypatch):
    deliver(settings, "a", [row("1")])
    publish(settings)
    assert not write_catalogue(settings)
    changed = tmp_path / "handling_levels.csv"
    text = codelist_path("handling_levels").read_text(encoding="utf-8")
    changed.write_text(text.replace("CONFIDENTIAL,", "CONFIDENTIAL ,", 1), encoding="utf-8")
    monkeypatch.setattr(
        catalogue,
        "codelist_path",
        lambda name: changed if name == "handling_levels" else codelist_path(name),
    )
    assert write_catalogue(settings)
    assert not write_catalogue(settings)


def test_a_catalogue_shows_the_words_of_a_changed_contract_without_a_publish(settings, monkeypatch):
    deliver(settings, "a", [row("1")])
    publish(settings)
    words = Bilingual(en="Other words", fr="D’autres mots")

    def changed(table: str) -> Any:
        known = load_contract(table)
        if table != "incidents":
            return known
        return replace(known, description=words)

    monkeypatch.setattr(catalogue, "load_contract", changed)
    assert write_catalogue(settings)
    said = "SELECT comment FROM duckdb_views() WHERE view_name = 'incidents'"
    assert "Other words" in str(asked(settings, said))


@pytest.mark.parametrize("step", ["publish_rejections", "publish_deliveries", "swap_catalogue"])
def test_an_interrupted_publish_is_finished_before_a_catalogue_is_written(
    settings, monkeypatch, step
):
    deliver(settings, "a", [row("1")], rejected=[row("2", reasons=["INC-101"])])
    interrupt(settings, monkeypatch, step)
    assert write_catalogue(settings)
    assert len(content(settings)["incidents"]) == 1
    assert len(content(settings)["rejections"]) == 1
    assert check(settings) == []


def test_a_list_is_never_taken_for_a_column_that_an_older_file_lacks():
    contract = load_contract("incidents")
    present = frozenset({"record_id"})
    lists = {c.name for c in contract.published if c.duckdb_type.endswith("]")}
    assert lists
    assert not lists & missing_columns(contract, present)
    assert "place_text" in missing_columns(contract, present)


def test_rows_of_an_older_contract_stop_a_publish_until_they_are_migrated(settings):
    deliver(settings, "a", [row("1")], contract_version="1.0.0")
    publish(settings)
    [found] = behind(published_deliveries(settings))
    assert (found.table, found.found, found.must_migrate) == ("incidents", "1.0.0", True)
    deliver(settings, "b", [row("2")], day=1)
    with pytest.raises(LakeOutdatedError, match="passerelle lake migrate"):
        publish(settings)
    with pytest.raises(LakeOutdatedError):
        write_catalogue(settings)
    assert asked(settings, "SELECT count(*) FROM incidents") == [(1,)]
    deliver(settings, "a", [row("1", "by the contract of today")], again=3)
    migrate(settings)
    rows = asked(settings, "SELECT source_record_id, offence_text FROM incidents ORDER BY 1")
    assert rows == [("1", "by the contract of today"), ("2", "as first told")]
    assert check(settings) == []
    before = content(settings)
    assert publish(settings).deliveries == ()
    assert content(settings) == before


def test_a_migration_that_was_killed_goes_on_and_readers_see_the_old_tables(settings, monkeypatch):
    deliver(settings, "a", [row("1")], contract_version="1.0.0")
    publish(settings)
    before = content(settings)
    deliver(settings, "a", [row("1", "judged anew")], again=3)
    with monkeypatch.context() as patched:
        patched.setattr(moving, "find_held", lambda *_arguments: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            migrate(settings)
    assert content(settings) == before
    with pytest.raises(LakeOutdatedError):
        publish(settings)
    migrate(settings)
    assert asked(settings, "SELECT offence_text FROM incidents") == [("judged anew",)]
    assert check(settings) == []


def test_what_was_published_before_another_judgement_survives_a_migration(settings):
    deliver(settings, "a", [row("1", "misread"), row("2")])
    publish(settings)
    deliver(settings, "a", [row("1", "read well"), row("2")], again=5)
    publish(settings)
    before = content(settings)
    migrate(settings)
    assert content(settings) == before


def test_a_migration_loses_nothing_by_going_over_damage(settings):
    deliver(settings, "a", [row("1")])
    publish(settings)
    next(Path(settings.landing.path).glob("*/a/accepted.parquet")).unlink()
    with pytest.raises(LakeError, match="missing"):
        migrate(settings)
    assert asked(settings, "SELECT count(*) FROM incidents") == [(1,)]
