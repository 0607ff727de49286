"""What of a delivery can be downloaded: its report, and for its sender the rows to correct.

Not here: the pages (`delivery_pages.py`), and what is in these files (`pipelines/validate`).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import quote

from fastapi import HTTPException, Request
from fastapi.responses import Response, StreamingResponse

from pipelines.core.duck import scratch_folder
from pipelines.lake.questions import read_question
from pipelines.landing.receive import Delivery
from pipelines.landing.report_number import number_of
from pipelines.ledger.chain import append
from pipelines.portal import words
from pipelines.portal.pages.delivery_pages import (
    Desk,
    find_delivery,
    find_verdict,
    rows_reused,
)
from pipelines.portal.scope import is_sender
from pipelines.portal.web import Person, not_found, settings_of
from pipelines.portal.words import _

REPORTS_AT_ONCE = 2
REPORT_WAIT_S = 60
BLOCK_BYTES = 1 << 16
WORKBOOK = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

_reports = threading.BoundedSemaphore(REPORTS_AT_ONCE)


def workbook(request: Request, desk: Desk, person: Person, delivery_id: str) -> Response:
    """The report on a delivery as a workbook; for others than its sender, without cells."""
    from pipelines.validate.report_file import write_report

    delivery = find_delivery(request, desk, delivery_id)
    is_for_sender = is_sender(person, delivery)
    verdict = find_verdict(delivery)
    language = words.language()

    def write(place: Path) -> None:
        write_report(
            settings_of(request), delivery, verdict, language, place, is_for_sender=is_for_sender
        )

    number = number_of(delivery_id, verdict.harmonised_at)
    answer = _written(request, write, f"{number}.xlsx", WORKBOOK)
    rows = (verdict.rows_quarantined or 0) + rows_reused(read_question(delivery.folder))
    _note(request, person, delivery, "workbook", rows)
    return answer


def bad_rows(request: Request, desk: Desk, person: Person, delivery_id: str) -> Response:
    """Just the rejected rows, in the layout that was sent, to correct and send again.

    For the sender's own accounts; with the columns that are not read only where they ask for them.
    """
    from pipelines.validate.report_rows import has_rows, rows_suffix, write_rows

    delivery = find_delivery(request, desk, delivery_id)
    verdict = find_verdict(delivery)
    with_unread = request.query_params.get("whole") == "1"
    reused = rows_reused(read_question(delivery.folder))
    has_some = has_rows(verdict, reused=reused, with_unread=with_unread)
    if not is_sender(person, delivery) or not has_some:
        not_found()

    def write(place: Path) -> None:
        write_rows(settings_of(request), delivery, place, with_unread=with_unread)

    number = number_of(delivery_id, verdict.harmonised_at)
    name = f"{number}.{_('to-correct')}{rows_suffix(delivery)}"
    try:
        answer = _written(request, write, name, "application/octet-stream")
    except ValueError:  # a column that is not read cannot be taken out of these rows
        not_found()
    form = "whole_rows" if with_unread else "rows"
    _note(request, person, delivery, form, (verdict.rows_quarantined or 0) + reused)
    return answer


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
