"""Every line of shell that a page shows is run, in both languages, or has a reason why not.

Not here: console blocks with their output, and the queries of the analysts' page (`test_docs.py`).
"""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pytest
from test_docs import PAGES, ROOT, blocks, language_of, variables_read

from pipelines.cli import main
from pipelines.cli.words import use
from pipelines.core.settings import Settings
from schemas.feed import load_feed

RUN_BY = ("query.md", "query.fr.md")  # the pages whose SQL `test_docs.py` runs
# What cannot run here, and why; a beginning of the line.
NOT_RUN = {
    "make run": "installs, and makes the whole demonstration: `.ci/run` does both",
    "make test": "runs this test",
    "passerelle serve": "a server that goes on: tests/integration/test_portal_process.py",
    ".venv/bin/passerelle serve": "the same server, in a terminal without the environment",
    "adduser ": "changes the machine, as root",
    "groupadd ": "changes the machine, as root",
    "usermod ": "changes the machine, as root",
    "sudo ": "changes user; the command itself is run by tests/integration/test_cli.py",
    "echo PASSERELLE_READERS=": "writes to /etc; the setting is read in tests of the file modes",
    "cd /opt/passerelle": "a folder of the server",
    "python3 -m venv": "an environment for the server",
    ".venv/bin/python -m pip": "installs from the network: `.ci/run` does",
    "install -d -o": "changes the owner, as root",
    "pg_dump ": "needs PostgreSQL: tests/integration/test_ledger_postgresql.py",
    "curl ": "needs a server and a token: tests/integration/test_api.py",
    "passerelle consent give": "needs counts that were refused: the tests of consents make some",
    "passerelle consent revoke": "needs a consent: the tests of consents make one",
    "CREATE ROLE": "PostgreSQL: tests/integration/test_ledger_postgresql.py",
    "CREATE DATABASE": "PostgreSQL: tests/integration/test_ledger_postgresql.py",
    "REVOKE ": "PostgreSQL: tests/integration/test_ledger_postgresql.py",
}
ACCOUNT = ["user", "add", "jma.2", "--organisation", "minusca_unpol_jma", "--role", "mission_staff"]
ACCOUNT += ["--one-time"]
SETTING = re.compile(r"(PASSERELLE_[A-Z_]+)=")


@dataclass(frozen=True)
class Block:
    """The lines of one block of a page, continued ones joined."""

    page: Path
    number: int
    lines: tuple[str, ...]

    @property
    def id(self) -> str:
        return f"{self.page.name}-{self.number}"


def shown(kind: str) -> Iterator[Block]:
    for page in PAGES:
        for number, block in enumerate(blocks(page, kind), start=1):
            text = re.sub(r"\\\n\s*", "", block["body"])
            parts = text.split(";") if kind == "sql" else text.split("\n")
            yield Block(page, number, tuple(line.strip() for line in parts if line.strip()))


SHELL = [block for kind in ("sh", "bash", "shell") for block in shown(kind)]
SQL = [block for block in shown("sql") if block.page.name not in RUN_BY]


def reason(line: str) -> str:
    return next((why for start, why in NOT_RUN.items() if line.startswith(start)), "")


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder as a reader has it: the samples that a page speaks of, and a home of its own."""
    sample = load_feed("caf_gendarmerie_incidents").examples()[0]
    shutil.copy(sample, tmp_path / "mars.csv")
    agreements = tmp_path / "schemas" / "agreements"
    shutil.copytree(ROOT / "schemas" / "agreements", agreements)
    for signed in ("signed", "signes"):
        shutil.copytree(agreements, tmp_path / signed)
    (tmp_path / "schemas" / "feeds").mkdir()
    for folder in ("disk", "key", "home"):
        (tmp_path / folder).mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PASSERELLE_HOME", str(tmp_path / "home"))
    yield tmp_path
    use("en")


def fitted(line: str, place: Path, demo: Settings) -> str:
    """The line with the places of the page's server put into the folder of the test."""
    there = {
        "/srv/passerelle": place / "home",
        "/media/disk": place / "disk",
        "/media/key": place / "key",
        "var/catalog.duckdb": demo.catalogue,
    }
    for shown_place, real in there.items():
        line = line.replace(shown_place, str(real))
    return line.replace("$(date +%F)", "2026-11-22")


def run_here(line: str, place: Path, demo: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    words = shlex.split(fitted(line, place, demo), comments=True)
    if words[0] == "passerelle":
        assert main(words[1:]) == 0, line
    elif words[0] == "duckdb":
        assert words[1] == "-readonly"
        with duckdb.connect(words[2], read_only=True) as connection:
            assert connection.sql(words[3]).fetchall(), line
    elif words[0] == "python":
        monkeypatch.setenv("PASSERELLE_HOME", str(demo.home))
        command = [sys.executable, *words[1:]]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        assert done.stdout
    elif words[0] == "cp":
        shutil.copytree(words[2], Path(words[3]) / Path(words[2]).name)
    else:
        pytest.fail(f"nobody runs this line, and no reason is given: {line}")


def prepare(block: Block, place: Path) -> None:
    """What earlier steps of the page have made by then."""
    if block.page.name.startswith("agreements"):
        declared = next(blocks(block.page, "yaml"))["body"]
        for folder in (place / "schemas" / "agreements", place / "signed", place / "signes"):
            (folder / "sample_agreement.yaml").write_text(declared, encoding="utf-8")
    if any(line.startswith("passerelle backup restore") for line in block.lines):
        assert main(ACCOUNT) == 0
        file = "passerelle-2026-11-22.tar.zst"
        assert main(["backup", "make", str(place / file)]) == 0
        shutil.copytree(place / "home" / "secrets", place / "key" / "secrets")
        shutil.rmtree(place / "home")
    if any(line.startswith("passerelle backup make") for line in block.lines):
        assert main(ACCOUNT) == 0


@pytest.mark.parametrize("block", SHELL, ids=lambda block: block.id)
def test_every_line_of_shell_runs_or_says_why_not(
    block: Block, place: Path, demo_home: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PASSERELLE_LANG", language_of(block.page))
    prepare(block, place)
    for line in block.lines:
        if found := SETTING.match(line):
            assert found[1] in variables_read(), line
        elif not reason(line) and not line.startswith("#"):
            run_here(line, place, demo_home, monkeypatch)


@pytest.mark.parametrize("block", SQL, ids=lambda block: block.id)
def test_every_query_is_run_or_says_why_not(block: Block, demo_home: Settings) -> None:
    import pipelines

    for query in block.lines:
        if not reason(query):
            with pipelines.connect(demo_home) as connection:
                assert connection.execute(query).description, query


def test_no_reason_is_left_over() -> None:
    lines = [line for block in (*SHELL, *SQL) for line in block.lines]
    unused = [start for start in NOT_RUN if not any(line.startswith(start) for line in lines)]
    assert not unused


def test_both_languages_show_the_same_commands() -> None:
    """A page and its French twin: the same commands, but for the words of their comments."""

    def commands(page: Path) -> list[str]:
        lines = [line for block in SHELL if block.page == page for line in block.lines]
        return [shlex.join(shlex.split(line, comments=True)) for line in lines]

    for page in PAGES:
        twin = page.with_name(page.name.replace(".md", ".fr.md"))
        if twin.exists() and not page.name.endswith(".fr.md"):
            english, french = commands(page), commands(twin)
            assert len(english) == len(french), page.name
            for one, other in zip(english, french, strict=True):
                assert one.split()[:2] == other.split()[:2], (one, other)
