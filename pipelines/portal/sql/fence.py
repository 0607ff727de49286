"""The first reading of a question, by sqlglot: one SELECT, over known relations, of known forms.

What is allowed is declared by examples: a form of SQL is taken if it occurs in `FORMS` or is a
call of a function of `functions.py`. What nobody thought of is refused.
"""

from __future__ import annotations

import difflib
import logging
import re
from collections.abc import Collection
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from pipelines.core.i18n import mark
from pipelines.portal.sql.errors import SqlError
from pipelines.portal.sql.functions import FUNCTIONS

if TYPE_CHECKING:
    from sqlglot import exp

LONGEST_QUESTION = 10_000  # characters
NAME = re.compile(r"[^\W\d]\w*")  # a relation that a question itself names
DEEP = mark("nested too deeply")
# Relations that DuckDB has of its own; a question may not borrow their names.
ENGINE_PREFIXES = ("duckdb_", "pragma_", "sqlite_", "pg_", "information_schema")

FORMS = (
    "SELECT a, t.b, t.*, 1, -1, 1.5, 'x', TRUE, NULL, (a + b), a AS c, * EXCLUDE (d) FROM t AS t",
    "SELECT * REPLACE (a AS b), * RENAME (a AS b), COLUMNS('x'), COLUMNS(* EXCLUDE (a)) FROM t",
    "SELECT DISTINCT ON (a) a FROM t WHERE a = 1 AND b <> 2 OR NOT c < 3 AND d <= 4 AND e > 5",
    "SELECT a >= 1, a IS NULL, a IS NOT NULL, a IS DISTINCT FROM b, a IS NOT DISTINCT FROM b",
    "SELECT a IN (1, 2), a NOT IN (SELECT b FROM t), a BETWEEN 1 AND 2, EXISTS (SELECT 1), a = ANY "
    "(SELECT 1), a > ALL (SELECT 1), (a, b) = (1, 2), a LIKE 'x' ESCAPE '!', a ILIKE 'x', a ~ 'x'",
    "SELECT a - b, a * b, a / b, a // b, a % b, a ** b, a || b, a SIMILAR TO 'x', a GLOB 'x'",
    "SELECT CASE WHEN a THEN 1 ELSE 2 END, CASE a WHEN 1 THEN 2 END, CAST(a AS INTEGER), a::DATE",
    "SELECT TRY_CAST(a AS DECIMAL(10, 2)), DATE '2026-01-01', TIMESTAMP '2026-01-01 00:00:00'",
    "SELECT INTERVAL 3 MONTH, INTERVAL '3 days', INTERVAL (a) DAY, a AT TIME ZONE 'UTC'",
    "SELECT EXTRACT(year FROM a), POSITION('a' IN b), TRIM(BOTH 'a' FROM b), CURRENT_DATE",
    "SELECT SUBSTRING(a FROM 1 FOR 2), a COLLATE NOCASE, [1, 2], a[1], a[1:2], {'a': 1}, b.c.d",
    "SELECT (SELECT 1), [x + 1 FOR x IN a IF x > 1], list_transform(a, lambda x: x + 1)",
    "SELECT count(*), count(DISTINCT a), sum(a) FILTER (WHERE b), string_agg(a, ',' ORDER BY b)",
    "SELECT sum(a) OVER (PARTITION BY b ORDER BY c ROWS BETWEEN 1 PRECEDING AND CURRENT ROW), "
    "lag(a IGNORE NULLS) OVER w, sum(a) OVER (RANGE BETWEEN UNBOUNDED PRECEDING AND 1 FOLLOWING) "
    "FROM t WINDOW w AS (PARTITION BY a)",
    "SELECT a FROM t GROUP BY a, ROLLUP (b), CUBE (c), GROUPING SETS ((a), ()) HAVING count(*) > 1 "
    "QUALIFY row_number() OVER () = 1 ORDER BY a DESC NULLS LAST LIMIT 10 OFFSET 5",
    "SELECT a FROM t GROUP BY ALL ORDER BY ALL",
    "FROM t SELECT a",
    "FROM t JOIN u ON a = b LEFT JOIN v USING (c) CROSS JOIN w NATURAL JOIN x, y SEMI JOIN z ON d",
    "SELECT 1 FROM a ASOF JOIN b ON a.c >= b.c, LATERAL (SELECT 1) AS d, (SELECT 1) AS e(f)",
    "SELECT 1 FROM (VALUES (1, 2)) AS v(a, b), unnest([1]) AS u(c), t TABLESAMPLE 10%",
    "SELECT 1 FROM t USING SAMPLE 100 ROWS",
    "WITH a AS (SELECT 1), b(c) AS MATERIALIZED (SELECT 2) SELECT 1 FROM a, b",
    "WITH RECURSIVE a AS (SELECT 1 UNION ALL SELECT 2) SELECT 1 FROM a",
    "SELECT 1 UNION SELECT 2 UNION ALL SELECT 3 EXCEPT SELECT 4 INTERSECT (SELECT 5 LIMIT 1)",
    "SELECT 1 UNION ALL BY NAME SELECT 2",
    "SELECT 1 FROM t PIVOT (count(*) FOR a IN ('x', 'y') GROUP BY b)",
    "SELECT 1 FROM t UNPIVOT (a FOR b IN (c, d))",
    "SELECT 1 FROM (PIVOT t ON a IN (1, 2) USING sum(b) GROUP BY c)",
)


@dataclass(frozen=True)
class Read:
    """A question that the first reading allows: without its last “;”, and what it reads."""

    text: str
    relations: tuple[str, ...]


def read(text: str, relations: Collection[str]) -> Read:
    """The question, if the first reading allows it. Raises SqlError."""
    from sqlglot import exp

    _plain(text)
    tree = _parsed(text)
    made = _named_by_the_question(tree)
    for node in tree.walk():
        _check(node, relations, made)
    named = {table.name.lower() for table in tree.find_all(exp.Table)}
    used = tuple(relation for relation in relations if relation.lower() in named)
    return Read(text.strip().rstrip(";").rstrip(), used)


def _plain(text: str) -> None:
    if not text.strip():
        raise SqlError("SQL-101")
    if len(text) > LONGEST_QUESTION:
        raise SqlError("SQL-102", most=LONGEST_QUESTION)
    for position, character in enumerate(text, 1):
        is_odd = (
            character < " " and character not in "\t\n\r"
        ) or "\ud800" <= character <= "\udfff"
        if is_odd or character == "\x7f":
            raise SqlError("SQL-111", position=position)


def _parsed(text: str) -> exp.Expr:
    import sqlglot
    from sqlglot import exp
    from sqlglot.errors import SqlglotError

    logging.getLogger("sqlglot").setLevel(logging.ERROR)  # it quotes statements in warnings
    try:
        statements = [s for s in sqlglot.parse(text, read="duckdb") if s is not None]
    except SqlglotError as error:
        raise _not_understood(error) from None
    except RecursionError:
        raise SqlError("SQL-109", form=DEEP) from None
    statements = [s for s in statements if not isinstance(s, exp.Semicolon)]
    if not statements:
        raise SqlError("SQL-101")
    if len(statements) > 1:
        raise SqlError("SQL-104")
    if isinstance(statements[0], exp.Pivot | exp.Describe | exp.Summarize | exp.Show):
        raise SqlError("SQL-109", form=type(statements[0]).__name__.upper())
    if not isinstance(statements[0], exp.Select | exp.SetOperation | exp.Subquery):
        raise SqlError("SQL-105")
    return statements[0]


def _not_understood(error: Exception) -> SqlError:
    details = (getattr(error, "errors", None) or [{}])[0]
    near = str(details.get("highlight") or "").strip()[:40]
    return SqlError("SQL-103", near=near or "…", line=details.get("line") or 1)


def _named_by_the_question(tree: exp.Expr) -> set[str]:
    """The names that WITH gives, folded as DuckDB folds them."""
    from sqlglot import exp

    names = {cte.alias for cte in tree.find_all(exp.CTE)}
    for name in names:
        if not NAME.fullmatch(name) or name.lower().startswith(ENGINE_PREFIXES):
            raise SqlError("SQL-109", form=f"WITH {name[:40]}")
    return {name.lower() for name in names}


def _check(node: exp.Expr, relations: Collection[str], made: set[str]) -> None:
    from sqlglot import exp

    if isinstance(node, exp.Table):
        _check_table(node, relations, made)
    if isinstance(node, exp.Anonymous):
        if node.name.lower() not in FUNCTIONS:
            raise SqlError("SQL-107", name=node.name[:40])
    elif type(node) not in _allowed_forms():
        raise refused_form(node)


def refused_form(node: exp.Expr) -> SqlError:
    """How a node that no example holds is named to the person who wrote it."""
    from sqlglot import exp

    if isinstance(node, exp.Func):
        return SqlError("SQL-107", name=node.sql_name().lower())
    if isinstance(node, exp.DML | exp.DDL | exp.Command | exp.Into):
        return SqlError("SQL-105")
    return SqlError("SQL-109", form=type(node).__name__.upper())


def _check_table(node: exp.Table, relations: Collection[str], made: set[str]) -> None:
    from sqlglot import exp

    if not isinstance(node.this, exp.Identifier):
        raise SqlError("SQL-108")
    known = {relation.lower() for relation in relations}
    name = node.name.lower()
    if node.catalog or (node.db and node.db.lower() != "main"):
        raise SqlError("SQL-106", name=".".join(part.name for part in node.parts)[:60])
    if name not in known and (name not in made or node.db):
        raise no_such_table(node.name, relations)


def no_such_table(name: str, relations: Collection[str]) -> SqlError:
    """The refusal of an unknown relation, with the nearest known one."""
    if close := difflib.get_close_matches(name.lower(), relations, 1):
        return SqlError("SQL-110", name=name[:60], close=close[0])
    return SqlError("SQL-106", name=name[:60])


@cache
def _allowed_forms() -> frozenset[type]:
    """The kinds of node of the examples, and those that sqlglot makes of the allowed functions."""
    import sqlglot
    from sqlglot import exp
    from sqlglot.errors import SqlglotError

    kinds: set[type] = set()
    for form in FORMS:
        tree = sqlglot.parse_one(form, read="duckdb")
        kinds.update(type(node) for node in tree.walk())
    for function in FUNCTIONS:
        for arguments in ("", "a", "a, b", "a, b, c"):
            try:
                tree = sqlglot.parse_one(f"SELECT {function}({arguments})", read="duckdb")
            except SqlglotError:
                continue
            kinds.update(type(node) for node in tree.walk())
    kinds.discard(exp.Anonymous)
    return frozenset(kinds)
