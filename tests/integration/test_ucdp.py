"""The real UCDP files, through the whole journey: every row accounted for, the same ids published.

Not here: synthetic rows of the same shape (the feed's examples, `tests/contract/test_feeds.py`).
"""

from __future__ import annotations

import csv
import datetime as dt
import json
from pathlib import Path

import pytest

import pipelines
from pipelines.core.settings import Settings, settings_for
from pipelines.ingest.ingest import ingest
from pipelines.lake.publish import publish
from pipelines.validate.verdict import Verdict

FEED = "ucdp_ged_incidents"
UCDP = Path(__file__).parents[2].parent / "shared" / "reference" / "sources" / "ucdp"
EVENTS = {"conflict_data_ssd.csv": 941, "ged_caf_v23_1.geojson": 1848}
RECEIVED = dt.datetime(2026, 11, 22, tzinfo=dt.UTC)
LEAST_ACCEPTED = 0.99

pytestmark = pytest.mark.skipif(
    not UCDP.is_dir(), reason="the public reference files are not beside this checkout"
)


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return settings_for(tmp_path_factory.mktemp("ucdp")).prepare()


@pytest.fixture(scope="module")
def verdicts(settings: Settings) -> dict[str, Verdict]:
    return {
        name: ingest(settings, FEED, UCDP / name, received_at=RECEIVED, origin="UCDP")
        for name in EVENTS
    }


@pytest.fixture(scope="module")
def published(settings: Settings, verdicts: dict[str, Verdict]) -> Settings:
    assert {verdict.state for verdict in verdicts.values()} == {"accepted"}
    publish(settings)
    return settings


@pytest.mark.parametrize("name", EVENTS)
def test_every_event_is_accounted_for(verdicts: dict[str, Verdict], name: str) -> None:
    verdict = verdicts[name]
    routed = verdict.rows_accepted + verdict.rows_quarantined + verdict.rows_exact_duplicates
    assert (verdict.state, verdict.rows_read, routed) == ("accepted", EVENTS[name], EVENTS[name])
    assert verdict.rows_accepted >= LEAST_ACCEPTED * EVENTS[name], verdict.reason_counts


def test_the_catalogue_holds_the_same_events(published: Settings) -> None:
    with pipelines.connect(published) as connection:
        found = connection.sql("SELECT source_record_id FROM incidents").fetchall()
    assert sorted(int(number) for (number,) in found) == sorted(csv_ids() + geojson_ids())


def test_deaths_are_those_of_the_files(published: Settings) -> None:
    with (UCDP / "conflict_data_ssd.csv").open(encoding="utf-8", newline="") as stream:
        in_csv = sum(int(row["best"]) for row in csv.DictReader(stream) if row["id"])
    in_geojson = sum(feature["best"] for feature in features())
    with pipelines.connect(published) as connection:
        found = connection.sql(
            "SELECT country, sum(killed_total)::BIGINT FROM incidents GROUP BY country"
        ).fetchall()
    assert dict(found) == {"SSD": in_csv, "CAF": in_geojson}


def test_days_are_local_and_ranges_kept(published: Settings) -> None:
    """A day without its hour is a local date, whatever the time beside it in the file says."""
    query = """
        SELECT occurred_on, ended_on, occurred_at, occurred_until, occurred_at_precision,
               location_precision
        FROM incidents WHERE source_record_id = '29185'
    """
    with pipelines.connect(published) as connection:
        row = connection.sql(query).fetchone()
    begins, ends = dt.date(2012, 8, 12), dt.date(2012, 8, 17)
    assert row == (begins, ends, None, None, "week", "admin2")


def test_named_areas_resolve(published: Settings) -> None:
    """Only events that UCDP itself places in no area are without one."""
    with pipelines.connect(published) as connection:
        missing = connection.sql(
            "SELECT count(*) FROM incidents WHERE admin1_code IS NULL"
        ).fetchone()
    with (UCDP / "conflict_data_ssd.csv").open(encoding="utf-8", newline="") as stream:
        in_csv = sum(row["id"] != "" and row["adm_1"] == "" for row in csv.DictReader(stream))
    assert missing == (in_csv + sum(feature["adm_1"] == "" for feature in features()),)


def test_the_same_files_again_change_nothing(settings: Settings, published: Settings) -> None:
    for name, events in EVENTS.items():
        assert ingest(settings, FEED, UCDP / name, received_at=RECEIVED).rows_read == events
    publish(settings)
    with pipelines.connect(published) as connection:
        counts = connection.sql("SELECT count(*), max(revision) FROM incidents_history").fetchone()
    assert counts == (sum(EVENTS.values()), 1)


def csv_ids() -> list[int]:
    with (UCDP / "conflict_data_ssd.csv").open(encoding="utf-8", newline="") as stream:
        return [int(row["id"]) for row in csv.DictReader(stream) if row["id"]]


def geojson_ids() -> list[int]:
    return [feature["id"] for feature in features()]


def features() -> list[dict[str, object]]:
    document = json.loads((UCDP / "ged_caf_v23_1.geojson").read_text(encoding="utf-8"))
    return [feature["properties"] for feature in document["features"]]
