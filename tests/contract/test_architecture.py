"""The house holds: each module says what it does and is short, a feed has no Python.

Not here: which way the arrows run (`lint-imports`, by its contracts in pyproject.toml), and what
any module does. These tests read the source; they import nothing of it, except that the wheel is
built and started from a folder that knows nothing of the repository.
"""

from __future__ import annotations

import ast
import importlib.metadata
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("schemas", "pipelines", "assets")
TOP_LEVEL = {
    *("schemas", "pipelines", "assets", "tests", "benchmarks", "docs", ".ci"),
    *("README.md", "README.fr.md", "CONTRIBUTING.md", "CHANGELOG.md", "LICENSE", "Makefile"),
    *("requirements.lock", "requirements-dev.lock", "requirements.build", "workspace.yaml"),
    "pyproject.toml",
    *(".gitignore", ".gitattributes", ".pre-commit-config.yaml", ".python-version"),
}
LONGEST_FILE, LONGEST_FUNCTION = 400, 50


def modules(*folders: str) -> list[Path]:
    return sorted(
        path
        for folder in folders
        for path in (ROOT / folder).rglob("*.py")
        if "__pycache__" not in path.parts
    )


def dotted(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def test_a_module_says_what_it_does_in_its_first_line():
    for path in modules(*PACKAGES):
        said = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
        first = said.split("\n\n")[0]
        assert first.endswith((".", ":")), f"{dotted(path)}: {first!r}"


def test_files_and_functions_stay_short():
    for path in modules(*PACKAGES):
        text = path.read_text(encoding="utf-8")
        assert len(text.splitlines()) < LONGEST_FILE, dotted(path)
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                length = (node.end_lineno or 0) - node.lineno + 1
                assert length <= LONGEST_FUNCTION, f"{node.name} has {length} lines"


def test_no_result_of_a_query_is_left_unfinished():
    """DuckDB 2 does nothing else on a connection meanwhile; `[row] = ….fetchall()` finishes it."""
    found = [dotted(p) for p in modules(*PACKAGES) if ".fetchone(" in p.read_text("utf-8")]
    assert found == []


def test_a_feed_has_no_python():
    assert list((ROOT / "schemas" / "feeds").rglob("*.py")) == []


def tracked() -> list[Path]:
    done = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False)
    if done.returncode:
        pytest.skip("not a clone: there is no list of tracked files")
    return [Path(name) for name in done.stdout.decode().split("\0") if name]


def test_nothing_new_stands_at_the_top():
    assert {path.parts[0] for path in tracked()} <= TOP_LEVEL


def test_no_other_distribution_owns_our_names():
    for distribution in importlib.metadata.distributions():
        name = distribution.metadata["Name"]
        for file in distribution.files or ():
            if name != "passerelle" and file.parts and file.parts[0] in PACKAGES:
                pytest.fail(f"{name} installs {file}")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    """The wheel, unpacked into a folder of its own."""
    pytest.importorskip("hatchling", reason="the wheel's builder is not installed here")
    place = tmp_path_factory.mktemp("wheel")
    line = [sys.executable, "-m", "pip", "wheel", str(ROOT), "--no-deps", "--no-build-isolation"]
    done = subprocess.run(
        [*line, "--quiet", "--disable-pip-version-check", "-w", str(place)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    [file] = place.glob("*.whl")
    with zipfile.ZipFile(file) as archive:
        archive.extractall(place / "unpacked")
    return place / "unpacked"


def test_the_wheel_holds_every_file_of_the_three_packages(wheel):
    wanted = {path for path in tracked() if path.parts[0] in PACKAGES and (ROOT / path).exists()}
    missing = [str(path) for path in sorted(wanted) if not (wheel / path).is_file()]
    assert missing == []
    assert not {p.name for p in wheel.iterdir()} & {"tests", "benchmarks", "docs"}


@pytest.mark.parametrize(
    "code",
    [
        "import assets.definitions as m",
        "import pipelines.cli as m; assert m.main(['feed', 'list']) == 0",
        "import pipelines as m; assert callable(m.connect)",
        "import schemas.contract as m; assert m.load_contract('incidents').rules",
    ],
)
def test_the_wheel_works_from_a_neutral_folder(wheel, tmp_path, code):
    environment = {**os.environ, "PYTHONPATH": str(wheel), "PASSERELLE_HOME": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", f"{code}; print('|', m.__file__)"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert Path(done.stdout.rpartition("| ")[2].strip()).is_relative_to(wheel)
