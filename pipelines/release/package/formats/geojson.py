"""GeoJSON (RFC 7946), streamed: a feature a row; one without a known place has a null geometry.

Not here: which rows leave. Coordinates are WGS 84, longitude first, as the RFC has it.
"""

from __future__ import annotations

import json
from pathlib import Path

from pipelines.core.i18n import mark
from pipelines.release.package.formats.content import Content, Field
from pipelines.release.package.formats.format import Format
from schemas.sqltext import name


def write(content: Content, path: Path) -> None:
    """Write the file; the marking is a member of the collection beside its features."""
    head = {
        "type": "FeatureCollection",
        "name": content.name,
        "passerelle": {
            "handling": content.marking.level,
            "tlp": content.marking.tlp,
            "marking": content.marking_line,
            "extract_id": content.reference,
        },
    }
    opening = json.dumps(head, ensure_ascii=False)[:-1] + ', "features": [\n'
    with path.open("wb") as stream:
        stream.write(opening.encode("utf-8"))
        content.write_text(_features(content), stream)
        stream.write(b"\n]}\n")


def _features(content: Content) -> str:
    """Each feature as a line of text; a comma before each but the first."""
    packed = ", ".join(
        f"{name(field.name)} := {_value(field)}"
        for field in content.fields
        if field.name not in content.point
    )
    return f"""
        SELECT CASE WHEN row_number() OVER () > 1 THEN ',' || chr(10) ELSE '' END
            || '{{"type":"Feature","geometry":' || {_geometry(content)}
            || ',"properties":' || CAST(to_json(struct_pack({packed})) AS VARCHAR) || '}}'
        FROM {content.relation}"""


def _geometry(content: Content) -> str:
    latitude, longitude = map(name, content.point)
    return f"""coalesce('{{"type":"Point","coordinates":[' || CAST({longitude} AS VARCHAR)
        || ',' || CAST({latitude} AS VARCHAR) || ']}}', 'null')"""


def _value(field: Field) -> str:
    column = name(field.name)
    match field.duckdb_type:
        case "TIMESTAMP":
            return f"strftime({column}, '%Y-%m-%dT%H:%M:%SZ')"
        case "DATE":
            return f"strftime({column}, '%Y-%m-%d')"
        case _:
            return column


FORMAT = Format(
    name="geojson",
    label=mark("Map (GeoJSON)"),
    reading=mark(
        "GeoJSON, WGS 84. A row whose place is not given as a point has no geometry (null); join "
        "the codes of areas to a layer of boundaries to map it."
    ),
    write=write,
    has_geometry=True,
)
