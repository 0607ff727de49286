"""Deliveries and their verdicts: found by an id, told on a terminal with what is asked of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from pipelines.cli.errors import CommandError, no_such
from pipelines.cli.session import Session, table
from pipelines.cli.words import _, counted, language, number
from pipelines.core.i18n import mark
from schemas.contract import all_rules

if TYPE_CHECKING:
    from pipelines.core.findings import Finding
    from pipelines.lake.publish import Publication
    from pipelines.lake.questions import Question
    from pipelines.landing.receive import Delivery
    from pipelines.validate.verdict import Verdict

TOP_REASONS, TOP_DELIVERIES = 10, 8


def known_deliveries(session: Session, feed: str = "") -> list[tuple[Delivery, Verdict | None]]:
    """Deliveries and their verdicts, the earliest received first."""
    from pipelines.landing.receive import list_deliveries
    from pipelines.validate.verdict import verdict_of

    found = list_deliveries(session.settings, feed or None)
    return [(delivery, verdict_of(delivery)) for delivery in found]


def find_judged(session: Session, text: str) -> tuple[Delivery, Verdict]:
    """The one delivery whose id or fingerprint begins with `text`. Raises CommandError."""
    pairs = known_deliveries(session)
    ids = [delivery.delivery_id for delivery, _verdict in pairs]
    hits = [
        (one, verdict)
        for one, verdict in pairs
        if one.delivery_id.startswith(text) or one.sha256.startswith(text)
    ]
    exact = [pair for pair in hits if pair[0].delivery_id == text]
    hits = exact or hits
    if not hits:
        hint = _("See: {command}", command="passerelle delivery list")
        raise no_such(_("There is no delivery “{name}”.", name=text), text, ids, "PSL-211", hint)
    if len(hits) > 1:
        several = "\n".join(one.delivery_id for one, _verdict in hits[:TOP_DELIVERIES])
        raise CommandError(
            "PSL-212", _("Several deliveries begin with “{name}”:", name=text), several
        )
    found, verdict = hits[0]
    if verdict is None:
        message = _("{name} is not judged yet.", name=found.delivery_id)
        raise CommandError(
            "PSL-213", message, _("Judge it with: {command}", command="passerelle run")
        )
    return found, verdict


def show_account(session: Session, verdicts: Sequence[Verdict]) -> None:
    """One row a feed: files, rows in and what became of them; then the totals."""
    headings = [_("Feed"), _("Files"), _("Rows"), _("Accepted"), _("Rejected"), _("Copies")]
    has_refused = not all(verdict.is_accepted for verdict in verdicts)
    headings += [_("Refused")] if has_refused else []
    grid = table(*headings, numbers=range(1, 7))
    for feed in sorted({verdict.feed for verdict in verdicts}):
        mine = [one for one in verdicts if one.feed == feed]
        grid.add_row(feed, *_cells(mine, has_refused))
    if len({verdict.feed for verdict in verdicts}) > 1:
        grid.add_section()
        grid.add_row(_("Together"), *_cells(verdicts, has_refused))
    session.print(grid)


def _cells(verdicts: Sequence[Verdict], has_refused: bool) -> list[str]:
    """Files; of accepted ones the rows read, accepted, rejected, copies; how many were refused."""
    names = ("rows_read", "rows_accepted", "rows_quarantined", "rows_exact_duplicates")
    kept = [verdict for verdict in verdicts if verdict.is_accepted]
    counts = [len(verdicts)]
    counts += [sum(getattr(verdict, name) or 0 for verdict in kept) for name in names]
    counts += [len(verdicts) - len(kept)] if has_refused else []
    return [number(count) for count in counts]


def reason_counts(verdicts: Iterable[Verdict]) -> Counter[str]:
    """Rejected rows by rule code; a row with two faults counts under both."""
    reasons: Counter[str] = Counter()
    for verdict in verdicts:
        reasons.update(verdict.reason_counts)
    return reasons


def show_reasons(session: Session, verdicts: Sequence[Verdict], top: int = TOP_REASONS) -> None:
    """The most frequent reasons for which rows were rejected, with their words."""
    reasons = reason_counts(verdicts)
    if not reasons:
        return
    grid = table(_("Code"), _("Rows"), _("Why"), numbers=[1], whole=[0])
    rules = all_rules()
    for code, count in reasons.most_common(top):
        grid.add_row(code, number(count), rules[code].message[language()])
    session.print(grid)
    if (rest := len(reasons) - top) > 0:
        one, several = mark("… and {count} other reason."), mark("… and {count} other reasons.")
        session.print(counted(rest, one, several))


def show_refused(session: Session, refused: Sequence[tuple[Delivery, Verdict]]) -> None:
    """Deliveries of which nothing was used, each with its findings and what to do."""
    for delivery, verdict in refused:
        errors = [one.finding for one in verdict.findings if one.finding.is_error]
        _show_findings(session, delivery.receipt.file_name, errors, "red")


def show_published(
    session: Session, verdicts: Sequence[Verdict], published: Publication | None
) -> None:
    """How many deliveries were published just now, and of how many every row is held."""
    used, held = _used(session, published)
    if used:
        one, several = mark("Published: {count} delivery."), mark("Published: {count} deliveries.")
        session.print(counted(used, one, several))
    if held:
        one = mark("Not published: {count} delivery, all of whose rows are held.")
        several = mark("Not published: {count} deliveries, all of whose rows are held.")
        session.print(counted(held, one, several))
    if not used and not held and any(verdict.is_accepted for verdict in verdicts):
        session.print(_("All of it was published before."))


def _used(session: Session, published: Publication | None) -> tuple[int, int]:
    """How many accepted deliveries were published, and of how many every row is held.

    Of a refused one it is only published that it came in.
    """
    from pipelines.lake.questions import read_question
    from pipelines.landing.receive import open_delivery
    from pipelines.validate.verdict import verdict_of

    used = held = 0
    for delivery_id in published.deliveries if published else ():
        delivery = open_delivery(session.settings, delivery_id)
        verdict = verdict_of(delivery)
        if verdict is not None and verdict.is_accepted:
            question = read_question(delivery.folder)
            is_held = question is not None and question.rows == verdict.rows_accepted
            used, held = used + (not is_held), held + is_held
    return used, held


def show_noticed(session: Session, accepted: Sequence[tuple[Delivery, Verdict]]) -> None:
    """What was noticed about deliveries as a whole that were used all the same."""
    from pipelines.validate.remarks import all_findings

    for delivery, verdict in accepted:
        if findings := [one.finding for one in all_findings(delivery.folder, verdict)]:
            _show_findings(session, delivery.receipt.file_name, findings, "yellow")


def _show_findings(session: Session, name: str, findings: list[Finding], colour: str) -> None:
    from rich.padding import Padding
    from rich.text import Text

    session.print(Text(name, style="bold"))
    for finding in findings:
        words = Text.assemble((f"{finding.code}  ", colour), finding.text(language()))
        session.print(Padding(words, (0, 0, 0, 2)))
        advice = Text(finding.correction(language()), style="dim")
        session.print(Padding(advice, (0, 0, 0, 11)))


def as_data(verdict: Verdict, delivery: Delivery) -> dict[str, Any]:
    """A verdict for machines, with the words of what was found and remarked since."""
    from pipelines.validate.remarks import all_findings

    findings = [
        {"code": stored.code, "message": stored.finding.text(language())}
        for stored in all_findings(delivery.folder, verdict)
    ]
    return {**verdict.model_dump(mode="json", exclude={"audit"}), "findings": findings}


def show_questions(session: Session, deliveries: Iterable[Delivery]) -> int:
    """What is asked about these deliveries, each with its evidence; returns how many are asked."""
    from pipelines.lake.questions import read_question

    asked = 0
    for delivery in deliveries:
        if (question := read_question(delivery.folder)) is None:
            continue
        asked += 1
        session.complain(
            "PSL-305",
            _(
                "{file}: rows that are held until somebody answers: {count}",
                file=delivery.receipt.file_name,
                count=question.rows,
            ),
            "\n".join([question.text(language()), *question.evidence(language()), how(question)]),
        )
    return asked


def how(question: Question) -> str:
    """The command that answers a question."""
    kinds = " | ".join(f"--{kind}" for kind in question.answers)
    command_line = f"passerelle delivery answer {question.delivery_id} {kinds}"
    return _("Answer: {command}", command=command_line)
