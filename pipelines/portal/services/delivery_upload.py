"""A file that was sent becomes work for the queue, unless the same came before and is done with."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from pipelines.accounts.permissions import Person
from pipelines.core.settings import Settings
from pipelines.jobs import delivery, queue
from pipelines.landing.inbox import delivery_id_of
from pipelines.landing.receive import open_delivery
from pipelines.portal.services.deliveries import is_published
from pipelines.portal.services.scope import origin_of
from pipelines.portal.services.uploads import Upload


@dataclass(frozen=True)
class Sent:
    """Which delivery a file is, and the job that judges it; none where it is known already."""

    delivery_id: str
    job_id: str = ""


def hand_over(settings: Settings, person: Person, feed: str, upload: Upload) -> Sent:
    """Put the judging of an upload into the queue. Raises TooManyJobsError, LedgerError.

    The upload is removed where it is known, and where there is no room in the queue.
    """
    work = work_of(upload, feed, person, dt.datetime.now(dt.UTC))
    sent = Sent(work["delivery_id"])
    if is_settled(settings, sent.delivery_id):
        upload.file.unlink(missing_ok=True)
        _note_known(settings, sent.delivery_id, person)
        return sent
    try:
        return Sent(sent.delivery_id, queue.submit(settings, person, delivery.KIND, work))
    except queue.TooManyJobsError:
        upload.file.unlink(missing_ok=True)
        raise


def work_of(upload: Upload, feed: str, person: Person, now: dt.datetime) -> dict[str, Any]:
    """What the job is asked: enough to find the delivery again if the upload is gone."""
    return {
        "feed": feed,
        "file": upload.file.name,
        "file_name": upload.file_name,
        "sha256": upload.sha256,
        "bytes": upload.bytes,
        "received_by": person.name,
        "origin": origin_of(person.organisation),
        "received_at": now.isoformat(),
        "delivery_id": delivery_id_of(feed, upload.sha256),
    }


def is_settled(settings: Settings, delivery_id: str) -> bool:
    """True where the same file came before and nothing is left to do for it."""
    from pipelines.ingest.ingest import is_judged

    return is_judged(settings, delivery_id) and is_published(settings, delivery_id)


def _note_known(settings: Settings, delivery_id: str, person: Person) -> None:
    """Write down that a file which is done with came again. Raises LedgerError."""
    from pipelines.ingest.publish import note_repeated

    note_repeated(settings, open_delivery(settings, delivery_id), by=person.name)
