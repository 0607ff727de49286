"""The command `lake migrate`: tables of an older contract judged and written anew.

Not here: judging again (`pipelines/ingest`), writing the tables (`pipelines/lake/migrate.py`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from pipelines.cli.declare import command, session_of
from pipelines.cli.deliveries import known_deliveries
from pipelines.cli.delivery import agree, as_data, show_changes
from pipelines.cli.errors import CommandError
from pipelines.cli.session import Session
from pipelines.cli.words import _, number
from pipelines.core.i18n import mark
from schemas.contract import load_contract

if TYPE_CHECKING:
    from pipelines.ingest.rejudge import Change, Proposal
    from pipelines.lake.versions import Behind


@command(
    "migrate",
    mark(
        "Bring tables of an older contract up to the one of this program.\n\n"
        "The accepted deliveries are judged again from the files as they were sent, what changes "
        "is shown, and the tables are written anew; readers see the old ones until all are there. "
        "It may be stopped at any time and goes on where it was. Make a backup first."
    ),
    "passerelle lake migrate",
)
def migrate(
    context: typer.Context,
    is_agreed: Annotated[
        bool, typer.Option("--yes", help=mark("do not ask; let what comes out stand"))
    ] = False,
) -> int:
    """Migrate."""
    from pipelines.lake.versions import behind, listed_accounts, misfits

    session = session_of(context)
    found = behind(listed_accounts(session.settings))
    if not found and not misfits(session.settings):
        if session.is_json:
            session.print_json({"migrated": [], "deliveries": [], "tables": [], "done": False})
        session.print(_("All tables are of the contracts of this program."))
        return 0
    for one in found:
        words = _("{versions}, {count} deliveries", versions=one, count=number(one.deliveries))
        session.print_line(words)
    proposals, changed = _judged_again(session)
    if not session.is_json and proposals:
        show_changes(session, proposals, changed)
    is_done = is_agreed or (not session.is_json and agree(session))
    if is_done:
        _write(session, proposals, changed)
    _tell(session, found, proposals, changed, is_done=is_done)
    return 0


def _judged_again(session: Session) -> tuple[list[Proposal], list[Change]]:
    """Accepted deliveries of another version of their contract, judged by the one of today.

    Those of an earlier call that was stopped are not judged once more.
    """
    from pipelines.core.processes import cores
    from pipelines.ingest.rejudge import changes, propose

    older = [
        delivery
        for delivery, verdict in known_deliveries(session)
        if verdict is not None
        and verdict.is_accepted
        and verdict.contract_version != load_contract(verdict.table_name).version
    ]
    with session.progress(_("Checking")) as advance:
        workers = session.settings.threads or cores()
        proposals = propose(
            session.settings, older, workers=workers, keeps_order=True, on_progress=advance
        )
    return proposals, changes(session.settings, proposals)


def _write(session: Session, proposals: list[Proposal], changed: list[Change]) -> None:
    from pipelines.ingest.publish import catch_up, require_writable
    from pipelines.ingest.rejudge import let_stand
    from pipelines.lake.migrate import migrate as write_anew
    from pipelines.lake.storage import LakeBusy
    from pipelines.ledger.chain import OPERATOR

    require_writable(session.settings)
    let_stand(session.settings, proposals, changed, actor=OPERATOR)
    with session.progress(_("Publishing")) as advance:
        advance(0, 1)
        try:
            write_anew(session.settings)
        except LakeBusy:
            hint = _("Wait for it to end, then: {command}", command="passerelle lake migrate")
            raise CommandError(
                "PSL-402", _("Somebody else is publishing at this moment."), hint
            ) from None
    catch_up(session.settings, actor=OPERATOR)


def _tell(
    session: Session,
    found: list[Behind],
    proposals: list[Proposal],
    changed: list[Change],
    *,
    is_done: bool,
) -> None:
    if session.is_json:
        said = [vars(one) for one in found]
        session.print_json({"migrated": said} | as_data(proposals, changed) | {"done": is_done})
    else:
        session.print(_("Done.") if is_done else _("Nothing was changed."))
