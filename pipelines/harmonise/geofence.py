"""Whether a position can lie in the named country or area: a table of grid cells to join on.

Not here: the outlines (`schemas/codelists`), loaded boundaries (`landing.reference`), the rule.

A cell is 0.1° square. An area owns every cell that its outline touches, so the answer errs on the
side of the provider by up to a cell; it tells a wrong country or a swapped pair of coordinates,
and never where a frontier runs. All of 2,789 UCDP events in CAR and South Sudan fall in
their country; of the 2,733 that name a first-level area, all but 12 fall in it.

Why not polygons: over 5 M points (shapely 2.2, DuckDB 1.5.5, four shared cores) this join takes
0.2 s a level inside the query that runs anyway. `shapely.contains_xy`, each point against its own
prepared outline, takes 0.9–1.1 s for areas and 0.8 s for countries on one thread, and 0.9–1.4 s
more to hand the columns over and back; its rows would leave the one pass over the delivery.
"""

from __future__ import annotations

import hashlib
import os
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.csv as pv
import pyarrow.parquet as pq

from pipelines.core.settings import Settings
from pipelines.landing.reference import BOUNDARIES_FILE, LOADED_AREAS_FILE, all_admin_areas
from schemas.codelist import CODELISTS_FOLDER

if TYPE_CHECKING:
    from numpy.typing import NDArray

CELLS_PER_DEGREE = 10
CELLS_AROUND = 360 * CELLS_PER_DEGREE
_CELLS = CELLS_AROUND * 180 * CELLS_PER_DEGREE
OUTLINES_FILE = CODELISTS_FOLDER / "admin1_outlines.csv"
AREAS_FILE = CODELISTS_FOLDER / "admin_areas.csv"
# A loaded boundary is exact, and its edge may run along a cell's: some two kilometres of grace.
BOUNDARY_SLACK_DEG = 0.02
_METHOD = b"1"  # part of the cache key: raise it when the cells would come out differently
_SCHEMA = pa.schema(
    [("cell", pa.int32()), ("country", pa.string()), ("admin1_code", pa.string()),
     ("is_whole", pa.bool_())]
)  # fmt: skip


def cell_sql(latitude: str, longitude: str) -> str:
    """SQL of the number of the cell that holds a position in degrees.

    TRY_CAST, since a latitude of 1e300 belongs to a rule, not to an overflow.
    """
    return (
        f"TRY_CAST(floor(({latitude} + 90) * 10) * 3600"
        f" + floor(({longitude} + 180) * 10) AS INTEGER)"
    )


def geofence_cells(settings: Settings) -> pa.Table:
    """The cells of every first-level area that has an outline.

    Columns: `cell` INTEGER (`cell_sql`), `country`, `admin1_code`, `is_whole` (no other area that
    was valid on a common day touches the cell). Kept as `<home>/reference/geofence.parquet` until
    an input changes.
    """
    cached = settings.reference / "geofence.parquet"
    key = _input_key(settings)
    if cached.is_file():
        found: pa.Table = pq.read_table(cached)
        if (found.schema.metadata or {}).get(b"inputs") == key:
            return found.replace_schema_metadata(None)
    cells = _compute(settings)
    cached.parent.mkdir(parents=True, exist_ok=True)
    draft = cached.with_name(f".{cached.name}.{os.getpid()}-{threading.get_ident()}")
    pq.write_table(cells.replace_schema_metadata({b"inputs": key}), draft, compression="zstd")
    draft.replace(cached)
    return cells


@dataclass(frozen=True)
class Fence:
    """The cells as a query joins them: one row a cell, with the codes that own it.

    `cells` has the columns `cell`, `country_codes` and `admin1_codes`; `countries` and
    `areas` are the codes that have an outline.
    """

    cells: pa.Table
    countries: tuple[str, ...]
    areas: tuple[str, ...]


_fences: dict[bytes, Fence] = {}


def fence(settings: Settings) -> Fence:
    """The geofence for a query; made once a process, and again when an input changes."""
    key = _input_key(settings)
    if key not in _fences:
        _fences[key] = _fence(geofence_cells(settings))
    return _fences[key]


def _fence(cells: pa.Table) -> Fence:
    with duckdb.connect() as connection:
        connection.register("cells", cells)
        by_cell = connection.execute(
            "SELECT cell, list(DISTINCT country) AS country_codes, "
            "list(DISTINCT admin1_code) AS admin1_codes "
            "FROM cells GROUP BY cell ORDER BY cell"
        ).to_arrow_table()
    return Fence(
        by_cell,
        tuple(sorted(set(cells["country"].to_pylist()))),
        tuple(sorted(set(cells["admin1_code"].to_pylist()))),
    )


def _input_key(settings: Settings) -> bytes:
    digest = hashlib.sha256(_METHOD)
    loaded = (settings.reference / BOUNDARIES_FILE, settings.reference / LOADED_AREAS_FILE)
    for path in (OUTLINES_FILE, AREAS_FILE, *loaded):
        digest.update(path.read_bytes() if path.is_file() else b"-")
        digest.update(b"\0")
    return digest.hexdigest().encode()


def _compute(settings: Settings) -> pa.Table:
    shapes = _shapes(settings)
    areas = _first_level(settings, [code for code, _ in shapes])
    number = {code: row for row, code in enumerate(areas["code"].to_pylist())}
    cells = [
        number[code] * _CELLS + touched_cells(shape) for code, shape in shapes if code in number
    ]
    pairs = np.unique(np.concatenate(cells or [np.empty(0, np.int64)]))
    owner, cell = np.divmod(pairs, _CELLS)
    named = areas.select(["country", "code"]).take(pa.array(owner))
    return pa.table(
        [cell.astype(np.int32), *named.columns, _is_whole(areas, owner, cell)], schema=_SCHEMA
    )


def touched_cells(shape: Any) -> NDArray[np.int64]:
    """The cells that a shape (degrees, longitude first) touches, in no order, each once.

    Whole blocks of cells are settled at once where the shape covers or misses them, so that the
    work grows with the length of the outline rather than with the area.
    """
    import shapely

    shapely.prepare(shape)
    west, south, east, north = shape.bounds
    block = 16
    reach = np.array([[south + 90, north + 90], [west + 180, east + 180]]) * CELLS_PER_DEGREE
    (bottom, top), (left, right) = (reach // block).astype(np.int64)
    y, x = np.mgrid[bottom : top + 1, left : right + 1].reshape(2, -1) * block
    settled = [np.empty(0, np.int64)]
    while block > 1:
        boxes = _boxes(x, y, block)
        touches = shapely.intersects(shape, boxes)
        x, y, boxes = x[touches], y[touches], boxes[touches]
        is_inside = shapely.contains_properly(shape, boxes)
        settled.append(_cells_of_blocks(x[is_inside], y[is_inside], block))
        x, y, block = _halves(x[~is_inside], y[~is_inside], block)
    touches = shapely.intersects(shape, _boxes(x, y, 1))
    return np.concatenate([*settled, y[touches] * CELLS_AROUND + x[touches]])


def _boxes(x: NDArray[np.int64], y: NDArray[np.int64], block: int) -> NDArray[Any]:
    import shapely

    west, south = x / CELLS_PER_DEGREE - 180, y / CELLS_PER_DEGREE - 90
    side = block / CELLS_PER_DEGREE
    boxes: NDArray[Any] = shapely.box(west, south, west + side, south + side)
    return boxes


def _halves(
    x: NDArray[np.int64], y: NDArray[np.int64], block: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], int]:
    half = block // 2
    quarters_x = np.repeat(x, 4) + np.tile([0, half, 0, half], len(x))
    quarters_y = np.repeat(y, 4) + np.tile([0, 0, half, half], len(y))
    return quarters_x, quarters_y, half


def _cells_of_blocks(x: NDArray[np.int64], y: NDArray[np.int64], block: int) -> NDArray[np.int64]:
    rows, columns = np.divmod(np.arange(block * block), block)
    inside = rows * CELLS_AROUND + columns
    cells: NDArray[np.int64] = ((y * CELLS_AROUND + x)[:, None] + inside).ravel()
    return cells


def _first_level(settings: Settings, codes: list[str]) -> pa.Table:
    import pyarrow.compute as pc

    areas = all_admin_areas(settings)
    is_wanted = pc.and_(pc.equal(areas["level"], 1), pc.is_in(areas["code"], pa.array(codes)))
    return areas.filter(is_wanted).combine_chunks()


def _shapes(settings: Settings) -> list[tuple[str, Any]]:
    """(code, shape) of each first-level area: loaded boundaries where there are, else outlines."""
    import pyarrow.compute as pc
    import shapely

    path: Path = settings.reference / BOUNDARIES_FILE
    loaded: list[tuple[str, Any]] = []
    if path.is_file():
        table = pq.read_table(path, filters=pc.field("level") == 1)
        exact = shapely.from_wkb(table["geometry"].to_numpy(zero_copy_only=False))
        loaded = list(
            zip(table["code"].to_pylist(), shapely.buffer(exact, BOUNDARY_SLACK_DEG), strict=True)
        )
    outlines = pv.read_csv(OUTLINES_FILE)
    coarse = shapely.from_wkt(outlines["wkt"].to_numpy(zero_copy_only=False))
    known = {code for code, _ in loaded}
    shipped = zip(outlines["code"].to_pylist(), coarse, strict=True)
    return loaded + [(code, shape) for code, shape in shipped if code not in known]


def _is_whole(
    areas: pa.Table, owner: NDArray[np.int64], cell: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """For each (area, cell): does no competing area touch the cell?"""
    distinct, position = np.unique(cell, return_inverse=True)
    touches = np.zeros((areas.num_rows, len(distinct)), dtype=np.float32)
    touches[owner, position] = 1
    rivals = _competes(areas).astype(np.float32) @ touches
    whole: NDArray[np.bool_] = rivals[owner, position] == 0
    return whole


def _competes(areas: pa.Table) -> NDArray[np.bool_]:
    """Which pairs of areas were valid on a common day."""
    starts = _days(areas["valid_from"], "0001-01-01")
    ends = _days(areas["valid_to"], "9999-12-31")
    rivals: NDArray[np.bool_] = (starts[:, None] <= ends) & (starts <= ends[:, None])
    np.fill_diagonal(rivals, val=False)
    return rivals


def _days(column: pa.ChunkedArray, absent: str) -> NDArray[np.datetime64]:
    days: NDArray[np.datetime64] = np.array(column.to_pylist(), dtype="datetime64[D]")
    return np.where(np.isnat(days), np.datetime64(absent), days)
