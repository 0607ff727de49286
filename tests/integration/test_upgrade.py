"""A home of the first version, opened with the program of today.

Not here: what that home holds and how it was made (`tests/fixtures/home_0_1.py`).
"""

from __future__ import annotations

import json
import shutil
import tarfile
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from pipelines import connect
from pipelines.accounts.permissions import Person
from pipelines.accounts.signin import authenticate
from pipelines.core.settings import Settings, settings_for
from pipelines.ingest.ingest import judge
from pipelines.lake.errors import LakeOutdatedError
from pipelines.lake.maintenance import check
from pipelines.lake.publish import publish
from pipelines.lake.superseded import find_supersession
from pipelines.lake.versions import behind, published_deliveries
from pipelines.landing.receive import list_deliveries
from pipelines.ledger.verify import check as check_ledger
from pipelines.release.package.keys import public_key_path
from pipelines.release.package.verify import verify
from pipelines.validate.verdict import earlier_verdicts, verdict_of, write_verdict
from schemas.contract import load_contract
from tests.conftest import passerelle
from tests.fixtures.home_0_1 import ARCHIVE, GENDARMERIE, PASSWORDS, POLICE

pytestmark = pytest.mark.usefixtures("audit_agrees")


@pytest.fixture(scope="module")
def old_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The home as that version left it, at another place than it was made at."""
    folder = tmp_path_factory.mktemp("old")
    with tarfile.open(ARCHIVE) as archive:
        archive.extractall(folder, filter="data")
    return folder / "home"


@pytest.fixture(scope="module")
def new_home(old_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A copy of it, migrated by the command line as a person would."""
    home = tmp_path_factory.mktemp("new") / "home"
    shutil.copytree(old_home, home)
    said = json.loads(passerelle("lake", "migrate", "--yes", "--json", home=home).stdout)
    assert said["done"]
    return settings_for(home)


def asked(settings: Settings, query: str) -> list[tuple[Any, ...]]:
    with closing(connect(settings)) as connection:
        return connection.execute(query).fetchall()


def test_status_says_that_the_tables_are_of_an_older_contract(old_home):
    found = {one.table: one for one in behind(published_deliveries(settings_for(old_home)))}
    assert (found["incidents"].found, found["incidents"].deliveries) == ("1.0.0", 4)
    told = passerelle("status", home=old_home)
    assert "passerelle lake migrate" in told.stdout + told.stderr
    assert "incidents 1.0.0 → " in told.stdout + told.stderr


def test_nothing_is_published_beside_rows_of_another_contract(old_home):
    settings = settings_for(old_home)
    for act in (publish, check):
        with pytest.raises(LakeOutdatedError, match="passerelle lake migrate"):
            act(settings)
    [book, _amended] = list_deliveries(settings, POLICE)
    assert find_supersession(settings, book).sentences("en")


def test_without_being_told_to_it_shows_what_would_change_and_changes_nothing(old_home, tmp_path):
    home = tmp_path / "home"
    shutil.copytree(old_home, home)
    before = {path: path.read_bytes() for path in sorted((home / "lake").rglob("*.json"))}
    shown = passerelle("lake", "migrate", home=home).stdout
    assert "incidents 1.0.0 → " in shown
    assert "--yes" in shown
    assert {path: path.read_bytes() for path in sorted((home / "lake").rglob("*.json"))} == before
    for delivery in list_deliveries(settings_for(home)):
        verdict = verdict_of(delivery)
        assert verdict is not None
        assert verdict.follows is None


def test_every_accepted_delivery_is_judged_by_the_contract_of_today(new_home):
    rows = asked(
        new_home, "SELECT table_name, contract_version FROM deliveries WHERE state = 'accepted'"
    )
    assert len(rows) == 6
    assert dict(rows) == {
        table: load_contract(table).version for table in ("incidents", "seizures")
    }
    assert check(new_home) == []
    assert behind(published_deliveries(new_home)) == []


def test_rows_and_history_are_what_today_s_program_makes_of_the_same_files(
    new_home, old_home, tmp_path
):
    fresh = settings_for(tmp_path / "home").prepare()
    for folder in sorted(Path(old_home / "landing").glob("*/*")):
        target = Path(fresh.landing.path) / folder.parent.name / folder.name
        shutil.copytree(folder / "original", target / "original")
        shutil.copy2(folder / "receipt.json", target)
    for delivery in list_deliveries(fresh):
        verdict = judge(fresh, delivery.delivery_id)
        # It stands at its receipt, as in the version that kept no day.
        write_verdict(delivery.folder, verdict.model_copy(update={"as_of": None}))
    publish(fresh)
    for relation in ("incidents", "incidents_history", "seizures_history", "rejections"):
        query = f"FROM {relation} ORDER BY ALL"
        assert asked(new_home, query) == asked(fresh, query), relation
    assert asked(new_home, "SELECT count(*) FROM incidents_history") == [(15,)]


def test_corrections_and_withdrawals_stand_as_before(new_home):
    rows = asked(
        new_home,
        "SELECT source_record_id, killed_total FROM incidents "
        "WHERE source = 'caf_gendarmerie' ORDER BY 1",
    )
    assert rows == [
        ("0001/BT-PAO/2026", 0), ("0002/BT-PAO/2026", 2), ("0005/BT-PAO/2026", 0),
    ]  # fmt: skip
    withdrawn = "SELECT count(*) FROM incidents WHERE source_record_id = 'PNC/CD61/2026/00012'"
    assert asked(new_home, withdrawn) == [(0,)]


def test_a_number_in_small_letters_is_the_record_that_it_means(new_home, old_home):
    rows = asked(
        new_home,
        "SELECT killed_total, revision FROM incidents "
        "WHERE lower(source_record_id) = 'pnc/cd61/2026/00014'",
    )
    assert rows == [(2, 2)]


def test_the_first_verdicts_are_kept(new_home):
    for feed in (GENDARMERIE, POLICE):
        for delivery in list_deliveries(new_home, feed):
            verdict = verdict_of(delivery)
            if verdict is not None and verdict.is_accepted:
                [first] = earlier_verdicts(delivery.folder)
                assert (first.contract_version, first.harmonised_at) == ("1.0.0", verdict.follows)


def test_accounts_and_the_ledger_go_on(new_home):
    assert check_ledger(new_home).faults == ()
    for name, password in PASSWORDS.items():
        assert isinstance(authenticate(new_home, name, password), Person)


def test_extracts_of_that_version_still_verify(new_home):
    [extract] = new_home.releases.glob("*.zip")
    assert verify(extract, public_key_path(new_home)).manifest.recipient.code == "monusco_unpol"
