"""Where feeds are looked for: the shipped folder and those that `PASSERELLE_FEEDS` names.

Not here: what sees them (`tests/integration/test_feeds_elsewhere.py`).
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from schemas.feed import (
    FEEDS_FOLDER,
    VARIABLE,
    UnknownFeedError,
    feed_folders,
    feed_names,
    feed_problems,
    load_feed,
    load_feeds,
)
from schemas.text import LANGUAGES

MODEL = "caf_gendarmerie_incidents"
SHIPPED = feed_names()


@pytest.fixture
def mission(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of a mission that is looked into, with one feed."""
    folder = tmp_path / "mission feeds"
    place(folder, "mis_incidents")
    monkeypatch.setenv(VARIABLE, str(folder))
    return folder


def place(folder: Path, name: str, said: str = "") -> Path:
    """A feed like a shipped one, without its examples; `said` is what it calls itself."""
    (folder / name).mkdir(parents=True)
    shutil.copytree(FEEDS_FOLDER / MODEL / "crosswalks", folder / name / "crosswalks")
    text = (FEEDS_FOLDER / MODEL / "feed.yaml").read_text(encoding="utf-8")
    file = folder / name / "feed.yaml"
    file.write_text(text.replace(f"feed: {MODEL}", f"feed: {said or name}"), encoding="utf-8")
    return file


def told() -> list[str]:
    return [one.coded("en") for one in feed_problems()]


def test_feeds_of_every_folder_are_found_by_name(mission: Path) -> None:
    assert feed_names() == sorted([*SHIPPED, "mis_incidents"])
    assert [one.feed for one in load_feeds()] == feed_names()
    assert load_feed("mis_incidents").folder == mission / "mis_incidents"
    assert load_feed("mis_incidents").crosswalk("offences") == load_feed(MODEL).crosswalk(
        "offences"
    )
    assert feed_problems() == []


def test_folders_are_separated_as_those_of_a_path_are(
    mission: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place(tmp_path / "more", "more_incidents")
    folders = [str(mission), "", str(tmp_path / "more"), f"{mission}{os.sep}"]
    monkeypatch.setenv(VARIABLE, os.pathsep.join(folders))
    assert feed_folders() == [FEEDS_FOLDER, mission, tmp_path / "more"]
    assert {"mis_incidents", "more_incidents"} <= set(feed_names())


def test_of_a_name_that_stands_twice_the_first_is_loaded_and_the_other_told(
    mission: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place(mission, MODEL)
    place(tmp_path / "more", "mis_incidents")
    monkeypatch.setenv(VARIABLE, f"{mission}{os.pathsep}{tmp_path / 'more'}")
    assert load_feed(MODEL).folder == FEEDS_FOLDER / MODEL
    assert load_feed("mis_incidents").folder == mission / "mis_incidents"
    shipped, other = told()
    assert shipped.startswith(f"CON-603: The feed {MODEL} stands in {mission} and in ")
    assert f"The one in {FEEDS_FOLDER} is loaded" in shipped
    assert other.startswith(f"CON-603: The feed mis_incidents stands in {tmp_path / 'more'} and")


@pytest.mark.parametrize("is_file", [False, True])
def test_a_folder_that_is_absent_is_told_and_all_others_are_loaded(
    mission: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_file: bool
) -> None:
    nowhere = tmp_path / "nowhere"
    if is_file:
        nowhere.touch()
    monkeypatch.setenv(VARIABLE, f"{nowhere}{os.pathsep}{mission}")
    assert feed_names() == sorted([*SHIPPED, "mis_incidents"])
    [said] = told()
    assert said.startswith(f"CON-601: {VARIABLE} names {nowhere}, and there is no such folder")


def test_a_folder_that_cannot_be_read_is_told_and_all_others_are_loaded(
    mission: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scandir = os.scandir

    def closed(folder: Path) -> object:
        if folder == mission:
            raise PermissionError(13, "Permission denied", str(folder))
        return scandir(folder)

    monkeypatch.setattr(os, "scandir", closed)
    assert feed_names() == SHIPPED
    [said] = told()
    assert said.startswith(f"CON-602: {mission} cannot be read (Permission denied)")


def test_one_feed_that_cannot_be_read_is_told_and_its_neighbours_are_loaded(mission: Path) -> None:
    (mission / "closed_incidents" / "feed.yaml").mkdir(parents=True)  # no file at all
    assert feed_names() == sorted([*SHIPPED, "mis_incidents"])
    [said] = told()
    assert said.startswith(f"CON-602: {mission / 'closed_incidents' / 'feed.yaml'} cannot be read")


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("table: incidents", "table: accidents", "CON-513"),
        ("status: illustrative", "status: secret", "CON-105"),
        ("feed: bad_incidents", "feed: mis_incidents", "CON-514"),
    ],
)
def test_a_faulty_feed_is_told_with_its_line_and_not_loaded(
    mission: Path, old: str, new: str, code: str
) -> None:
    file = place(mission, "bad_incidents")
    text = file.read_text(encoding="utf-8")
    line = text.splitlines().index(old) + 1
    file.write_text(text.replace(old, new), encoding="utf-8")
    assert feed_names() == sorted([*SHIPPED, "mis_incidents"])
    [problem] = feed_problems()
    assert (problem.code, problem.path, problem.line) == (code, file, line)
    assert feed_problems(["mis_incidents"]) == []
    file.write_text(text, encoding="utf-8")
    os.utime(file, (1, 1))
    assert "bad_incidents" in feed_names(), "it is loaded as soon as it is mended"


def test_an_unknown_feed_names_the_folders_in_both_languages(mission: Path) -> None:
    with pytest.raises(UnknownFeedError) as caught:
        load_feed("no_such_feed")
    assert isinstance(caught.value, KeyError)
    make, values = caught.value.__reduce__()  # as another process gets it
    for language in LANGUAGES:
        said = make(*values).text(language)
        assert said.startswith("CON-604")
        for word in ("no_such_feed", str(FEEDS_FOLDER), str(mission), VARIABLE):
            assert word in said
