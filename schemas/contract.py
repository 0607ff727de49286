"""The contract of each table, put together from what `schemas` declares.

Not here: what is rendered from a contract (`render/`) and the SQL of its rules (`rules.py`).
"""

from __future__ import annotations

from functools import cache

from schemas import declared
from schemas.compose import Composition
from schemas.compose_rules import RuleComposition
from schemas.table import Coarsen, Column, Contract, Fact, FilledBy, Helper, Kind, Rule, Severity

__all__ = [
    "Coarsen",
    "Column",
    "Contract",
    "Fact",
    "FilledBy",
    "Helper",
    "Kind",
    "Rule",
    "Severity",
    "all_rules",
    "load_contract",
    "table_names",
]


def table_names(kind: Kind | None = None) -> list[str]:
    """The declared tables, data tables first, then reference, then the logs of the pipeline."""
    names = sorted(path.stem for path in declared.TABLES_FOLDER.glob(f"*{declared.SUFFIX}"))
    order = ("data", "reference", "log")
    contracts = sorted((load_contract(name) for name in names), key=lambda c: order.index(c.kind))
    return [c.table for c in contracts if kind in (None, c.kind)]


@cache
def load_contract(table: str) -> Contract:
    """The contract of `table`. Raises ContractError, FileNotFoundError for an unknown table."""
    said = declared.table(table)
    composed = Composition(said, declared.table_path(table))
    rules = RuleComposition(composed).rules()
    return Contract(
        table=said.table,
        kind=said.kind,
        version=said.version,
        title=said.title,
        description=said.description,
        grain=said.grain,
        purpose=said.purpose,
        usage=said.usage,
        limitations=said.limitations,
        columns=composed.columns(),
        rules=tuple(rule for rule in rules if not rule.identity),
        facts=composed.facts(),
        helpers=composed.helpers(),
        lake_rules=tuple(rule for rule in rules if rule.identity),
        codes=said.codes,
        roles=composed.roles(),
        questions=composed.questions(),
    )


def all_rules() -> dict[str, Rule]:
    """Every rule of every contract by its code; delivery findings (DEL-7xx) are among them."""
    contracts = map(load_contract, table_names())
    return {rule.code: rule for one in contracts for rule in (*one.rules, *one.lake_rules)}


def coded_columns(codelist: str) -> list[tuple[str, str]]:
    """Table and name of each published column whose values are codes of a list."""
    return [
        (table, column.name)
        for table in table_names()
        for column in load_contract(table).published
        if column.codelist == codelist
    ]
