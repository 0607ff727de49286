"""Every rule can be broken, by its template or as `faults.yaml` tells, which knows its rules."""

from __future__ import annotations

import pytest

from pipelines.demo.faults import FaultList, own_faults
from schemas.contract import load_contract, table_names

# An area's name is looked up within the country or the area above: another's is not recognised.
CANNOT_BE_SAID = {"admin1_of_country", "admin2_of_admin1"}


@pytest.mark.parametrize("table", table_names("data"))
def test_every_rule_of_a_table_can_be_broken(table: str) -> None:
    own, shared = own_faults().get(table, {}), own_faults()["every table"]
    rules = [rule for rule in load_contract(table).rules if rule.is_about_row]
    silent = {
        rule.code: rule.template
        for rule in rules
        if rule.code not in own
        and rule.code.partition("-")[2] not in shared
        and not hasattr(FaultList, f"_{rule.template}")
    }
    assert set(silent.values()) <= CANNOT_BE_SAID, silent


def test_what_is_told_of_a_table_is_about_its_rules_and_columns() -> None:
    for table, faults in own_faults().items():
        if table == "every table":
            continue
        contract = load_contract(table)
        columns = {column.name for column in contract.columns}
        for code, told in faults.items():
            assert contract.rule(code), code
            assert {*told.get("set", {}), *told.get("text", {})} <= columns, code
            assert all(contract.rule(also) for also in told.get("also", ()))
