"""Refused counts in words: what stands in the way, what passes, and who consents to what.

Not here: finding that out (`conflict.py`) and keeping consents (`consents.py`). No number, cell or
code of the data is in them: what was asked is said, never what it would tell.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pipelines.core.i18n import Translator, mark, translator
from pipelines.release.disclosure.coarser import changes
from pipelines.release.disclosure.conflict import (
    PERIOD,
    PURPOSE,
    RECORDS,
    Conflict,
    Obstacle,
)
from pipelines.release.disclosure.consents import Consent, Need
from pipelines.release.policy.wording import column_names, organisation_names, purpose_names
from pipelines.release.request import Request
from schemas.contract import load_contract
from schemas.text import Language, joined

Facts = list[tuple[str, str]]
_CHOICES = {
    PERIOD: mark("the period"),
    "areas": mark("the areas"),
    "offences": mark("the offences"),
    "measures": mark("what is counted"),
    PURPOSE: mark("the purpose, and with it the clauses"),
    RECORDS: mark("the records, which have changed since"),
}


def obstacle_lines(
    conflict: Conflict, language: Language, organisation: str | None = None
) -> list[str]:
    """A line for each of the earlier extracts in the way; those of others have no name.

    `organisation` is whose account asks; None is the operator of the installation, who sees all.
    """
    _ = translator(language)
    known = conflict.obstacles if organisation is None else conflict.known_to(organisation)
    lines = [_line(one, conflict.request, _, language) for one in known]
    if len(known) < len(conflict.obstacles):
        lines.append(_("What another organisation was given or shown."))
    return lines


def differences(obstacle: Obstacle, table: str, language: Language) -> list[str]:
    """In what earlier counts differ from those asked for."""
    _ = translator(language)
    return [
        _(_CHOICES[one]) if one in _CHOICES else column_names(table, [one], language)[0]
        for one in obstacle.differs
    ]


def coarser_line(request: Request, form: Request, language: Language) -> str:
    """In what a coarser form is other than what was asked for."""
    _ = translator(language)
    other = changes(request, form)
    said = []
    if "dimensions" in other:
        said.append(_("counted by {names}", names=_names(form.table, form.dimensions, language)))
    if "since" in other or "until" in other:
        said.append(_period(form, _))
    if "areas" in other:
        said.append(_("all areas"))
    if "offences" in other:
        said.append(
            _("offences: {offences}", offences=", ".join(form.offences))
            if form.offences
            else _("all offences")
        )
    if "measures" in other:
        said.append(_("only {names}", names=_names(form.table, form.measures, language)))
    return joined(said, language)


def consent_line(conflict: Conflict, language: Language) -> str:
    """Whose written consent would let the counts leave; empty where none can."""
    if not conflict.need.providers:
        return ""
    _ = translator(language)
    return _(
        "Only a written consent of all who provide the data lets them leave: {providers}. They "
        "find it under the reference {reference}.",
        providers=joined(organisation_names(conflict.need.providers, language), language),
        reference=conflict.need.reference,
    )


def as_data(
    conflict: Conflict, language: Language, organisation: str | None = None
) -> dict[str, Any]:
    """The same for a program; as `obstacle_lines` for what is named."""
    known = conflict.obstacles if organisation is None else conflict.known_to(organisation)
    request = conflict.request
    return {
        "earlier": [
            {
                "extract": one.told.name,
                "recipient": one.told.recipient,
                "day": one.told.on.isoformat(),
                "form": one.told.form,
                "differs": list(one.differs),
            }
            for one in known
        ],
        "has_others": len(known) < len(conflict.obstacles),
        "coarser": [
            {
                "said": coarser_line(request, form, language),
                "dimensions": list(form.dimensions),
                "measures": list(form.measures),
                "since": form.since.isoformat() if form.since else None,
                "until": form.until.isoformat() if form.until else None,
                "areas": list(form.areas),
                "offences": list(form.offences),
            }
            for form in conflict.coarser
        ],
        "reference": conflict.need.reference,
        "providers": list(conflict.need.providers),
    }


def command_of(form: Request) -> str:
    """The command that asks for a form."""
    parts = ["passerelle extract make", form.table, "--recipient", form.recipient]
    parts += ["--purpose", form.purpose, "--counts-by", ",".join(form.dimensions)]
    parts += ["--measure", ",".join(form.measures)]
    for option, value in (
        ("--from", form.since.isoformat() if form.since else ""),
        ("--to", form.until.isoformat() if form.until else ""),
        ("--area", ",".join(form.areas)),
        ("--offence", ",".join(form.offences)),
        ("--format", form.format),
        ("--as-of", form.as_of.isoformat()),
    ):
        parts += [option, value] if value else []
    return " ".join(parts)


def _line(one: Obstacle, request: Request, _: Translator, language: Language) -> str:
    told = one.told
    if told.form == "records":
        sentence = (
            _("{recipient} looked at records on {day}")
            if told.is_preview
            else _("Records, extract {name}, given to {recipient} on {day}")
        )
    elif told.is_preview:
        sentence = _("{recipient} looked at counts on {day}")
    else:
        sentence = _("Extract {name}, given to {recipient} on {day}")
    [recipient] = organisation_names([told.recipient], language)
    said = sentence.format(name=told.name, recipient=recipient, day=told.on.isoformat())
    differs = joined(differences(one, request.table, language), language)
    return (
        _("{said}. Other than there: {differs}.", said=said, differs=differs) if differs else said
    )


def _names(table: str, names: Iterable[str], language: Language) -> str:
    return ", ".join(column_names(table, names, language))


def _period(form: Request, _: Translator) -> str:
    if not form.has_period:
        return _("the whole time")
    since = form.since.isoformat() if form.since else "…"
    until = form.until.isoformat() if form.until else "…"
    return _("from {since} to {until}", since=since, until=until)


def need_facts(need: Need, language: Language) -> Facts:
    """What was asked, for whom, and what stood in the way: headings and texts."""
    _ = translator(language)
    asked, table = need.asked, str(need.asked["table"])
    since, until = asked["since"] or "…", asked["until"] or "…"
    found = [
        (_("Reference"), need.reference),
        (_("What it is"), load_contract(table).title[language]),
        (_("For whom"), ", ".join(organisation_names([need.recipient], language))),
        (_("For which purpose"), ", ".join(purpose_names([asked["purpose"]], language))),
        (_("Counted by"), ", ".join(column_names(table, asked["dimensions"], language))),
        (_("What is counted"), ", ".join(column_names(table, asked["measures"], language))),
        (_("Period"), f"{since} – {until}" if asked["since"] or asked["until"] else ""),
        (_("Areas"), ", ".join(asked["areas"])),
        (_("Offences"), ", ".join(asked["offences"])),
        (_("In the way"), ", ".join(need.earlier)),
        (_("All who must consent"), ", ".join(organisation_names(need.providers, language))),
    ]
    return [(heading, text) for heading, text in found if text]


def consent_facts(consent: Consent, language: Language) -> Facts:
    """The same of a consent, with who gave it, why and until when."""
    _ = translator(language)
    state = (
        _("taken back on {day}", day=consent.revoked_at.date().isoformat())
        if consent.revoked_at
        else _("holds until {day}", day=consent.until.isoformat())
        if consent.is_open
        else _("ended on {day}", day=consent.until.isoformat())
    )
    return [
        (_("Consent"), f"{consent.consent_id}, {state}"),
        (_("Given"), f"{consent.given_at.date().isoformat()}, {consent.given_by}"),
        (_("Why"), consent.reason),
        *need_facts(consent.need, language),
    ]
