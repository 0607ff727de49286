"""The second reading of a question, by DuckDB's own parser: what it calls and what it reads.

The first reading (`fence.py`) gives kinder messages.

Two parsers may understand one text differently; what DuckDB will run is what DuckDB has read. It
gives its tree as JSON (SELECT only, nothing is bound or run), in which every call has the name that
it will be looked up by.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING, Any

from pipelines.portal.sql.errors import SqlError
from pipelines.portal.sql.fence import DEEP, ENGINE_PREFIXES, NAME, no_such_table
from pipelines.portal.sql.functions import FUNCTIONS, OPERATORS, TABLE_FUNCTIONS

if TYPE_CHECKING:
    import duckdb

# What may stand in FROM, and the kinds of query; anything else (SHOW_REF, …) is refused.
SOURCES = frozenset(
    {"BASE_TABLE", "JOIN", "SUBQUERY", "EMPTY", "EXPRESSION_LIST", "TABLE_FUNCTION", "PIVOT"}
)
QUERIES = frozenset({"SELECT_NODE", "SET_OPERATION_NODE", "RECURSIVE_CTE_NODE", "CTE_NODE"})
CLASSES = frozenset(
    {"BETWEEN", "CASE", "CAST", "COLLATE", "COLUMN_REF", "COMPARISON", "CONJUNCTION", "CONSTANT"}
    | {"FUNCTION", "LAMBDA", "LAMBDA_REF", "OPERATOR", "POSITIONAL_REFERENCE", "STAR", "SUBQUERY"}
    | {"WINDOW", "DEFAULT"}
)
# Made by DuckDB's parser of what is written in words, and of no use to anyone by hand.
MADE_BY_THE_PARSER = frozenset({"count_star", "struct_pack", "row", "list_value", "list_apply"})
BUILT_IN = ("", "main", "pg_catalog")
CALLS = FUNCTIONS | OPERATORS | MADE_BY_THE_PARSER


def read(
    connection: duckdb.DuckDBPyConnection, question: str, relations: Collection[str]
) -> list[str]:
    """The relations that the question reads, if the second reading allows it. Raises SqlError."""
    tree = json.loads(_serialised(connection, question))
    if tree["error"]:
        if tree.get("error_type") == "parser":
            raise SqlError("SQL-103", near=_near(question, tree), line=_line(question, tree))
        raise SqlError("SQL-105")
    if len(tree["statements"]) != 1:
        raise SqlError("SQL-104")
    nodes = list(_nodes(tree["statements"][0]["node"]))
    made = {name.lower() for node in nodes for name in _ctes(node)}
    if any(not NAME.fullmatch(name) or name.startswith(ENGINE_PREFIXES) for name in made):
        raise SqlError("SQL-109", form="WITH")
    known = {relation.lower() for relation in relations}
    used: dict[str, None] = {}
    for node in nodes:
        _check(node)
        if node.get("type") == "BASE_TABLE":
            name = node["table_name"].lower()
            is_plain = node["schema_name"].lower() in ("", "main") and not node["catalog_name"]
            if not is_plain or node.get("at_clause") or name not in known | made:
                raise no_such_table(node["table_name"], relations)
            if name in known:
                used[name] = None
    return list(used)


def _serialised(connection: duckdb.DuckDBPyConnection, question: str) -> str:
    import duckdb

    try:
        [(said,)] = connection.execute("SELECT json_serialize_sql(?)", [question]).fetchall()
    except duckdb.Error:
        raise SqlError("SQL-109", form=DEEP) from None
    return str(said)


def _nodes(tree: Any) -> Iterator[dict[str, Any]]:
    """Every object of the tree but the insides of constants, which are the asker's own values."""
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, list):
            waiting.extend(node)
        elif isinstance(node, dict):
            yield node
            if node.get("class") != "CONSTANT":
                waiting.extend(node.values())


def _ctes(node: dict[str, Any]) -> list[str]:
    return [entry["key"] for entry in (node.get("cte_map") or {}).get("map", [])]


def _check(node: dict[str, Any]) -> None:
    kind, family = node.get("type"), node.get("class")
    if family is not None:
        if family not in CLASSES:
            raise SqlError("SQL-109", form=str(family))
        if "function_name" in node:
            _check_call(node, CALLS)
    elif kind == "TABLE_FUNCTION":
        function = node["function"]
        if function.get("function_name", "").lower() not in TABLE_FUNCTIONS:
            raise SqlError("SQL-108")
    elif isinstance(kind, str) and _is_relation(node) and kind not in SOURCES | QUERIES:
        raise SqlError("SQL-109", form=kind)


def _check_call(node: dict[str, Any], allowed: frozenset[str]) -> None:
    name = node["function_name"]
    # What is written with signs or words gets a schema from the parser itself.
    is_ours = node.get("schema", "") in BUILT_IN and node.get("catalog", "") in ("", "system")
    if name.lower() not in allowed or not is_ours:
        raise SqlError("SQL-107", name=str(name)[:40])


def _is_relation(node: dict[str, Any]) -> bool:
    """True for what stands in FROM or is a query; modifiers and types have neither mark."""
    return "sample" in node or "modifiers" in node


def _position(tree: dict[str, Any]) -> int:
    position = str(tree.get("position", ""))
    return int(position) if position.isdigit() else 0


def _near(question: str, tree: dict[str, Any]) -> str:
    rest = question[_position(tree) :].split()
    return rest[0][:40] if rest else "…"


def _line(question: str, tree: dict[str, Any]) -> int:
    return question[: _position(tree)].count("\n") + 1
