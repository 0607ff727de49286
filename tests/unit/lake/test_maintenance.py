"""Upkeep changes no row, takes no file from a reader, and notices what is wrong."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from pipelines import connect
from pipelines.core.settings import Settings
from pipelines.lake import catalogue
from pipelines.lake.errors import NothingPublishedError
from pipelines.lake.maintenance import check, compact, vacuum
from pipelines.lake.publish import publish
from pipelines.lake.storage import table_uri
from pipelines.lake.tables import data_files, existing_table
from tests.unit.lake.judged import content, deliver, row

ROUNDS = 4


@pytest.fixture
def worn(settings) -> Settings:
    """A lake after a few publishes: several small files a partition, and some that nobody needs."""
    for number in range(ROUNDS):
        rejected = [row("x", reasons=["INC-101"])]
        deliver(
            settings, f"d{number}", [row("1", f"{number}"), row(f"n{number}")],
            day=number, rejected=rejected,
        )  # fmt: skip
        publish(settings)
    return settings


def files_on_disk(settings: Settings) -> set[Path]:
    return set(Path(settings.lake).rglob("*.parquet"))


def test_compaction_merges_files_and_changes_no_row(worn):
    before = content(worn)
    done = {one.table: one for one in compact(worn)}
    assert done["incidents"].files_after == 2 < done["incidents"].files_before
    assert done["deliveries"].files_after == 1 < done["deliveries"].files_before
    assert content(worn) == before
    assert check(worn) == []
    again = compact(worn)
    assert all(one.files_before == one.files_after for one in again)


def test_publishing_goes_on_after_compaction(worn):
    compact(worn)
    deliver(worn, "late", [row("1", "late"), row("n1", "late")], day=1.5)
    publish(worn)
    with connect(worn) as connection:
        assert connection.execute(
            "SELECT offence_text, revision FROM incidents WHERE source_record_id = '1'"
        ).fetchall() == [(f"{ROUNDS - 1}", ROUNDS + 1)]
    assert check(worn) == []


def test_vacuum_spares_what_recent_catalogues_show(worn):
    with connect(worn) as reader:
        compact(worn)
        assert vacuum(worn, is_dry_run=False) == []
        assert reader.execute("SELECT count(*) FROM incidents_history").fetchone() == (2 * ROUNDS,)


def test_vacuum_deletes_only_what_no_catalogue_shows(worn):
    compact(worn)
    before, shown = files_on_disk(worn), content(worn)
    doomed = vacuum(worn, keep_days=0)
    assert doomed and files_on_disk(worn) == before
    assert vacuum(worn, keep_days=0, is_dry_run=False) == doomed
    assert before - files_on_disk(worn) == {Path(worn.lake) / path for path in doomed}
    assert content(worn) == shown
    assert check(worn) == []


def test_vacuum_takes_what_a_killed_publish_left(worn):
    litter = (
        Path(worn.lake) / "incidents/is_latest=true/country=CAF/occurred_month=2026-01/x.parquet"
    )
    litter.write_bytes(b"half")
    assert vacuum(worn) == []
    deleted = vacuum(worn, keep_days=0, is_dry_run=False)
    assert str(litter.relative_to(worn.lake)) in deleted
    assert not litter.exists()


def test_vacuum_spares_files_dropped_long_ago_that_readers_saw_until_now(worn):
    """A publish killed before its swap, and nobody came by for weeks: the swap starts the clock."""
    before = files_on_disk(worn)
    table = existing_table(worn, "incidents")
    table.optimize.compact()
    assert vacuum(worn, keep_days=0.01, is_dry_run=False) == []
    assert before <= files_on_disk(worn)


def retired(settings: Settings) -> set[str]:
    with connect(settings) as connection:
        return {p for (p,) in connection.execute("SELECT path FROM lake.retired").fetchall()}


def test_files_that_a_catalogue_showed_are_remembered_for_three_months(worn, monkeypatch):
    compact(worn)
    deliver(worn, "later", [row("1", "later")], day=9)
    before = retired(worn)
    publish(worn)
    assert before and before < retired(worn)
    monkeypatch.setattr(catalogue, "RETIRED_DAYS", -1)
    deliver(worn, "last", [row("1", "last")], day=10)
    publish(worn)
    assert retired(worn) and not before & retired(worn)


def test_check_needs_something_to_check(settings):
    with pytest.raises(NothingPublishedError):
        check(settings)


def test_check_finds_a_file_that_is_gone(worn):
    file = data_files(existing_table(worn, "incidents"))[0]
    (Path(table_uri(worn, "incidents")) / file.path).unlink()
    (problem,) = check(worn)
    assert problem.table == "incidents" and file.path in problem.text()


def test_check_finds_a_file_with_other_rows(worn):
    file = data_files(existing_table(worn, "incidents"))[-1]  # sorted: is_latest=true comes last
    path = Path(table_uri(worn, "incidents")) / file.path
    duckdb.sql(f"COPY (FROM '{path}' LIMIT 0) TO '{path}.new' (FORMAT parquet)")
    Path(f"{path}.new").replace(path)
    problems = [problem.text() for problem in check(worn)]
    assert any("has 0 rows instead of" in problem for problem in problems)
    assert any("rows instead of 2" in problem for problem in problems)
    assert any("one latest version" in problem for problem in problems)


def test_check_finds_a_catalogue_that_is_behind(worn):
    existing_table(worn, "incidents").delete("source_record_id = '1'")
    (problem,) = check(worn)
    assert "newest version" in problem.text()
