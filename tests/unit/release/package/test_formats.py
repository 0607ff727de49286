"""Each format, read back by the program that people open it with, says what the rows said."""

from __future__ import annotations

import csv
import datetime as dt
import json
import os
import subprocess
import sys
import time
import zipfile
from pathlib import Path
from typing import get_args

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pyogrio
import pytest
from python_calamine import CalamineWorkbook

from pipelines.portal.services.menus import Menu
from pipelines.release.errors import ReleaseError
from pipelines.release.package.formats import xlsx as workbook
from pipelines.release.package.formats.registry import (
    FORMATS,
    require_format,
    write_data,
)
from schemas.agreement import FileFormat
from schemas.agreement_folder import load_agreements
from schemas.contract import load_contract
from tests.unit.release.writing import FIELDS, MARKING, TEXTS, content, rows

MOMENT = dt.datetime(2026, 3, 1, 8, 30, 15)
COLUMNS = [field.name for field in FIELDS]
POINT = ("latitude_deg", "longitude_deg")


def write(tmp_path: Path, wanted: str, **changes: object) -> Path:
    path = tmp_path / f"out.{wanted}"
    with content(tmp_path, **changes) as made:
        write_data(wanted, made, path)
    return path


def test_csv_is_read_back_by_any_reader_and_runs_nowhere(tmp_path):
    raw = write(tmp_path, "csv").read_bytes()
    assert raw.startswith(b"\xef\xbb\xbfrecord_id,")
    assert raw.endswith(b"\r\n")
    read = list(csv.reader(raw.decode("utf-8-sig").splitlines(keepends=True)))
    assert read[0] == COLUMNS
    notes = [line[1] for line in read[1:]]
    for at, text in enumerate(TEXTS):
        wanted = "" if at == 2 or text is None else text
        is_formula = wanted[:1] in tuple("=+-@\t\r")
        assert notes[at] == (f"'{wanted}" if wanted and is_formula else wanted)
    assert [line[6] for line in read[1:4]] == ["-3", "-2", ""]  # a number stays a number
    assert read[1][2:] == [
        *("4.25", "18.5", "2026-03-01 08:30:15", "2030-01-02", "-3", "true", "INC-401; INC-402")
    ]
    assert read[3][1:] == [""] * 8


def test_a_workbook_opens_as_it_was_meant(tmp_path):
    path = write(tmp_path, "xlsx")
    book = openpyxl.load_workbook(path)
    data, about = book.worksheets
    assert data.title == "Incidents"
    assert about.title == "Lisez-moi"
    for sheet in book.worksheets:
        assert sheet["A1"].value == MARKING
        assert MARKING in sheet.oddHeader.center.text
        assert MARKING in sheet.oddFooter.center.text
    assert [cell.value for cell in data[2]] == [field.label for field in FIELDS]
    assert [cell.value or "" for cell in data[3]] == [field.hxl for field in FIELDS]
    assert data.dimensions == f"A1:I{3 + len(TEXTS)}"
    assert data.auto_filter.ref == f"A2:I{3 + len(TEXTS)}"
    assert data.freeze_panes == "A4"
    first = [cell.value for cell in data[4]]
    assert first[2:] == [4.25, 18.5, MOMENT, dt.datetime(2030, 1, 2), -3, True, "INC-401; INC-402"]
    assert [cell.value for cell in data[6]][1:] == [None] * 8
    assert about["B4"].value == "= deux\nlignes"


def test_no_text_of_a_workbook_is_a_formula(tmp_path):
    path = write(tmp_path, "xlsx")
    with zipfile.ZipFile(path) as archive:
        assert all(b"<f>" not in archive.read(n) for n in archive.namelist() if "sheet" in n)
    sheet = CalamineWorkbook.from_path(path).get_sheet_by_index(0).to_python()
    for at, (line, text) in enumerate(zip(sheet[3:], TEXTS, strict=True)):
        wanted = "" if at == 2 or text is None else text
        lines = wanted.replace("\r\n", "\n").replace("\r", "\n")
        assert line[1] == lines.replace("_x0041_", "_x005F_x0041_") or line[1] == lines


def test_what_xml_cannot_hold_does_not_break_a_workbook(tmp_path):
    table = rows().slice(0, 1).set_column(1, "note", pa.array(["a\x01b\x0bc\ufffed"]))
    sheet = openpyxl.load_workbook(write(tmp_path, "xlsx", table=table)).worksheets[0]
    assert sheet["B4"].value == "abcd"


def test_parquet_says_what_each_column_means(tmp_path):
    read = pq.read_table(write(tmp_path, "parquet"))
    assert read.cast(rows().schema).equals(rows())
    assert read.schema.metadata[b"handling"] == b"CONFIDENTIAL"
    assert read.schema.metadata[b"marking"].decode() == MARKING
    meaning = read.schema.field("latitude_deg").metadata
    assert meaning[b"label"] == b"Latitude"
    assert meaning[b"hxl"] == b"#geo+lat"
    assert meaning[b"unit"] == b"degree"


def test_geojson_has_points_where_they_are_known(tmp_path):
    path = write(tmp_path, "geojson")
    read = json.loads(path.read_text(encoding="utf-8"))
    assert read["type"] == "FeatureCollection"
    assert read["passerelle"]["marking"] == MARKING
    assert "crs" not in read
    features = read["features"]
    assert len(features) == len(TEXTS)
    assert features[0]["geometry"] == {"type": "Point", "coordinates": [18.5, 4.25]}
    assert features[1]["geometry"] is None
    properties = features[0]["properties"]
    assert set(properties) == set(COLUMNS) - {"latitude_deg", "longitude_deg"}
    assert properties["occurred_at"] == "2026-03-01T08:30:15Z"
    assert properties["flags"] == ["INC-401", "INC-402"]
    assert [f["properties"]["note"] for f in features][3:] == TEXTS[3:]
    assert pyogrio.read_info(path)["features"] == len(TEXTS)


def test_a_geopackage_is_a_layer_of_points(tmp_path):
    path = write(tmp_path, "gpkg")
    info = pyogrio.read_info(path, layer="incidents")
    assert (info["geometry_type"], info["crs"]) == ("Point", "EPSG:4326")
    assert info["layer_metadata"]["DESCRIPTION"] == MARKING
    assert info["layer_metadata"]["handling"] == "CONFIDENTIAL"
    assert info["dataset_metadata"]["marking"] == MARKING
    _meta, read = pyogrio.read_arrow(path)
    notes = read.column("note").to_pylist()
    assert notes == [None if at == 2 else text for at, text in enumerate(TEXTS)]
    points = read.column("geom").to_pylist()
    assert [at for at, point in enumerate(points) if point is None] == [1, 2]


@pytest.mark.parametrize("wanted", FORMATS)
def test_without_rows_a_file_is_whole_all_the_same(tmp_path, wanted):
    path = write(tmp_path, wanted, table=rows().slice(0, 0))
    if wanted == "csv":
        assert path.read_text("utf-8-sig").splitlines() == [",".join(COLUMNS)]
    elif wanted == "xlsx":
        assert openpyxl.load_workbook(path).worksheets[0].max_row == 3
    elif wanted == "parquet":
        assert pq.read_table(path).num_rows == 0
    else:
        assert pyogrio.read_info(path)["features"] == 0


@pytest.mark.parametrize("wanted", FORMATS)
def test_the_same_rows_give_the_same_bytes_at_any_hour_and_place(tmp_path, wanted):
    here = write(tmp_path, wanted).read_bytes()
    there = tmp_path / "there"
    there.mkdir()
    code = (
        "import sys; from pathlib import Path; "
        "from tests.unit.release.package.test_formats import write; "
        f"write(Path({str(there)!r}), {wanted!r})"
    )
    time.sleep(1.1)  # the clock in a file may have seconds only
    environment = {**os.environ, "TZ": "Asia/Kathmandu", "LC_ALL": "C", "PYTHONHASHSEED": "7"}
    root = Path(__file__).parents[4]
    subprocess.run([sys.executable, "-c", code], env=environment, cwd=root, check=True)
    assert (there / f"out.{wanted}").read_bytes() == here


def test_a_format_refuses_what_it_cannot_hold(tmp_path):
    with pytest.raises(ReleaseError, match="REL-109") as refused:
        FORMATS["xlsx"].require_room(workbook.MOST_ROWS + 1)
    assert "1048571" in refused.value.text("fr")
    FORMATS["csv"].require_room(10**9)
    long = rows().slice(0, 1).set_column(1, "note", pa.array(["é" * 32_768]))
    with pytest.raises(ReleaseError, match="REL-109") as refused:
        write(tmp_path, "xlsx", table=long)
    assert "32768" in refused.value.text("en")
    with pytest.raises(ReleaseError, match="REL-111"):
        require_format("pdf", COLUMNS, POINT)
    with pytest.raises(ReleaseError, match="REL-115"):
        require_format("gpkg", ["record_id", "admin1_code"], POINT)
    with pytest.raises(ReleaseError, match="REL-115"):
        require_format("geojson", COLUMNS, ())


def test_a_format_whose_package_is_missing_is_refused_and_not_offered(monkeypatch):
    permits = [one for agreement in load_agreements() for one in agreement.permits]
    ours = tuple(p for p in permits if (p.table, p.form) == ("incidents", "records"))
    menu = Menu(load_contract("incidents"), "records", "operations", ours, ("records",), ())
    assert "gpkg" in dict(menu.formats())
    monkeypatch.setitem(sys.modules, "pyogrio", None)
    assert [name for name, _words in menu.formats()] == ["xlsx", "csv", "parquet", "geojson"]
    require_format("geojson", COLUMNS, POINT)
    with pytest.raises(ReleaseError, match="REL-126") as refused:
        require_format("gpkg", COLUMNS, POINT)
    assert "un paquet manque" in refused.value.text("fr")
    assert "passerelle[geopackage]" in refused.value.hint("en")


def test_agreements_and_the_command_know_the_same_formats():
    from pipelines.cli.extract import Shape

    assert set(get_args(FileFormat)) == set(FORMATS)
    assert all(name in Shape.__metadata__[0].help for name in FORMATS)
