"""A table that cannot be published keeps what it shows, is told of, and holds up no other.

Not here: what stops every table (`test_left_behind.py`, `tests/faults`).
"""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pipelines.core.settings import Settings, settings_for
from pipelines.lake import catalogue
from pipelines.lake import publish as publishing
from pipelines.lake.catalogue import connect, table_faults
from pipelines.lake.publish import publish, write_catalogue
from schemas.contract import Contract, load_contract
from tests.unit.lake.judged import content, deliver, row


def numbers(settings: Settings, relation: str) -> list[str]:
    with closing(connect(settings)) as connection:
        found = connection.execute(f"SELECT source_record_id FROM {relation} ORDER BY 1").fetchall()
    return [number for (number,) in found]


def as_number(table: str) -> Contract:
    """`incidents` as a contract that says another type of a column."""
    known = load_contract(table)
    if table != "incidents":
        return known
    return changed(known, "victims_total", duckdb_type="VARCHAR")


def without_date(table: str) -> Contract:
    """`incidents` as a contract of which the column that tells when is not there."""
    known = load_contract(table)
    if table != "incidents":
        return known
    return replace(known, roles=known.roles.model_copy(update={"event_time": "happened_at"}))


def changed(known: Contract, column: str, **to: Any) -> Contract:
    columns = tuple(replace(c, **to) if c.name == column else c for c in known.columns)
    return replace(known, columns=columns)


@pytest.mark.parametrize("contract", [as_number, without_date])
def test_others_are_published_and_the_table_stays_as_it_was(settings, monkeypatch, contract):
    deliver(settings, "a", [row("1")])
    deliver(settings, "s", [row("1")], table="seizures")
    publish(settings)
    deliver(settings, "b", [row("2")], day=1)
    deliver(settings, "t", [row("2")], table="seizures", day=1)
    with monkeypatch.context() as patch:
        patch.setattr(publishing, "load_contract", contract)
        patch.setattr(catalogue, "load_contract", contract)
        done = publish(settings)
        assert [*done.faults] == ["incidents"]
        assert "incidents" in done.faults["incidents"].text("fr")
        assert len(done.deliveries) == 1
        assert numbers(settings, "incidents") == numbers(settings, "incidents_history") == ["1"]
        assert numbers(settings, "incidents_as_of('2999-01-01')") == ["1"]
        assert numbers(settings, "seizures") == ["1", "2"]
        assert table_faults(settings).keys() == {"incidents"}
        assert not write_catalogue(settings), "it is told once"
        assert publish(settings).faults.keys() == {"incidents"}
    done = publish(settings)
    assert (len(done.deliveries), done.faults, table_faults(settings)) == (1, {}, {})
    assert numbers(settings, "incidents") == ["1", "2"]


def test_the_outcome_is_as_if_nothing_had_ever_been_wrong(settings, tmp_path, monkeypatch):
    other = settings_for(tmp_path / "other", memory_limit="256MB", threads=2)
    for place in (settings, other):
        deliver(place, "a", [row("1"), row("2", "A")])
        publish(place)
        deliver(place, "b", [row("2", "B")], day=1)
    with monkeypatch.context() as patch:
        patch.setattr(publishing, "load_contract", as_number)
        publish(settings)
    for place in (settings, other):
        publish(place)
    assert content(settings) == content(other)


def test_a_table_that_never_was_is_empty_until_it_can_be(settings, monkeypatch):
    deliver(settings, "a", [row("1")])
    deliver(settings, "s", [row("1")], table="seizures")
    with monkeypatch.context() as patch:
        patch.setattr(publishing, "load_contract", without_date)
        assert publish(settings).faults.keys() == {"incidents"}
    assert numbers(settings, "incidents") == []
    assert numbers(settings, "seizures") == ["1"]


def test_a_damaged_file_of_one_table_leaves_the_others(settings):
    deliver(settings, "a", [row("1")])
    publish(settings)
    for file in Path(settings.lake).glob("incidents/**/*.parquet"):
        file.chmod(0o600)
        file.write_bytes(b"PAR1")
    deliver(settings, "a2", [row("1", "B")], day=1)
    deliver(settings, "s", [row("1")], table="seizures")
    assert publish(settings).faults.keys() == {"incidents"}
    assert numbers(settings, "seizures") == ["1"]
    assert numbers(settings, "incidents") == [], "nothing can be shown of it any more"


def test_a_table_is_shown_again_once_its_file_is_back(settings):
    """Also where nothing of it waits: nothing but the catalogue has to be made."""
    deliver(settings, "a", [row("1")])
    publish(settings)
    whole = {file: file.read_bytes() for file in Path(settings.lake).glob("incidents/**/*.parquet")}
    for file in whole:
        file.chmod(0o600)
        file.write_bytes(b"PAR1")
    deliver(settings, "s", [row("1")], table="seizures")
    assert publish(settings).faults.keys() == {"incidents"}
    for file, content_then in whole.items():
        file.write_bytes(content_then)
    done = publish(settings)
    assert (done.faults, done.is_catalogue_new) == ({}, True)
    assert numbers(settings, "incidents") == ["1"]
    assert not publish(settings).is_catalogue_new


def test_what_concerns_every_table_stops_the_publish(settings, monkeypatch):
    deliver(settings, "a", [row("1")])

    def full(*_arguments: Any) -> Any:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(publishing, "stage", full)
    with pytest.raises(OSError, match="No space left"):
        publish(settings)
