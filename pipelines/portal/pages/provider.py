"""The provider's pages: send a file, follow it, read what was wrong with it, look back."""

from __future__ import annotations

from fastapi import FastAPI

from pipelines.accounts.permissions import Person
from pipelines.portal.pages.delivery_pages import Actions, Desk, desk_router
from pipelines.portal.services import uploads
from pipelines.portal.services.scope import own_feeds

BASE = "/deliveries"
ACTIONS = Actions("delivery.upload", "delivery.read_own", "rejections.read_own")


def begin(app: FastAPI) -> None:
    """What killed processes left half taken goes before anybody sends anything."""
    uploads.sweep(app.state.settings)


def desk_of(person: Person) -> Desk:
    """The deliveries of the person's organisation, with what it sent itself."""
    return Desk(BASE, own_feeds(person.organisation), shows_cells=True)


router = desk_router(BASE, ACTIONS, desk_of)
