"""The sentences of a report in the provider's language, and how it writes numbers and moments.

Not here: the words of rules and findings, which the contracts hold in both languages.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from pipelines.core.i18n import mark, translator
from pipelines.landing.report_number import CELLS, SUMMARY
from pipelines.validate.report import Report
from schemas import text

READABLE = mark(
    "Every row of this file can be read. There is nothing to correct, but something to answer."
)
OR_HERE = mark(
    "Or correct them in the last sheets of the report’s workbook and send that: only those sheets "
    "are read."
)


@dataclass(frozen=True)
class Words:
    """The heads and sentences of one report."""

    title: str
    facts: list[tuple[str, str]]
    figures: list[tuple[str, str]]
    outcome: str
    steps: list[str]
    heads: dict[str, str]


def words(report: Report) -> Words:
    """All that a report says besides rules, findings and cells."""
    _ = translator(report.language)
    verdict, receipt = report.verdict, report.delivery.receipt
    return Words(
        title=_("What we could not accept"),
        facts=[
            (_("File"), receipt.file_name),
            (_("Sent as"), report.feed.title[report.language]),
            (_("Received"), moment(receipt.received_at)),
            (_("Delivery"), verdict.delivery_id),
            (_("Number of this report"), str(report.number)),
        ],
        figures=[
            (_("Rows read"), number(report, verdict.rows_read)),
            (_("Rows accepted"), number(report, verdict.rows_accepted)),
            (_("Rows to correct"), number(report, verdict.rows_quarantined)),
            (_("Exact duplicates"), number(report, verdict.rows_exact_duplicates)),
            *((_("Rows held"), number(report, rows)) for rows in [report.rows_held] if rows),
        ],
        outcome=_outcome(report),
        steps=_steps(report),
        heads=_heads(report),
    )


def number(report: Report, count: int | None) -> str:
    """A count as the language writes it; a dash for none."""
    return "–" if count is None else text.number(count, report.language)


def moment(when: dt.datetime) -> str:
    """An instant in UTC, the same in both languages."""
    utc = when.astimezone(dt.UTC) if when.tzinfo else when
    return f"{utc:%Y-%m-%d %H:%M} UTC"


def _outcome(report: Report) -> str:
    _ = translator(report.language)
    if not report.verdict.is_accepted:
        return _("Nothing of this file was used. The reason and the remedy are below.")
    if not report.verdict.rows_quarantined and report.rows_held:
        return _(READABLE)
    if not report.verdict.rows_quarantined:
        return _("Every row of this file was accepted. There is nothing to correct.")
    return _("The accepted rows are in use. Those below are kept aside until they are corrected.")


def _steps(report: Report) -> list[str]:
    _ = translator(report.language)
    if report.verdict.is_our_fault:
        return [_("The fault is ours, not one of your file: tell the data specialist.")]
    if not report.verdict.is_accepted:
        return [
            _("Correct the file as said below."),
            _("Send the whole file again, in the usual way."),
        ]
    answer = [_("Answer what is asked about this file: an older file, or a correction?")]
    answer = answer if report.rows_held else []
    if not report.verdict.rows_quarantined:
        return answer
    return [
        *answer,
        _("Look at each cell listed below, and find the true value in your own records."),
        _("Correct those rows in your file, or in the file of bad rows sent with this report."),
        _("Do not change the number of a record: it tells us which record you correct."),
        _("Send the corrected rows again, in the usual way. The accepted rows need not be sent."),
        *(_(OR_HERE) for _sheet in [report.rows] if _sheet and report.is_for_sender),
    ]


def _heads(report: Report) -> dict[str, str]:
    _ = translator(report.language)
    return {
        "summary": _(SUMMARY),
        "cells": _(CELLS),
        "rows": _("Rows to correct"),
        "to_do": _("What to do"),
        "findings": _("The file as a whole"),
        "reasons": _("Reasons, the most frequent first"),
        "held": _("Held until somebody answers"),
        "held_row": _("Held, waits for an answer: {message}"),
        "warnings": _("Accepted, but please check"),
        "code": _("Code"),
        "count": _("Rows"),
        "reason": _("Reason"),
        "explanation": _("Explanation"),
        "correction": _("Suggested correction"),
        "sheet": _("Sheet"),
        "row": _("Row"),
        "column": _("Column"),
        "cell": _("What was sent"),
        "whole_row": _("(whole row)"),
        "handling": _("Handling: {level}", level=report.handling),
        "cut_cells": _("Only the first {rows} are listed; correct them first, then send again."),
        "more_cells": _("Only the first {rows} are shown here; the workbook lists more."),
    }
