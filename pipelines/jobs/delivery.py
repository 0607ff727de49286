"""The job behind an upload: keep the file as a delivery, judge it, publish it.

It may be run again after a kill at any moment and ends the same: the same bytes are the same
delivery, a verdict stands, what is published is not published twice. The upload goes last.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from pipelines.core.settings import Settings
from pipelines.landing.receive import Delivery, open_delivery

KIND = "delivery"
ANSWER = "answer"  # about a delivery: its rows find their place
# What a worker of the queue imports before the first upload is there: it takes some seconds.


def take_in(settings: Settings, request: Mapping[str, Any]) -> dict[str, Any]:
    """Judge and publish what was uploaded; returns the delivery's id and its state.

    `is_known` says that the same file had come before. Raises FileNotFoundError where neither the
    upload nor the delivery is there, OSError, LakeError and LedgerError where a place is out of
    reach.
    """
    from pipelines.ingest.ingest import judge, write_audit_pages
    from pipelines.ingest.publish import note_repeated, publish

    # A name that we made; should a job's request be tampered with, it still names no other place.
    upload = settings.uploads / Path(request["file"]).name
    try:
        delivery = _landed(settings, request["delivery_id"]) or _land(settings, request, upload)
        verdict = judge(settings, delivery.delivery_id)
        publish(settings, [delivery.delivery_id], actor=request["received_by"])
    except Exception:
        upload.unlink(missing_ok=True)  # its sender is told to send it again
        raise
    upload.unlink(missing_ok=True)
    if is_known := delivery.receipt.received_at != _moment(request):
        note_repeated(settings, delivery, by=request["received_by"])
    with suppress(OSError):
        write_audit_pages(settings)
    return {
        "delivery_id": delivery.delivery_id,
        "state": verdict.state,
        "is_known": is_known,
    }


def apply_answer(settings: Settings, request: Mapping[str, Any]) -> dict[str, Any]:
    """Publish a delivery anew of which somebody said what it is. Raises LakeError, LedgerError."""
    from pipelines.ingest.publish import publish

    delivery_id = str(request["delivery_id"])
    publish(settings, [delivery_id], actor=str(request["answered_by"]))
    return {"delivery_id": delivery_id}


def _land(settings: Settings, request: Mapping[str, Any], upload: Path) -> Delivery:
    from pipelines.ingest.ingest import land

    return land(
        settings,
        request["feed"],
        upload,
        received_at=_moment(request),
        received_by=request["received_by"],
        origin=request["origin"],
        file_name=request["file_name"],
    )


def _moment(request: Mapping[str, Any]) -> dt.datetime:
    return dt.datetime.fromisoformat(request["received_at"])


def is_judged_since(settings: Settings, request: Mapping[str, Any]) -> bool:
    """True where this very upload has its verdict, though it may not be published yet."""
    from pipelines.ingest.ingest import is_judged

    delivery = _landed(settings, str(request["delivery_id"]))
    is_this = delivery is not None and delivery.receipt.received_at == _moment(request)
    return is_this and is_judged(settings, str(request["delivery_id"]))


def _landed(settings: Settings, delivery_id: str) -> Delivery | None:
    try:
        return open_delivery(settings, delivery_id)
    except KeyError:
        return None
