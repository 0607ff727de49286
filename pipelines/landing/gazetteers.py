"""How publishers lay out their gazetteers and boundaries, read to one shape of rows.

Not here: keeping what was read, and uniting it with the shipped list (`reference`).

Recognised by their columns, in any case: OCHA's list of P-codes (CSV), COD-AB workbooks (XLSX), and
shapes (GeoJSON, GeoParquet) named the COD-AB way (`adm1_pcode`) or carrying ISO 3166-2 codes.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import duckdb
import pyarrow as pa

from schemas.codelist import codelist_path
from schemas.sqltext import literal, name

LEVELS = (1, 2)
AREA_SCHEMA = pa.schema(
    [
        ("code", pa.string()),
        ("parent", pa.string()),
        ("country", pa.string()),
        ("level", pa.int32()),
        ("label_en", pa.string()),
        ("label_fr", pa.string()),
        ("valid_from", pa.date32()),
        ("valid_to", pa.date32()),
        ("aliases", pa.string()),
    ]
)
SHAPE_SCHEMA = pa.schema(
    [
        ("code", pa.string()),
        ("country", pa.string()),
        ("level", pa.int32()),
        ("valid_from", pa.date32()),
        ("geometry", pa.binary()),
    ]
)
Kind = Literal["pcodes", "cod_ab", "boundaries"]
_PCODE_COLUMNS = ("location", "admin level", "p-code", "name", "parent p-code")
_NUMBER = "row_number__"  # which row of the raw table an area came from, so that shapes follow


@dataclass(frozen=True)
class Gazetteer:
    """What a file says: areas (`AREA_SCHEMA`), and shapes in degrees as WKB (`SHAPE_SCHEMA`).

    An area without labels is one that the shipped list names already; only its shape is news.
    """

    kind: Kind
    areas: pa.Table
    shapes: pa.Table


@dataclass(frozen=True)
class _Raw:
    """Text columns by their lower-case names, a table a sheet; a shape for each row, if any."""

    tables: list[pa.Table]
    shapes: Any = None


def read_gazetteer(file: Path) -> Gazetteer | None:
    """The areas and shapes of a file; None where it is none of the layouts that we know.

    Raises FileNotFoundError.
    """
    readers = {
        ".csv": _read_csv,
        ".xlsx": _read_workbook,
        ".geojson": _read_geojson,
        ".json": _read_geojson,
        ".parquet": _read_geoparquet,
        ".geoparquet": _read_geoparquet,
    }
    if not file.is_file():
        raise FileNotFoundError(file)
    reader = readers.get(file.suffix.lower())
    raw = reader(file) if reader else None
    if raw is None:
        return None
    found = [areas for table in raw.tables if (areas := _areas_of(table)) is not None]
    if not found or not (areas := pa.concat_tables(found)).num_rows:
        return None
    shapes = SHAPE_SCHEMA.empty_table()
    if raw.shapes is not None:
        areas, shapes = _unite_parts(areas, raw.shapes)
        return Gazetteer("boundaries", areas, shapes)
    is_workbook = file.suffix.lower() == ".xlsx"
    return Gazetteer("cod_ab" if is_workbook else "pcodes", areas.drop([_NUMBER]), shapes)


def _read_csv(file: Path) -> _Raw | None:
    try:
        with duckdb.connect() as connection:
            table = connection.read_csv(str(file), all_varchar=True, header=True).to_arrow_table()
    except duckdb.Error:
        return None
    return _Raw([table.rename_columns([column.strip().lower() for column in table.column_names])])


def _read_workbook(file: Path) -> _Raw | None:
    """The sheets that are named for a level, as in `caf_admin1`."""
    from python_calamine import CalamineError, CalamineWorkbook

    try:
        workbook = CalamineWorkbook.from_path(str(file))
        sheets = [s for s in workbook.sheet_names if re.search(r"adm(in)?_?[12]$", s.lower())]
        grids = [workbook.get_sheet_by_name(sheet).to_python() for sheet in sheets]
    except (CalamineError, OSError):
        return None
    return _Raw([_sheet_table(grid) for grid in grids if len(grid) > 1])


def _sheet_table(grid: list[list[Any]]) -> pa.Table:
    """Columns by the first row; a column without a name, or with one taken before, is left out."""
    columns: dict[str, pa.Array] = {}
    for header, cells in zip(grid[0], zip(*grid[1:], strict=True), strict=True):
        columns.setdefault(str(header).strip().lower(), _texts(cells))
    columns.pop("", None)
    return pa.table(columns)


def _read_geojson(file: Path) -> _Raw | None:
    import shapely

    try:
        features = json.loads(file.read_text(encoding="utf-8-sig"))["features"]
        properties = [feature.get("properties") or {} for feature in features]
        shapes = shapely.from_geojson([json.dumps(feature["geometry"]) for feature in features])
    except (ValueError, KeyError, TypeError, AttributeError, shapely.GEOSException):
        return None
    keys = {key for row in properties for key in row}
    table = pa.table(
        {key.lower(): _texts([row.get(key) for row in properties]) for key in sorted(keys)}
    )
    return _in_degrees(_Raw([table], shapes))


def _read_geoparquet(file: Path) -> _Raw | None:
    """GeoParquet 1.x: WKB, or the native polygon and multipolygon encodings."""
    import pyarrow.parquet as pq
    import shapely

    try:
        table = pq.read_table(file)
        geo = json.loads(table.schema.metadata[b"geo"])
        column = geo["primary_column"]
        encoding = geo["columns"][column]["encoding"].lower()
        cells = table[column].combine_chunks()
    except (pa.ArrowException, ValueError, KeyError, TypeError):
        return None
    if encoding == "wkb":
        shapes = shapely.from_wkb(cells.to_numpy(zero_copy_only=False))
    elif encoding in _DEPTH:
        shapes = _native_shapes(cells, encoding)
    else:
        return None
    plain = [f.name for f in table.schema if f.name != column and not pa.types.is_nested(f.type)]
    texts = {field.lower(): table[field].cast(pa.string()) for field in plain}
    return _in_degrees(_Raw([pa.table(texts)], shapes))


_DEPTH = {"polygon": 2, "multipolygon": 3}


def _native_shapes(cells: Any, encoding: str) -> Any:
    """Shapes of GeoParquet's native encodings: lists of rings (of parts) of x and y."""
    import numpy as np
    import shapely

    offsets: list[Any] = []
    for _ in range(_DEPTH[encoding]):
        offsets.insert(0, np.asarray(cells.offsets))
        cells = cells.values
    pairs = np.column_stack([cells.field("x"), cells.field("y")])
    kind = getattr(shapely.GeometryType, encoding.upper())
    return shapely.from_ragged_array(kind, pairs, tuple(offsets))


def _in_degrees(raw: _Raw) -> _Raw | None:
    """The same, or None where there is no shape or the coordinates cannot be degrees."""
    import numpy as np
    import shapely

    if shapely.is_empty(raw.shapes).all():  # also where there is no feature at all
        return None
    reach = np.abs(shapely.total_bounds(raw.shapes))
    return raw if bool((reach <= [180, 90, 180, 90]).all()) else None


def _areas_of(table: pa.Table) -> pa.Table | None:
    """The areas of a raw table and the row that each came from; None for an unknown layout."""
    columns = set(table.column_names)
    deepest = [level for level in (4, 3, 2, 1) if f"adm{level}_pcode" in columns][:1]
    if deepest and deepest[0] in LEVELS:
        sql = _cod_ab_sql(columns, deepest[0])
    elif columns.issuperset(_PCODE_COLUMNS):
        sql = _pcodes_sql(columns)
    elif not deepest and "iso_3166_2" in columns:
        sql = _iso_sql()
    else:
        return None
    schema = pa.schema([*AREA_SCHEMA, (_NUMBER, pa.int64())])
    with duckdb.connect() as connection:
        numbers = pa.array(range(table.num_rows), pa.int64())
        connection.register("raw", table.append_column(_NUMBER, numbers))
        rows = connection.execute(sql).to_arrow_table()
    return rows.rename_columns(schema.names).cast(schema)


def _pcodes_sql(columns: set[str]) -> str:
    """OCHA's list: a row an area of any level; a row of HXL tags may follow the header."""
    since = 'TRY_CAST("valid from date" AS DATE)' if "valid from date" in columns else "NULL"
    levels = ", ".join(literal(str(level)) for level in LEVELS)
    return f"""
    SELECT "p-code" AS code, CASE WHEN "admin level" <> '1' THEN "parent p-code" END,
           upper(location), "admin level"::INTEGER, name, name, {since}, NULL::DATE,
           NULL::VARCHAR, {_NUMBER}
    FROM raw
    WHERE "admin level" IN ({levels}) AND length(location) = 3 AND "p-code" <> '' AND name <> ''
    ORDER BY code, {_NUMBER}
    """


def _cod_ab_sql(columns: set[str], level: int) -> str:
    """A row an area; names by language where the file says which column is in which."""
    words = {
        column: f"nullif(nullif({name(column)}, ''), 'None')"
        for column in sorted(columns)
        if re.fullmatch(rf"adm{level}_(name\d?|ref|en|fr)", column)
    }

    def label(language: str) -> str:
        told = [words[column] for column in (f"adm{level}_{language}",) if column in words]
        told += [
            f"CASE WHEN raw.lang{suffix} = {literal(language)} THEN {words[column]} END"
            for suffix in ("", "1", "2", "3")
            if (column := f"adm{level}_name{suffix}") in words and f"lang{suffix}" in columns
        ]
        return f"coalesce({', '.join([*told, *words.values(), code])})"

    def date(*candidates: str) -> str:
        found = next((column for column in candidates if column in columns), None)
        return f"TRY_CAST(left(raw.{name(found)}, 10) AS DATE)" if found else "NULL::DATE"

    code = f"raw.adm{level}_pcode"
    parent = f"raw.adm{level - 1}_pcode" if level > 1 else "NULL::VARCHAR"
    country = "raw.iso3" if "iso3" in columns else "raw.adm0_pcode"
    countries = literal(str(codelist_path("countries")))
    return f"""
    SELECT {code} AS code, {parent}, countries.code, {level}, {label("en")}, {label("fr")},
           {date("valid_on", "validon", "date")}, {date("valid_to", "validto")},
           nullif(array_to_string(list_distinct(list_filter([{", ".join(words.values())}],
               lambda word: word IS NOT NULL)), '|'), ''), {_NUMBER}
    FROM raw JOIN read_csv({countries}, all_varchar = true) countries
         ON upper({country}) IN (countries.code, countries.alpha_2)
    WHERE {code} <> ''
    ORDER BY 1, {_NUMBER}
    """


def _iso_sql() -> str:
    """Shapes that carry ISO 3166-2 codes: areas of the shipped list, which names them already."""
    areas = literal(str(codelist_path("admin_areas")))
    return f"""
    SELECT a.code, NULL::VARCHAR, a.country, 1, NULL, NULL, NULL::DATE, NULL::DATE, NULL, {_NUMBER}
    FROM raw JOIN read_csv({areas}, all_varchar = true) a ON raw.iso_3166_2 = a.iso3166_2
    ORDER BY 1, {_NUMBER}
    """


def _unite_parts(areas: pa.Table, shapes: Any) -> tuple[pa.Table, pa.Table]:
    """One row and one valid shape a code: some files give an area in several features."""
    import numpy as np
    import shapely

    codes = np.array(areas["code"].to_pylist(), dtype=object)
    distinct, first, part_of = np.unique(codes, return_index=True, return_inverse=True)
    parts = shapely.make_valid(shapes[areas[_NUMBER].to_numpy()])
    whole = [shapely.union_all(parts[part_of == number]) for number in range(len(distinct))]
    areas = areas.take(pa.array(first)).drop([_NUMBER])
    columns = [areas[column] for column in ("code", "country", "level", "valid_from")]
    wkb = pa.array(shapely.to_wkb(np.array(whole, dtype=object)), pa.binary())
    return areas, pa.table([*columns, wkb], schema=SHAPE_SCHEMA)


def _texts(cells: Any) -> pa.Array:
    """Workbook or JSON cells as text; an empty one is absent."""
    return pa.array([None if cell is None or cell == "" else str(cell) for cell in cells])
