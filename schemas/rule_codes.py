"""The list of every code that a rule ever had (`schemas/rule_codes.csv`): none means two things.

Not here: the rules (`schemas/tables`, `schemas/groups.yaml`). A line is added by
`python -m schemas.render` and never removed; a rule that is gone keeps its line, with the version
of its table from which on it is gone.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

from schemas.problem import ContractProblem
from schemas.table import Contract, Rule
from schemas.text import FOLDER, read_csv

CODES_FILE = FOLDER / "rule_codes.csv"
COLUMNS = ("code", "name", "column", "retired_in")


def listed() -> list[dict[str, str]]:
    """The lines of the list."""
    return read_csv(CODES_FILE)


def with_new_codes(contracts: Iterable[Contract]) -> str:
    """The list with a line for each code that it lacks, as CSV."""
    lines = {line["code"]: line for line in listed()}
    for rule in _rules(contracts):
        entry = {"code": rule.code, "name": rule.name, "column": rule.column, "retired_in": ""}
        lines.setdefault(rule.code, entry)
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(lines[code] for code in sorted(lines))
    return text.getvalue()


def problems(contracts: Sequence[Contract]) -> list[ContractProblem]:
    """Codes that were used for something else, that are retired, and that are gone in silence."""
    rules = {rule.code: rule for rule in _rules(contracts)}
    found = []
    for at, line in enumerate(listed(), 2):
        code, name, column, retired = (line[key] for key in COLUMNS)
        rule = rules.get(code)
        if rule and retired:
            values = {"code": code, "version": retired}
            found.append(ContractProblem("CON-403", CODES_FILE, at, values))
        elif rule and (rule.name, rule.column) != (name, column):
            values = {"code": code, "was": name, "column": column}
            found.append(ContractProblem("CON-401", CODES_FILE, at, values))
        elif not rule and not retired:
            found.append(ContractProblem("CON-402", CODES_FILE, at, {"code": code}))
    return found


def removed(before: str) -> list[ContractProblem]:
    """Codes that an earlier text of the list has and that it has no more."""
    now = {line["code"] for line in listed()}
    was = [line["code"] for line in csv.DictReader(io.StringIO(before))]
    return [ContractProblem("CON-405", CODES_FILE, 1, {"code": c}) for c in was if c not in now]


def _rules(contracts: Iterable[Contract]) -> list[Rule]:
    return [rule for one in contracts for rule in (*one.rules, *one.lake_rules)]
