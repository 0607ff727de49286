"""JSON to a staged table: an array of records, one record a line, or GeoJSON features.

Not here: finding the array in a document (`json_slice`), which columns are wanted (`columns`).

A record's column is a leaf of it, named by its path: `a.b.c`; in GeoJSON by its path under
`properties`, and `longitude`, `latitude` of the point; the feature's own `id`, which many programs
number anew at every export, is no column. Arrays stay JSON text. The number of a row is the ordinal
of its record, or its line where each line is one.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import duckdb

from pipelines.core.findings import DeliveryError
from pipelines.landing.columns import Columns
from pipelines.landing.lines import longest_line
from pipelines.landing.readers.encoding import demand_utf8
from pipelines.landing.readers.json_slice import is_too_deep, slice_array
from pipelines.landing.readers.staging import TextProfile, cell_list, in_one_form
from pipelines.landing.refuse import KILOBYTE, refusal
from schemas.feed import Layout
from schemas.sqltext import literal

LARGEST_RECORD_BYTES = 16 * 1024**2
BATCH_BYTES = 16 * 1024**2
LOCATABLE_BYTES = 64 * 1024**2  # a document up to this size is parsed again to name the broken line
SUSPECT_BRACKETS = 50  # fewer opening brackets cannot nest too deep; only more are looked into
OBJECTS = "landing_objects"
OF_A_FEATURE = ("type", "id", "bbox", "geometry")
POINT = {"longitude": "/geometry/coordinates/0", "latitude": "/geometry/coordinates/1"}

KeyPath = tuple[str, ...]


@dataclass(frozen=True)
class JsonRecords:
    r"""Records staged in `landing_objects(body)`, and the JSON pointer of every leaf of theirs.

    `has_signs` is False where no text can hold a sign that would be taken out, `has_escapes` where
    none is written as `\u200e`.
    """

    headings: tuple[str, ...]
    pointers: tuple[str, ...]
    has_signs: bool = True
    has_escapes: bool = True


def open_json(
    connection: duckdb.DuckDBPyConnection, file: Path, shown: Path, layout: Layout, scratch: Path
) -> JsonRecords:
    """Stage the records of `file` (UTF-8) and find every leaf that any of them has.

    Raises DeliveryError: DEL-701 encoding, DEL-702 or DEL-711 malformed, DEL-706 no record with a
    value, DEL-707 a record beyond the limit, DEL-717 a record that is no object or no point,
    DEL-733 no such array, DEL-734 a key twice in one object.
    """
    if layout.format == "ndjson":
        _stage_lines(connection, file, shown)
    else:
        path = records_path(layout)
        stage_array(connection, slice_array(file, path, scratch / "records.json", shown), shown)
    _demand_shallow(connection, shown)
    _demand_none(connection, shown, "json_type(body) <> 'OBJECT'")
    paths = _leaves(connection)
    if not paths:
        raise refusal("DEL-706", shown)
    _demand_each_key_once(connection, paths, shown)
    if layout.format == "geojson":
        other = "body->>'$.geometry.type' <> 'Point'"
        _demand_none(connection, shown, other)
        records = _features(paths)
    else:
        records = JsonRecords(tuple(map(".".join, paths)), tuple(map(_pointer, paths)))
    return replace(records, has_escapes=_has_escapes(connection))


def _has_escapes(connection: duckdb.DuckDBPyConnection) -> bool:
    [(has_escapes,)] = connection.execute(
        f"SELECT coalesce(bool_or(contains(body::VARCHAR, '\\u')), FALSE) FROM {OBJECTS}"
    ).fetchall()
    return bool(has_escapes)


def stage_json(
    connection: duckdb.DuckDBPyConnection, source: JsonRecords, columns: Columns, staged: str
) -> str:
    """Fill the temporary table `staged`; returns the SQL of a row's number in it."""
    raw = [f"leaves[{at}]" for at in range(1, len(source.pointers) + 1)]
    leaves = f"json_extract_string(body, {literal(source.pointers)})"
    looked = TextProfile(has_signs=source.has_signs, has_marred=source.has_signs)
    relation = f"(SELECT {leaves} AS leaves FROM {OBJECTS})"
    texts, relation = in_one_form(columns, raw, relation, looked)
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE {staged} AS "
        f"SELECT {cell_list(columns, texts, looked=looked)} FROM {relation}"
    )
    connection.execute(f"DROP TABLE {OBJECTS}")
    return "rowid + 1"


def records_path(layout: Layout) -> str:
    """Where a document of this layout has its array of records."""
    return "$.features" if layout.format == "geojson" else layout.records


def stage_array(connection: duckdb.DuckDBPyConnection, file: Path, shown: Path) -> None:
    """Stage the records of an array as `landing_objects(body)`, each as its text stands."""
    try:
        connection.execute(
            f"CREATE OR REPLACE TEMP TABLE {OBJECTS} AS SELECT json AS body FROM "
            f"read_json_objects({literal(str(file))}, format = 'array', "
            f"maximum_object_size = {LARGEST_RECORD_BYTES})"
        )
    except duckdb.InvalidInputException as error:
        raise _unread(str(error), file, shown) from None


def _unread(reason: str, file: Path, shown: Path) -> DeliveryError:
    """The refusal that stands for an engine's error; of its text only a number is used."""
    demand_utf8(file, shown)
    found = re.search(r"in (?:record/value|line) (\d+)", reason)
    row = int(found[1]) if found else 1
    if "maximum_object_size" in reason:
        return refusal("DEL-707", shown, row=row, limit_kb=LARGEST_RECORD_BYTES // KILOBYTE)
    if shown.stat().st_size <= LOCATABLE_BYTES:
        try:
            json.loads(shown.read_bytes())
        except json.JSONDecodeError as error:
            row = error.lineno
        except (ValueError, RecursionError):
            pass
    return refusal("DEL-711", shown, row=row)


def _stage_lines(connection: duckdb.DuckDBPyConnection, file: Path, shown: Path) -> None:
    """Stage each line as it stands; an empty one too, so that rowid + 1 is the line's number."""
    import pyarrow as pa

    longest_bytes, line = longest_line(file, LARGEST_RECORD_BYTES)
    if longest_bytes > LARGEST_RECORD_BYTES:
        limit_kb = LARGEST_RECORD_BYTES // KILOBYTE
        raise refusal("DEL-707", shown, row=line, limit_kb=limit_kb)
    connection.execute(f"CREATE OR REPLACE TEMP TABLE {OBJECTS}(body VARCHAR)")
    insert = f"INSERT INTO {OBJECTS} SELECT nullif(trim(body, ' \t\r\n'), '') FROM landing_batch"
    with file.open(encoding="utf-8-sig", newline="\n") as stream:
        try:
            while lines := stream.readlines(BATCH_BYTES):
                batch = pa.table({"body": pa.array(lines, pa.string())})
                connection.register("landing_batch", batch)
                connection.execute(insert)
                connection.unregister("landing_batch")
        except UnicodeDecodeError:
            demand_utf8(file, shown)
            raise
    _demand_valid_lines(connection, file, shown)
    connection.execute(f"ALTER TABLE {OBJECTS} ALTER body TYPE JSON")


def _demand_valid_lines(connection: duckdb.DuckDBPyConnection, file: Path, shown: Path) -> None:
    [(first, last)] = connection.execute(
        f"SELECT min(rowid) + 1, (SELECT max(rowid) + 1 FROM {OBJECTS}) FROM {OBJECTS} "
        "WHERE NOT json_valid(body)"
    ).fetchall()
    if first is None:
        return
    with file.open("rb") as stream:
        stream.seek(max(0, file.stat().st_size - 1))
        is_ended = stream.read() == b"\n"
    code = "DEL-702" if first == last and not is_ended else "DEL-711"
    raise refusal(code, shown, row=int(first))


def _demand_shallow(connection: duckdb.DuckDBPyConnection, shown: Path) -> None:
    """Raise DEL-711 for a record that nests so deep that DuckDB's JSON functions would overflow."""
    cursor = connection.execute(
        f"SELECT rowid + 1, body::VARCHAR AS text FROM {OBJECTS} WHERE length(text) - "
        f"length(replace(replace(text, '[', ''), '{{', '')) > {SUSPECT_BRACKETS}"
    )
    while suspects := cursor.fetchmany(64):
        for row, text in suspects:
            if is_too_deep(text):
                raise refusal("DEL-711", shown, row=int(row))


def _demand_none(connection: duckdb.DuckDBPyConnection, shown: Path, wrong: str) -> None:
    """Raise DEL-717 where a record is of a kind that has no columns to read."""
    [(rows, first)] = connection.execute(
        f"SELECT count(*), min(rowid) + 1 FROM {OBJECTS} WHERE {wrong}"
    ).fetchall()
    if rows:
        raise refusal("DEL-717", shown, rows=int(rows), row=int(first or 1))


def _demand_each_key_once(
    connection: duckdb.DuckDBPyConnection, paths: list[KeyPath], shown: Path
) -> None:
    """Raise DEL-734 where an object of a record has a key twice: only the first would be read.

    Over the few distinct lists of keys. Objects inside arrays stay text, and are not looked into.
    """
    objects = dict.fromkeys(path[:depth] for path in paths for depth in range(len(path)))
    [(rows, first)] = connection.execute(
        "SELECT sum(records), min(first) FROM (SELECT "
        f"json_keys(body, {literal(tuple(map(_pointer, objects)))}) AS keys, "
        f"count(*) AS records, min(rowid) + 1 AS first FROM {OBJECTS} GROUP BY keys) "
        "WHERE list_bool_or([list_unique(of_one) <> len(of_one) for of_one in keys])"
    ).fetchall()
    if rows:
        raise refusal("DEL-734", shown, rows=int(rows), row=int(first))


def _leaves(connection: duckdb.DuckDBPyConnection) -> list[KeyPath]:
    """The paths of all leaves of all records, in the order in which they first occur.

    Over the few distinct structures: DuckDB's own aggregate keeps what it saw of every record.
    A path that is null or {} in some records and an object with keys in others is no leaf.
    """
    cursor = connection.execute(
        f"SELECT json_structure(body) FROM {OBJECTS} WHERE body IS NOT NULL "
        "GROUP BY 1 ORDER BY min(rowid)"
    )
    leaves: dict[KeyPath, bool] = {}
    while structures := cursor.fetchmany(1000):
        for (structure,) in structures:
            for path, has_value in _walk(json.loads(structure)):
                leaves[path] = leaves.get(path, False) or has_value
    inner = {path[:depth] for path in leaves for depth in range(1, len(path))}
    return [path for path, has_value in leaves.items() if has_value or path not in inner]


def _walk(structure: Any, above: KeyPath = ()) -> Iterator[tuple[KeyPath, bool]]:
    """The leaves of one structure, and whether each is more than null or an empty object."""
    if isinstance(structure, dict):
        for key, value in structure.items():
            yield from _walk(value, (*above, key))
    elif above:
        yield above, structure not in ("NULL", "JSON")


def _features(paths: list[KeyPath]) -> JsonRecords:
    """GeoJSON: properties by their own names, the point's two coordinates, anything else by path.

    A property may itself be called latitude; the point's coordinates then come as
    `geometry.latitude`, so that a feed says which of them it means. Of anything else the property
    of the same name is read.
    """
    own = [(".".join(path[1:]), path) for path in paths if path[0] == "properties" and path[1:]]
    taken = {heading for heading, _ in own}
    besides = [
        (".".join(path), path)
        for path in paths
        if path[0] not in (*OF_A_FEATURE, "properties") and ".".join(path) not in taken
    ]
    columns = [(heading, _pointer(path)) for heading, path in (*own, *besides)]
    for name, pointer in POINT.items():
        columns.append((f"geometry.{name}" if name in taken else name, pointer))
    headings, pointers = zip(*columns, strict=True)
    return JsonRecords(headings, pointers)


def _pointer(path: KeyPath) -> str:
    """RFC 6901, the only notation in which every key can be written."""
    return "".join("/" + key.replace("~", "~0").replace("/", "~1") for key in path)
