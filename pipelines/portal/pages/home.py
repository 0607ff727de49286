"""The first page: what this person can do now, and what became of what they last did."""

from __future__ import annotations

import datetime as dt
from contextlib import suppress
from dataclasses import dataclass

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from pipelines.accounts.permissions import Person, may
from pipelines.core.settings import Settings
from pipelines.jobs import queue
from pipelines.portal.pages.delivery_pages import state_words
from pipelines.portal.pages.extracts import STATES
from pipelines.portal.services import deliveries
from pipelines.portal.services.feed_figures import health
from pipelines.portal.services.oversight import concern, standings
from pipelines.portal.services.scope import own_feeds, scope_of
from pipelines.portal.web.access import allowed
from pipelines.portal.web.navigation import role_names
from pipelines.portal.web.page import page
from pipelines.portal.web.request import settings_of
from pipelines.portal.words import _, number, organisation_name, table_title
from schemas.problem import AgreementError

router = APIRouter()
SHOWN = 4


@dataclass(frozen=True)
class Latest:
    """One line of what happened last: where it leads, what it was, its state."""

    path: str
    what: str
    at: dt.datetime
    kind: str
    state: str
    more: str = ""


@dataclass(frozen=True)
class MenuNotice:
    """What waits behind an entry of the menu, in a few words."""

    kind: str
    words: str


@router.get("/")
def home(request: Request, person: Person = Depends(allowed("account.own"))) -> Response:
    """The first page of whoever is signed in."""
    settings = settings_of(request)
    return page(
        request,
        "home.html",
        organisation=organisation_name(person.organisation),
        roles=role_names(person),
        extracts=_extracts(settings, person),
        arrivals=_arrivals(settings, person),
        waiting=_waiting(settings, person),
    )


def _waiting(settings: Settings, person: Person) -> dict[str, MenuNotice]:
    """By the address of the page that shows it."""
    found = {}
    if may(person, "feeds.health"):
        scope = scope_of(person, "feeds.health")
        late = sum(one.rhythm in ("late", "silent") for one in health(settings, scope))
        if late:
            found["/feeds"] = MenuNotice("warn", _("late or silent: {count}", count=number(late)))
    if may(person, "agreements.read"):
        with suppress(AgreementError):  # its own page says what is wrong with an agreement
            found_here = standings(settings, concern(person, "agreements.read"))
            soon = sum(one.state == "ends_soon" for one in found_here)
            if soon:
                words = _("ending soon: {count}", count=number(soon))
                found["/agreements"] = MenuNotice("warn", words)
    return found


def _extracts(settings: Settings, person: Person) -> list[Latest]:
    if not may(person, "extract.read_own"):
        return []
    found, _total = queue.jobs_of(settings, person, "extract", size=SHOWN)
    return [
        Latest(
            path=f"/extracts/{one.id}",
            what=table_title(str(one.request.get("table", ""))),
            at=one.created_at,
            kind=STATES[one.state][0],
            state=_("not made") if one.state == "failed" else _(STATES[one.state][1]),
        )
        for one in found
    ]


def _arrivals(settings: Settings, person: Person) -> list[Latest]:
    """The last deliveries that this person may see."""
    if may(person, "delivery.read_feeds"):
        scope, place = scope_of(person, "delivery.read_feeds"), "/all-deliveries"
    elif may(person, "delivery.read_own"):
        scope, place = own_feeds(person.organisation), "/deliveries"
    else:
        return []
    listed = deliveries.list_deliveries(settings, deliveries.DeliveryFilter(scope), size=SHOWN)
    return [_arrival(line, place) for line in listed.lines]


def _arrival(line: deliveries.Line, place: str) -> Latest:
    kind, state = state_words(line.state)
    rejected = line.rows_quarantined or 0
    return Latest(
        path=f"{place}/{line.delivery_id}",
        what=line.file_name,
        at=line.received_at,
        kind="warn" if rejected and kind == "good" else kind,
        state=state,
        more=_("rows to correct: {count}", count=number(rejected)) if rejected else "",
    )
