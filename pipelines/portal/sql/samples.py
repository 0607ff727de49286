"""Questions to start from, of those that the tables in the box can answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pipelines.core.i18n import mark, translator
from pipelines.portal.sql.boxes import Relation
from schemas.contract import load_contract
from schemas.text import Language

LANGUAGE = "{lang}"


@dataclass(frozen=True)
class Sample:
    """One question and what it asks, in words."""

    name: str
    title: str
    question: str


@dataclass(frozen=True)
class _General:
    """A question about what the box adds to the tables; `needs` are columns of the relation."""

    name: str
    title: str
    table: str
    needs: frozenset[str]
    question: str


_GENERAL = (
    _General(
        "clauses",
        mark("Which clause let each row out"),
        "incidents",
        frozenset({"clause"}),
        "SELECT clause, count(*) AS incidents\nFROM incidents\nGROUP BY ALL\nORDER BY ALL",
    ),
    _General(
        "words",
        mark("The words of a code list, in both languages"),
        "code_labels",
        frozenset({"list", "code", "label_en", "label_fr"}),
        "SELECT code, label_en, label_fr\nFROM code_labels\n"
        "WHERE list = 'weapon_kinds'\nORDER BY code",
    ),
)


def fitting(relations: Sequence[Relation], language: Language) -> list[Sample]:
    """The samples whose tables and columns are there, in words of `language`."""
    found = []
    for relation in relations:
        there = set(relation.columns)
        for one in load_contract(relation.table).questions if relation.table else ():
            if there.issuperset(one.columns):
                text = one.sql.strip().replace(LANGUAGE, language)
                found.append(Sample(one.name, one.title[language], text))
    said, columns = translator(language), {one.name: set(one.columns) for one in relations}
    return found + [
        Sample(one.name, said(one.title), one.question)
        for one in _GENERAL
        if one.needs <= columns.get(one.table, set())
    ]
