"""Code asks for columns by role: their names stand in the contracts, not in the code.

Not here: what the roles are (`test_declared.py`).
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache

import pytest

from schemas import record
from schemas.contract import load_contract, table_names
from tests.contract.test_architecture import ROOT, modules

# What is no contract's column there, though it is called the same.
OTHER_THINGS = {
    "pipelines/authoring/match.py": {"country": "a word", "time_zone": "a key of a feed"},
    "pipelines/authoring/values.py": {"country": "a column of the list of areas"},
    "pipelines/cli/agreement.py": {"direction": "a word"},
    "pipelines/cli/table.py": {"unit": "a heading"},
    "pipelines/harmonise/compile.py": {
        "country": "a level of the geofence",
        "latitude_deg": "a part of a position that was read",
        "longitude_deg": "a part of a position that was read",
        "time_zone": "a column of the lists of areas and of countries",
    },
    "pipelines/harmonise/geofence.py": {
        "country": "a column of the outlines",
        "admin1_code": "a column of the outlines",
    },
    "pipelines/harmonise/lookups.py": {"country": "a column of the list of areas"},
    "pipelines/harmonise/macros.py": {
        "latitude_deg": "a part of a position that was read",
        "longitude_deg": "a part of a position that was read",
    },
    "pipelines/harmonise/moments.py": {"time_zone": "a column of the list of countries"},
    "pipelines/harmonise/prepare.py": {
        "country": "a level of the geofence",
        "time_zone": "a column of the lists of areas and of countries",
    },
    "pipelines/landing/gazetteers.py": {"country": "a column of the list of areas"},
    "pipelines/landing/reference.py": {
        "country": "a column of the list of areas",
        "time_zone": "a column of the list of areas",
    },
    "pipelines/portal/charts/areas.py": {"country": "a column of the list of areas"},
    "pipelines/portal/services/menus.py": {"country": "a column of the list of areas"},
    "pipelines/portal/sql/engine_reading.py": {"position": "where in a text"},
    "pipelines/portal/sql/functions.py": {"position": "a function of SQL"},
    "pipelines/portal/sql/run.py": {"outcome": "what became of a question"},
    "pipelines/release/policy/conditions.py": {"country": "a column of the list of areas"},
    "pipelines/release/package/formats/parquet.py": {"unit": "a key of metadata"},
    "pipelines/release/policy/precision.py": {
        "age_group": "a way to coarsen",
        "country": "a level of areas",
    },
    "pipelines/release/policy/wording.py": {"country": "a level of areas"},
    "pipelines/validate/audit.py": {"time_zone": "a column of the lists of areas and of countries"},
}
# Examples that are shown to people.
EXAMPLES = (
    "pipelines/cli/sql.py",
    "pipelines/cli/extract.py",
    "pipelines/cli/demo.py",
    "pipelines/lake/views.py",
    "pipelines/portal/api/models.py",
)
CODE = [
    path for path in modules("pipelines", "assets") if "demo" not in path.relative_to(ROOT).parts
]


@cache
def column_names() -> frozenset[str]:
    """The columns of the tables of records, but for what every record has."""
    held = {column.name for table in table_names("data") for column in load_contract(table).columns}
    return frozenset(held - {*record.IDENTITY, *record.PROVENANCE})


def named_in(code: str) -> list[str]:
    """The columns that strings of the code name; neither its docstrings nor its sentences."""
    tree = ast.parse(code)
    words: set[ast.AST] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
            first = node.body[0] if node.body else None
            words |= {first.value} if isinstance(first, ast.Expr) else set()
        is_call = isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
        if is_call and node.func.id in ("_", "mark"):
            words |= set(ast.walk(node))
    return list(_columns(tree, words))


def _columns(tree: ast.AST, words: set[ast.AST]) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in words:
            yield from (w for w in re.findall(r"\w+", node.value) if w in column_names())


@cache
def by_file() -> dict[str, list[str]]:
    found = {p.relative_to(ROOT).as_posix(): named_in(p.read_text(encoding="utf-8")) for p in CODE}
    for file, reasons in OTHER_THINGS.items():
        found[file] = [name for name in found[file] if name not in reasons]
    return {file: names for file, names in found.items() if names and file not in EXAMPLES}


def test_code_names_no_column_of_a_contract() -> None:
    assert by_file() == {}


@pytest.mark.parametrize("file", [*OTHER_THINGS, *EXAMPLES])
def test_every_exception_is_one(file: str) -> None:
    named = set(named_in((ROOT / file).read_text(encoding="utf-8")))
    assert named >= set(OTHER_THINGS.get(file, named)) and named


def test_a_name_is_seen_wherever_it_stands() -> None:
    code = '"""About offence_code."""\nx = _("By country")\ny = f"SELECT occurred_on, {x}.sex"\n'
    assert sorted(named_in(code)) == ["occurred_on", "sex"]
    assert named_in("z = ('source_record_id', 'revision', 'offence_codes')") == []
