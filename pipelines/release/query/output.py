"""The columns and rows of an extract as they are written: a code has what it means beside it.

Not here: which of them leave (`records.py`, `counts.py`), and the forms of files (`formats`).

People read an extract before programs do: beside each column of codes stands one with the words of
the code list, in the language of the extract, named `<column>_label` in every format.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.core.i18n import Translator, mark, translator
from pipelines.release.package.formats.content import Field
from pipelines.release.policy.wording import DIMENSION_WORDS
from pipelines.release.query.counts import LEVEL, SUPPRESSED
from pipelines.release.query.records import CLAUSE
from pipelines.release.query.template import OutColumn
from schemas.agreement import RECORDS, TIME_DIMENSIONS
from schemas.contract import Column
from schemas.sqltext import literal, name
from schemas.text import Language

if TYPE_CHECKING:
    import duckdb

SUFFIX = "_label"


@dataclass(frozen=True)
class CodeWords:
    """A column of words: the field, the column of codes, their list, and where its words are."""

    field: str
    column: str
    codelist: str
    label_column: str


def fields_of(
    columns: Sequence[OutColumn], language: Language
) -> tuple[tuple[Field, ...], list[CodeWords]]:
    """The columns with their words, and those that are added for codes."""
    _ = translator(language)
    fields: list[Field] = []
    words: list[CodeWords] = []
    for one in columns:
        field = _declared(one, one.column, language) if one.column else _own(one, language, _)
        if not field.codelist or one.duckdb_type != "VARCHAR":
            fields.append(field)
            continue
        fields.append(replace(field, label=_("{label} (code)", label=field.label)))
        fields.append(_words_field(field, _))
        words.append(CodeWords(one.name + SUFFIX, one.name, field.codelist, f"label_{language}"))
    return tuple(fields), words


def _declared(one: OutColumn, declared: Column, language: Language) -> Field:
    return Field(
        name=one.name,
        duckdb_type=one.duckdb_type,
        label=declared.label[language],
        description=declared.description[language],
        hxl=declared.hxl,
        unit=declared.unit,
        codelist=declared.codelist,
        classification=declared.classification,
    )


def _words_field(code: Field, _: Translator) -> Field:
    hxl = code.hxl
    if hxl:
        hxl = hxl.replace("+code", "+name") if "+code" in hxl else f"{hxl}+name"
    return Field(
        name=code.name + SUFFIX,
        duckdb_type="VARCHAR",
        label=code.label,
        description=_("What the code in {column} means.", column=code.name),
        hxl=hxl,
        classification=code.classification,
        words_of=code.name,
    )


MADE_TAGS = {
    RECORDS: "#event+num",
    **{period: f"#date+{period}" for period in TIME_DIMENSIONS},
}
OWN = {
    CLAUSE: (
        mark("Clause"),
        mark("The clause of the agreement by which the row left."),
        "#meta+clause",
    ),
    LEVEL: (
        mark("Level"),
        mark("“cell” is a count by everything, “total” all of it; else what it is the total of."),
        "#meta+level",
    ),
    SUPPRESSED: (
        mark("Left empty"),
        mark("True where the count is too small to be told, or would tell one that is."),
        "#meta+suppressed",
    ),
}


def _own(one: OutColumn, language: Language, _: Translator) -> Field:
    """A column that no contract has: the clause, a period, a count."""
    if one.name in OWN:
        label, description, hxl = OWN[one.name]
        return Field(one.name, one.duckdb_type, _(label), _(description), hxl)
    words = _(DIMENSION_WORDS[one.name])
    return Field(one.name, one.duckdb_type, words, words, MADE_TAGS.get(one.name, ""))


def write_rows(
    connection: duckdb.DuckDBPyConnection,
    ordered: Path,
    fields: tuple[Field, ...],
    words: list[CodeWords],
    rows: Path,
) -> None:
    """The rows in their order with the words of their codes beside them, and nothing else."""
    chosen = []
    by_field = {one.field: at for at, one in enumerate(words)}
    for field in fields:
        held = f"w{by_field[field.name]}.words" if field.name in by_field else name(field.name)
        chosen.append(f"CAST({held} AS {field.duckdb_type}) AS {name(field.name)}")
    joins = " ".join(
        f"LEFT JOIN (SELECT code, {name(one.label_column)} AS words FROM code_labels "
        f"WHERE list = {literal(one.codelist)}) AS w{at} ON w{at}.code = o.{name(one.column)}"
        for at, one in enumerate(words)
    )
    connection.execute(
        f"COPY (SELECT {', '.join(chosen)} FROM read_parquet({literal(str(ordered))}, "
        f"file_row_number = true) AS o {joins} ORDER BY o.file_row_number) "
        f"TO {literal(str(rows))} (FORMAT parquet)"
    )


def content_hash(connection: duckdb.DuckDBPyConnection, rows: Path) -> str:
    """A fingerprint of the rows, whatever their order; it tells extracts apart, no more."""
    [found] = connection.execute(
        "SELECT count(*), coalesce(bit_xor(hash(r)), 0), coalesce(sum(hash(r)::HUGEINT), 0) "
        f"FROM read_parquet({literal(str(rows))}) AS r"
    ).fetchall()
    return "-".join(f"{int(number):x}" for number in found)


def table_versions(connection: duckdb.DuckDBPyConnection, table: str) -> dict[str, int]:
    """The version of the table that the catalogue shows."""
    found = connection.execute(
        "SELECT table_name, version FROM lake.versions WHERE table_name = ?", [table]
    ).fetchall()
    return {str(one): int(version) for one, version in found}
