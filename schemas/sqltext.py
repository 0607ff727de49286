"""Quoting for DuckDB: names and values that enter a compiled statement pass through here.

Not here: statements. A value that comes from a delivery never enters a statement at all.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from decimal import Decimal
from typing import Any


def name(identifier: str) -> str:
    """A quoted identifier: `a"b` → `"a""b"`."""
    return '"' + identifier.replace('"', '""') + '"'


def names(identifiers: Iterable[str]) -> str:
    """Quoted identifiers, as a list of columns."""
    return ", ".join(map(name, identifiers))


def literal(value: Any) -> str:
    """A literal of a declared value (text, number, boolean, date, list, None)."""
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, dt.datetime):
        return f"TIMESTAMP '{value.isoformat(sep=' ')}'"
    if isinstance(value, dt.date):
        return f"DATE '{value.isoformat()}'"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(literal(item) for item in value) + "]"
    return "'" + str(value).replace("'", "''") + "'"


def whole(value: float) -> str:
    """A floating-point number with every figure that it has, and no exponent for ordinary sizes."""
    text = repr(value)
    if "e" in text and 1e-9 <= abs(value) < 1e21:
        text = format(Decimal(text), "f")
    return text.removesuffix(".0")


def literals(values: Iterable[Any]) -> str:
    """The inside of an IN list."""
    return ", ".join(literal(value) for value in values)
