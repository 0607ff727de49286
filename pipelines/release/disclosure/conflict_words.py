"""What stands in the way of refused counts, and what passes, in words for people.

Not here: finding that out (`conflict.py`). No number, cell or code of the data is in them.
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
from pipelines.release.policy.wording import column_names, organisation_names
from pipelines.release.request import Request
from schemas.text import Language, joined

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
