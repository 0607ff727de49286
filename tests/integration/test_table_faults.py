"""A table that could not be published is told of by every door, and to its senders as our fault.

Not here: that it holds up no other table (`tests/unit/lake/test_faults.py`).
"""

from __future__ import annotations

import json
from pathlib import Path

import dagster as dg
import pytest

from assets.definitions import defs
from assets.resources import Installation
from pipelines.core.settings import settings_for
from pipelines.lake.publish import publish
from pipelines.portal.app import create_app
from tests.conftest import passerelle_here
from tests.portal import cheap_passwords, signed_in
from tests.unit.lake.judged import FEED, deliver, row

PUBLISHED, WAITING = "a" * 12, "b" * 12


@pytest.fixture
def place(tmp_path):
    """A home of which a file of the table `incidents` is damaged, with deliveries that wait."""
    cheap_passwords()
    settings = settings_for(tmp_path / "home", memory_limit="256MB", threads=1).prepare()
    deliver(settings, PUBLISHED, [row("1")])
    publish(settings)
    for file in Path(settings.lake).glob("incidents/**/*.parquet"):
        file.chmod(0o600)
        file.write_bytes(b"PAR1")
    deliver(settings, WAITING, [row("1", "B")], day=1)
    deliver(settings, "5" * 12, [row("1")], table="seizures")
    return settings


def test_the_command_line_tells_of_it(place):
    publish(place)
    told = passerelle_here("status", home=place.home)
    assert "PSL-411" in told.stderr
    assert "The table incidents cannot be read or written" in " ".join(told.stderr.split())
    assert "the other tables are published" in " ".join(told.stderr.split())
    french = passerelle_here("status", "--json", home=place.home, language="fr")
    assert "La table incidents" in json.loads(french.stdout)["faults"]["incidents"]["message"]


def test_pages_tell_of_it_and_that_accepted_rows_are_added_later(place):
    publish(place)
    app = create_app(place)
    browser = signed_in(app, "data_specialist", organisation="caf_gendarmerie", language="en")
    assert "The table incidents cannot be read or written" in browser.get("/feeds").text
    sender = signed_in(app, "provider", organisation="caf_gendarmerie", language="en")
    waiting = sender.get(f"/deliveries/{FEED}.{WAITING}").text
    assert "La faute vient de nous\u202f; une fois qu’elle sera corrigée" in waiting
    assert "en cours d’ajout" not in waiting
    assert "La faute vient de nous" not in sender.get(f"/deliveries/{FEED}.{PUBLISHED}").text
    reader = signed_in(app, "mission_staff", organisation="minusca_unpol", language="fr")
    listed = reader.get("/tables").text
    assert listed.count("ne peut pas encore être montré") == 1


def test_a_run_of_dagster_shows_the_other_tables_and_fails_for_this_one(place, monkeypatch):
    monkeypatch.setenv("PASSERELLE_HOME", str(place.home))
    with dg.DagsterInstance.ephemeral() as instance:
        result = dg.materialize(
            [defs.get_assets_def(dg.AssetKey(["published", "incidents"]))],
            instance=instance,
            resources={"installation": Installation()},
            raise_on_error=False,
        )
    assert not result.success
    shown = {e.asset_key.path[-1] for e in result.get_asset_materialization_events()}
    assert {"seizures", "deliveries", "rejections"} <= shown
    assert "incidents" not in shown
    [failed] = [e for e in result.all_events if e.is_step_failure]
    said = str(failed.step_failure_data.error)
    assert "The table incidents cannot be read or written" in said
