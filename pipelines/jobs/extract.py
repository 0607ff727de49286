"""The job that makes an extract: what it is asked, doing it, what is kept of it."""

from __future__ import annotations

import dataclasses
import datetime as dt
import hashlib
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pipelines.accounts.errors import AccountError
from pipelines.accounts.people import person as person_of_id
from pipelines.accounts.permissions import Person, may
from pipelines.core.i18n import mark
from pipelines.core.settings import Settings
from pipelines.jobs.queue import JobView
from pipelines.release.policy.permits import PermitSet, who_may
from pipelines.release.request import Request
from schemas.agreement import Permit, Restriction
from schemas.agreement_folder import load_agreements

if TYPE_CHECKING:
    from pipelines.release.extract import Extract

KIND = "extract"
STAGES = {  # in the order in which `make_extract` tells of them
    "gather": mark("Choosing what the agreement lets out"),
    "write": mark("Writing the file"),
    "pack": mark("Signing it"),
    "done": mark("Putting it in its place"),
}
LISTS = ("columns", "dimensions", "measures", "areas", "offences")


def work_of(request: Request, person: Person) -> dict[str, Any]:
    """What the job is asked; for whom it is made comes from the person, never from the form."""
    return {**stored(request), "recipient": person.organisation, "made_by": person.name}


def stored(request: Request) -> dict[str, Any]:
    """A request as a job keeps it."""
    return {
        **{name: getattr(request, name) for name in ("table", "recipient", "purpose", "form")},
        **{name: list(getattr(request, name)) for name in LISTS},
        "as_of": request.as_of.isoformat(),
        "since": request.since.isoformat() if request.since else "",
        "until": request.until.isoformat() if request.until else "",
        "format": request.format,
        "language": request.language,
    }


def restored(kept: Mapping[str, Any]) -> Request:
    """The request that a job keeps."""
    fields: dict[str, Any] = {one.name: kept[one.name] for one in dataclasses.fields(Request)}
    fields |= {name: tuple(kept[name]) for name in LISTS}
    for name in ("as_of", "since", "until"):
        fields[name] = dt.date.fromisoformat(kept[name]) if kept[name] else None
    return Request(**fields)


def make(settings: Settings, job: JobView, told: Callable[..., None]) -> Mapping[str, Any]:
    """Make the extract of a job. Raises ReleaseError; run again, it gives the same file.

    Raises AccountError where who asked has lost the right while the job waited.
    """
    from pipelines.release.extract import make_extract

    asker = person_of_id(settings, job.owner)
    is_same = asker is not None and asker.organisation == job.organisation
    if not (is_same and may(asker, "extract.request")):
        raise AccountError("ACC-142")

    def progress(done: int, total: int, _what: str) -> None:
        told([*STAGES][min(done, len(STAGES) - 1)], done, total)

    made = make_extract(
        settings,
        restored(job.request),
        made_by=job.request["made_by"],
        organisation=job.organisation,
        progress=progress,
    )
    return result_of(made, settings)


def result_of(made: Extract, settings: Settings) -> dict[str, Any]:
    """What is kept of a finished extract."""
    manifest = made.manifest
    clauses = [one.clause for one in manifest.clauses]
    open_now = who_may(
        load_agreements(settings.agreements),
        recipient=manifest.recipient.code,
        table=manifest.table,
        purpose=manifest.purpose.code,
        form=manifest.form,
        as_of=manifest.as_of,
    )
    return {
        "terms": terms(open_now, clauses),
        "extract_id": made.extract_id,
        "file": made.file.name,
        "bytes": made.bytes,
        "sha256": made.sha256,
        "rows": made.row_count,
        "handling": manifest.handling.level,
        "clauses": clauses,
    }


def terms(open_now: PermitSet, clauses: Sequence[str]) -> str:
    """A fingerprint of everything that was agreed about the rows of an extract."""
    agreed: list[Permit | Restriction] = [*open_now.restrictions]
    agreed += [one for one in open_now.permits if one.full_name in clauses]
    said = [f"{one.full_name} {one.model_dump_json()}" for one in agreed]
    return hashlib.sha256("\n".join(sorted(said)).encode()).hexdigest()
