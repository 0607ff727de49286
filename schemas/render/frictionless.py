"""The contracts as one Frictionless Data Package, with a sample row of each table to try it on.

Not here: the data. The samples are made of the examples that the contracts give, nothing else.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from typing import Any

from schemas.contract import Column, Contract
from schemas.render.jsonschema import enumeration, limits

SAMPLES = "samples"

_TYPES: dict[str, dict[str, str]] = {
    "VARCHAR": {"type": "string"},
    "VARCHAR[]": {"type": "array"},
    "DOUBLE": {"type": "number"},
    "INTEGER": {"type": "integer"},
    "BIGINT": {"type": "integer"},
    "BOOLEAN": {"type": "boolean"},
    "TIMESTAMP": {"type": "datetime", "format": "%Y-%m-%d %H:%M:%S"},
    "DATE": {"type": "date"},
}
_KEPT = {"minimum": "minimum", "maximum": "maximum", "pattern": "pattern"}
_LENGTHS = {"minLength": "minLength", "maxLength": "maxLength"}


def data_package(contracts: Sequence[Contract]) -> dict[str, Any]:
    """The descriptor; each resource points to a sample of one row, as CSV."""
    return {
        "profile": "tabular-data-package",
        "name": "passerelle",
        "title": "Passerelle: incident and border data",
        "description": "The published tables; each resource is one table, shown by a sample row.",
        "resources": [_resource(contract) for contract in contracts],
    }


def sample_csv(contract: Contract) -> str:
    """A header and one row made of the contract's examples."""
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow([column.name for column in contract.published])
    writer.writerow([_cell(column) for column in contract.published])
    return stream.getvalue()


def _resource(contract: Contract) -> dict[str, Any]:
    return {
        "profile": "tabular-data-resource",
        "name": contract.table,
        "path": f"{SAMPLES}/{contract.table}.csv",
        "title": contract.title.en,
        "description": contract.description.en,
        "format": "csv",
        "mediatype": "text/csv",
        "encoding": "utf-8",
        "schema": {
            "fields": [_field(contract, column) for column in contract.published],
            "missingValues": [""],
            "primaryKey": [c.name for c in contract.published if c.is_primary_key],
        },
    }


def _field(contract: Contract, column: Column) -> dict[str, Any]:
    alone = limits(contract, column.name) if column.duckdb_type != "TIMESTAMP" else {}
    constraints: dict[str, Any] = {
        name: alone[key] for key, name in (_KEPT | _LENGTHS).items() if key in alone
    }
    if column.is_required:
        constraints["required"] = True
    if column.is_primary_key:
        constraints["unique"] = True
    if listed := enumeration(column):
        constraints["enum"] = listed
    entry: dict[str, Any] = {
        "name": column.name,
        **_TYPES[column.duckdb_type],
        "title": column.label.en,
        "description": column.description.en,
    }
    return entry | ({"constraints": constraints} if constraints else {})


def _cell(column: Column) -> str:
    if not column.examples:
        return ""
    example = column.examples[0]
    if isinstance(example, bool | list):
        return json.dumps(example)
    return str(example)
