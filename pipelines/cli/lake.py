"""The commands `lake …`: upkeep of the published tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pipelines.cli.declare import command, flag, noun, option
from pipelines.cli.errors import REFUSED, CommandError
from pipelines.cli.rejudge import agree, as_data, show_changes
from pipelines.cli.session import Session, table
from pipelines.cli.verdicts import known_deliveries
from pipelines.cli.words import _, counted, language, number
from pipelines.core.i18n import mark
from schemas.contract import load_contract

if TYPE_CHECKING:
    from pipelines.ingest.rejudge import Change, Proposal
    from pipelines.lake.versions import Behind

KEEP_DAYS = 7.0


@command(
    "compact",
    mark("Merge small files of the tables, so that questions are answered faster."),
    "passerelle lake compact",
)
def compact(session: Session) -> None:
    from pipelines.lake.maintenance import compact as merge

    _require_published(session)
    with session.progress(_("Merging")):
        done = merge(session.settings)
    if session.is_json:
        session.print_json([vars(one) for one in done])
        return
    grid = table(_("Table"), _("Files before"), _("Files after"), numbers=[1, 2])
    for one in done:
        grid.add_row(one.table, number(one.files_before), number(one.files_after))
    session.print(grid)


@command(
    "vacuum",
    mark(
        "Delete files that no reader can still have open.\n\n"
        "It only says how many; --delete deletes them."
    ),
    "passerelle lake vacuum --delete",
)
def vacuum(
    session: Session,
    delete: Annotated[bool, flag("--delete", mark("delete, not only say"))] = False,
    keep_days: Annotated[
        float,
        option("--keep-days", mark("NUMBER"), mark("keep what was shown in these days"), min=0),
    ] = KEEP_DAYS,
) -> None:
    from pipelines.lake.maintenance import vacuum as clean

    _require_published(session)
    with session.progress(_("Looking")):
        files = clean(session.settings, keep_days=keep_days, is_dry_run=not delete)
    if session.is_json:
        session.print_json({"files": files, "deleted": delete})
    elif delete:
        session.print(_("Files deleted: {count}.", count=number(len(files))))
    else:
        session.print(_("Files that may be deleted: {count}.", count=number(len(files))))
        if files:
            kept = "" if keep_days == KEEP_DAYS else f" --keep-days {keep_days:g}"
            line = f"passerelle lake vacuum{kept} --delete"
            session.print_line(_("Delete them: {command}", command=line))


@command(
    "check",
    mark(
        "Compare the tables, their files and the deliveries with each other, and close files that "
        "are open to other accounts of this machine."
    ),
    "passerelle lake check",
)
def check(session: Session) -> int:
    from pipelines.core.ownership import close_home
    from pipelines.lake.maintenance import check as compare

    _require_published(session)
    with session.progress(_("Comparing")):
        closed = close_home(session.settings, is_whole=True)
        problems = compare(session.settings)
    if session.is_json:
        session.print_json([problem.text(language()) for problem in problems])
    elif not problems:
        session.print(_("Tables, files and deliveries agree."))
    if closed:
        one = mark("{count} file or folder was open to other accounts of this machine: closed.")
        several = mark("{count} files and folders were open to other accounts: closed.")
        session.print(counted(closed, one, several))
    for problem in problems:
        session.complain("PSL-301", problem.text(language()))
    return REFUSED if problems else 0


def _require_published(session: Session) -> None:
    """Raise CommandError while there is no catalogue."""
    if not session.settings.catalogue.is_file():
        message = _("Nothing is published yet in {place}.", place=session.settings.home)
        raise CommandError("PSL-218", message, _("Try: {command}", command="passerelle demo"))


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
    session: Session,
    is_agreed: Annotated[bool, flag("--yes", mark("do not ask; let what comes out stand"))] = False,
) -> int:
    from pipelines.lake.versions import behind, misfits, published_deliveries

    found = behind(published_deliveries(session.settings))
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
    from pipelines.lake.errors import LakeBusyError
    from pipelines.lake.migrate import migrate as write_anew
    from pipelines.ledger.chain import OPERATOR

    require_writable(session.settings)
    let_stand(session.settings, proposals, changed, actor=OPERATOR)
    with session.progress(_("Publishing")):
        try:
            write_anew(session.settings)
        except LakeBusyError:
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


NOUN = noun("lake", mark("Upkeep of the published tables."), check, compact, vacuum, migrate)
