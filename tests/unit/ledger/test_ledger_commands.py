"""The commands `audit …` as a person types them."""

from __future__ import annotations

import json

import pytest

from pipelines.core.settings import Settings, settings_for
from pipelines.ledger.chain import append
from pipelines.ledger.database import dispose
from tests.conftest import passerelle_here
from tests.databases import untied
from tests.unit.ledger.test_holders import list_records, make


@pytest.fixture
def settings(tmp_path) -> Settings:
    settings = settings_for(tmp_path / "home").prepare()
    yield settings
    dispose(settings)


def test_a_check_ends_with_an_anchor_that_the_next_one_takes(settings):
    append(settings, "sql.run", actor="a")
    said = passerelle_here("ledger", "verify", home=settings.home).stdout
    anchor = said.split("Anchor: ")[1].strip()
    again = passerelle_here(
        "ledger", "verify", "--anchor", anchor, home=settings.home, language="fr"
    )
    assert "tel qu’il a été écrit" in again.stdout
    listed = json.loads(passerelle_here("ledger", "list", "--json", home=settings.home).stdout)
    assert [one["event"] for one in listed] == ["ledger.checked", "ledger.checked", "sql.run"]
    wrong = passerelle_here("ledger", "verify", "--anchor", "12", home=settings.home, check=False)
    assert (wrong.returncode, "PSL-237" in wrong.stderr) == (2, True)


def test_a_fault_is_named_and_gives_exit_code_3(settings):
    for number in range(3):
        append(settings, "sql.run", actor=f"a{number}")
    untied(settings, "DELETE FROM ledger_entries WHERE seq = 2")
    done = passerelle_here("ledger", "verify", "--json", home=settings.home, check=False)
    assert done.returncode == 3
    [fault] = json.loads(done.stdout)["faults"]
    assert (fault["kind"], fault["seq"]) == ("removed_one", 2)


def test_a_lost_head_is_said_too(settings):
    append(settings, "sql.run", actor="a")
    untied(settings, "DELETE FROM ledger_head")
    done = passerelle_here("ledger", "verify", home=settings.home, check=False)
    assert (done.returncode, "PSL-304" in done.stderr) == (3, True)


def test_who_holds_a_record_is_told(settings):
    list_records(settings, "e.one", [("r1", "caf_minusca/P1", "counts")])
    make(settings, "e.one", "minusca_unpol")
    append(settings, "extract.downloaded", actor="jma.2", subject="e.one")
    said = passerelle_here("ledger", "trace", "r1", home=settings.home).stdout
    for word in ("e.one", "minusca_unpol", "caf_minusca/P1", "counted", "jma.2"):
        assert word in said
    assert "No extract" in passerelle_here("ledger", "trace", "r2", home=settings.home).stdout
    [one] = json.loads(
        passerelle_here("ledger", "trace", "r1", "--json", home=settings.home).stdout
    )
    assert one["downloads"][0]["by"] == "jma.2"


def test_an_event_that_does_not_exist_is_told_with_the_nearest(settings):
    done = passerelle_here(
        "audit", "list", "--event", "extract.download", home=settings.home, check=False
    )
    assert (done.returncode, "PSL-232" in done.stderr) == (2, True)
    assert "extract.downloaded" in done.stderr


def test_the_list_is_in_words(settings):
    append(settings, "policy.changed", actor="")
    said = passerelle_here("ledger", "list", home=settings.home, language="fr").stdout
    assert "accords modifiés" in said
    assert "inconnu" in said
