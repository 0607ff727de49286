"""Why an upload is not taken in: each case with its words and the status of its answer."""

from __future__ import annotations

from typing import Any, Literal

from pipelines.core.errors import CodedError, Words, declare
from pipelines.core.i18n import mark

Why = Literal["no_file", "too_large", "no_room", "too_slow", "too_many", "broken", "not_permitted"]

declare(
    {
        "UPL-101 no_file": Words(mark("Choose the file to send."), http_status=422),
        "UPL-101 too_large": Words(
            mark("This file is larger than {limit}. Send it in several parts."), http_status=413
        ),
        "UPL-101 no_room": Words(
            mark(
                "There is no room for this file just now. Nothing of it was kept. Send it again "
                "later, or tell your data desk."
            ),
            http_status=507,
        ),
        "UPL-101 too_slow": Words(
            mark(
                "The file stopped arriving. Nothing of it was kept. Check the connection and send "
                "it again."
            ),
            http_status=408,
        ),
        "UPL-101 too_many": Words(
            mark(
                "Other files are on their way from this account. Wait until they have arrived, "
                "then send this one."
            ),
            http_status=429,
        ),
        "UPL-101 broken": Words(
            mark("The file did not arrive whole. Nothing of it was kept. Send it again."),
            http_status=400,
        ),
        "UPL-101 not_permitted": Words(mark("Choose one of the list."), http_status=422),
    }
)


class UploadError(CodedError):
    """Nothing of this upload was kept; the case chooses the words, `fields` are what was typed."""

    def __init__(self, why: Why, fields: dict[str, str] | None = None, **values: Any) -> None:
        """Keep the reason; a file name is no part of it, since an exception may be logged."""
        super().__init__("UPL-101", why, field="body.file", **values)
        self.fields = dict(fields or {})
        self.api_code = f"WEB-{self.http_status}"

    def __str__(self) -> str:
        """The code and the case."""
        return f"{self.code} {self.case}"
