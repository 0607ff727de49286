"""Take in the file that a request sends, within the limits of uploads."""

from __future__ import annotations

from fastapi import HTTPException, Request
from starlette.requests import ClientDisconnect

from pipelines.accounts.permissions import Person
from pipelines.core.settings import Settings
from pipelines.portal.security.limits import check_rate
from pipelines.portal.services import uploads
from pipelines.portal.services.upload_errors import UploadError
from pipelines.portal.words import size

# Far beyond any limit of ours, which is in the settings and known only when the server runs.
NO_OTHER_LIMIT = 1 << 60


def _admit_all(_fields: dict[str, str]) -> None:
    """Every field is as good as another."""


async def take(
    request: Request, settings: Settings, person: Person, admit: uploads.Admit = _admit_all
) -> uploads.Upload:
    """The file of a form as it is sent. Raises UploadError; 429 where that is too often."""
    check_rate(request, "upload")
    headers = dict(request.headers)
    try:
        return await uploads.take_upload(
            request.stream(), headers, settings, sender=person.user_id, admit=admit
        )
    except UploadError as refused:
        refused.values["limit"] = size(settings.largest_delivery_bytes)
        raise
    except ClientDisconnect:
        raise HTTPException(400) from None
