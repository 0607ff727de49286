"""Questions to start from, of those that the tables in the box can answer.

Not here: the tables (`boxes.py`) and the page that shows them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pipelines.i18n import mark
from pipelines.portal.sqlbox.boxes import Relation

LANGUAGE = "{lang}"


@dataclass(frozen=True)
class Sample:
    """One question; `needs` are the columns without which it cannot be answered."""

    name: str
    title: str
    table: str
    needs: frozenset[str]
    question: str


def _sample(name: str, title: str, table: str, needs: str, question: str) -> Sample:
    return Sample(name, title, table, frozenset(needs.split()), question)


SAMPLES = (
    _sample(
        "offences",
        mark("Incidents by kind of offence, in words"),
        "incidents",
        "offence_code",
        "SELECT label('offences', offence_code, lang := '{lang}') AS offence,\n"
        "       count(*) AS incidents\n"
        "FROM incidents\nGROUP BY ALL\nORDER BY incidents DESC",
    ),
    _sample(
        "months",
        mark("Incidents by month and prefecture, province or state"),
        "incidents",
        "occurred_on admin1_code",
        "SELECT strftime(occurred_on, '%Y-%m') AS month,\n"
        "       label('admin_areas', admin1_code, lang := '{lang}') AS area,\n"
        "       count(*) AS incidents\n"
        "FROM incidents\nGROUP BY ALL\nORDER BY month, incidents DESC",
    ),
    _sample(
        "victims",
        mark("Victims and killed by area"),
        "incidents",
        "admin1_code victims_total killed_total",
        "SELECT label('admin_areas', admin1_code, lang := '{lang}') AS area,\n"
        "       sum(victims_total) AS victims,\n       sum(killed_total) AS killed\n"
        "FROM incidents\nGROUP BY ALL\nORDER BY victims DESC NULLS LAST",
    ),
    _sample(
        "crossings",
        mark("Crossings by border point and direction"),
        "border_crossings",
        "border_point_code direction",
        "SELECT label('border_points', border_point_code, lang := '{lang}') AS border_point,\n"
        "       direction,\n       count(*) AS crossings\n"
        "FROM border_crossings\nGROUP BY ALL\nORDER BY crossings DESC",
    ),
    _sample(
        "flows",
        mark("Travellers counted by border point, with the hours observed"),
        "border_flows",
        "border_point_code travellers_count observed_h",
        "-- A count without its hours of observation says little: no watch is not no traveller.\n"
        "SELECT label('border_points', border_point_code, lang := '{lang}') AS border_point,\n"
        "       sum(travellers_count) AS travellers,\n       sum(observed_h) AS hours_observed\n"
        "FROM border_flows\nGROUP BY ALL\nORDER BY travellers DESC",
    ),
    _sample(
        "seizures",
        mark("Seizures by kind"),
        "seizures",
        "seizure_kind",
        "SELECT label('seizure_kinds', seizure_kind, lang := '{lang}') AS kind,\n"
        "       count(*) AS seizures\n"
        "FROM seizures\nGROUP BY ALL\nORDER BY seizures DESC",
    ),
    _sample(
        "clauses",
        mark("Which clause let each row out"),
        "incidents",
        "clause",
        "SELECT clause, count(*) AS incidents\nFROM incidents\nGROUP BY ALL\nORDER BY ALL",
    ),
    _sample(
        "words",
        mark("The words of a code list, in both languages"),
        "code_labels",
        "list code label_en label_fr",
        "SELECT code, label_en, label_fr\nFROM code_labels\n"
        "WHERE list = 'weapon_kinds'\nORDER BY code",
    ),
)


def fitting(relations: Sequence[Relation], language: str) -> list[Sample]:
    """The samples whose tables and columns are there, with words in `language`."""
    there = {relation.name: set(relation.columns) for relation in relations}
    return [
        Sample(s.name, s.title, s.table, s.needs, s.question.replace(LANGUAGE, language))
        for s in SAMPLES
        if s.needs <= there.get(s.table, set())
    ]
