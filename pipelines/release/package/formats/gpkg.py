"""GeoPackage for QGIS and ArcGIS: one layer of points; a row without a known place has no geometry.

Not here: which rows leave.

GDAL writes it from a stream of Arrow batches. It would put the clock into the file: the moment of
the last change is set to that of the extract's date instead, so that the same rows give the same
bytes. That is an option of the whole process, so one file is written at a time.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.core.i18n import mark
from pipelines.release.package.formats.content import (
    ROWS_A_BATCH,
    Content,
    Field,
    joined,
)
from pipelines.release.package.formats.format import Format
from schemas.sqltext import name

if TYPE_CHECKING:
    import pyarrow as pa

GEOMETRY = "geom"
POINT = [("order", "u1"), ("kind", "<u4"), ("x", "<f8"), ("y", "<f8")]  # well-known binary
POINT_BYTES = 21
CLOCK = "OGR_CURRENT_DATE"
STOPPED_CLOCK = "2000-01-01T00:00:00.000Z"
_ONE_AT_A_TIME = threading.Lock()


def write(content: Content, path: Path) -> None:
    """Write the file."""
    import pyarrow as pa
    import pyogrio

    reader = content.connection.execute(_query(content)).to_arrow_reader(ROWS_A_BATCH)
    schema = _schema(content, reader.schema)
    stream = pa.RecordBatchReader.from_batches(schema, _with_points(reader, schema, content.point))
    about = {
        "handling": content.marking.level,
        "tlp": content.marking.tlp,
        "marking": content.marking_line,
        "extract_id": content.reference,
    }
    options = {"IDENTIFIER": content.title, "DESCRIPTION": content.marking_line}
    with _ONE_AT_A_TIME:
        before = pyogrio.get_gdal_config_option(CLOCK)
        pyogrio.set_gdal_config_options({CLOCK: STOPPED_CLOCK})
        try:
            pyogrio.write_arrow(
                stream,
                path,
                layer=content.name,
                driver="GPKG",
                layer_metadata=about,
                dataset_metadata=about,
                layer_options=options,
                geometry_name=GEOMETRY,
                geometry_type="Point",
                crs="EPSG:4326",
            )
        finally:
            pyogrio.set_gdal_config_options({CLOCK: before})


def _query(content: Content) -> str:
    columns = [_column(field) for field in content.fields]
    return f"SELECT {', '.join(columns)} FROM {content.relation}"


def _column(field: Field) -> str:
    if field.duckdb_type == "VARCHAR[]":
        return f"{joined(field.name)} AS {name(field.name)}"
    return name(field.name)


def _schema(content: Content, found: pa.Schema) -> pa.Schema:
    """As found, with times said to be UTC (the format wants the zone) and the points at the end."""
    import pyarrow as pa

    fields = [
        one.with_type(pa.timestamp("ms", tz="UTC")) if pa.types.is_timestamp(one.type) else one
        for one in found
    ]
    as_points = {"ARROW:extension:name": "geoarrow.wkb"}
    return pa.schema([*fields, pa.field(GEOMETRY, pa.binary(), metadata=as_points)])


def _with_points(
    batches: Iterator[pa.RecordBatch], schema: pa.Schema, point: tuple[str, ...]
) -> Iterator[pa.RecordBatch]:
    import pyarrow as pa

    for batch in batches:
        columns = [
            column.cast(field.type) for column, field in zip(batch.columns, schema, strict=False)
        ]
        yield pa.record_batch([*columns, _points(batch, point)], schema=schema)


def _points(batch: pa.RecordBatch, point: tuple[str, ...]) -> pa.Array:
    """The points of a batch in well-known binary, NULL where either coordinate is."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    latitude, longitude = map(batch.column, point)
    points = np.zeros(len(batch), dtype=POINT)
    points["order"], points["kind"] = 1, 1
    points["x"] = pc.fill_null(longitude, 0.0).to_numpy(zero_copy_only=False)
    points["y"] = pc.fill_null(latitude, 0.0).to_numpy(zero_copy_only=False)
    whole = pa.FixedSizeBinaryArray.from_buffers(
        pa.binary(POINT_BYTES), len(batch), [None, pa.py_buffer(points.tobytes())]
    )
    is_known = pc.and_(pc.is_valid(longitude), pc.is_valid(latitude))
    return pc.if_else(is_known, whole.cast(pa.binary()), pa.scalar(None, pa.binary()))


FORMAT = Format(
    name="gpkg",
    label=mark("Map (GeoPackage)"),
    reading=mark(
        "GeoPackage, WGS 84, one layer. A row whose place is not given as a point has no geometry; "
        "join the codes of areas to a layer of boundaries to map it."
    ),
    write=write,
    has_geometry=True,
    extra="geopackage",
    needs="pyogrio",  # which brings GDAL
)
