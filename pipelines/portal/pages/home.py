"""The first page: what this person can do now, and what is waiting.

Not here: the pages that it leads to.
"""

from __future__ import annotations

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from pipelines.portal.web import Person, allowed, page

router = APIRouter()


@router.get("/")
def home(request: Request, person: Person = Depends(allowed("account.own"))) -> Response:
    """The first page of whoever is signed in."""
    return page(request, "home.html")
