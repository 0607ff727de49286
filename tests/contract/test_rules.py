"""Each row rule, tried: a row that it must fail and a row that it must let pass.

Not here: the words of a rule (`test_contracts.py`) and the audit that recounts them.

The cases are in `rule_cases.py`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from typing import Any

import duckdb
import pytest
from rule_cases import FURTHER, OWN, SHARED, SOUND, Cells

from schemas.contract import Contract, Rule, load_contract, table_names
from schemas.rules import fails_when, is_cross_record
from schemas.sqltext import literal, name

DATA = table_names("data")


def _tried(table: str) -> list[Rule]:
    """The rules that judge a row by itself."""
    return [rule for rule in load_contract(table).rules if not is_cross_record(rule)]


def _case(table: str, rule: Rule) -> tuple[Cells, Cells]:
    """The failing and the passing cells of a rule. Raises KeyError where nobody wrote a case."""
    if rule.expectation == "expect_column_values_to_be_null":
        column = rule.kwargs["column"]
        return {column: "???"}, {column: None}
    if rule.code in OWN:
        return OWN[rule.code]
    return SHARED[int(rule.code[4:])]


@cache
def _connection(table: str) -> duckdb.DuckDBPyConnection:
    """A connection with one empty table `rows`: all that a rule of `table` may mention."""
    contract = load_contract(table)
    types = {c.name: c.duckdb_type for c in contract.published if c.filled_by != "lake"}
    types |= {
        c.unread: "VARCHAR"
        for c in contract.columns_filled_by("feed", "input")
        if not c.is_plain_text
    }
    types |= {h.name: "BOOLEAN" if h.geofence else h.type for h in contract.helpers}
    connection = duckdb.connect()
    # Facts may also name how often the same content is told, which rules reach only through facts.
    connection.execute(f"CREATE TABLE delivery ({_definitions(types)}, same_content_rows BIGINT)")
    types |= _fact_types(connection, contract)
    connection.execute(f"CREATE TABLE rows ({_definitions(types)})")
    return connection


def _definitions(types: dict[str, str]) -> str:
    return ", ".join(f"{name(column)} {kind}" for column, kind in types.items())


def _fact_types(connection: duckdb.DuckDBPyConnection, contract: Contract) -> dict[str, str]:
    if not contract.facts:
        return {}
    listed = ", ".join(f"{fact.sql} AS {name(fact.name)}" for fact in contract.facts)
    described = connection.execute(f"DESCRIBE SELECT {listed} FROM delivery").fetchall()
    return {row[0]: row[1] for row in described}


def _failed(table: str, cells: Cells, rules: Sequence[Rule] = ()) -> set[str]:
    """The codes of the rules that a row of just these cells, all others empty, fails."""
    rules = rules or _tried(table)
    connection = _connection(table)
    connection.execute("DELETE FROM rows")
    columns = ", ".join(name(column) for column in cells)
    values = ", ".join(literal(value) for value in cells.values())
    connection.execute(f"INSERT INTO rows ({columns}) VALUES ({values})")
    judged = ", ".join(f"count(*) FILTER (WHERE {fails_when(rule)}) > 0" for rule in rules)
    [answers] = connection.execute(f"SELECT {judged} FROM rows").fetchall()
    return {rule.code for rule, answer in zip(rules, answers, strict=True) if answer}


@pytest.mark.parametrize("table", DATA)
def test_a_rule_fails_the_bad_row_and_passes_the_near_miss(table: str) -> None:
    """Also of each of the parts of a rule that judges several."""
    for rule in _tried(table):
        for bad, good in (_case(table, rule), *FURTHER.get(rule.code, ())):
            assert _failed(table, SOUND[table] | bad, [rule]) == {rule.code}, bad
            assert _failed(table, SOUND[table] | good, [rule]) == set(), (rule.code, good)


@pytest.mark.parametrize("table", DATA)
def test_a_sound_row_passes_every_rule(table: str) -> None:
    assert _failed(table, SOUND[table]) == set()


@pytest.mark.parametrize("table", DATA)
def test_a_missing_value_is_the_business_of_the_1xx_rules_only(table: str) -> None:
    assert {code[4] for code in _failed(table, {"is_withdrawn": False})} == {"1"}


@pytest.mark.parametrize("table", DATA)
def test_a_withdrawal_needs_only_to_say_which_record(table: str) -> None:
    cells = {"source_record_id": "1", "is_withdrawn": True}
    cells |= dict.fromkeys(load_contract(table).roles.names("country"), "CAF")
    assert _failed(table, cells) == set()


def test_no_case_is_left_over_from_a_rule_that_is_gone() -> None:
    known = {rule.code for table in DATA for rule in _tried(table)}
    assert set(OWN) | set(FURTHER) <= known
    assert {f"{p}-{n}" for p in ("INC", "BXC", "BFL", "SEI") for n in SHARED} <= known


@pytest.mark.parametrize("table", DATA)
def test_a_condition_reads_without_surprises(table: str) -> None:
    for rule in load_contract(table).rules:
        query = rule.kwargs.get("unexpected_rows_query", "")
        assert query.count("{") == query.count("{batch}")  # Great Expectations fills the braces
        assert not re.search(r":\w", query), rule.code  # SQLAlchemy would take it for a parameter
        assert ";" not in query and "--" not in query, rule.code


@pytest.mark.parametrize("table", DATA)
def test_the_same_number_twice_is_judged_by_the_record(table: str) -> None:
    across = [rule for rule in load_contract(table).rules if is_cross_record(rule)]
    assert [(rule.code[4:], rule.kwargs) for rule in across] == [("601", {"column": "record_id"})]


def _facts(table: str, fact: str, rows: list[Cells]) -> list[Any]:
    """The values of a fact over a small delivery, in the order of `source_row`."""
    connection = _connection(table)
    connection.execute("DELETE FROM delivery")
    for number, cells in enumerate(rows):
        full = SOUND[table] | cells | {"source_row": number, "source": "test"}
        columns = ", ".join(name(column) for column in full)
        values = ", ".join(literal(value) for value in full.values())
        connection.execute(f"INSERT INTO delivery ({columns}) VALUES ({values})")
    facts = ", ".join(f"{one.sql} AS {one.name}" for one in load_contract(table).facts)
    judged = f"SELECT source_row, {facts} FROM delivery"
    answer = connection.execute(f"SELECT {fact} FROM ({judged}) ORDER BY source_row").fetchall()
    return [row[0] for row in answer]


def test_an_event_told_twice_is_seen_where_it_has_a_place_and_a_date() -> None:
    twice: Cells = {"same_content_rows": 2}
    rows = [
        twice | {"place_text": "Marché"},
        twice | {"place_text": None},
        twice | {"place_text": None, "latitude_deg": None},
        twice | {"occurred_on": None},
        {"same_content_rows": 1},
    ]
    assert _facts("incidents", "same_event_records", rows) == [2, 2, None, None, 1]


def test_one_crossing_under_two_numbers_is_seen_only_to_the_minute() -> None:
    exact, vague = {"occurred_at_precision": "minute"}, {"occurred_at_precision": "day"}
    seen = _facts("border_crossings", "same_crossing_records", [exact, exact, vague])
    assert seen == [2, 2, None]


def test_one_document_with_two_sexes_is_seen() -> None:
    rows = [
        {"document_token": "a", "sex": "female"},
        {"document_token": "a", "sex": "male"},
        {"document_token": "b", "sex": "female"},
        {"document_token": "b", "sex": "unknown"},
        {"document_token": None, "sex": "male"},
    ]
    seen = _facts("border_crossings", "document_has_two_sexes", rows)
    assert seen == [True, True, False, False, None]


def test_totals_are_compared_with_the_rows_of_their_own_cell() -> None:
    rows = [
        {"sex": "total", "travellers_count": 10},
        {"sex": "female", "travellers_count": 6},
        {"sex": "male", "travellers_count": 5},
        {"sex": "female", "travellers_count": 3, "age_group": "adult"},
        {"sex": "female", "travellers_count": 99, "direction": "exit"},
    ]
    elsewhere = {"sex": "total", "travellers_count": 99, "direction": "exit"}
    by_sex = _facts("border_flows", "travellers_by_sex", [*rows, elsewhere])
    assert by_sex == [11, None, None, None, None, 99]
    assert _facts("border_flows", "same_cell_records", rows + rows[:1])[0] == 2


def test_one_serial_number_in_two_seizures_is_seen() -> None:
    rows = [{"serial_token": "a"}, {"serial_token": "a"}, {"serial_token": None}]
    assert _facts("seizures", "same_serial_records", rows) == [2, 2, None]
    assert _facts("seizures", "same_seizure_records", rows) == [None, None, 1]


@pytest.mark.parametrize("table", DATA)
def test_derivations_mention_only_what_is_there(table: str) -> None:
    """Columns and inputs of the table, its helpers, the record's key, the feed's handling."""
    contract = load_contract(table)
    types = {c.name: c.duckdb_type for c in contract.columns if c.filled_by != "lake"}
    types |= {h.name: "BOOLEAN" if h.geofence else h.type for h in contract.helpers}
    connection = duckdb.connect()
    connection.execute("CREATE MACRO keyed_token(kind, words) AS kind || words")
    connection.execute(
        f"CREATE TABLE rows ({_definitions(types)}, record_key VARCHAR, feed_handling VARCHAR)"
    )
    for column in contract.columns:
        for sql in filter(None, (column.derive, column.withheld_when)):
            connection.execute(f"SELECT {sql} FROM rows")
