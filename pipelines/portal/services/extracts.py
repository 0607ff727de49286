"""Extracts that a person asked for: asking, finding, the finished file and may it be fetched."""

from __future__ import annotations

from pathlib import Path

from pipelines.accounts.permissions import Person
from pipelines.core import clock
from pipelines.core.settings import Settings
from pipelines.jobs import extract, queue
from pipelines.jobs.queue import JobView
from pipelines.portal.services import AbsentError
from pipelines.portal.words import _, language
from pipelines.release.disclosure.outdated import outdated_extracts
from pipelines.release.errors import ReleaseError
from pipelines.release.policy.permits import who_may
from pipelines.release.request import Request
from schemas.agreement_folder import load_agreements


def ask(settings: Settings, person: Person, wanted: Request) -> str:
    """Put the making of an extract into the queue; the id of the job. Raises TooManyJobsError."""
    return queue.submit(settings, person, extract.KIND, extract.work_of(wanted, person))


def find(settings: Settings, job_id: str, person: Person) -> JobView:
    """The job, for its owner and colleagues. Raises AbsentError."""
    job = queue.job_of(settings, job_id, person, extract.KIND)
    if job is None:
        raise AbsentError
    return job


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
            as_of=clock.now().date(),
        )
    except ReleaseError as refused:
        return refused.text(language())
    clauses = job.result.get("clauses", ())
    if gone := set(clauses) - {one.full_name for one in allowed.permits}:
        return _(
            "A clause by which it was made is no longer open: {clauses}.",
            clauses=", ".join(sorted(gone)),
        )
    terms = extract.terms(allowed, clauses)
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
