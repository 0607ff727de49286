"""The provider's pages: send a file, follow it, read what was wrong with it, look back."""

from __future__ import annotations

from fastapi import APIRouter, Depends, FastAPI, Request
from fastapi.responses import HTMLResponse, Response

from pipelines.accounts.permissions import Person
from pipelines.portal.pages import answers
from pipelines.portal.pages import delivery_pages as shared
from pipelines.portal.services import uploads
from pipelines.portal.services.scope import own_feeds
from pipelines.portal.web import downloads
from pipelines.portal.web.request import allowed
from pipelines.portal.web.uploads import NO_OTHER_LIMIT

BASE = "/deliveries"
router = APIRouter()

Uploading = Depends(allowed("delivery.upload"))
Reading = Depends(allowed("delivery.read_own"))
Rejections = Depends(allowed("rejections.read_own"))


def begin(app: FastAPI) -> None:
    """What killed processes left half taken goes before anybody sends anything."""
    uploads.sweep(app.state.settings)


def desk_of(person: Person) -> shared.Desk:
    """The deliveries of the person's organisation, with what it sent itself."""
    return shared.Desk(BASE, own_feeds(person.organisation), shows_cells=True)


@router.get(BASE)
def own_deliveries(request: Request, person: Person = Reading) -> HTMLResponse:
    """What the organisation sent, the latest first."""
    return shared.listing(request, desk_of(person))


@router.get(f"{BASE}/new")
def new_delivery(request: Request, person: Person = Uploading) -> HTMLResponse:
    """The form that sends a file."""
    return shared.upload_page(request, desk_of(person))


@router.post(f"{BASE}/new", max_body_size=NO_OTHER_LIMIT)
async def send_delivery(request: Request, person: Person = Uploading) -> Response:
    """A file comes."""
    return await shared.take(request, desk_of(person), person)


@router.get(f"{BASE}/jobs/{{job}}")
def follow_delivery(request: Request, job: str, person: Person = Uploading) -> Response:
    """How far it is."""
    return shared.progress(request, desk_of(person), person, job)


@router.get(f"{BASE}/{{delivery_id}}")
def own_delivery(request: Request, delivery_id: str, person: Person = Reading) -> HTMLResponse:
    """What became of it."""
    return shared.show(request, desk_of(person), person, delivery_id)


@router.post(f"{BASE}/{{delivery_id}}/answer")
def answer(request: Request, delivery_id: str, person: Person = Uploading) -> Response:
    """Say whether it is a register or a correction, where that is asked."""
    return answers.answer(request, desk_of(person), person, delivery_id)


@router.get(f"{BASE}/{{delivery_id}}/rejections.xlsx")
def own_rejections(request: Request, delivery_id: str, person: Person = Rejections) -> Response:
    """The report as a workbook."""
    return downloads.report(
        request, person, shared.find_delivery(request, desk_of(person), delivery_id)
    )


@router.get(f"{BASE}/{{delivery_id}}/rows")
def own_bad_rows(request: Request, delivery_id: str, person: Person = Rejections) -> Response:
    """The rows to correct, in the layout that was sent."""
    return downloads.rows_to_correct(
        request, person, shared.find_delivery(request, desk_of(person), delivery_id)
    )
