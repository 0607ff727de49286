"""The checker of feeds finds what is wrong, in a folder and in its files.

Not here: the declared feeds (`tests/contract/test_feeds.py`).
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from pipelines.authoring.check import check_feed
from pipelines.authoring.folder import folder_problems
from pipelines.core.i18n import translator
from pipelines.core.settings import Settings, settings_for
from schemas.feed import FEEDS_FOLDER, load_feed

MODEL = "ucdp_ged_incidents"


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return settings_for(tmp_path_factory.mktemp("check")).prepare()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of a declared feed that may be spoiled, with few files."""
    copy = tmp_path / MODEL
    shutil.copytree(FEEDS_FOLDER / MODEL, copy)
    kept = {"without_hxl_row.csv", "features.geojson", "INC-101_no_id.csv"}
    for path in [*copy.glob("examples/*"), *copy.glob("counterexamples/*")]:
        if path.name not in kept:
            path.unlink()
    reason = "{en: kept small for a test, fr: gardé petit pour un test}"
    families = "".join(f"  {family}xx: {reason}\n" for family in range(2, 7))
    with (copy / "feed.yaml").open("a", encoding="utf-8") as stream:
        stream.write(f"no_counterexample:\n{families}")
    return copy


def edit(folder: Path, old: str, new: str) -> None:
    path = folder / "feed.yaml"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def problems_of(folder: Path) -> list[str]:
    return folder_problems(load_feed(folder), translator("en"))


def test_a_good_folder_has_no_problem(settings: Settings, folder: Path) -> None:
    results = check_feed(settings, folder)
    assert all(result.is_ok for result in results), [r.problems for r in results]
    assert [(r.path.name, r.rows_read, r.rows_accepted, r.raised) for r in results[1:]] == [
        ("features.geojson", 6, 6, {}),
        ("without_hxl_row.csv", 4, 4, {}),
        ("INC-101_no_id.csv", 2, 1, {"INC-101": 1}),
    ]


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda f: edit(f, "source: ucdp_ged", "source: nobody"), "nobody is not in the list"),
        (lambda f: edit(f, "table: incidents", "table: deliveries"), "no table deliveries."),
        (lambda f: edit(f, "fr: gardé petit pour un test", 'fr: " "'), "The words for “2xx”"),
        (lambda f: edit(f, "killed_total:", "killed_sum:"), "killed_sum is no column"),
        (lambda f: edit(f, "killed_total:", "delivery_id:"), "delivery_id is not for feeds"),
        (lambda f: edit(f, "  country: {from: country}\n", ""), "country is required"),
        (lambda f: edit(f, "  region:", "  best:"), "best is mapped and ignored at once"),
        (lambda f: (f / "crosswalks" / "offences.csv").unlink(), "offences.csv is missing"),
        (lambda f: (f / "crosswalks" / "more.csv").touch(), "No mapping uses crosswalks/more.csv"),
        (lambda f: (f / "parser.py").touch(), "A feed has no Python: parser.py"),
        (lambda f: (f / "examples" / "features.geojson").unlink(), "layout geojson"),
        (lambda f: edit(f, "  3xx:", "  9xx:"), "no counterexample of a rule 3xx"),
    ],
)
def test_what_is_wrong_in_a_folder_is_said(
    folder: Path, spoil: Callable[[Path], object], said: str
) -> None:
    assert problems_of(folder) == []
    spoil(folder)
    assert any(said in problem for problem in problems_of(folder)), problems_of(folder)


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("4,9999,\n", "9999 is not in offences"),
        ("1,0101,\n", "1 stands there twice"),
    ],
)
def test_a_crosswalk_is_held_to_its_list(folder: Path, row: str, said: str) -> None:
    path = folder / "crosswalks" / "offences.csv"
    path.write_text(path.read_text(encoding="utf-8") + row, encoding="utf-8")
    assert any(said in problem for problem in problems_of(folder))


def test_an_example_with_a_rejected_row_is_wrong(settings: Settings, folder: Path) -> None:
    example = folder / "examples" / "without_hxl_row.csv"
    example.write_text(
        example.read_text(encoding="utf-8").replace("Warap state", "Elsewhere state"),
        encoding="utf-8",
    )
    result = by_name(settings, folder)["without_hxl_row.csv"]
    assert not result.is_ok
    assert (result.rows_accepted, result.raised) == (3, {"INC-303": 1})
    assert result.problems[0].startswith("INC-303 in 1 rows: ")


def test_a_counterexample_must_raise_its_code(settings: Settings, folder: Path) -> None:
    was = folder / "counterexamples" / "INC-101_no_id.csv"
    was.rename(was.with_name("INC-201_no_id.csv"))
    result = by_name(settings, folder)["INC-201_no_id.csv"]
    assert result.problems[0] == "Expected INC-201, which no row raised."
    assert result.problems[1].startswith("INC-101 in 1 rows")


def test_a_refused_file_names_its_findings(settings: Settings, folder: Path) -> None:
    wrong = "id,when\n1,2026-05-01\n"
    (folder / "examples" / "wrong.csv").write_text(wrong, encoding="utf-8")
    (folder / "counterexamples" / "DEL-714_columns.csv").write_text(wrong, encoding="utf-8")
    results = by_name(settings, folder)
    assert any(problem.startswith("DEL-714") for problem in results["wrong.csv"].problems)
    assert results["DEL-714_columns.csv"].is_ok


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("table: incidents", "table: accidents", ":4: CON-513: There is no table “accidents”"),
        ("feed: ucdp", "feed: updc", ":2: CON-514: The feed is called “updc_ged_incidents”"),
    ],
)
def test_a_feed_that_cannot_be_one_of_ours_is_said_with_its_line(
    settings: Settings, folder: Path, old: str, new: str, said: str
) -> None:
    edit(folder, old, new)
    (only,) = check_feed(settings, folder)
    assert said in only.problems[0]


def test_families_of_rules_without_a_counterexample_are_named(
    settings: Settings, folder: Path
) -> None:
    (declaration, *_files) = check_feed(settings, folder)
    assert declaration.untested == ("2xx", "3xx", "4xx", "5xx", "6xx")


def test_a_declaration_that_cannot_be_loaded_is_said(settings: Settings, folder: Path) -> None:
    edit(folder, "table: incidents\n", "")
    (only,) = check_feed(settings, folder)
    (said,) = only.problems
    assert said.endswith("/feed.yaml:2: CON-104: “table” is missing here.")  # below its schema
    (missing,) = check_feed(settings, folder / "examples")
    assert missing.problems == ("There is no feed.yaml in this folder.",)


def by_name(settings: Settings, folder: Path) -> dict[str, object]:
    return {result.path.name: result for result in check_feed(settings, folder)}
