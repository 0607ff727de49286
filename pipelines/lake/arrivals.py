"""Which deliveries have a verdict, and where the files are that the verdict speaks of.

Not here: reaching a verdict (`validate`) and taking a delivery into the lake (`publish.py`).
"""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError
from upath import UPath

from pipelines.lake.storage import LakeError
from pipelines.landing.receive import RECEIPT, Receipt, local_file
from pipelines.settings import Settings
from pipelines.validate.verdict import FILE_NAME as VERDICT
from pipelines.validate.verdict import Verdict, read_verdict
from schemas.contract import load_contract
from schemas.sqltext import literal

if TYPE_CHECKING:
    import duckdb

ACCEPTED = "accepted.parquet"
QUARANTINED = "quarantined.parquet"
MARK_LETTERS = 12

log = logging.getLogger("passerelle")


@dataclass(frozen=True)
class Arrival:
    """One delivery with its verdict."""

    folder: UPath
    receipt: Receipt
    verdict: Verdict

    @property
    def delivery_id(self) -> str:
        """The id under which the lake knows it."""
        return self.verdict.delivery_id

    @property
    def attempt(self) -> str:
        """What the lake remembers having taken in: the delivery, or this one refusal of it.

        A refusal may be followed by another verdict, once the feed or the program is mended.
        """
        if self.verdict.is_accepted:
            return self.delivery_id
        return attempt_of(self.delivery_id, self.verdict.harmonised_at)

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
    def account(self) -> dict[str, Any]:
        """Its row in the table `deliveries`."""
        said = self.receipt.model_dump() | self.verdict.model_dump()
        said["findings"] = [finding.code for finding in self.verdict.findings]
        said["received_at"] = self.receipt.received_at.isoformat()
        return {c.name: said.get(c.name) for c in load_contract("deliveries").published}


def attempt_of(delivery_id: str, refused_at: dt.datetime) -> str:
    """The name of one refusal of a delivery."""
    return f"{delivery_id} refused {refused_at.isoformat()}"


def arrivals(
    settings: Settings,
    known: Collection[str] = (),
    on_unreadable: Callable[[str], None] | None = None,
) -> list[Arrival]:
    """Every delivery with a verdict, in the order of their ids, without the attempts `known`.

    An accepted delivery is told by its folder, so that a landing place of years is not read again.
    One whose receipt or verdict is damaged is passed over: its id is logged, or given away.
    """
    tell = on_unreadable or (lambda delivery: log.error("%s: verdict unreadable", delivery))
    found = []
    for folder in (file.parent for file in settings.landing.glob(f"*/*/{VERDICT}")):
        if (delivery_id := _id_of(folder)) in known:
            continue
        try:
            found.append(_arrival(folder))
        except (ValidationError, FileNotFoundError):
            tell(delivery_id)
    found = [one for one in found if one.attempt not in known]
    return sorted(found, key=lambda one: one.delivery_id)


def local_copy(arrival: Arrival, file_name: str, folder: Path) -> str:
    """The path of a file of the delivery that DuckDB can open; copied to `folder` if remote."""
    return local_file(arrival.folder / file_name, folder / arrival.delivery_id).as_posix()


def verify_files(
    connection: duckdb.DuckDBPyConnection,
    arrival: Arrival,
    folder: Path,
    taken: Collection[str] = (),
) -> None:
    """Compare the files of a delivery with its verdict, but those that the lake has `taken` in.

    Raises LakeError where one is missing, cannot be read or has another number of rows.
    """
    import duckdb

    for file_name, expected in (
        (ACCEPTED, arrival.rows_accepted),
        (QUARANTINED, arrival.rows_quarantined),
    ):
        if not expected or file_name in taken:
            continue
        said = {"delivery": arrival.delivery_id, "file": file_name}
        try:
            path = local_copy(arrival, file_name, folder)
            row = connection.execute(
                f"SELECT num_rows FROM parquet_file_metadata({literal(path)})"
            ).fetchone()
        except (duckdb.Error, OSError) as error:
            raise LakeError("{file} of {delivery} is missing or cannot be read.", **said) from error
        rows = row[0] if row else 0
        if rows != expected:
            raise LakeError(
                "{file} of {delivery} has {rows} rows; its verdict says {expected}.",
                rows=rows,
                expected=expected,
                **said,
            )


def _id_of(folder: UPath) -> str:
    return f"{folder.parent.name}.{folder.name[:MARK_LETTERS]}"


def _arrival(folder: UPath) -> Arrival:
    receipt = Receipt.model_validate_json((folder / RECEIPT).read_text(encoding="utf-8"))
    return Arrival(folder, receipt, read_verdict(folder))
