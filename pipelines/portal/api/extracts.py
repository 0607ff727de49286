"""Operations on tables and extracts: what is open, looking before asking, asking, fetching."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Depends, Query, Request, Response

from pipelines.accounts.permissions import Person
from pipelines.core.settings import Settings
from pipelines.jobs import extract as extract_job
from pipelines.jobs import queue
from pipelines.jobs.queue import JobView
from pipelines.portal.api import models
from pipelines.portal.api.problems import ApiError, ProblemRoute, check, refusals
from pipelines.portal.forms import Form
from pipelines.portal.security.limits import limited
from pipelines.portal.services import choices, menus, previews
from pipelines.portal.services import extracts as services
from pipelines.portal.web.access import allowed, not_found
from pipelines.portal.web.downloads import extract_file
from pipelines.portal.web.request import language_of, settings_of
from pipelines.portal.words import _
from pipelines.release.errors import ReleaseError
from pipelines.release.request import Request as Asked
from schemas.contract import load_contract, table_names

router = APIRouter(route_class=ProblemRoute, tags=["Tables and extracts"])
PREVIEW_ROWS, PAGE_ROWS = 20, 20
ZIP = "application/zip"


@router.get("/tables", responses=refusals())
def list_tables(
    request: Request, person: Person = Depends(allowed("tables.list"))
) -> list[models.Offer]:
    """The tables that agreements open to your organisation today, and by which clauses."""
    return [
        models.Offer(
            table=offer.table,
            title=models.words(load_contract(offer.table).title),
            form=offer.form,
            purposes=list(offer.purposes),
            clauses=[
                models.Clause(
                    name=permit.full_name,
                    summary=models.words(permit.summary),
                    providers=list(permit.providers),
                )
                for permit in offer.permits
            ],
        )
        for offer in menus.offered(settings_of(request), person)
    ]


@router.get("/tables/{table}", responses=refusals())
def read_table_menu(
    request: Request,
    table: str,
    form: models.Form = "records",
    purpose: str = Query("", max_length=120, pattern=models.CODE),
    person: Person = Depends(allowed("tables.list")),
) -> models.Menu:
    """What may be asked of one table; the first purpose where none or a closed one is named."""
    found = _menu(settings_of(request), person, table, form, purpose)
    choices = [(code, label) for code, label, *_hint in found.columns()]
    return models.Menu(
        table=found.table,
        form=found.form,
        purpose=found.purpose,
        forms=list(found.forms),
        purposes=_choices(found.purpose_choices()),
        columns=_choices(choices),
        dimensions=_choices(found.dimensions()),
        measures=_choices(found.measures()),
        formats=_choices(found.formats()),
        areas=_choices([area for _country, areas in found.areas() for area in areas]),
        offences=_choices(found.offences()),
    )


def _choices(found: Any) -> list[models.Choice]:
    return [models.Choice(code=code, label=label) for code, label in found]


def _menu(settings: Settings, person: Person, table: str, form: str, purpose: str) -> menus.Menu:
    found = menus.menu(settings, person, table, form, purpose) if table in table_names() else None
    if found is None:
        not_found()
    return found


@router.post("/previews", responses=refusals(), dependencies=[Depends(limited("preview"))])
def look_before_asking(
    request: Request,
    wanted: models.ExtractRequest,
    person: Person = Depends(allowed("extract.preview")),
) -> models.Preview:
    """What an extract would hold: the first rows, how many, what is hidden and why."""
    settings, language = settings_of(request), language_of(request)
    asked = _asked(settings, person, wanted)
    choices.note(settings, asked, person)
    try:
        seen = previews.show_preview(settings, asked, language, PREVIEW_ROWS)
    except ReleaseError as refused:
        choices.note_refusal(settings, refused, person)
        raise
    if seen.is_too_long:
        detail = _("Looking takes too long. Ask for less, or ask for the extract itself.")
        raise ApiError(503, detail)
    return models.Preview(
        row_count=seen.row_count,
        handling=seen.level,
        columns=[head if isinstance(head, str) else head[0] for head in seen.heads],
        rows=[list(row) for row in seen.rows],
        said=list(seen.said),
        clauses=list(seen.clauses),
        absence=models.Absence(code=seen.absence.code, message=seen.absence.text(language))
        if seen.absence
        else None,
    )


@router.post(
    "/extracts",
    status_code=202,
    responses=refusals(),
    dependencies=[Depends(limited("extract"))],
)
def ask_for_extract(
    request: Request,
    response: Response,
    wanted: models.ExtractRequest,
    person: Person = Depends(allowed("extract.request")),
) -> models.ExtractJob:
    """Ask for an extract; it is made while you wait or do other things. See `Location`."""
    settings = settings_of(request)
    job_id = services.ask(settings, person, _asked(settings, person, wanted))
    job = services.find(settings, job_id, person)
    response.headers["Location"] = request.url_for("read_extract", job_id=job_id).path
    return _job(request, job)


def _asked(settings: Settings, person: Person, wanted: models.ExtractRequest) -> Asked:
    """The request, judged by the menu of the pages; faults name the fields of the body."""
    found = _menu(settings, person, wanted.table, wanted.form, wanted.purpose)
    form = Form()
    given = wanted.model_dump(mode="json")
    for field in ("columns", "dimensions", "measures", "areas", "offences"):
        form.values[field] = given[field]
    for field in ("since", "until", "format", "language"):
        form.values[field] = [given[field] or ""]
    if not wanted.columns:
        form.values["columns"] = [code for code, *_label in found.columns()]
    if wanted.form != found.form:
        form.fail("form", _("Choose one of the list."))
    if wanted.purpose != found.purpose:
        form.fail("purpose", _("Choose one of the list."))
    asked = menus.request_of(form, found, person)
    check(form)
    return asked


@router.get("/extracts", responses=refusals())
def list_own_extracts(
    request: Request,
    page: int = Query(1, ge=1, le=1_000_000),
    person: Person = Depends(allowed("extract.read_own")),
) -> models.Page[models.ExtractJob]:
    """What you asked for, the latest first."""
    found, total = queue.jobs_of(
        settings_of(request), person, extract_job.KIND, page, size=PAGE_ROWS
    )
    return models.Page(
        items=[_job(request, job) for job in found],
        total=total,
        page=page,
        pages=max(1, -(-total // PAGE_ROWS)),
    )


@router.get("/extracts/{job_id}", responses=refusals())
def read_extract(
    request: Request, job_id: str, person: Person = Depends(allowed("extract.read_own"))
) -> models.ExtractJob:
    """How far it is; then what it holds."""
    return _job(request, services.find(settings_of(request), job_id, person))


@router.delete("/extracts/{job_id}", status_code=204, responses=refusals(409))
def stop_extract(
    request: Request, job_id: str, person: Person = Depends(allowed("extract.request"))
) -> None:
    """Stop waiting for an extract that is not made yet."""
    settings = settings_of(request)
    services.find(settings, job_id, person)
    if not queue.cancel(settings, job_id, person):
        raise ApiError(409, _("It is done or was stopped before."))


@router.get(
    "/extracts/{job_id}/file",
    response_class=Response,
    responses=refusals(416)
    | {
        200: {"description": "The signed zip.", "content": {ZIP: {}}},
        206: {"description": "The part of it that `Range` names.", "content": {ZIP: {}}},
    },
    dependencies=[Depends(limited("download"))],
)
def fetch_extract(
    request: Request, job_id: str, person: Person = Depends(allowed("extract.download_own"))
) -> Response:
    """The finished file, whole or from where a broken download stopped (`Range`)."""
    job = services.find(settings_of(request), job_id, person)
    return extract_file(request, job, person)


def _job(request: Request, job: JobView) -> models.ExtractJob:
    settings, asked = settings_of(request), job.request
    is_done = job.state == "done"
    closed = services.closed(settings, job) if is_done else ""
    has_file = is_done and not closed and services.file_of(settings, job) is not None
    return models.ExtractJob(
        id=job.id,
        state=job.state,
        percent=job.percent,
        table=asked["table"],
        purpose=asked["purpose"],
        form=asked["form"],
        format=asked["format"],
        created_at=job.created_at,
        updated_at=job.updated_at,
        expires_at=job.expires_at if is_done else None,
        result=models.ExtractResult(**job.result) if is_done else None,
        fault=job.fault(language_of(request)),
        closed=closed,
        file=request.url_for("fetch_extract", job_id=job.id).path if has_file else "",
    )
