"""The cells of the geofence: held to brute force, to validity, and to their inputs.

Not here: the outlines themselves (`tests/contract/test_codelists.py`).
"""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
import shapely

from pipelines.core.settings import Settings, settings_for
from pipelines.harmonise.geofence import cell_sql, geofence_cells, touched_cells
from pipelines.landing.gazetteers import SHAPE_SCHEMA
from pipelines.landing.reference import BOUNDARIES_FILE

CELL_SQL = cell_sql("latitude_deg", "longitude_deg")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return settings_for(tmp_path / "home")


def brute_force(shape: shapely.Geometry) -> set[int]:
    west, south, east, north = shape.bounds
    found = set()
    for row in range(int((south + 90) * 10) - 1, int((north + 90) * 10) + 2):
        for column in range(int((west + 180) * 10) - 1, int((east + 180) * 10) + 2):
            left, bottom = column / 10 - 180, row / 10 - 90
            if shape.intersects(shapely.box(left, bottom, left + 0.1, bottom + 0.1)):
                found.add(row * 3600 + column)
    return found


def star(seed: int, radius_deg: float) -> shapely.Geometry:
    """A jagged ring around a place of its own."""
    rng = np.random.default_rng(seed)
    angles = np.sort(rng.uniform(0, 2 * np.pi, 17))
    reach = rng.uniform(0.2, 1, 17) * radius_deg
    middle = rng.uniform([-170, -80], [170, 80])
    return shapely.Polygon(
        middle + np.column_stack([reach * np.cos(angles), reach * np.sin(angles)])
    ).buffer(0)


@pytest.mark.parametrize("radius_deg", [0.02, 0.3, 2.5])
@pytest.mark.parametrize("seed", range(6))
def test_cells_are_those_of_brute_force(seed: int, radius_deg: float) -> None:
    shape = star(seed, radius_deg)
    cells = touched_cells(shape)
    assert len(set(cells.tolist())) == len(cells)
    assert set(cells.tolist()) == brute_force(shape)


def test_a_point_on_the_edge_of_a_cell_is_where_its_area_is() -> None:
    """Tenths of a degree, which binary numbers cannot say, are edges and corners of cells."""
    shape = shapely.box(18.25, 4.05, 18.95, 4.75)
    cells = set(touched_cells(shape).tolist())
    tenths = [(lon / 10, lat / 10) for lon in range(180, 193) for lat in range(38, 51)]
    with duckdb.connect() as connection:
        for longitude, latitude in tenths:
            query = f"SELECT {CELL_SQL} FROM (SELECT ? AS latitude_deg, ? AS longitude_deg)"
            [cell] = connection.execute(query, [latitude, longitude]).fetchone() or [None]
            is_inside = 18.3 <= longitude <= 18.9 and 4.1 <= latitude <= 4.7
            is_far = not (18.15 <= longitude <= 19.05 and 3.95 <= latitude <= 4.85)
            assert cell in cells or not is_inside, (longitude, latitude)
            assert cell not in cells or not is_far, (longitude, latitude)


def test_holes_and_parts_are_seen() -> None:
    ring = shapely.box(20.03, 5.03, 24.03, 9.03).difference(shapely.box(21.03, 6.03, 23.03, 8.03))
    both = shapely.union_all([ring, shapely.box(30.01, 5.01, 30.02, 5.02)])
    cells = set(touched_cells(both).tolist())
    assert cells == brute_force(both)
    assert (90 + 7) * 10 * 3600 + (180 + 22) * 10 not in cells


def judge(settings: Settings, latitude: float, longitude: float) -> set[str]:
    with duckdb.connect() as connection:
        connection.register("cells", geofence_cells(settings))
        rows = connection.execute(
            f"SELECT unnest([country, admin1_code]) FROM cells JOIN "
            f"(SELECT ?::DOUBLE AS latitude_deg, ?::DOUBLE AS longitude_deg) ON cell = {CELL_SQL}",
            [latitude, longitude],
        ).fetchall()
    return {code for (code,) in rows}


def test_places_are_in_their_area_and_swapped_ones_nowhere(settings: Settings) -> None:
    bambari, bunia, bor = (5.77, 20.67), (1.57, 30.25), (6.21, 31.56)
    assert judge(settings, *bambari) == {"CAF", "CF43"}
    assert {"COD", "CD54", "CD50"} <= judge(settings, *bunia)
    assert {"SSD", "SS03"} <= judge(settings, *bor)
    for latitude, longitude in (bambari, bunia, bor):
        assert judge(settings, longitude, latitude) == set()
        assert judge(settings, -latitude - 14, longitude) == set()
    assert {"CAF", "COD"} <= judge(settings, 4.36, 18.58), "the river at Bangui is both countries'"


def test_whole_cells_follow_validity(settings: Settings) -> None:
    cells = geofence_cells(settings)

    def whole(code: str) -> float:
        mine = cells.filter(pc.equal(cells["admin1_code"], code))
        return float(pc.mean(mine["is_whole"].cast(pa.float64())).as_py())

    assert whole("CF53") > 0.6
    assert whole("CD31") > 0.5, "Bandundu had ended when Kwango began"
    assert whole("CF21") == whole("CF24") == 0, "both are valid now, on the same outline"
    assert whole("SS06-RAA") == 0


def test_cells_are_kept_until_an_input_changes(settings: Settings) -> None:
    first = geofence_cells(settings)
    kept = settings.reference / "geofence.parquet"
    stamp = kept.stat().st_mtime_ns
    assert geofence_cells(settings).equals(first)
    assert kept.stat().st_mtime_ns == stamp
    assert [path.name for path in settings.reference.iterdir()] == ["geofence.parquet"]
    load_square(settings)
    changed = geofence_cells(settings)
    assert not changed.equals(first)
    assert pq.read_table(kept).equals(changed)


def load_square(settings: Settings) -> None:
    square = shapely.to_wkb(shapely.box(10, 40, 10.2, 40.2))
    row = [["CF53"], ["CAF"], [1], [dt.date(2024, 1, 1)], [square]]
    table = pa.table([pa.array(column) for column in row], names=SHAPE_SCHEMA.names)
    settings.reference.mkdir(parents=True, exist_ok=True)
    pq.write_table(table.cast(SHAPE_SCHEMA), settings.reference / BOUNDARIES_FILE)


def test_a_loaded_boundary_replaces_the_outline(settings: Settings) -> None:
    birao = (10.29, 22.79)
    assert "CF53" in judge(settings, *birao)
    load_square(settings)
    assert "CF53" not in judge(settings, *birao)
    assert "CF53" in judge(settings, 40.1, 10.1)
    assert "CF52" in judge(settings, 6.54, 21.99), "areas without a boundary keep their outline"
