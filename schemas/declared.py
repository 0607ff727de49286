"""The files that declare the tables: columns, rule templates, groups and tables, as typed models.

Not here: how they become the contract of one table (`compose.py`), and codes of rules that were
used before (`rule_codes.py`). A key that is not known or stands twice is an error with its line.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, PrivateAttr, StringConstraints, ValidationError

from schemas.lines import TYPES, known_keys, line_of
from schemas.problem import LONGEST_SHOWN, ContractError, ContractProblem, words
from schemas.roles import Roles
from schemas.table import Coarsen, FilledBy, Kind, Severity
from schemas.text import FOLDER, LOADER, Bilingual

FIELDS_FOLDER = FOLDER / "fields"
TABLES_FOLDER = FOLDER / "tables"
GROUPS_FILE = FOLDER / "groups.yaml"
TEMPLATES_FILE = FOLDER / "rule_templates.yaml"
SUFFIX = ".yaml"

Type = Literal[
    "text", "timestamp", "date", "integer", "bigint", "number", "coordinate", "boolean", "texts"
]
Classification = Literal["UNCLASSIFIED", "CONFIDENTIAL", "STRICTLY_CONFIDENTIAL"]
# The dimensions of data quality of ODCS
Dimension = Literal[
    "",
    "accuracy",
    "completeness",
    "conformity",
    "consistency",
    "coverage",
    "timeliness",
    "uniqueness",
]
Version = Annotated[str, StringConstraints(pattern=r"^\d+\.\d+\.\d+$")]
Number = int | float
# In a template, `{…}` may stand for a value
Bound = Number | str | None
Model = TypeVar("Model", bound=BaseModel)


class Declared(BaseModel):
    """What a file may say; a key that is not known is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Words(Declared):
    """What is said of a cell that is wrong: that it is, why that matters, and what to do."""

    says: Bilingual | None = None
    why: Bilingual | None = None
    fix: Bilingual | None = None


class LevelLine(Declared):
    """A level of a classification: a code of it is the first characters of finer ones."""

    characters: int
    label: Bilingual


class Override(Declared):
    """What one table says of a column otherwise than `schemas/fields`."""

    type: Type = "text"
    codelist: str = ""  # the code list of its values
    unit: str = ""
    label: Bilingual | None = None
    asked: Bilingual | None = None  # what messages call it, where that is not the label
    description: Bilingual | None = None
    example: Any = None
    such_as: Bilingual | None = None  # words that a provider may write, for a message
    hxl: str = ""
    classification: Classification = "UNCLASSIFIED"
    required: bool = False  # always filled
    filled_by: FilledBy | None = None
    derive: str = ""  # SQL that fills it
    # Where the source does not say it: by another column, what the code list of that one says of
    # its code, or says on the side of the country of the row (country → value).
    look_up: dict[str, str | dict[str, str]] = {}
    content: bool = True  # False: it only says how a record came to us
    part_of: str = ""  # the count of which it is a part
    day_of: str = ""  # the moment of which this is the local day
    precision: str = ""  # the column that tells how exactly the day is known
    known_to: Literal["", "day", "week", "month", "year"] = ""  # or how exactly each row knows it
    levels: dict[str, LevelLine] = {}  # of its codes, the coarsest first: each can be told alone
    coarsen: Coarsen = ""  # what it gives away beyond its own meaning
    quasi_identifier: bool = False
    # The columns that this one tells something of, wherever both stand in a table: to mask one of
    # them is to mask this one. Empty: it tells of none.
    reveals: tuple[str, ...] | None = None
    pattern: str = ""  # a regular expression of every valid value
    length: tuple[int, int] | None = None  # characters, at least and at most
    range: tuple[Number, Number] | None = None  # at least and at most
    faults: dict[str, Words] = {}  # by rule template


class Field(Override):
    """One column, wherever it stands."""

    label: Bilingual
    description: Bilingual
    example: Any
    hxl: str
    _file: Path = PrivateAttr(default=FIELDS_FOLDER)

    @property
    def file(self) -> Path:
        """Where it is declared."""
        return self._file


class Form(Words):
    """How a row is judged; exactly one of these, or none for a rule about a file as a whole."""

    fails: str | None = None  # SQL that is TRUE for a row that fails
    empty: str | None = None  # a column that must be empty
    at_least: tuple[str, str] | None = None  # two columns: the first is not below the second
    between: tuple[Number, Number] | str | None = None  # both included
    least: Bound = None
    most: Bound = None
    above: Bound = None
    one_of: tuple[Number | str, ...] | str | None = None
    distinct: bool | None = None
    pattern: str | None = None
    characters: tuple[int, int] | str | None = None  # at least and at most


FORMS = tuple(name for name in Form.model_fields if name not in Words.model_fields)


class TypedWords(Words):
    """The words of a template for columns of one type; `like` names the type of the others."""

    like: Type | None = None


class RuleTemplate(Form):
    """A rule that many columns share. `{label}` and others are filled where a table asks for it."""

    name: str
    severity: Severity = "error"
    dimension: Dimension = ""
    at: str = ""  # the column that it blames, where that is not the one it is about
    parameters: tuple[str, ...] = ()  # what a table must say besides the column
    by_type: dict[Type, TypedWords] = {}


class RuleLine(Form):
    """A rule in a table or a group: `{in_codelist: admin1_code}`, or one of its own."""

    model_config = ConfigDict(frozen=True, extra="allow")  # the name of a template, its parameters

    error: str = ""  # the name of a rule of its own
    warning: str = ""
    at: str = ""  # the column that it blames
    name: str = ""
    severity: Severity | None = None
    dimension: Dimension = ""
    when: str = ""  # SQL: only then
    even_withdrawn: bool | None = None  # of `required`: rows that withdraw a record too
    about: Literal["", "row", "file"] = ""
    # Judged by the lake: of these columns, or columns that count together, a correction keeps one.
    identity: tuple[str | tuple[str, ...], ...] = ()


class HelperLine(Declared):
    """A private column that rules may use and that is never published."""

    geofence: Literal["", "country", "admin1"] = ""
    feed: Literal["", "starts"] = ""
    column: str = ""
    attribute: str = ""
    codelist: str = ""
    type: Literal["VARCHAR", "DATE", "BOOLEAN", "INTEGER", "DOUBLE"] = "VARCHAR"


class QuestionLine(Declared):
    """A question about the table to start from, in SQL; `{lang}` stands for a language."""

    title: Bilingual
    sql: str


class Group(Declared):
    """What several tables share."""

    columns: tuple[str, ...]
    inputs: tuple[str, ...] = ()
    roles: Roles = Roles()  # of its own columns
    helpers: dict[str, HelperLine] = {}
    rules: dict[int, RuleLine] = {}


class Table(Declared):
    """One table."""

    table: str
    kind: Kind = "data"
    version: Version
    codes: str = ""  # what the codes of its rules begin with
    stem: str = ""  # what the HXL tags of a reference table begin with
    title: Bilingual
    description: Bilingual
    grain: Bilingual  # what a row is
    purpose: str
    usage: Bilingual
    limitations: Bilingual
    event: Bilingual | None = None  # what messages call that which a row tells
    key: str = ""  # the column by which a row is found
    columns: tuple[str, ...]
    inputs: tuple[str, ...] = ()  # read and never kept
    roles: Roles = Roles()  # besides those of its groups
    withheld_when: dict[str, tuple[str, ...]] = {}
    classification: dict[Classification, tuple[str, ...]] = {}
    overrides: dict[str, Override] = {}
    helpers: dict[str, HelperLine] = {}
    facts: dict[str, str] = {}
    rules: dict[str, RuleLine] = {}
    words: dict[str, Words] = {}
    questions: dict[str, QuestionLine] = {}


@cache
def fields() -> dict[str, Field]:
    """Every declared column by its name. Raises ContractError."""
    found: dict[str, Field] = {}
    for path in sorted(FIELDS_FOLDER.glob(f"*{SUFFIX}")):
        for name, entry in read_declared(path).items():
            if name in found:
                other = found[name].file.name
                raise problem("CON-202", path, (name,), name=name, other=other)
            found[name] = checked(Field, entry, path, (name,))
            found[name]._file = path
    for name, one in found.items():
        for at, told in enumerate(one.reveals or ()):
            if told not in found:
                raise problem("CON-201", one.file, (name, "reveals", at), name=told)
    return found


@cache
def templates() -> dict[str, RuleTemplate]:
    """Every rule template by its name. Raises ContractError."""
    entries = read_declared(TEMPLATES_FILE).items()
    return {name: checked(RuleTemplate, one, TEMPLATES_FILE, (name,)) for name, one in entries}


@cache
def groups() -> dict[str, Group]:
    """Every group by its name. Raises ContractError."""
    entries = read_declared(GROUPS_FILE).items()
    return {name: checked(Group, one, GROUPS_FILE, (name,)) for name, one in entries}


def table_path(table: str) -> Path:
    """The file of a table."""
    return TABLES_FOLDER / f"{table}{SUFFIX}"


@cache
def table(name: str) -> Table:
    """What the file of a table says. Raises FileNotFoundError, ContractError."""
    path = table_path(name)
    found = checked(Table, read_declared(path), path, ())
    if found.table != name:
        raise problem("CON-219", path, ("table",), said=found.table, name=name)
    return found


def problem(code: str, path: Path, loc: Sequence[str | int], /, **values: Any) -> ContractError:
    """The error that names the line of a file where a path leads."""
    return ContractError([ContractProblem(code, path, line_of(path, loc), values)])


class _Once(LOADER):  # type: ignore[misc,valid-type]
    """YAML of which a key that stands twice in one place is an error: the first would be lost."""

    def construct_mapping(self, node: Any, deep: bool = False) -> Any:
        seen: set[str] = set()
        for key, _ in node.value:
            if (text := str(key.value)) in seen:
                raise _RepeatedKeyError(text, key.start_mark.line + 1)
            seen.add(text)
        return super().construct_mapping(node, deep)


class _RepeatedKeyError(Exception):
    pass


def read_declared(path: Path) -> dict[str, Any]:
    """One file. Raises ContractError where it is no YAML, holds no keys or one of them twice."""
    try:
        with path.open(encoding="utf-8") as stream:
            found = yaml.load(stream, Loader=_Once)  # noqa: S506  (a safe loader)
    except _RepeatedKeyError as error:
        key, line = error.args
        raise ContractError([ContractProblem("CON-102", path, line, {"key": key})]) from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        mark = getattr(error, "problem_mark", None)
        raise ContractError(
            [ContractProblem("CON-101", path, mark.line + 1 if mark else 1)]
        ) from None
    if not isinstance(found, dict):
        values = {"value": str(found)[:LONGEST_SHOWN], "expected": TYPES["model"]}
        raise ContractError([ContractProblem("CON-105", path, 1, values)])
    return found


def checked(model: type[Model], entry: Any, path: Path, at: tuple[str | int, ...]) -> Model:
    """The entry as the model has it. Raises ContractError with the line of each problem."""
    try:
        return model.model_validate(entry)
    except ValidationError as error:
        found = [_problem(one, path, at, model) for one in error.errors()]
        # Where several types are allowed, each of them complains of the same value.
        each = {(one.code, one.line, one.values.get("value")): one for one in reversed(found)}
        raise ContractError(reversed(each.values())) from None


def _problem(
    error: Any, path: Path, at: tuple[str | int, ...], model: type[BaseModel]
) -> ContractProblem:
    loc, kind = tuple(error["loc"]), error["type"]
    line = line_of(path, (*at, *loc))
    if kind == "extra_forbidden":
        known = known_keys(model, loc[:-1])
        return ContractProblem("CON-103", path, line, {"key": loc[-1], "known": known})
    if kind in words():  # what a validator of ours says
        return ContractProblem(kind, path, line, error.get("ctx", {}))
    if kind == "missing":
        return ContractProblem("CON-104", path, line, {"key": loc[-1]})
    shown = str(error.get("input"))[:LONGEST_SHOWN]
    expected: Any = error.get("ctx", {}).get("expected")
    if expected is None:
        expected = next((w for start, w in TYPES.items() if kind.startswith(start)), TYPES[""])
    return ContractProblem("CON-105", path, line, {"value": shown, "expected": expected})
