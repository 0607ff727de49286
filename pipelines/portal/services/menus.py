"""What a person's organisation may ask for now, as menus; and what was chosen, as a request.

`pipelines/release` decides what may leave, again for every request.

A menu holds only what a clause opens, so that nobody is invited to ask in vain; what is sent back
is checked against the same menu, and a fault is said beside its field.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from functools import cache
from typing import Any

from pipelines.accounts.permissions import Person
from pipelines.core import clock
from pipelines.core.i18n import mark
from pipelines.core.settings import Settings
from pipelines.portal.forms import Form
from pipelines.portal.words import _, language
from pipelines.release.package.formats.registry import FORMATS
from pipelines.release.policy.permits import Offer, offers
from pipelines.release.request import Request
from schemas.agreement import AREAS, RECORDS, TIME_DIMENSIONS, Permit
from schemas.agreement_columns import too_fine
from schemas.agreement_folder import load_agreements
from schemas.codelist import load_codelist
from schemas.contract import Contract, load_contract
from schemas.organisation import purposes
from schemas.text import LANGUAGES, Language

Choice = tuple[str, str]
FORMS = {"records": mark("Records"), "counts": mark("Counts")}
PERIODS = {
    "year": mark("Year"),
    "quarter": mark("Quarter"),
    "month": mark("Month"),
    "week": mark("Week"),
    "day": mark("Day"),
}
NUMBER_OF_RECORDS = mark("Number of records")


@dataclass(frozen=True)
class Menu:
    """What may be asked of one table, in one form, for one purpose."""

    contract: Contract
    form: str
    purpose: str
    permits: tuple[Permit, ...]
    forms: tuple[str, ...]
    purposes: tuple[str, ...]

    @property
    def table(self) -> str:
        """The name of the table."""
        return self.contract.table

    @property
    def way(self) -> tuple[str, str]:
        """Form and purpose."""
        return self.form, self.purpose

    def purpose_choices(self) -> list[Choice]:
        """The purposes for which this form may be asked."""
        return [(name, purposes()[name].label[language()]) for name in self.purposes]

    def columns(self) -> list[tuple[str, str, str]]:
        """The columns that a clause opens: name, words, what they say."""
        opened = {
            name
            for permit in self.permits
            for name in permit.columns
            if not too_fine(self.contract.variables[name], permit.precision)
        }
        return [
            (column.name, column.label[language()], column.name)
            for column in self.contract.published
            if column.name in opened
        ]

    def dimensions(self) -> list[Choice]:
        """By what counts may be told apart."""
        return [(name, self._word(name)) for name in self._of("dimensions")]

    def measures(self) -> list[Choice]:
        """What may be counted or added up."""
        return [(name, self._word(name)) for name in self._of("measures")]

    def formats(self) -> list[Choice]:
        """The kinds of file that are written here; for maps only where a position may leave."""
        point = set(self.contract.roles.point)
        has_point = any(
            AREAS.index(permit.precision.area) == len(AREAS) - 1
            and bool(point)
            and point <= set(permit.columns)
            for permit in self.permits
        )
        return [
            (name, _(one.label))
            for name, one in FORMATS.items()
            if one.is_installed and (has_point or not one.has_geometry)
        ]

    def areas(self) -> list[tuple[str, list[Choice]]]:
        """By country, the areas of the first level that a clause speaks of."""
        roles = self.contract.roles
        first = roles.area[:1]
        if not self._tells({*first, *_known(roles.country)}):
            return []
        has_first = self._tells(set(first))
        named = {name for permit in self.permits for name in permit.rows.areas}
        is_open = any(not permit.rows.areas for permit in self.permits)
        lands = {name for permit in self.permits for name in permit.rows.countries}
        groups = []
        for code, label in _partner_countries(language()):
            if lands and code not in lands:
                continue
            areas = [
                (row["code"], row[f"label_{language()}"])
                for row in load_codelist("admin_areas")
                if row["country"] == code and row["level"] == "1" and not row["valid_to"]
                if has_first and (is_open or row["code"] in named)
            ]
            found = sorted(areas, key=lambda one: one[1].casefold())
            groups.append((label, found or [(code, _("The whole country"))]))
        return groups

    def offences(self) -> list[Choice]:
        """The main groups of offences that a clause may open."""
        kind = self.contract.hierarchy
        if kind is None or not self._tells({kind.name, *self.contract.levels}):
            return []
        prefixes = [prefix for permit in self.permits for prefix in permit.rows.offences]
        is_open = any(not permit.rows.offences for permit in self.permits)
        return [
            (row["code"], row[f"label_{language()}"])
            for row in load_codelist(kind.codelist)
            if row["level"] == "1"
            and (is_open or any(prefix.startswith(row["code"]) for prefix in prefixes))
        ]

    def has_period(self) -> bool:
        """May a period be chosen? Only where a clause tells when something happened."""
        return self._tells({*_known(self.contract.event_day), *TIME_DIMENSIONS})

    def proposed(self) -> dict[str, Any]:
        """What a form holds before anything was chosen."""
        return {
            "form": self.form,
            "purpose": self.purpose,
            "columns": [name for name, _label, _code in self.columns()],
            "dimensions": self._proposed_dimensions(),
            "measures": [RECORDS],
            "format": "xlsx",
            "language": language(),
        }

    def _proposed_dimensions(self) -> list[str]:
        """One place and one period: the fewer, the fewer cells are too small to be told."""
        offered, roles = [name for name, _label in self.dimensions()], self.contract.roles
        wanted = (*roles.area[:1], roles.country, roles.border_point)
        places = [name for name in wanted if name in offered]
        times = [name for name in ("month", "quarter", "year", "week") if name in offered]
        return [one for one in (*places[:1], *times[:1]) if one] or offered[:1]

    def _tells(self, names: set[str]) -> bool:
        return any(names & {*permit.columns, *permit.dimensions} for permit in self.permits)

    def _of(self, kind: str) -> list[str]:
        return list(dict.fromkeys(n for permit in self.permits for n in getattr(permit, kind)))

    def _word(self, name: str) -> str:
        if name == RECORDS:
            return _(NUMBER_OF_RECORDS)
        if name in PERIODS:
            return _(PERIODS[name])
        return self.contract.variables[name].label[language()]


def menu(settings: Settings, person: Person, table: str, form: str, purpose: str) -> Menu | None:
    """The menu of a table; the first form and purpose where none or a closed one is named.

    None where nothing of the table is open to the person's organisation.
    """
    mine = [one for one in offered(settings, person) if one.table == table]
    if not mine:
        return None
    chosen = next((one for one in mine if one.form == form), mine[0])
    wanted = purpose if purpose in chosen.purposes else chosen.purposes[0]
    return Menu(
        contract=load_contract(table),
        form=chosen.form,
        purpose=wanted,
        permits=tuple(one for one in chosen.permits if wanted in one.purposes),
        forms=tuple(one.form for one in mine),
        purposes=chosen.purposes,
    )


def menus_of(settings: Settings, person: Person, table: str) -> list[Menu]:
    """Every menu of a table that the person's organisation has: each form for each purpose."""
    mine = [one for one in offered(settings, person) if one.table == table]
    found = [menu(settings, person, table, one.form, p) for one in mine for p in one.purposes]
    return [one for one in found if one is not None]


def offered(settings: Settings, person: Person) -> list[Offer]:
    """Everything that the person's organisation may ask for today."""
    return offers(load_agreements(settings.agreements), person.organisation, today())


def today() -> dt.date:
    """The day, in UTC, on which clauses are open and delays counted."""
    return clock.now().date()


def request_of(form: Form, menu: Menu, person: Person) -> Request:
    """What was chosen; faults are noted in `form`, and then the request must not be used."""
    since, until = form.period("since", "until") if menu.has_period() else (None, None)
    areas = [code for _country, found in menu.areas() for code, _label in found]
    is_counts = menu.form == "counts"
    columns = () if is_counts else form.choices("columns", _codes(menu.columns()), required=True)
    chosen_language: Language = "fr" if form.choice("language", LANGUAGES) == "fr" else "en"
    return Request(
        table=menu.table,
        recipient=person.organisation,
        purpose=menu.purpose,
        as_of=today(),
        form="counts" if is_counts else "records",
        columns=columns,
        dimensions=(
            form.choices("dimensions", _codes(menu.dimensions()), required=True)
            if is_counts
            else ()
        ),
        measures=(
            form.choices("measures", _codes(menu.measures()), required=True)
            if is_counts
            else (RECORDS,)
        ),
        since=since,
        until=until,
        areas=form.choices("areas", areas),
        offences=form.choices("offences", _codes(menu.offences())),
        format=form.choice("format", _codes(menu.formats())) or "csv",
        language=chosen_language,
    )


def _known(column: str | None) -> set[str]:
    """The column of a role, or nothing where the table lacks it."""
    return set() if column is None else {column}


def _codes(choices: list[Any]) -> list[str]:
    return [one[0] for one in choices]


@cache
def _partner_countries(language: Language) -> tuple[Choice, ...]:
    return tuple(
        (row["code"], row[f"label_{language}"])
        for row in load_codelist("countries")
        if row["is_partner"] == "true"
    )
