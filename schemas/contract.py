"""The typed reader of the table contracts (Open Data Contract Standard, `schemas/tables`).

Not here: what is rendered from a contract (`render/`) and the SQL of its rules (`rules.py`).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any, Literal

from schemas.text import FOLDER, Bilingual, read_yaml

TABLES_FOLDER = FOLDER / "tables"
SUFFIX = ".odcs.yaml"

Kind = Literal["data", "reference", "log"]
FilledBy = Literal["feed", "derive", "reader", "lake", "input"]
Severity = Literal["error", "warning"]
# What a cell gives away beyond its own meaning, so that whoever hands it on coarsens it as agreed.
# A place: point, admin2, admin1; how well a place or a time is known: area_precision,
# time_precision. A moment: time, and its words: time_text. An age: age_exact, age_group. Words that
# may hold anything: free_text; words that a crosswalk bounds: own_words. What follows one person or
# thing from row to row: token. A number that the source built from its station, date or order of
# rows: record_key.
Coarsen = Literal[
    "",
    "point",
    "admin2",
    "admin1",
    "area_precision",
    "time",
    "time_text",
    "time_precision",
    "age_exact",
    "age_group",
    "free_text",
    "own_words",
    "token",
    "record_key",
]


@dataclass(frozen=True)
class Column:
    """One property of a contract: what a cell holds, for machines and for people."""

    name: str
    logical_type: str
    duckdb_type: str
    is_required: bool
    label: Bilingual
    description: Bilingual
    hxl: str = ""
    classification: str = ""
    examples: tuple[Any, ...] = ()
    unit: str = ""
    codelist: str = ""
    filled_by: FilledBy = "feed"
    derive: str = ""
    withheld_when: str = ""
    is_quasi_identifier: bool = False
    coarsen: Coarsen = ""
    day_of: str = ""  # the moment of which this is the local day
    day: str = ""  # of a moment, the column that holds its local day
    precision: str = ""  # the column that tells how exactly the day is known
    is_primary_key: bool = False

    @property
    def is_published(self) -> bool:
        """False for inputs: values that a feed may map and that no table ever holds."""
        return self.filled_by != "input"

    @property
    def unread(self) -> str:
        """The column that keeps the source text where it yielded no value."""
        return f"{self.name}__unread"

    @property
    def is_never_kept(self) -> bool:
        """True for the strictest handling: not even a text that yielded no value is kept."""
        return self.classification == "STRICTLY_CONFIDENTIAL"

    @property
    def is_plain_text(self) -> bool:
        """True where any text is a valid value, so nothing can be left unread."""
        return self.duckdb_type == "VARCHAR" and not self.codelist and self.filled_by != "input"

    @property
    def is_numeric(self) -> bool:
        """True for quantities, dates and times, and for a position, which is made of figures."""
        return self.duckdb_type not in ("VARCHAR", "BOOLEAN") or (
            self.filled_by == "input" and self.coarsen == "point"
        )


@dataclass(frozen=True)
class Rule:
    """One quality rule: its stable code, its words, and the expectation that judges it."""

    code: str
    name: str
    severity: Severity
    dimension: str
    column: str
    expectation: str
    kwargs: dict[str, Any] = field(hash=False)
    message: Bilingual
    explanation: Bilingual
    correction: Bilingual
    is_about_row: bool = True  # False: about a file as a whole
    # Judged by the lake: of these columns, or columns that count together, a correction keeps one.
    identity: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True)
class Fact:
    """A value computed across the rows of one delivery, for rules that compare records.

    Besides typed columns it may name `same_content_rows`: how many rows of the delivery have the
    same text in every mapped column but the record's own number.
    """

    name: str
    sql: str

    @property
    def compares_rows(self) -> bool:
        """True for a window over the delivery, which every row must be present for."""
        return " OVER " in self.sql


@dataclass(frozen=True)
class Helper:
    """A private column that rules may use.

    An attribute of a code, a geofence answer, or `starts`: the first day of the feed's period.
    """

    name: str
    codelist: str = ""
    column: str = ""
    attribute: str = ""
    type: str = "VARCHAR"
    geofence: Literal["", "country", "admin1"] = ""
    feed: Literal["", "starts"] = ""


@dataclass(frozen=True)
class Contract:
    """One table: its columns in order, its rules by code, and what is computed to judge it.

    `rules` are judged by what a delivery says; `lake_rules` need the other deliveries too.
    """

    table: str
    kind: Kind
    version: str
    title: Bilingual
    description: Bilingual
    columns: tuple[Column, ...]
    rules: tuple[Rule, ...]
    facts: tuple[Fact, ...]
    helpers: tuple[Helper, ...]
    lake_rules: tuple[Rule, ...]
    raw: dict[str, Any] = field(repr=False, hash=False)

    def column(self, name: str) -> Column:
        """The column of that name. Raises KeyError."""
        return {column.name: column for column in self.columns}[name]

    @property
    def published(self) -> tuple[Column, ...]:
        """The columns that the lake holds, in order."""
        return tuple(column for column in self.columns if column.is_published)

    @property
    def days(self) -> dict[str, Column]:
        """By each moment, the column that holds its local day."""
        return {column.day_of: column for column in self.columns if column.day_of}

    def columns_filled_by(self, *who: FilledBy) -> tuple[Column, ...]:
        """The columns that `who` fills, in order."""
        return tuple(column for column in self.columns if column.filled_by in who)

    def rule(self, code: str) -> Rule:
        """The rule of that code. Raises KeyError."""
        return {rule.code: rule for rule in (*self.rules, *self.lake_rules)}[code]


def table_names(kind: Kind | None = None) -> list[str]:
    """The declared tables, data tables first, then reference, then the logs of the pipeline."""
    names = [path.name.removesuffix(SUFFIX) for path in TABLES_FOLDER.glob(f"*{SUFFIX}")]
    order = ("data", "reference", "log")
    contracts = sorted((load_contract(name) for name in names), key=lambda c: order.index(c.kind))
    return [c.table for c in contracts if kind in (None, c.kind)]


@cache
def load_contract(table: str) -> Contract:
    """The contract of `table`. Raises FileNotFoundError for a table that is not declared."""
    raw = read_yaml(TABLES_FOLDER / f"{table}{SUFFIX}")
    schema = raw["schema"][0]
    custom = _custom(schema)
    rules = [_rule(entry) for entry in schema.get("quality", [])]
    return Contract(
        table=schema["name"],
        kind=custom.get("kind", "data"),
        version=raw["version"],
        title=Bilingual(en=custom["titleEn"], fr=custom["titleFr"]),
        description=Bilingual(en=schema["description"], fr=custom["descriptionFr"]),
        columns=_with_days(tuple(_column(entry) for entry in schema["properties"])),
        rules=tuple(rule for rule in rules if not rule.identity),
        facts=tuple(Fact(**entry) for entry in custom.get("facts", [])),
        helpers=tuple(Helper(**entry) for entry in custom.get("helpers", [])),
        lake_rules=tuple(rule for rule in rules if rule.identity),
        raw=raw,
    )


def all_rules() -> dict[str, Rule]:
    """Every rule of every contract by its code; delivery findings (DEL-7xx) are among them."""
    contracts = map(load_contract, table_names())
    return {rule.code: rule for one in contracts for rule in (*one.rules, *one.lake_rules)}


def _custom(entry: dict[str, Any]) -> dict[str, Any]:
    return {item["property"]: item["value"] for item in entry.get("customProperties", [])}


def _column(entry: dict[str, Any]) -> Column:
    custom = _custom(entry)
    return Column(
        name=entry["name"],
        logical_type=entry["logicalType"],
        duckdb_type=entry["physicalType"],
        is_required=entry.get("required", False),
        label=Bilingual(en=custom["labelEn"], fr=custom["labelFr"]),
        description=Bilingual(en=entry["description"], fr=custom["descriptionFr"]),
        hxl=next((tag for tag in entry.get("tags", []) if tag.startswith("#")), ""),
        classification=entry.get("classification", ""),
        examples=tuple(entry.get("examples", ())),
        unit=custom.get("unit", ""),
        codelist=custom.get("codelist", ""),
        filled_by=custom.get("filledBy", "feed"),
        derive=custom.get("derive", ""),
        withheld_when=custom.get("withheldWhen", ""),
        is_quasi_identifier=custom.get("quasiIdentifier", False),
        coarsen=custom.get("coarsen", ""),
        day_of=custom.get("dayOf", ""),
        precision=custom.get("precision", ""),
        is_primary_key=entry.get("primaryKey", False),
    )


def _with_days(columns: tuple[Column, ...]) -> tuple[Column, ...]:
    days = {column.day_of: column.name for column in columns if column.day_of}
    return tuple(replace(column, day=days.get(column.name, "")) for column in columns)


def _rule(entry: dict[str, Any]) -> Rule:
    custom = _custom(entry)
    implementation = entry.get("implementation") or {}
    return Rule(
        code=entry["id"],
        name=entry["name"],
        severity=entry["severity"],
        dimension=entry["dimension"],
        column=custom.get("column", ""),
        expectation=implementation.get("type", ""),
        kwargs=implementation.get("kwargs", {}),
        message=Bilingual(en=entry["description"], fr=custom["messageFr"]),
        explanation=Bilingual(en=custom["explanationEn"], fr=custom["explanationFr"]),
        correction=Bilingual(en=custom["correctionEn"], fr=custom["correctionFr"]),
        is_about_row=bool(implementation) or custom.get("about") == "row",
        identity=tuple(
            (one,) if isinstance(one, str) else tuple(one) for one in custom.get("identity", ())
        ),
    )
