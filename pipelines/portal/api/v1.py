"""The first version of the API: the same capabilities as the pages, for programs.

Who may do what is said by the same actions as for the pages.

A program shows a personal token (`Authorization: Bearer psl_…`) and nothing else: cookies are not
looked at, so another site's page cannot make a browser change anything here. The description is at
`/api/v1/openapi.json`; the page that shows it is ours and loads nothing from elsewhere.
"""

from __future__ import annotations

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, JSONResponse

from pipelines.portal.api import analysis, consents, deliveries, description, extracts, oversight
from pipelines.portal.security.limits import limited
from pipelines.portal.web.access import public
from pipelines.portal.web.page import page

router = APIRouter(prefix="/api/v1")
for part in (analysis, extracts, deliveries, consents, oversight):
    router.include_router(part.router, dependencies=[Depends(limited("api"))])


@router.get("/openapi.json", include_in_schema=False, dependencies=[Depends(public)])
def openapi(request: Request) -> JSONResponse:
    """The description of the API (OpenAPI 3.1)."""
    return JSONResponse(description.described(request.app))


@router.get("", include_in_schema=False, dependencies=[Depends(public)])
def documentation(request: Request) -> HTMLResponse:
    """The same as a page that people read."""
    return page(request, "api/index.html", groups=description.groups(request.app))
