"""Say in the portal whether a delivery is a register or a correction, where that is asked.

Not here: the page that asks (`delivery_pages.py`), what is asked (`lake/questions.py`).
"""

from __future__ import annotations

from contextlib import suppress
from typing import cast

from fastapi import Request
from fastapi.responses import Response

from pipelines.lake.questions import read_question
from pipelines.portal import deliveries as known
from pipelines.portal import jobs, upload_job
from pipelines.portal.forms import posted
from pipelines.portal.pages.delivery_pages import Desk
from pipelines.portal.web import Person, not_found, redirect, settings_of
from schemas.feed import Statement


def answer(request: Request, desk: Desk, person: Person, delivery_id: str) -> Response:
    """Keep what somebody says that a delivery is, and set going what follows from it.

    What is not asked at this desk is not there to be answered.
    """
    from pipelines.ingest.publish import answer as keep

    settings = settings_of(request)
    try:
        delivery = known.find(settings, delivery_id, desk.scope)
    except KeyError:
        not_found()
    question = read_question(delivery.folder)
    if question is None or not question.is_asked(desk.asks_after):
        not_found()
    kind = posted(request).choice("kind", ("register", "correction"))
    if kind:
        keep(settings, delivery_id, cast(Statement, kind), actor=person.name)
        work = {"delivery_id": delivery_id, "answered_by": person.name}
        with suppress(jobs.TooManyJobs):  # then the next publish applies it
            jobs.submit(settings, person, upload_job.ANSWER, work)
    return redirect(f"{desk.base}/{delivery_id}")
