"""A contract as JSON Schema (2020-12): what one published row looks like as a JSON object.

Not here: rules that compare columns or records; a JSON Schema cannot say them.
"""

from __future__ import annotations

from typing import Any

from schemas.codelist import codes
from schemas.contract import Column, Contract

DIALECT = "https://json-schema.org/draft/2020-12/schema"
LONGEST_ENUM = 60  # a longer list is named, not copied

_TYPES: dict[str, dict[str, Any]] = {
    "VARCHAR": {"type": "string"},
    "VARCHAR[]": {"type": "array", "items": {"type": "string"}},
    "DOUBLE": {"type": "number"},
    "INTEGER": {"type": "integer"},
    "BIGINT": {"type": "integer"},
    "BOOLEAN": {"type": "boolean"},
    "TIMESTAMP": {"type": "string", "pattern": r"^\d{4}-\d{2}-\d{2}[ T]\d{2}:\d{2}:\d{2}(\.\d+)?$"},
    "DATE": {"type": "string", "format": "date"},
}


def json_schema(contract: Contract) -> dict[str, Any]:
    """The schema of one row; a column without a value is null, never left out."""
    return {
        "$schema": DIALECT,
        "$id": f"passerelle:{contract.table}:{contract.version}",
        "title": contract.title.en,
        "description": contract.description.en,
        "x-title-fr": contract.title.fr,
        "x-description-fr": contract.description.fr,
        "type": "object",
        "properties": {column.name: _property(contract, column) for column in contract.published},
        "required": [column.name for column in contract.published],
        "additionalProperties": False,
    }


def limits(contract: Contract, column: str) -> dict[str, Any]:
    """What the error rules say about a value on its own: minimum, maximum, pattern, lengths."""
    found: dict[str, Any] = {}
    for rule in contract.rules:
        if rule.severity == "error" and rule.kwargs.get("column") == column:
            found |= _limit(rule.expectation, rule.kwargs)
    return found


def enumeration(column: Column) -> list[str]:
    """The codes of a short list; empty for a long list or a column without one."""
    listed = codes(column.codelist) if column.codelist else []
    return listed if len(listed) <= LONGEST_ENUM else []


def _property(contract: Contract, column: Column) -> dict[str, Any]:
    typed: dict[str, Any] = dict(_TYPES[column.duckdb_type])
    if column.duckdb_type not in ("TIMESTAMP", "DATE"):
        typed |= limits(contract, column.name)
    if not column.is_required:
        typed["type"] = [typed["type"], "null"]
    if listed := enumeration(column):
        typed["enum"] = [*listed, *([] if column.is_required else [None])]
    words = {
        "title": column.label.en,
        "description": column.description.en,
        "x-title-fr": column.label.fr,
        "x-description-fr": column.description.fr,
        "x-unit": column.unit,
        "x-codelist": column.codelist,
        "x-hxl": column.hxl,
        "x-classification": column.classification,
    }
    return typed | {key: text for key, text in words.items() if text}


def _limit(expectation: str, kwargs: dict[str, Any]) -> dict[str, Any]:
    if expectation == "expect_column_values_to_be_between":
        low = "exclusiveMinimum" if kwargs.get("strict_min") else "minimum"
        high = "exclusiveMaximum" if kwargs.get("strict_max") else "maximum"
        return _given({low: kwargs.get("min_value"), high: kwargs.get("max_value")})
    if expectation == "expect_column_values_to_match_regex":
        return {"pattern": f"^(?:{kwargs['regex']})$"}  # JSON Schema finds, a contract fits
    if expectation == "expect_column_value_lengths_to_be_between":
        return _given({"minLength": kwargs.get("min_value"), "maxLength": kwargs.get("max_value")})
    return {}


def _given(bounds: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in bounds.items() if value is not None}
