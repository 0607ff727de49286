"""What of a table may go to a recipient, and why, in words: the clauses, what they hide, the rest.

Not here: which clauses apply (`permits.py`), the words of one clause (`wording.py`), and counts of
what a certain extract keeps (`records.py`).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from pipelines.core.i18n import Translator, translator
from pipelines.release.policy import wording
from pipelines.release.policy.permits import (
    check_names,
    clauses_for,
    closed_because,
    restrictions_over,
)
from schemas.agreement import Agreement, Permit, Restriction
from schemas.contract import Column, load_contract
from schemas.feed import load_feeds
from schemas.organisation import organisations
from schemas.text import Language, joined


@dataclass(frozen=True)
class ClauseWords:
    """One clause: its full name, what it is for, and its answers (question → words)."""

    clause: str
    agreement: str
    summary: str
    answers: tuple[tuple[str, str], ...]
    facts: dict[str, Any] = field(default_factory=dict, hash=False)


@dataclass(frozen=True)
class Explanation:
    """What leaves, what is hidden of it, and what does not leave and why not."""

    recipient: str
    table: str
    title: str
    refusal: str  # why nothing leaves; empty where something does
    permits: tuple[ClauseWords, ...]
    restrictions: tuple[ClauseWords, ...]
    stays: tuple[tuple[str, str], ...]  # what does not leave, and why not
    footing: str

    def as_dict(self) -> dict[str, Any]:
        """The same for machines."""
        return {
            "recipient": self.recipient,
            "table": self.table,
            "title": self.title,
            "nothing_because": self.refusal or None,
            "permits": [_as_dict(one) for one in self.permits],
            "restrictions": [_as_dict(one) for one in self.restrictions],
            "does_not_leave": [{"what": what, "why": why} for what, why in self.stays],
        }


def explain(
    agreements: Sequence[Agreement],
    *,
    recipient: str,
    table: str,
    as_of: dt.date,
    language: Language,
    purpose: str | None = None,
) -> Explanation:
    """What of `table` may go to `recipient` on that day, for one purpose or for any.

    Raises ReleaseError for a recipient, table or purpose that does not exist; where no clause is
    open the explanation says so, and what is closed.
    """
    _ = translator(language)
    check_names(recipient=recipient, table=table, purpose=purpose)
    mine = clauses_for(agreements, recipient, table)
    wanted = [(a, p) for a, p in mine if purpose is None or purpose in p.purposes]
    opened = [(a, p) for a, p in wanted if not closed_because(a, p, recipient, as_of)]
    restrictions = [
        r
        for r in restrictions_over(agreements, recipient, table)
        if any(_touches(r, permit) for _agreement, permit in opened)
    ]
    label = organisations()[recipient].label[language]
    subject = load_contract(table).title[language]
    return Explanation(
        recipient=recipient,
        table=table,
        title=_("{table} for {recipient}, on {day}", table=subject, recipient=label, day=as_of),
        refusal="" if opened else _("Nothing of this table may leave for this recipient."),
        permits=tuple(permit_words(a, p, language) for a, p in opened),
        restrictions=tuple(restriction_words(one, language) for one in restrictions),
        stays=tuple(
            _stays(
                table=table,
                mine=mine,
                opened=opened,
                recipient=recipient,
                as_of=as_of,
                language=language,
            )
        ),
        footing=_(
            "A row leaves by one clause only, the finest that covers it, with that clause’s "
            "columns and precision. Restrictions are then taken off, whatever the clause. What no "
            "clause opens does not leave."
        ),
    )


def _rows(permit: Permit, language: Language) -> list[str]:
    return wording.permitted_rows(permit.rows, permit.table, language)


def permit_words(agreement: Agreement, permit: Permit, language: Language) -> ClauseWords:
    """One permit, question by question."""
    _ = translator(language)
    answers = [
        (_("Whose"), ", ".join(wording.source_names(permit.providers, language))),
        (_("For whom"), ", ".join(wording.organisation_names(permit.recipients, language))),
        (_("What for"), ", ".join(wording.purpose_names(permit.purposes, language))),
        (_("Which rows"), joined(_rows(permit, language), language)),
        *_shape(permit, language),
        (_("How coarse"), wording.coarseness(permit.precision, language)),
        (_("How late"), wording.delay(permit.delay_days, language)),
        (_("How many alike"), _protection(permit, _)),
        (_("Handing on"), wording.onward_sharing(permit.onward, language)),
        (_("Human-rights review"), wording.review(permit.due_diligence, language)),
        (_("In force"), f"{agreement.valid_from} – {agreement.valid_until}"),
        (_("Legal reference"), agreement.legal_reference[language]),
    ]
    return ClauseWords(
        clause=permit.full_name,
        agreement=f"{agreement.title[language]} ({agreement.version})",
        summary=permit.summary[language],
        answers=tuple((question, answer) for question, answer in answers if answer),
        facts=permit.model_dump(mode="json", exclude={"summary"}),
    )


def restriction_words(restriction: Restriction, language: Language) -> ClauseWords:
    """One restriction, question by question."""
    _ = translator(language)
    hidden = wording.column_names(restriction.table, restriction.columns, language)
    what = (
        _("the columns {columns}", columns=joined(hidden, language))
        if hidden
        else _("the whole row")
    )
    answers = (
        (_("Whose"), ", ".join(wording.source_names(restriction.providers, language))),
        (_("From whom"), ", ".join(wording.organisation_names(restriction.recipients, language))),
        (
            _("Which rows"),
            joined(
                wording.restricted_rows(restriction.rows, restriction.table, language), language
            ),
        ),
        (_("What is hidden"), what),
    )
    return ClauseWords(
        clause=restriction.full_name,
        agreement=restriction.agreement,
        summary=restriction.reason[language],
        answers=answers,
        facts=restriction.model_dump(mode="json", exclude={"reason"}),
    )


def _shape(permit: Permit, language: Language) -> list[tuple[str, str]]:
    """Columns of records, or dimensions and measures of counts."""
    _ = translator(language)

    def listed(names: Sequence[str]) -> str:
        return joined(wording.column_names(permit.table, names, language), language)

    if permit.form == "records":
        return [(_("Form"), _("records, one by one")), (_("Columns"), listed(permit.columns))]
    return [
        (_("Form"), _("counts only, never a record")),
        (_("Counted by"), listed(permit.dimensions)),
        (_("What is counted"), listed(permit.measures)),
    ]


def _protection(permit: Permit, _: Translator) -> str:
    if permit.small_cell_threshold is not None:
        return _("cells below {least} are suppressed", least=permit.small_cell_threshold)
    if permit.smallest_group == 1:
        return _("a record may stand alone; the manifest says how many do")
    return _(
        "records that fewer than {least} share are made coarser, then left out; a month leaves "
        "once it is over, and a later record joins those like it, or waits",
        least=permit.smallest_group,
    )


def _stays(
    *,
    table: str,
    mine: Sequence[tuple[Agreement, Permit]],
    opened: Sequence[tuple[Agreement, Permit]],
    recipient: str,
    as_of: dt.date,
    language: Language,
) -> list[tuple[str, str]]:
    """What does not leave, and why not: closed clauses, sources, columns, other purposes."""
    _ = translator(language)
    found = []
    for agreement, permit in mine:
        if case := closed_because(agreement, permit, recipient, as_of):
            found.append((permit.full_name, _closed(case, agreement, as_of, language)))
    permits = [permit for _agreement, permit in opened]
    for_other = [
        p for a, p in mine if p not in permits and not closed_because(a, p, recipient, as_of)
    ]
    for permit in for_other:
        named = ", ".join(wording.purpose_names(permit.purposes, language))
        found.append((permit.full_name, _("open for another purpose: {purposes}", purposes=named)))
    sources = {source for permit in permits for source in permit.providers}
    senders = dict.fromkeys(feed.source for feed in load_feeds() if feed.table == table)
    shut = [source for source in senders if source not in sources]
    if shut and permits:
        names = ", ".join(wording.source_names(shut, language))
        found.append((_("Rows of {sources}", sources=names), _("no clause opens them")))
    if permits:
        found += _closed_columns(table, permits, language)
    return found


def _closed(case: str, agreement: Agreement, as_of: dt.date, language: Language) -> str:
    _ = translator(language)
    if case == "expired":
        return _("its agreement ended on {day}", day=agreement.valid_until)
    if case == "gone":
        return _("the recipient does not exist on {day}", day=as_of)
    if case == "not_yet":
        return _("its agreement begins on {day}", day=agreement.valid_from)
    return _("the human-rights review of this security force does not hold on {day}", day=as_of)


def _closed_columns(
    table: str, permits: Sequence[Permit], language: Language
) -> list[tuple[str, str]]:
    """The published columns that no clause opens, grouped by why."""
    _ = translator(language)
    named = {
        one for permit in permits for one in (*permit.columns, *permit.dimensions, *permit.measures)
    }
    groups: dict[str, list[str]] = {}
    for column in load_contract(table).published:
        if column.name not in named:
            groups.setdefault(_why_closed(column, _), []).append(column.label[language])
    return [(joined(labels, language), why) for why, labels in groups.items()]


def _why_closed(column: Column, _: Translator) -> str:
    if column.coarsen == "token":
        return _("a token follows one person or thing from row to row")
    if column.is_never_kept:
        return _("strictly confidential, and no clause opens it")
    if column.name.endswith("_text"):
        return _("words as somebody wrote them may name a person")
    return _("no clause opens this column")


def _touches(restriction: Restriction, permit: Permit) -> bool:
    """Could the restriction take anything off what this clause opens?"""
    named = {*permit.columns, *permit.dimensions, *permit.measures}
    return bool(set(restriction.providers) & set(permit.providers)) and (
        not restriction.columns or bool(set(restriction.columns) & named)
    )


def _as_dict(words: ClauseWords) -> dict[str, Any]:
    return {
        "clause": words.clause,
        "agreement": words.agreement,
        "summary": words.summary,
        "in_words": [
            {"question": question, "answer": answer} for question, answer in words.answers
        ],
        "declared": words.facts,
    }
