"""The pages that people read: commands run, queries answer, links lead somewhere.

Not here: the French of a page (`test_docs_in_french.py`), and the data dictionary and whatever else
is rendered from the contracts (`test_rendered.py`).

A block that begins with `$ passerelle …` shows what that command printed after `make run`. Here it
runs again, over a smaller demonstration, and must print the same headings and sentences; figures
and rows of tables may differ. To write the true output into the pages again (figures too, from a
full demonstration in each language): `python -m tests.contract.test_docs`.
"""

from __future__ import annotations

import itertools
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pytest

import pipelines
from pipelines.core.settings import _VARIABLES, Settings, settings_for

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    page
    for page in [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]
    if not page.name.startswith("data-dictionary")
)
FRENCH = [page for page in PAGES if page.name.endswith(".fr.md")]
SHOWN_HOME = "/home/you/passerelle/var"
LARGEST_IMAGE_BYTES = 200_000
GAP = "…"

BLOCK = re.compile(
    r"(?:<!-- shown: (?P<shown>[^>]+) -->\n)?```(?P<kind>\w+)\n(?P<body>.*?)\n?```", re.DOTALL
)
DELIVERY = re.compile(r"\b(?P<feed>[a-z]{2,}_[a-z_]+)\.(?P<mark>[0-9a-f]{5,12})\b")
EXTRACT = re.compile(r"\b(?P<what>[a-z_]+)_\d{4}-\d\d-\d\d_[0-9a-f]{12}\.zip")
# The ids of extracts and the fingerprints of keys, which differ from one home to the next.
MARKS = re.compile(r"\b(?:[0-9a-f]{12}|(?:[0-9a-f]{4} ){7}[0-9a-f]{4})\b")


@dataclass(frozen=True)
class Shown:
    """One command of a page with the output shown below it; `part` says how much of it."""

    page: Path
    command: str
    output: tuple[str, ...]
    part: str
    body: str

    @property
    def language(self) -> str:
        return language_of(self.page)

    @property
    def is_demo(self) -> bool:
        return self.command == "make run"


def language_of(page: Path) -> str:
    return "fr" if page in FRENCH else "en"


def blocks(page: Path, kind: str) -> Iterator[re.Match[str]]:
    return (one for one in BLOCK.finditer(page.read_text("utf-8")) if one["kind"] == kind)


def shown_commands(page: Path) -> list[Shown]:
    found = []
    for block in blocks(page, "console"):
        first, *output = block["body"].split("\n")
        while first.endswith("\\"):
            first = first[:-1] + output.pop(0).strip()
        assert first.startswith("$ "), f"{page.name}: a console block begins with “$ ”: {first}"
        part = block["shown"] or "all"
        found.append(Shown(page, first[2:], tuple(output), part, block["body"]))
    return found


PRINTED: dict[tuple[str, str], str] = {}
EVERY = [one for page in PAGES for one in shown_commands(page)]


def run(command: str, home: Path, language: str, folder: Path) -> str:
    """What a person sees who types `command`; the ids of deliveries are made to fit this home."""
    words = shlex.split(fitted(command, home).replace("var/", f"{home}/"))
    assert words[0] == "passerelle", command
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("PASSERELLE_", "COLUMNS"))}
    done = subprocess.run(
        [sys.executable, "-m", "pipelines.cli", *words[1:]],
        env={**clean, "PASSERELLE_HOME": str(home), "LANG": language, "LC_ALL": language},
        cwd=folder,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout.replace(str(home), SHOWN_HOME)


def fitted(command: str, home: Path) -> str:
    """The command with each delivery replaced by the latest one of its feed in this home.

    So is the file of an extract by the one that this home has of the same thing.
    """

    def latest(found: re.Match[str]) -> str:
        receipts = {
            path: re.search(r'"received_at": "([^"]+)"', path.read_text("utf-8"))
            for path in (home / "landing" / found["feed"]).glob("*/receipt.json")
        }
        last = max(receipts, key=lambda path: str(receipts[path] and receipts[path][1]))  # type: ignore[index]
        return f"{found['feed']}.{last.parent.name[: len(found['mark'])]}"

    def made(found: re.Match[str]) -> str:
        names = sorted(path.name for path in (home / "releases").glob("*.zip"))
        return next(name for name in names if re.match(rf"{found['what']}_\d", name))

    return EXTRACT.sub(made, DELIVERY.sub(latest, command))


def selected(output: str, part: str) -> list[str]:
    """The lines to show: `all`, or `first 7`, `last 2`, or both; `…` where some are left out."""
    lines = [line.rstrip() for line in output.strip("\n").split("\n")]
    wanted = dict(re.findall(r"(first|last) (\d+)", part))
    if not wanted:
        return lines
    first, last = int(wanted.get("first", 0)), int(wanted.get("last", 0))
    if first + last >= len(lines):
        return lines
    tail = lines[len(lines) - last :]
    return [*lines[:first], GAP, *tail]


def stable(lines: list[str] | tuple[str, ...]) -> list[str]:
    """Headings and sentences, without figures and without the rows of tables."""
    kept: list[str] = []
    is_table = False
    for line in lines:
        if line.strip().startswith("───"):
            is_table = True
        elif not line.strip() or line.strip() == GAP:
            is_table = False
        elif not is_table:
            kept.append(masked(line))
    return kept


def masked(line: str) -> str:
    line = MARKS.sub("#", EXTRACT.sub(r"\g<what>.zip", DELIVERY.sub(r"\g<feed>.#", line)))
    return " ".join(re.sub(r"\d[\d.,\u00a0\u202f]*", "#", line).split())


@pytest.mark.parametrize(
    "shown",
    [one for one in EVERY if one.command.startswith("passerelle")],
    ids=lambda one: f"{one.page.name}: {one.command[11:50]}",
)
def test_a_command_prints_what_the_page_shows(
    shown: Shown, demo_copy: Settings, tmp_path: Path
) -> None:
    asked = shown.command, shown.language
    if asked not in PRINTED:  # several pages show it
        PRINTED[asked] = run(shown.command, demo_copy.home, shown.language, tmp_path)
    printed = stable(PRINTED[asked].split("\n"))
    missing = [line for line in stable(shown.output) if line not in printed]
    assert not missing, f"{shown.page.name} shows what is not printed: {missing}\n{printed}"


def test_both_languages_of_the_first_hour_show_the_same_commands() -> None:
    english, french = (
        [masked(one.command) for one in shown_commands(ROOT / "docs" / name) if not one.is_demo]
        for name in ("first-hour.md", "first-hour.fr.md")
    )
    neutral = [re.sub(r"lang := '\w+'| -o \S+", "", text) for text in english]
    assert neutral == [re.sub(r"lang := '\w+'| -o \S+", "", text) for text in french]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_named_exists(page: Path) -> None:
    import typer

    from pipelines.cli.app import build

    known = typer.main.get_command(build()).commands  # type: ignore[attr-defined]
    code = " \n ".join(re.findall(r"```.*?```|`[^`\n]+`", page.read_text("utf-8"), re.DOTALL))
    # Where a command begins: a user, a group or a database may have our name too.
    for words in re.findall(r"(?m)(?:^\s*|[`$&|] ?)passerelle ((?:[a-z-]+ ?){1,2})", code):
        first, *rest = words.split()
        assert first in known, f"{page.name}: passerelle {words}"
        if hasattr(known[first], "commands") and rest:
            assert rest[0] in known[first].commands, f"{page.name}: passerelle {words}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_and_images_are_there(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text("utf-8")):
        if "://" in target or target.startswith("#"):
            continue
        place, _, anchor = target.partition("#")
        file = page.parent / place
        assert file.exists(), f"{page.name} → {target}"
        if anchor:
            headings = re.findall(r"^#+ (.+)$", file.read_text("utf-8"), re.MULTILINE)
            anchors = {re.sub(r"[^\w -]", "", h.lower()).replace(" ", "-") for h in headings}
            assert anchor in anchors, f"{page.name} → {target}"


def test_images_are_light_and_used() -> None:
    words = "".join(page.read_text("utf-8") for page in PAGES)
    for image in (ROOT / "docs" / "images").iterdir():
        assert image.stat().st_size < LARGEST_IMAGE_BYTES, image.name
        assert f"images/{image.name}" in words, f"{image.name} is on no page"


def test_the_tree_on_the_page_of_the_architecture_is_the_tree() -> None:
    page = ROOT / "docs" / "architecture.md"
    tree = next(b["body"] for b in blocks(page, "text") if b["body"].startswith("schemas"))
    above = [ROOT]
    for line in tree.split("\n"):
        if found := re.match(r"( *)([\w/.-]+)  ", line):
            above = above[: len(found[1]) // 2 + 1]
            place = above[-1] / found[2]
            assert place.exists(), line
            above.append(place)


def test_a_readme_is_a_door() -> None:
    for name in ("README.md", "README.fr.md"):
        assert len((ROOT / name).read_text("utf-8").splitlines()) <= 100, name


def variables_read() -> set[str]:
    """Every PASSERELLE_ variable in the code: those of `settings.py`, and those named in full."""
    files = [
        p for folder in ("pipelines", "assets", "schemas") for p in (ROOT / folder).rglob("*.py")
    ]
    named = re.compile(r"\bPASSERELLE_[A-Z_]+[A-Z]\b")
    found = {name for file in files for name in named.findall(file.read_text("utf-8"))}
    return found | {f"PASSERELLE_{name.upper()}" for name in _VARIABLES}


SETTINGS = [ROOT / "docs" / name for name in ("settings.md", "settings.fr.md")]


def settings_rows(page: Path) -> dict[str, str]:
    """Each variable of a page of settings, in order, with its value unless set."""
    rows = r"^\| `(PASSERELLE_[A-Z_]+)` \|.*\| ([^|]+) \|$"
    return dict(re.findall(rows, page.read_text("utf-8"), re.MULTILINE))


@pytest.mark.parametrize("page", SETTINGS, ids=lambda page: page.name)
def test_every_setting_is_documented_and_every_documented_setting_is_read(page: Path) -> None:
    assert set(settings_rows(page)) == variables_read()


@pytest.mark.parametrize("page", SETTINGS, ids=lambda page: page.name)
def test_the_limits_of_the_page_are_those_of_the_portal(page: Path) -> None:
    from pipelines.portal.configuration import DEFAULT_RATES

    shown = settings_rows(page)["PASSERELLE_RATE_LIMITS"].strip("`").split("; ")
    assert dict(one.split("=") for one in shown) == DEFAULT_RATES


@pytest.mark.parametrize("name", ["query.md", "query.fr.md"])
def test_the_queries_of_the_analysts_page_answer(name: str, demo_home: Settings) -> None:
    for block in blocks(ROOT / "docs" / name, "sql"):
        with pipelines.connect(demo_home) as connection:
            for query in block["body"].split(";"):
                if query.strip():
                    assert connection.execute(query).description, query


@pytest.mark.parametrize("name", ["query.md", "query.fr.md"])
def test_the_python_of_the_analysts_page_runs(
    name: str, demo_home: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PASSERELLE_HOME", str(demo_home.home))
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    for block in blocks(ROOT / "docs" / name, "python"):
        code = block["body"].replace("var/catalog.duckdb", str(demo_home.catalogue))
        exec(compile(code, name, "exec"), names)  # noqa: S102  (our own page)
    for one in names.values():
        if isinstance(one, duckdb.DuckDBPyConnection):
            one.close()


@pytest.mark.parametrize("name", ["add-a-feed.md", "add-a-feed.fr.md"])
def test_the_feed_of_the_page_passes_its_check(name: str, tmp_path: Path) -> None:
    from pipelines.authoring.check import check_feed

    page = (ROOT / "docs" / name).read_text("utf-8")
    folder = tmp_path / "caf_gendarmerie_seizures"
    declared = next(block["body"] for block in blocks(ROOT / "docs" / name, "yaml"))
    folder.mkdir()
    (folder / "feed.yaml").write_text(declared, encoding="utf-8")
    files = re.findall(r"`(\w+/[\w-]+\.csv)`[^\n]*\n\n```csv\n(.*?)```", page, re.DOTALL)
    assert len(files) == 4
    for place, text in files:
        (folder / place).parent.mkdir(exist_ok=True)
        encoding = "utf-8" if place.startswith("crosswalks") else "cp1252"
        (folder / place).write_text(text, encoding=encoding)
    results = check_feed(settings_for(tmp_path / "home").prepare(), folder)
    assert {one.path.name: one.problems for one in results if not one.is_ok} == {}
    assert len(results) == 4


def test_a_home_comes_back_from_its_landing_and_key(demo_home: Settings, tmp_path: Path) -> None:
    """What `docs/operate.md` says of backups."""
    feed, place = "caf_gendarmerie_incidents", tmp_path / "back"
    shutil.copytree(demo_home.landing / feed, place / "landing" / feed)
    shutil.copytree(demo_home.secrets, place / "secrets")
    run("passerelle run", place, "en", tmp_path)
    counted = (
        "SELECT (SELECT count(*) FROM incidents_history WHERE delivery_id LIKE $1), "
        "(SELECT count(*) FROM rejections WHERE delivery_id LIKE $1)"
    )
    with pipelines.connect(demo_home) as before, pipelines.connect(settings_for(place)) as after:
        found = after.execute(counted, [f"{feed}.%"]).fetchone()
        assert found == before.execute(counted, [f"{feed}.%"]).fetchone()
        assert min(found) > 0


def refresh(place: Path) -> None:
    """Write the true output of every command into the pages, from a full demonstration.

    `place` keeps the demonstration in each language; one that is there already is used again.
    """
    for language in ("en", "fr"):
        if not (place / f"{language}.txt").is_file():
            # As after `make run`: the home lies in the folder where one types.
            home = settings_for(place / language / "var").prepare().home
            printed = run("passerelle demo", home, language, home.parent)
            (place / f"{language}.txt").write_text(printed, encoding="utf-8")
    for page, group in itertools.groupby(EVERY, key=lambda one: one.page):
        text = page.read_text("utf-8")
        for one in group:
            home = place / one.language / "var"
            output = (
                (place / f"{one.language}.txt").read_text("utf-8")
                if one.is_demo
                else run(one.command, home, one.language, home.parent)
            )
            lines = one.body.split("\n")
            ends = next(i for i, line in enumerate(lines) if not line.endswith("\\"))
            typed = fitted("\n".join(lines[: ends + 1]), home)
            body = "\n".join([typed, *selected(output, one.part)])
            text = text.replace(f"```console\n{one.body}\n```", f"```console\n{body}\n```")
        page.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        refresh(Path(sys.argv[1]))
    else:
        with tempfile.TemporaryDirectory() as folder:
            refresh(Path(folder))
