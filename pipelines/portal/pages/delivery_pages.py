"""What the provider's and the data specialist's pages of deliveries have in common.

A desk is one of the two ways in: its address, the deliveries that it opens, and whether the cells
that were sent are shown. A delivery that is absent and one that is somebody else's give the same
answer.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import cast
from urllib.parse import urlencode, urlsplit

from fastapi import APIRouter, Depends, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import HTMLResponse, Response

from pipelines.accounts.permissions import Person
from pipelines.jobs import delivery as delivery_job
from pipelines.jobs import queue
from pipelines.lake.catalogue import table_faults
from pipelines.lake.questions import read_question
from pipelines.landing.answers import read_answer
from pipelines.landing.receive import Delivery
from pipelines.portal import words
from pipelines.portal.configuration import LOOPBACK_NAMES
from pipelines.portal.forms import Form
from pipelines.portal.services import deliveries as known
from pipelines.portal.services.delivery_upload import hand_over
from pipelines.portal.services.scope import Scope, is_sender
from pipelines.portal.services.upload_errors import UploadError
from pipelines.portal.web import downloads
from pipelines.portal.web.access import allowed, not_found
from pipelines.portal.web.addresses import redirect, url
from pipelines.portal.web.page import may_renew, page, renewed
from pipelines.portal.web.request import configuration_of, posted, query_form, settings_of, speak
from pipelines.portal.web.uploads import NO_OTHER_LIMIT
from pipelines.portal.web.uploads import take as take_upload
from pipelines.portal.words import _
from pipelines.validate.remarks import all_findings
from schemas.contract import all_rules
from schemas.feed import Feed, Statement, load_feed

STILL_FRESH = dt.timedelta(minutes=10)  # so long a page of a delivery looks again by itself


@dataclass(frozen=True)
class Desk:
    """One way in: where its pages are, which deliveries it opens, whether it shows their cells.

    `asks_after`: what is asked about a delivery is asked here so long after it was asked first.
    """

    base: str
    scope: Scope
    shows_cells: bool
    asks_after: dt.timedelta = dt.timedelta(0)

    def choices(self) -> list[tuple[str, str]]:
        """The feeds of this desk for a list to choose from, in the reader's words."""
        language = words.language()
        found = [(name, load_feed(name).title[language]) for name in self.scope.feeds]
        return sorted(found, key=lambda one: one[1].casefold())


@dataclass(frozen=True)
class Actions:
    """What somebody must be allowed to do to send a file, to read of deliveries, of rejections."""

    upload: str
    read: str
    rejections: str


def state_words(state: str, to_correct: int | None = 0) -> tuple[str, str]:
    """The kind of badge and the word for the state of a delivery."""
    if state == "accepted" and to_correct:
        return "warn", _("accepted in part")
    return {
        "waiting": ("busy", _("being checked")),
        "accepted": ("good", _("accepted")),
        "held": ("warn", _("held in part")),
        "refused": ("bad", _("refused")),
    }[state]


def listing(request: Request, desk: Desk) -> HTMLResponse:
    """The deliveries of a desk, with its filters and pages."""
    form = query_form(request)
    choice = filters(form, desk.scope)
    number = form.integer("page", least=1, most=1_000_000, otherwise=1) or 1
    found = known.list_deliveries(settings_of(request), choice, number)
    return page(
        request,
        "provider/deliveries.html",
        status=200 if form.is_good else 422,
        desk=desk,
        form=form,
        found=found,
        feeds=desk.choices(),
        titles=dict(desk.choices()),
        states=[(state, state_words(state)[1]) for state in known.STATES],
        state_words=state_words,
        is_filtered=any(form.value(name) for name in ("feed", "state", "since", "until")),
    )


def filters(form: Form, scope: Scope) -> known.DeliveryFilter:
    """What a list is narrowed to; what cannot be read is said beside its field and left out."""
    feed = form.choice("feed", scope.feeds, required=False)
    state = form.choice("state", known.STATES, required=False)
    since, until = form.period("since", "until")
    return known.DeliveryFilter(
        scope, feed, state, since, None if "until" in form.errors else until
    )


def upload_page(
    request: Request, desk: Desk, form: Form | None = None, status: int = 200
) -> HTMLResponse:
    """The form that sends a file."""
    form = form or query_form(request)
    return page(
        request,
        "provider/new.html",
        status=status,
        desk=desk,
        form=form,
        feeds=desk.choices(),
        declared=[load_feed(name) for name, _title in desk.choices()],
        limit=words.size(settings_of(request).largest_delivery_bytes),
    )


async def take(request: Request, desk: Desk, person: Person) -> Response:
    """Take a file in and set its judging going; leads to its progress, or says what is wrong."""
    settings = settings_of(request)

    def admit(fields: dict[str, str]) -> None:
        if fields.get("feed", "") not in desk.scope.feeds:
            raise UploadError("not_permitted", fields)

    try:
        upload = await take_upload(request, settings, person, admit)
    except UploadError as refused:
        return _refused(request, desk, refused)
    try:
        feed = upload.fields["feed"]
        sent = await run_in_threadpool(hand_over, settings, person, feed, upload)
    except queue.TooManyJobsError as full:
        form = _typed(upload.fields)
        form.fail("file", full.text(words.language()))
        return upload_page(request, desk, form, 429)
    if sent.job_id:
        return redirect(f"{desk.base}/jobs/{sent.job_id}")
    return redirect(url(f"{desk.base}/{sent.delivery_id}", known=1))


def _typed(fields: dict[str, str]) -> Form:
    return Form({name: [value] for name, value in fields.items()})


def _refused(request: Request, desk: Desk, refused: UploadError) -> Response:
    form = _typed(refused.fields)
    name = "feed" if refused.case == "not_permitted" else "file"
    form.fail(name, refused.text(words.language()))
    return upload_page(request, desk, form, refused.http_status)


def progress(request: Request, desk: Desk, person: Person, job_id: str) -> Response:
    """How far the judging of an upload is; on to the delivery as soon as there is a verdict."""
    settings = settings_of(request)
    job = queue.job_of(settings, job_id, person, delivery_job.KIND)
    if job is None:
        not_found()
    delivery_id = str(job.request.get("delivery_id", ""))
    if job.state == "done":
        query = {"known": 1} if job.result.get("is_known") else {}
        return redirect(url(f"{desk.base}/{delivery_id}", **query))
    if job.state == "running" and delivery_job.is_judged_since(settings, job.request):
        return redirect(url(f"{desk.base}/{delivery_id}"))
    renews = job.is_active and may_renew(request)
    shown = page(
        request,
        "provider/progress.html",
        desk=desk,
        job=job,
        renews=renews,
        fault=job.fault(words.language()),
        feed=load_feed(str(job.request["feed"])),
    )
    return renewed(shown, 2 if renews else 0)


def show(request: Request, desk: Desk, person: Person, delivery_id: str) -> HTMLResponse:
    """One delivery: its verdict, its reasons, and for its sender the first cells."""
    from pipelines.validate.report_rows import has_rows

    settings = settings_of(request)
    delivery = find_delivery(request, desk, delivery_id)
    feed = load_feed(delivery.feed)
    verdict = known.verdict_of(delivery)
    looked = known.RejectedCells([])
    question = read_question(delivery.folder)
    if verdict and desk.shows_cells:
        looked = known.look(settings, delivery, verdict, question)
    is_published = known.is_published(settings, delivery_id)
    age = dt.datetime.now(dt.UTC) - delivery.receipt.received_at
    fault = None if is_published else table_faults(settings).get(feed.table)
    renews = not is_published and not fault and age < STILL_FRESH and may_renew(request)
    shown = page(
        request,
        "provider/delivery.html",
        desk=desk,
        delivery=delivery,
        receipt=delivery.receipt,
        feed=feed,
        verdict=verdict,
        findings=all_findings(delivery.folder, verdict) if verdict else [],
        is_published=is_published,
        is_our_fault=fault is not None,
        since=_since(request, delivery),
        renews=renews,
        reasons=known.reasons(settings, delivery, verdict, looked.sheets) if verdict else [],
        warnings=known.warnings(verdict) if verdict and verdict.is_accepted else [],
        looked=looked,
        is_sender=is_sender(person, delivery),
        has_rows=verdict is not None and has_rows(verdict, reused=known.rows_reused(question)),
        rules=all_rules(),
        state_words=state_words,
        came_by=_came_by,
        withdrawal=_withdrawal(feed),
        question=question,
        is_asked=question is not None and question.is_asked(desk.asks_after),
        answer=read_answer(delivery.folder),
    )
    return renewed(shown, 4 if renews else 0)


def _since(request: Request, delivery: Delivery) -> list[str]:
    """What stands since, to somebody who has just sent the same bytes again."""
    from pipelines.lake.superseded import find_supersession

    if request.query_params.get("known") != "1":
        return []
    return find_supersession(settings_of(request), delivery).sentences(words.language())


def _came_by(origin: str) -> str:
    """By which way a file came, in words."""
    way, _slash, _whose = origin.partition("/")
    said = {"upload": _("these pages"), "inbox": _("the inbox folder")}
    return said.get(way, origin or "–")


def dagster_page(request: Request, feed: str) -> str:
    """The address of the feed's runs in Dagster; none where the reader's browser cannot open it.

    Dagster without a name of its own answers on its machine only, so its address is of use to
    somebody who reads the portal there too, be it through a tunnel.
    """
    base = configuration_of(request).dagster_url
    is_here = urlsplit(base).hostname in LOOPBACK_NAMES
    if not base or (is_here and request.url.hostname not in LOOPBACK_NAMES):
        return ""
    return f"{base}/runs?{urlencode({'q[0]': f'tag:feed={feed}'})}"


def find_delivery(request: Request, desk: Desk, delivery_id: str) -> Delivery:
    delivery = known.find(settings_of(request), delivery_id, desk.scope)
    if desk.shows_cells:
        speak(request, load_feed(delivery.feed).language)
    return delivery


def _withdrawal(feed: Feed) -> tuple[str, ...]:
    """The columns of the feed in which its sender withdraws a record."""
    return feed.map["withdrawal"].source if "withdrawal" in feed.map else ()


def keep_answer(request: Request, desk: Desk, person: Person, delivery_id: str) -> Response:
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


def desk_router(base: str, actions: Actions, desk_of: Callable[[Person], Desk]) -> APIRouter:
    """The pages of a desk, each open to whom `actions` name."""
    router = APIRouter(prefix=base)
    uploading = Depends(allowed(actions.upload))
    reading, rejections = Depends(allowed(actions.read)), Depends(allowed(actions.rejections))

    @router.get("")
    def list_deliveries(request: Request, person: Person = reading) -> HTMLResponse:
        return listing(request, desk_of(person))

    @router.get("/new")
    def new_delivery(request: Request, person: Person = uploading) -> HTMLResponse:
        return upload_page(request, desk_of(person))

    @router.post("/new", max_body_size=NO_OTHER_LIMIT)
    async def send_delivery(request: Request, person: Person = uploading) -> Response:
        return await take(request, desk_of(person), person)

    @router.get("/jobs/{job}")
    def follow_delivery(request: Request, job: str, person: Person = uploading) -> Response:
        return progress(request, desk_of(person), person, job)

    @router.get("/{delivery_id}")
    def show_delivery(request: Request, delivery_id: str, person: Person = reading) -> HTMLResponse:
        return show(request, desk_of(person), person, delivery_id)

    @router.post("/{delivery_id}/answer")
    def answer(request: Request, delivery_id: str, person: Person = uploading) -> Response:
        return keep_answer(request, desk_of(person), person, delivery_id)

    @router.get("/{delivery_id}/rejections.xlsx")
    def report(request: Request, delivery_id: str, person: Person = rejections) -> Response:
        delivery = find_delivery(request, desk_of(person), delivery_id)
        return downloads.report(request, person, delivery)

    @router.get("/{delivery_id}/rows")
    def rows(request: Request, delivery_id: str, person: Person = rejections) -> Response:
        delivery = find_delivery(request, desk_of(person), delivery_id)
        return downloads.rows_to_correct(request, person, delivery)

    return router
