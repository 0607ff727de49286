"""Our own report, or the rows that come with it, sent back: a correction of what it lists.

Not here: what the report says (`test_report.py`) and the rows of every layout
(`test_report_rows.py`).
"""

from __future__ import annotations

import datetime as dt
import os
import re
import shutil
from html import unescape
from pathlib import Path

import openpyxl
import pytest

from pipelines.cli import main
from pipelines.core.settings import Settings, settings_for
from pipelines.ingest.inbox import ingest_inbox
from pipelines.ingest.ingest import ingest
from pipelines.jobs.worker import run_next
from pipelines.lake.publish import publish
from pipelines.landing.receive import Delivery, list_deliveries, open_delivery
from pipelines.landing.report_number import find_number
from pipelines.portal.app import create_app
from pipelines.validate.verdict import verdict_of
from tests.integration.test_held_deliveries import FEED, NOW, OCTOBER, SEPTEMBER, line, shown, write
from tests.portal import cheap_passwords, signed_in

WRONG, RIGHT = "Coupe-coupe", "Kalach"
SLOW_CLOCK = dt.datetime(2026, 10, 2, tzinfo=dt.UTC)  # of the machine that corrects
TABLE = [("0001/BT-GRI/2026", 2), ("0002/BT-GRI/2026", 3)]

pytestmark = pytest.mark.usefixtures("audit_agrees")


def home(folder: Path) -> Settings:
    return settings_for(folder, memory_limit="512MB", threads=1).prepare()


def october(folder: Path) -> Path:
    """The second row has a weapon that nobody knows."""
    second = line(2, "30/09/2026", 3).replace(WRONG, "Type B")
    return write(folder, OCTOBER, [line(1, "12/06/2026", 2), second], NOW)


def september(folder: Path) -> Path:
    """An older register, which comes last over a poor link."""
    return write(folder, SEPTEMBER, [line(1, "12/06/2026", 1), line(2, "30/09/2026", 1)], NOW)


def corrected(file: Path) -> Path:
    """What a sender does: type the true value, save, on a machine whose clock is slow."""
    if file.suffix == ".xlsx":
        book = openpyxl.load_workbook(file)
        cells = [c for row in book["Lignes à corriger"].iter_rows() for c in row]
        [cell] = [one for one in cells if one.value == "Type B"]
        cell.value = RIGHT
        book.save(file)
    else:
        text = file.read_bytes().decode("cp1252")
        assert text.count("Type B") == 1
        file.write_bytes(text.replace("Type B", RIGHT).encode("cp1252"))
    os.utime(file, (SLOW_CLOCK.timestamp(), SLOW_CLOCK.timestamp()))
    return file


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> tuple[Settings, Delivery]:
    place = home(tmp_path_factory.mktemp("first"))
    delivery_id = ingest(place, FEED, october(tmp_path_factory.mktemp("sent"))).delivery_id
    publish(place)
    return place, open_delivery(place, delivery_id)


def downloaded(first: tuple[Settings, Delivery], option: str, file: Path) -> Path:
    """As the command line writes it; the portal writes the same."""
    place, delivery = first
    ask = ["delivery", "show", delivery.delivery_id, option, str(file)]
    assert main([*ask, "--home", str(place.home), "--lang", "fr"]) == 0
    return file


@pytest.mark.parametrize(("option", "name"), [("--rows", "c.csv"), ("--output", "c.xlsx")])
def test_any_door_and_any_order_take_it_as_a_correction(tmp_path, first, option, name):
    back = corrected(downloaded(first, option, tmp_path / name))
    files = [october(tmp_path), back, september(tmp_path)]
    found = []
    orders = [(0, 1, 2), (1, 2, 0), (2, 0, 1)][: 3 if name == "c.csv" else 2]
    for number, order in enumerate([files[at] for at in one] for one in orders):
        place = home(tmp_path / f"home{number}")
        if number == 0:  # together, in the inbox
            inbox = Path(str(place.inbox)) / FEED
            inbox.mkdir(parents=True)
            for file in order:
                shutil.copy2(file, inbox / file.name)
            ingest_inbox(place)
            again = []
            assert ingest_inbox(place, on_repeat=again.append) == again == []
        for file in order if number else ():
            ingest(place, FEED, file)
            if number == 1:
                publish(place)
        publish(place)
        found.append(shown(place))
    assert found[0]["incidents"] == TABLE
    assert all(one == found[0] for one in found)
    [receipt] = [one.receipt for one in list_deliveries(place) if one.receipt.report_number]
    judged = verdict_of(first[1]).harmonised_at.replace(tzinfo=dt.UTC)
    assert (receipt.kind, receipt.received_at, receipt.received_at_from) == (
        *("correction", judged),
        "report",
    )


def test_the_portal_names_numbers_and_takes_it_back(tmp_path, first):
    """Downloaded and sent back in the browser, by a provider of the service that sent the file."""
    cheap_passwords()
    place = home(tmp_path / "home")
    delivery_id = ingest(place, FEED, october(tmp_path)).delivery_id
    publish(place)
    browser = signed_in(create_app(place), "provider", organisation="caf_gendarmerie")
    for tail, name in (("rows", "c.csv"), ("rejections.xlsx", "c.xlsx")):
        answer = browser.get(f"/deliveries/{delivery_id}/{tail}")
        file = tmp_path / name
        file.write_bytes(answer.content)
        number = find_number(file, file.name, FEED)
        assert str(number) in answer.headers["content-disposition"]
        assert number.delivery_id == delivery_id
        sent = {"file": (name, corrected(file).read_bytes())}
        form = re.search(
            r'action="([^"]*/deliveries/new[^"]*)"', browser.get("/deliveries/new").text
        )
        assert browser.post(unescape(form[1]), data={"feed": FEED}, files=sent).is_success
        while run_next(place, "here"):
            pass
        [receipt] = [d.receipt for d in list_deliveries(place) if d.receipt.file_name == name]
        assert (receipt.kind, receipt.report_number) == ("correction", str(number))
    assert shown(place)["incidents"] == TABLE
    assert [one[2:6] for one in shown(place)["deliveries"] if one[0] == "c.xlsx"] == [
        ("correction", "accepted", 1, 0)
    ]


def test_the_report_of_another_feed_and_a_file_without_number_are_none(tmp_path, first):
    rows = downloaded(first, "--rows", tmp_path / "c.csv")
    assert find_number(rows, "c.csv", "caf_police_incidents") is None
    number = find_number(rows, "c.csv", FEED)
    head, *rest = rows.read_bytes().split(b"\r\n")
    assert str(number) in head.decode()
    rows.write_bytes(b"\r\n".join(rest))
    assert find_number(rows, "c.csv", FEED) is None
    assert find_number(rows, f"{number}.à-corriger.csv", FEED) == number, "second best: its name"
    rows.write_bytes(head + b";;;\r\n" + b"\r\n".join(rest))
    assert find_number(rows, "c.csv", FEED) == number, "as Excel writes it again"
    assert ingest(home(tmp_path / "home"), FEED, rows).findings == []
