"""The rendered files are current, and the public tools that they are meant for accept them.

Not here: how each renderer works (`tests/unit/schemas`).
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from schemas.render.__main__ import DOCS, main, rendered, stale, write


def test_nothing_rendered_is_stale() -> None:
    assert stale() == [], "run: python -m schemas.render"


def test_a_changed_a_missing_and_a_leftover_file_are_found(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert set(write(tmp_path)) == set(rendered())
    assert stale(tmp_path) == []
    (tmp_path / "schemas/hxl.csv").write_text("edited by hand", encoding="utf-8")
    (tmp_path / "schemas/incidents.sql").unlink()
    (tmp_path / "schemas/gone.sql").write_text("", encoding="utf-8")
    assert stale(tmp_path) == ["schemas/gone.sql", "schemas/hxl.csv", "schemas/incidents.sql"]
    write(tmp_path)
    assert stale(tmp_path) == []
    assert main(["--check"]) in (0, 1)
    capsys.readouterr()


def test_rendering_is_the_same_each_time() -> None:
    assert rendered() == rendered()


def test_frictionless_accepts_the_package_and_its_samples() -> None:
    from frictionless import validate

    report = validate(str(DOCS / "schemas/datapackage.json"))
    assert report.valid, report.flatten(["name", "fieldName", "note"])


@pytest.mark.parametrize(
    "path", sorted((DOCS / "schemas").glob("*.schema.json")), ids=lambda path: path.stem
)
def test_json_schemas_are_valid_schemas(path: Path) -> None:
    from jsonschema import Draft202012Validator

    Draft202012Validator.check_schema(json.loads(path.read_text(encoding="utf-8")))


@pytest.mark.parametrize("language", ["en", "fr"])
def test_links_of_the_dictionary_lead_somewhere(language: str) -> None:
    import re

    page = (DOCS / f"data-dictionary.{language}.md").read_text(encoding="utf-8")
    anchors = set(re.findall(r'<a id="([^"]+)"', page))
    targets = set(re.findall(r"\]\(#([^)]+)\)", page))
    assert targets <= anchors
