"""What was chosen of a table: read from a form or an address, written as an address, looked at.

An address holds the whole choice, so that Back, a reload, another language and a second window keep
it; but it tells nothing by itself. Figures are shown to who pressed the button, in that session,
for that choice and as long as tables and agreements are the same: the button puts a proof of this
into the address. A bookmark, a link from elsewhere and a browser that fetches ahead get the form,
filled in.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from pipelines.accounts.permissions import Person
from pipelines.core.settings import Settings
from pipelines.ledger.chain import append
from pipelines.portal.forms import Form
from pipelines.portal.services.menus import Menu, menu, menus_of, request_of
from pipelines.portal.words import _
from pipelines.release.disclosure.consents import note_need
from pipelines.release.errors import ReleaseError
from pipelines.release.package.formats.registry import FORMATS
from pipelines.release.request import Request as Asked
from schemas.text import LANGUAGES

LISTS = ("areas", "offences", "columns", "dimensions", "measures")
ORDER = ("form", "purpose", "since", "until", *LISTS, "format", "language")
WAY = "way"  # form and purpose as one field: which purposes there are depends on the form


@dataclass(frozen=True)
class Choice:
    """What was chosen, the menu that it was chosen from, and the request where it has no fault.

    `left_out`: columns that were ticked and are open for another purpose only, in words.
    `values`: the same as the query of an address; None where something typed cannot stand in one.
    """

    form: Form
    menu: Menu
    wanted: Asked | None
    left_out: tuple[str, ...] = ()
    values: dict[str, Any] | None = None


def read(settings: Settings, person: Person, table: str, typed: Form) -> Choice | None:
    """Hold a form against what is open for its purpose; None where nothing of the table is."""
    way = _way(typed)
    found = menu(settings, person, table, *way)
    if found is None:
        return None
    form = Form({name: typed.many(name) for name in ORDER if typed.many(name)}, typed.errors)
    if any(named not in ("", shown) for named, shown in zip(way, found.way, strict=True)):
        form.fail(WAY, _("Choose one of the list."))
    elsewhere = _elsewhere(settings, person, found, form)
    values = _values(found, form, elsewhere)
    left_out = _leave_out(found, form, elsewhere)
    wanted = request_of(form, found, person)
    form.values |= {"form": [found.form], "purpose": [found.purpose], WAY: [":".join(found.way)]}
    good = wanted if form.is_good else None
    return Choice(form, found, good, left_out, values)


def filled_in(settings: Settings, person: Person, table: str, typed: Form) -> Form:
    """A form of an address, with what the menu proposes for all that the address does not name."""
    found = menu(settings, person, table, *_way(typed))
    proposed = found.proposed() if found else {}
    words = {k: [v] if isinstance(v, str) else list(v) for k, v in proposed.items()}
    return Form(words | {name: typed.many(name) for name in ORDER if typed.many(name)})


def note(settings: Settings, wanted: Asked, person: Person) -> None:
    """Write down that somebody looks, at what and for which purpose. Raises LedgerError."""
    append(
        settings,
        "extract.previewed",
        actor=person.name,
        organisation=person.organisation,
        subject=wanted.table,
        details={"purpose": wanted.purpose, "form": wanted.form},
    )


def note_refusal(settings: Settings, refused: ReleaseError, person: Person) -> None:
    """Write down that counts which somebody looked for need consents. Raises LedgerError."""
    if refused.conflict:
        note_need(
            settings, refused.conflict.need, actor=person.name, organisation=person.organisation
        )


def _way(typed: Form) -> tuple[str, str]:
    """Form and purpose: of the one field of the page, or of an address, which names both."""
    form, _colon, purpose = typed.value(WAY).partition(":")
    return (form, purpose) if typed.value(WAY) else (typed.value("form"), typed.value("purpose"))


def _elsewhere(
    settings: Settings, person: Person, found: Menu, form: Form
) -> dict[str, dict[str, str]]:
    """The words of what was chosen and is open for other purposes or forms only, by field."""
    chosen = {name: set(form.many(name)) - _codes(found, name).keys() for name in LISTS}
    if not any(chosen.values()):
        return {}
    known: dict[str, dict[str, str]] = {name: {} for name in LISTS}
    for other in menus_of(settings, person, found.table):
        for name in LISTS:
            known[name] |= _codes(other, name)
    return {n: {c: known[n][c] for c in known[n] if c in chosen[n]} for n in LISTS}


def _leave_out(found: Menu, form: Form, elsewhere: dict[str, dict[str, str]]) -> tuple[str, ...]:
    """Take away the columns that this purpose does not open; say what else it does not open.

    Fewer columns tell less. Fewer areas, or none, may mean more: those are chosen anew.
    """
    for name in _asked_of(found):
        names = ", ".join(elsewhere.get(name, {}).values())
        if names and name != "columns":
            form.fail(name, _("Not open for this purpose: {names}. Choose again.", names=names))
    left = elsewhere.get("columns", {}) if found.form == "records" else {}
    if left:
        form.values["columns"] = [one for one in form.many("columns") if one not in left]
    return tuple(left.values())


def _values(found: Menu, form: Form, elsewhere: dict[str, dict[str, str]]) -> dict[str, Any] | None:
    """The choice as the query of an address: days and codes that we know, nothing that was typed.

    None where that would lose something.
    """
    if WAY in form.errors:
        return None
    values: dict[str, Any] = {"form": found.form, "purpose": found.purpose}
    for name in ("since", "until"):
        day = Form({name: form.many(name)}).date(name)
        if form.value(name).strip() and not isinstance(day, dt.date):
            return None
        values[name] = day.isoformat() if day else ""
    for name in LISTS:
        chosen = [one for one in dict.fromkeys(form.many(name)) if one]
        known = _codes(found, name).keys() | elsewhere.get(name, {}).keys()
        if not known.issuperset(chosen):
            return None
        values[name] = chosen
    for name, among in (("format", FORMATS.keys()), ("language", LANGUAGES)):
        if form.value(name) not in among:
            return None
        values[name] = form.value(name)
    return values


def _asked_of(found: Menu) -> tuple[str, ...]:
    """The lists that the form of this menu holds."""
    own = ("dimensions", "measures") if found.form == "counts" else ("columns",)
    return ("areas", "offences", *own)


def _codes(found: Menu, name: str) -> dict[str, str]:
    """Codes and words of one list of a menu."""
    if name == "columns":
        return {code: label for code, label, *_more in found.columns()}
    if name == "areas":
        return {code: label for _country, areas in found.areas() for code, label in areas}
    choices: list[tuple[str, str]] = getattr(found, name)()
    return dict(choices)
