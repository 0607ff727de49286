"""Operations on deliveries: send a file, follow it, what became of it; how the feeds do."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.concurrency import run_in_threadpool

from pipelines.accounts.permissions import Person
from pipelines.core.findings import Finding
from pipelines.core.settings import Settings
from pipelines.jobs import delivery as delivery_job
from pipelines.jobs import queue
from pipelines.lake.questions import Question, read_question
from pipelines.lake.superseded import find_supersession
from pipelines.landing.receive import open_delivery
from pipelines.portal.api import models, reports
from pipelines.portal.api.problems import ProblemRoute, refusals
from pipelines.portal.services import deliveries as known
from pipelines.portal.services import feed_figures, uploads
from pipelines.portal.services.delivery_upload import hand_over
from pipelines.portal.services.scope import Scope, own_feeds, scope_of
from pipelines.portal.web import downloads
from pipelines.portal.web.access import allowed, not_found
from pipelines.portal.web.request import language_of, settings_of, speak
from pipelines.portal.web.uploads import NO_OTHER_LIMIT, take
from pipelines.validate.remarks import all_findings
from pipelines.validate.verdict import StoredFinding
from schemas.contract import all_rules
from schemas.feed import load_feed
from schemas.text import Language

router = APIRouter(route_class=ProblemRoute, tags=["Deliveries"])
XLSX = downloads.WORKBOOK
UPLOAD = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {"file": {"type": "string", "format": "binary"}},
                }
            }
        },
    }
}


@router.post(
    "/deliveries",
    status_code=202,
    responses=refusals(408, 413, 507),
    openapi_extra=UPLOAD,
    max_body_size=NO_OTHER_LIMIT,
)
async def send_delivery(
    request: Request,
    feed: str = Query(
        min_length=1, max_length=120, pattern=models.CODE, examples=["caf_police_incidents"]
    ),
    person: Person = Depends(allowed("delivery.upload")),
) -> reports.DeliveryJob:
    """Send a file of one of your organisation's feeds; the same bytes twice are one delivery."""
    settings = settings_of(request)
    if feed not in own_feeds(person.organisation).feeds:
        not_found()
    upload = await take(request, settings, person)
    return await run_in_threadpool(_hand_over, settings, person, feed, upload)


def _hand_over(
    settings: Settings, person: Person, feed: str, upload: uploads.Upload
) -> reports.DeliveryJob:
    """Put the judging into the queue, unless the same file came before and is done with."""
    sent = hand_over(settings, person, feed, upload)
    return reports.DeliveryJob(
        id=sent.job_id,
        state="queued" if sent.job_id else "done",
        delivery_id=sent.delivery_id,
        is_known=not sent.job_id,
        since=[] if sent.job_id else _since(settings, sent.delivery_id),
    )


def _since(settings: Settings, delivery_id: str) -> list[models.Words]:
    """What stands of a delivery that came before, in sentences."""
    found = find_supersession(settings, open_delivery(settings, delivery_id))
    said = zip(found.sentences("en"), found.sentences("fr"), strict=True)
    return [models.Words(en=english, fr=french) for english, french in said]


@router.get("/deliveries/jobs/{job_id}", responses=refusals())
def follow_delivery(
    request: Request, job_id: str, person: Person = Depends(allowed("delivery.upload"))
) -> reports.DeliveryJob:
    """How far the judging of a file is."""
    job = queue.job_of(settings_of(request), job_id, person, delivery_job.KIND)
    if job is None:
        not_found()
    return reports.DeliveryJob(
        id=job.id,
        state=job.state,
        delivery_id=str(job.request["delivery_id"]),
        is_known=bool(job.result.get("is_known")),
        since=_since(settings_of(request), str(job.request["delivery_id"]))
        if job.result.get("is_known")
        else [],
        fault=job.fault(language_of(request)),
    )


@router.get("/deliveries", responses=refusals())
def list_own_deliveries(
    request: Request,
    page: int = Query(1, ge=1, le=1_000_000),
    person: Person = Depends(allowed("delivery.read_own")),
) -> models.Page[reports.Delivery]:
    """What your organisation sent, the latest first."""
    return _listed(request, own_feeds(person.organisation), page)


@router.get("/deliveries/{delivery_id}", responses=refusals())
def read_own_delivery(
    request: Request, delivery_id: str, person: Person = Depends(allowed("delivery.read_own"))
) -> reports.DeliveryReport:
    """What became of a file: the verdict, and in codes what was wrong."""
    return _report(request, own_feeds(person.organisation), delivery_id)


@router.get(
    "/deliveries/{delivery_id}/rejections.xlsx",
    response_class=Response,
    responses=refusals() | {200: {"description": "The report.", "content": {XLSX: {}}}},
)
def fetch_own_rejections(
    request: Request, delivery_id: str, person: Person = Depends(allowed("rejections.read_own"))
) -> Response:
    """The report as a workbook, in the language of the feed, with the cells as they were sent."""
    delivery = known.find(settings_of(request), delivery_id, own_feeds(person.organisation))
    speak(request, load_feed(delivery.feed).language)
    return downloads.report(request, person, delivery)


@router.get("/all-deliveries", responses=refusals())
def list_all_deliveries(
    request: Request,
    page: int = Query(1, ge=1, le=1_000_000),
    person: Person = Depends(allowed("delivery.read_feeds")),
) -> models.Page[reports.Delivery]:
    """What came in of the feeds that you look after, the latest first."""
    return _listed(request, scope_of(person, "delivery.read_feeds"), page)


@router.get("/all-deliveries/{delivery_id}", responses=refusals())
def read_any_delivery(
    request: Request, delivery_id: str, person: Person = Depends(allowed("rejections.read_feeds"))
) -> reports.DeliveryReport:
    """What became of a file of the feeds that you look after, in codes and counts."""
    return _report(request, scope_of(person, "rejections.read_feeds"), delivery_id)


@router.get("/feeds", responses=refusals())
def list_feeds(
    request: Request, person: Person = Depends(allowed("feeds.health"))
) -> list[reports.FeedHealth]:
    """How each of your feeds does: when it last came, whether it is late, how much passes."""
    scope = scope_of(person, "feeds.health")
    return [
        reports.FeedHealth(
            **{name: getattr(one, name) for name in HEALTH},
            title=models.words(load_feed(one.feed).title),
        )
        for one in feed_figures.health(settings_of(request), scope)
    ]


HEALTH = (
    *("feed", "deliveries", "refused", "waiting", "last_received_at", "expected_every_days"),
    *("days_late", "rhythm", "share_now", "share_before"),
)


def _listed(request: Request, scope: Scope, page: int) -> models.Page[reports.Delivery]:
    found = known.list_deliveries(settings_of(request), known.DeliveryFilter(scope), page)
    items = [reports.Delivery.model_validate(line) for line in found.lines]
    return models.Page(items=items, total=found.total, page=found.page, pages=found.pages)


def _report(request: Request, scope: Scope, delivery_id: str) -> reports.DeliveryReport:
    settings = settings_of(request)
    delivery = known.find(settings, delivery_id, scope)
    verdict = known.verdict_of(delivery)
    about: dict[str, Any] = {
        "delivery_id": delivery.delivery_id,
        "feed": delivery.feed,
        "received_at": delivery.receipt.received_at,
        "is_published": known.is_published(settings, delivery_id),
    }
    if verdict is None:
        return reports.DeliveryReport(
            **about,
            state="waiting",
            rows_read=None,
            rows_accepted=None,
            rows_quarantined=None,
            findings=[],
            rejections=[],
            warnings=[],
        )
    question = read_question(delivery.folder)
    return reports.DeliveryReport(
        **about,
        state="held" if question else verdict.state,
        question=_asked(question) if question else None,
        rows_read=verdict.rows_read,
        rows_accepted=verdict.rows_accepted,
        rows_quarantined=verdict.rows_quarantined,
        findings=[
            reports.Finding(
                code=one.code, message=models.Words(en=_said(one, "en"), fr=_said(one, "fr"))
            )
            for one in all_findings(delivery.folder, verdict)
        ],
        rejections=_counted(known.reasons(settings, delivery, verdict)),
        warnings=_counted(known.warnings(verdict)),
    )


def _asked(question: Question) -> reports.Question:
    said, french = question.evidence("en"), question.evidence("fr")
    return reports.Question(
        text=models.Words(en=question.text("en"), fr=question.text("fr")),
        evidence=[models.Words(en=en, fr=fr) for en, fr in zip(said, french, strict=True)],
        rows=question.rows,
        asked_at=question.asked_at,
    )


def _counted(found: list[known.RuleCount]) -> list[reports.RuleCount]:
    rules = all_rules()
    return [
        reports.RuleCount(
            code=one.code,
            severity=rules[one.code].severity,
            message=models.words(rules[one.code].message),
            correction=models.words(rules[one.code].correction),
            rows=one.rows,
            first_rows=list(one.first_rows),
        )
        for one in found
    ]


def _said(finding: StoredFinding, language: Language) -> str:
    return Finding(finding.code, finding.values).text(language)
