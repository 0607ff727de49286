"""The commands `consent …`: counts that were refused, and the providers' written consents to them.

A consent is given by an account of the providing organisation, never by who happens to sit at this
machine.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any

from pipelines.cli.declare import argument, command, day_of, flag, noun, option
from pipelines.cli.errors import CommandError
from pipelines.cli.session import Session
from pipelines.cli.words import _, language
from pipelines.core.i18n import mark

if TYPE_CHECKING:
    from pipelines.accounts.permissions import Person
    from pipelines.release.disclosure.consents import Consent, Need

ACTION = "consent.decide"

Account = Annotated[
    str, option("--account", mark("NAME"), mark("an account of the provider, a data owner’s"))
]
FromStdin = Annotated[bool, flag("--password-stdin", mark("read the password from standard input"))]
Code = Annotated[str, option("--code", mark("CODE"), mark("six digits of its second factor"))]
Reference = Annotated[str, argument(mark("REFERENCE"), mark("as the refusal says it"))]


@command(
    "list",
    mark(
        "List counts that were refused and wait for consents, and the consents that were given.\n\n"
        "What was asked is shown, never what it would tell."
    ),
    "passerelle consent list",
)
def list_consents(session: Session) -> None:
    from pipelines.release.disclosure.conflict_words import consent_facts, need_facts
    from pipelines.release.disclosure.consents import consents, needs

    waiting, given = needs(session.settings), consents(session.settings)
    if session.is_json:
        session.print_json(
            {"waiting": [_need(one) for one in waiting], "given": [_consent(one) for one in given]}
        )
        return
    for title, found in (
        (_("Waiting"), [need_facts(one, language()) for one in waiting]),
        (_("Given"), [consent_facts(one, language()) for one in given]),
    ):
        session.print_line(title, "bold")
        for facts in found:
            for heading, text in facts:
                session.print(f"  {heading}: {text}")
            session.print()
        if not found:
            session.print("  " + _("none"))


@command(
    "give",
    mark(
        "Consent in writing, for the service of an account, that refused counts leave.\n\n"
        "It asks for the password of the account. Every service whose data the counts hold must "
        "consent. It is kept in the ledger and stands in the extract."
    ),
    "passerelle consent give 0123456789ab --account police.data \\\n"
    '  --until 2026-12-31 --reason "Note 2026/114"',
)
def give(
    session: Session,
    reference: Reference,
    *,
    account: Account,
    until: Annotated[str, option("--until", mark("DAY"), mark("the last day of the consent"))],
    reason: Annotated[
        str, option("--reason", mark("TEXT"), mark("why; without a name of a person"))
    ],
    password_stdin: FromStdin = False,
    code: Code = "",
) -> None:
    from pipelines.release.disclosure import consents

    last = day_of(until)
    person = _person(session, account, code, from_stdin=password_stdin)
    given = consents.give(
        session.settings,
        reference,
        by=person.name,
        organisation=person.organisation,
        until=last,
        reason=reason,
    )
    _show(session, given)


@command(
    "revoke",
    mark("Take a consent back, for whatever is asked from now on; what has left has left."),
    "passerelle consent revoke 0123456789ab --account police.data",
)
def revoke(
    session: Session,
    consent: Annotated[str, argument(mark("CONSENT"), mark("its number, as it was shown"))],
    *,
    account: Account,
    password_stdin: FromStdin = False,
    code: Code = "",
) -> None:
    from pipelines.release.disclosure import consents

    person = _person(session, account, code, from_stdin=password_stdin)
    back = consents.revoke(
        session.settings, consent, by=person.name, organisation=person.organisation
    )
    _show(session, back)


def _person(session: Session, name: str, code: str, *, from_stdin: bool) -> Person:
    """Whose account it is, once the password is right. Raises CommandError."""
    from getpass import getpass

    from pipelines.accounts.permissions import may
    from pipelines.accounts.signin import Failure, authenticate

    if from_stdin:
        password = sys.stdin.readline().rstrip("\r\n")
    elif sys.stdin.isatty():
        password = getpass(_("Password: "))
    else:
        message = _("There is no terminal here to ask for a password.")
        raise CommandError("PSL-235", message, _("Use --password-stdin."))
    person = authenticate(session.settings, name, password, code)
    if isinstance(person, Failure):
        raise CommandError("PSL-330", person.text(language()))
    if person.must_change_password or not may(person, ACTION):
        raise CommandError(
            "PSL-331",
            _("The account “{name}” may not consent for its organisation.", name=person.name),
            _("It needs the role data_owner, and a password of its own choice."),
        )
    return person


def _show(session: Session, one: Consent) -> None:
    from pipelines.release.disclosure.conflict_words import consent_facts

    if session.is_json:
        session.print_json(_consent(one))
        return
    for heading, text in consent_facts(one, language()):
        session.print(f"{heading}: {text}")


def _need(one: Need) -> dict[str, Any]:
    return {
        "reference": one.reference,
        "recipient": one.recipient,
        "asked": dict(one.asked),
        "earlier": list(one.earlier),
        "providers": list(one.providers),
    }


def _consent(one: Consent) -> dict[str, Any]:
    return {
        "consent": one.consent_id,
        "organisation": one.organisation,
        "given_by": one.given_by,
        "given_at": one.given_at.isoformat(),
        "until": one.until.isoformat(),
        "reason": one.reason,
        "is_open": one.is_open,
        "revoked_at": one.revoked_at.isoformat() if one.revoked_at else None,
        **_need(one.need),
    }


NOUN = noun(
    "consent",
    mark("Counts that were refused, and the providers’ written consents to them."),
    list_consents,
    give,
    revoke,
)
