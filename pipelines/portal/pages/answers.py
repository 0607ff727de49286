"""Say in the portal whether a delivery is a register or a correction, where that is asked."""

from __future__ import annotations

from contextlib import suppress
from typing import cast

from fastapi import Request
from fastapi.responses import Response

from pipelines.accounts.permissions import Person
from pipelines.jobs import delivery as delivery_job
from pipelines.jobs import queue
from pipelines.lake.questions import read_question
from pipelines.portal.pages.delivery_pages import Desk
from pipelines.portal.services import deliveries as known
from pipelines.portal.web.request import not_found, posted, redirect, settings_of
from schemas.feed import Statement


def answer(request: Request, desk: Desk, person: Person, delivery_id: str) -> Response:
    """Keep what somebody says that a delivery is, and set going what follows from it.

    What is not asked at this desk is not there to be answered.
    """
    from pipelines.ingest.publish import answer as keep

    settings = settings_of(request)
    delivery = known.find(settings, delivery_id, desk.scope)
    question = read_question(delivery.folder)
    if question is None or not question.is_asked(desk.asks_after):
        not_found()
    kind = posted(request).choice("kind", ("register", "correction"))
    if kind:
        keep(settings, delivery_id, cast(Statement, kind), actor=person.name)
        work = {"delivery_id": delivery_id, "answered_by": person.name}
        with suppress(queue.TooManyJobsError):  # then the next publish applies it
            queue.submit(settings, person, delivery_job.ANSWER, work)
    return redirect(f"{desk.base}/{delivery_id}")
