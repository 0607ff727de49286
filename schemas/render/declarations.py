"""The JSON Schemas (2020-12) of the files that declare tables and feeds: editors complete them.

Not here: the models that they follow from (`schemas/declared.py`, `schemas/feed.py`) and what a
schema cannot say (`schemas/compose.py`, `pipelines/authoring/folder.py`).
"""

from __future__ import annotations

from typing import Any

from pydantic import TypeAdapter

from schemas import declared
from schemas.codelist import codelist_names, codes
from schemas.contract import load_contract, table_names
from schemas.declared import Field, Group, RuleTemplate, Table
from schemas.feed import Feed
from schemas.render.jsonschema import DIALECT

FOLDER = "declarations"


def declaration_schemas() -> dict[str, dict[str, Any]]:
    """The schema of each kind of file, by its name."""
    kinds: dict[str, Any] = {
        "fields": dict[str, Field],
        "rule_templates": dict[str, RuleTemplate],
        "groups": dict[str, Group],
        "tables": Table,
        "feeds": Feed,
    }
    found = {name: _schema(name, model) for name, model in kinds.items()}
    _complete_feed(found["feeds"])
    return found


def _schema(name: str, model: Any) -> dict[str, Any]:
    schema: dict[str, Any] = TypeAdapter(model).json_schema()
    parts: dict[str, Any] = schema.get("$defs", {})
    for definition in (schema, *parts.values()):
        if "description" in definition:
            definition["description"] = " ".join(definition["description"].split())
        for field in definition.get("properties", {}).values():
            field.pop("title", None)
            field.pop("default", None)
    columns = {"$ref": "#/$defs/ColumnName"}
    for key in ("Override", "Field", "HelperLine"):
        if key in parts:
            parts[key]["properties"]["codelist"]["enum"] = ["", *codelist_names()]
    for key in ("Override", "Field"):
        if key in parts:
            faults = parts[key]["properties"]["faults"]
            faults["propertyNames"] = {"enum": sorted(declared.templates())}
    if "RuleLine" in parts:
        _complete_rules(parts["RuleLine"], columns)
        parts["ColumnName"] = {"enum": sorted(declared.fields())}
        parts["GroupName"] = {"enum": [f"+{group}" for group in declared.groups()]}
    roles = parts.get("Roles", {}).get("properties", {})
    for role, said in roles.items():
        is_list = said.get("type") == "array"
        roles[role] = {"type": "array", "items": columns} if is_list else columns
    for definition in (parts.get("Group", {}), schema):
        for key in ("columns", "inputs"):
            if items := definition.get("properties", {}).get(key):
                items["items"] = {"anyOf": [columns, {"$ref": "#/$defs/GroupName"}]}
    head = {"$schema": DIALECT, "$id": f"passerelle:{name}"}
    return {**head, **schema}


def _complete_feed(feed: dict[str, Any]) -> None:
    """A feed knows the tables, the sources and, by its table, the columns that a feed may fill."""
    properties, origin = feed["properties"], feed["$defs"]["Mapping"]["properties"]
    properties["file"] = {"anyOf": [{"$ref": "#/$defs/Layout"}, properties["file"]]}
    origin["from"] = {"anyOf": [{"type": "string"}, origin["from"]]}
    properties["table"] = {"enum": table_names("data")}
    properties["source"] = {"enum": codes("sources")}
    properties["handling"] = {"enum": codes("handling_levels")}
    feed["allOf"] = [
        {
            "if": {"properties": {"table": {"const": table}}},
            "then": {"properties": {"map": {"propertyNames": {"enum": _fillable(table)}}}},
        }
        for table in table_names("data")
    ]


def _fillable(table: str) -> list[str]:
    contract = load_contract(table)
    return [column.name for column in contract.columns_filled_by("feed", "input")]


def _complete_rules(rule: dict[str, Any], columns: dict[str, Any]) -> None:
    """A rule knows the names of the templates and of their parameters, and nothing else."""
    properties = rule["properties"]
    for name, template in declared.templates().items():
        is_about_column = not template.at
        properties[name] = columns if is_about_column else {"type": "string"}
        for parameter in template.parameters:
            properties.setdefault(parameter, {})
    properties["at"] = columns
    rule["additionalProperties"] = False
