"""The commands `ingest` and `run`: take deliveries in, publish them, tell what became of each."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated

from pipelines.cli.declare import argument, command, day_of, flag, option
from pipelines.cli.errors import REFUSED, CommandError
from pipelines.cli.feed import require_feed
from pipelines.cli.session import Session
from pipelines.cli.verdicts import (
    as_data,
    show_account,
    show_noticed,
    show_published,
    show_questions,
    show_reasons,
    show_refused,
)
from pipelines.cli.words import _, language
from pipelines.core.i18n import mark

if TYPE_CHECKING:
    from pipelines.core.findings import Finding
    from pipelines.lake.faults import TableFault
    from pipelines.lake.publish import Publication
    from pipelines.landing.receive import Delivery
    from pipelines.validate.verdict import Verdict
    from schemas.feed import Statement
    from schemas.problem import ContractProblem

    Problem = Finding | ContractProblem

MOST_NOTICED = 10  # files; the findings of each are in `passerelle delivery show`

FeedName = Annotated[str, argument(mark("FEED"), mark("name of the feed; see “feed list”"))]
Files = Annotated[list[str], argument(mark("FILE"), mark("files as they were sent, or addresses"))]
ReceivedBy = Annotated[
    str, option("--received-by", mark("ROLE"), mark("role or account; never a private name"))
]
Received = Annotated[
    str,
    option(
        "--received",
        mark("DAY"),
        mark("day on which they came in, where their own time does not say it"),
    ),
]
IsRegister = Annotated[
    bool, flag("--register", mark("they are registers: what the book says as of a day"))
]
IsCorrection = Annotated[
    bool, flag("--correction", mark("they are corrections: later statements about some rows"))
]


@command(
    "ingest",
    mark(
        "Take delivered files in, check every row and publish what passes.\n\n"
        "The same file twice is one delivery. Rejected rows are kept aside with a code each; see "
        "“passerelle delivery show”."
    ),
    "passerelle ingest caf_gendarmerie_incidents rapport_mars.csv",
)
def ingest(
    session: Session,
    feed: FeedName,
    files: Files,
    *,
    received_by: ReceivedBy = "",
    received: Received = "",
    is_register: IsRegister = False,
    is_correction: IsCorrection = False,
) -> int:
    from pipelines.ingest.publish import note_repeated
    from pipelines.landing.receive import open_delivery
    from pipelines.ledger.chain import OPERATOR

    require_feed(feed)
    for file in files:
        _require_address(file)
    kind = kind_of(is_register, is_correction)
    # As in the inbox: which of two statements is the later one must not depend on the door.
    moment = dt.datetime.combine(day_of(received), dt.time()) if received else None
    began = dt.datetime.now(dt.UTC).replace(tzinfo=None)
    verdicts = _take(session, feed, files, received_by, moment, kind)
    again = [
        open_delivery(session.settings, one.delivery_id)
        for one in verdicts
        if one.harmonised_at < began
    ]
    for delivery in again:
        note_repeated(session.settings, delivery, by=received_by or OPERATOR)
    return finish(session, verdicts, [], again, are_answered=kind is not None)


def kind_of(is_register: bool, is_correction: bool) -> Statement | None:
    """What the two options say that a file is. Raises CommandError where both are given."""
    if is_register and is_correction:
        raise CommandError("PSL-228", _("A file is a register or a correction, not both."))
    return "register" if is_register else "correction" if is_correction else None


def _take(  # noqa: PLR0917  (the options of a command)
    session: Session,
    feed: str,
    files: list[str],
    received_by: str,
    moment: dt.datetime | None,
    kind: Statement | None,
) -> list[Verdict]:
    """Take the files in; one verdict a delivery, as a file may be named twice."""
    from pipelines.ingest.ingest import ingest as take_in
    from pipelines.ingest.ingest import write_audit_pages

    verdicts = {}
    with session.progress(_("Checking")) as advance:
        for done, file in enumerate(files):
            advance(done, len(files), file)
            try:
                verdict = take_in(
                    session.settings,
                    feed,
                    file,
                    received_by=received_by,
                    received_at=moment,
                    origin="command",
                    again=True,
                    kind=kind,
                )
            except FileNotFoundError as error:
                error.filename = error.filename or file  # an address has none
                raise
            verdicts[verdict.delivery_id] = verdict
        write_audit_pages(session.settings)
    return list(verdicts.values())


@command(
    "run",
    mark(
        "Take in everything that waits in the inbox, and publish what passes.\n\n"
        "A delivery waits as <home>/inbox/<feed>/<file>. Files that were judged before are "
        "skipped, so the command may run as often as one likes."
    ),
    "passerelle run",
)
def run(session: Session) -> int:
    verdicts, problems, again = take_inbox(session)
    if not verdicts and not problems:
        session.print_line(_("Nothing new in {place}.", place=session.settings.inbox))
    return finish(session, verdicts, problems, again)


def _require_address(file: str) -> None:
    """Raise CommandError for an address of a kind that nobody knows."""
    from upath import UPath

    try:
        UPath(file)
    except ValueError:
        message = _("“{place}” is an address of a kind that is not known here.", place=file)
        raise CommandError("PSL-209", message) from None


def take_inbox(session: Session) -> tuple[list[Verdict], list[Problem], list[Delivery]]:
    """Judge what waits; the verdicts, what could not be taken in, and what came before."""
    from pipelines.core.processes import cores
    from pipelines.ingest.inbox import ingest_inbox

    problems: list[Problem] = [*misplaced_files(session)]
    again: list[Delivery] = []
    with session.progress(_("Checking")) as advance:
        verdicts = ingest_inbox(
            session.settings,
            workers=session.settings.threads or cores(),
            on_progress=advance,
            on_problem=problems.append,
            on_repeat=again.append,
        )
    return verdicts, problems, again


def misplaced_files(session: Session) -> list[Finding]:
    """Files that wait where nothing is taken in."""
    from pipelines.core.findings import Finding
    from pipelines.landing.inbox import misplaced

    return [Finding("DEL-732", {"location": place}) for place in misplaced(session.settings)]


def finish(
    session: Session,
    verdicts: Sequence[Verdict],
    problems: Sequence[Problem],
    again: Sequence[Delivery] = (),
    *,
    are_answered: bool = False,
) -> int:
    """Publish, tell what became of each file and what is asked, and return the exit code.

    Of those that came `again` it says what stands since; `are_answered`: with what they are.
    """
    from pipelines.lake.questions import read_question
    from pipelines.lake.superseded import find_supersession

    # Also where nothing is new: what was judged before an interruption or a restore is not lost.
    has_deliveries = bool(verdicts) or session.settings.landing.exists()
    named = [verdict.delivery_id for verdict in verdicts] if are_answered else []
    published = publish_all(session, answered_ids=named) if has_deliveries else None
    about = _deliveries(session, verdicts, published)
    faults = published.faults if published else {}
    if session.is_json:
        questions = filter(None, (read_question(one.folder) for one in about))
        known = {one.delivery_id: one for one in about}
        session.print_json(
            {
                "verdicts": [as_data(one, known[one.delivery_id]) for one in verdicts],
                "problems": [{"code": p.code, "message": p.text(language())} for p in problems],
                "published": published.rows if published else {},
                "left_out": published.left_out if published else {},
                "faults": {table: one.text(language()) for table, one in faults.items()},
                "questions": [one.as_data(language()) for one in questions],
                "received_again": [
                    find_supersession(session.settings, one).as_data(language()) for one in again
                ],
            }
        )
    else:
        _tell(session, verdicts, published)
        for delivery in again:
            for line in find_supersession(session.settings, delivery).sentences(language()):
                session.print(line)
        for problem in problems:
            session.complain(problem.code, problem.text(language()), problem.correction(language()))
        for delivery_id, reason in (published.left_out if published else {}).items():
            session.complain("PSL-303", _("{name} was not published.", name=delivery_id), reason)
        tell_faults(session, faults)
        show_questions(session, about)
    is_whole = all(one.is_accepted for one in verdicts) and not faults and not problems
    return 0 if is_whole and not (published and published.left_out) else REFUSED


def tell_faults(session: Session, faults: Mapping[str, TableFault]) -> None:
    """Say which tables could not be published, and that it is no fault of any sender."""
    from pipelines.lake.faults import STANDS

    for one in faults.values():
        session.complain("PSL-411", one.text(language()), _(STANDS))


def _deliveries(
    session: Session, verdicts: Sequence[Verdict], published: Publication | None
) -> list[Delivery]:
    """Those that were judged or published just now."""
    from pipelines.landing.receive import open_delivery

    ids = {one.delivery_id for one in verdicts} | set(published.deliveries if published else ())
    return [open_delivery(session.settings, one) for one in sorted(ids)]


def publish_all(session: Session, answered_ids: Sequence[str] = ()) -> Publication:
    """Publish every judged delivery. Raises CommandError where another writer holds the lake."""
    from pipelines.ingest.publish import publish
    from pipelines.lake.errors import LakeBusyError
    from pipelines.ledger.chain import OPERATOR

    with session.progress(_("Publishing")):
        try:
            return publish(session.settings, answered_ids=answered_ids, actor=OPERATOR)
        except LakeBusyError:
            message = _("Somebody else is publishing at this moment.")
            hint = _("Wait for it to end, then: {command}", command="passerelle run")
            raise CommandError("PSL-402", message, hint) from None


def _tell(session: Session, verdicts: Sequence[Verdict], published: Publication | None) -> None:
    if verdicts:
        tell_verdicts(session, verdicts)
    show_published(session, verdicts, published)


def tell_verdicts(session: Session, verdicts: Sequence[Verdict]) -> None:
    """Say what came in, why rows were rejected, and what was noticed about files."""
    from rich.text import Text

    from pipelines.landing.receive import open_delivery
    from pipelines.validate.remarks import all_findings

    session.print(Text(_("What came in"), style="bold"))
    show_account(session, verdicts)
    session.print()
    if any(verdict.reason_counts for verdict in verdicts):
        session.print(Text(_("Why rows were rejected"), style="bold"))
        show_reasons(session, verdicts)
        session.print()
    known = [(open_delivery(session.settings, one.delivery_id), one) for one in verdicts]
    noticed = [
        (delivery, one)
        for delivery, one in known
        if one.is_accepted and all_findings(delivery.folder, one)
    ]
    refused = [(delivery, one) for delivery, one in known if not one.is_accepted]
    for title, those, show in (
        (_("What was noticed about files"), noticed[:MOST_NOTICED], show_noticed),
        (_("Files of which nothing was used"), refused, show_refused),
    ):
        if those:
            session.print(Text(title, style="bold"))
            show(session, those)
            session.print()
