"""The verdict on one delivery, kept as `verdict.json` beside it: what was read, what became of it.

Not here: how a verdict is reached (`harmonise`, `audit.py`) and how it is told (`report.py`). A
verdict holds counts, codes and names of columns; no value of a cell.

A delivery that is judged again keeps its first verdict. The later one is in a folder of its own,
`judgements/<moment>/`, with the files that it speaks of; the latest that has a verdict stands.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from upath import UPath

from pipelines.core.findings import OURS, Finding
from pipelines.core.keys import write_whole
from pipelines.core.ownership import OWNER_FILE
from pipelines.core.settings import PROGRAM_VERSION
from pipelines.landing.as_of import Told
from pipelines.validate.audit import Audit
from schemas.contract import load_contract
from schemas.feed import Correction, Statement, load_feed

if TYPE_CHECKING:
    from pipelines.harmonise.run import HarmoniseResult
    from pipelines.landing.receive import Delivery

FILE_NAME = "verdict.json"
JUDGEMENTS = "judgements"
BLOCK_BYTES = 1 << 20
State = Literal["accepted", "refused"]


class StoredFinding(BaseModel):
    """A finding as it is kept: its code, and the values that its words need."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    code: str
    values: dict[str, str | int] = Field(default_factory=dict)

    @property
    def finding(self) -> Finding:
        """The finding, which knows its words."""
        return Finding(self.code, dict(self.values))


class AuditSummary(BaseModel):
    """What the second opinion was, without its details (those are in the Data Docs)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    is_success: bool
    evaluated: int
    counts: dict[str, int] = Field(default_factory=dict)
    data_docs_page: str = ""


class Verdict(BaseModel):
    """What became of one delivery. Row counts are None where the file could not be read at all.

    `as_of` is the day as of which the file speaks, `kind` what it is by its receipt or its feed
    (None: nobody said), `corrections` the columns that make a row a correction whatever the file
    is. They are kept here because a feed may say otherwise later on.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    delivery_id: str
    feed: str
    table_name: str
    source: str
    state: State
    encoding: str = ""
    as_of: dt.date | None = None
    as_of_from: Told | None = None
    kind: Statement | None = None
    corrections: tuple[Correction, ...] = ()
    rows_read: int | None = None
    rows_accepted: int | None = None
    rows_quarantined: int | None = None
    rows_exact_duplicates: int | None = None
    reason_counts: dict[str, int] = Field(default_factory=dict)
    warning_counts: dict[str, int] = Field(default_factory=dict)
    findings: list[StoredFinding] = Field(default_factory=list)
    audit: AuditSummary | None = None
    program_version: str = PROGRAM_VERSION
    feed_version: str
    contract_version: str
    harmonised_at: dt.datetime
    # Of a delivery that was judged again: when the verdict before was reached, and a fingerprint
    # of everything declared that this one was reached by.
    follows: dt.datetime | None = None
    declarations: str = ""
    files: dict[str, str] = Field(default_factory=dict)  # SHA-256 of each, by part; once accepted

    @property
    def digest(self) -> str:
        """SHA-256 of what was found and of its files, whenever it was and wherever its page is."""
        found = self.model_dump_json(
            exclude={"harmonised_at": True, "follows": True, "audit": {"data_docs_page"}}
        )
        return hashlib.sha256(found.encode()).hexdigest()

    @property
    def is_accepted(self) -> bool:
        """True where the accepted rows may be published."""
        return self.state == "accepted"

    @property
    def is_our_fault(self) -> bool:
        """True where the file is refused for a fault that its sender cannot mend."""
        return not self.is_accepted and any(one.code in OURS for one in self.findings)

    @property
    def folder_name(self) -> str:
        """The name of the folder of this judgement, where the delivery was judged before."""
        return moment_name(self.harmonised_at)


def moment_name(moment: dt.datetime) -> str:
    """A moment in UTC as part of a name: names in order are moments in order."""
    return f"{moment:%Y%m%dT%H%M%S%f}"


def reach_verdict(
    delivery_id: str,
    feed: str,
    *,
    harmonised: HarmoniseResult | None,
    audit: Audit | None,
    findings: list[Finding],
    harmonised_at: dt.datetime,
    kind: Statement | None = None,
) -> Verdict:
    """The verdict of a delivery: accepted when it was read, audited, and nothing stops it.

    `findings` are those of reading; the audit's own problems are added. `harmonised_at` is UTC;
    `kind` is what the receipt says of it, which goes before what the feed says.
    """
    declared = load_feed(feed)
    contract = load_contract(declared.table)
    every = [*findings, *(audit.problems if audit else [])]
    is_stopped = any(finding.is_error for finding in every)
    is_clean = audit is not None and audit.is_success and not is_stopped
    return Verdict(
        delivery_id=delivery_id,
        feed=feed,
        table_name=contract.table,
        source=declared.source,
        state="accepted" if harmonised and is_clean else "refused",
        findings=[StoredFinding(code=f.code, values=f.values) for f in every],
        audit=_summary(audit) if audit else None,
        kind=kind or declared.deliveries,
        corrections=declared.corrections,
        feed_version=declared.version,
        contract_version=contract.version,
        harmonised_at=harmonised_at.replace(tzinfo=None),
        files=_digests(harmonised) if harmonised and is_clean else {},
        **(_counts(harmonised) if harmonised else {}),
    )


def write_verdict(folder: UPath, verdict: Verdict) -> UPath:
    """Write `verdict.json` into the delivery's folder, whole or not at all; returns its place."""
    place = folder / FILE_NAME
    keep_whole(place, verdict.model_dump_json(indent=1).encode() + b"\n")
    return place


def keep_whole(place: UPath, data: bytes) -> None:
    """Write a small file beside a receipt, whole or not at all, over what stands there."""
    if isinstance(place, Path):
        write_whole(place, data, OWNER_FILE, replace=True)
    else:
        place.write_bytes(data)  # an object store shows an object once it is whole


def move_part(source: Path, target: UPath) -> None:
    """Put a finished file in its place; on this machine by renaming, else by copying."""
    if isinstance(target, Path):
        shutil.move(source, target)
        return
    with source.open("rb") as stream, target.open("wb") as copy:
        shutil.copyfileobj(stream, copy, BLOCK_BYTES)


def standing_folder(folder: UPath) -> UPath:
    """Where the standing verdict of a delivery is, with the files that it speaks of."""
    try:
        found = sorted((one for one in (folder / JUDGEMENTS).iterdir()), key=lambda one: one.name)
    except (FileNotFoundError, NotADirectoryError):
        return folder
    return next((one for one in reversed(found) if (one / FILE_NAME).exists()), folder)


def earlier_verdicts(folder: UPath) -> list[Verdict]:
    """The verdicts of a delivery that stand no longer, the first one first."""
    standing = standing_folder(folder)
    if standing == folder:
        return []
    later = sorted((folder / JUDGEMENTS).iterdir(), key=lambda one: one.name)
    places = [folder, *(one for one in later if one.name < standing.name)]
    return [_read(one) for one in places if (one / FILE_NAME).exists()]


def read_verdict(folder: UPath) -> Verdict:
    """The standing verdict of the delivery in this folder.

    Raises FileNotFoundError where there is none yet, and where what stands there is no verdict (a
    damaged disk): the delivery is then judged anew.
    """
    return _read(standing_folder(folder))


def verdict_of(delivery: Delivery) -> Verdict | None:
    """The verdict of a delivery, None while it has none."""
    try:
        return read_verdict(delivery.folder)
    except FileNotFoundError:
        return None


def _read(folder: UPath) -> Verdict:
    try:
        return Verdict.model_validate_json((folder / FILE_NAME).read_bytes())
    except ValidationError:
        raise FileNotFoundError(f"{folder / FILE_NAME} is damaged") from None


def _summary(audit: Audit) -> AuditSummary:
    return AuditSummary(
        is_success=audit.is_success,
        evaluated=audit.evaluated,
        counts=audit.counts,
        data_docs_page=str(audit.data_docs_page or ""),
    )


def _digests(harmonised: HarmoniseResult) -> dict[str, str]:
    """The fingerprint of each file that is kept beside an accepting verdict."""
    found = {}
    for part in ("accepted", "quarantined", "duplicates"):
        with getattr(harmonised, part).open("rb") as stream:
            found[part] = hashlib.file_digest(stream, "sha256").hexdigest()
    return found


def _counts(harmonised: HarmoniseResult) -> dict[str, Any]:
    return {
        "encoding": harmonised.text_rows.encoding or "",
        "as_of": harmonised.as_of.day,
        "as_of_from": harmonised.as_of.told_by,
        "rows_read": harmonised.rows_read,
        "rows_accepted": harmonised.rows_accepted,
        "rows_quarantined": harmonised.rows_quarantined,
        "rows_exact_duplicates": harmonised.rows_exact_duplicates,
        "reason_counts": harmonised.reason_counts,
        "warning_counts": harmonised.warning_counts,
    }
