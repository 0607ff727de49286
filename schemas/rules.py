"""From a rule's Great Expectations form to the SQL predicate that is TRUE where a row fails it.

Not here: the expectations themselves (`render/expectations.py`) and the query that applies them.

The contract holds the expectation; the router (this predicate, inside the harmonise query) and the
audit (Great Expectations, over the files that the router wrote) are two readings of that one
declaration, made by different programs. That is what lets the second check the first.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from schemas.sqltext import literal, literals, name
from schemas.table import Rule

UNEXPECTED_ROWS_PREFIX = "SELECT * FROM {batch} WHERE "


def fails_when(rule: Rule) -> str:
    """The SQL predicate of `rule`, TRUE for a row that fails; a missing operand does not fail.

    Raises ValueError for an expectation outside the vocabulary.
    """
    try:
        render = _FORMS[rule.expectation]
    except KeyError:
        raise ValueError(f"{rule.code}: no row form for {rule.expectation!r}") from None
    return render(rule.kwargs)


def is_cross_record(rule: Rule) -> bool:
    """True for a rule that looks at other rows of the same delivery."""
    return rule.expectation == "expect_column_values_to_be_unique"


def codes_that_hold(conditions: list[tuple[str, str]]) -> str:
    """The SQL of the list of the codes whose condition holds, of pairs of a code and a predicate.

    A list is built only for rows where some condition holds: CASE evaluates that branch for those
    rows alone, which keeps the pass over clean rows to comparisons.
    """
    if not conditions:
        return "[]::VARCHAR[]"
    each = ",\n      ".join(f"CASE WHEN {c} THEN {literal(code)} END" for code, c in conditions)
    return (
        f"CASE WHEN {any_holds(conditions)}\n"
        f"    THEN list_filter([{each}], lambda c: c IS NOT NULL)\n    ELSE []::VARCHAR[] END"
    )


def any_holds(conditions: list[tuple[str, str]]) -> str:
    """SQL that is TRUE where one of the conditions holds; never NULL."""
    return f"coalesce({' OR '.join(condition for _, condition in conditions) or 'FALSE'}, FALSE)"


def _between(kwargs: dict[str, Any]) -> str:
    column = name(kwargs["column"])
    parts = []
    if (low := kwargs.get("min_value")) is not None:
        parts.append(f"{column} {'<=' if kwargs.get('strict_min') else '<'} {_bound(low)}")
    if (high := kwargs.get("max_value")) is not None:
        parts.append(f"{column} {'>=' if kwargs.get('strict_max') else '>'} {_bound(high)}")
    return "(" + " OR ".join(parts) + ")"


def _bound(value: Any) -> str:
    # YAML keeps dates as text, as Great Expectations wants them; DuckDB casts the literal.
    return literal(value)


def _pair(kwargs: dict[str, Any]) -> str:
    sign = "<" if kwargs.get("or_equal") else "<="
    return f"({name(kwargs['column_A'])} {sign} {name(kwargs['column_B'])})"


def _lengths(kwargs: dict[str, Any]) -> str:
    length = f"length({name(kwargs['column'])})"
    parts = []
    if (low := kwargs.get("min_value")) is not None:
        parts.append(f"{length} < {literal(low)}")
    if (high := kwargs.get("max_value")) is not None:
        parts.append(f"{length} > {literal(high)}")
    return "(" + " OR ".join(parts) + ")"


def _unexpected_rows(kwargs: dict[str, Any]) -> str:
    query: str = kwargs["unexpected_rows_query"]
    if not query.startswith(UNEXPECTED_ROWS_PREFIX):
        raise ValueError(f"a rule's query starts with {UNEXPECTED_ROWS_PREFIX!r}")
    return "(" + query.removeprefix(UNEXPECTED_ROWS_PREFIX) + ")"


_FORMS: dict[str, Callable[[dict[str, Any]], str]] = {
    "expect_column_values_to_not_be_null": lambda k: f"({name(k['column'])} IS NULL)",
    "expect_column_values_to_be_null": lambda k: f"({name(k['column'])} IS NOT NULL)",
    "expect_column_values_to_be_in_set": lambda k: (
        f"({name(k['column'])} NOT IN ({literals(k['value_set'])}))"
    ),
    "expect_column_values_to_be_between": _between,
    "expect_column_values_to_match_regex": lambda k: (
        f"(NOT regexp_full_match({name(k['column'])}, {literal(k['regex'])}))"
    ),
    "expect_column_value_lengths_to_be_between": _lengths,
    "expect_column_pair_values_a_to_be_greater_than_b": _pair,
    # The harmonise query counts the rows of each record beforehand: see pipelines/harmonise.
    "expect_column_values_to_be_unique": lambda k: f'("{k["column"]}__times" > 1)',
    "unexpected_rows_expectation": _unexpected_rows,
}
VOCABULARY = frozenset(_FORMS)
