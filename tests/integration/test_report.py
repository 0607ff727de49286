"""The provider's report of real deliveries: what it shows, that it is safe, and that it comes back.

Not here: how it looks (seen by a person), and the words of rules (`tests/contract`).
"""

from __future__ import annotations

import csv
import re
from pathlib import Path

import duckdb
import openpyxl
import pytest

from pipelines.core.duck import connect_scratch
from pipelines.core.i18n import translator
from pipelines.core.settings import Settings, settings_for
from pipelines.ingest.ingest import ingest
from pipelines.landing.readers.read import read_text_rows
from pipelines.landing.receive import Delivery, open_delivery
from pipelines.validate import report
from pipelines.validate.report_file import write_report
from pipelines.validate.verdict import Verdict
from schemas.contract import load_contract
from schemas.feed import load_feed
from schemas.text import NARROW_NO_BREAK_SPACE

CSV_FEED, XLSX_FEED = "caf_border_crossings", "ssd_immigration_border_crossings"
FORMULA = '=HYPERLINK("x";"y")'

pytestmark = pytest.mark.usefixtures("audit_agrees")


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return settings_for(tmp_path_factory.mktemp("home")).prepare()


def judged(settings: Settings, feed: str, file: Path) -> tuple[Delivery, Verdict]:
    verdict = ingest(settings, feed, file)
    return open_delivery(settings, verdict.delivery_id), verdict


def counterexample(feed: str, code: str) -> Path:
    return next(f for f, c in load_feed(feed).counterexamples().items() if c == code)


def bad_csv(folder: Path) -> Path:
    """A counterexample whose wrong cell is a formula, and which has a second wrong row."""
    feed = load_feed(CSV_FEED)
    source = counterexample(CSV_FEED, "BXC-303")
    layout = feed.file[0]
    with source.open(encoding=layout.encoding, newline="") as stream:
        rows = list(csv.reader(stream, delimiter=layout.delimiter))
    at = rows[0].index(feed.map["admin1_code"].source[0])
    for row in rows[1:3]:
        row[at] = FORMULA
    target = folder / source.name
    with target.open("w", encoding=layout.encoding, newline="") as stream:
        csv.writer(stream, delimiter=layout.delimiter).writerows(rows)
    return target


@pytest.fixture(scope="module")
def delivered(
    settings: Settings, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Delivery, Verdict]:
    return judged(settings, CSV_FEED, bad_csv(tmp_path_factory.mktemp("sent")))


def test_workbook_names_the_sources_own_cells(
    settings: Settings, delivered: tuple[Delivery, Verdict], tmp_path: Path
) -> None:
    path = write_report(settings, *delivered, "fr", tmp_path / "rejets.xlsx")
    book = openpyxl.load_workbook(path)
    assert book.sheetnames == ["Résumé", "Cellules à examiner", "Lignes à corriger"]
    cells = book["Cellules à examiner"]
    head = [cell.value for cell in cells[2]]
    lines = [
        dict(zip(head, row, strict=True)) for row in cells.iter_rows(min_row=3, values_only=True)
    ]
    wrong = [line for line in lines if line["Ce qui a été envoyé"] == FORMULA]
    assert [line["Code"] for line in wrong] == ["BXC-303", "BXC-303"]
    assert {line["Colonne"] for line in wrong} == {load_feed(CSV_FEED).map["admin1_code"].source[0]}
    assert [line["Ligne"] for line in wrong] == [2, 3]
    rule = load_contract("border_crossings").rule("BXC-303")
    assert {line["Raison"] for line in wrong} == {rule.message.fr}
    assert {line["Correction proposée"] for line in wrong} == {rule.correction.fr}


def test_no_cell_of_a_workbook_is_a_formula(
    settings: Settings, delivered: tuple[Delivery, Verdict], tmp_path: Path
) -> None:
    path = write_report(settings, *delivered, "en", tmp_path / "report.xlsx")
    book = openpyxl.load_workbook(path)
    kinds = {cell.data_type for sheet in book for row in sheet.iter_rows() for cell in row}
    assert kinds <= {"s", "n", "inlineStr"}
    found = [c.value for r in book["Rows to correct"].iter_rows() for c in r if c.value == FORMULA]
    assert len(found) == 2


def test_strictest_handling_is_on_every_sheet_and_page(
    settings: Settings, delivered: tuple[Delivery, Verdict], tmp_path: Path
) -> None:
    """The feed is confidential; the document numbers, which the rows show, are more than that."""
    book = openpyxl.load_workbook(write_report(settings, *delivered, "fr", tmp_path / "r.xlsx"))
    assert all("STRICTEMENT CONFIDENTIEL" in (sheet.oddHeader.center.text or "") for sheet in book)
    page = write_report(settings, *delivered, "fr", tmp_path / "r.html").read_text("utf-8")
    assert page.count("STRICTEMENT CONFIDENTIEL") == 2


def test_page_stands_alone(
    settings: Settings, delivered: tuple[Delivery, Verdict], tmp_path: Path
) -> None:
    page = write_report(settings, *delivered, "fr", tmp_path / "r.html").read_text("utf-8")
    assert '<html lang="fr">' in page
    assert not re.search(r"<script|https?:|@import|url\(", page)
    assert FORMULA.replace('"', "&#34;") in page
    assert "BXC-303" in page


def test_rows_of_a_workbook_come_back_as_they_were(settings: Settings, tmp_path: Path) -> None:
    """The report of a workbook is itself a delivery of that feed: the bad rows, nothing else."""
    feed = load_feed(XLSX_FEED)
    delivery, verdict = judged(settings, XLSX_FEED, counterexample(XLSX_FEED, "BXC-601"))
    assert verdict.rows_quarantined
    returned = write_report(settings, delivery, verdict, "en", tmp_path / "back.xlsx")
    with connect_scratch(settings) as connection:
        back = read_text_rows(connection, returned, feed, "back")
        sent = read_text_rows(connection, Path(delivery.payload), feed, "sent")
        assert back.row_count == verdict.rows_quarantined
        assert back.columns == sent.columns
        missing = connection.execute(
            "SELECT count(*) FROM (SELECT * EXCLUDE (source_row) FROM back "
            "EXCEPT SELECT * EXCLUDE (source_row) FROM sent)"
        ).fetchone()
    assert missing == (0,)


def test_rows_of_two_line_headings_come_back(settings: Settings, tmp_path: Path) -> None:
    name = "caf_police_incidents"
    feed = load_feed(name)
    file = next(f for f, code in feed.counterexamples().items() if code.startswith("INC-2"))
    delivery, verdict = judged(settings, name, file)
    returned = write_report(settings, delivery, verdict, "fr", tmp_path / "retour.xlsx")
    with connect_scratch(settings) as connection:
        assert read_text_rows(connection, returned, feed).row_count == verdict.rows_quarantined


def test_refused_file_gets_a_report_of_its_finding(settings: Settings, tmp_path: Path) -> None:
    sent = tmp_path / "empty.csv"
    sent.write_bytes(b"")
    delivery, verdict = judged(settings, CSV_FEED, sent)
    assert verdict.state == "refused"
    page = write_report(settings, delivery, verdict, "fr", tmp_path / "r.html").read_text("utf-8")
    assert verdict.findings[0].finding.text("fr") in page
    book = openpyxl.load_workbook(
        write_report(settings, delivery, verdict, "fr", tmp_path / "r.xlsx")
    )
    assert book.sheetnames == ["Résumé"]


def test_every_sentence_is_french_in_french() -> None:
    source = "\n".join(
        file.read_text("utf-8") for file in Path(report.__file__).parent.glob("report*.py")
    )
    said = re.findall(r'_\(\s*"([^"]+)"', source)
    assert len(said) > 30
    same = {sentence for sentence in said if translator("fr")(sentence) == sentence}
    assert same <= {"Code"}
    assert NARROW_NO_BREAK_SPACE == "\u202f"


def test_another_ending_is_refused(
    settings: Settings, delivered: tuple[Delivery, Verdict], tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match="xlsx"):
        write_report(settings, *delivered, "en", tmp_path / "report.pdf")


def test_verdict_is_kept_whole(delivered: tuple[Delivery, Verdict]) -> None:
    delivery, verdict = delivered
    assert [f.name for f in Path(delivery.folder).iterdir() if f.name.startswith(".verdict")] == []
    reasons = duckdb.sql(
        f"SELECT count(*) FROM '{delivery.folder / 'quarantined.parquet'}'"
    ).fetchone()
    assert reasons == (verdict.rows_quarantined,)
