"""Judge accepted deliveries again, say what that would change, and let it stand if somebody wishes.

Not here: how a delivery is judged (`ingest`), and what another judgement does to the tables
(`lake/rejudgement.py`, and `lake/migrate.py` where their form changed).

A judgement that nobody let stand is a proposal: it lies beside the delivery, changes nothing, and
is used again while everything declared is as it was. Letting it stand gives it a folder of its own
and a verdict; the verdict before, with its files, stays where it is.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache, partial
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from upath import UPath

from pipelines.core.duck import connect_scratch, scratch_folder
from pipelines.core.processes import run_in_processes
from pipelines.core.settings import PROGRAM_VERSION, Settings
from pipelines.ingest.ingest import (
    FEWEST_TO_SPREAD,
    HEAVY_MODULES,
    PARTS,
    Progress,
    evaluate,
)
from pipelines.ingest.ingest import SMALL_BYTES as SMALL
from pipelines.ingest.publish import judged_entry
from pipelines.lake.judged_deliveries import JudgedDelivery
from pipelines.lake.publish import read_incoming
from pipelines.lake.rejudgement import RowChange, find_changes
from pipelines.lake.storage import let_read
from pipelines.lake.tables import addressed_files, existing_table
from pipelines.landing.receive import Delivery
from pipelines.ledger.chain import NewEntry, append_all
from pipelines.ledger.holders import Held, holders
from pipelines.validate.verdict import (
    JUDGEMENTS,
    Verdict,
    move_part,
    read_verdict,
    write_verdict,
)
from schemas.codelist import codelist_names, codelist_path
from schemas.contract import load_contract
from schemas.feed import load_feed

PROPOSAL = "proposal"
FILE_NAME = "proposal.json"
REJUDGED = "delivery.rejudged"


@dataclass(frozen=True)
class Proposal:
    """Another judgement of a delivery, its three files in `folder`, beside the one that stands."""

    delivery: Delivery
    before: Verdict
    verdict: Verdict
    folder: UPath

    @property
    def judged_anew(self) -> JudgedDelivery:
        """What the lake would take in."""
        return JudgedDelivery(self.folder, self.delivery.receipt, self.verdict)


@dataclass(frozen=True)
class Change:
    """What proposals for one table would change, and which extracts hold those records."""

    table: str
    deliveries: dict[str, RowChange]
    columns: dict[str, int]
    withdrawn: int
    shown_again: int
    extracts: tuple[Held, ...] = field(hash=False)

    @property
    def rows(self) -> RowChange:
        """All deliveries together."""
        every = self.deliveries.values()
        return RowChange(
            sum(one.changed for one in every),
            sum(one.come for one in every),
            sum(one.gone for one in every),
        )


def propose(
    settings: Settings,
    deliveries: Sequence[Delivery],
    *,
    workers: int = 1,
    keeps_order: bool = False,
    on_progress: Progress | None = None,
) -> list[Proposal]:
    """Judge accepted deliveries again; nothing that stands is changed. Raises OSError.

    With `keeps_order`, those of a version that kept no day stand at their receipt as they did then.

    Small files are spread over `workers` processes, so the caller's main module must be importable.
    """
    small = [one for one in deliveries if one.receipt.bytes <= SMALL]
    large = [one for one in deliveries if one.receipt.bytes > SMALL]
    count = workers if len(small) >= FEWEST_TO_SPREAD else 1
    work = partial(_propose, settings, keeps_order)
    found: dict[str, Proposal] = {}
    for some, hands in ((small, count), (large, 1)):
        for one, proposal in run_in_processes(work, some, hands, HEAVY_MODULES):
            found[one.delivery_id] = proposal
            if on_progress:
                on_progress(len(found), len(deliveries), one.delivery_id)
    return [found[one.delivery_id] for one in deliveries]


def _propose(settings: Settings, keeps_order: bool, delivery: Delivery) -> Proposal:
    before = read_verdict(delivery.folder)
    place = delivery.folder / JUDGEMENTS / PROPOSAL
    at_receipt = keeps_order and before.as_of is None
    declarations = declared_by(settings, delivery.feed) + (" at receipt" if at_receipt else "")
    if (known := _proposed(place)) and (known.declarations, known.follows) == (
        declarations,
        before.harmonised_at,
    ):
        return Proposal(delivery, before, known, place)
    _remove(place)
    with scratch_folder(settings, "judge") as folder:
        verdict = evaluate(settings, delivery, folder, page=f"{delivery.delivery_id}.again")
        verdict = verdict.model_copy(
            update={"follows": before.harmonised_at, "declarations": declarations}
            | ({"as_of": None, "as_of_from": None} if at_receipt else {})
        )
        place.mkdir(parents=True, exist_ok=True)
        for part in PARTS if verdict.is_accepted else ():
            move_part(folder / f"{part}.parquet", place / f"{part}.parquet")
    (place / FILE_NAME).write_text(verdict.model_dump_json(indent=1) + "\n", encoding="utf-8")
    return Proposal(delivery, before, verdict, place)


def _proposed(place: UPath) -> Verdict | None:
    try:
        return Verdict.model_validate_json((place / FILE_NAME).read_bytes())
    except (FileNotFoundError, NotADirectoryError, ValidationError):
        return None


def declared_by(settings: Settings, feed: str) -> str:
    """A fingerprint of all that a judgement of this feed depends on besides the file itself."""
    declared = load_feed(feed)
    contract = load_contract(declared.table).fingerprint
    digest = hashlib.sha256(f"{PROGRAM_VERSION} {contract}".encode())
    for file in sorted(declared.folder.rglob("*")):
        if file.is_file() and "examples" not in file.parent.name:
            digest.update(file.name.encode() + file.read_bytes())
    digest.update(_code_lists().encode())
    for file in sorted(settings.reference.rglob("*.parquet")):  # boundaries are large: not read
        if "geofence" not in file.name:  # made of the others
            digest.update(f"{file.name} {file.stat().st_size} {file.stat().st_mtime_ns}".encode())
    return digest.hexdigest()


@cache
def _code_lists() -> str:
    digest = hashlib.sha256()
    for name in codelist_names():
        digest.update(codelist_path(name).read_bytes())
    return digest.hexdigest()


def changes(settings: Settings, proposals: Sequence[Proposal]) -> list[Change]:
    """What letting them stand would change, table by table. Raises LedgerError, OSError."""
    tables = sorted({one.verdict.table_name for one in proposals})
    return [
        _change(settings, table, [one for one in proposals if one.verdict.table_name == table])
        for table in tables
    ]


def _change(settings: Settings, table: str, proposals: Sequence[Proposal]) -> Change:
    contract, delta = load_contract(table), existing_table(settings, table)
    lake = addressed_files(settings, delta) if delta is not None else {}
    judged = [one.judged_anew for one in proposals]
    with scratch_folder(settings, "change") as folder, connect_scratch(settings) as connection:
        let_read(connection, settings)
        read_incoming(connection, contract, [one for one in judged if one.rows_accepted], folder)
        ids = [one.delivery_id for one in judged]
        found = find_changes(connection, contract, lake, ids)
        return Change(
            table,
            {delivery: found.deliveries.get(delivery, RowChange()) for delivery in ids},
            found.columns,
            found.withdrawn,
            found.shown_again,
            tuple(holders(settings, connection, "differing")),
        )


def let_stand(
    settings: Settings,
    proposals: Sequence[Proposal],
    found: Sequence[Change] = (),
    *,
    actor: str,
) -> list[Verdict]:
    """Give each proposal its verdict from now on, and write that down. LedgerError, OSError.

    The tables follow with the next publish, which a caller asks for.
    """
    rows = {delivery: one for change in found for delivery, one in change.deliveries.items()}
    stood = []
    for one in proposals:
        moment = dt.datetime.now(dt.UTC).replace(tzinfo=None)
        verdict = one.verdict.model_copy(update={"harmonised_at": moment})
        write_verdict(_moved(one.folder, verdict.folder_name), verdict)
        entry = _entry(one, verdict, rows.get(verdict.delivery_id), actor)
        append_all(settings, [judged_entry(one.delivery, verdict), entry])
        stood.append(verdict)
    return stood


def _entry(proposal: Proposal, verdict: Verdict, rows: RowChange | None, actor: str) -> NewEntry:
    counted = ("state", "rows_accepted", "rows_quarantined", "feed_version", "contract_version")
    sides = (("before", proposal.before), ("after", verdict))
    details: dict[str, Any] = {
        side: {name: getattr(one, name) for name in counted} for side, one in sides
    }
    details |= {"feed": verdict.feed, "table": verdict.table_name}
    if rows:
        details["rows"] = vars(rows)
    return NewEntry(REJUDGED, actor, verdict.source, verdict.delivery_id, details)


def _moved(folder: UPath, name: str) -> UPath:
    """The files of a proposal under the name of a judgement; it has no verdict yet."""
    target = folder.parent / name
    if isinstance(folder, Path):
        (folder / FILE_NAME).unlink()
        folder.rename(target)
        return target
    for part in PARTS:
        if (folder / f"{part}.parquet").exists():
            folder.fs.mv((folder / f"{part}.parquet").path, (target / f"{part}.parquet").path)
    _remove(folder)
    return target


def dismiss(proposals: Sequence[Proposal]) -> None:
    """Forget proposals that nobody wants."""
    for one in proposals:
        _remove(one.folder)


def _remove(folder: UPath) -> None:
    if isinstance(folder, Path):
        shutil.rmtree(folder, ignore_errors=True)
    elif folder.exists():
        folder.fs.rm(folder.path, recursive=True)
