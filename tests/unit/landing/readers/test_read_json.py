"""JSON deliveries: arrays anywhere in a document, one record a line, GeoJSON features."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from reading import codes, make_feed, read

from pipelines.core.findings import DeliveryError

RECORDS = [
    {"id": 1, "who": {"unit": "Bangui", "n": 2.5}, "tags": ["a", {"b": 1}], "ok": True},
    {},
    {"id": "2", "who": None, "tags": [], "note": ' é ] } " \\ \n'},
]
COLUMNS = ["id", "who.unit", "who.n", "tags", "ok", "note"]
ROWS = [
    (1, "1", "Bangui", "2.5", '["a",{"b":1}]', "true", None),
    (3, "2", None, None, "[]", None, 'é ] } " \\'),
]


def rows_of(folder: Path, text: str, layout: dict[str, Any], columns: list[str] = COLUMNS) -> Any:
    file = folder / "d.json"
    file.write_text(text, encoding="utf-8")
    return read(file, make_feed(columns, file={"name": "*.json", **layout}))[1]


def codes_of(folder: Path, text: str | bytes, layout: dict[str, Any]) -> list[str]:
    file = folder / "d.json"
    file.write_bytes(text.encode() if isinstance(text, str) else text)
    return codes(file, make_feed(["id", "x"], file={"name": "*.json", **layout}))


@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize("path", ["$", "$.data.events"])
def test_array_in_a_document(tmp_path: Path, path: str, indent: int | None) -> None:
    nested = {"meta": {"events": [1], "s": "]}{"}, "data": {"n": 3, "events": RECORDS, "z": [{}]}}
    document = RECORDS if path == "$" else nested
    text = json.dumps(document, indent=indent, ensure_ascii=indent is None)
    assert rows_of(tmp_path, text, {"format": "json", "records": path}) == ROWS


def test_one_record_a_line_is_numbered_by_its_line(tmp_path: Path) -> None:
    lines = [json.dumps(record) for record in RECORDS]
    text = "\ufeff" + lines[0] + "\r\n\r\n" + lines[1] + "\n" + lines[2]
    rows = rows_of(tmp_path, text, {"format": "ndjson"})
    assert rows == [ROWS[0], (4, *ROWS[1][1:])]


def feature(geometry: Any, **properties: Any) -> dict[str, Any]:
    return {"type": "Feature", "properties": properties, "geometry": geometry}


def test_geojson_gives_properties_and_the_point(tmp_path: Path) -> None:
    point = {"type": "Point", "coordinates": [18.55, 4.36]}
    document = {
        "type": "FeatureCollection",
        "crs": {"type": "name", "properties": {"name": "urn:ogc:def:crs:OGC:1.3:CRS84"}},
        "features": [feature(point, id=1, x="a"), feature(None, id=2, x=None)],
    }
    columns = ["id", "x", "latitude", "longitude"]
    rows = rows_of(tmp_path, json.dumps(document), {"format": "geojson"}, columns)
    assert rows == [(1, "1", "a", "4.36", "18.55"), (2, "2", None, None, None)]
    numbered = [{**one, "id": str(at)} for at, one in enumerate(document["features"])]
    text = json.dumps({**document, "features": numbered})
    assert rows_of(tmp_path, text, {"format": "geojson"}, columns) == rows
    document["features"][0]["geometry"]["type"] = "LineString"
    assert codes_of(tmp_path, json.dumps(document), {"format": "geojson"}) == ["DEL-717"]


def test_a_key_that_no_record_has_is_missing_only_where_it_is_required(tmp_path: Path) -> None:
    layout = {"format": "json"}
    assert rows_of(tmp_path, '[{"id": 1}]', layout, ["id", "x"]) == [(1, "1", None)]
    assert codes_of(tmp_path, '[{"x": 1}]', layout) == ["DEL-703"]
    kept_out = '[{"id": 1, "y": {"z": 1}}]'
    assert rows_of(tmp_path, kept_out, layout, ["id", "x"]) == [(1, "1", None)]
    assert codes_of(tmp_path, '[{"id": 1, "y": 2, "z": 3}]', layout) == ["DEL-704"]


def test_what_is_below_an_ignored_key_is_ignored_with_it(tmp_path: Path) -> None:
    file = tmp_path / "d.json"
    names = {"DUPONT Jean": {"tel": "1"}, "X": 2}
    file.write_text(json.dumps([{"id": 1, "people": {"names": names, "n": 3}}]), encoding="utf-8")
    words = {"en": "never read", "fr": "jamais lu"}
    layout = {"name": "*.json", "format": "json"}
    feed = make_feed(["id", "people.n"], file=layout, ignore={"people.names": words})
    assert read(file, feed)[1] == [(1, "1", "3")]
    beside = make_feed(["id", "people.n"], file=layout, ignore={"people.na": words})
    assert codes(file, beside) == ["DEL-704", "DEL-704"]


def test_keys_of_which_most_are_unknown_are_not_quoted(tmp_path: Path) -> None:
    file = tmp_path / "d.json"
    file.write_text('[{"id": 1, "DUPONT Jean": 2, "Y": 3}]', encoding="utf-8")
    with pytest.raises(DeliveryError) as refusal:
        read(file, make_feed(["id", "x"], file={"name": "*.json", "format": "json"}))
    assert [(one.code, one.values["column"]) for one in refusal.value.findings] == [
        ("DEL-704", "*")
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('[{"id": 1}, {"id": 2}', "DEL-711"),
        ('[{"id": 1}, {"id": 2', "DEL-711"),
        ('[{"id": 1}, {"id": "2', "DEL-711"),
        ('[{"id": 1}] {"id": 2}', "DEL-711"),
        ('[{"id": 1}][{"id": 2}]', "DEL-711"),
        ('[{"id": 1}] x', "DEL-711"),
        ('[{"id": 1},, {"id": 2}]', "DEL-711"),
        ('{"id": 1}', "DEL-733"),
        ('{"id": ', "DEL-711"),
        ("null", "DEL-733"),
        ("not json", "DEL-711"),
        ("[1, 2]", "DEL-717"),
        ("[]", "DEL-706"),
        ("[{}]", "DEL-706"),
        ("  \n", "DEL-706"),
        (b'[{"id": "\x81"}]', "DEL-701"),
    ],
)
def test_what_cannot_be_read_is_refused(tmp_path: Path, text: str | bytes, expected: str) -> None:
    assert codes_of(tmp_path, text, {"format": "json"}) == [expected]


@pytest.mark.parametrize(
    ("text", "path", "expected"),
    [
        ('{"data": [{"id": 1}]}', "$.events", "DEL-733"),
        ('{"isSuccess": false, "result": null}', "$.result", "DEL-733"),
        ('{"data": null}', "$.data.events", "DEL-733"),
        ('[{"id": 1}]', "$.events", "DEL-733"),
        ('{"events": {"id": 1', "$.events", "DEL-711"),
        ('{"events": [{"id": 1}]', "$.events", "DEL-711"),
        ('{"events": [{"id": 1}]}}', "$.events", "DEL-711"),
        ('{"events": {"id": 1}}', "$.events", "DEL-733"),
        ('{"events": {}}', "$.events", "DEL-733"),
        ('{"n": 1 "events": []}', "$.events", "DEL-711"),
    ],
)
def test_documents_around_the_array(tmp_path: Path, text: str, path: str, expected: str) -> None:
    assert codes_of(tmp_path, text, {"format": "json", "records": path}) == [expected]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"id": 1}\n{"id": \n{"id": 2}\n', "DEL-711"),
        ('{"id": 1}\n{"id": 2', "DEL-702"),
        ('{"id": 1}\n[2]\n', "DEL-717"),
        ('{"id": 1}{"id": 2}\n', "DEL-711"),
        ("\n\n", "DEL-706"),
    ],
)
def test_lines_that_cannot_be_read(tmp_path: Path, text: str, expected: str) -> None:
    assert codes_of(tmp_path, text, {"format": "ndjson"}) == [expected]


def test_a_place_that_is_sometimes_empty_is_no_column(tmp_path: Path) -> None:
    text = '[{"id": 1, "p": null}, {"id": 2, "p": {}}, {"id": 3, "p": {"x": 4}}]'
    rows = rows_of(tmp_path, text, {"format": "json"}, ["id", "p.x"])
    assert rows == [(1, "1", None), (2, "2", None), (3, "3", "4")]


def test_same_key_written_two_ways_is_refused(tmp_path: Path) -> None:
    text = '[{"id": 1, "a.b": 1, "a": {"b": 2}}]'
    file = tmp_path / "d.json"
    file.write_text(text)
    assert codes(file, make_feed(["id", "a.b"], file={"format": "json"})) == ["DEL-716"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('[{"id": 1, "x": 9, "x": 1}]', "DEL-734"),
        ('[{"id": 1}, {"id": 2, "x": {"n": 9, "n": 1}}]', "DEL-734"),
        ('[{"id": 1, "x": {"n": 9}, "x": {"n": 1}}]', "DEL-734"),
    ],
)
def test_a_key_given_twice_is_refused(tmp_path: Path, text: str, expected: str) -> None:
    assert codes_of(tmp_path, text, {"format": "json"}) == [expected]


def test_a_key_given_twice_in_a_property_is_refused(tmp_path: Path) -> None:
    one = '{"type": "Feature", "geometry": null, "properties": {"id": 1, "x": 2, "x": 3}}'
    text = '{"type": "FeatureCollection", "features": [' + one + "]}"
    assert codes_of(tmp_path, text, {"format": "geojson"}) == ["DEL-734"]


def test_a_path_of_properties_written_two_ways_is_refused(tmp_path: Path) -> None:
    one = feature(None, **{"id": 1, "x": 2, "a.b": 1, "a": {"b": 2}})
    text = json.dumps({"type": "FeatureCollection", "features": [one]})
    assert "DEL-716" in codes_of(tmp_path, text, {"format": "geojson"})
