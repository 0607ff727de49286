"""The bad rows of a delivery of every feed come back in its own layout, and are accepted corrected.

Not here: the report that says what is wrong (`test_report.py`), odd files (`test_excerpt.py`).
"""

from __future__ import annotations

import codecs
import re
from pathlib import Path

import openpyxl
import pytest

import pipelines
from pipelines.core.duck import connect_scratch
from pipelines.core.settings import Settings, settings_for
from pipelines.ingest.ingest import ingest
from pipelines.lake.publish import publish
from pipelines.landing.readers.read import read_text_rows
from pipelines.landing.receive import Delivery, open_delivery
from pipelines.validate.report_file import write_report
from pipelines.validate.report_rows import has_rows, rows_suffix, write_rows
from pipelines.validate.verdict import Verdict
from schemas.feed import feed_names, load_feed
from tests.conftest import passerelle

# Feed → a counterexample (good rows of the feed, and a bad one), its wrong text, and the right one.
CASES = {
    "caf_border_crossings": ("BXC-303_prefecture_inconnue.csv", "Zone 4", "Lobaye"),
    "caf_gendarmerie_incidents": ("INC-312_arme_inconnue.csv", "Type B", "Kalach"),
    "caf_police_incidents": ("INC-310_nature_inconnue.xlsx", "Code 47", "Escroquerie"),
    "cod_dgm_border_crossings": ("BXC-321_unknown_state.csv", "QQ-77", "BEL"),
    "cod_pnc_incidents": ("INC-311_suite_inconnue.csv", "T4", "PV établi"),
    "dpo_capability_pledges": ("PLE-315_unknown_kind.json", "Cavalry", "Formed police unit"),
    "dpo_police_deployments": ("DEP-315_troops.csv", "Troops", "Individual Police"),
    "iom_dtm_border_flows": ("BFL-311_direction.json", "QQ-77", "Inflow"),
    "lcm_support_needs": ("SUN-310_unknown_priority.json", "P9", "P3"),
    "lcm_support_offers": ("SUO-350_unknown_kind.csv", "Goodwill", "Équipe mobile de formation"),
    "minusca_unpol_incidents": ("INC-305_precision_inconnue.json", "à vue de nez", "GPS"),
    "monusco_unpol_incidents": ("INC-310_nature_inconnue.txt", "Code 47", "Incendie"),
    "ssd_immigration_border_crossings": ("BXC-306_precision.xlsx", "QQ-77", "exact"),
    "ssd_ssnps_incidents": ("INC-313_unknown_accused.xlsx", "Cat. 9", "Bandits"),
    "ucdp_ged_incidents": ("INC-405_outside_the_country.geojson", "2.35,48.85", "31.6,4.85"),
    "unmiss_unpol_incidents": ("INC-303_unknown_state.csv", "Zone 4", "Jonglei"),
    "unpol_border_seizures": ("SEI-312_unknown_unit.ndjson", "QQ-77", "pièces"),
}
UCDP_TABLE = ("INC-303_unknown_area.csv", "Elsewhere state", "Central Equatoria state")
BOTH = [*CASES.items(), ("ucdp_ged_incidents", UCDP_TABLE)]
every_layout = pytest.mark.parametrize(("feed", "case"), BOTH, ids=[f"{f}-{c[0]}" for f, c in BOTH])
CSV_FEED = "caf_gendarmerie_incidents"

pytestmark = pytest.mark.usefixtures("audit_agrees")


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return settings_for(tmp_path_factory.mktemp("home")).prepare()


def judged(settings: Settings, feed: str, file: Path) -> tuple[Delivery, Verdict]:
    verdict = ingest(settings, feed, file)
    return open_delivery(settings, verdict.delivery_id), verdict


def counterexample(feed: str, name: str) -> Path:
    return load_feed(feed).folder / "counterexamples" / name


def correct(file: Path, wrong: str, right: str, encoding: str) -> None:
    """What a sender does: find the one cell that is wrong, type the true value, save."""
    if file.suffix != ".xlsx":
        text = file.read_bytes().decode(encoding)
        assert text.count(wrong) == 1
        file.write_bytes(text.replace(wrong, right).encode(encoding))
        return
    book = openpyxl.load_workbook(file)
    found = [c for sheet in book for row in sheet.iter_rows() for c in row if c.value == wrong]
    assert len(found) == 1
    found[0].value = right
    book.save(file)


def test_every_feed_is_here() -> None:
    assert set(CASES) == set(feed_names())


@every_layout
def test_bad_rows_come_back_and_are_accepted_corrected(
    settings: Settings, tmp_path: Path, feed: str, case: tuple[str, str, str]
) -> None:
    name, wrong, right = case
    delivery, verdict = judged(settings, feed, counterexample(feed, name))
    assert verdict.rows_accepted, "a counterexample has good rows too"
    rows = write_rows(settings, delivery, tmp_path / f"rows{rows_suffix(delivery)}")

    _, returned = judged(settings, feed, rows)
    assert returned.state == "accepted"
    assert returned.rows_read == returned.rows_quarantined == verdict.rows_quarantined
    assert returned.reason_counts == verdict.reason_counts
    assert returned.encoding == verdict.encoding

    correct(rows, wrong, right, load_feed(feed).file[0].encoding)
    _, corrected = judged(settings, feed, rows)
    assert corrected.state == "accepted"
    assert corrected.rows_accepted == verdict.rows_quarantined
    assert corrected.reason_counts == {}


def test_rows_that_could_not_be_split_come_back_too(settings: Settings, tmp_path: Path) -> None:
    """One bad row costs that row, not the delivery; corrected, it is a row as any other."""
    sent = counterexample(CSV_FEED, "DEL-727_point_virgule_dans_un_texte.csv")
    delivery, verdict = judged(settings, CSV_FEED, sent)
    assert verdict.state == "accepted"
    assert verdict.reason_counts == {"DEL-727": 1} == {"DEL-727": verdict.rows_quarantined}
    assert verdict.rows_accepted

    report = write_report(settings, delivery, verdict, "fr", tmp_path / "rapport.xlsx")
    book = openpyxl.load_workbook(report)
    said = [cell.value for sheet in book for row in sheet.iter_rows() for cell in row]
    assert "DEL-727" in said
    assert "derrière" not in " ".join(map(str, said)), "nobody knows whose cell that is"

    assert not has_rows(verdict) and has_rows(verdict, with_unread=True)
    with pytest.raises(ValueError, match="no such row"):
        write_rows(settings, delivery, tmp_path / "rows.csv")
    rows = write_rows(settings, delivery, tmp_path / "rows.csv", with_unread=True)
    wrong = "; derrière le marché"
    correct(rows, wrong, wrong.replace(";", ","), "cp1252")
    _, corrected = judged(settings, CSV_FEED, rows)
    assert (corrected.rows_accepted, corrected.reason_counts) == (1, {})


def test_rejections_tell_of_rows_that_could_not_be_split(settings: Settings) -> None:
    sent = counterexample(CSV_FEED, "DEL-727_point_virgule_dans_un_texte.csv")
    delivery, _ = judged(settings, CSV_FEED, sent)
    publish(settings)
    with pipelines.connect(settings) as connection:
        rejected = connection.execute(
            "SELECT source_row, rule_code, severity, column_name FROM rejections "
            "WHERE delivery_id = ?",
            [delivery.delivery_id],
        ).fetchall()
    assert rejected == [(3, "DEL-727", "error", None)]


@every_layout
def test_every_cell_is_as_it_was_sent(
    settings: Settings, tmp_path: Path, feed: str, case: tuple[str, str, str]
) -> None:
    """In text the bytes of whole records, of all columns; in workbooks values and their kind."""
    sent = counterexample(feed, case[0])
    delivery, _ = judged(settings, feed, sent)
    back = write_rows(settings, delivery, tmp_path / f"rows{sent.suffix}", with_unread=True)
    if sent.suffix == ".xlsx":
        last = max(load_feed(feed).file[0].header_rows)
        sheets = set(openpyxl.load_workbook(back).sheetnames)
        above = cells(back, last)
        assert above == {cell for cell in cells(sent, last) if cell[0] in sheets}
        assert above < cells(back) < cells(sent)
        return
    was, now = sent.read_bytes(), back.read_bytes()
    marks = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, codecs.BOM_UTF8)
    assert [now.startswith(mark) for mark in marks] == [was.startswith(mark) for mark in marks]
    encoding = load_feed(feed).file[0].encoding
    lines = without_number(now.decode(encoding)).strip("\r\n").splitlines()
    records = [line.rstrip(",") for line in was.decode(encoding).splitlines()]
    assert {line.rstrip(",") for line in lines} - {"]"} <= {*records}
    with connect_scratch(settings) as connection:
        declared = load_feed(feed)
        assert read_text_rows(connection, sent, declared, "sent").columns
        assert read_text_rows(connection, back, declared, "back").columns
        other = connection.execute(
            "SELECT * EXCLUDE (source_row) FROM back EXCEPT SELECT * EXCLUDE (source_row) FROM sent"
        ).fetchall()
    assert other == []


def without_number(text: str) -> str:
    """A text without the number of the report, which stands in it once."""
    number = r"[a-z_]+\.[0-9a-f]{12}\.\d{8}T\d{12}"
    member = rf'"passerelle_report": "{number}", '
    rest, times = re.subn(rf"# passerelle_report: {number}\r?\n|{member}", "", text)
    assert times == 1
    return rest


def cells(file: Path, last: int | None = None) -> set[tuple[str, int, str]]:
    """Sheet, column and value of every cell, down to the row `last`."""
    return {
        (sheet.title, cell.column, repr(cell.value))
        for sheet in openpyxl.load_workbook(file)
        for row in sheet.iter_rows(max_row=last)
        for cell in row
        if cell.value is not None
    }


def test_a_formula_stays_what_was_sent(settings: Settings, tmp_path: Path) -> None:
    source = counterexample(CSV_FEED, "INC-312_arme_inconnue.csv").read_bytes()
    sent = tmp_path / "sent.csv"
    sent.write_bytes(source.replace(b"Type B", b"=1+1"))
    delivery, _ = judged(settings, CSV_FEED, sent)
    shown = write_rows(settings, delivery, tmp_path / "shown.csv").read_bytes().splitlines()
    assert b";=1+1;" in shown[2]
    place = write_rows(settings, delivery, tmp_path / "back.csv", with_unread=True)
    back = place.read_bytes().splitlines()
    assert back[1:] == [sent.read_bytes().splitlines()[n] for n in (0, 1)]
    assert b";=1+1;" in back[2]


def test_nothing_is_left_of_what_cannot_be_written(settings: Settings, tmp_path: Path) -> None:
    delivery, _ = judged(settings, CSV_FEED, load_feed(CSV_FEED).examples()[0])
    with pytest.raises(ValueError, match="no such row"):
        write_rows(settings, delivery, tmp_path / "rows.csv")
    with pytest.raises(ValueError, match=r"\.csv"):
        write_rows(settings, delivery, tmp_path / "rows.xlsx")
    assert list(tmp_path.iterdir()) == []


def test_command_writes_both_and_says_what_it_cannot(settings: Settings, tmp_path: Path) -> None:
    home = Path(str(settings.home))
    delivery, _ = judged(settings, CSV_FEED, counterexample(CSV_FEED, CASES[CSV_FEED][0]))
    both = ("-o", str(tmp_path / "r.html"), "--rows", str(tmp_path / "rows.csv"))
    said = passerelle(
        "delivery", "show", delivery.delivery_id, *both, home=home, language="fr"
    ).stdout
    assert said.count("Écrit") == 2
    assert len((tmp_path / "rows.csv").read_bytes().splitlines()) == 3, (
        "number, headings and the row"
    )
    wrong = ("--rows", str(tmp_path / "rows.xlsx"))
    done = passerelle("delivery", "show", delivery.delivery_id, *wrong, home=home, check=False)
    assert done.returncode
    assert "PSL-225" in done.stderr
    assert ".csv" in done.stderr
    good, _ = judged(settings, CSV_FEED, load_feed(CSV_FEED).examples()[0])
    done = passerelle("delivery", "show", good.delivery_id, *wrong, home=home, check=False)
    assert "PSL-226" in done.stderr
