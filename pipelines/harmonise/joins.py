"""Joins of the harmonise query: attributes of codes, words of areas, cells of the geofence.

Not here: the tables that are joined (`lookups.py`, `geofence.py`, `prepare.py`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pipelines.harmonise.geofence import cell_sql
from schemas.sqltext import name
from schemas.table import Column, LookUp


def attribute_join(alias: str, codelist: str, column_sql: str, *attributes: str) -> str:
    """A join that reaches attributes of a code, as `<alias>_<attribute>`.

    The columns are renamed because a list has columns (`country`) that a table has too.
    """
    listed = "".join(f", {name(a)} AS {name(f'{alias}_{a}')}" for a in attributes)
    table = f"(SELECT code AS {alias}_code{listed} FROM {name(f'list_{codelist}')})"
    return f"LEFT JOIN {table} {alias} ON {alias}_code = {column_sql}"


def look_up_join(alias: str, found: LookUp, columns: Mapping[str, Column], column_sql: str) -> str:
    """A join to what the code list of a column says of others."""
    return attribute_join(alias, columns[found.column].codelist, column_sql, *found.attributes)


def value_by_side(alias: str, found: LookUp, country_sql: str) -> str:
    """What such a list says on the side of the row's country; NULL for a country of neither."""
    cases = " ".join(
        f"WHEN {country_sql} = {alias}_{land} THEN nullif({alias}_{value}, '')"
        for land, value in found.sides
    )
    return f"CASE {cases} END"


def area_join(alias: str, target: str, scope_sql: str, date_sql: str) -> str:
    """A join to the words of areas, within a scope and at a date."""
    return (
        f"LEFT JOIN words_{target} {alias} ON {alias}.raw = {target}__text"
        f" AND {alias}.scope = {scope_sql}"
        f" AND {date_sql} >= {alias}.valid_from AND {date_sql} < {alias}.valid_to"
    )


def geofence_join(point: Sequence[str]) -> str:
    """A join to the grid cell of the position, which knows the countries and areas there."""
    return f"LEFT JOIN geofence fence ON fence.cell = {cell_sql(*point)}"


def geofence_answer(level: str, code: str, point: Sequence[str]) -> str:
    """Whether the position can lie in what `code` names: a country, or an area of the first level.

    TRUE inside, FALSE outside; NULL where we know no outline, and without a position on Earth.

    A latitude of 96 or a position of 0, 0 has a rule of its own: it is not also in another country.
    """
    fenced, (latitude, longitude) = f"getvariable('geofence_{level}_codes')", point
    return (
        f"CASE WHEN {latitude} IS NULL OR {longitude} IS NULL"
        f" OR abs({latitude}) > 90 OR abs({longitude}) > 180"
        f" OR ({latitude} = 0 AND {longitude} = 0)"
        f" OR {code} IS NULL OR NOT coalesce(list_contains({fenced}, {code}), FALSE) THEN NULL"
        f" ELSE coalesce(list_contains(fence.{level}_codes, {code}), FALSE) END"
    )
