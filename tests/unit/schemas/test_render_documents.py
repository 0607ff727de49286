"""JSON Schema, Frictionless, HXL and the dictionary, each tried on a row or a reader's question."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from schemas.contract import Contract, load_contract, table_names
from schemas.render.dictionary import data_dictionary
from schemas.render.frictionless import data_package, sample_csv
from schemas.render.hxl import hxl_row, hxl_table
from schemas.render.jsonschema import LONGEST_ENUM, json_schema
from schemas.text import LANGUAGES, Language

TABLES = table_names()


def _row(contract: Contract) -> dict[str, Any]:
    return {column.name: column.examples[0] for column in contract.published}


def _errors(contract: Contract, row: dict[str, Any]) -> list[str]:
    validator = Draft202012Validator(json_schema(contract))
    return [str(error.path[0]) if error.path else "" for error in validator.iter_errors(row)]


@pytest.mark.parametrize("table", TABLES)
def test_json_schema_accepts_the_examples(table: str) -> None:
    contract = load_contract(table)
    assert _errors(contract, _row(contract)) == []


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("latitude_deg", 91),
        ("occurred_at", "05/03/2026"),
        ("source_record_id", "---"),
        ("source_record_id", "A1\nA2"),
        ("source_record_id", None),
        ("weapon_kind", "harpoon"),
        ("victims_total", 1.5),
        ("is_withdrawn", "no"),
        ("quality_flags", [1]),
    ],
)
def test_json_schema_refuses_what_the_contract_refuses(column: str, value: object) -> None:
    contract = load_contract("incidents")
    assert _errors(contract, _row(contract) | {column: value}) == [column]


def test_json_schema_knows_an_empty_cell_from_a_missing_column() -> None:
    contract = load_contract("incidents")
    assert _errors(contract, _row(contract) | {"weapon_kind": None}) == []
    row = _row(contract)
    del row["weapon_kind"]
    assert _errors(contract, row) == [""]
    assert _errors(contract, _row(contract) | {"nom_du_plaignant": "x"}) == [""]


def test_exclusive_limits_stay_exclusive() -> None:
    contract = load_contract("seizures")
    assert _errors(contract, _row(contract) | {"quantity": 0}) == ["quantity"]
    assert _errors(contract, _row(contract) | {"quantity": 0.001}) == []


def test_warnings_are_no_limits() -> None:
    properties = json_schema(load_contract("incidents"))["properties"]
    assert "maximum" not in properties["victims_total"]


def test_long_lists_are_named_and_short_ones_written_out() -> None:
    properties = json_schema(load_contract("border_crossings"))["properties"]
    assert "enum" not in properties["nationality"]
    assert properties["nationality"]["x-codelist"] == "document_issuers"
    assert properties["direction"]["enum"][:2] == ["entry", "exit"]
    assert all(len(p.get("enum", [])) <= LONGEST_ENUM + 1 for p in properties.values())


def test_the_package_has_one_resource_a_table_and_each_has_a_key_or_is_a_log() -> None:
    contracts = [load_contract(table) for table in TABLES]
    resources = data_package(contracts)["resources"]
    assert [resource["name"] for resource in resources] == TABLES
    keyless = [r["name"] for r in resources if not r["schema"]["primaryKey"]]
    assert keyless == ["rejections"]


def test_a_sample_has_one_row_and_no_personal_input() -> None:
    text = sample_csv(load_contract("border_crossings"))
    assert len(text.splitlines()) == 2
    assert "document_number" not in text


def test_hxl_rows_stand_under_the_published_columns() -> None:
    for table in TABLES:
        contract = load_contract(table)
        assert len(hxl_row(contract)) == len(contract.published)
    lines = hxl_table([load_contract("incidents")]).splitlines()
    assert lines[1] == "incidents,record_id,#event+id"


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_column_rule_and_list_is_in_the_dictionary(language: Language) -> None:
    contracts = [load_contract(table) for table in TABLES]
    page = data_dictionary(contracts, language)
    for contract in contracts:
        for column in contract.columns:
            assert f"| `{column.name}` |" in page
        for rule in contract.rules:
            assert f"| `{rule.code}` |" in page
            assert rule.correction[language].replace("|", "\\|") in page
    assert page.count('<a id="list-') >= 20


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_dictionary_is_sound_markdown(language: Language) -> None:
    page = data_dictionary([load_contract(table) for table in TABLES], language)
    widths = [len(re.findall(r"(?<!\\)\|", line)) for line in page.splitlines()]
    for line, following in pairwise(widths):
        assert not (line and following) or line == following
    assert page.endswith("\n") and not page.endswith("\n\n")


def test_each_dictionary_speaks_one_language() -> None:
    contract = load_contract("incidents")
    english, french = (data_dictionary([contract], language) for language in LANGUAGES)
    rule = contract.rule("INC-405")
    assert rule.message.en in english and rule.message.fr not in english
    assert rule.message.fr in french and rule.message.en not in french
    assert contract.description.fr in french
