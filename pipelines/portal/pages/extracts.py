"""The pages of extracts that were asked for: history, progress, result, the file itself.

Not here: choosing and asking (`mission.py`), the queue (`jobs.py`), what may leave (`release`).
"""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import FileResponse, HTMLResponse, Response

from pipelines.core.settings import Settings
from pipelines.ledger import clock
from pipelines.ledger.chain import append, entries
from pipelines.portal import extracting, jobs
from pipelines.portal.forms import asked
from pipelines.portal.jobs import JobView
from pipelines.portal.menus import query
from pipelines.portal.security.limits import limited
from pipelines.portal.web import Person, allowed, not_found, page, redirect, settings_of, url
from pipelines.portal.words import _, language
from schemas.contract import load_contract
from schemas.organisation import purposes

BASE = "/extracts"
PAGE_SIZE = 20
REFRESH_S = 2
RESUMED_WITHIN = dt.timedelta(days=1)
BLOCK_BYTES = 512 * 1024
router = APIRouter()

Reading = Depends(allowed("extract.read_own"))
Asking = Depends(allowed("extract.request"))
Fetching = Depends(allowed("extract.download_own"))


class Download(FileResponse):
    """A file in larger pieces: each costs a turn of a thread, and fifty may be on their way."""

    chunk_size = BLOCK_BYTES


def state_words(job: JobView) -> tuple[str, str]:
    """The kind of badge and the word for the state of a job."""
    if job.is_expired:
        return ("calm", _("expired"))
    if job.result.get("fault") == jobs.CANCELLED:
        return ("calm", _("stopped"))
    if "refusal" in job.result:
        return ("bad", _("refused"))
    return {
        "queued": ("busy", _("waiting")),
        "running": ("busy", _("being made")),
        "done": ("good", _("ready")),
        "failed": ("bad", _("failed")),
    }[job.state]


@router.get(BASE)
def history(request: Request, person: Person = Reading) -> HTMLResponse:
    """What the person asked for, the latest first."""
    number = asked(request).integer("page", least=1, most=1_000_000, otherwise=1) or 1
    found, total = jobs.jobs_of(
        settings_of(request), person, extracting.KIND, number, size=PAGE_SIZE
    )
    return page(
        request,
        "mission/history.html",
        jobs=found,
        number_of=number,
        pages=-(-total // PAGE_SIZE),
        state_words=state_words,
        again=lambda job: menu_address(job.request),
        title_of=_title,
        purpose_of=_purpose,
    )


@router.get(f"{BASE}/{{job_id}}")
def extract(request: Request, job_id: str, person: Person = Reading) -> HTMLResponse:
    """How far it is; then what is in it, and the file."""
    settings = settings_of(request)
    job = _found(settings, job_id, person)
    renews = job.is_active and request.query_params.get("renew") != "no"
    shown = page(
        request,
        "mission/extract.html",
        job=job,
        renews=renews,
        state=state_words(job),
        stage=_(extracting.STAGES.get(job.stage, extracting.STAGES["gather"])),
        title=_title(job),
        purpose=_purpose(job),
        file=extracting.file_of(settings, job),
        closed=extracting.closed(settings, job) if job.state == "done" else "",
        again=menu_address(job.request),
        kept_days=jobs.KEPT.days,
        is_mine=job.owner == person.user_id,
    )
    if renews:
        shown.headers["Refresh"] = str(REFRESH_S)
    return shown


@router.post(f"{BASE}/{{job_id}}/stop")
def stop(request: Request, job_id: str, person: Person = Asking) -> Response:
    """Stop waiting for an extract."""
    settings = settings_of(request)
    _found(settings, job_id, person)
    jobs.cancel(settings, job_id, person)
    return redirect(f"{BASE}/{job_id}")


@router.get(f"{BASE}/{{job_id}}/file", dependencies=[Depends(limited("download"))])
def file(request: Request, job_id: str, person: Person = Fetching) -> Response:
    """The finished file, whole or from where a broken download stopped."""
    settings = settings_of(request)
    job = _found(settings, job_id, person)
    place = extracting.file_of(settings, job)
    if place is None or extracting.closed(settings, job):
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


def _found(settings: Settings, job_id: str, person: Person) -> JobView:
    job = jobs.job_of(settings, job_id, person, extracting.KIND)
    if job is None:
        not_found()
    return job


def menu_address(stored: dict[str, Any]) -> str:
    """The address of the menu with a request chosen, as a job keeps it."""
    chosen = {name: value for name, value in query(stored).items() if name != "made_by"}
    return url(f"/tables/{stored['table']}", **chosen)


def _title(job: JobView) -> str:
    return load_contract(job.request["table"]).title[language()]


def _purpose(job: JobView) -> str:
    found = purposes().get(job.request["purpose"])
    return found.label[language()] if found else job.request["purpose"]
