"""What all tests share: one home with the demo taken in and published, and in which order they run.

Not here: fixtures of one stage; they stand beside its tests.
"""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock
from hypothesis import settings as hypothesis_settings

from pipelines.core.settings import Settings, settings_for
from pipelines.ingest.publish import publish
from pipelines.validate.audit import Audit

DEMO = ("demo", "--every-rule", "--scale", "0.2")

# In CI the same cases every time: new ones are looked for at a desk, where somebody can mend them.
hypothesis_settings.register_profile("ci", derandomize=True)
if os.environ.get("CI"):
    hypothesis_settings.load_profile("ci")


# Files that take more than half a minute; at the end those that need the demonstration.
LONG = (
    "property/test_agreements.py",
    "contract/test_feeds.py",
    "integration/test_nothing_leaks.py",
    "faults/test_kill_during_publish.py",
    "property/test_revisions.py",
    "property/test_groups.py",
    "integration/test_portal_bad_input.py",
    "integration/test_portal_mission.py",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long files first, so that no process is left alone with one at the end.

    Before them stands one that needs the demonstration: one process makes it, and by the time that
    another wants it, it is there.
    """
    first = next((one.path for one in items if "demo_home" in getattr(one, "fixturenames", ())), "")
    order = [first, *(Path(__file__).parent / name for name in LONG)]
    turns = {path: turn for turn, path in enumerate(order)}
    items.sort(key=lambda item: turns.get(item.path, len(order)))


@pytest.fixture(scope="session")
def demo_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """A home with the demo in it, made by the command line as a person would; only read it.

    It is made once, by whichever process of the tests wants it first.
    """
    place = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        place = place.parent
    home, made = place / "demo_home", place / "demo_home.made"
    with FileLock(f"{made}.lock"):
        if not made.exists():
            home.mkdir(exist_ok=True)
            passerelle(*DEMO, home=home)
            made.touch()
    settings = settings_for(home)
    before = _files_of(settings)
    yield settings
    assert _files_of(settings) == before, "a test wrote into what all tests share"


def _files_of(settings: Settings) -> set[Path]:
    """The files of the lake and the landing."""
    folders = (Path(settings.lake), Path(str(settings.landing)))
    return {path for folder in folders for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(scope="session")
def demo_copy(demo_home: Settings, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """The same home once more, of this process alone: commands may be typed in it."""
    home = tmp_path_factory.mktemp("demo") / "copy"
    shutil.copytree(demo_home.home, home, ignore=shutil.ignore_patterns("catalog.duckdb"))
    settings = settings_for(home)
    publish(settings)  # whose views lead to the tables of this home
    return settings


@pytest.fixture(scope="module")
def audit_agrees() -> Iterator[None]:
    """Deliveries are judged without Great Expectations, which costs three times the rest.

    For tests of what follows from a verdict, and of deliveries of which the demonstration, with
    which the audit must agree, has the like.
    """

    def agree(*_files: Any, rows_accepted: int, rows_quarantined: int, **_more: Any) -> Audit:
        return Audit(True, 1, [], {"accepted": rows_accepted, "quarantined": rows_quarantined})

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("pipelines.ingest.ingest.audit", agree)
        for module in ("ingest", "inbox"):
            name = f"pipelines.ingest.{module}.write_audit_pages"
            patch.setattr(name, lambda *_home, **_more: None)
        yield


def passerelle(
    *arguments: str, home: Path, language: str = "en", check: bool = True, stdin: str = ""
) -> subprocess.CompletedProcess[str]:
    """Run the command as a person does, in a process of its own and away from the repository."""
    environment = _environment(home, language)
    return _checked(_run_process(arguments, environment, home, stdin), check)


def passerelle_here(
    *arguments: str, home: Path, language: str = "en", check: bool = True, stdin: str = ""
) -> subprocess.CompletedProcess[str]:
    """The same in this process, which saves the second that another takes to begin."""
    return _checked(_run_here(arguments, _environment(home, language), home, stdin), check)


def _environment(home: Path, language: str) -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith("PASSERELLE_")}
    # As wide as where there is no terminal, whatever runs the tests.
    ours = {"PASSERELLE_HOME": str(home), "LANG": language, "LC_ALL": language, "COLUMNS": "110"}
    return kept | ours


def _checked(
    done: subprocess.CompletedProcess[str], check: bool
) -> subprocess.CompletedProcess[str]:
    if check and done.returncode:
        raise AssertionError(f"{done.args} gave {done.returncode}\n{done.stdout}\n{done.stderr}")
    return done


def _run_process(
    arguments: Sequence[str], environment: dict[str, str], folder: Path, stdin: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "pipelines.cli", *arguments],
        env=environment,
        cwd=folder,
        input=stdin,
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )


def _run_here(
    arguments: Sequence[str], environment: dict[str, str], folder: Path, stdin: str
) -> subprocess.CompletedProcess[str]:
    from pipelines.cli import main
    from pipelines.cli.words import use

    out, err = (io.TextIOWrapper(io.BytesIO(), "utf-8", write_through=True) for _ in range(2))
    with pytest.MonkeyPatch.context() as patch:
        for name in os.environ.keys() - environment.keys():
            patch.delenv(name)
        for name, value in environment.items():
            patch.setenv(name, value)
        patch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin.encode()), "utf-8"))
        patch.setattr(sys, "stdout", out)
        patch.setattr(sys, "stderr", err)
        patch.chdir(folder)
        before = os.umask(0o022)
        try:
            code: Any = main(arguments)
        except SystemExit as ended:
            code = ended.code
        finally:
            use("en")
            os.umask(before)
    said = [one.buffer.getvalue().decode() for one in (out, err)]  # type: ignore[attr-defined]
    return subprocess.CompletedProcess(list(arguments), code or 0, *said)
