"""Clauses in words: which rows, how coarse, how late, until when, in either language.

Not here: which clauses apply (`permits.py`) and the whole explanation of a table (`explain.py`).
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

from pipelines.core.i18n import mark, translator
from schemas.agreement import (
    Conditions,
    DueDiligence,
    Onward,
    PermittedRows,
    Precision,
    RestrictedRows,
)
from schemas.codelist import load_codelist
from schemas.contract import load_contract
from schemas.organisation import EVERYBODY, organisations, purposes
from schemas.text import Bilingual, Language, joined

AREA_WORDS = {
    "country": mark("the country only"),
    "admin1": mark("prefecture, province or state"),
    "admin2": mark("sub-prefecture, territory or county"),
    "point": mark("the exact place"),
}
TIME_WORDS = {
    "exact": mark("the exact time"),
    "day": mark("the day"),
    "week": mark("the week (its Monday)"),
    "month": mark("the month (its first day)"),
}
AGE_WORDS = {
    "none": mark("no age"),
    "group": mark("age groups"),
    "exact": mark("the age in years"),
}
DIMENSION_WORDS = {
    "year": mark("year"),
    "quarter": mark("quarter"),
    "month": mark("month"),
    "week": mark("week"),
    "day": mark("day"),
    "records": mark("number of records"),
}


def organisation_names(named: Iterable[str], language: Language) -> list[str]:
    """Organisations by name; `all` is everybody."""
    _ = translator(language)
    listed = organisations()
    everybody = _("every recipient")
    return [
        everybody if one == EVERYBODY else listed[one].label[language] if one in listed else one
        for one in named
    ]


def purpose_names(named: Iterable[str], language: Language) -> list[str]:
    """Purposes by name."""
    return [purposes()[one].label[language] if one in purposes() else one for one in named]


def source_names(named: Iterable[str], language: Language) -> list[str]:
    """Sources by name."""
    return [code_name("sources", one, language) for one in named]


def code_name(codelist: str, code: str, language: Language) -> str:
    """The words of a code; the code itself where the list has none."""
    words = _words_of(codelist).get(code)
    return words[language] if words else code


def column_names(table: str, columns: Iterable[str], language: Language) -> list[str]:
    """Columns, dimensions and measures by the words over them."""
    _ = translator(language)
    contract = load_contract(table)
    labels = {one: column.label[language] for one, column in contract.variables.items()}
    return [
        labels[one] if one in labels else _(DIMENSION_WORDS[one]) if one in DIMENSION_WORDS else one
        for one in columns
    ]


def permitted_rows(rows: PermittedRows, table: str, language: Language) -> list[str]:
    """Which rows of the table a permit opens, a phrase a condition."""
    _ = translator(language)
    level = code_name("handling_levels", rows.handling_ceiling, language)
    phrases = [*_conditions(rows, table, language), _("marked no higher than {level}", level=level)]
    if load_contract(table).roles.sensitive is None:
        return phrases
    if rows.sensitive:
        sensitive = _("sensitive rows too (sexual violence, children)")
    else:
        sensitive = _("no sensitive rows (sexual violence, children)")
    return [*phrases, sensitive]


def restricted_rows(rows: RestrictedRows, table: str, language: Language) -> list[str]:
    """Which rows of the table a restriction is about; one phrase where it is all of them."""
    _ = translator(language)
    phrases = _conditions(rows, table, language)
    if rows.handling_at_least:
        level = code_name("handling_levels", rows.handling_at_least, language)
        phrases.append(_("marked {level} or higher", level=level))
    if rows.only_sensitive:
        phrases.append(_("sensitive rows only"))
    return phrases or [_("all its rows")]


def _conditions(rows: Conditions, table: str, language: Language) -> list[str]:
    _, contract = translator(language), load_contract(table)

    def named(codelist: str, codes: Iterable[str]) -> str:
        return ", ".join(code_name(codelist, code, language) for code in codes)

    phrases = []
    countries, column = named("countries", rows.countries), contract.roles.country
    if countries and (column is None or contract.roles.area):
        phrases.append(_("in {countries}", countries=countries))
    elif countries and column:  # not where it is, but whose
        label = contract.variables[column].label[language]
        phrases.append(_("{column}: {countries}", column=label, countries=countries))
    if rows.areas:
        phrases.append(_("areas: {areas}", areas=named("admin_areas", rows.areas)))
    if rows.border_points:
        points = named("border_points", rows.border_points)
        phrases.append(_("crossing points: {points}", points=points))
    if rows.since:
        phrases.append(_("from {day}", day=rows.since.isoformat()))
    if rows.until:
        phrases.append(_("until {day}", day=rows.until.isoformat()))
    if rows.offences:
        phrases.append(_("offences: {offences}", offences=_offences(rows.offences, language)))
    if rows.except_offences:
        left_out = _offences(rows.except_offences, language)
        phrases.append(_("not the offences: {offences}", offences=left_out))
    return phrases


def _offences(codes: Iterable[str], language: Language) -> str:
    named = (f"{code} {code_name('offences', code, language)}" for code in codes)
    return joined(named, language)


def coarseness(precision: Precision, language: Language) -> str:
    """How coarse: place, time, age."""
    _ = translator(language)
    return _(
        "place: {area}; time: {time}; age: {age}",
        area=_(AREA_WORDS[precision.area]),
        time=_(TIME_WORDS[precision.time]),
        age=_(AGE_WORDS[precision.age]),
    )


def delay(days: int, language: Language) -> str:
    """How long after it happened something may leave."""
    _ = translator(language)
    if days == 0:
        return _("as soon as the day, week or month that is told is over")
    return _("{days} days after the end of the day, week or month that is told", days=days)


def onward_sharing(onward: Onward, language: Language) -> str:
    """May it be handed on?"""
    _ = translator(language)
    if onward.allowed and onward.consent == "not_needed":
        return _("may be handed on")
    if onward.allowed:
        return _("may be handed on once the provider agrees")
    return _("must not be handed on; the provider alone may decide otherwise")


def review(due_diligence: DueDiligence | None, language: Language) -> str:
    """The human-rights review; empty where none is needed."""
    if due_diligence is None:
        return ""
    _ = translator(language)
    return _(
        "{reference}, reviewed on {first}, holds until {last}",
        reference=due_diligence.reference,
        first=due_diligence.reviewed_on.isoformat(),
        last=due_diligence.valid_until.isoformat(),
    )


@cache
def _words_of(codelist: str) -> dict[str, Bilingual]:
    return {
        row["code"]: Bilingual(en=row["label_en"], fr=row["label_fr"])
        for row in load_codelist(codelist)
    }
