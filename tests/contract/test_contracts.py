"""What every contract must be: complete in both languages, readable by public tools, consistent.

Not here: what each rule rejects (`test_rules.py`) and the rendered files (`test_rendered.py`).
"""

from __future__ import annotations

import re
from collections import Counter

import pytest
from open_data_contract_standard.model import OpenDataContractStandard

from schemas.codelist import codes, load_codelist
from schemas.contract import Column, Contract, Rule, load_contract, table_names
from schemas.render.__main__ import DOCS

TABLES = table_names()
DATA = table_names("data")


def _contracts() -> list[Contract]:
    return [load_contract(table) for table in TABLES]


def _columns() -> list[tuple[str, Column]]:
    return [(c.table, column) for c in _contracts() for column in c.columns]


def _rules() -> list[Rule]:
    return [rule for contract in _contracts() for rule in contract.rules]


@pytest.mark.parametrize("table", TABLES)
def test_the_public_linter_accepts_the_contract_unchanged(table: str) -> None:
    from datacontract.data_contract import DataContract

    run = DataContract(data_contract_file=str(DOCS / f"schemas/{table}.odcs.yaml")).lint()
    assert run.result.value == "passed", [check.reason for check in run.checks]


@pytest.mark.parametrize("table", TABLES)
def test_the_standard_s_own_model_reads_the_contract(table: str) -> None:
    contract = OpenDataContractStandard.from_file(str(DOCS / f"schemas/{table}.odcs.yaml"))
    assert contract.apiVersion == "v3.1.0"
    assert contract.schema_ is not None
    assert [schema.name for schema in contract.schema_] == [table]


@pytest.mark.parametrize("table", TABLES)
def test_a_column_says_everything_that_it_must(table: str) -> None:
    for column in load_contract(table).columns:
        assert column.description.en != column.description.fr, column.name
        assert column.examples, column.name
        assert re.fullmatch(r"#[a-z0-9]+(\+[a-z0-9_]+)*", column.hxl), column.name


@pytest.mark.parametrize("table", TABLES)
def test_a_tag_means_one_column_of_a_table(table: str) -> None:
    tags = Counter(column.hxl for column in load_contract(table).columns)
    assert [tag for tag, times in tags.items() if times > 1] == []


@pytest.mark.parametrize("table", TABLES)
def test_units_are_in_the_name_or_declared(table: str) -> None:
    suffixes = {"_deg": "degree", "_kg": "kg", "_h": "hour", "_usd": "USD", "_years": "year"}
    for column in load_contract(table).columns:
        wanted = [unit for suffix, unit in suffixes.items() if column.name.endswith(suffix)]
        assert not wanted or column.unit == wanted[0], column.name
        is_amount = column.duckdb_type == "DOUBLE" and column.name != "quantity"
        assert not is_amount or column.unit, column.name


@pytest.mark.parametrize("table", TABLES)
def test_the_example_of_a_coded_column_is_a_code(table: str) -> None:
    for column in load_contract(table).columns:
        if column.codelist not in ("", "admin_areas"):  # whose second level is a gazetteer's
            assert column.examples[0] in codes(column.codelist), column.name


@pytest.mark.parametrize("table", table_names("reference"))
def test_a_reference_table_has_the_columns_of_its_code_list(table: str) -> None:
    names = [column.name for column in load_contract(table).columns]
    assert names == list(load_codelist(table)[0])


@pytest.mark.parametrize("table", table_names("reference"))
def test_a_reference_table_s_required_columns_are_always_filled(table: str) -> None:
    required = [column.name for column in load_contract(table).columns if column.is_required]
    for row in load_codelist(table):
        assert [name for name in required if not row[name]] == [], row["code"]


def test_personal_inputs_are_never_published_and_are_the_best_protected() -> None:
    inputs = {column.name: column for _, column in _columns() if column.filled_by == "input"}
    for name in ("document_number", "vehicle_plate", "birth_date", "serial_number"):
        assert inputs[name].classification == "STRICTLY_CONFIDENTIAL"
        assert not inputs[name].is_published
    tokens = [column for _, column in _columns() if column.name.endswith("_token")]
    assert tokens
    assert all("keyed_token(" in c.derive and c.filled_by == "derive" for c in tokens)


def test_sensitive_incidents_show_no_place_finer_than_the_first_level() -> None:
    withheld = {c.name for c in load_contract("incidents").columns if c.withheld_when}
    assert withheld >= {"admin2_code", "place_text", "latitude_deg", "longitude_deg"}


def test_codes_are_unique_ordered_and_carry_the_prefix_of_their_table() -> None:
    listed = [rule.code for rule in _rules()]
    assert len(listed) == len(set(listed))
    for contract in _contracts():
        mine = [rule.code for rule in contract.rules]
        assert mine == sorted(mine)
        assert all(code.startswith(f"{contract.codes}-") for code in mine)
        names = [rule.name for rule in contract.rules]
        assert len(names) == len(set(names))
        assert all(re.fullmatch(r"[a-z][a-z0-9_]*", name) for name in names)


@pytest.mark.parametrize("table", DATA)
def test_every_family_of_faults_is_covered(table: str) -> None:
    rules = load_contract(table).rules
    assert {rule.code[4] for rule in rules} == set("123456")
    assert len(rules) >= 12
    assert {rule.severity for rule in rules} == {"error", "warning"}


@pytest.mark.parametrize("table", DATA)
def test_nothing_becomes_empty_in_silence(table: str) -> None:
    """Each column that a feed fills and that is not plain text has a rule for what was not read."""
    contract = load_contract(table)
    judged = {
        rule.kwargs["column"]
        for rule in contract.rules
        if rule.expectation == "expect_column_values_to_be_null"
    }
    wanted = {
        column.unread
        for column in contract.columns_filled_by("feed", "input")
        if not column.is_plain_text
    }
    assert wanted == judged


@pytest.mark.parametrize("table", DATA)
def test_codes_written_in_conditions_exist(table: str) -> None:
    contract = load_contract(table)
    listed = {c.name: set(codes(c.codelist)) for c in contract.columns if c.codelist}
    conditions = [str(r.kwargs.get("unexpected_rows_query", "")) for r in contract.rules]
    conditions += [fact.sql for fact in contract.facts] + [c.derive for c in contract.columns]
    pattern = re.compile(r"(\w+?)(?:, ''\))?\s*(?:=|<>|NOT IN|IN)\s*(\('[^)]*\)|'[^']*')")
    for condition in conditions:
        for column, values in pattern.findall(condition):
            if column in listed:
                assert set(re.findall(r"'([^']+)'", values)) <= listed[column], condition
    for rule in contract.rules:
        if "value_set" in rule.kwargs:
            assert set(rule.kwargs["value_set"]) <= listed[rule.kwargs["column"]]
