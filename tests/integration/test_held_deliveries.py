"""An older file that arrives late: by every door, asked about where its feed does not say.

Not here: which rows are held (`tests/property/test_revisions.py`) and the pages of the portal.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import re
import shutil
from html import unescape
from pathlib import Path

import openpyxl
import pytest

import schemas.feed as feeds
from pipelines import connect
from pipelines.cli import main
from pipelines.core.settings import Settings, settings_for
from pipelines.ingest.inbox import ingest_inbox
from pipelines.ingest.ingest import ingest
from pipelines.ingest.publish import answer, publish
from pipelines.jobs.worker import run_next
from pipelines.lake.maintenance import check
from pipelines.lake.questions import ALSO_SPECIALIST_AFTER, read_question
from pipelines.landing.answers import read_answer
from pipelines.landing.receive import Delivery, list_deliveries, open_delivery
from pipelines.ledger.verify import verify
from pipelines.portal.app import create_app
from pipelines.validate.report_file import write_report
from pipelines.validate.report_rows import has_rows, write_rows
from pipelines.validate.verdict import read_verdict
from schemas.contract import all_rules
from tests.conftest import passerelle
from tests.portal import cheap_passwords, signed_in

FEED = "caf_gendarmerie_incidents"
HEADER = (
    "N° PV;Unité;Date des faits;Heure;Lieu des faits;Nature de l'infraction;Auteur(s) présumé(s);"
    "Arme utilisée;Nb victimes;dont femmes;dont mineurs;Tués;Blessés;Nb auteurs;Interpellés;"
    "Identité de la victime;Date du compte rendu;Suite donnée;Annulé"
)
SEPTEMBER = "GN_registre_infractions_mai-septembre_2026.csv"
OCTOBER = "GN_registre_infractions_octobre_2026.csv"

pytestmark = pytest.mark.usefixtures("audit_agrees")


def line(number: int, day: str, wounded: int, withdrawn: str = "") -> str:
    return (
        f"000{number}/BT-GRI/2026;Brigade de Grimari;{day};23h30;Grimari;"
        f"Coups et blessures volontaires;Voisin;Coupe-coupe;2;0;0;0;{wounded};1;0;"
        f"VICTIME {number};{day};Enregistré;{withdrawn}"
    )


def september() -> list[str]:
    return [line(1, "12/06/2026", 1), line(2, "30/09/2026", 1), line(3, "30/09/2026", 1)]


def october() -> list[str]:
    """The first corrected, the second withdrawn, the third as it was, and one of October."""
    return [
        line(1, "12/06/2026", 2),
        line(2, "30/09/2026", 1, "OUI"),
        line(3, "30/09/2026", 1),
        line(4, "31/10/2026", 1),
    ]


def write(folder: Path, name: str, lines: list[str], received: dt.datetime) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    place = folder / name
    place.write_bytes("\r\n".join([HEADER, *lines, ""]).encode("cp1252"))
    os.utime(place, (received.timestamp(), received.timestamp()))
    return place


@pytest.fixture
def place(tmp_path: Path) -> Settings:
    return settings_for(tmp_path / "home", memory_limit="512MB", threads=1).prepare()


@pytest.fixture
def undeclared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The feed as if it did not say what its deliveries are, nor where their day stands."""
    folder = tmp_path / "feeds"
    shutil.copytree(feeds.FEEDS_FOLDER, folder)
    declaration = folder / FEED / "feed.yaml"
    kept = [
        one
        for one in declaration.read_text(encoding="utf-8").splitlines(keepends=True)
        if not one.startswith(("deliveries:", "as_of:"))
    ]
    declaration.write_text("".join(kept), encoding="utf-8")
    monkeypatch.setattr(feeds, "FEEDS_FOLDER", folder)
    return declaration


def shown(place: Settings) -> dict[str, object]:
    with connect(place) as connection:
        return {
            "incidents": connection.execute(
                "SELECT source_record_id, injured_total FROM incidents ORDER BY ALL"
            ).fetchall(),
            "history": connection.execute(
                "SELECT source_record_id, injured_total, revision, known_from, known_to, is_latest "
                "FROM incidents_history ORDER BY ALL"
            ).fetchall(),
            "rejections": connection.execute(
                "SELECT source_row, rule_code FROM rejections ORDER BY ALL"
            ).fetchall(),
            "deliveries": connection.execute(
                "SELECT file_name, as_of, kind, state, rows_accepted, rows_held, received_at "
                "FROM deliveries ORDER BY ALL"
            ).fetchall(),
        }


NOW = dt.datetime(2026, 11, 20, 8, tzinfo=dt.UTC)
RIGHT = [("0001/BT-GRI/2026", 2), ("0003/BT-GRI/2026", 1), ("0004/BT-GRI/2026", 1)]


def by_inbox(place: Settings, files: list[Path]) -> None:
    inbox = Path(str(place.inbox)) / FEED
    for file in files:
        inbox.mkdir(parents=True, exist_ok=True)
        shutil.copy2(file, inbox / file.name)
    ingest_inbox(place)
    publish(place)


def by_command(place: Settings, files: list[Path]) -> None:
    for file in files:
        ingest(place, FEED, file)
    publish(place)


def one_by_one(place: Settings, files: list[Path]) -> None:
    for file in files:
        by_command(place, [file])


@pytest.mark.parametrize("is_declared", [True, False], ids=["register", "asked"])
def test_any_door_and_any_order_give_one_table(tmp_path, is_declared, request):
    if not is_declared:
        request.getfixturevalue("undeclared")
    files = [
        write(tmp_path / "sent", OCTOBER, october(), NOW),
        write(tmp_path / "sent", SEPTEMBER, september(), NOW),
    ]
    found = []
    for number, (door, order) in enumerate([(by_inbox, 1), (by_command, -1), (one_by_one, 1)]):
        home = settings_for(tmp_path / f"home{number}", memory_limit="512MB", threads=1).prepare()
        door(home, files[::order])
        found.append(shown(home))
    assert check(home) == []
    assert found[0]["incidents"] == RIGHT
    assert all(one == found[0] for one in found)
    rows_held = {one[0]: one[5] for one in found[0]["deliveries"]}
    assert rows_held == {SEPTEMBER: 0 if is_declared else 2, OCTOBER: 0}


def test_the_portal_gives_the_tables_that_the_command_gives(tmp_path, place, undeclared):
    """From the upload to the publish by its own work; only the moments of receipt are others."""
    cheap_passwords()
    files = [
        write(tmp_path / "sent", OCTOBER, october(), NOW),
        write(tmp_path / "sent", SEPTEMBER, september(), NOW),
    ]
    browser = signed_in(create_app(place), "provider", organisation="caf_gendarmerie")
    for file in files:
        form = re.search(
            r'action="([^"]*/deliveries/new[^"]*)"', browser.get("/deliveries/new").text
        )
        sent = {"file": (file.name, file.read_bytes())}
        assert browser.post(unescape(form[1]), data={"feed": FEED}, files=sent).is_success
        while run_next(place, "here"):
            pass
    other = settings_for(tmp_path / "other", memory_limit="512MB", threads=1).prepare()
    by_command(other, files)
    by_portal, by_hand = shown(place), shown(other)
    assert by_portal["rejections"] == [(2, "DEL-741"), (3, "DEL-741")] == by_hand["rejections"]
    assert by_portal["incidents"] == by_hand["incidents"] == RIGHT
    told = [[one[:-1] for one in it["deliveries"]] for it in (by_portal, by_hand)]
    assert told[0] == told[1]


def test_the_question_shows_its_evidence_and_an_answer_settles_it(tmp_path, place, undeclared):
    late = write(tmp_path, SEPTEMBER, [*september(), line(5, "01/09/2026", 1)], NOW)
    by_command(
        place, [write(tmp_path, OCTOBER, october(), dt.datetime(2026, 11, 3, tzinfo=dt.UTC))]
    )
    by_command(place, [late])
    [held] = [one for one in list_deliveries(place) if read_question(one.folder)]
    question = read_question(held.folder)
    assert question.text("en") == (
        "This file ends on 30 September 2026. 2 records that it would change come from a file that "
        "ends on 31 October 2026. One of them was withdrawn there. Is it an older file that "
        "arrived late, or a correction?"
    )
    assert "31 octobre 2026" in question.text("fr")
    assert_told_in_the_report(place, held, tmp_path)
    assert (question.repeats, question.unseen, question.undone) == (0, 2, 1)
    assert question.evidence("en") == [
        "Rows that say what no file has said yet: 2.",
        "Withdrawn records that they would show again: 1.",
        "DEL-741: rows 2, 3",
    ]
    assert question.is_asked(dt.timedelta(0))
    for hours, is_asked in ((47, False), (48, True)):
        moment = question.asked_at + dt.timedelta(hours=hours)
        assert question.is_asked(ALSO_SPECIALIST_AFTER, moment) == is_asked
    # what changes nothing newer is published
    assert shown(place)["incidents"] == [*RIGHT, ("0005/BT-GRI/2026", 1)]
    assert shown(place)["rejections"] == [(2, "DEL-741"), (3, "DEL-741")]

    assert answer(place, held.delivery_id, "register", actor="caf.gn.1")
    publish(place)
    assert shown(place)["incidents"] == [*RIGHT, ("0005/BT-GRI/2026", 1)]
    assert shown(place)["rejections"] == []
    assert read_question(held.folder) is None
    assert read_answer(held.folder).kind == "register"
    assert not answer(place, held.delivery_id, "register", actor="caf.gn.1")

    # a second thought is another answer, and is applied when its delivery is named
    assert answer(place, held.delivery_id, "correction", actor="caf.gn.1")
    publish(place, answered_ids=[held.delivery_id])
    wounded = dict(shown(place)["incidents"])
    assert wounded["0001/BT-GRI/2026"] == 1
    assert wounded["0002/BT-GRI/2026"] == 1
    assert verify(place) == []
    assert check(place) == []

    # and the answers survive a lake that is built again
    before = shown(place)
    shutil.rmtree(str(place.lake))
    place.catalogue.unlink()
    publish(place)
    assert shown(place) == before


def assert_told_in_the_report(place: Settings, held: Delivery, folder: Path) -> None:
    """In both forms, in the language asked for, with row, code and message, and no name."""
    verdict = read_verdict(held.folder)
    assert verdict.rows_quarantined == 0
    said = all_rules()["DEL-741"].message
    for is_for_sender in (True, False):
        file = folder / f"report{is_for_sender}.xlsx"
        write_report(place, held, verdict, "fr", file, is_for_sender=is_for_sender)
        book = openpyxl.load_workbook(file)
        assert book.sheetnames == ["Résumé", "Cellules à examiner"], "nothing is to be corrected"
        told = list(book["Cellules à examiner"].iter_rows(min_row=3, values_only=True))
        waits = f"Retenue, en attente d’une réponse\u00a0: {said.fr}"
        assert [(one[0], one[3], one[4]) for one in told] == [(n, "DEL-741", waits) for n in (2, 3)]
        assert not any(one[2] for one in told), "no one cell is to blame"
        summary = list(book["Résumé"].iter_rows(values_only=True))
        assert ("Lignes retenues", "2") in [row[:2] for row in summary]
        assert ("DEL-741", 2, said.fr) in [row[:3] for row in summary]
    page = write_report(place, held, verdict, "en", folder / "report.html").read_text("utf-8")
    assert page.count(f"Held, waits for an answer: {said.en}") == 2
    assert "VICTIME" not in page
    assert not has_rows(verdict, reused=read_question(held.folder).reused)


PNC = "cod_pnc_incidents"
PNC_HEADER = (
    "No_PV;Rectificatif;Commissariat;Province;Territoire_ville;Localite;Latitude;Longitude;"
    "Date_faits;Heure_faits;Date_PV;Qualification;Auteurs;Arme;Victimes;Victimes_F;Victimes_M;"
    "Victimes_mineures;Deces;Blesses;Suspects;Arretes;Identite_plaignant;Etat_dossier;Annule"
)
BURGLARY = (
    "PNC/CD72/2026/00007;;Ciat Kolwezi;Lualaba;Kolwezi;quartier Plateau;;;08-05-2026;18:00;"
    "09-05-2026 20:39;Cambriolage;Kuluna;;2;0;2;0;0;0;0;0;PLAIGNANT 1;Instruction préparatoire;"
)
MURDER = (
    "PNC/CD72/2026/00007;{};Ciat Bukavu;Sud-Kivu;Bukavu;marché;;;20-09-2026;18:00;"
    "21-09-2026 08:00;Meurtre;Kuluna;;3;0;3;0;3;0;0;0;PLAIGNANT 2;Instruction préparatoire;"
)


def test_a_number_used_again_for_another_event_replaces_nothing(tmp_path, place, capsys):
    def hand_in(name: str, row: str) -> str:
        file = tmp_path / name
        file.write_bytes("\r\n".join([PNC_HEADER, row, ""]).encode("utf-8"))
        os.utime(file, (NOW.timestamp(), NOW.timestamp()))
        assert main(["ingest", PNC, str(file), "--home", str(place.home), "--lang", "en"]) == 0
        [found] = [one for one in list_deliveries(place) if one.receipt.file_name == name]
        return found.delivery_id

    def offences() -> list[tuple[str, int]]:
        with connect(place) as connection:
            return connection.execute(
                "SELECT offence_text, victims_total FROM incidents ORDER BY ALL"
            ).fetchall()

    hand_in("mai.csv", BURGLARY)
    assert "Published: 1 delivery." in capsys.readouterr().out
    held = hand_in("septembre.csv", MURDER.format(""))
    said = capsys.readouterr().out
    assert "Not published: 1 delivery, all of whose rows are held." in said
    assert "Published:" not in said
    assert offences() == [("Cambriolage", 2)]
    assert shown(place)["rejections"] == [(2, "INC-603")]
    assert check(place) == [], "rows read are accepted, of which some are held, or set aside"
    folder = next(one.folder for one in list_deliveries(place) if one.delivery_id == held)
    assert read_question(folder).text("en") == (
        "This file ends on 21 September 2026. One record bears a number that another event bore "
        "before: another day, place and kind. Is the file a correction of those? If not, send "
        "these events again with their own numbers."
    )
    # A register would not settle it, so that is no answer; who asks for the rejections is told.
    assert main(["delivery", "show", held, "--home", str(place.home), "--lang", "en"]) == 0
    told = capsys.readouterr()
    assert "INC-603" in told.err
    assert f"delivery answer {held} --correction\n" in told.err
    assert_event_can_be_sent_again(place, held, tmp_path)
    answer(place, held, "correction", actor="cod.pnc.1")
    publish(place)
    assert offences() == [("Meurtre", 3)]
    assert shown(place)["rejections"] == []


def assert_event_can_be_sent_again(place: Settings, held: str, folder: Path) -> None:
    """The report shows the number to its sender alone; its row comes back to be given another."""
    delivery = open_delivery(place, held)
    verdict = read_verdict(delivery.folder)
    for is_for_sender, shown in ((True, "PNC/CD72/2026/00007"), (False, "(not shown)")):
        file = folder / f"report{is_for_sender}.xlsx"
        write_report(place, delivery, verdict, "en", file, is_for_sender=is_for_sender)
        book = openpyxl.load_workbook(file)
        [told] = book["Cells to look at"].iter_rows(min_row=3, values_only=True)
        assert told[:4] == (2, "No_PV", shown, "INC-603")
        assert ("Rows to correct" in book.sheetnames) == is_for_sender
    assert has_rows(verdict, reused=read_question(delivery.folder).reused)
    rows = write_rows(place, delivery, folder / "rows.csv").read_text("utf-8").splitlines()
    assert rows[2].startswith("PNC/CD72/2026/00007;")
    assert (len(rows), "PLAIGNANT" in rows[2]) == (3, False)
    done = passerelle("delivery", "show", held, "--json", home=Path(str(place.home)))
    [told] = json.loads(done.stdout)["held"]
    assert (told["code"], told["first_rows"]) == ("INC-603", [2])


def test_a_stated_revision_says_that_it_is_a_correction(tmp_path, place):
    for number, row in enumerate([BURGLARY, MURDER.format("1")]):
        file = tmp_path / f"{number}.csv"
        file.write_bytes("\r\n".join([PNC_HEADER, row, ""]).encode("utf-8"))
        ingest(place, PNC, file)
    publish(place)
    assert [one[1] for one in shown(place)["rejections"]] == []
    with connect(place) as connection:
        assert connection.execute("SELECT offence_text FROM incidents").fetchall() == [("Meurtre",)]
