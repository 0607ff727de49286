"""The pages of extracts that were asked for: history, progress, result, the file itself."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, Response

from pipelines.accounts.permissions import Person
from pipelines.core.i18n import mark
from pipelines.jobs import extract as extract_job
from pipelines.jobs import queue
from pipelines.jobs.queue import JobView
from pipelines.portal.security.limits import limited
from pipelines.portal.services import extracts as services
from pipelines.portal.web.access import allowed
from pipelines.portal.web.addresses import redirect, url
from pipelines.portal.web.downloads import extract_file
from pipelines.portal.web.page import may_renew, page, renewed
from pipelines.portal.web.request import query_form, settings_of
from pipelines.portal.words import _

BASE = "/extracts"
PAGE_SIZE = 20
REFRESH_S = 2
NOT_CHOSEN = ("table", "recipient", "as_of", "made_by")
STATES = {
    "queued": ("busy", mark("waiting")),
    "running": ("busy", mark("being made")),
    "done": ("good", mark("ready")),
    "failed": ("bad", mark("failed")),
}
router = APIRouter()

Reading = Depends(allowed("extract.read_own"))
Asking = Depends(allowed("extract.request"))
Fetching = Depends(allowed("extract.download_own"))


def state_words(job: JobView) -> tuple[str, str]:
    """The kind of badge and the word for the state of a job."""
    if job.is_expired:
        return ("calm", _("expired"))
    if job.result.get("fault") == queue.CANCELLED:
        return ("calm", _("stopped"))
    if "refusal" in job.result:
        return ("bad", _("refused"))
    kind, word = STATES[job.state]
    return kind, _(word)


@router.get(BASE)
def history(request: Request, person: Person = Reading) -> HTMLResponse:
    """What the person asked for, the latest first."""
    number = query_form(request).integer("page", least=1, most=1_000_000, otherwise=1) or 1
    found, total = queue.jobs_of(
        settings_of(request), person, extract_job.KIND, number, size=PAGE_SIZE
    )
    return page(
        request,
        "mission/history.html",
        jobs=found,
        number_of=number,
        pages=-(-total // PAGE_SIZE),
        state_words=state_words,
        again=lambda job: menu_address(job.request),
    )


@router.get(f"{BASE}/{{job_id}}")
def extract(request: Request, job_id: str, person: Person = Reading) -> HTMLResponse:
    """How far it is; then what is in it, and the file."""
    settings = settings_of(request)
    job = services.find(settings, job_id, person)
    renews = job.is_active and may_renew(request)
    shown = page(
        request,
        "mission/extract.html",
        job=job,
        renews=renews,
        state=state_words(job),
        stage=_(extract_job.STAGES.get(job.stage, extract_job.STAGES["gather"])),
        file=services.file_of(settings, job),
        closed=services.closed(settings, job) if job.state == "done" else "",
        again=menu_address(job.request),
        kept_days=queue.KEPT.days,
        is_mine=job.owner == person.user_id,
    )
    return renewed(shown, REFRESH_S if renews else 0)


@router.post(f"{BASE}/{{job_id}}/stop")
def stop(request: Request, job_id: str, person: Person = Asking) -> Response:
    """Stop waiting for an extract."""
    settings = settings_of(request)
    services.find(settings, job_id, person)
    queue.cancel(settings, job_id, person)
    return redirect(f"{BASE}/{job_id}")


@router.get(f"{BASE}/{{job_id}}/file", dependencies=[Depends(limited("download"))])
def file(request: Request, job_id: str, person: Person = Fetching) -> Response:
    """The finished file, whole or from where a broken download stopped."""
    return extract_file(request, services.find(settings_of(request), job_id, person), person)


def menu_address(stored: dict[str, Any]) -> str:
    """The address of the menu with a request chosen, as a job keeps it."""
    chosen = {name: value for name, value in stored.items() if name not in NOT_CHOSEN}
    return url(f"/tables/{stored['table']}", **chosen)
