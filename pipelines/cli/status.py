"""The command `status`: what waits, what came in of each feed and when, what is published."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipelines.cli.declare import command
from pipelines.cli.ingest import misplaced_files, tell_faults
from pipelines.cli.session import Session, table
from pipelines.cli.verdicts import known_deliveries, show_questions
from pipelines.cli.words import _, counted, language, listed, number
from pipelines.core.i18n import mark
from schemas.feed import Feed, feed_problems, load_feeds

if TYPE_CHECKING:
    from pipelines.accounts.models import User
    from pipelines.core.findings import Finding
    from pipelines.lake.versions import Behind
    from pipelines.landing.receive import Delivery
    from pipelines.validate.verdict import Verdict
    from schemas.problem import ContractProblem

GIGABYTE = 1000**3


@dataclass(frozen=True)
class FeedState:
    """Where one feed stands; times in UTC."""

    feed: str
    waiting: int
    deliveries: int
    refused: int
    rows_accepted: int
    rows_rejected: int
    last_received_at: dt.datetime | None
    last_accepted_at: dt.datetime | None
    expected_every_days: int

    @property
    def days_late(self) -> int:
        """Whole days beyond the feed's rhythm; a refused file ends no lateness."""
        from pipelines.validate.lateness import Lateness

        return Lateness(self.last_accepted_at, self.expected_every_days).days_late


@command(
    "status",
    mark("Say where things stand: what waits, what came, what is late, what is published."),
    "passerelle status",
)
def status(session: Session) -> None:
    from pipelines.core.ownership import close_home
    from pipelines.core.settings import free_bytes
    from pipelines.lake.catalogue import table_faults
    from pipelines.lake.questions import read_question
    from pipelines.lake.versions import behind, published_deliveries

    closed = close_home(session.settings)
    settings = session.settings.prepare()
    states = feed_states(session)
    published = _published_at(session)
    older = behind(published_deliveries(settings))
    problems: list[Finding | ContractProblem] = [*misplaced_files(session), *feed_problems()]
    faults = table_faults(settings)
    narrowed = _narrowed(session)
    outdated = _outdated(session)
    held = [one for one, _verdict in known_deliveries(session) if read_question(one.folder)]
    if session.is_json:
        session.print_json(
            {
                "home": str(settings.home),
                "published_at": published,
                "behind": [vars(one) | {"must_migrate": one.must_migrate} for one in older],
                "faults": {
                    table: {"message": one.text(language()), "since": one.since}
                    for table, one in faults.items()
                },
                "free_bytes": free_bytes(settings),
                "feeds": [vars(state) | {"days_late": state.days_late} for state in states],
                "outdated_extracts": outdated,
                "problems": [{"code": p.code, "message": p.text(language())} for p in problems],
                "held": [one.delivery_id for one in held],
                "narrowed": [
                    {name: getattr(user, name) for name in ("name", "organisation", "roles")}
                    for user in narrowed
                ],
            }
        )
        return
    _show(session, states)
    _show_files(session, sum(state.refused for state in states), len(outdated))
    for problem in problems:
        session.complain(problem.code, problem.text(language()), problem.correction(language()))
    show_questions(session, held)
    _show_narrowed(session, narrowed)
    _tell_older(session, older)
    tell_faults(session, faults)
    _show_home(session, published, closed)


def _show_files(session: Session, refused: int, outdated: int) -> None:
    """How many files were refused, and how many extracts are to be made again."""
    if refused:
        how = "passerelle delivery list --refused"
        session.print(_("Refused files: {count} ({command})", count=number(refused), command=how))
    if outdated:
        how = "passerelle ledger list --event extract.outdated"
        session.print(
            _(
                "Extracts to make again, as some records in them are told more coarsely now: "
                "{count} ({command})",
                count=number(outdated),
                command=how,
            )
        )


def _show_home(session: Session, published: dt.datetime | None, closed: int) -> None:
    """Where it is, what was closed to others, when it was published and what room there is."""
    from pipelines.core.settings import free_bytes

    if closed:
        one = mark("{count} file or folder was open to other accounts of this machine: closed.")
        several = mark("{count} files and folders were open to other accounts: closed.")
        session.print(counted(closed, one, several))
    session.print_line(_("Home: {place}", place=session.settings.home))
    when = f"{published:%Y-%m-%d %H:%M} UTC" if published else _("never")
    session.print(_("Last published: {when}", when=when))
    session.print(
        _("Room on the disk: {count} GB", count=number(free_bytes(session.settings) // GIGABYTE))
    )


def _narrowed(session: Session) -> list[User]:
    """Who lost the feeds of other organisations; nobody where there is no ledger to ask yet."""
    from pipelines.accounts.people import narrowed_users
    from pipelines.ledger.database import sqlite_file

    file = sqlite_file(session.settings)
    return narrowed_users(session.settings) if file is None or file.is_file() else []


def _show_narrowed(session: Session, narrowed: list[User]) -> None:
    for user in narrowed:
        message = _(
            "{name} ({roles}) saw every organisation and now sees only what is of {organisation}.",
            name=user.name,
            roles=listed(user.roles),
            organisation=user.organisation,
        )
        feeds = f"passerelle user set-feeds {user.name} --feed …"
        none = f"passerelle user set-feeds {user.name} --none"
        hint = _("Grant it feeds, or confirm: {feeds}, {none}", feeds=feeds, none=none)
        session.complain("ACC-151", message, hint)


def _outdated(session: Session) -> list[str]:
    """The extracts whose holders need a new one."""
    if not session.settings.release_groups.is_dir():
        return []
    from pipelines.release.disclosure.outdated import outdated_extracts

    return [one.extract_id for one in outdated_extracts(session.settings)]


def _tell_older(session: Session, older: list[Behind]) -> None:
    """Say which tables are of an older contract, and what to do about it."""
    from pipelines.lake.errors import LakeOutdatedError

    if must := [str(one) for one in older if one.must_migrate]:
        session.complain(*LakeOutdatedError(tables=", ".join(must)).said(language())[0])
    elif older:
        tables = ", ".join(f"{one} ({number(one.deliveries)})" for one in older)
        session.print(_("Judged by an older contract: {tables}", tables=tables))
        command_line = "passerelle lake migrate"
        session.print_line(_("Bring them up to today’s: {command}", command=command_line))


def feed_states(session: Session) -> list[FeedState]:
    """The state of each declared feed."""
    from pipelines.landing.inbox import delivery_id_of, fingerprint, inbox_files

    pairs = known_deliveries(session)
    judged = {delivery.delivery_id for delivery, verdict in pairs if verdict}
    waiting = [
        one.feed
        for one in inbox_files(session.settings)
        if delivery_id_of(one.feed, fingerprint(one.file)) not in judged
    ]
    return [_state(feed, pairs, waiting.count(feed.feed)) for feed in load_feeds()]


def _state(feed: Feed, pairs: list[tuple[Delivery, Verdict | None]], waiting: int) -> FeedState:
    mine = [(delivery, verdict) for delivery, verdict in pairs if delivery.feed == feed.feed]
    verdicts = [verdict for _delivery, verdict in mine if verdict]
    accepted = [verdict for verdict in verdicts if verdict.is_accepted]
    return FeedState(
        feed=feed.feed,
        waiting=waiting,
        deliveries=len(mine),
        refused=len(verdicts) - len(accepted),
        rows_accepted=sum(verdict.rows_accepted or 0 for verdict in accepted),
        rows_rejected=sum(verdict.rows_quarantined or 0 for verdict in accepted),
        last_received_at=max((d.receipt.received_at for d, _verdict in mine), default=None),
        last_accepted_at=max(
            (d.receipt.received_at for d, verdict in mine if verdict and verdict.is_accepted),
            default=None,
        ),
        expected_every_days=feed.expected_every_days,
    )


def _show(session: Session, states: list[FeedState]) -> None:
    from rich.text import Text

    grid = table(
        _("Feed"),
        _("Waiting"),
        _("Files"),
        _("Accepted"),
        _("Rejected"),
        _("Last"),
        _("Late"),
        numbers=[1, 2, 3, 4, 6],
        whole=[5],
    )
    for state in states:
        counts = (state.waiting, state.deliveries, state.rows_accepted, state.rows_rejected)
        # Of the last that was accepted, so that both columns tell of the same file.
        last = f"{state.last_accepted_at:%Y-%m-%d}" if state.last_accepted_at else "–"
        late = _("{days} d", days=state.days_late) if state.days_late else ""
        grid.add_row(state.feed, *(number(count) for count in counts), last, Text(late, "yellow"))
    session.print(grid)
    session.print()


def _published_at(session: Session) -> dt.datetime | None:
    catalogue = session.settings.catalogue
    if not catalogue.is_file():
        return None
    return dt.datetime.fromtimestamp(catalogue.stat().st_mtime, dt.UTC)
