"""Files that a request fetches: the report on a delivery, its rows to correct, an extract."""

from __future__ import annotations

import datetime as dt
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import quote

from fastapi import HTTPException, Request
from fastapi.responses import FileResponse, Response, StreamingResponse

from pipelines.accounts.permissions import Person
from pipelines.core import clock
from pipelines.core.duck import scratch_folder
from pipelines.core.settings import Settings
from pipelines.jobs.queue import JobView
from pipelines.lake.questions import read_question
from pipelines.landing.receive import Delivery
from pipelines.landing.report_number import number_of
from pipelines.ledger.chain import append, entries
from pipelines.portal import words
from pipelines.portal.services import deliveries
from pipelines.portal.services import extracts as services
from pipelines.portal.services.scope import is_sender
from pipelines.portal.web.access import not_found
from pipelines.portal.web.request import settings_of
from pipelines.portal.words import _
from pipelines.validate.verdict import Verdict

REPORTS_AT_ONCE = 2
REPORT_WAIT_S = 60
BLOCK_BYTES = 1 << 16
EXTRACT_BLOCK_BYTES = 512 * 1024
RESUMED_WITHIN = dt.timedelta(days=1)
WORKBOOK = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

_reports = threading.BoundedSemaphore(REPORTS_AT_ONCE)


def report(request: Request, person: Person, delivery: Delivery) -> Response:
    """The report on a delivery as a workbook; for others than its sender, without cells."""
    from pipelines.validate.report_file import write_report

    is_for_sender = is_sender(person, delivery)
    verdict = _verdict(delivery)
    language = words.language()

    def write(place: Path) -> None:
        write_report(
            settings_of(request), delivery, verdict, language, place, is_for_sender=is_for_sender
        )

    number = number_of(delivery.delivery_id, verdict.harmonised_at)
    answer = _written(request, write, f"{number}.xlsx", WORKBOOK)
    rows = (verdict.rows_quarantined or 0) + deliveries.rows_reused(read_question(delivery.folder))
    _note(request, person, delivery, "workbook", rows)
    return answer


def rows_to_correct(request: Request, person: Person, delivery: Delivery) -> Response:
    """Just the rejected rows, in the layout that was sent, to correct and send again.

    For the sender's own accounts; with the columns that are not read only where they ask for them.
    """
    from pipelines.validate.report_rows import has_rows, rows_suffix, write_rows

    verdict = _verdict(delivery)
    with_unread = request.query_params.get("whole") == "1"
    reused = deliveries.rows_reused(read_question(delivery.folder))
    has_some = has_rows(verdict, reused=reused, with_unread=with_unread)
    if not is_sender(person, delivery) or not has_some:
        not_found()

    def write(place: Path) -> None:
        write_rows(settings_of(request), delivery, place, with_unread=with_unread)

    number = number_of(delivery.delivery_id, verdict.harmonised_at)
    name = f"{number}.{_('to-correct')}{rows_suffix(delivery)}"
    try:
        answer = _written(request, write, name, "application/octet-stream")
    except ValueError:  # a column that is not read cannot be taken out of these rows
        not_found()
    form = "whole_rows" if with_unread else "rows"
    _note(request, person, delivery, form, (verdict.rows_quarantined or 0) + reused)
    return answer


def _verdict(delivery: Delivery) -> Verdict:
    verdict = deliveries.verdict_of(delivery)
    if verdict is None:
        not_found()
    return verdict


def _note(request: Request, person: Person, delivery: Delivery, form: str, rows: int) -> None:
    """Write down who takes the cells of a delivery; nothing is sent where that fails."""
    append(
        settings_of(request),
        "rejections.downloaded",
        actor=person.name,
        organisation=person.organisation,
        subject=delivery.delivery_id,
        details={"form": form, "rows": rows},
    )


def _written(
    request: Request, write: Callable[[Path], None], name: str, kind: str
) -> StreamingResponse:
    """A file made for this answer alone: it is gone once it is sent, or the reader is."""
    if not _reports.acquire(timeout=REPORT_WAIT_S):
        raise HTTPException(503)
    stack = ExitStack()
    try:
        folder = stack.enter_context(scratch_folder(settings_of(request), "answer"))
        place = folder / f"file{Path(name).suffix}"
        write(place)
        length = place.stat().st_size
    except BaseException:
        stack.close()
        raise
    finally:
        _reports.release()

    def blocks() -> Iterator[bytes]:
        with stack, place.open("rb") as stream:
            while block := stream.read(BLOCK_BYTES):
                yield block

    headers = {
        "Content-Length": str(length),
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(name)}",
    }
    return StreamingResponse(blocks(), media_type=kind, headers=headers)


class Download(FileResponse):
    """A file in larger pieces: each costs a turn of a thread, and fifty may be on their way."""

    chunk_size = EXTRACT_BLOCK_BYTES


def extract_file(request: Request, job: JobView, person: Person) -> Response:
    """The finished file of a job, whole or from where a broken download stopped."""
    settings = settings_of(request)
    place = services.file_of(settings, job)
    if place is None or services.closed(settings, job):
        not_found()
    if _is_start(request) or not _has_started(settings, job, person):
        append(
            settings,
            "extract.downloaded",
            actor=person.name,
            organisation=person.organisation,
            subject=str(job.result["extract_id"]),
            details={"sha256": job.result["sha256"], "job": job.id[:6]},
        )
    return Download(
        place,
        media_type="application/zip",
        filename=place.name,
        headers={"ETag": f'"{job.result["sha256"]}"', "Cache-Control": "private, no-store"},
    )


def _is_start(request: Request) -> bool:
    """True where the first byte is asked for: a download begins; others go on with one."""
    ranges = request.headers.get("range", "")
    return not ranges or re.search(r"[=,]\s*0*-\d|[=,]\s*0+\s*-", ranges) is not None


def _has_started(settings: Settings, job: JobView, person: Person) -> bool:
    """Was the beginning of this download written down already, not long ago?"""
    found = entries(
        settings,
        events=["extract.downloaded"],
        subject=str(job.result["extract_id"]),
        actor=person.name,
        since=clock.now() - RESUMED_WITHIN,
        size=1,
    )
    return bool(found.entries)
