"""A file that a request sends: taken in with its limits, and the status and words of a refusal."""

from __future__ import annotations

from collections.abc import Mapping

from fastapi import HTTPException, Request
from starlette.requests import ClientDisconnect

from pipelines.accounts.permissions import Person
from pipelines.core.i18n import mark
from pipelines.core.settings import Settings
from pipelines.portal.security.limits import check_rate
from pipelines.portal.services import uploads
from pipelines.portal.words import _, size

# Far beyond any limit of ours, which is in the settings and known only when the server runs.
NO_OTHER_LIMIT = 1 << 60
STATUS: Mapping[uploads.Why, int] = {
    "no_file": 422,
    "too_large": 413,
    "no_room": 507,
    "too_slow": 408,
    "too_many": 429,
    "broken": 400,
    "not_permitted": 422,
}
REFUSALS: Mapping[uploads.Why, str] = {
    "no_file": mark("Choose the file to send."),
    "too_large": mark("This file is larger than {limit}. Send it in several parts."),
    "no_room": mark(
        "There is no room for this file just now. Nothing of it was kept. Send it again later, or "
        "tell your data desk."
    ),
    "too_slow": mark(
        "The file stopped arriving. Nothing of it was kept. Check the connection and send it again."
    ),
    "too_many": mark(
        "Other files are on their way from this account. Wait until they have arrived, then send "
        "this one."
    ),
    "broken": mark("The file did not arrive whole. Nothing of it was kept. Send it again."),
    "not_permitted": mark("Choose one of the list."),
}


def _admit_all(_fields: dict[str, str]) -> None:
    """Every field is as good as another."""


async def take(
    request: Request, settings: Settings, person: Person, admit: uploads.Admit = _admit_all
) -> uploads.Upload:
    """The file of a form as it is sent. Raises UploadRefused; 429 where that is too often."""
    check_rate(request, "upload")
    headers = dict(request.headers)
    try:
        return await uploads.take_upload(
            request.stream(), headers, settings, sender=person.user_id, admit=admit
        )
    except ClientDisconnect:
        raise HTTPException(400) from None


def refusal(refused: uploads.UploadRefused, settings: Settings) -> str:
    """Why nothing of a delivery was kept, in a sentence."""
    return _(REFUSALS[refused.why], limit=size(settings.largest_delivery_bytes))
