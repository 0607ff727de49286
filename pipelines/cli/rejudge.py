"""The command `delivery rejudge`, and what would change, which `lake migrate` shows too."""

from __future__ import annotations

import datetime as dt
import sys
from typing import TYPE_CHECKING, Annotated, Any

from pipelines.cli.declare import argument, command, day_of, flag, option
from pipelines.cli.errors import CommandError
from pipelines.cli.ingest import publish_all
from pipelines.cli.session import Session, table
from pipelines.cli.verdicts import find_judged, known_deliveries
from pipelines.cli.words import _, language, number
from pipelines.core.i18n import mark
from schemas.contract import load_contract
from schemas.feed import feed_places

if TYPE_CHECKING:
    from pipelines.ingest.rejudge import Change, Proposal
    from pipelines.landing.receive import Delivery
    from pipelines.ledger.holders import Held

YES = ("y", "yes", "o", "oui")
MOST_SHOWN = 30


@command(
    "rejudge",
    mark(
        "Judge accepted deliveries again, after a feed, a contract or a code list was mended.\n\n"
        "It shows what would change and asks before anything does. Both verdicts are kept, and "
        "what was published until then stays in <table>_history. Without a terminal, --yes lets "
        "it stand."
    ),
    "passerelle delivery rejudge caf_gendarmerie_incidents --since 2026-05-01",
)
def rejudge(
    session: Session,
    which: Annotated[
        str,
        argument(
            mark("FEED|DELIVERY"), mark("all accepted deliveries of a feed, or one by its id")
        ),
    ],
    since: Annotated[
        str, option("--since", mark("DAY"), mark("only those received on this day or later"))
    ] = "",
    is_agreed: Annotated[bool, flag("--yes", mark("do not ask; let what comes out stand"))] = False,
) -> int:
    from pipelines.core.processes import cores
    from pipelines.ingest.rejudge import changes, dismiss, propose
    from pipelines.lake.versions import require_current

    require_current(session.settings)
    found = _chosen(session, which, since)
    if not found:
        return _tell_nothing(session, _("No accepted delivery is among them."))
    with session.progress(_("Checking")) as advance:
        workers = session.settings.threads or cores()
        every = propose(session.settings, found, workers=workers, on_progress=advance)
    changed = changes(session.settings, every)
    proposals = [one for one in every if _is_other(one, changed)]
    dismiss([one for one in every if one not in proposals])
    if not proposals:
        return _tell_nothing(session, _("Nothing would change."))
    if not session.is_json:
        show_changes(session, proposals, changed)
    is_done = is_agreed or (not session.is_json and agree(session))
    if is_done:
        stand(session, proposals, changed)
    else:
        dismiss(proposals)
    if session.is_json:
        session.print_json(as_data(proposals, changed) | {"done": is_done})
    session.print(_("Done.") if is_done else _("Nothing was changed."))
    return 0


def _tell_nothing(session: Session, words: str) -> int:
    if session.is_json:
        session.print_json({"deliveries": [], "tables": [], "done": False})
    session.print(words)
    return 0


def _chosen(session: Session, which: str, since: str) -> list[Delivery]:
    """The accepted deliveries that were named. Raises CommandError."""
    if which in feed_places():
        pairs = known_deliveries(session, which)
    else:
        pairs = [find_judged(session, which)]
        if not (judged := pairs[0][1]) or not judged.is_accepted:
            message = _("{name} was refused.", name=pairs[0][0].delivery_id)
            hint = _("It is judged again when its file is handed in again: {command}",
                     command="passerelle ingest")  # fmt: skip
            raise CommandError("PSL-243", message, hint)
    first = dt.datetime.combine(day_of(since), dt.time(), dt.UTC) if since else None
    return [
        delivery
        for delivery, verdict in pairs
        if verdict is not None
        and verdict.is_accepted
        and (first is None or delivery.receipt.received_at >= first)
    ]


def _is_other(proposal: Proposal, changed: list[Change]) -> bool:
    """True where the delivery would not be told as it was: its rows, rejections or findings."""
    rows = [one.deliveries[proposal.delivery.delivery_id] for one in changed
            if proposal.delivery.delivery_id in one.deliveries]  # fmt: skip
    told = ("state", "reason_counts", "warning_counts", "rows_exact_duplicates", "findings")
    was, now = proposal.before, proposal.verdict
    return any(one.is_any for one in rows) or any(
        getattr(was, name) != getattr(now, name) for name in told
    )


def stand(session: Session, proposals: list[Proposal], changed: list[Change]) -> None:
    """Let the proposals stand and publish them."""
    from pipelines.ingest.publish import require_writable
    from pipelines.ingest.rejudge import let_stand
    from pipelines.ledger.chain import OPERATOR

    require_writable(session.settings)
    let_stand(session.settings, proposals, changed, actor=OPERATOR)
    publish_all(session)


def agree(session: Session) -> bool:
    """Ask whether it shall stand; no where nobody can answer."""
    if not sys.stdin.isatty():
        session.print(_("Let it stand: the same command with --yes."))
        return False
    session.out.print(_("Let it stand? (y/n)"), end=" ")
    return sys.stdin.readline().strip().lower() in YES


def show_changes(session: Session, proposals: list[Proposal], changed: list[Change]) -> None:
    """What would be other than it is, before it is."""
    grid = table(
        _("Delivery"), _("Accepted"), _("Rejected"), _("Changed"), _("New"), _("Gone"),
        numbers=[1, 2, 3, 4, 5],
    )  # fmt: skip
    rows = {delivery: one for change in changed for delivery, one in change.deliveries.items()}
    for one in proposals[:MOST_SHOWN]:
        row = rows[one.delivery.delivery_id]
        grid.add_row(
            one.delivery.delivery_id,
            _both(one, "rows_accepted"),
            _both(one, "rows_quarantined"),
            *(number(count) for count in (row.changed, row.come, row.gone)),
        )
    session.print(grid)
    if (rest := len(proposals) - MOST_SHOWN) > 0:
        session.print(_("… and {count} more.", count=number(rest)))
    for one in proposals:
        if not one.verdict.is_accepted:
            session.print(_("{name} would be refused:", name=one.delivery.delivery_id))
            for stored in one.verdict.findings:
                if stored.finding.is_error:
                    session.print(f"  {stored.code}  {stored.finding.text(language())}")
    for change in changed:
        _show_table(session, change)
    if extracts := [held for change in changed for held in change.extracts]:
        _show_extracts(session, extracts)
    session.print(_("What was published until now stays in the history."))


def _both(proposal: Proposal, name: str) -> str:
    """`120`, or `120 → 118` where they differ; a refused delivery has no rows."""
    was, now = (
        (getattr(one, name) or 0) if one.is_accepted else 0
        for one in (proposal.before, proposal.verdict)
    )
    return number(was) if was == now else f"{number(was)} → {number(now)}"


def _show_table(session: Session, change: Change) -> None:
    if change.columns:
        labels = {c.name: c.label[language()] for c in load_contract(change.table).published}
        # What kind of statement a row is has no label: no view shows it.
        told = {c: f"{labels[c]} ({c})" if c in labels else c for c in change.columns}
        listed = ", ".join(f"{told[c]} {number(n)}" for c, n in change.columns.items())
        session.print(_("Columns that change in {table}: {columns}", table=change.table,
                        columns=listed))  # fmt: skip
    if change.withdrawn:
        session.print(_("Records that would be withdrawn: {count}.",
                        count=number(change.withdrawn)))  # fmt: skip
    if change.shown_again:
        session.print(_("Withdrawn records that would be shown again: {count}.",
                        count=number(change.shown_again)))  # fmt: skip


def _show_extracts(session: Session, extracts: list[Held]) -> None:
    session.print(_("Extracts that hold records which change; tell those who have them:"))
    grid = table(_("Extract"), _("For whom"), _("Made"), _("Records"), numbers=[3], whole=[2])
    for held in extracts:
        made = f"{held.extract.made_at:%Y-%m-%d}" if held.extract.made_at else "–"
        grid.add_row(held.extract.extract_id, held.extract.recipient, made, number(held.records))
    session.print(grid)


def as_data(proposals: list[Proposal], changed: list[Change]) -> dict[str, Any]:
    """The same for machines."""
    rows = {delivery: one for change in changed for delivery, one in change.deliveries.items()}
    told = ("state", "rows_accepted", "rows_quarantined", "feed_version", "contract_version")
    return {
        "deliveries": [
            {
                "delivery_id": one.delivery.delivery_id,
                "before": {name: getattr(one.before, name) for name in told},
                "after": {name: getattr(one.verdict, name) for name in told},
                "rows": vars(rows[one.delivery.delivery_id]),
            }
            for one in proposals
        ],
        "tables": [
            {
                "table": change.table,
                "rows": vars(change.rows),
                "columns": change.columns,
                "withdrawn": change.withdrawn,
                "shown_again": change.shown_again,
                "extracts": [
                    {
                        "extract_id": held.extract.extract_id,
                        "recipient": held.extract.recipient,
                        "purpose": held.extract.purpose,
                        "made_at": held.extract.made_at,
                        "records": held.records,
                    }
                    for held in change.extracts
                ],
            }
            for change in changed
        ],
    }
