"""An extract from the published tables to the signed zip: what it holds, says, and leaves behind.

Not here: which rows an agreement lets out (`tests/property/test_agreements.py`), each format by
itself and the signature (`tests/unit/release`).
"""

from __future__ import annotations

import csv
import datetime as dt
import hashlib
import io
import json
import os
import shutil
import subprocess
import sys
import zipfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import duckdb
import openpyxl
import pyogrio
import pytest
import yaml

from pipelines.core import clock
from pipelines.core.settings import Settings, settings_for
from pipelines.ledger.chain import entries
from pipelines.ledger.holders import holdings_of
from pipelines.portal.sql import boxes
from pipelines.release.disclosure.past_disclosures import cells_folder
from pipelines.release.errors import ReleaseError
from pipelines.release.extract import Extract, make_extract
from pipelines.release.package.archive import MANIFEST, MANIFEST_SIGNATURE
from pipelines.release.package.keys import public_key_path, signing_key
from pipelines.release.package.verify import verify
from pipelines.release.preview import preview
from tests.conftest import passerelle
from tests.integration.releasing import AS_OF, home_beside, wanted

FEED = "caf_police_incidents"


@pytest.fixture(scope="module")
def home(demo_home, tmp_path_factory) -> Settings:
    """A home to make extracts in."""
    return home_beside(demo_home, tmp_path_factory.mktemp("releasing") / "home")


@pytest.fixture
def untold(demo_home, tmp_path) -> Settings:
    """A home of which nobody was told anything."""
    return home_beside(demo_home, tmp_path / "home")


@pytest.fixture(scope="module")
def made(home) -> Extract:
    """An extract as CSV in French."""
    return make_extract(home, wanted(), made_by="desk")


@pytest.fixture
def opened(made) -> Iterator[zipfile.ZipFile]:
    with zipfile.ZipFile(made.file) as archive:
        yield archive


def data_of(archive: zipfile.ZipFile) -> list[dict[str, str]]:
    [name] = [name for name in archive.namelist() if name.endswith(".csv")]
    return list(csv.DictReader(io.StringIO(archive.read(name).decode("utf-8-sig"))))


def test_the_zip_holds_a_page_the_data_the_meanings_and_what_proves_them(made, opened):
    assert opened.namelist() == [
        "LISEZ-MOI.html",
        "incidents_CONFIDENTIAL.csv",
        "dictionnaire.html",
        MANIFEST,
        MANIFEST_SIGNATURE,
    ]
    manifest = made.manifest
    for file in manifest.files:
        content = opened.read(file.name)
        assert (len(content), hashlib.sha256(content).hexdigest()) == (file.bytes, file.sha256)
    key = signing_key_of(made)
    key.verify(opened.read(MANIFEST_SIGNATURE), opened.read(MANIFEST))
    assert made.file.name == f"incidents_minusca_unpol_{AS_OF}_{made.extract_id}.zip"


def signing_key_of(made: Extract):
    return signing_key(settings_for(made.file.parents[1])).public_key()


def test_the_manifest_accounts_for_every_row(made, opened):
    manifest, rows = made.manifest, data_of(opened)
    assert len(rows) == manifest.row_count == made.row_count > 100
    by_clause = {one.clause: int(one.rows_kept) for one in manifest.clauses}
    found = {clause: sum(row["clause"] == clause for row in rows) for clause in by_clause}
    assert found == by_clause
    assert [column.name for column in manifest.columns] == list(rows[0])
    assert manifest.table_versions == {"incidents": 1}
    assert manifest.agreements[0].name == "caf_minusca"
    assert "SELECT" in manifest.query
    assert manifest.handling.level == "CONFIDENTIAL"
    said = json.loads(opened.read(MANIFEST))
    assert "desk" not in json.dumps(said), "who asked is for the ledger alone"


def test_beside_a_code_stands_what_it_means(opened):
    rows = data_of(opened)
    assert {row["country_label"] for row in rows} == {"République centrafricaine"}
    assert all(bool(row["offence_code"]) == bool(row["offence_code_label"]) for row in rows)


def test_the_page_tells_an_officer_how_to_treat_it(made, opened):
    page = opened.read("LISEZ-MOI.html").decode()
    assert page.count("CONFIDENTIEL (TLP:AMBER) – réservé à Police des Nations Unies, MINUSCA") == 3
    assert '<html lang="fr">' in page
    for needed in (
        made.extract_id,
        "Planification conjointe",
        "caf_minusca/P1",
        "passerelle verify",
    ):
        assert needed in page
    assert "<script" not in page
    assert "http" not in page
    meanings = opened.read("dictionnaire.html").decode()
    assert "offence_code_label" in meanings
    assert "place_text" not in meanings, "only what left is explained"


def test_it_is_noted_before_it_is_there_and_says_who_holds_what(home, made):
    [entry] = entries(home, events=["extract.made"], subject=made.extract_id).entries
    assert (entry.actor, entry.details["recipient"]) == ("desk", "minusca_unpol")
    assert entry.details["rows"] == made.row_count
    assert entry.details["sha256"] == made.sha256 == sha256(made.file)
    held = duckdb.read_parquet(str(home.release_records / f"{made.extract_id}.parquet"))
    assert held.count("*").fetchone() == (made.row_count,)
    first = held.order("record_id").fetchone()
    [holding] = [one for one in holdings_of(home, first[0]) if one.extract_id == made.extract_id]
    assert (holding.recipient, holding.form) == ("minusca_unpol", "records")


def sha256(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def test_made_again_it_is_the_same_extract(home, made):
    before = made.file.read_bytes()
    again = make_extract(home, wanted(), made_by="somebody else")
    assert (again.file, again.extract_id) == (made.file, made.extract_id)
    assert again.file.read_bytes() == before
    noted = entries(home, events=["extract.made"], subject=made.extract_id).entries
    assert [one.details["is_again"] for one in noted] == [True, False]


@pytest.mark.parametrize("wanted_format", ["xlsx", "parquet"])
def test_other_formats_are_proved_alike(home, wanted_format):
    extract = make_extract(home, wanted(format=wanted_format), made_by="desk")
    verified = verify(extract.file, public_key_path(home))
    assert verified.manifest == extract.manifest
    assert verified.sha256 == extract.sha256


@pytest.mark.parametrize("wanted_format", ["geojson", "gpkg"])
def test_a_map_needs_points_that_a_clause_opens(home, tmp_path, wanted_format):
    with pytest.raises(ReleaseError, match="REL-115"):
        make_extract(home, wanted(format=wanted_format), made_by="desk")
    mapping = replace(home, agreements=with_points(home, tmp_path))
    extract = make_extract(mapping, wanted(format=wanted_format), made_by="desk")
    assert verify(extract.file, public_key_path(home)).manifest.agreements[0].version == "9.0.0"
    data = tmp_path / f"data.{wanted_format}"
    with zipfile.ZipFile(extract.file) as archive:
        data.write_bytes(archive.read(f"incidents_CONFIDENTIAL.{wanted_format}"))
    _about, found = pyogrio.read_arrow(data)
    points = found.column(found.num_columns - 1)
    assert found.num_rows == extract.row_count
    assert 0 < points.null_count < found.num_rows, "a record without a place is no point"


def with_points(home: Settings, folder: Path) -> Path:
    """The agreement of the Central African Republic, changed so that it opens exact places."""
    text = (home.agreements / "caf_minusca.yaml").read_text(encoding="utf-8")
    raw = yaml.safe_load(text)
    raw["version"], raw["standing"] = "9.0.0", []
    first = raw["permits"][0]
    first["providers"] = ["caf_police", "minusca_unpol"]
    first["columns"] += ["latitude_deg", "longitude_deg"]
    first["precision"] = {"area": "point", "time": "exact", "age": "none"}
    first["smallest_group"] = 1
    raw["permits"], raw["restrictions"] = [first], []
    changed = folder / "agreements"
    changed.mkdir()
    (changed / "caf_minusca.yaml").write_text(yaml.safe_dump(raw), encoding="utf-8")
    return changed


def test_a_day_to_come_would_undo_the_delays(home):
    after = clock.now().date() + dt.timedelta(days=3650)
    with pytest.raises(ReleaseError) as refused:
        preview(home, wanted(as_of=after.replace(year=min(after.year, 2035))))
    assert refused.value.code == "REL-117"
    assert refused.value.text("en") != refused.value.text("fr")


def test_a_clause_that_has_ended_is_not_opened_by_a_day_gone_by(home, tmp_path):
    shipped = (home.agreements / "caf_minusca.yaml").read_text(encoding="utf-8")
    raw = yaml.safe_load(shipped)
    raw["valid_until"], raw["standing"] = dt.date(2026, 10, 31), []
    (tmp_path / "caf_minusca.yaml").write_text(yaml.safe_dump(raw), encoding="utf-8")
    ended = replace(home, agreements=tmp_path)
    with pytest.raises(ReleaseError) as refused:
        make_extract(ended, wanted(as_of=dt.date(2026, 10, 1)), made_by="desk")
    assert (refused.value.code, refused.value.case) == ("REL-105", "expired")


def test_a_workbook_explains_itself_without_its_zip(home):
    extract = make_extract(home, wanted(format="xlsx", language="en"), made_by="desk")
    with zipfile.ZipFile(extract.file) as archive:
        book = openpyxl.load_workbook(io.BytesIO(archive.read("incidents_CONFIDENTIAL.xlsx")))
    data, about = book.worksheets
    assert data["A1"].value == "CONFIDENTIAL (TLP:AMBER) – for MINUSCA UN Police only"
    headings = [cell.value for cell in data[2]]
    assert "Offence (ICCS) (code)" in headings
    assert "Offence (ICCS)" in headings
    assert data.max_row == 3 + extract.row_count
    texts = {row[0].value: row[1].value for row in about.iter_rows(min_row=3)}
    assert texts["Reference"] == extract.extract_id
    assert "Joint planning" in texts["For which purpose"]


def test_a_period_in_which_nothing_is_is_told_apart(home):
    absence = preview(home, wanted(until=dt.date(2019, 12, 31))).absence
    assert absence.code == "REL-124"
    assert "2026-" in absence.text("fr")
    counts = wanted(form="counts", purpose="capacity_building", until=dt.date(2019, 12, 31))
    assert preview(home, counts).absence.code == "REL-124"


def test_a_preview_shows_what_the_extract_holds(home, made, opened):
    seen = preview(home, wanted(), limit=7)
    rows = data_of(opened)
    assert seen.row_count == len(rows)
    assert seen.rows.column("record_id").to_pylist() == [row["record_id"] for row in rows[:7]]
    assert [one.name for one in seen.columns] == list(rows[0])
    assert seen.masked_columns == made.manifest.masked_columns
    assert seen.marking.level == "CONFIDENTIAL"
    before = entries(home, events=["extract.made"]).total
    preview(home, wanted())
    assert entries(home, events=["extract.made"]).total == before


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"recipient": "nobody"}, "REL-101"),
        ({"purpose": "curiosity"}, "REL-102"),
        ({"table": "deliveries"}, "REL-103"),
        ({"columns": ("birth_place",)}, "REL-104"),
        ({"recipient": "iom"}, "REL-105"),
        ({"as_of": AS_OF.replace(year=2040)}, "REL-105"),
        ({"columns": ("place_text",)}, "REL-106"),
        ({"format": "docx"}, "REL-111"),
    ],
)
def test_a_refusal_is_coded_and_noted_and_leaves_nothing(home, changes, code):
    listed = sorted(home.releases.iterdir())
    noted = entries(home, events=["extract.refused"]).total
    with pytest.raises(ReleaseError) as refused:
        make_extract(home, wanted(**changes), made_by="desk")
    assert refused.value.code == code
    assert refused.value.text("fr") != refused.value.text("en")
    assert sorted(home.releases.iterdir()) == listed
    page = entries(home, events=["extract.refused"])
    assert page.total == noted + 1
    assert page.entries[0].details["code"] == code
    assert "nobody" not in json.dumps(page.entries[0].details)


def test_without_published_tables_there_is_nothing_to_extract(tmp_path):
    with pytest.raises(ReleaseError, match="REL-114"):
        make_extract(settings_for(tmp_path / "empty"), wanted(), made_by="desk")


def test_no_row_is_left_of_a_period_without_any_and_the_file_is_whole(home):
    day = AS_OF.replace(year=2026, month=1, day=20)
    extract = make_extract(home, wanted(since=day, until=day), made_by="desk")
    assert extract.row_count == 0
    assert extract.manifest.handling.level == "CONFIDENTIAL"
    verify(extract.file, public_key_path(home))


def counts(**changes: object):
    usual = {
        "recipient": "dpo_police_division",
        "purpose": "reporting_dpo",
        "form": "counts",
        "dimensions": ("country", "month"),
    }
    return wanted(**{**usual, **changes})


def test_counts_keep_small_ones_to_themselves_and_a_record_for_the_next(home):
    extract = make_extract(home, counts(), made_by="desk")
    with zipfile.ZipFile(extract.file) as archive:
        rows = data_of(archive)
    threshold = extract.manifest.small_cell_threshold
    told = [int(row["records"]) for row in rows if row["is_suppressed"] == "false"]
    assert min(told) >= threshold
    assert all(row["records"] == "" for row in rows if row["is_suppressed"] == "true")
    folder = cells_folder(home, "incidents", "dpo_police_division")
    assert (folder / f"{extract.extract_id}.parquet").is_file()
    assert make_extract(home, counts(), made_by="desk").extract_id == extract.extract_id
    held = duckdb.read_parquet(str(home.release_records / f"{extract.extract_id}.parquet"))
    assert held.filter("form <> 'counts'").count("*").fetchone() == (0,)


def test_what_a_preview_of_counts_showed_was_told(untold):
    folder = cells_folder(untold, "incidents", "public")
    preview(
        untold,
        counts(recipient="public", purpose="public_information", dimensions=("country", "quarter")),
    )
    [kept] = folder.iterdir()
    assert kept.name.startswith("preview-")


def test_counts_for_everybody_are_not_marked_for_somebody(untold):
    request = counts(
        recipient="public",
        purpose="public_information",
        dimensions=("country", "quarter"),
        language="en",
    )
    extract = make_extract(untold, request, made_by="desk")
    with zipfile.ZipFile(extract.file) as archive:
        page = archive.read("README.html").decode()
    assert extract.manifest.handling.tlp == "TLP:CLEAR"
    assert "UNCLASSIFIED (TLP:CLEAR)</p>" in page


def test_the_same_deliveries_give_the_same_bytes_in_another_home(demo_home, tmp_path):
    """Another folder, time zone, locale and order of hashing; the same key and deliveries."""
    digests = []
    for name, zone, language in (("one", "UTC", "C"), ("two", "Asia/Kathmandu", "fr_FR.UTF-8")):
        place = tmp_path / name
        shutil.copytree(demo_home.home / "inbox" / FEED, place / "inbox" / FEED)
        shutil.copytree(demo_home.secrets, place / "secrets")
        passerelle("run", home=place, check=False)
        digests.append(digests_of(place, zone, language))
    assert digests[0] == digests[1]
    assert len(set(digests[0])) == 3


def digests_of(place: Path, zone: str, language: str) -> list[str]:
    """The hashes of three extracts, made by a process of its own."""
    code = (
        "import sys, hashlib; from pipelines.core.settings import settings_for\n"
        "from pipelines.release.extract import make_extract\n"
        "from tests.integration.releasing import wanted\n"
        "for one in ('csv', 'xlsx', 'parquet'):\n"
        "    made = make_extract(settings_for(sys.argv[1]), wanted(format=one), made_by='x')\n"
        "    print(hashlib.sha256(made.file.read_bytes()).hexdigest())\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(place)],
        env={**os.environ, "TZ": zone, "LC_ALL": language, "PYTHONHASHSEED": str(len(zone))},
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.split()


def test_a_narrow_choice_says_no_more_of_what_it_holds_back(home):
    """Asked area by area, “fewer than five” and nothing would tell the two apart."""
    for area in ("CF71", "CF12"):
        said = preview(home, wanted(areas=(area,), since=dt.date(2026, 1, 1)))
        told = said.flow.told()
        assert all(one["dropped"] == {} and one["masked"] == {} for one in told)
        assert "victims_female" in said.masked_columns, "the terms mask it, whatever is there"
    whole = preview(home, wanted())
    assert any(one["dropped"] for one in whole.flow.told())


def test_previews_and_the_sql_box_tell_records_as_an_extract_does(home):
    """The groups of records alike are the same by every door."""
    clause, purpose = "cod_monusco/P1", "protection_of_civilians"
    opened = boxes.opened(home, "monusco_unpol", AS_OF)
    question = (
        "SELECT admin1_code, occurred_on, offence_code, count(*) FROM incidents "
        f"WHERE clause = '{clause}' GROUP BY ALL"
    )
    answer = boxes.ask(home, opened, question, purpose=purpose, actor="desk")
    asked = wanted(recipient="monusco_unpol", purpose=purpose, columns=())
    shown = preview(home, asked, limit=100_000).rows.to_pylist()
    alike = Counter(
        (row["admin1_code"], str(row["occurred_on"]), row["offence_code"])
        for row in shown
        if row["clause"] == clause
    )
    assert alike and min(alike.values()) >= 2
    assert {tuple(row[:3]): int(row[3]) for row in answer.rows} == alike
    extract = make_extract(home, asked, made_by="desk")
    assert extract.row_count == len(shown)
    assert (home.release_groups / "incidents" / "cod_monusco_P1.parquet").is_file()
