"""What the API gives of deliveries, feeds, the ledger and agreements, field by field."""

from __future__ import annotations

import datetime as dt
from typing import Any, Literal

from pydantic import Field

from pipelines.ledger.chain import EVENTS
from pipelines.portal.api.models import Day, Moment, RequestModel, ResponseModel, State, Words

Event = Literal[EVENTS]  # type: ignore[valid-type]


class DeliveryJob(ResponseModel):
    """A file that was taken in and is judged, or that had come before."""

    id: str = Field(description="Of the work; empty where the file was known and is done with.")
    state: State
    delivery_id: str = Field(examples=["caf_police_incidents.164546a59134"])
    is_known: bool = Field(description="True where the same bytes had come before.")
    since: list[Words] = Field(
        default=[],
        description="Of bytes that had come before: when, what later statements stand for its "
        "records, and what would restore what it says.",
    )
    fault: str = ""


class Delivery(ResponseModel):
    """One delivery; counts are null where it was not read."""

    delivery_id: str
    feed: str
    state: Literal["waiting", "accepted", "held", "refused"]
    file_name: str
    sha256: str
    received_at: Moment
    received_by: str
    rows_read: int | None
    rows_accepted: int | None
    rows_quarantined: int | None
    rows_exact_duplicates: int | None
    is_published: bool


class RuleCount(ResponseModel):
    """A rule that rows did not meet."""

    code: str = Field(examples=["INC-203"])
    severity: str = Field(examples=["error"])
    message: Words
    correction: Words
    rows: int
    first_rows: list[str] = Field(description="Where: the first row numbers of the file.")


class Finding(ResponseModel):
    """What is wrong with a file as a whole."""

    code: str = Field(examples=["DEL-702"])
    message: Words


class Question(ResponseModel):
    """What is asked about a delivery of which rows are held: a register, or a correction?"""

    text: Words
    evidence: list[Words]
    rows: int = Field(description="How many rows are held.")
    asked_at: Moment


class DeliveryReport(ResponseModel):
    """What became of one delivery. No cell of it is here; the workbook has them."""

    delivery_id: str
    feed: str
    state: Literal["waiting", "accepted", "held", "refused"]
    received_at: Moment
    is_published: bool
    rows_read: int | None
    rows_accepted: int | None
    rows_quarantined: int | None
    findings: list[Finding]
    rejections: list[RuleCount]
    warnings: list[RuleCount]
    question: Question | None = None


class FeedHealth(ResponseModel):
    """How one feed does; shares are of rows, null where none was judged."""

    feed: str
    title: Words
    deliveries: int
    refused: int
    waiting: int
    last_received_at: Moment | None
    expected_every_days: int
    days_late: int
    rhythm: Literal["on_time", "late", "silent", "never"]
    share_now: float | None = Field(description="Accepted share of the last deliveries.")
    share_before: float | None = Field(description="The same of those before them.")


class Entry(ResponseModel):
    """One entry of the ledger."""

    seq: int
    at: Moment
    event: str = Field(examples=["extract.made"])
    actor: str
    organisation: str
    subject: str
    details: dict[str, Any]
    previous_hash: str
    hash: str


class LedgerFault(ResponseModel):
    """Something in the ledger that is not as it was written."""

    kind: str
    seq: int
    message: str


class LedgerCheck(ResponseModel):
    """What a look through the whole ledger found."""

    entries: int
    anchor: str = Field(description="Keep it elsewhere; a later check can be held against it.")
    faults: list[LedgerFault]


class Agreement(ResponseModel):
    """An agreement and how it stands today."""

    agreement: str
    title: Words
    version: str
    fingerprint: str = Field(description="SHA-256 of its file.")
    status: str = Field(examples=["illustrative"])
    state: Literal["in_force", "ends_soon", "not_yet", "ended"]
    valid_from: dt.date
    valid_until: dt.date
    parties: list[str]


class ClauseAnswer(ResponseModel):
    """One question about a clause and its answer."""

    question: str
    answer: str


class ClauseWords(ResponseModel):
    """A clause in words."""

    clause: str
    summary: str
    in_words: list[ClauseAnswer]


class AgreementInWords(ResponseModel):
    """An agreement and its clauses in the language of the request."""

    about: Agreement
    legal_reference: Words
    permits: list[ClauseWords]
    restrictions: list[ClauseWords]


class TakenExtract(ResponseModel):
    """An extract that was made, for whom, by which clauses."""

    extract_id: str
    made_at: Moment
    made_by: str
    recipient: str
    purpose: str
    table: str
    clauses: list[str]
    rows: int | None
    sha256: str
    downloads: int


class EntryQuery(RequestModel):
    """Which entries of the ledger; days are inclusive, in UTC."""

    event: Event | None = None
    organisation: str = Field(default="", max_length=80)
    actor: str = Field(default="", max_length=200, examples=["minusca.jma"])
    since: Day | None = None
    until: Day | None = None
    page: int = Field(default=1, ge=1, le=1_000_000)


class RecordQuery(RequestModel):
    """A record, by its number."""

    record_id: str = Field(min_length=1, max_length=300, examples=["caf_police:BGI-2026-0001"])


class Download(ResponseModel):
    """Somebody took the file."""

    at: Moment
    by: str
    organisation: str


class Holding(ResponseModel):
    """An extract that holds a record."""

    extract_id: str
    table: str
    clause: str
    form: str
    recipient: str
    purpose: str
    made_at: Moment | None
    made_by: str
    downloads: list[Download]
