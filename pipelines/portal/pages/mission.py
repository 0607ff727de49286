"""Mission staff's pages: what an agreement gives them, choosing, looking before asking, asking.

Not here: the pages of what was asked for (`extracts.py`), proving a file (`checking.py`), and what
may leave: the release part decides, for the preview and again for the extract.
"""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Depends, FastAPI, Request
from fastapi.responses import HTMLResponse, Response

from pipelines.portal import extracting, jobs, looking
from pipelines.portal.forms import Form, asked, blank, posted
from pipelines.portal.jobs_crew import WORKERS, Crew
from pipelines.portal.menus import Menu, menu, offered, request_of
from pipelines.portal.pages import checking, extracts
from pipelines.portal.security.limits import limited
from pipelines.portal.tables import shown_tables
from pipelines.portal.web import (
    Person,
    allowed,
    language_of,
    not_found,
    page,
    redirect,
    settings_of,
)
from pipelines.portal.words import _
from pipelines.release.refusals import ReleaseRefused
from pipelines.release.request import Request as Asked

router = APIRouter()
router.include_router(extracts.router)
router.include_router(checking.router)

Listing = Depends(allowed("tables.list"))
Looking = Depends(allowed("extract.preview"))
Asking = Depends(allowed("extract.request"))
PREVIEW_ROWS = 10


def begin(app: FastAPI) -> None:
    """The workers begin with the portal."""
    app.state.crew = Crew(app.state.settings, getattr(app.state, "workers", WORKERS)).start()


def end(app: FastAPI) -> None:
    """And end with it; what they had in hand goes back into the queue."""
    app.state.crew.stop()


@router.get("/tables")
def tables(request: Request, person: Person = Listing) -> HTMLResponse:
    """The tables that an agreement gives to the person's organisation."""
    settings = settings_of(request)
    found = shown_tables(settings, person, offered(settings, person))
    return page(request, "mission/tables.html", tables=found)


@router.get("/tables/{table}")
def choose(request: Request, table: str, person: Person = Looking) -> HTMLResponse:
    """The menu of one table; what the address holds is chosen already."""
    form = asked(request)
    found = _menu(request, table, form, person)
    if not form.many("format"):  # nothing but the form and the purpose was chosen
        form = blank(**found.proposed())
    return _menu_page(request, found, form, person)


@router.post("/extracts/preview", dependencies=[Depends(limited("preview"))])
def preview(request: Request, person: Person = Looking) -> HTMLResponse:
    """What the extract would hold, before it is made."""
    form, found, wanted = _wanted(request, person)
    if wanted is None:
        return _menu_page(request, found, form, person, status=422)
    try:
        seen = looking.look(settings_of(request), wanted, language_of(request), PREVIEW_ROWS)
    except ReleaseRefused as refused:
        return _menu_page(request, found, form, person, status=422, refused=refused)
    return page(
        request,
        "mission/preview.html",
        menu=found,
        form=form,
        wanted=wanted,
        seen=seen,
        purpose=dict(found.purpose_choices())[found.purpose],
        format=dict(found.formats())[wanted.format],
        back=extracts.menu_address(extracting.asked(wanted, person)),
    )


@router.post("/extracts", dependencies=[Depends(limited("extract"))])
def ask(request: Request, person: Person = Asking) -> Response:
    """Ask for the extract; leads to its progress."""
    form, found, wanted = _wanted(request, person)
    if wanted is None:
        return _menu_page(request, found, form, person, status=422)
    settings = settings_of(request)
    try:
        job = jobs.submit(settings, person, extracting.KIND, extracting.asked(wanted, person))
    except jobs.TooManyJobs as full:
        form.fail("queue", str(full))
        return _menu_page(request, found, form, person, status=429)
    return redirect(f"/extracts/{job}")


def _wanted(request: Request, person: Person) -> tuple[Form, Menu, Asked | None]:
    """What a form chose, and the menu that it chose from; None in place of a faulty request."""
    form = posted(request)
    found = _menu(request, form.value("table"), form, person)
    if form.value("form") != found.form:
        form.fail("form", _("Choose one of the list."))
    if form.value("purpose") != found.purpose:
        form.fail("purpose", _("Choose one of the list."))
    wanted = request_of(form, found, person)
    return form, found, wanted if form.is_good else None


def _menu(request: Request, table: str, form: Form, person: Person) -> Menu:
    settings = settings_of(request)
    found = menu(settings, person, table, form.value("form"), form.value("purpose"))
    if found is None:
        not_found()
    return found


def _menu_page(
    request: Request, found: Menu, form: Form, person: Person, *, status: int = 200, **more: Any
) -> HTMLResponse:
    settings = settings_of(request)
    shown = shown_tables(settings, person, offered(settings, person), found.table)
    return page(
        request,
        "mission/choose.html",
        status=status,
        menu=found,
        form=form,
        chosen=blank(form=found.form, purpose=found.purpose),
        about=shown[0],
        **({"refused": None} | more),
    )
