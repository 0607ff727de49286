"""A process that does the queue’s work, one job after another; started by `supervisor.py`.

Only one process holds a place. It ends with the job in hand when its portal is gone; a job that
is cut short with it is taken up by the next holder of the place.
"""

from __future__ import annotations

import errno
import importlib
import logging
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Mapping
from contextlib import suppress
from types import FrameType
from typing import Any

from pipelines.core.errors import coded
from pipelines.core.settings import Settings, current_settings
from pipelines.jobs import delivery, extract
from pipelines.jobs.queue import (
    BROKEN,
    NO_ROOM,
    JobView,
    claim,
    finish,
    give_back,
    let_go,
    place_name,
    requeue,
    tell,
)
from pipelines.ledger.errors import LedgerError
from schemas.problem import ContractError
from schemas.text import LANGUAGES

PAUSE_S = 0.4
HEARTBEAT_S = 3.0
TELL_EVERY_S = 0.5
TIDY_EVERY_S = 600.0
DATABASE_PAUSE_S = 5.0
PLACE_TAKEN = 75
UNWANTED = 76
JOBS_OF_ONE_PROCESS = 100  # then a new one: memory that a library keeps is given back
DISK = {
    *(errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES, errno.EPERM),
    *(errno.EIO, errno.ENOTDIR, errno.EEXIST),
}
DISK_OF_DUCKDB = "no space left on device"
FIRST_KIND = {0: "delivery"}  # one place looks at deliveries first: their senders wait at the page

Tell = Callable[..., None]
Work = Callable[[Settings, JobView, Tell], Mapping[str, Any]]
log = logging.getLogger("passerelle")


class JobCancelledError(Exception):
    """Somebody stopped the job."""


WORK: dict[str, Work] = {
    extract.KIND: extract.make,
    delivery.KIND: lambda settings, job, _told: delivery.take_in(settings, job.request),
    delivery.ANSWER: lambda settings, job, _told: delivery.apply_answer(settings, job.request),
}


def run_next(
    settings: Settings,
    place: str,
    first: str = "",
    *,
    work: Mapping[str, Work] = WORK,
    if_unwanted: Callable[[], None] = lambda: None,
) -> bool:
    """Do the next job, if there is one; its end is in its row, whatever happens."""
    job = claim(settings, place, first)
    if job is None:
        return False
    progress = _Progress(settings, job, place, if_unwanted)
    try:
        with progress:
            result = work[job.kind](settings, job, progress.told)
    except JobCancelledError:
        return True
    except SystemExit:
        give_back(settings, job.id, place)
        raise
    except Exception as error:
        finish(settings, job.id, place, "failed", _fault(job, error))
        return True
    finish(settings, job.id, place, "done", result)
    return True


def _fault(job: JobView, error: Exception) -> dict[str, Any]:
    """What is kept of an error: its sentences where it has some, never its own text."""
    told = coded(error)
    if told and not told.is_ours:
        said = {one: f"{told.text(one)} {told.hint(one)}".strip() for one in LANGUAGES}
        return {"refusal": said, "code": told.code}
    if isinstance(error, ContractError):  # it names files and lines of ours, and no value
        log.error("job %s… (%s) failed: %s", job.id[:6], job.kind, error)
        return {"fault": BROKEN}
    where = traceback.extract_tb(error.__traceback__)[-1]
    log.error(
        "job %s… (%s) failed: %s at %s:%s",
        *(job.id[:6], job.kind, type(error).__name__, where.filename, where.lineno),
    )
    return {"fault": NO_ROOM if _is_of_the_disk(error) else BROKEN}


def _is_of_the_disk(error: Exception) -> bool:
    if isinstance(error, OSError) and error.errno in DISK:
        return True
    return DISK_OF_DUCKDB in str(error).lower()


class _Progress:
    """Says how far a job is, and every few seconds that it goes on; learns that it is unwanted."""

    def __init__(
        self, settings: Settings, job: JobView, place: str, if_unwanted: Callable[[], None]
    ) -> None:
        self.settings, self.job, self.place, self.if_unwanted = settings, job, place, if_unwanted
        self.stage, self.done, self.total = "", 0, 0
        self.told_at = 0.0
        self.ended = threading.Event()
        self.beating = threading.Thread(target=self._beat, daemon=True)

    def __enter__(self) -> _Progress:
        self.beating.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self.ended.set()
        self.beating.join()

    def told(self, stage: str, done: int = 0, total: int = 0) -> None:
        """The work is at `stage`, `done` of `total` parts of it. Raises JobCancelled."""
        is_new = stage != self.stage
        self.stage, self.done, self.total = stage, done, total
        if is_new or time.monotonic() - self.told_at > TELL_EVERY_S:
            self.told_at = time.monotonic()
            if not self._tell():
                raise JobCancelledError

    def _tell(self) -> bool:
        return tell(
            *(self.settings, self.job.id, self.place, self.stage), done=self.done, total=self.total
        )

    def _beat(self) -> None:
        while not self.ended.wait(HEARTBEAT_S):
            with suppress(LedgerError):  # the database may be away for a moment
                if not self._tell():
                    self.if_unwanted()
                    return


def serve(settings: Settings, slot: int) -> int:
    """Work until the portal that started this process is gone; returns how the process ends."""
    from filelock import FileLock, Timeout

    place, portal = place_name(slot), os.getppid()
    locks = settings.home / "jobs"
    locks.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(locks / f"worker-{slot}.lock", timeout=0):
            requeue(settings, place)
            _work_on(settings, place, slot, portal)
    except Timeout:
        return PLACE_TAKEN
    return 0


def _work_on(settings: Settings, place: str, slot: int, portal: int) -> None:
    count, tidied, is_ready = 0, time.monotonic(), False
    while os.getppid() == portal and count < JOBS_OF_ONE_PROCESS:
        try:
            if run_next(settings, place, FIRST_KIND.get(slot, ""), if_unwanted=_leave):
                count += 1
                continue
            if not is_ready:
                _make_ready()
                is_ready = True
            if time.monotonic() - tidied > TIDY_EVERY_S:
                tidied = time.monotonic()
                requeue(settings)
                let_go(settings)
        except LedgerError as error:
            log.error("the queue of work is out of reach: %s", error)
            time.sleep(DATABASE_PAUSE_S)
        time.sleep(PAUSE_S)


def _make_ready() -> None:
    """Import what the first job would wait for."""
    from pipelines.ingest.ingest import HEAVY_MODULES

    for module in (*HEAVY_MODULES, "pipelines.release.extract"):
        with suppress(ImportError):
            importlib.import_module(module)


def _leave() -> None:
    # What was half made is only in scratch; the supervisor starts another process at once.
    os._exit(UNWANTED)


def _told_to_end(_signal: int, _frame: FrameType | None) -> None:
    raise SystemExit(0)


def main() -> int:
    """The process; its one argument is the number of its place."""
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    log.setLevel(logging.INFO)  # ours; libraries tell much that nobody needs
    signal.signal(signal.SIGTERM, _told_to_end)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches us too; the portal ends us
    return serve(current_settings().prepare(), int(sys.argv[1]))


if __name__ == "__main__":
    sys.exit(main())
