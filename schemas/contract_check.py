"""What a declaration says and the engine cannot use: SQL, roles, columns that nothing fills.

Not here: what a file may say (`declared.py`) and what is missing in it (`compose.py`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import duckdb

from schemas import declared
from schemas.compose import Composition
from schemas.compose_rules import RuleComposition
from schemas.contract import load_contract, table_names
from schemas.lines import line_of
from schemas.problem import ContractError, ContractProblem
from schemas.roles import NEEDS, WANTED
from schemas.rules import fails_when, is_cross_record
from schemas.sqltext import name as quoted
from schemas.table import Column, Contract, Fact

# What the query that judges a delivery offers beside columns, helpers and facts
OFFERED = {"record_key": "VARCHAR", "feed_handling": "VARCHAR", "same_content_rows": "BIGINT"}
# What it and the catalogue offer beside the functions of DuckDB, here without their work
FUNCTIONS = (
    "CREATE MACRO keyed_token(kind, words) AS CAST(words AS VARCHAR)",
    "CREATE MACRO label(list_name, code_value, lang := 'en') AS CAST(code_value AS VARCHAR)",
)
_UNKNOWN = re.compile(r'Referenced (?:column|table) "([^"]+)" not found')
_WORD = re.compile(r"\w+")
Loc = tuple[str | int, ...]
Piece = tuple[str, Path, Loc]  # a statement, and where what it is made of is written


def problems(table: str) -> list[ContractProblem]:
    """What is wrong with a table that can be put together. Raises ContractError where it cannot."""
    contract = load_contract(table)
    said, path = declared.table(table), declared.table_path(table)
    return [*_roles(contract, path), *_columns(contract, path), *_statements(contract, said, path)]


@cache
def check(table: str) -> None:
    """Look at one table, once. Raises ContractError."""
    if found := problems(table):
        raise ContractError(found)


def check_all() -> None:
    """Look at every table. Raises ContractError."""
    if found := [problem for table in table_names() for problem in problems(table)]:
        raise ContractError(found)


def _roles(contract: Contract, path: Path) -> Iterator[ContractProblem]:
    """Roles that say nothing alone, and columns that cannot be what they are said to be."""
    held = {role for role in type(contract.roles).model_fields if contract.roles.names(role)}
    for role, other in NEEDS:
        if role in held and other not in held:
            values = {"role": role, "other": other}
            yield ContractProblem("CON-213", *_place_of(role, contract.table, path), values)
    for role, wanted in WANTED.items():
        columns = [contract.column(one) for one in contract.roles.names(role)]
        if columns and not wanted.is_met_by(columns):
            said = ", ".join(column.name for column in columns)
            unfit: dict[str, Any] = {"role": role, "said": said, "expected": wanted.words}
            yield ContractProblem("CON-214", *_place_of(role, contract.table, path), unfit)


def _place_of(role: str, table: str, path: Path) -> tuple[Path, int]:
    """The file and the line in which a table gets a role."""
    for group, one in Composition(declared.table(table), path).groups.items():
        if role in one.roles.model_fields_set:
            return declared.GROUPS_FILE, line_of(declared.GROUPS_FILE, (group, "roles", role))
    return path, line_of(path, ("roles", role))


def _columns(contract: Contract, path: Path) -> Iterator[ContractProblem]:
    """Columns that nothing fills, days of no moment, and silence about what is given away."""
    if contract.kind != "data":
        return
    names = {column.name for column in contract.columns}
    for column in contract.columns:
        place = declared.fields()[column.name].file
        if column.filled_by == "derive" and not column.derive:
            line = line_of(place, (column.name,))
            yield ContractProblem("CON-216", place, line, {"name": column.name})
        if column.day_of and column.day_of not in names:
            values = {"name": column.name, "moment": column.day_of}
            yield ContractProblem("CON-218", path, line_of(path, ("columns",)), values)
        if column.is_published and column.reveals is None and _may_tell(column):
            line = line_of(place, (column.name,))
            yield ContractProblem("CON-215", place, line, {"name": column.name})


def _may_tell(column: Column) -> bool:
    is_open = column.classification == "UNCLASSIFIED" and column.coarsen != "token"
    return column.is_quasi_identifier or not is_open


def _statements(contract: Contract, said: declared.Table, path: Path) -> Iterator[ContractProblem]:
    """SQL that DuckDB cannot read or compute, over one row in which nothing is known."""
    with duckdb.connect(config={"threads": 1}) as connection:
        for function in FUNCTIONS:
            connection.execute(function)
        connection.execute("PRAGMA disable_optimizer")  # it would not compute what is unknown
        connection.execute(f"CREATE TABLE rows ({_typed(_known(contract))})")
        connection.execute("INSERT INTO rows DEFAULT VALUES")
        facts = _facts(contract, path)
        broken = list(_refused(connection, facts))
        yield from broken
        if broken:
            return  # what is judged by them could not be read either
        also = _fact_columns(contract.facts)
        connection.execute(f"CREATE TABLE judged AS SELECT *{also} FROM rows")
        yield from _refused(connection, list(_pieces(contract, said, path)))
        for table in {word for one in contract.questions for word in _WORD.findall(one.sql)}:
            if declared.table_path(table).is_file():
                shown = {one.name: one.duckdb_type for one in load_contract(table).published}
                connection.execute(f"CREATE TABLE {quoted(table)} ({_typed(shown)})")
        yield from _refused(connection, _questions(contract, path))


def _known(contract: Contract) -> dict[str, str]:
    """By its name, the type of whatever an expression may name, but for facts."""
    known = dict(OFFERED)
    for column in contract.columns:
        known |= {column.name: column.duckdb_type, column.unread: "VARCHAR"}
    return known | {helper.name: helper.type for helper in contract.helpers}


def _typed(columns: dict[str, str]) -> str:
    return ", ".join(f"{quoted(name)} {kind}" for name, kind in columns.items())


def _facts(contract: Contract, path: Path) -> list[Piece]:
    """A statement for each fact, which may use those before it."""
    return [
        (f"SELECT *{_fact_columns(contract.facts[:count])} FROM rows", path, ("facts", fact.name))
        for count, fact in enumerate(contract.facts, start=1)
    ]


def _fact_columns(facts: Sequence[Fact]) -> str:
    return "".join(f", ({fact.sql}\n) AS {quoted(fact.name)}" for fact in facts)


def _questions(contract: Contract, path: Path) -> list[Piece]:
    return [
        (one.sql.replace("{lang}", "en"), path, ("questions", one.name, "sql"))
        for one in contract.questions
    ]


def _pieces(contract: Contract, said: declared.Table, path: Path) -> Iterator[Piece]:
    """A statement for each condition and each derivation."""
    placed = RuleComposition(Composition(said, path)).placed()
    for rule in contract.rules:
        if rule.expectation and not is_cross_record(rule):
            one = placed[rule.code]
            yield f"SELECT NOT ({fails_when(rule)}\n) FROM judged", one.path, one.loc
    for flag in said.withheld_when:
        yield f"SELECT NOT ({flag}\n) FROM judged", path, ("withheld_when", flag)
    for column in contract.columns:
        if column.derive:
            override = said.overrides.get(column.name)
            is_own = override is not None and "derive" in override.model_fields_set
            own = (path, ("overrides", column.name, "derive"))
            there = (declared.fields()[column.name].file, (column.name, "derive"))
            value = f"CAST(({column.derive}\n) AS {column.duckdb_type})"
            yield f"SELECT {value} FROM rows", *(own if is_own else there)


def _refused(
    connection: duckdb.DuckDBPyConnection, pieces: list[Piece]
) -> Iterator[ContractProblem]:
    for sql, path, loc in pieces:
        try:
            connection.execute(sql)
        except duckdb.ParserException:
            yield ContractProblem("CON-210", path, line_of(path, loc))
        except duckdb.Error as error:
            said = str(error).partition("\n")[0]
            unknown = _UNKNOWN.search(said)
            values: dict[str, Any] = {"name": unknown[1]} if unknown else {"problem": said}
            code = "CON-209" if unknown else "CON-212"
            yield ContractProblem(code, path, line_of(path, loc), values)
