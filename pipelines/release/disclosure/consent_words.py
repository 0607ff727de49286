"""Refused counts and consents to them in words, for those who decide about them.

Not here: keeping them (`consents.py`). What was asked is said, never what it would tell.
"""

from __future__ import annotations

from pipelines.core.i18n import translator
from pipelines.release.disclosure.consents import Consent, Need
from pipelines.release.policy.wording import (
    column_names,
    organisation_names,
    purpose_names,
)
from schemas.contract import load_contract
from schemas.text import Language

Facts = list[tuple[str, str]]


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
