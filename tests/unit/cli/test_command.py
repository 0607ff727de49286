"""How the command speaks: help pages, common options, coded refusals, exit codes.

Not here: what commands do with deliveries (`tests/integration/test_cli.py`).
"""

from __future__ import annotations

import errno
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from botocore.exceptions import NoCredentialsError

import pipelines.cli.status
from pipelines.cli import main
from pipelines.cli.app import aliases, build, in_full
from pipelines.cli.common_options import take_common_options
from pipelines.cli.errors import CommandError
from pipelines.cli.words import use
from schemas.text import LANGUAGES

HEAVY = ("great_expectations", "pandas", "duckdb", "deltalake", "dagster", "shapely", "pyarrow")
STARTS_WITHIN_S = 1.0  # of the processor: a busy machine is no fault of ours (0.3 s when calm)
# What people type every day, and each noun with its verbs.
DAILY = "demo ingest run status sql verify serve"
VERBS = {
    "delivery": "list show answer rejudge",
    "table": "list show",
    "codelist": "list show",
    "extract": "make",
    "agreement": "list check explain diff",
    "consent": "list give revoke",
    "ledger": "list verify trace",
    "key": "show export",
    "feed": "list new check",
    "contract": "render",
    "reference": "load",
    "lake": "check compact vacuum migrate",
    "backup": "make restore",
    "user": "list add set-password set-roles set-feeds disable enable",
}
# As one typed them before there were nouns; each still does what it did.
EARLIER = {
    "deliveries": "delivery list",
    "rejections": "delivery show",
    "tables": "table list",
    "dictionary": "table show",
    "extract": "extract make",
    "backup": "backup make",
    "restore": "backup restore",
    "audit list": "ledger list",
    "audit verify": "ledger verify",
    "audit who": "ledger trace",
    "user password": "user set-password",
    "user role": "user set-roles",
    "user feeds": "user set-feeds",
}
ROOT = Path(__file__).parents[3]
PAGES = [ROOT / "docs" / name for name in ("operate.md", "operate.fr.md")]


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("PASSERELLE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("COLUMNS", "80")
    for variable in ("PASSERELLE_LANG", "LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(variable, raising=False)
    yield tmp_path / "home"
    use("en")


def commands(group: Any = None, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    group = group or typer.main.get_command(build())
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, (*path, name))
        yield (*path, name)


def test_the_commands_are_those_of_the_manual():
    nouns = {(noun, verb) for noun, verbs in VERBS.items() for verb in verbs.split()}
    assert set(commands()) == {(name,) for name in [*DAILY.split(), *VERBS]} | nouns


def test_what_one_typed_before_is_still_understood():
    assert aliases() == EARLIER


@pytest.mark.parametrize("earlier", EARLIER)
def test_an_earlier_form_is_the_same_command_with_the_same_options(earlier):
    """Resolved before anything is parsed, so that not a byte of what it prints can differ."""
    rest = ["incidents", "--to", "2026-01-01", "--", "list"]
    assert in_full([*earlier.split(), *rest]) == [*EARLIER[earlier].split(), *rest]
    assert tuple(EARLIER[earlier].split()) in set(commands())


@pytest.mark.parametrize("earlier", EARLIER)
def test_an_earlier_form_has_the_page_of_the_command(earlier, capsys):
    line = [*earlier.split(), *(["x"] if earlier in VERBS else [])]
    assert main([*line, "--help"]) == 0
    page = capsys.readouterr().out
    assert main([*EARLIER[earlier].split(), "--help"]) == 0
    assert capsys.readouterr().out == page


@pytest.mark.parametrize(
    "line", ["backup", "extract --help", "backup make b.tar.gz", "extract make incidents", "sql x"]
)
def test_what_is_typed_as_it_is_now_is_left_alone(line):
    assert in_full(line.split()) == line.split()


def test_whatever_tells_people_a_command_tells_one_of_today():
    told = re.compile(r"(?<![\w/-])passerelle (?!release )([a-z]+)(?:[ \u00a0]([a-z][a-z-]+))?")
    files = [
        path
        for folder in ("pipelines", "assets", "schemas")
        for path in (ROOT / folder).rglob("*")
        if path.suffix in (".py", ".html", ".j2", ".po", ".md", ".yaml")
    ]
    found = {
        (path.relative_to(ROOT).as_posix(), *one)
        for path in files
        for one in told.findall(path.read_text("utf-8"))
    }
    assert len(found) > 50
    wrong = [
        (file, noun, verb)
        for file, noun, verb in found
        if noun not in DAILY.split()
        and verb not in VERBS.get(noun, "").split() + [""] * (noun in VERBS)
    ]
    assert wrong == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_earlier_forms_are_documented_once(page):
    rows = re.findall(r"(?m)^\| `([a-z ]+)` \| `([a-z -]+)` \|$", page.read_text("utf-8"))
    assert dict(rows) == EARLIER


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("path", [(), *commands()], ids="-".join)
def test_every_page_has_an_example_and_fits_the_screen(path, language, capsys):
    assert main([*path, "--help", "--lang", language]) == 0
    page = capsys.readouterr().out
    example = {"en": "Example", "fr": "Exemple"}[language]
    lines = page.splitlines()
    assert lines[lines.index(example) + 1].startswith("  passerelle")
    assert max(map(len, lines)) <= 80
    assert "None" not in page
    for earlier in set(EARLIER) - set(VERBS):
        assert not re.search(rf"passerelle {earlier}\b(?!-)", page), "an earlier form"
    if language == "fr":
        assert not re.search(r"\b(the|files|which)\b", page), "English left in a French page"
        assert not re.search(r"(?m)^\s*[:;?!»]|«\s*$", page), "a sign apart from its word"


def test_a_group_without_a_command_shows_its_page(capsys):
    assert main([]) == 0
    assert "Exit codes" in capsys.readouterr().out
    assert main(["feed"]) == 0
    assert "list" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("line", "code", "said"),
    [
        ("nope", "PSL-208", "There is no command"),
        ("ingst", "PSL-208", "Did you mean “ingest”?"),
        ("feed lst", "PSL-208", "Did you mean “list”?"),
        ("ingest", "PSL-205", "FEED is missing"),
        ("delivery list --last many", "PSL-206", "--last must be a number, 0 or more"),
        ("sql x --format xml", "PSL-206", "--format must be one of: table, csv, json, parquet"),
        ("status --nope", "PSL-204", "There is no option --nope"),
        ("delivery list --feed", "PSL-202", "--feed needs a value"),
        ("status --home", "PSL-202", "--home needs a value"),
        ("status --lang pt", "PSL-203", "English and French"),
        ("ingest caf_polic_incidents x", "PSL-210", "Did you mean “caf_police_incidents”?"),
        ("delivery show x", "PSL-211", "There is no delivery “x”"),
        ("table list", "PSL-218", "Nothing is published yet"),
        ("table show incident", "PSL-221", "Did you mean “incidents”?"),
        ("sql x -o x.xlsx", "PSL-216", ".csv, .json or .parquet"),
        ("sql x -f parquet", "PSL-217", "-o result.parquet"),
        ("delivery list --last -1", "PSL-206", "--last must be a number, 0 or more"),
        ("sql x --limit -1", "PSL-206", "--limit must be a number, 0 or more"),
        ("lake vacuum --keep-days -1", "PSL-206", "--keep-days must be a number, 0 or more"),
        ("demo --seed -5", "PSL-206", "--seed must be a number, 0 or more"),
        ("serve --port 99999", "PSL-206", "--port must be a number from 1 to 65534"),
        ("ingest caf_police_incidents nosuch://a/b", "PSL-209", "of a kind that is not known"),
        ("codelist show offence", "PSL-242", "Did you mean “offences”?"),
        ("delivery lst", "PSL-208", "Did you mean “list”?"),
        ("feed check nowhere", "PSL-223", "neither the folder of a feed nor its name"),
    ],
)
def test_what_is_not_understood_is_said_in_a_coded_sentence(line, code, said, capsys):
    assert main(line.split()) == 2
    told = capsys.readouterr()
    assert told.err.startswith(f"{code}  ")
    assert said in " ".join(told.err.split())
    assert "Traceback" not in told.err
    assert told.out == ""


def test_machines_get_errors_as_data(capsys):
    assert main(["table", "list", "--json"]) == 2
    told = capsys.readouterr()
    assert json.loads(told.out)["error"] == "PSL-218"
    assert told.err == ""


def test_french_comes_from_the_environment_or_the_option(monkeypatch, capsys):
    monkeypatch.setenv("LANG", "fr_CF.UTF-8")
    main(["nope"])
    assert "Il n’existe pas de commande" in capsys.readouterr().err
    main(["nope", "--lang=en"])
    assert "There is no command" in capsys.readouterr().err


@pytest.mark.parametrize("line", ["--json status --home h", "status --home=h --json"])
def test_common_options_stand_anywhere(line):
    everywhere, rest = take_common_options(line.split())
    assert (everywhere.home, everywhere.is_json, rest) == ("h", True, ["status"])


def test_what_follows_two_dashes_is_left_alone():
    everywhere, rest = take_common_options(["sql", "--", "--json"])
    assert not everywhere.is_json
    assert rest == ["sql", "--", "--json"]


def test_an_error_of_ours_is_a_sentence_and_its_trace_is_for_debug(monkeypatch, capsys):
    def broken(*_arguments: object) -> None:
        raise ZeroDivisionError("the text of an error may quote a cell")

    monkeypatch.setattr(pipelines.cli.status, "feed_states", broken)
    assert main(["status"]) == 5
    told = capsys.readouterr().err
    assert told.startswith("PSL-501  ")
    assert "ZeroDivisionError" in told
    assert "quote a cell" not in told
    assert "Traceback" not in told
    assert main(["status", "--debug"]) == 5
    assert "Traceback" in capsys.readouterr().err


def test_a_place_out_of_reach_is_a_sentence(monkeypatch, capsys):
    def broken(*_arguments: object) -> None:
        raise PermissionError(13, "no", "/far/away")

    monkeypatch.setattr(pipelines.cli.status, "feed_states", broken)
    assert main(["status"]) == 4
    assert "PSL-401  “/far/away” cannot be read or written." in capsys.readouterr().err


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (OSError(errno.ENOSPC, "no"), "PSL-401", "There is no room left where the output goes."),
        (ConnectionRefusedError(111, "no"), "PSL-401", "written (ConnectionRefusedError)"),
        (ModuleNotFoundError("no", name="paramiko.client"), "PSL-407", "“paramiko” is needed"),
        (NoCredentialsError(), "PSL-408", "The address cannot be used (NoCredentialsError)"),
    ],
)
def test_what_is_out_of_reach_without_a_name_is_a_sentence_too(
    error, code, said, monkeypatch, capsys
):
    def broken(*_arguments: object) -> None:
        raise error

    monkeypatch.setattr(pipelines.cli.status, "feed_states", broken)
    assert main(["status"]) == 4
    told = capsys.readouterr().err
    assert told.startswith(f"{code}  ")
    assert said in told


def test_an_address_names_the_package_that_it_needs(tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "paramiko", None)  # as where it is not installed
    assert main(["ingest", "caf_police_incidents", "sftp://host/file.csv"]) == 4
    told = capsys.readouterr().err
    assert "PSL-407  The Python package “paramiko” is needed for this." in told
    assert "python -m pip install paramiko" in told


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("THREADS", "abc", "PASSERELLE_THREADS must be a whole number, 0 or more."),
        ("THREADS", "-1", "PASSERELLE_THREADS must be a whole number, 0 or more."),
        ("MEMORY_LIMIT", "abc", "PASSERELLE_MEMORY_LIMIT must be a size, such as 4GB."),
        ("LAKE", "nosuch://x", "PASSERELLE_LAKE cannot be used."),
        ("INBOX", "nosuch://x", "PASSERELLE_INBOX cannot be used."),
    ],
)
def test_a_setting_that_cannot_be_used_is_named(variable, value, said, monkeypatch, capsys):
    monkeypatch.setenv(f"PASSERELLE_{variable}", value)
    assert main(["status"]) == 2
    assert capsys.readouterr().err == f"PSL-207  {said}\n"
    assert main(["status", "--lang", "fr"]) == 2
    assert said.split(" ", 1)[1] not in capsys.readouterr().err


def test_a_missing_word_is_named_in_french_too(capsys):
    assert main(["ingest", "--lang", "fr"]) == 2
    assert "PSL-205  FLUX manque." in capsys.readouterr().err
    assert main(["run", "--help", "--lang", "fr"]) == 0
    page = capsys.readouterr().out
    assert "--home DOSSIER" in page
    assert "FOLDER" not in page


def test_ctrl_c_ends_quietly(monkeypatch, capsys):
    def interrupted(*_arguments: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(pipelines.cli.status, "feed_states", interrupted)
    assert main(["status"]) == 130
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("code", "ending"), [("PSL-201", 2), ("PSL-302", 3), ("PSL-401", 4), ("PSL-501", 5)]
)
def test_the_exit_code_follows_from_the_code(code, ending):
    assert CommandError(code, "…").exit_code == ending


def test_help_starts_fast_and_without_heavy_packages():
    code = (
        "import sys, time; start = time.process_time(); from pipelines.cli import main; "
        "main(['ingest', '--help']); seconds = time.process_time() - start; "
        f"print('|', seconds, [m for m in {HEAVY!r} if m in sys.modules])"
    )
    runs = [
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        for _ in range(3)
    ]
    ends = [run.stdout.rpartition("|")[2].strip().split(" ", 1) for run in runs]
    assert {heavy for _seconds, heavy in ends} == {"[]"}
    assert min(float(seconds) for seconds, _heavy in ends) < STARTS_WITHIN_S
