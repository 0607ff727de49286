"""Gazetteers and boundaries from their publishers' own files: load them, and answer with them.

Not here: how each publisher lays its file out (`gazetteers`), and the shipped list.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pv
import pyarrow.parquet as pq

from pipelines.core.duck import LOOKUP_KEY_MACRO
from pipelines.core.findings import DeliveryError, Finding
from pipelines.core.settings import Settings
from pipelines.landing.gazetteers import AREA_SCHEMA, Gazetteer, read_gazetteer
from schemas.codelist import codelist_path

LOADED_AREAS_FILE = "admin_areas.parquet"
BOUNDARIES_FILE = "boundaries.parquet"
NOT_RECOGNISED = "DEL-720"
LIST_SCHEMA = pa.schema(
    [*AREA_SCHEMA] + [(column, pa.string()) for column in ("iso3166_2", "time_zone", "split_from")]
)


@dataclass(frozen=True)
class LoadedReference:
    """What one file brought: its kind, countries (ISO 3166-1 alpha-3), levels, areas and shapes."""

    file: str
    kind: str
    countries: tuple[str, ...]
    levels: tuple[int, ...]
    areas: int
    shapes: int


def load_reference(settings: Settings, files: Sequence[Path]) -> list[LoadedReference]:
    """Load gazetteers and boundaries into `<home>/reference/`, all of the files or none.

    Takes the OCHA list of P-codes (CSV), a COD-AB workbook (XLSX), and first- or second-level
    shapes with a P-code or ISO 3166-2 column (GeoJSON, GeoParquet). A file loaded twice changes
    nothing; a later file wins on the same code. Raises DeliveryError (DEL-720 a file) for files
    that are none of these, before anything is written.
    """
    from filelock import FileLock

    read: list[tuple[Path, Gazetteer]] = []
    refused: list[Finding] = []
    for file in files:
        gazetteer = read_gazetteer(Path(file))
        if gazetteer is None:
            refused.append(Finding(NOT_RECOGNISED, {"file_name": Path(file).name}))
        else:
            read.append((Path(file), gazetteer))
    if refused:
        raise DeliveryError(refused)
    settings.reference.mkdir(parents=True, exist_ok=True)
    with FileLock(settings.reference / ".lock"):
        for file, gazetteer in read:
            _merge(settings.reference, file, gazetteer)
    return [_summary(file, gazetteer) for file, gazetteer in read]


def all_admin_areas(settings: Settings) -> pa.Table:
    """The shipped list and what was loaded, one row a code (columns of `LIST_SCHEMA`).

    A loaded name that the shipped list does not know for that code becomes its label, and the
    labels that it replaces stay as aliases. Where the shipped list knows of no beginning there is
    none: a publisher's date says since when its file holds, not since when the area exists.
    """
    shipped = _shipped_areas()
    path = settings.reference / LOADED_AREAS_FILE
    if not path.is_file():
        return shipped
    with duckdb.connect() as connection:
        connection.execute(LOOKUP_KEY_MACRO)
        connection.register("shipped", shipped)
        connection.register("loaded", pq.read_table(path))
        return connection.execute(_UNITE_SQL).to_arrow_table().cast(LIST_SCHEMA)


def _shipped_areas() -> pa.Table:
    return pv.read_csv(
        codelist_path("admin_areas"),
        convert_options=pv.ConvertOptions(
            column_types=LIST_SCHEMA, strings_can_be_null=True, null_values=[""]
        ),
    ).select(LIST_SCHEMA.names)


_UNITE_SQL = """
WITH keyed AS (
    SELECT *, list_transform(
        list_concat([code, label_en, label_fr], string_split(coalesce(aliases, ''), '|')),
        lambda word: lookup_key(word)) AS keys
    FROM shipped),
known AS (
    SELECT l.*, list_contains(s.keys, lookup_key(l.label_en)) AS is_known_en,
           list_contains(s.keys, lookup_key(l.label_fr)) AS is_known_fr
    FROM loaded l JOIN keyed s USING (code))
SELECT s.code, coalesce(l.parent, s.parent) AS parent, s.country, s.level,
       coalesce(CASE WHEN NOT l.is_known_en THEN l.label_en END, s.label_en) AS label_en,
       coalesce(CASE WHEN NOT l.is_known_fr THEN l.label_fr END, s.label_fr) AS label_fr,
       CASE WHEN s.valid_from IS NOT NULL THEN least(s.valid_from, l.valid_from) END AS valid_from,
       greatest(s.valid_to, l.valid_to) AS valid_to,
       nullif(concat_ws('|', s.aliases, CASE WHEN NOT l.is_known_en THEN s.label_en END,
              CASE WHEN NOT l.is_known_fr THEN s.label_fr END, l.aliases), '') AS aliases,
       s.iso3166_2, s.time_zone, s.split_from
FROM shipped s LEFT JOIN known l USING (code)
UNION ALL BY NAME
SELECT *, NULL::VARCHAR AS iso3166_2, NULL::VARCHAR AS time_zone, NULL::VARCHAR AS split_from
FROM loaded ANTI JOIN shipped USING (code)
ORDER BY level, country, code
"""


def _merge(folder: Path, file: Path, gazetteer: Gazetteer) -> None:
    """Put one file's rows over those loaded before; each of the two tables changes at once."""
    source = {file.name: hashlib.sha256(file.read_bytes()).hexdigest()}
    named = gazetteer.areas.filter(pc.is_valid(gazetteer.areas["label_en"]))
    _put(folder / LOADED_AREAS_FILE, named, source, _AREAS_SQL)
    _put(folder / BOUNDARIES_FILE, gazetteer.shapes, source, _SHAPES_SQL)


_AREAS_SQL = """
SELECT * EXCLUDE (age) REPLACE (min(valid_from) OVER (PARTITION BY code) AS valid_from) FROM stacked
QUALIFY row_number() OVER (PARTITION BY code ORDER BY age) = 1 ORDER BY country, level, code
"""
_SHAPES_SQL = """
SELECT * EXCLUDE (age) FROM stacked
QUALIFY row_number() OVER (PARTITION BY code, valid_from ORDER BY age) = 1
ORDER BY level, code, valid_from
"""


def _put(path: Path, rows: pa.Table, source: dict[str, str], sql: str) -> None:
    """Rewrite a table with `rows` over its own; `sql` picks from `stacked`, the newest at age 0."""
    if not rows.num_rows:
        return
    before = pq.read_table(path) if path.is_file() else rows.schema.empty_table()
    sources = json.loads((before.schema.metadata or {}).get(b"sources", b"{}")) | source
    with duckdb.connect() as connection:
        connection.register("before", before)
        connection.register("later", rows)
        stacked = "SELECT *, 1 AS age FROM before UNION ALL SELECT *, 0 FROM later"
        after = connection.execute(f"WITH stacked AS ({stacked}) {sql}").to_arrow_table()
    metadata = {b"sources": json.dumps(sources, sort_keys=True).encode()}
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    after = after.cast(rows.schema).replace_schema_metadata(metadata)
    pq.write_table(after, draft, compression="zstd")
    draft.replace(path)


def _summary(file: Path, gazetteer: Gazetteer) -> LoadedReference:
    return LoadedReference(
        file=file.name,
        kind=gazetteer.kind,
        countries=tuple(sorted(set(gazetteer.areas["country"].to_pylist()))),
        levels=tuple(sorted(set(gazetteer.areas["level"].to_pylist()))),
        areas=gazetteer.areas.num_rows,
        shapes=gazetteer.shapes.num_rows,
    )
