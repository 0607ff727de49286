"""The job behind a request for an extract, what is kept of it, and may it still be fetched.

Not here: making the extract (`pipelines/release/extract.py`), the queue (`jobs.py`), the pages.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.accounts.faults import AccountRefused
from pipelines.accounts.people import person as person_of_id
from pipelines.accounts.permissions import Person, may
from pipelines.core.i18n import mark
from pipelines.core.settings import Settings
from pipelines.portal.jobs import JobView
from pipelines.portal.menus import kept, restored, today
from pipelines.portal.words import _, language
from pipelines.release.disclosure.outdated import outdated_extracts
from pipelines.release.policy.permits import PermitSet, who_may
from pipelines.release.refusals import ReleaseRefused
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


def asked(request: Request, person: Person) -> dict[str, Any]:
    """What the job is asked; for whom it is made comes from the person, never from the form."""
    return {**kept(request), "recipient": person.organisation, "made_by": person.name}


def make(settings: Settings, job: JobView, told: Callable[..., None]) -> Mapping[str, Any]:
    """Make the extract of a job. Raises ReleaseRefused; run again, it gives the same file.

    Raises AccountRefused where who asked has lost the right while the job waited.
    """
    from pipelines.release.extract import make_extract

    asker = person_of_id(settings, job.owner)
    is_same = asker is not None and asker.organisation == job.organisation
    if not (is_same and may(asker, "extract.request")):
        raise AccountRefused("ACC-142")

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
        "terms": _terms(open_now, clauses),
        "extract_id": made.extract_id,
        "file": made.file.name,
        "bytes": made.bytes,
        "sha256": made.sha256,
        "rows": made.row_count,
        "handling": manifest.handling.level,
        "clauses": clauses,
    }


def _terms(open_now: PermitSet, clauses: Sequence[str]) -> str:
    """A fingerprint of everything that was agreed about the rows of an extract."""
    agreed: list[Permit | Restriction] = [*open_now.restrictions]
    agreed += [one for one in open_now.permits if one.full_name in clauses]
    said = [f"{one.full_name} {one.model_dump_json()}" for one in agreed]
    return hashlib.sha256("\n".join(sorted(said)).encode()).hexdigest()


def file_of(settings: Settings, job: JobView) -> Path | None:
    """The finished file, where there is one, whole, and it may still be fetched."""
    name = str(job.result.get("file", ""))
    if job.state != "done" or job.is_expired or not name or Path(name).name != name:
        return None
    file = settings.releases / name
    is_whole = file.is_file() and file.stat().st_size == job.result.get("bytes")
    return file if is_whole else None


def closed(settings: Settings, job: JobView) -> str:
    """Why an extract that was made may not be fetched today; empty where it may.

    An agreement that ended, a review that ran out, a clause that says something else now and a new
    restriction close what was made before, too; and records that are told more coarsely since.
    """
    stored = job.request
    try:
        allowed = who_may(
            load_agreements(settings.agreements),
            recipient=job.organisation,
            table=stored["table"],
            purpose=stored["purpose"],
            form=stored["form"],
            as_of=today(),
        )
    except ReleaseRefused as refused:
        return refused.text(language())
    gone = set(job.result.get("clauses", ())) - {one.full_name for one in allowed.permits}
    if gone:
        return _(
            "A clause by which it was made is no longer open: {clauses}.",
            clauses=", ".join(sorted(gone)),
        )
    terms = _terms(allowed, job.result.get("clauses", ()))
    if job.result.get("terms", terms) != terms:
        return _(
            "The agreement, or what a provider holds back, changed since it was made. "
            "Ask for it again."
        )
    if outdated_extracts(settings, str(job.result.get("extract_id", "-"))):
        return _(
            "Some records in it, or counted in it, are told more coarsely since, because too few "
            "like them are left. Ask for it again, and use the new file instead of this one."
        )
    return ""
