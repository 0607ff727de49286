"""Mission staff's pages: what an agreement gives them, choosing, looking before asking, asking.

What may leave is decided by the release part, for the preview and again for the extract.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import Any

from fastapi import APIRouter, Depends, FastAPI, Request
from fastapi.responses import HTMLResponse, Response

from pipelines.accounts.permissions import Person
from pipelines.jobs import extract as extract_job
from pipelines.jobs import queue
from pipelines.jobs.supervisor import WORKERS, Supervisor
from pipelines.portal.forms import Form
from pipelines.portal.pages import checking, extracts
from pipelines.portal.security.limits import check_rate, limited
from pipelines.portal.security.visitor import visitor_of
from pipelines.portal.services import choices, previews
from pipelines.portal.services import extracts as services
from pipelines.portal.services.choices import Choice
from pipelines.portal.services.menus import menu, offered
from pipelines.portal.services.tables import shown_tables
from pipelines.portal.web.access import allowed, not_found
from pipelines.portal.web.addresses import redirect, url
from pipelines.portal.web.expired_forms import returned
from pipelines.portal.web.page import page
from pipelines.portal.web.request import language_of, posted, query_form, settings_of
from pipelines.release.disclosure import conflict_words
from pipelines.release.disclosure.conflict import Conflict
from pipelines.release.errors import ReleaseError
from pipelines.release.request import Request as Asked
from schemas.text import LANGUAGES, Language

router = APIRouter()
router.include_router(extracts.router)
router.include_router(checking.router)

Listing = Depends(allowed("tables.list"))
Looking = Depends(allowed("extract.preview"))
Asking = Depends(allowed("extract.request"))
PREVIEW_ROWS = 10
PROOF = "look"
PROOF_LENGTH = 32


def begin(app: FastAPI) -> None:
    """The workers begin with the portal."""
    app.state.supervisor = Supervisor(
        app.state.settings, getattr(app.state, "workers", WORKERS)
    ).start()


def end(app: FastAPI) -> None:
    """And end with it; what they had in hand goes back into the queue."""
    app.state.supervisor.stop()


@router.get("/tables")
def tables(request: Request, person: Person = Listing) -> HTMLResponse:
    """The tables that an agreement gives to the person's organisation."""
    settings = settings_of(request)
    found = shown_tables(settings, person, offered(settings, person))
    return page(request, "mission/tables.html", tables=found)


@router.get("/tables/{table}")
def choose(request: Request, table: str, person: Person = Looking) -> HTMLResponse:
    """The menu of one table with what the address holds; figures for who pressed the button."""
    settings = settings_of(request)
    typed = returned(request) or query_form(request)
    choice = _read(request, table, choices.filled_in(settings, person, table, typed), person)
    if choice.wanted and _was_pressed(request, choice.wanted):
        return _look(request, choice, choice.wanted, person)
    status = 200 if choice.form.is_good else 422
    return _menu_page(request, choice, person, status=status)


@router.post("/tables/{table}")
def submit(request: Request, table: str, person: Person = Looking) -> Response:
    """Take the whole form and lead to the address that holds it: the menu, or with figures."""
    form = posted(request)
    choice = _read(request, table, form, person)
    has_looked = form.value("do") == "look"
    is_other = form.value("shown_form", choice.menu.form) != choice.menu.form
    more = {"lang": form.value("lang") if form.value("lang") in LANGUAGES else ""}
    if has_looked and is_other:
        more |= {"changed": "form"}
    elif has_looked and choice.wanted:
        check_rate(request, "preview")
        choices.note(settings_of(request), choice.wanted, person)
        more |= {PROOF: _proof(request, choice.wanted)}
    elif choice.values is None or (has_looked and _lacks_a_choice(choice)):
        return _menu_page(request, choice, person, status=422)
    values = choice.values or {}
    if not has_looked and _were_all(request, choice, form, person):
        values = values | {"columns": []}  # all that was open; now all that is
    return redirect(url(f"/tables/{table}", **values, **more))


@router.post("/tables/{table}/extract", dependencies=[Depends(limited("extract"))])
def ask(request: Request, table: str, person: Person = Asking) -> Response:
    """Ask for the extract; leads to its progress."""
    choice = _read(request, table, posted(request), person)
    if choice.wanted is None:
        return _menu_page(request, choice, person, status=422)
    settings = settings_of(request)
    try:
        job = services.ask(settings, person, choice.wanted)
    except queue.TooManyJobsError as full:
        choice.form.fail("queue", full.text(language_of(request)))
        return _menu_page(request, choice, person, status=429)
    return redirect(f"/extracts/{job}")


def _read(request: Request, table: str, form: Form, person: Person) -> Choice:
    choice = choices.read(settings_of(request), person, table, form)
    if choice is None:
        not_found()
    return choice


def _lacks_a_choice(choice: Choice) -> bool:
    """True where a list was left empty that must not be: an address cannot say so."""
    needed = ("dimensions", "measures") if choice.menu.form == "counts" else ("columns",)
    return any(name in choice.form.errors and not any(choice.form.many(name)) for name in needed)


def _were_all(request: Request, choice: Choice, form: Form, person: Person) -> bool:
    """True where every column was ticked of the menu that was shown."""
    names = (choice.menu.table, form.value("shown_form"), form.value("shown_purpose"))
    shown = menu(settings_of(request), person, *names)
    if shown is None or shown.way != names[1:]:
        return False
    return set(form.many("columns")) == {one[0] for one in shown.columns()}


def _look(request: Request, choice: Choice, wanted: Asked, person: Person) -> HTMLResponse:
    """What the extract would hold, before it is made."""
    check_rate(request, "preview")
    try:
        seen = previews.show_preview(
            settings_of(request), wanted, language_of(request), PREVIEW_ROWS
        )
    except ReleaseError as refused:
        choices.note_refusal(settings_of(request), refused, person)
        more = _conflict(refused.conflict, person, language_of(request))
        return _menu_page(request, choice, person, status=422, refused=refused, **more)
    found = choice.menu
    return page(
        request,
        "mission/preview.html",
        menu=found,
        form=choice.form,
        wanted=wanted,
        seen=seen,
        left_out=choice.left_out,
        purpose=dict(found.purpose_choices())[found.purpose],
        format=dict(found.formats())[wanted.format],
        areas=[
            label
            for _country, areas in found.areas()
            for code, label in areas
            if code in wanted.areas
        ],
        back=extracts.menu_address(extract_job.work_of(wanted, person)),
    )


def _conflict(conflict: Conflict | None, person: Person, language: Language) -> dict[str, Any]:
    """Of counts refused beside earlier ones: what is in the way, what passes, whose consent."""
    if conflict is None:
        return {"obstacles": [], "coarser": [], "consent": ""}
    return {
        "obstacles": conflict_words.obstacle_lines(conflict, language, person.organisation),
        "coarser": [
            (
                extracts.menu_address(extract_job.work_of(form, person)),
                conflict_words.coarser_line(conflict.request, form, language),
            )
            for form in conflict.coarser
        ],
        "consent": conflict_words.consent_line(conflict, language),
    }


def _menu_page(
    request: Request, choice: Choice, person: Person, *, status: int = 200, **more: Any
) -> HTMLResponse:
    settings, found = settings_of(request), choice.menu
    shown = shown_tables(settings, person, offered(settings, person), found.table)
    asked_for = request.query_params
    return page(
        request,
        "mission/choose.html",
        status=status,
        tells_nothing=request.method == "GET",
        menu=found,
        form=choice.form,
        left_out=choice.left_out,
        about=shown[0],
        ways=[
            (f"{way.form}:{way.purpose}", f"{way.purpose_words} – {way.form_words}")
            for way in shown[0].ways
        ],
        is_other_form=asked_for.get("changed") == "form",
        is_figure_due=PROOF in asked_for and status == 200,
        typed_into="choice",
        **({"refused": None} | more),
    )


def _proof(request: Request, wanted: Asked) -> str:
    """That the button was pressed: for this session, this choice, these tables and agreements."""
    settings, visitor = settings_of(request), visitor_of(request)
    about = json.dumps([extract_job.stored(wanted), repr(previews.state(settings))], sort_keys=True)
    said = f"{PROOF}\n{visitor.session}\n{about}".encode()
    key: bytes = request.app.state.portal_key
    return hmac.new(key, said, hashlib.sha256).hexdigest()[:PROOF_LENGTH]


def _was_pressed(request: Request, wanted: Asked) -> bool:
    """True where the address proves it, and the browser says that it was led here from here."""
    shown = request.query_params.get(PROOF, "")
    is_proved = hmac.compare_digest(shown.encode(), _proof(request, wanted).encode())
    site = request.headers.get("sec-fetch-site", "")  # old browsers say nothing
    ahead = request.headers.get("sec-purpose", "") + request.headers.get("purpose", "")
    return is_proved and site in ("", "same-origin") and "prefetch" not in ahead
