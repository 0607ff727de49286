"""Which deliveries have a verdict, and where the files are that the verdict speaks of.

Not here: reaching a verdict (`validate`) and taking a delivery into the lake (`publish.py`).
"""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError
from upath import UPath

from pipelines.core.settings import Settings
from pipelines.lake.errors import LakeError
from pipelines.landing.answers import Answer, read_answer
from pipelines.landing.receive import RECEIPT, Receipt, local_file
from pipelines.validate.remarks import read_disagreements
from pipelines.validate.verdict import FILE_NAME as VERDICT
from pipelines.validate.verdict import JUDGEMENTS, Verdict, read_verdict, standing_folder
from schemas.contract import load_contract
from schemas.feed import Correction, Statement
from schemas.sqltext import literal

if TYPE_CHECKING:
    import duckdb

ACCEPTED = "accepted.parquet"
QUARANTINED = "quarantined.parquet"
MARK_LETTERS = 12
CONFIRMED = "confirmed"

log = logging.getLogger("passerelle")


@dataclass(frozen=True)
class JudgedDelivery:
    """One delivery with its verdict; `folder` has the files that the verdict speaks of."""

    folder: UPath
    receipt: Receipt
    verdict: Verdict
    answer: Answer | None = None
    home: UPath | None = None  # where its receipt lies, which is elsewhere once it is judged again

    @property
    def receipt_folder(self) -> UPath:
        """Where its receipt lies, and what the lake remarks on it."""
        return self.home or self.folder

    @property
    def delivery_id(self) -> str:
        """The id under which the lake knows it."""
        return self.verdict.delivery_id

    @property
    def attempt(self) -> str:
        """What the lake remembers having taken in: a judgement, its answer, or one refusal.

        A refusal may be followed by another verdict, once the feed or the program is mended; an
        acceptance by one that somebody asked for, or by an answer about what the delivery is.
        """
        if self.verdict.is_accepted and self.answer:
            return answered(self.judgement, self.answer.answered_at)
        return self.judgement

    @property
    def judgement(self) -> str:
        """The same, whatever was answered."""
        if not self.verdict.is_accepted:
            return attempt_of(self.delivery_id, self.verdict.harmonised_at)
        if self.is_again:
            return judgement_of(self.delivery_id, self.verdict.folder_name)
        return self.delivery_id

    @property
    def is_again(self) -> bool:
        """True where the delivery had been judged before and this verdict took the place of it."""
        return self.verdict.follows is not None

    @property
    def table(self) -> str:
        """The data table that its rows are for."""
        return self.verdict.table_name

    @property
    def rows_accepted(self) -> int:
        """Rows that the lake must hold of it; none of a refused delivery."""
        return (self.verdict.rows_accepted or 0) if self.verdict.is_accepted else 0

    @property
    def rows_quarantined(self) -> int:
        """Rows of an accepted delivery that were set aside."""
        return (self.verdict.rows_quarantined or 0) if self.verdict.is_accepted else 0

    @property
    def as_of(self) -> dt.date | None:
        """As of which day it speaks; None for what was judged before anybody asked."""
        return self.verdict.as_of

    @property
    def kind(self) -> Statement | None:
        """A register or a correction: as answered, else as received or declared; None: unknown."""
        return self.answer.kind if self.answer else self.verdict.kind

    @property
    def statement(self) -> str | None:
        """What each of its rows is: its kind, or a correction confirmed by whoever was asked."""
        if self.answer and self.answer.kind == "correction":
            return CONFIRMED
        return self.kind

    @property
    def corrections(self) -> tuple[Correction, ...]:
        """The columns in which a row says that it is a correction, whatever the delivery is.

        An answer is about the whole file and goes before.
        """
        return () if self.answer else self.verdict.corrections

    @property
    def as_row(self) -> dict[str, Any]:
        """Its row in the table `deliveries`."""
        said = self.receipt.model_dump() | self.verdict.model_dump()
        said["findings"] = [finding.code for finding in self.verdict.findings]
        said["received_at"] = self.receipt.received_at.isoformat()
        said["kind"] = self.kind
        said["report_number"] = self.receipt.report_number or None
        remarks = read_disagreements(self.receipt_folder) if self.verdict.is_accepted else []
        said["disagreements"] = sum(int(one.values["records"]) for one in remarks)
        said["answered_at"] = self.answer.answered_at.isoformat() if self.answer else None
        return {c.name: said.get(c.name) for c in load_contract("deliveries").published}


def attempt_of(delivery_id: str, refused_at: dt.datetime) -> str:
    """The name of one refusal of a delivery."""
    return f"{delivery_id} refused {refused_at.isoformat()}"


def judgement_of(delivery_id: str, moment: str) -> str:
    """The name of an acceptance that took the place of another verdict; `moment` names its folder.

    The first acceptance of a delivery has the name of the delivery alone.
    """
    return f"{delivery_id} judged {moment}"


def answered(judgement: str, answered_at: dt.datetime) -> str:
    """The name of a judgement with the answer of that moment."""
    return f"{judgement} answered {answered_at.astimezone(dt.UTC).isoformat()}"


def judged_deliveries(
    settings: Settings,
    known: Collection[str] = (),
    on_unreadable: Callable[[str], None] | None = None,
    *,
    look_again: Collection[str] = (),
) -> list[JudgedDelivery]:
    """Every delivery with a verdict, in the order of their ids, without the attempts `known`.

    An accepted delivery is told by its folder, so that a landing place of years is not read again,
    but for those that may have been answered since, `look_again`.
    One whose receipt or verdict is damaged is passed over: its id is logged, or given away.
    """
    tell = on_unreadable or (lambda delivery: log.error("%s: verdict unreadable", delivery))
    found = []
    again = _judged_again(settings)
    for folder in (file.parent for file in settings.landing.glob(f"*/*/{VERDICT}")):
        delivery_id, later = _id_of(folder), again.get(str(folder))
        judgement = judgement_of(delivery_id, later) if later else delivery_id
        if judgement in known and delivery_id not in look_again:
            continue
        try:
            found.append(read_judged_delivery(folder))
        except (ValidationError, FileNotFoundError):
            tell(delivery_id)
    found = [one for one in found if one.attempt not in known]
    return sorted(found, key=lambda one: one.delivery_id)


def find_judged_delivery(settings: Settings, delivery_id: str) -> JudgedDelivery | None:
    """The judged delivery of that id; None where there is none, or where it is damaged."""
    feed, _, mark = delivery_id.rpartition(".")
    for file in settings.landing.glob(f"{feed}/{mark}*/{VERDICT}"):
        if _id_of(file.parent) == delivery_id:
            with suppress(ValidationError, FileNotFoundError):
                return read_judged_delivery(file.parent)
    return None


def local_copy(judged: JudgedDelivery, file_name: str, folder: Path) -> str:
    """The path of a file of the delivery that DuckDB can open; copied to `folder` if remote."""
    return local_file(judged.folder / file_name, folder / judged.delivery_id).as_posix()


def verify_files(
    connection: duckdb.DuckDBPyConnection,
    judged: JudgedDelivery,
    folder: Path,
    taken: Collection[str] = (),
) -> None:
    """Compare the files of a delivery with its verdict, but those that the lake has `taken` in.

    Raises LakeError where one is missing, cannot be read or has another number of rows.
    """
    import duckdb

    for file_name, expected in (
        (ACCEPTED, judged.rows_accepted),
        (QUARANTINED, judged.rows_quarantined),
    ):
        if not expected or file_name in taken:
            continue
        said = {"delivery": judged.delivery_id, "file": file_name}
        try:
            path = local_copy(judged, file_name, folder)
            [(rows,)] = connection.execute(
                f"SELECT num_rows FROM parquet_file_metadata({literal(path)})"
            ).fetchall()
        except (duckdb.Error, OSError) as error:
            raise LakeError("missing", **said) from error
        if rows != expected:
            raise LakeError("cut", rows=rows, expected=expected, **said)


def _id_of(folder: UPath) -> str:
    return f"{folder.parent.name}.{folder.name[:MARK_LETTERS]}"


def read_judged_delivery(folder: UPath) -> JudgedDelivery:
    """The delivery in a folder. Raises ValidationError, FileNotFoundError where it is damaged."""
    receipt = Receipt.model_validate_json((folder / RECEIPT).read_text(encoding="utf-8"))
    judged = standing_folder(folder)
    return JudgedDelivery(judged, receipt, read_verdict(folder), read_answer(folder), folder)


def _judged_again(settings: Settings) -> dict[str, str]:
    """The name of the latest judgement, by folder, of deliveries that were judged again."""
    found = settings.landing.glob(f"*/*/{JUDGEMENTS}/*/{VERDICT}")
    places = sorted((file.parent for file in found), key=lambda place: place.name)
    return {str(place.parent.parent): place.name for place in places}
