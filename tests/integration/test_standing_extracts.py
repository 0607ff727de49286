"""Standing extracts as Dagster makes them: what a run leaves and shows, and how a refusal reads.

Not here: the asset graph (`tests/unit/assets`) and making extracts (`test_extract.py`).
"""

from __future__ import annotations

import datetime as dt
import json

import dagster as dg
import pytest

from assets.definitions import defs
from assets.releases import AS_OF_TAG
from pipelines.core.settings import Settings
from pipelines.ledger.chain import entries
from pipelines.release.package.keys import public_key_path
from pipelines.release.package.verify import verify
from pipelines.release.standing import (
    last_closed_day,
    make_standing,
    mission_of,
    request_for,
    standing_extracts,
)
from schemas.agreement import Standing
from schemas.agreement_folder import load_agreements
from tests.integration.releasing import AS_OF, home_beside

NAME = "minusca_weekly_incidents"


@pytest.fixture
def home(demo_home, tmp_path, monkeypatch) -> Settings:
    settings = home_beside(demo_home, tmp_path / "home")
    monkeypatch.setenv("PASSERELLE_HOME", str(settings.home))
    monkeypatch.setenv("PASSERELLE_LAKE", settings.lake)
    return settings


def release(name: str, as_of: dt.date):
    """Run the job of the mission for one standing extract, as its schedule would."""
    [one] = [one for one in standing_extracts(load_agreements()) if one.name == name]
    key = dg.AssetKey(["releases", name])
    with dg.DagsterInstance.ephemeral() as instance:
        return defs.resolve_job_def(f"releases_{one.mission}").execute_in_process(
            instance=instance,
            asset_selection=[key],
            tags={AS_OF_TAG: as_of.isoformat()},
            raise_on_error=False,
        )


def test_a_run_makes_the_extract_and_shows_counts_only(home):
    day = dt.date(2026, 10, 20)
    result = release(NAME, day)
    assert result.success
    [file] = home.releases.glob("*.zip")
    manifest = verify(file, public_key_path(home)).manifest
    assert (manifest.asked.since, manifest.asked.until) == (
        dt.date(2026, 9, 22),
        dt.date(2026, 10, 19),
    )
    assert (manifest.language, manifest.file_format) == ("fr", "xlsx")
    [event] = result.asset_materializations_for_node(f"releases__{NAME}")
    metadata = {name: value.value for name, value in event.metadata.items()}
    assert metadata["dagster/row_count"] == manifest.row_count > 0
    assert metadata["file"] == file.name
    assert "caf_minusca/P1" in metadata["clauses"]
    assert set(metadata) <= {
        *("dagster/row_count", "file", "sha256", "clauses", "handling", "as of"),
    }
    [entry] = entries(home, events=["extract.made"]).entries
    assert entry.actor == "schedule"


def test_a_refusal_fails_the_run_with_one_sentence_in_both_languages(home):
    result = release(NAME, AS_OF.replace(year=2040))
    assert not result.success
    [failure] = [one for one in result.all_events if one.is_step_failure]
    said = failure.event_specific_data.error.message + str(
        failure.event_specific_data.user_failure_data
    )
    assert "REL-105" in said
    assert "ended on 2035-12-31" in said
    assert " / " in said
    assert "a pris fin" in said or "2035" in said.split(" / ")[1]
    assert not home.releases.exists() or not list(home.releases.glob("*.zip"))
    [entry] = entries(home, events=["extract.refused"]).entries
    assert "REL-105" in json.dumps(entry.details)


@pytest.mark.parametrize(
    ("period", "since", "until"),
    [
        ("last_7_days", dt.date(2026, 2, 22), dt.date(2026, 2, 28)),
        ("last_28_days", dt.date(2026, 2, 1), dt.date(2026, 2, 28)),
        ("last_month", dt.date(2026, 2, 1), dt.date(2026, 2, 28)),
        ("all", None, None),
    ],
)
def test_a_period_is_of_whole_days_before_the_day(period, since, until):
    standing = Standing(
        name="x",
        recipient="minusca_unpol",
        purpose="joint_planning",
        table="incidents",
        form="records",
        format="csv",
        language="fr",
        period=period,
    )
    request = request_for(standing, dt.date(2026, 3, 1))
    assert (request.since, request.until) == (since, until)


@pytest.mark.parametrize(
    ("as_of", "since"),
    [
        # February 2026 ends on a Saturday: its last week ends on 1 March, ten days before the 11th
        (dt.date(2026, 3, 15), dt.date(2025, 12, 29)),
        (dt.date(2026, 3, 18), dt.date(2026, 1, 26)),
    ],
)
def test_records_that_must_be_alike_leave_by_whole_months(as_of, since):
    """A standing extract of the last days would hold none: their month is not over yet."""
    standing = Standing(
        name="x",
        recipient="minusca_unpol",
        purpose="joint_planning",
        table="incidents",
        form="records",
        format="csv",
        language="fr",
        period="last_7_days",
    )
    request = request_for(standing, as_of, 10, is_grouped=True)
    assert (request.since, request.until) == (since, as_of - dt.timedelta(days=1))
    shorter = request_for(standing, as_of, 10)
    assert shorter.since == as_of - dt.timedelta(days=7)


@pytest.mark.parametrize(
    ("dimensions", "limit", "closed"),
    [
        (("country", "month"), dt.date(2026, 3, 30), dt.date(2026, 2, 28)),
        (("country", "month"), dt.date(2026, 3, 31), dt.date(2026, 3, 31)),
        (("year", "quarter"), dt.date(2026, 3, 30), dt.date(2025, 12, 31)),
        (("year",), dt.date(2026, 12, 31), dt.date(2026, 12, 31)),
        (("week",), dt.date(2026, 3, 1), dt.date(2026, 3, 1)),
        (("week",), dt.date(2026, 2, 28), dt.date(2026, 2, 22)),
        (("day",), dt.date(2026, 2, 28), dt.date(2026, 2, 28)),
        (("country",), dt.date(2026, 3, 30), dt.date(2026, 2, 28)),
    ],
)
def test_counts_are_of_whole_periods(dimensions, limit, closed):
    assert last_closed_day(dimensions, limit) == closed


@pytest.mark.parametrize(
    "name", ["dpo_monthly_incidents", "public_quarterly_incidents", "unmiss_monthly_police_counts"]
)
def test_counts_can_be_made_week_after_week_without_telling_by_what_they_grew(home, name):
    told = [
        make_standing(home, name, dt.date(2026, 9, 21) + dt.timedelta(days=days), made_by="x")
        for days in (0, 7, 14, 28, 42)
    ]
    assert all(one.manifest.asked.until < one.manifest.as_of for one in told)
    assert len({one.manifest.content_hash for one in told}) > 1, "a new period came"


def test_a_unit_belongs_to_the_mission_above_it():
    assert mission_of("minusca_unpol_jma") == "minusca"
    assert mission_of("iom") == "headquarters"
