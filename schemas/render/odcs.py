"""A contract in the form of the Open Data Contract Standard (ODCS 3.1), for other tools.

Not here: what it follows from (`schemas/contract.py`), and whoever reads it.

It tells of the published table: a value that a file may hold and that no table keeps is no column
of it. `datacontract test` reads `published/<table>.parquet` where it is called.
"""

from __future__ import annotations

from typing import Any

import yaml

from schemas.table import Column, Contract, Helper, Rule

SUFFIX = ".odcs.yaml"
PUBLISHED = "published"  # the folder of the copies that are tested
API_VERSION = "v3.1.0"
_HELPERS = (
    "Private columns that rules and derivations may use and that are never published: an attribute "
    "of a code, the first day of the feed’s period, or whether the coordinates lie inside the "
    "buffered outline of the named area (NULL without coordinates or without a named area)."
)
_FACTS = (
    "Values computed across the rows of one delivery, identical copies left out, for the rules "
    "that compare records."
)


def odcs(contract: Contract) -> dict[str, Any]:
    """The contract as a document of the standard."""
    schema = {
        "name": contract.table,
        "physicalName": contract.table,
        "logicalType": "object",
        "physicalType": "table",
        "businessName": contract.title.en,
        "description": contract.description.en,
        "dataGranularityDescription": contract.grain.en,
        "customProperties": _of_table(contract),
        "properties": [_property(column) for column in contract.published],
    }
    rules = sorted((*contract.rules, *contract.lake_rules), key=lambda rule: rule.code)
    if rules:
        schema["quality"] = [_quality(rule) for rule in rules]
    return {
        "apiVersion": API_VERSION,
        "kind": "DataContract",
        "id": f"passerelle-{contract.table.replace('_', '-')}",
        "name": contract.table,
        "version": contract.version,
        "status": "active",
        "domain": "policing",
        "dataProduct": "passerelle",
        "description": {
            "purpose": contract.purpose,
            "usage": contract.usage.en,
            "limitations": contract.limitations.en,
        },
        "servers": [
            {
                "server": PUBLISHED,
                "type": "local",
                "path": f"{PUBLISHED}/{contract.table}.parquet",
                "format": "parquet",
            }
        ],
        "schema": [schema],
    }


def script(contract: Contract) -> str:
    """The document as YAML, ending with a line feed."""
    head = f"# Rendered from schemas/tables/{contract.table}.yaml and what it names; do not edit.\n"
    body = yaml.dump(odcs(contract), Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=100)
    return head + str(body)


class _Dumper(getattr(yaml, "CSafeDumper", yaml.SafeDumper)):  # type: ignore[misc]
    """Writes a value that stands in two places twice: an anchor is harder to read."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _custom(**values: Any) -> list[dict[str, Any]]:
    return [{"property": k, "value": v} for k, v in values.items() if v not in (None, "", False)]


def _of_table(contract: Contract) -> list[dict[str, Any]]:
    found = _custom(
        kind=contract.kind,
        titleEn=contract.title.en,
        titleFr=contract.title.fr,
        descriptionFr=contract.description.fr,
        grainFr=contract.grain.fr,
        usageFr=contract.usage.fr,
        limitationsFr=contract.limitations.fr,
    )
    if contract.kind == "data":
        helpers = [_helper(helper) for helper in contract.helpers]
        found.append({"property": "helpers", "description": _HELPERS, "value": helpers})
        facts = [{"name": fact.name, "sql": fact.sql} for fact in contract.facts]
        found.append({"property": "facts", "description": _FACTS, "value": facts})
    return found


def _helper(helper: Helper) -> dict[str, str]:
    keys = ("name", "geofence", "feed", "codelist", "column", "attribute", "type")
    values = {key: getattr(helper, key) for key in keys}
    if values["type"] == Helper.type:
        del values["type"]
    return {key: value for key, value in values.items() if value}


def _property(column: Column) -> dict[str, Any]:
    found: dict[str, Any] = {
        "name": column.name,
        "businessName": column.label.en,
        "logicalType": column.logical_type,
        "physicalType": column.duckdb_type,
    }
    if column.logical_type == "array":
        found["physicalType"] = "ARRAY"  # tools know the type of what it holds from `items`
        found["items"] = {"logicalType": "string", "physicalType": "VARCHAR"}
    if column.is_required:
        found["required"] = True
    if column.is_primary_key:
        found |= {"primaryKey": True, "primaryKeyPosition": 1, "unique": True}
    return found | {
        "description": column.description.en,
        "classification": column.classification,
        "examples": list(column.examples),
        "tags": [column.hxl],
        "customProperties": _custom(
            descriptionFr=column.description.fr,
            labelEn=column.label.en,
            labelFr=column.label.fr,
            unit=column.unit,
            codelist=column.codelist,
            filledBy="" if column.filled_by == "feed" else column.filled_by,
            derive=column.derive,
            dayOf=column.day_of,
            precision=column.precision,
            withheldWhen=column.withheld_when,
            quasiIdentifier=column.is_quasi_identifier,
            coarsen=column.coarsen,
            reveals=None if column.reveals is None else list(column.reveals),
        ),
    }


def _quality(rule: Rule) -> dict[str, Any]:
    judged: dict[str, Any] = {"type": "text"}
    if rule.expectation:
        implementation = {"type": rule.expectation, "kwargs": rule.kwargs}
        judged = {
            "type": "custom",
            "engine": "greatExpectations",
            "implementation": implementation,
        }
    about = "row" if rule.is_about_row and not rule.expectation else ""
    return {
        "id": rule.code,
        "name": rule.name,
        **judged,
        "dimension": rule.dimension,
        "severity": rule.severity,
        "description": rule.message.en,
        "customProperties": _custom(
            about=about,
            column=rule.column,
            identity=[p[0] if len(p) == 1 else list(p) for p in rule.identity] or None,
            messageFr=rule.message.fr,
            explanationEn=rule.explanation.en,
            explanationFr=rule.explanation.fr,
            correctionEn=rule.correction.en,
            correctionFr=rule.correction.fr,
        ),
    }
