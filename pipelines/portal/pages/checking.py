"""The page where anybody who is signed in proves a file: who made what for whom, unchanged."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import FileResponse, HTMLResponse, Response

from pipelines.accounts.permissions import Person
from pipelines.core.i18n import mark
from pipelines.core.settings import Settings
from pipelines.portal import words
from pipelines.portal.forms import Form
from pipelines.portal.services import uploads
from pipelines.portal.services.upload_errors import UploadError
from pipelines.portal.web.access import allowed, not_found
from pipelines.portal.web.page import page
from pipelines.portal.web.request import settings_of
from pipelines.portal.web.uploads import take
from pipelines.portal.words import _
from pipelines.release.errors import AuthenticityError
from pipelines.release.package import keys
from pipelines.release.package.verify import AuthenticExtract, verify
from pipelines.release.policy.wording import onward_sharing

LARGEST_BYTES = 2 * 1024**3
BASE = "/verify"
router = APIRouter()
Checking = Depends(allowed("file.verify"))
WHY: dict[str, str] = {
    "no_file": mark("Choose the zip file that you received."),
    "too_large": mark("This file is larger than {limit}, which no extract of ours is."),
    "no_room": mark("There is no room to check a file just now. Try again later."),
    "too_slow": mark("The file stopped arriving. Check the connection and send it again."),
    "too_many": mark("Another file of yours is being checked. Wait for it, then send this one."),
    "broken": mark("The file did not arrive whole. Send it again."),
    "not_permitted": mark("Choose the zip file that you received."),
}


@router.get(BASE)
def form(request: Request, person: Person = Checking) -> HTMLResponse:
    """The form that takes the file."""
    return _page(request)


@router.post(BASE, max_body_size=LARGEST_BYTES + (1 << 20))
async def check(request: Request, person: Person = Checking) -> Response:
    """The answer. The file is forgotten as soon as it is given."""
    settings = replace(settings_of(request), largest_delivery_bytes=LARGEST_BYTES)
    try:
        upload = await take(request, settings, person)
    except UploadError as refused:
        limit = words.size(LARGEST_BYTES)
        fault = Form(errors={"file": _(WHY[refused.case], limit=limit)})
        return _page(request, form=fault, status=refused.http_status)
    try:
        found, wrong = await asyncio.to_thread(_prove, settings, upload)
    finally:
        upload.file.unlink(missing_ok=True)
    name = upload.file_name
    return _page(request, found=found, fault=wrong, name=name, status=422 if wrong else 200)


@router.get(f"{BASE}/public-key.pem")
def public_key(request: Request, person: Person = Checking) -> Response:
    """The key with which anybody can check a file without us."""
    place = keys.public_key_path(settings_of(request))
    if not place.is_file():
        not_found()
    return FileResponse(place, media_type="application/x-pem-file", filename=keys.PUBLIC_NAME)


def _prove(
    settings: Settings, upload: uploads.Upload
) -> tuple[AuthenticExtract | None, AuthenticityError | None]:
    try:
        return verify(upload.file, keys.public_key_path(settings)), None
    except AuthenticityError as fault:
        return None, fault


def _page(request: Request, *, status: int = 200, **values: Any) -> HTMLResponse:
    settings = settings_of(request)
    place = keys.public_key_path(settings)
    has_key = place.is_file()
    shown: dict[str, Any] = {"form": Form(), "found": None, "fault": None, "name": ""}
    return page(
        request,
        "mission/verify.html",
        status=status,
        has_key=has_key,
        key_spoken=keys.spoken(keys.fingerprint(keys.read_public_key(place))) if has_key else "",
        limit=words.size(LARGEST_BYTES),
        key_name=keys.PUBLIC_NAME,
        onward=onward_sharing,
        **(shown | values),
    )
