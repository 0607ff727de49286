"""The queue of work that a person sets going: put in, look up, list, take back, let old results go.

The queue is a table of the database, so it outlives the portal and several portals share it. A
worker is a named place, held by one process at a time; a job found running under the name of a
place that was just taken over was cut short, and begins again once.
"""

from __future__ import annotations

import datetime as dt
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from pipelines.accounts.models import Job
from pipelines.accounts.permissions import Person
from pipelines.core import clock
from pipelines.core.errors import CodedError, declare
from pipelines.core.i18n import mark, translator
from pipelines.core.settings import Settings
from pipelines.ledger.database import readings, sessions, troubles
from schemas.text import Language

ACTIVE = ("queued", "running")
MOST_OF_ONE = {"extract": 3, "delivery": 30}  # a day's files are sent one after the other
MOST_OF_ALL = 200
MOST_ATTEMPTS = 2
KEPT = dt.timedelta(days=14)
SILENCE = dt.timedelta(minutes=10)  # a worker says every few seconds that it is alive
CANCELLED, INTERRUPTED, BROKEN, NO_ROOM = "cancelled", "interrupted", "broken", "no_room"
FAULTS = {
    CANCELLED: mark("You stopped this."),
    INTERRUPTED: mark("The work was cut short twice. Ask again; if it stops again, ask for less."),
    BROKEN: mark("Something went wrong with us, not with you. It was noted; try again later."),
    NO_ROOM: mark(
        "Our disk is full or cannot be written, so nothing was kept of it. Tell whoever runs this "
        "portal, and ask again later."
    ),
}
CODES = {INTERRUPTED: "JOB-101", BROKEN: "JOB-102", NO_ROOM: "JOB-103"}
declare(
    {
        **{code: FAULTS[fault] for fault, code in CODES.items()},
        "JOB-104": mark("Too much is waiting just now. Ask again in some minutes."),
        "JOB-104 own": mark(
            "You already have {count} pieces of work waiting. Ask again when one is done."
        ),
    }
)


class TooManyJobsError(CodedError):
    """There is no room for one more: too many of all wait, or of one's own."""

    kind_status, api_code = 429, "WEB-429"


@dataclass(frozen=True)
class JobView:
    """A job as its owner sees it; `percent` is None where nobody can say."""

    id: str
    kind: str
    state: str
    owner: str
    organisation: str
    request: dict[str, Any]
    result: dict[str, Any]
    percent: int | None
    created_at: dt.datetime
    updated_at: dt.datetime

    @property
    def is_active(self) -> bool:
        """True while something may still happen."""
        return self.state in ACTIVE

    @property
    def stage(self) -> str:
        """What is being done now, a word of the worker's."""
        return str(self.result.get("stage", "")) if self.is_active else ""

    @property
    def expires_at(self) -> dt.datetime:
        """Until when its result may be fetched."""
        return self.updated_at + KEPT

    @property
    def is_expired(self) -> bool:
        """True where its result may no longer be fetched."""
        return self.state == "done" and clock.now() >= self.expires_at

    @property
    def code(self) -> str:
        """The code of why it failed, to be told to whoever is asked for help; empty without one."""
        if self.state != "failed":
            return ""
        fault = str(self.result.get("fault", ""))
        return str(self.result.get("code") or CODES.get(fault, ""))

    def fault(self, language: Language) -> str:
        """Why it failed, in a sentence; empty where it did not."""
        if self.state != "failed":
            return ""
        if words := self.result.get("refusal"):
            return str(words.get(language) or words.get("en"))
        said = FAULTS.get(str(self.result.get("fault")), FAULTS[BROKEN])
        return translator(language)(said)


def submit(settings: Settings, person: Person, kind: str, request: Mapping[str, Any]) -> str:
    """Put work into the queue; returns its id. Raises TooManyJobsError, LedgerError."""
    with troubles(), sessions(settings).begin() as session:
        waiting = sa.select(sa.func.count()).select_from(Job).where(Job.state.in_(ACTIVE))
        own = waiting.where(Job.owner == person.user_id, Job.kind == kind)
        mine = session.scalar(own) or 0
        if mine >= MOST_OF_ONE.get(kind, 1):
            raise TooManyJobsError("JOB-104", "own", count=mine)
        if (session.scalar(waiting) or 0) >= MOST_OF_ALL:
            raise TooManyJobsError("JOB-104")
        job = Job(
            kind=kind,
            state="queued",
            owner=person.user_id,
            organisation=person.organisation,
            request=dict(request),
        )
        session.add(job)
        session.flush()
        return job.id


def job_of(
    settings: Settings, job_id: str, person: Person, kind: str | None = None
) -> JobView | None:
    """The job, for its owner and colleagues; None alike where it is absent or somebody else's."""
    with troubles(), readings(settings)() as session:
        job = session.get(Job, job_id[:40])
        if job is None or job.organisation != person.organisation or job.kind != (kind or job.kind):
            return None
        return _view(job)


def jobs_of(
    settings: Settings, person: Person, kind: str, page: int = 1, size: int = 20
) -> tuple[list[JobView], int]:
    """A person's own work of a kind, newest first, and how much there is in all."""
    chosen = sa.and_(
        Job.owner == person.user_id, Job.organisation == person.organisation, Job.kind == kind
    )
    with troubles(), readings(settings)() as session:
        total = session.scalar(sa.select(sa.func.count()).select_from(Job).where(chosen)) or 0
        found = session.scalars(
            sa.select(Job)
            .where(chosen)
            .order_by(Job.created_at.desc(), Job.id)
            .limit(size)
            .offset((max(page, 1) - 1) * size)
        )
        return [_view(job) for job in found], total


def cancel(settings: Settings, job_id: str, person: Person) -> bool:
    """Stop a person's own work; a running worker notices within seconds. False where too late."""
    with troubles(), sessions(settings).begin() as session:
        return _changed(
            session,
            sa.update(Job)
            .where(Job.id == job_id[:40], Job.owner == person.user_id, Job.kind != "delivery")
            .where(Job.state.in_(ACTIVE))
            .values(state="failed", result={"fault": CANCELLED}),
        )


def place_name(slot: int) -> str:
    """The name of a worker's place on this machine."""
    return f"{socket.gethostname()[:60]}/{slot}"


def claim(settings: Settings, place: str, first: str = "") -> JobView | None:
    """Take the oldest waiting job, of the kind `first` before others; None where there is none."""
    oldest = (
        sa.select(Job.id)
        .where(Job.state == "queued")
        .order_by(sa.case((Job.kind == first, 0), else_=1), Job.created_at)
        .limit(1)
    )
    with troubles():
        with readings(settings)() as session:  # does not wait for a writer, and makes none wait
            job_id = session.scalar(oldest)
        if job_id is None:
            return None
        with sessions(settings).begin() as session:
            is_ours = _changed(
                session,
                sa.update(Job)
                .where(Job.id == job_id, Job.state == "queued")
                .values(state="running", worker=place, attempts=Job.attempts + 1, done=0, total=0),
            )
            job = session.get(Job, job_id) if is_ours else None
            return _view(job) if job else None


def tell(
    settings: Settings, job_id: str, place: str, stage: str, *, done: int = 0, total: int = 0
) -> bool:
    """Say how far the work is, and that it goes on; False where it is no longer wanted."""
    with troubles(), sessions(settings).begin() as session:
        return _changed(
            session,
            sa.update(Job)
            .where(Job.id == job_id, Job.state == "running", Job.worker == place)
            .values(result={"stage": stage}, done=done, total=total, updated_at=clock.now()),
        )


def finish(
    settings: Settings, job_id: str, place: str, state: str, result: Mapping[str, Any]
) -> bool:
    """Write the end of the work down; False where somebody else ended it before."""
    with troubles(), sessions(settings).begin() as session:
        return _changed(
            session,
            sa.update(Job)
            .where(Job.id == job_id, Job.state == "running", Job.worker == place)
            .values(state=state, result=dict(result), updated_at=clock.now()),
        )


def give_back(settings: Settings, job_id: str, place: str) -> None:
    """Put a job back that its worker was told to leave; it does not count as an attempt."""
    with troubles(), sessions(settings).begin() as session:
        session.execute(
            sa.update(Job)
            .where(Job.id == job_id, Job.state == "running", Job.worker == place)
            .values(state="queued", attempts=Job.attempts - 1, worker="", result=None)
        )


def requeue(settings: Settings, place: str = "") -> int:
    """What was cut short begins again, or fails the second time; returns how many there were.

    Called by who has just taken `place`: whatever runs under that name runs no more. Without a
    place: what no worker has spoken of for a long time, wherever it was.
    """
    cut = sa.and_(Job.state == "running")
    cut &= Job.worker == place if place else Job.updated_at < clock.now() - SILENCE
    with troubles(), sessions(settings).begin() as session:
        given_up = session.execute(
            sa.update(Job)
            .where(cut, Job.attempts >= MOST_ATTEMPTS)
            .values(state="failed", result={"fault": INTERRUPTED})
        )
        again = session.execute(
            sa.update(Job).where(cut).values(state="queued", worker="", result=None)
        )
        return _count(given_up) + _count(again)


def let_go(settings: Settings) -> int:
    """Remove the files of results that expired and that no newer job shows; returns how many."""
    horizon = clock.now() - KEPT
    done = sa.select(Job.result).where(Job.kind == "extract", Job.state == "done")
    with troubles(), readings(settings)() as session:
        old = {str((r or {}).get("file")) for r in session.scalars(done.where(_is_old(horizon)))}
        kept = {str((r or {}).get("file")) for r in session.scalars(done.where(~_is_old(horizon)))}
    removed = 0
    for name in old - kept - {"None"}:
        file = settings.releases / name
        is_newer = file.is_file() and file.stat().st_mtime > horizon.timestamp()
        if file.is_file() and not is_newer and file.parent == settings.releases:
            file.unlink(missing_ok=True)
            removed += 1
    return removed


def _is_old(horizon: dt.datetime) -> sa.ColumnElement[bool]:
    return Job.updated_at < horizon


def _changed(session: sa.orm.Session, statement: sa.Update) -> bool:
    return _count(session.execute(statement)) == 1


def _count(done: sa.Result[Any]) -> int:
    return int(getattr(done, "rowcount", 0))


def _view(job: Job) -> JobView:
    return JobView(
        id=job.id,
        kind=job.kind,
        state=job.state,
        owner=job.owner,
        organisation=job.organisation,
        request=dict(job.request or {}),
        result=dict(job.result or {}),
        percent=min(100, round(100 * job.done / job.total)) if job.total else None,
        created_at=job.created_at,
        updated_at=job.updated_at,
    )
