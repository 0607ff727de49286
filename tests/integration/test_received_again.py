"""The same bytes again, by every door: what stands since is said, and what would restore the file.

Not here: how it is counted (`tests/unit/lake/test_superseded.py`).
"""

from __future__ import annotations

import datetime as dt
import json
import os
from pathlib import Path

import pytest

from pipelines.core.settings import Settings, settings_for
from pipelines.ingest.inbox import ingest_inbox
from pipelines.ingest.ingest import ingest
from pipelines.ingest.publish import publish
from pipelines.lake.superseded import find_supersession
from pipelines.landing.receive import Delivery, list_deliveries
from pipelines.ledger.chain import entries
from pipelines.portal.api.deliveries import _since as api_since
from tests.conftest import passerelle_here
from tests.fixtures.home_0_1 import GENDARMERIE, POLICE, deliveries

pytestmark = pytest.mark.usefixtures("audit_agrees")

FILES = {(feed, name): content for feed, name, _day, content in deliveries()}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A register of the police and one of the gendarmerie, each with its corrections."""
    settings = settings_for(tmp_path_factory.mktemp("again") / "home").prepare()
    for feed, name, day, content in deliveries():
        if feed in (GENDARMERIE, POLICE) and name != "sans_colonnes.csv":
            file = settings.home / name
            file.write_bytes(content)
            moment = dt.datetime.fromisoformat(day).replace(tzinfo=dt.UTC)
            kind = "correction" if name == "rectificatifs.csv" else "register"
            ingest(settings, feed, file, received_at=moment, kind=kind)
            file.unlink()
    publish(settings)
    return settings


def test_the_command_says_what_stands_since_and_what_restores_it(place, tmp_path):
    file = tmp_path / "mai.csv"
    file.write_bytes(FILES[POLICE, "mai.csv"])
    done = passerelle_here("ingest", POLICE, str(file), "--json", home=place.home)
    [again] = json.loads(done.stdout)["received_again"]
    assert (again["records"], again["changed_since"], again["withdrawn_since"]) == (6, 3, 1)
    assert "“Rectificatif”" in again["message"][-1]


def test_the_api_says_it_in_both_languages(place):
    [book, *_later] = list_deliveries(place, POLICE)
    said = api_since(place, book.delivery_id)
    assert "3 of its 6 records" in said[1].en
    assert said[-1].fr.startswith("Pour rétablir")


def test_the_inbox_says_it_once_of_each_copy(place):
    file = place.inbox / GENDARMERIE / "registre_juin_2.csv"
    file.parent.mkdir(parents=True)
    file.write_bytes(FILES[GENDARMERIE, "registre_juin.csv"])
    told: list[Delivery] = []
    assert ingest_inbox(place, on_repeat=told.append) == []
    [delivery] = told
    found = find_supersession(place, delivery)
    assert (found.changed, found.withdrawn) == (2, 1)
    assert ingest_inbox(place, on_repeat=told.append) == []
    assert len(told) == 1
    late = dt.datetime(2026, 8, 1, tzinfo=dt.UTC).timestamp()
    os.utime(file, (late, late))  # somebody put it there once more
    ingest_inbox(place, on_repeat=told.append)
    assert len(told) == 2
    noted = entries(place, events=["delivery.repeated"]).entries
    assert [one.subject for one in noted].count(delivery.delivery_id) == 2


def test_the_file_that_a_verdict_was_reached_of_is_no_copy(tmp_path: Path):
    settings = settings_for(tmp_path / "home").prepare()
    file = settings.inbox / POLICE / "mai.csv"
    file.parent.mkdir(parents=True)
    file.write_bytes(FILES[POLICE, "mai.csv"])
    told: list[Delivery] = []
    assert len(ingest_inbox(settings, on_repeat=told.append)) == 1
    assert ingest_inbox(settings, on_repeat=told.append) == []
    assert told == []
