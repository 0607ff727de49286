"""The JSON Schema (2020-12) of an agreement for editors, and the list of its coded problems.

Not here: the models that it follows from (`schemas/agreement.py`) and what a schema cannot say
(`schemas/agreement_check.py`).

A YAML file that begins with `# yaml-language-server: $schema=<path of this schema>` is checked as
it is typed in most editors.
"""

from __future__ import annotations

from typing import Any

from schemas.agreement import Agreement
from schemas.codelist import codes
from schemas.contract import table_names
from schemas.organisation import EVERYBODY
from schemas.problem import words
from schemas.render.jsonschema import DIALECT


def agreement_schema() -> dict[str, Any]:
    """The schema of one agreement, with the codes of the short lists and what each form needs."""
    schema: dict[str, Any] = Agreement.model_json_schema()
    parts = schema["$defs"]
    for definition in (schema, *parts.values()):
        definition["description"] = " ".join(definition.get("description", "").split())
        for field in definition.get("properties", {}).values():
            field.pop("title", None)
            field.pop("default", None)
    organisations = codes("organisations")
    for name in ("Permit", "Restriction"):
        fields = parts[name]["properties"]
        fields["providers"]["items"]["enum"] = codes("sources")
        fields["table"]["enum"] = table_names("data")
        everybody = [EVERYBODY] if name == "Restriction" else []
        fields["recipients"]["items"]["enum"] = [*everybody, *organisations]
    parts["Permit"]["properties"]["purposes"]["items"]["enum"] = codes("purposes")
    parts["Standing"]["properties"]["recipient"]["enum"] = organisations
    parts["Standing"]["properties"]["purpose"]["enum"] = codes("purposes")
    parts["Standing"]["properties"]["table"]["enum"] = table_names("data")
    schema["properties"]["parties"]["items"]["enum"] = organisations
    parts["Permit"]["allOf"] = [
        _when("records", ("columns", "smallest_group"), ("dimensions", "measures")),
        _when("counts", ("dimensions", "measures", "small_cell_threshold"), ("columns",)),
    ]
    head = {"$schema": DIALECT, "$id": "passerelle:agreement"}
    return {**head, **schema}


def problems_page() -> str:
    """Every code that `passerelle agreement check` may give, with its words in both languages."""
    lines = [
        "# What can be wrong with an agreement",
        "",
        "Rendered from `schemas/problems.csv` by `python -m schemas.render`. An error makes "
        "all agreements unusable until it is mended; a warning or a note does not. How to write an "
        "agreement: [in English](../agreements.md), [en français](../agreements.fr.md).",
        "",
        "| Code | Level | In English | En français |",
        "| --- | --- | --- | --- |",
    ]
    lines += [
        f"| `{code}` | {level} | {text.en} | {text.fr} |"
        for code, (level, text) in words().items()
        if code.startswith("AGR-")
    ]
    return "\n".join(lines) + "\n"


def _when(form: str, needed: tuple[str, ...], senseless: tuple[str, ...]) -> dict[str, Any]:
    """In one form some keys must be there and others must not."""
    return {
        "if": {"properties": {"form": {"const": form}}},
        "then": {"required": list(needed), "properties": dict.fromkeys(senseless, False)},
    }
