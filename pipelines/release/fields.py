"""The columns of an extract with their words: a code has what it means beside it.

Not here: which columns leave (`compile.py`), and their meaning, which contracts declare.

People read an extract before programs do: beside each column of codes stands one with the words of
the code list, in the language of the extract, named `<column>_label` in every format.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pipelines.i18n import Translator, mark, translator
from pipelines.release.compile import CLAUSE, OutColumn
from pipelines.release.formats.content import Field
from pipelines.release.wording import column_names
from schemas.text import Language

SUFFIX = "_label"


@dataclass(frozen=True)
class CodeWords:
    """A column of words: the field, the column of codes, their list, and where its words are."""

    field: str
    column: str
    codelist: str
    label_column: str


def fields_of(
    columns: Sequence[OutColumn], language: Language, table: str = ""
) -> tuple[tuple[Field, ...], list[CodeWords]]:
    """The columns with their words, and those that are added for codes."""
    _ = translator(language)
    fields: list[Field] = []
    words: list[CodeWords] = []
    for one in columns:
        declared = one.column
        if declared is None:
            fields.append(_own(one, language, table, _))
            continue
        label = declared.label[language]
        is_coded = bool(declared.codelist) and one.duckdb_type == "VARCHAR"
        fields.append(
            Field(
                name=one.name,
                duckdb_type=one.duckdb_type,
                label=_("{label} – code", label=label) if is_coded else label,
                description=declared.description[language],
                hxl=declared.hxl,
                unit=declared.unit,
                codelist=declared.codelist,
                classification=declared.classification,
            )
        )
        if is_coded:
            fields.append(_words_field(fields[-1], label, _))
            column = f"label_{language}"
            words.append(CodeWords(one.name + SUFFIX, one.name, declared.codelist, column))
    return tuple(fields), words


def _words_field(code: Field, label: str, _: Translator) -> Field:
    hxl = code.hxl
    if hxl:
        hxl = hxl.replace("+code", "+name") if "+code" in hxl else f"{hxl}+name"
    return Field(
        name=code.name + SUFFIX,
        duckdb_type="VARCHAR",
        label=label,
        description=_("What the code in {column} means.", column=code.name),
        hxl=hxl,
        classification=code.classification,
        words_of=code.name,
    )


OWN = {
    CLAUSE: (
        mark("Clause"),
        mark("The clause of the agreement by which the row left."),
        "#meta+clause",
    ),
}


def _own(one: OutColumn, language: Language, table: str, _: Translator) -> Field:
    """A column that no contract has: the clause, a period, a count."""
    if one.name in OWN:
        label, description, hxl = OWN[one.name]
        return Field(one.name, one.duckdb_type, _(label), _(description), hxl)
    [words] = column_names(table, [one.name], language)
    return Field(one.name, one.duckdb_type, words, words)
