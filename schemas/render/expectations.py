"""A contract's Great Expectations suites as plain data: strict for accepted, counts for set aside.

Not here: Great Expectations itself (`pipelines/validate`).

Each entry is `{"type", "kwargs", "meta"}`, as Great Expectations writes a suite to JSON.
`meta["code"]` is the rule's code, or DEL-715 for a check that belongs to the audit and not to a
rule. `meta["counts_in"]` names the list column that records the rule's code row by row.
"""

from __future__ import annotations

from typing import Any, TypedDict

from schemas.contract import Column, Contract, Rule
from schemas.rules import UNEXPECTED_ROWS_PREFIX, is_cross_record
from schemas.sqltext import literal, name

AUDIT_CODE = "DEL-715"
UNSPLIT_CODE = "DEL-727"
# The only reason of a row of which the reading believes no cell: it could not be split into
# columns; bytes of it are zero; its letters are in two sets of characters; merged cells overlap it.
SET_ASIDE_CODES = (UNSPLIT_CODE, "DEL-751", "DEL-753", "DEL-760")
ROW_COUNT = "expect_table_row_count_to_equal"
REASONS = "reasons"  # codes of the errors of a row: empty where the row was accepted
FLAGS = "quality_flags"  # codes of the warnings of a row
# The length first: nearly all rows have no reason, and it is cheaper to look at.
IS_UNSPLIT = (
    f"(coalesce(len({REASONS}), 0) > 0 AND list_has_any({REASONS}, {literal(SET_ASIDE_CODES)}))"
)
LOCAL_DAY = "local_day"  # the macro (moment in UTC, zone) → date that the audit defines
CODE_LISTS = "code_lists"  # the table (list, code) that the audit fills from `schemas/codelists`


class Expectation(TypedDict):
    """One expectation as Great Expectations writes it to JSON."""

    type: str
    kwargs: dict[str, Any]
    meta: dict[str, Any]


def accepted_suite(contract: Contract) -> list[Expectation]:
    """Strict: no row fails an error rule; required values and codes hold; warnings agree.

    That a record occurs once follows from `together_suite` and `quarantined_suite`: over both files
    as many rows share a record as in the quarantined one alone.
    """
    return [
        *_shape(contract),
        *(_required(column.name) for column in _file_columns(contract) if column.is_required),
        *(
            _in_code_list(column.name, column.codelist)
            for column in _file_columns(contract)
            if column.codelist
        ),
        _no_rows(f"coalesce(len({REASONS}), 0) > 0", REASONS, "an accepted row has no reason"),
        *_days(contract),
        *(_rule(rule) for rule in contract.rules if not is_cross_record(rule)),
        _row_count("rows_accepted"),
    ]


def quarantined_suite(contract: Contract) -> list[Expectation]:
    """A recount: each rule fails as many rows as the router recorded; each row has a reason.

    Over the rows that were judged: one that could not be split has nothing that a rule could judge.
    """
    return [
        *_shape(contract),
        _no_rows(f"coalesce(len({REASONS}), 0) = 0", REASONS, "a row set aside has a reason"),
        *(_rule(rule) for rule in contract.rules),
        _row_count("rows_judged_and_quarantined"),
    ]


def together_suite(contract: Contract) -> list[Expectation]:
    """Over both files at once: no row is in both, and records are compared across the delivery.

    A rule across records has to be recounted here: a router that keeps the first of two rows of one
    record leaves two files that are each in order. So have the rows that could not be read: the
    reading says how many there are, and nothing of them may have become a value.
    """
    return [
        {
            "type": "expect_column_values_to_be_unique",
            "kwargs": {"column": "source_row"},
            "meta": {"code": AUDIT_CODE, "says": "a row of the delivery goes to one file, once"},
        },
        *(_rule(rule) for rule in contract.rules if is_cross_record(rule)),
        *map(_set_aside, SET_ASIDE_CODES),
        _no_rows(
            f"{IS_UNSPLIT} AND (len({REASONS}) > 1 OR record_id IS NOT NULL)",
            REASONS,
            "a row that was not split has no number and no other reason",
        ),
    ]


def _set_aside(code: str) -> Expectation:
    listed = f"list_contains({REASONS}, {literal(code)})"
    return {
        "type": "unexpected_rows_expectation",
        "kwargs": {"unexpected_rows_query": UNEXPECTED_ROWS_PREFIX + listed},
        "meta": {
            "code": code,
            "column": REASONS,
            "counts_in": REASONS,
            "says": "as many rows were set aside unread as the reading counted",
        },
    }


def _file_columns(contract: Contract) -> list[Column]:
    return [column for column in contract.published if column.filled_by != "lake"]


def _shape(contract: Contract) -> list[Expectation]:
    """The contract's columns in order and with its types; beside them only what judging needs."""
    columns = [f"{column.name} {column.duckdb_type}" for column in _file_columns(contract)]
    private = [c.unread for c in contract.columns_filled_by("feed", "input") if not c.is_plain_text]
    private += [helper.name for helper in contract.helpers]
    private += [fact.name for fact in contract.facts]
    return [
        {
            "type": "expect_table_columns_to_follow_contract",
            "kwargs": {"columns": columns, "required": [REASONS], "allowed": private},
            "meta": {"code": AUDIT_CODE, "says": "columns, order and types are the contract's"},
        }
    ]


def _required(column: str) -> Expectation:
    return {
        "type": "expect_column_values_to_not_be_null",
        "kwargs": {"column": column},
        "meta": {"code": AUDIT_CODE, "says": f"{column} is required"},
    }


def _in_code_list(column: str, codelist: str) -> Expectation:
    codes = f"SELECT code FROM {CODE_LISTS} WHERE list = {literal(codelist)}"
    return _no_rows(
        f"{name(column)} NOT IN ({codes})", column, f"{column} holds codes of {codelist}"
    )


def _days(contract: Contract) -> list[Expectation]:
    """Each day is that of its moment by the clocks of the zone, and a moment has its precision."""
    found = []
    for day in (column for column in contract.published if column.day_of):
        moment, local = name(day.day_of), name(day.name)
        has_moment = f"{moment} IS NOT NULL AND "
        found.append(_no_rows(f"{has_moment}{local} IS NULL", day.name, "a moment has its day"))
        near = f"CAST({moment} AS DATE) - 1 AND CAST({moment} AS DATE) + 1"
        says = "a day is that of its moment, or beside it"
        found.append(_no_rows(f"{has_moment}{local} NOT BETWEEN {near}", day.name, says))
        if not day.precision:  # it may have been written down by the clocks of another place
            continue
        # Where no area is known, the offset that the source itself wrote may have told the day.
        other = f"admin1_code IS NOT NULL AND {local} <> {LOCAL_DAY}({moment}, time_zone)"
        says = "a day is that of its moment by the clocks at the place"
        found.append(_no_rows(has_moment + other, day.name, says))
        vague = f"coalesce({name(day.precision)}, '') NOT IN ('minute', 'hour')"
        says = "a moment is told only where its time is known"
        found.append(_no_rows(has_moment + vague, day.day_of, says))
    return found


def _no_rows(condition: str, column: str, says: str) -> Expectation:
    return {
        "type": "unexpected_rows_expectation",
        "kwargs": {"unexpected_rows_query": UNEXPECTED_ROWS_PREFIX + condition},
        "meta": {"code": AUDIT_CODE, "column": column, "says": says},
    }


def _rule(rule: Rule) -> Expectation:
    return {
        "type": rule.expectation,
        "kwargs": dict(rule.kwargs),
        "meta": {
            "code": rule.code,
            "column": rule.column,
            "counts_in": REASONS if rule.severity == "error" else FLAGS,
            "says": rule.message.en,
        },
    }


def _row_count(parameter: str) -> Expectation:
    return {
        "type": ROW_COUNT,
        "kwargs": {"value": {"$PARAMETER": parameter}},
        "meta": {"code": AUDIT_CODE, "says": "the file holds as many rows as were recorded"},
    }
