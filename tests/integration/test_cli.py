"""The command line as people use it, each time in a process of its own, over the demo.

Not here: help pages and refusals (`tests/unit/cli`), and whether the rows are right (the demo's
truth is held in `test_demo_truth.py`).
"""

from __future__ import annotations

import csv
import io
import json
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import duckdb
import openpyxl
import pytest

from pipelines.core.settings import Settings, settings_for
from schemas.contract import table_names
from schemas.feed import SCHEMA, feed_names, load_feed
from tests.conftest import DEMO, passerelle

FEED = "caf_gendarmerie_incidents"
STARTED_WITHIN_S = 90


def said(settings: Settings, *arguments: str, **options: str) -> str:
    return passerelle(*arguments, home=settings.home, **options).stdout


def data(settings: Settings, *arguments: str) -> object:
    return json.loads(said(settings, *arguments, "--json"))


def commands_of(text: str) -> list[list[str]]:
    """The lines of commands in what was printed, each as a shell takes it apart."""
    lines = [line for line in text.splitlines() if re.match(r"\s+(passerelle|duckdb) ", line)]
    return [shlex.split(line) for line in lines]


def one_delivery(settings: Settings) -> dict:
    """A delivery of the feed with rejected rows."""
    found = data(settings, "delivery", "list", "--feed", FEED)
    return next(one for one in found if one["rows_quarantined"])


@pytest.fixture
def own_home(tmp_path: Path) -> Settings:
    return settings_for(tmp_path / "home").prepare()


def test_deliveries_account_for_every_row(demo_home):
    rows = data(demo_home, "delivery", "list", "--last", "0")
    assert len(rows) > 20
    for row in rows:
        assert row["state"] == "accepted"
        parts = ("rows_accepted", "rows_quarantined", "rows_exact_duplicates")
        assert row["rows_read"] == sum(row[part] for part in parts)
    text = said(demo_home, "delivery", "list", "--last", "3")
    assert f"… and {len(rows) - 3} earlier ones" in text


def test_the_same_file_twice_is_one_delivery(demo_home):
    inbox = sorted((Path(str(demo_home.inbox)) / FEED).iterdir())
    assert len({file.read_bytes() for file in inbox}) < len(inbox), "the demo sends one twice"
    assert len(data(demo_home, "delivery", "list", "--feed", FEED)) == len(inbox) - 1


def test_rejections_say_why_in_both_languages(demo_home):
    delivery = one_delivery(demo_home)
    mark = delivery["delivery_id"][: len(FEED) + 5]
    reasons = data(demo_home, "delivery", "show", mark)["reasons"]
    assert sum(r["rows"] for r in reasons) == sum(delivery["reason_counts"].values())
    assert all(reason["first_rows"] == sorted(reason["first_rows"]) for reason in reasons)
    english = said(demo_home, "delivery", "show", mark)
    french = said(demo_home, "delivery", "show", mark, "--lang", "fr")
    assert f"{delivery['rows_quarantined']} rejected" in " ".join(english.split())
    assert "lignes lues" in french
    assert reasons[0]["code"] in english
    assert reasons[0]["code"] in french


def test_the_report_for_the_sender_is_a_workbook_or_a_page(demo_home, tmp_path):
    mark = one_delivery(demo_home)["delivery_id"]
    said(demo_home, "delivery", "show", mark, "-o", str(tmp_path / "r.xlsx"))
    book = openpyxl.load_workbook(tmp_path / "r.xlsx")
    words = [str(cell.value) for row in book.worksheets[0].iter_rows() for cell in row]
    assert "Fichier" in words, "in the language of the feed, not of the data specialist"
    said(demo_home, "delivery", "show", mark, "-o", str(tmp_path / "r.html"), "--lang", "en")
    assert "What we could not accept" in (tmp_path / "r.html").read_text(encoding="utf-8")


def test_sql_prints_tables_csv_and_json_and_writes_parquet(demo_home, tmp_path):
    query = "SELECT country, count(*) AS n FROM incidents GROUP BY ALL ORDER BY ALL"
    with duckdb.connect(str(demo_home.catalogue), read_only=True) as connection:
        wanted = connection.sql(query).fetchall()
    rows = [tuple(row.values()) for row in data(demo_home, "sql", query)]
    assert rows == wanted
    read = list(csv.reader(io.StringIO(said(demo_home, "sql", query, "-f", "csv"))))
    assert read == [["country", "n"], *([c, str(n)] for c, n in wanted)]
    assert all(f"{n:>5}" in said(demo_home, "sql", query) for _country, n in wanted)
    target = tmp_path / "n.parquet"
    assert "rows in" in said(demo_home, "sql", query, "-o", str(target))
    assert duckdb.sql(f"FROM '{target}'").fetchall() == wanted
    assert said(demo_home, "sql", "-", stdin="SELECT 40 + 2 AS n").split() == ["n", "──", "42"]


@pytest.mark.parametrize(
    "statement",
    [
        "COPY incidents TO '{away}'",
        "ATTACH '{away}' AS away",
        "CREATE TABLE t AS SELECT 1",
        "DROP VIEW incidents",
        "SET enable_external_access = true",
        "INSTALL httpfs",
        "EXPLAIN ANALYZE COPY incidents TO '{away}'",
        "SELECT 1; DROP VIEW incidents",
        "FROM read_csv('/etc/passwd')",
        "FROM glob('/*')",
        "SELECT getenv('HOME') FROM read_text('/etc/hostname')",
    ],
)
def test_sql_only_reads_and_only_the_tables(demo_home, tmp_path, statement):
    away = tmp_path / "away.csv"
    done = passerelle("sql", statement.format(away=away), home=demo_home.home, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith("PSL-2")
    assert not away.exists()


def test_tables_and_dictionary_name_every_table_and_column(demo_home):
    assert {row["table"] for row in data(demo_home, "table", "list")} == set(table_names())
    explained = data(demo_home, "table", "show")
    with duckdb.connect(str(demo_home.catalogue), read_only=True) as connection:
        for table in table_names():
            columns = [row[0] for row in connection.sql(f"DESCRIBE {table}").fetchall()]
            assert [one["column"] for one in explained[table]] == columns
    assert "Signification" in said(demo_home, "table", "show", "incidents", "--lang", "fr")


def test_status_knows_every_feed_and_what_is_late(demo_home):
    status = data(demo_home, "status")
    states = {state["feed"]: state for state in status["feeds"]}
    assert set(states) == set(feed_names())
    assert states["ucdp_ged_incidents"]["deliveries"] == 0
    assert all(state["waiting"] == 0 for state in states.values())
    assert states[FEED]["rows_accepted"] > 0


def test_lake_commands_find_nothing_wrong_and_lose_nothing(demo_home, tmp_path):
    home = settings_for(shutil.copytree(demo_home.home, tmp_path / "copy"))
    assert passerelle("run", home=home.home).returncode == 0  # views follow the lake's new place
    before = data(home, "table", "list")
    compacted = data(home, "lake", "compact")
    assert {one["table"] for one in compacted} >= set(table_names("data"))
    assert data(home, "lake", "vacuum")["deleted"] is False
    assert "agree" in said(home, "lake", "check")
    assert data(home, "table", "list") == before


def test_run_again_finds_nothing_new(demo_home):
    assert "Nothing new" in said(demo_home, "run")


def test_ingest_tells_what_became_of_a_file_and_publishes_it(own_home):
    example = load_feed(FEED).examples()[0]
    result = data(own_home, "ingest", FEED, str(example), "--received-by", "data_desk")
    [verdict] = result["verdicts"]
    assert verdict["state"] == "accepted"
    assert result["published"]["incidents"] == verdict["rows_accepted"] > 0
    [row] = data(own_home, "sql", "SELECT received_by, origin FROM deliveries")
    assert row == {"received_by": "data_desk", "origin": "command"}
    again = passerelle("ingest", FEED, str(example), home=own_home.home)
    assert "published before" in again.stdout


def test_a_refused_file_is_explained_and_gives_three(own_home, tmp_path):
    wrong = tmp_path / "wrong.csv"
    wrong.write_text("a;b\n1;2\n", encoding="ascii")
    done = passerelle("ingest", FEED, str(wrong), home=own_home.home, language="fr", check=False)
    assert done.returncode == 3
    assert "DEL-714" in done.stdout
    assert "introuvable dans wrong.csv" in " ".join(done.stdout.split())
    assert "Traceback" not in done.stdout + done.stderr
    [refused] = data(own_home, "delivery", "list", "--refused")
    assert refused["findings"][0]["code"] == "DEL-714"


def test_run_takes_the_good_files_in_whatever_the_others_are(own_home):
    inbox = Path(str(own_home.inbox))
    for folder in (FEED, "nobody"):
        (inbox / folder).mkdir(parents=True)
        shutil.copy(load_feed(FEED).examples()[0], inbox / folder)
    (inbox / FEED / "wrong.csv").write_text("a;b\n1;2\n", encoding="ascii")
    done = passerelle("run", "--json", home=own_home.home, check=False)
    told = json.loads(done.stdout)
    assert done.returncode == 3
    assert sorted(v["state"] for v in told["verdicts"]) == ["accepted", "refused"]
    assert [p["code"] for p in told["problems"]] == ["DEL-721"]


def test_a_file_named_twice_counts_once_and_a_refused_one_is_not_published(own_home, tmp_path):
    example = str(load_feed(FEED).examples()[0])
    once = said(own_home, "ingest", FEED, example, example)
    assert re.search(rf"(?m)^{FEED} +1 ", once)
    assert "Published: 1 delivery." in once
    wrong = tmp_path / "wrong.csv"
    wrong.write_text("a;b\n1;2\n", encoding="ascii")
    refused = passerelle("ingest", FEED, str(wrong), home=own_home.home, check=False)
    assert "ublished" not in refused.stdout


def test_no_refused_delivery_is_not_no_delivery(demo_home, own_home):
    assert "None was refused." in said(demo_home, "delivery", "list", "--refused")
    assert "None was refused." in said(demo_home, "delivery", "list", "--refused", "--feed", FEED)
    assert "Nothing came in yet." in said(own_home, "delivery", "list", "--refused")
    assert f"Nothing came in yet from {FEED}." in said(own_home, "delivery", "list", "--feed", FEED)


def test_the_demo_again_shows_the_same_and_its_commands_can_be_copied(demo_home, tmp_path):
    home = settings_for(shutil.copytree(demo_home.home, tmp_path / "my home"))
    again = said(home, *DEMO)
    assert "All of it was taken in before." in again
    assert re.search(rf"(?m)^{FEED} +2 ", again)
    assert "Why rows were rejected" in again
    # One file was sent twice: said once, maybe to another test that shares the home.
    assert len(data(home, "ledger", "list", "--event", "delivery.repeated")) == 1
    line = next(words for words in commands_of(again) if words[1] == "verify")
    assert passerelle(*line[1:], home=home.home).returncode == 0
    lake = next(words for words in commands_of(again) if words[0] == "duckdb")
    assert Path(lake[-1]).is_file()
    asked = next(words for words in commands_of(again) if words[1] == "sql")
    assert len(data(home, *asked[1:])) == 5


def test_json_has_no_number_that_is_none(demo_home):
    query = "SELECT 'nan'::DOUBLE AS a, 'inf'::FLOAT AS \"b\"\"c\", 1.5::DOUBLE AS d"
    assert data(demo_home, "sql", query) == [{"a": None, 'b"c': None, "d": 1.5}]


def test_the_dictionary_explains_views_too(demo_home):
    history = said(demo_home, "table", "show", "incidents_history", "--lang", "fr")
    assert "known_from" in history
    assert "toutes les versions" in " ".join(history.split())
    columns = data(demo_home, "table", "show", "incidents_history")["incidents_history"]
    assert "record_id" in {row["column"] for row in columns}
    assert "label_fr" in said(demo_home, "table", "show", "code_labels")


def test_upkeep_suggests_the_command_that_was_meant(demo_home):
    vacuum = said(demo_home, "lake", "vacuum", "--keep-days", "0")
    if "Delete them" in vacuum:
        assert "passerelle lake vacuum --keep-days 0 --delete" in vacuum


def test_a_new_feed_is_proposed_with_its_doubts_marked(own_home, tmp_path):
    sample = load_feed(FEED).examples()[0]
    folder = tmp_path / "new"
    told = data(own_home, "feed", "new", str(sample), "--target", "incidents", "-o", str(folder))
    assert told["doubts"] > 0
    proposed = (folder / "feed.yaml").read_text(encoding="utf-8")
    assert "# ?" in proposed
    named = proposed.splitlines()[0].removeprefix("# yaml-language-server: $schema=")
    assert (folder / named).resolve() == SCHEMA
    assert "\nfeed: new  #" in proposed  # as its folder
    again = passerelle(
        *("feed", "new", str(sample), "--target", "incidents", "-o", str(folder)),
        home=own_home.home,
        check=False,
    )
    assert again.returncode == 2
    assert "PSL-224" in again.stderr


def test_feed_check_fails_on_an_example_that_does_not_pass(own_home, tmp_path):
    folder = shutil.copytree(load_feed(FEED).folder, tmp_path / FEED)
    shutil.rmtree(folder / "counterexamples")
    good = folder / "examples"
    for extra in sorted(good.iterdir())[1:]:
        extra.unlink()
    (good / "bad.csv").write_text("a;b\n1;2\n", encoding="ascii")
    done = passerelle("feed", "check", str(folder), home=own_home.home, check=False)
    assert done.returncode == 3
    assert "bad.csv" in done.stderr


@pytest.mark.skipif(os.name != "posix", reason="signals as POSIX has them")
def test_serve_opens_portal_and_dagster_on_this_machine_only_and_ends_on_ctrl_c(own_home):
    portal, port = free_ports(2)
    with served(own_home.home, "--portal-port", str(portal), "--port", str(port)) as said:
        line = said()
        assert f"http://127.0.0.1:{portal}" in line
        with urllib.request.urlopen(f"http://127.0.0.1:{portal}/sign-in") as page:
            assert "Passerelle" in page.read().decode()
        assert "Nobody can sign in yet" in said()
        assert "passerelle user add" in said()
        assert f"http://127.0.0.1:{port}" in said()
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/server_info") as page:
            assert "dagster_version" in json.load(page)
        assert (own_home.home / "dagster" / "dagster.yaml").is_file()
    wait_until_closed(portal, port)


@pytest.mark.skipif(os.name != "posix", reason="signals as POSIX has them")
def test_serve_opens_the_portal_alone(own_home):
    portal, port = free_ports(2)
    options = ("--no-dagster", "--portal-port", str(portal), "--port", str(port))
    with served(own_home.home, *options) as said:
        assert f"http://127.0.0.1:{portal}" in said()
        assert is_closed(port)
    wait_until_closed(portal)


def free_ports(count: int) -> list[int]:
    """Ports that nobody has; Dagster's neighbour, for the Data Docs, is most likely free too."""
    with ExitStack() as stack:
        probes = [stack.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [probe.getsockname()[1] for probe in probes]


@contextmanager
def served(home: Path, *options: str) -> Iterator[Callable[[], str]]:
    """`passerelle serve`, ended by Ctrl-C, after which it must say that all is well."""
    line = [sys.executable, "-m", "pipelines.cli", "serve", *options]
    process = subprocess.Popen(
        [*line, "--home", str(home), "--lang", "en"], cwd=home, stdout=subprocess.PIPE, text=True
    )
    try:
        yield process.stdout.readline
    finally:
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0


def is_closed(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


def wait_until_closed(*ports: int) -> None:
    end = time.monotonic() + 20
    while not all(is_closed(port) for port in ports):
        assert time.monotonic() < end, "something still answers on a port"
        time.sleep(0.2)
