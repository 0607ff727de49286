"""Publishers' own gazetteers and boundaries, loaded as they come, and what then resolves.

Not here: the shipped lists (`tests/contract/test_codelists.py`) and the cells (`test_geofence.py`).
"""

from __future__ import annotations

import json
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
import shapely

from pipelines.core.findings import DeliveryError
from pipelines.core.settings import Settings, settings_for
from pipelines.harmonise.geofence import cell_sql, geofence_cells
from pipelines.landing.reference import (
    BOUNDARIES_FILE,
    LIST_SCHEMA,
    LOADED_AREAS_FILE,
    all_admin_areas,
    load_reference,
)
from schemas.codelist import load_codelist

CELL_SQL = cell_sql("latitude_deg", "longitude_deg")

REFERENCE = Path(__file__).parents[2].parent / "shared" / "reference"
GEOGRAPHY = REFERENCE / "geography"
needs_reference = pytest.mark.skipif(
    not GEOGRAPHY.is_dir(), reason="the public reference files are not beside this checkout"
)
PUBLISHED = {
    "ocha_pcodes_region.csv": ("pcodes", (1, 2), 0),
    "caf_cod_ab.xlsx": ("cod_ab", (1, 2), 0),
    "caf_admin1.parquet": ("boundaries", (1,), 17),
    "caf_admin2.parquet": ("boundaries", (2,), 72),
    "ne_admin1_CAF_COD_SSD.geojson": ("boundaries", (1,), 53),
}


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return settings_for(tmp_path / "home")


def rows_of(settings: Settings) -> dict[str, dict[str, Any]]:
    return {row["code"]: row for row in all_admin_areas(settings).to_pylist()}


def write_csv(folder: Path, text: str, name: str = "pcodes.csv") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


HEADER = "Location,Admin Level,P-Code,Name,Parent P-Code,Valid from date\n"
TAGS = "#country+code,#geo+admin_level,#adm+code,#adm+name,#adm+code+parent,#date+start\n"


def test_without_a_load_it_is_the_shipped_list(settings: Settings) -> None:
    areas = all_admin_areas(settings)
    assert areas.schema.equals(LIST_SCHEMA)
    shipped = load_codelist("admin_areas")
    assert areas["code"].to_pylist() == [row["code"] for row in shipped]
    assert areas["valid_to"].null_count == sum(not row["valid_to"] for row in shipped)
    assert set(areas["level"].to_pylist()) == {1}


@needs_reference
@pytest.mark.parametrize("name", PUBLISHED)
def test_published_files_are_recognised(name: str, settings: Settings) -> None:
    (loaded,) = load_reference(settings, [GEOGRAPHY / name])
    kind, levels, shapes = PUBLISHED[name]
    assert (loaded.file, loaded.kind, loaded.levels, loaded.shapes) == (name, kind, levels, shapes)
    assert "CAF" in loaded.countries


@needs_reference
def test_second_level_resolves_within_its_first(settings: Settings) -> None:
    load_reference(settings, [GEOGRAPHY / "ocha_pcodes_region.csv"])
    rows = rows_of(settings)
    per_country = Counter(row["country"] for row in rows.values() if row["level"] == 2)
    assert {c: per_country[c] for c in ("CAF", "COD", "SSD")} == {"CAF": 72, "COD": 189, "SSD": 79}
    for row in rows.values():
        assert row["parent"] in (rows if row["level"] == 2 else {None}), row
        if row["level"] == 2:
            assert rows[row["parent"]]["country"] == row["country"]
    bangassou = rows["CF621"]
    assert (bangassou["label_fr"], bangassou["parent"], bangassou["country"]) == (
        "Bangassou",
        "CF62",
        "CAF",
    )


@needs_reference
def test_names_that_we_know_keep_their_accents(settings: Settings) -> None:
    before = rows_of(settings)
    load_reference(settings, [GEOGRAPHY / "ocha_pcodes_region.csv", GEOGRAPHY / "caf_cod_ab.xlsx"])
    after = rows_of(settings)
    kept = ("label_en", "label_fr", "valid_from", "valid_to", "time_zone", "split_from", "country")
    for code, row in before.items():
        assert {key: after[code][key] for key in kept} == {key: row[key] for key in kept}
    assert after["CF616"]["label_fr"] == "Satéma", "the later file wins"
    assert "Satema" in after["CF616"]["aliases"].split("|")


@needs_reference
def test_no_key_means_two_areas_of_one_place_after_loading(settings: Settings) -> None:
    from pipelines.core.duck import LOOKUP_KEY_MACRO

    load_reference(settings, [GEOGRAPHY / name for name in PUBLISHED])
    with duckdb.connect() as connection:
        connection.execute(LOOKUP_KEY_MACRO)
        connection.register("areas", all_admin_areas(settings))
        shared = connection.execute(
            """
            WITH words AS (
                SELECT *, unnest(list_concat([code, label_en, label_fr],
                                 string_split(coalesce(aliases, code), '|'))) AS word FROM areas),
            keyed AS (SELECT DISTINCT code, coalesce(parent, country) AS scope,
                      lookup_key(word) AS key, coalesce(valid_from, DATE '0001-01-01') AS since,
                      coalesce(valid_to, DATE '9999-12-31') AS until FROM words)
            SELECT a.code, b.code, key FROM keyed a JOIN keyed b USING (scope, key)
            WHERE a.code < b.code AND a.since <= b.until AND b.since <= a.until
            """
        ).fetchall()
    assert shared == []


@needs_reference
def test_loading_again_changes_nothing(settings: Settings) -> None:
    files = [GEOGRAPHY / name for name in PUBLISHED]
    load_reference(settings, files)
    kept = [settings.reference / name for name in (LOADED_AREAS_FILE, BOUNDARIES_FILE)]
    first = [path.read_bytes() for path in kept]
    load_reference(settings, files)
    assert [path.read_bytes() for path in kept] == first
    leftovers = {path.name for path in settings.reference.iterdir()} - {".lock"}
    assert leftovers == {LOADED_AREAS_FILE, BOUNDARIES_FILE}


@needs_reference
def test_loaded_boundaries_judge_published_events(settings: Settings) -> None:
    """UCDP's events lie in their country, and nearly all in the area that they name."""
    load_reference(settings, [GEOGRAPHY / "caf_admin1.parquet"])
    features = json.loads((REFERENCE / "sources/ucdp/ged_caf_v23_1.geojson").read_text("utf-8"))
    places = [
        (*feature["geometry"]["coordinates"], feature["properties"]["adm_1"])
        for feature in features["features"]
    ]
    with duckdb.connect() as connection:
        connection.register("areas", all_admin_areas(settings))
        connection.register("cells", geofence_cells(settings))
        longitude, latitude, named = (pa.array(column) for column in zip(*places, strict=True))
        columns = {"longitude_deg": longitude, "latitude_deg": latitude, "named": named}
        connection.register("events", pa.table(columns))
        total, in_country, checked, in_area = connection.execute(
            f"""
            WITH judged AS (
                SELECT a.code, EXISTS (FROM cells WHERE cell = {CELL_SQL} AND country = 'CAF')
                           AS is_in_country,
                       EXISTS (FROM cells WHERE cell = {CELL_SQL} AND admin1_code = a.code)
                           AS is_in_area
                FROM events LEFT JOIN areas a
                     ON a.country = 'CAF' AND list_contains(string_split(a.aliases, '|'), named))
            SELECT count(*), count_if(is_in_country), count(code), count_if(is_in_area) FROM judged
            """
        ).fetchall()[0]
    assert (total, in_country) == (1848, 1848)
    assert checked > 1700
    assert in_area / checked > 0.99


def test_a_new_name_becomes_the_label_and_keeps_the_old(settings: Settings, tmp_path: Path) -> None:
    file = write_csv(
        tmp_path,
        HEADER + TAGS + "CAF,1,CF53,Grande Vakaga,CAF,2030-01-01\n"
        "CAF,2,CF539,Nouvelle Ville,CF53,2030-01-01\nCAF,3,CF5391,Trop fin,CF539,2030-01-01\n",
    )
    (loaded,) = load_reference(settings, [file])
    assert (loaded.areas, loaded.levels, loaded.countries) == (2, (1, 2), ("CAF",))
    row = rows_of(settings)["CF53"]
    assert row["label_en"] == row["label_fr"] == "Grande Vakaga"
    assert {"Vakaga", "La Vakaga"} <= set(row["aliases"].split("|"))
    assert row["valid_from"] is None, "a publisher's date is that of its file"
    assert row["time_zone"] == "Africa/Bangui"
    assert rows_of(settings)["CF539"]["parent"] == "CF53"


def test_a_later_file_wins_on_the_same_code(settings: Settings, tmp_path: Path) -> None:
    older = write_csv(tmp_path, HEADER + "CAF,2,CF539,Ancien,CF53,2015-06-15\n", "older.csv")
    newer = write_csv(tmp_path, HEADER + "CAF,2,CF539,Nouveau,CF53,2021-01-21\n", "newer.csv")
    load_reference(settings, [older, newer])
    row = rows_of(settings)["CF539"]
    assert row["label_fr"] == "Nouveau"
    assert str(row["valid_from"]) == "2015-06-15", "known since the older file"


NOT_REFERENCE = {
    "other.csv": b"a,b\n1,2\n",
    "header_only.csv": HEADER.encode(),
    "broken.xlsx": b"PK\x03\x04 not a workbook",
    "text.xlsx": b"hello",
    "list.json": b"[1, 2]",
    "empty.geojson": b'{"type": "FeatureCollection", "features": []}',
    "no_code.geojson": json.dumps(
        {
            "type": "FeatureCollection",
            "features": [
                {
                    "type": "Feature",
                    "properties": {"name": "x"},
                    "geometry": {"type": "Point", "coordinates": [20, 5]},
                }
            ],
        }
    ).encode(),
    "broken.geojson": b'{"type": "FeatureCollection", "features": [{"geometry": {"type": "Po',
    "noise.parquet": b"PAR1 no",
    "picture.png": b"\x89PNG",
}


@pytest.mark.parametrize("name", NOT_REFERENCE)
def test_other_files_are_refused_with_a_code(name: str, settings: Settings, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(NOT_REFERENCE[name])
    with pytest.raises(DeliveryError) as refusal:
        load_reference(settings, [tmp_path / name])
    (finding,) = refusal.value.findings
    assert finding.code == "DEL-720"
    assert name in finding.text("en")
    assert name in finding.text("fr")
    assert not (settings.reference / LOADED_AREAS_FILE).exists()


def test_one_bad_file_stops_all(settings: Settings, tmp_path: Path) -> None:
    good = write_csv(tmp_path, HEADER + "CAF,2,CF539,Nouveau,CF53,2021-01-21\n")
    bad = write_csv(tmp_path, "a,b\n1,2\n", "other.csv")
    with pytest.raises(DeliveryError):
        load_reference(settings, [good, bad])
    assert not settings.reference.exists()
    with pytest.raises(FileNotFoundError):
        load_reference(settings, [tmp_path / "absent.csv"])


def collection(properties: list[dict[str, Any]], shapes: list[shapely.Geometry]) -> str:
    features = [
        {"type": "Feature", "properties": p, "geometry": json.loads(shapely.to_geojson(s))}
        for p, s in zip(properties, shapes, strict=True)
    ]
    return json.dumps({"type": "FeatureCollection", "features": features})


def test_parts_of_an_area_are_united_and_names_follow_their_language(
    settings: Settings, tmp_path: Path
) -> None:
    """An older COD-AB layout: capitals, alpha-2 country, a name a language, an area in parts."""
    one = {"ADM1_PCODE": "SS11", "ADM1_EN": "Upper", "ADM1_FR": "Haut", "ADM0_PCODE": "SS"}
    boxes = [shapely.box(30, 8, 31, 9), shapely.box(32, 8, 33, 9)]
    file = tmp_path / "ssd.geojson"
    file.write_text(collection([one, one], boxes), encoding="utf-8")
    (loaded,) = load_reference(settings, [file])
    assert (loaded.countries, loaded.areas, loaded.shapes) == (("SSD",), 1, 1)
    row = rows_of(settings)["SS11"]
    assert (row["label_en"], row["label_fr"], row["level"]) == ("Upper", "Haut", 1)
    (wkb,) = pq.read_table(settings.reference / BOUNDARIES_FILE)["geometry"].to_pylist()
    assert shapely.from_wkb(wkb).equals(shapely.union_all(boxes))


@pytest.mark.parametrize("encoding", ["WKB", "polygon", "multipolygon"])
def test_each_encoding_of_geoparquet_gives_the_same_shape(
    encoding: str, settings: Settings, tmp_path: Path
) -> None:
    shape = shapely.box(22, 9, 23, 10).difference(shapely.box(22.2, 9.2, 22.4, 9.4))
    rings = [
        [{"x": x, "y": y} for x, y in ring.coords] for ring in (shape.exterior, *shape.interiors)
    ]
    cell = {"WKB": shapely.to_wkb(shape), "polygon": rings, "multipolygon": [rings]}[encoding]
    table = pa.table({"adm1_pcode": ["CF53"], "iso3": ["CAF"], "geometry": [cell]})
    geo = {"primary_column": "geometry", "columns": {"geometry": {"encoding": encoding}}}
    file = tmp_path / "shapes.parquet"
    pq.write_table(table.replace_schema_metadata({"geo": json.dumps(geo)}), file)
    load_reference(settings, [file])
    (wkb,) = pq.read_table(settings.reference / BOUNDARIES_FILE)["geometry"].to_pylist()
    assert shapely.from_wkb(wkb).equals(shape)


def test_metres_are_not_degrees(settings: Settings, tmp_path: Path) -> None:
    file = tmp_path / "metres.geojson"
    codes = [{"adm1_pcode": "CF53", "iso3": "CAF"}]
    file.write_text(collection(codes, [shapely.box(600_000, 700_000, 610_000, 710_000)]))
    with pytest.raises(DeliveryError):
        load_reference(settings, [file])


@needs_reference
def test_iso_shapes_bring_shapes_and_no_names(settings: Settings) -> None:
    load_reference(settings, [GEOGRAPHY / "ne_admin1_CAF_COD_SSD.geojson"])
    assert not (settings.reference / LOADED_AREAS_FILE).exists()
    shapes = pq.read_table(settings.reference / BOUNDARIES_FILE)
    with_iso = [
        row["code"]
        for row in load_codelist("admin_areas")
        if row["country"] in {"CAF", "COD", "SSD"} and row["iso3166_2"]
    ]
    assert sorted(with_iso) == sorted(shapes["code"].to_pylist())
    assert not pc.any(pc.is_null(shapes["geometry"])).as_py()


@needs_reference
def test_a_renamed_copy_is_the_same_reference(settings: Settings, tmp_path: Path) -> None:
    copy = tmp_path / "anything.CSV"
    shutil.copyfile(GEOGRAPHY / "ocha_pcodes_region.csv", copy)
    (loaded,) = load_reference(settings, [copy])
    assert (loaded.kind, loaded.areas) == ("pcodes", 2123)
