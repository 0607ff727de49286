"""The rendered files are current, and the public tools that they are meant for accept them.

Not here: how each renderer works (`tests/unit/schemas`).
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pipelines.cli import main as cli
from schemas.contract import table_names
from schemas.render.__main__ import DOCS, main, rendered, stale, write


def test_nothing_rendered_is_stale() -> None:
    assert stale() == [], "run: python -m schemas.render"


def test_a_changed_a_missing_and_a_leftover_file_are_found(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert set(write(tmp_path)) == set(rendered())
    assert stale(tmp_path) == []
    (tmp_path / "schemas/README.md").write_text("edited by hand", encoding="utf-8")
    (tmp_path / "schemas/incidents.odcs.yaml").unlink()
    (tmp_path / "schemas/gone.sql").write_text("", encoding="utf-8")
    wrong = ["README.md", "gone.sql", "incidents.odcs.yaml"]
    assert stale(tmp_path) == [f"schemas/{name}" for name in wrong]
    write(tmp_path)
    assert stale(tmp_path) == []
    assert main(["--check"]) in (0, 1)
    capsys.readouterr()


def test_rendering_is_the_same_each_time() -> None:
    assert rendered() == rendered()


@pytest.fixture(scope="module")
def contracts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `passerelle contract render` writes."""
    folder = tmp_path_factory.mktemp("contracts")
    place = folder / "all"
    assert cli(["contract", "render", str(place), "--home", str(folder / "home")]) == 0
    return place


def test_each_table_is_rendered_in_every_form(contracts: Path) -> None:
    forms = {".odcs.yaml", ".sql", ".arrow", ".schema.json"}
    wanted = {f"{table}{form}" for table in table_names() for form in forms}
    wanted |= {f"{table}.expectations.json" for table in table_names("data")}
    wanted |= {f"samples/{table}.csv" for table in table_names()} | {"datapackage.json", "hxl.csv"}
    held = {one.relative_to(contracts).as_posix() for one in contracts.rglob("*.*")}
    assert held == wanted


def test_frictionless_accepts_the_package_and_its_samples(contracts: Path) -> None:
    from frictionless import validate

    report = validate(str(contracts / "datapackage.json"))
    assert report.valid, report.flatten(["name", "fieldName", "note"])


def test_duckdb_and_arrow_read_the_same_columns(contracts: Path) -> None:
    import duckdb
    import pyarrow as pa

    for table in table_names():
        with duckdb.connect() as connection:
            connection.execute((contracts / f"{table}.sql").read_text(encoding="utf-8"))
            columns = [row[0] for row in connection.execute(f"DESCRIBE {table}").fetchall()]
        with pa.ipc.open_file(contracts / f"{table}.arrow") as file:
            assert file.schema.names == columns


def test_json_schemas_are_valid_schemas(contracts: Path) -> None:
    from jsonschema import Draft202012Validator

    files = [*contracts.glob("*.schema.json"), *(DOCS / "schemas").rglob("*.schema.json")]
    assert len(files) > len(table_names())
    for path in files:
        Draft202012Validator.check_schema(json.loads(path.read_text(encoding="utf-8")))


@pytest.mark.parametrize("language", ["en", "fr"])
def test_links_of_the_dictionary_lead_somewhere(language: str) -> None:
    import re

    page = (DOCS / f"data-dictionary.{language}.md").read_text(encoding="utf-8")
    anchors = set(re.findall(r'<a id="([^"]+)"', page))
    targets = set(re.findall(r"\]\(#([^)]+)\)", page))
    assert targets <= anchors
