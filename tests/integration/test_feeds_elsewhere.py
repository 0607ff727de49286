"""A feed that lies outside this repository, by every door; and when its folder goes or moves.

Not here: which folders are searched, and what is said of them (`tests/unit/schemas`).
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from assets.automation import _stranger
from assets.feeds import drafts
from pipelines.accounts.errors import AccountError
from pipelines.accounts.oversight import concern_of
from pipelines.accounts.people import add_user
from pipelines.accounts.permissions import Person, Reach
from pipelines.backup.contents import feed_members
from pipelines.backup.restore import _are_feeds_other
from pipelines.cli import main
from pipelines.core.settings import Settings, settings_for
from pipelines.ingest.ingest import ingest
from pipelines.ingest.rejudge import declared_by
from pipelines.landing.receive import list_deliveries
from pipelines.ledger.database import dispose
from pipelines.portal.services import dictionary
from pipelines.portal.services.scope import own_feeds, scope_of
from schemas.feed import FEEDS_FOLDER, VARIABLE
from tests.portal import make_app, signed_in

MODEL, FEED = "caf_gendarmerie_incidents", "mis_gendarmerie_incidents"
[FILE, *_] = sorted((FEEDS_FOLDER / MODEL / "examples").glob("rect*"))


@pytest.fixture
def mission(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A mission's own folder of feeds."""
    folder = tmp_path / "mission"
    shutil.copytree(FEEDS_FOLDER / MODEL, folder / FEED)
    file = folder / FEED / "feed.yaml"
    text = file.read_text(encoding="utf-8").replace(f"feed: {MODEL}", f"feed: {FEED}")
    file.write_text(text, encoding="utf-8")
    monkeypatch.setenv(VARIABLE, str(folder))
    return folder


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    settings = settings_for(tmp_path / "home", memory_limit="512MB", threads=2)
    monkeypatch.setenv("PASSERELLE_HOME", str(settings.home))
    yield settings
    dispose(settings)


def run(capsys: pytest.CaptureFixture[str], *line: str, code: int = 0) -> Any:
    assert main([*line, "--json"]) == code
    return json.loads(capsys.readouterr().out)


def test_by_the_command_line_the_inbox_and_a_move(mission, home, capsys, monkeypatch):
    assert FEED in {one["feed"] for one in run(capsys, "feed", "list")}
    target = Path(str(home.inbox)) / FEED / FILE.name
    target.parent.mkdir(parents=True)
    shutil.copy(FILE, target)
    [judged] = run(capsys, "run")["verdicts"]
    assert judged["rows_accepted"] == 6
    [delivery] = list_deliveries(home)
    before = declared_by(home, FEED)

    mission.rename(mission.with_name("moved"))
    monkeypatch.setenv(VARIABLE, str(mission.with_name("moved")))
    assert declared_by(home, FEED) == before, "by what it says and not by where it lies"
    again = ingest(home, FEED, FILE, again=True)
    assert again.delivery_id == delivery.delivery_id

    monkeypatch.setenv(VARIABLE, str(mission))  # where it is no longer
    assert run(capsys, "run", code=3)["problems"][-1]["code"] == "CON-601"
    assert "CON-601" in {one["code"] for one in run(capsys, "status")["problems"]}
    run(capsys, "delivery", "show", delivery.delivery_id)
    run(capsys, "lake", "check")
    assert run(capsys, "delivery", "rejudge", delivery.delivery_id, code=3)["error"] == "CON-604"
    (Path(str(home.inbox)) / MODEL).mkdir()
    shutil.copy(FILE, Path(str(home.inbox)) / MODEL)
    [other] = run(capsys, "run", code=3)["verdicts"]
    assert other["state"] == "accepted"


def test_a_faulty_draft_is_told_where_its_files_wait_and_others_are_taken_in(mission, home, capsys):
    (mission / "mis_draft").mkdir()
    (mission / "mis_draft" / "feed.yaml").write_text("feed: mis_draft\nversion: 1\n")
    assert run(capsys, "run")["problems"] == [], "no file waits for it"
    for feed in (FEED, "mis_draft"):
        target = Path(str(home.inbox)) / feed / FILE.name
        target.parent.mkdir(parents=True)
        shutil.copy(FILE, target)
    done = run(capsys, "run", code=3)
    assert [one["state"] for one in done["verdicts"]] == ["accepted"]
    assert {one["code"] for one in done["problems"]} == {"CON-104", "CON-105"}
    assert all(str(mission / "mis_draft") in one["message"] for one in done["problems"])
    assert main(["feed", "list"]) == 0
    said = capsys.readouterr()
    assert FEED in said.out
    assert "CON-105" in said.err
    assert main(["feed", "check", "mis_draft"]) == 3


def test_dagster_says_of_files_of_a_draft_that_it_is_one(mission):
    (mission / "mis_draft").mkdir()
    (mission / "mis_draft" / "feed.yaml").write_text("feed: mis_draft\nversion: 1\n")
    drafts.cache_clear()
    try:
        assert _stranger("mis_draft").startswith("The feed mis_draft is a draft and not loaded:")
        assert _stranger("no_feed").startswith("DEL-721")
    finally:
        drafts.cache_clear()


def test_an_account_sees_it_by_its_organisation_or_by_name_and_only_so(mission, home, monkeypatch):
    def feeds(organisation: str, *granted: str) -> tuple[str, ...]:
        one = Person("id", "name", organisation, ("data_specialist",), feeds=granted)
        return scope_of(one, "delivery.read_feeds").feeds

    assert FEED in own_feeds("caf_gendarmerie").feeds
    assert FEED in feeds("caf_gendarmerie")
    assert FEED not in feeds("caf_police")
    assert FEED in feeds("caf_police", FEED)
    assert concern_of(Reach("caf_police", frozenset({FEED}))).sources >= {"caf_gendarmerie"}
    with pytest.raises(AccountError, match="ACC-110"):
        add_user(
            home, "caf.a", organisation="caf_police", roles=["data_specialist"], feeds=["mis_x"]
        )
    monkeypatch.delenv(VARIABLE)
    assert FEED not in feeds("caf_police", FEED)
    assert "caf_gendarmerie" not in concern_of(Reach("caf_police", frozenset({FEED}))).sources


def test_the_dictionary_says_which_of_its_columns_fill_ours(mission):
    for one in (dictionary._feeds, dictionary.source_uses):
        one.cache_clear()
    try:
        assert FEED in {one.feed for one in dictionary.source_uses("incidents", "occurred_on")} | {
            one.feed for one in dictionary.source_uses("incidents", "occurred_at")
        }
    finally:
        for one in (dictionary._feeds, dictionary.source_uses):
            one.cache_clear()


def test_the_portal_tells_the_operator_of_a_folder_that_is_absent_and_nobody_else(
    mission, home, monkeypatch
):
    monkeypatch.setenv(VARIABLE, f"{mission}:{mission / 'nowhere'}")
    app = make_app(home.prepare())
    operator = signed_in(app, "operator").get("/feeds")
    granted = signed_in(app, "data_specialist", organisation="caf_police", feeds=[FEED])
    assert operator.status_code == granted.get("/feeds").status_code == 200
    assert "CON-601" in operator.text
    assert str(mission) not in granted.get("/feeds").text
    for shown in (operator, granted.get("/feeds")):
        assert f'href="/feeds/{FEED}"' in shown.text


def test_a_backup_holds_it_and_a_restore_says_where_it_is_now(mission, home, monkeypatch):
    members = dict(feed_members())
    assert members[f"feeds/{FEED}/feed.yaml"] == mission / FEED / "feed.yaml"
    assert {name.split("/")[1] for name in members} == {FEED}, "the program has its own"
    assert not _are_feeds_other(home)
    shutil.copytree(mission, home.home / "feeds")  # where a restore puts it
    assert _are_feeds_other(home)
    monkeypatch.setenv(VARIABLE, str(home.home / "feeds"))
    assert not _are_feeds_other(home)
