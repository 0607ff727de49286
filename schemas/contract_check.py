"""The names in the SQL of a contract: each is a column, a helper or a fact of the table.

Not here: what a file may say (`declared.py`) and what is missing in it (`compose.py`).
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

from schemas import declared
from schemas.compose import Composition
from schemas.compose_rules import RuleComposition
from schemas.contract import load_contract, table_names
from schemas.contract_problem import ContractError, ContractProblem
from schemas.lines import line_of
from schemas.rules import UNEXPECTED_ROWS_PREFIX
from schemas.table import Contract

# What the query that judges a delivery offers beside columns, helpers and facts
OFFERED = frozenset({"record_key", "feed_handling", "same_content_rows"})
Place = tuple[Path, tuple[str | int, ...]]


def problems(table: str) -> list[ContractProblem]:
    """Every name in SQL that means nothing, with the line where it is. Raises ContractError."""
    contract = load_contract(table)
    known = {*OFFERED, *(column.name for column in contract.columns)}
    known |= {column.unread for column in contract.columns}
    known |= {helper.name for helper in contract.helpers} | {fact.name for fact in contract.facts}
    found = []
    for sql, (path, loc) in _pieces(contract):
        names = names_in(sql)
        if names is None:
            found.append(ContractProblem("CON-210", path, line_of(path, loc)))
            continue
        for name in sorted(names - known):
            found.append(ContractProblem("CON-209", path, line_of(path, loc), {"name": name}))
    return found


def check_all() -> None:
    """Look at every table. Raises ContractError."""
    if found := [problem for table in table_names() for problem in problems(table)]:
        raise ContractError(found)


def names_in(sql: str) -> set[str] | None:
    """The columns that an expression names; None where it cannot be read."""
    import sqlglot
    from sqlglot import exp
    from sqlglot.errors import SqlglotError

    logging.getLogger("sqlglot").setLevel(logging.ERROR)
    try:
        return {
            column.name for column in sqlglot.parse_one(sql, read="duckdb").find_all(exp.Column)
        }
    except SqlglotError:
        return None


def _pieces(contract: Contract) -> Iterator[tuple[str, Place]]:
    """Each piece of SQL, and where it is written."""
    said, path = declared.table(contract.table), declared.table_path(contract.table)
    placed = RuleComposition(Composition(said, path)).placed()
    for rule in contract.rules:
        one = placed[rule.code]
        if query := rule.kwargs.get("unexpected_rows_query"):
            yield query.removeprefix(UNEXPECTED_ROWS_PREFIX), (one.path, one.loc)
        for key in ("column", "column_A", "column_B"):
            if name := rule.kwargs.get(key):
                yield f'"{name}"', (one.path, one.loc)
    for column in contract.columns:
        if column.derive:
            override = said.overrides.get(column.name)
            is_own = override is not None and "derive" in override.model_fields_set
            own = (path, ("overrides", column.name, "derive"))
            yield (
                column.derive,
                own if is_own else (declared.field_path(column.name), (column.name, "derive")),
            )
    for fact in contract.facts:
        yield fact.sql, (path, ("facts", fact.name))
