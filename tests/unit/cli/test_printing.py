"""What the command prints: lines to copy, tables in narrow terminals, counts, a closed output.

Not here: help pages and refusals (`test_command.py`).
"""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from pipelines.cli import main
from pipelines.cli.common_options import CommonOptions
from pipelines.cli.session import Session, table
from pipelines.cli.words import counted, number, quoted, use


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("PASSERELLE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("COLUMNS", "80")
    for variable in ("PASSERELLE_LANG", "LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(variable, raising=False)
    yield tmp_path / "home"
    use("en")


def test_an_example_is_one_line_however_narrow_the_terminal_is(monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "40")
    assert main(["delivery", "show", "--help"]) == 0
    example = "  passerelle delivery show caf_gendarmerie_incidents.9f2c -o r.xlsx --rows l.csv"
    assert example in capsys.readouterr().out.splitlines()


def test_files_at_the_wrong_level_of_the_inbox_are_told_of(home, capsys):
    inbox = home / "inbox"
    for place in (
        "report.csv",
        "caf_police_incidents/novembre/report.csv",
        ".hidden/x",
        "open.tmp",
    ):
        (inbox / place).parent.mkdir(parents=True, exist_ok=True)
        (inbox / place).write_text("a;b\n")
    assert main(["run", "--json"]) == 3
    told = json.loads(capsys.readouterr().out)
    assert [problem["code"] for problem in told["problems"]] == ["DEL-732", "DEL-732"]
    assert main(["run"]) == 3
    said = capsys.readouterr()
    assert "Nothing new" not in said.out
    assert "from caf_police_incidents/novembre." in said.err
    assert "from report.csv." in said.err
    assert "Put the files into inbox/FEED/" in said.err
    assert main(["status"]) == 0
    assert "DEL-732" in capsys.readouterr().err


def test_a_table_too_narrow_becomes_blocks_and_loses_nothing(monkeypatch, capsys):
    rows = [("caf_gendarmerie_incidents", "8,400", "2026-11-17"), ("b", "17", "never")]

    def shown(columns: int) -> str:
        monkeypatch.setenv("COLUMNS", str(columns))
        grid = table("Feed", "Rows", "Last", numbers=[1], whole=[2])
        for row in rows:
            grid.add_row(*row)
        Session(CommonOptions("en")).print(grid)
        return capsys.readouterr().out

    assert "caf_gendarmerie_incidents  8,400  2026-11-17" in shown(50)
    folded = shown(40)
    assert "───" in folded
    assert "8,400  2026-11-17" in folded
    blocks = shown(30)
    assert "───" not in blocks
    for cell in rows[0] + rows[1]:
        assert cell in blocks.replace("\n      ", "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a full device as Linux has it")
@pytest.mark.parametrize("options", [[], ["--json"]])
def test_output_that_cannot_be_written_is_one_sentence(options, home):
    line = [sys.executable, "-m", "pipelines.cli", "feed", "list", "--home", str(home), *options]
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(line, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 4
    assert "There is no room left where the output goes." in done.stderr
    assert "PSL-401" in done.stderr
    assert "Traceback" not in done.stderr
    assert "Exception" not in done.stderr


@pytest.mark.skipif(os.name != "posix", reason="pipes as POSIX has them")
@pytest.mark.parametrize("options", [[], ["--json"]])
def test_a_reader_that_has_had_enough_is_no_fault(options, home):
    line = [sys.executable, "-m", "pipelines.cli", "feed", "list", "--home", str(home), *options]
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(line, stdout=writing, stderr=subprocess.PIPE, text=True, check=False)
    os.close(writing)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_line_to_copy_is_never_broken_and_a_path_in_it_is_quoted(monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "30")
    line = f"passerelle verify {quoted('var/my extracts/incidents_2026-11-17.zip')} --key k.pem"
    session = Session(CommonOptions("en"))
    session.print_line(line)
    session.complain("PSL-218", "Nothing is published yet.", f"Try: {line}")
    told = capsys.readouterr()
    assert told.out == line + "\n"
    assert f"Try: {line}" in told.err.splitlines()
    assert shlex.split(line)[2] == "var/my extracts/incidents_2026-11-17.zip"


def test_numbers_are_set_apart_as_the_language_does():
    assert number(1234567) == "1,234,567"
    use("fr")
    assert number(1234567) == "1\u202f234\u202f567"
    assert number(None) == "–"


@pytest.mark.parametrize(
    ("language", "singular", "plural"), [("en", [1], [0, 2]), ("fr", [0, 1], [2, 1000])]
)
def test_a_count_is_singular_where_the_language_says_so(language, singular, plural):
    use(language)
    for count in (*singular, *plural):
        fitting = "{count} one" if count in singular else "{count} several"
        said = fitting.format(count=number(count))
        assert counted(count, "{count} one", "{count} several") == said


def test_french_signs_stay_with_their_word_however_narrow_the_terminal_is(monkeypatch, capsys):
    sentence = "Voyez\u00a0: «\u00a0ici\u00a0», puis là\u202f; est-ce tout\u202f?"
    for width in range(16, 40):  # narrower, a word is longer than its column
        monkeypatch.setenv("COLUMNS", str(width))
        session = Session(CommonOptions("fr"))
        grid = table("Mots")
        grid.add_row(sentence)
        session.print(sentence)
        session.print(grid)
        lines = [line.strip() for line in capsys.readouterr().out.splitlines()]
        assert not [line for line in lines if line.startswith(tuple(":;?»")) or line.endswith("«")]
