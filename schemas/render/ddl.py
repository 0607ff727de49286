"""A contract as DuckDB statements: the table, and the comments that a client shows beside a column.

Not here: running them, and the views of the catalogue (`pipelines/lake`).
"""

from __future__ import annotations

from typing import Literal

from schemas.contract import Column, Contract
from schemas.sqltext import literal, name

Relation = Literal["TABLE", "VIEW"]


def create_table(contract: Contract, table: str = "") -> str:
    """`CREATE TABLE` with the published columns; NOT NULL where the contract requires a value."""
    lines = [f"    {_definition(column)}" for column in contract.published]
    keys = [name(column.name) for column in contract.published if column.is_primary_key]
    if keys:
        lines.append(f"    PRIMARY KEY ({', '.join(keys)})")
    body = ",\n".join(lines)
    return f"CREATE TABLE {name(table or contract.table)} (\n{body}\n);"


def comments(contract: Contract, relation: Relation = "TABLE", table: str = "") -> list[str]:
    """One `COMMENT ON` a relation and a column, English then French, in the contract's order."""
    target = name(table or contract.table)
    words = f"{contract.description.en} | {contract.description.fr}"
    return [
        f"COMMENT ON {relation} {target} IS {literal(words)};",
        *(
            f"COMMENT ON COLUMN {target}.{name(column.name)} IS {literal(column_comment(column))};"
            for column in contract.published
        ),
    ]


def column_comment(column: Column) -> str:
    """What a column holds, in both languages, with its unit and its code list."""
    facts = [f"unit: {column.unit}"] if column.unit else []
    facts += [f"codes: {column.codelist}"] if column.codelist else []
    tail = f" [{'; '.join(facts)}]" if facts else ""
    return f"{column.description.en} | {column.description.fr}{tail}"


def script(contract: Contract) -> str:
    """The table and its comments as one script."""
    return "\n".join([create_table(contract), *comments(contract)]) + "\n"


def _definition(column: Column) -> str:
    must = " NOT NULL" if column.is_required else ""
    return f"{name(column.name)} {column.duckdb_type}{must}"
