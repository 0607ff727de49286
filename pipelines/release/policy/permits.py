"""Who may have what on a day: the clauses that open a table, and the restrictions over them.

Not here: which rows that makes (`records.py`) and saying it in words (`explain.py`).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pipelines.release.errors import ReleaseError
from schemas.agreement import Agreement, Form, Permit, Restriction
from schemas.contract import load_contract, table_names
from schemas.organisation import covers, exists_on, is_security_force, organisations, purposes
from schemas.text import Bilingual

FORMS: tuple[Form, ...] = ("records", "counts")


@dataclass(frozen=True)
class PermitSet:
    """The clauses that open what was asked, and every restriction over rows of theirs."""

    permits: tuple[Permit, ...]
    restrictions: tuple[Restriction, ...]
    agreements: tuple[Agreement, ...]


@dataclass(frozen=True)
class Offer:
    """One table in one form that a recipient may ask for now, and the purposes that open it."""

    table: str
    form: Form
    purposes: tuple[str, ...]
    permits: tuple[Permit, ...]


def who_may(
    agreements: Sequence[Agreement],
    *,
    recipient: str,
    table: str,
    purpose: str,
    form: Form,
    as_of: dt.date,
    columns: Iterable[str] = (),
) -> PermitSet:
    """The clauses by which `table` may go to `recipient` for `purpose` on that day.

    Raises ReleaseError where a name is not known or no clause is open; nothing is open by
    default. `columns` are only looked up here: which of them leave is the clauses' business.
    """
    check_names(recipient=recipient, table=table, purpose=purpose, form=form, columns=columns)
    mine = clauses_for(agreements, recipient, table)
    fitting = [(o, p) for o, p in mine if p.form == form and purpose in p.purposes]
    opened = [(o, p) for o, p in fitting if not closed_because(o, p, recipient, as_of)]
    if not opened:
        raise _no_clause(
            mine=mine,
            fitting=fitting,
            recipient=recipient,
            table=table,
            purpose=purpose,
            form=form,
            as_of=as_of,
        )
    providers = {one for _agreement, permit in opened for one in permit.providers}
    return PermitSet(
        permits=tuple(permit for _one, permit in opened),
        # What others hold back meets no row of these, and is not told: it stands in the query.
        restrictions=tuple(
            one
            for one in restrictions_over(agreements, recipient, table)
            if providers & set(one.providers)
        ),
        agreements=tuple(dict.fromkeys(one for one, _permit in opened)),
    )


def offers(agreements: Sequence[Agreement], recipient: str, as_of: dt.date) -> list[Offer]:
    """What a recipient may ask for on that day; empty for one that is not known."""
    found = []
    for table in table_names("data"):
        mine = clauses_for(agreements, recipient, table)
        for form in FORMS:
            permits = tuple(
                permit
                for one, permit in mine
                if permit.form == form and not closed_because(one, permit, recipient, as_of)
            )
            if permits:
                wanted = {purpose for permit in permits for purpose in permit.purposes}
                named = tuple(purpose for purpose in purposes() if purpose in wanted)
                found.append(Offer(table, form, named, permits))
    return found


def restrictions_over(
    agreements: Sequence[Agreement], recipient: str, table: str
) -> tuple[Restriction, ...]:
    """Every restriction of any agreement, in force or not, that holds for a recipient."""
    return tuple(
        restriction
        for one in agreements
        for restriction in one.restrictions
        if restriction.table == table
        and any(covers(named, recipient) for named in restriction.recipients)
    )


def closed_because(agreement: Agreement, permit: Permit, recipient: str, day: dt.date) -> str:
    """Why a clause opens nothing to a recipient on a day: a case of REL-105; empty for open."""
    if not exists_on(recipient, day):
        return "gone"
    if day > agreement.valid_until:
        return "expired"
    if day < agreement.valid_from:
        return "not_yet"
    if is_security_force(recipient):
        review = permit.due_diligence
        if review is None or not review.holds_on(day):
            return "due_diligence"
    return ""


def clauses_for(
    agreements: Iterable[Agreement], recipient: str, table: str
) -> list[tuple[Agreement, Permit]]:
    """The clauses, open or not, that name a recipient for a table, with their agreements."""
    return [
        (agreement, permit)
        for agreement in agreements
        for permit in agreement.permits
        if permit.table == table and any(covers(one, recipient) for one in permit.recipients)
    ]


def check_names(
    *,
    recipient: str,
    table: str,
    purpose: str | None = None,
    form: str = FORMS[0],
    columns: Iterable[str] = (),
) -> None:
    """Raise ReleaseError for the first name that is not known."""
    if recipient not in organisations():
        raise ReleaseError("REL-101", recipient=recipient)
    if purpose is not None and purpose not in purposes():
        raise ReleaseError("REL-102", purpose=purpose, known=list(purposes()))
    if table not in table_names("data"):
        raise ReleaseError("REL-103", table=table, known=table_names("data"))
    if form not in FORMS:
        raise ReleaseError("REL-111", name=form, known=FORMS)
    published = {column.name for column in load_contract(table).published}
    for column in columns:
        if column not in published:
            raise ReleaseError("REL-104", table=table, column=column)


def _no_clause(
    *,
    mine: Sequence[tuple[Agreement, Permit]],
    fitting: Sequence[tuple[Agreement, Permit]],
    recipient: str,
    table: str,
    purpose: str,
    form: str,
    as_of: dt.date,
) -> ReleaseError:
    """The refusal that says most: a clause that is closed, else what the clauses are for."""
    label = _label(recipient)
    if fitting:  # the one that is open longest says most
        ended = sorted(fitting, key=lambda pair: pair[0].valid_until, reverse=True)
        agreement, permit = ended[0]
        case = closed_because(agreement, permit, recipient, as_of)
        days = {"expired": agreement.valid_until, "not_yet": agreement.valid_from}
        return ReleaseError(
            "REL-105",
            case,
            table=table,
            recipient=label,
            clause=permit.full_name,
            day=days.get(case, as_of),
        )
    live = [p for one, p in mine if not closed_because(one, p, recipient, as_of)]
    if for_purpose := [p for p in live if purpose in p.purposes]:
        known = list(dict.fromkeys(p.form for p in for_purpose))
        return ReleaseError("REL-105", "form", table=table, recipient=label, form=form, known=known)
    if live:
        wanted = list(dict.fromkeys(purposes()[one].label for p in live for one in p.purposes))
        return ReleaseError(
            "REL-105",
            "purpose",
            table=table,
            recipient=label,
            purpose=purposes()[purpose].label,
            known=wanted,
        )
    return ReleaseError("REL-105", table=table, recipient=label)


def _label(recipient: str) -> Bilingual:
    return organisations()[recipient].label
