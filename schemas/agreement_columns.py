"""What a clause may do with a column of a contract: open it, count by it, add it up.

Not here: which columns a clause names, and what is said where it may not (`agreement_check.py`).
"""

from __future__ import annotations

from schemas.agreement import AREAS, Precision
from schemas.contract import Column

NUMBERS = ("INTEGER", "BIGINT", "DOUBLE")
WORDS = ("VARCHAR", "BOOLEAN")
# What a cell gives away (`coarsen` of its column): the least precision of places at which any of
# it is left, and what counts are never broken down by.
NEEDS_AREA = {"point": "point", "admin2": "admin2", "admin1": "admin1", "free_text": "point"}
NEVER_COUNTED_BY = ("time", "time_text", "free_text", "token", "record_key")
TEXTS = ("free_text", "own_words", "time_text")


def can_be_counted_by(column: Column | None) -> bool:
    """Words that many rows share: a code, a place that has one, yes or no."""
    if column is None or column.duckdb_type not in WORDS:
        return False
    return not _is_position(column) and column.coarsen not in NEVER_COUNTED_BY


def can_be_summed(column: Column | None) -> bool:
    """A number that counts or measures something, not a place, an age or a row."""
    return column is not None and column.duckdb_type in NUMBERS and not column.coarsen


def too_fine(column: Column | str, precision: Precision) -> str:
    """The part of the precision that hides all of a column or a period; empty for none."""
    if isinstance(column, str):
        order = ("day", "week", "month")  # longer periods follow from a month
        time = "day" if precision.time == "exact" else precision.time
        is_finer = column in order and order.index(column) < order.index(time)
        return f"time: {precision.time}" if is_finer else ""
    kind = column.coarsen
    needed = NEEDS_AREA.get(kind, "country")
    if AREAS.index(precision.area) < AREAS.index(needed):
        return f"area: {precision.area}"
    is_key = kind == "record_key" and column.name != "record_id"
    is_exact_time = is_key or bool(column.day) or kind in {"time_text", "free_text"}
    if is_exact_time and precision.time != "exact":
        return f"time: {precision.time}"
    if is_key and precision.area != "point":
        return f"area: {precision.area}"
    if (kind == "age_exact" and precision.age != "exact") or (
        kind == "age_group" and precision.age == "none"
    ):
        return f"age: {precision.age}"
    return ""


def is_written(column: Column) -> bool:
    """Words as somebody wrote them, or a number that a source gave."""
    is_key = column.coarsen == "record_key" and column.name != "record_id"
    is_place = _is_position(column) and column.duckdb_type in WORDS
    return column.coarsen in TEXTS or is_key or is_place


def _is_position(column: Column) -> bool:
    """A point, in numbers or in words; not the code of one that everybody knows."""
    return column.coarsen == "point" and not column.codelist
