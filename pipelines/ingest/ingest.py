"""The journey of a delivery up to its verdict: receive, harmonise, audit, verdict.

Not here: the stages themselves, publishing (`lake`), and when anything runs (`assets`, `cli`).

A delivery that cannot be used gets a verdict too (`refused`, with coded findings), and so does one
that meets an error of ours: what goes wrong with one delivery never stops the others. An error of
the disk, the memory or the network says nothing about a delivery: it leaves no verdict and is
raised, so that the next attempt judges the delivery.
"""

from __future__ import annotations

import datetime as dt
import errno
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import duckdb
from upath import UPath

from pipelines.core.duck import scratch_folder
from pipelines.core.findings import DeliveryError, Finding, unexpected
from pipelines.core.processes import run_in_processes
from pipelines.core.settings import PROGRAM_VERSION, Settings
from pipelines.harmonise.run import HarmoniseResult, harmonise
from pipelines.ingest.publish import (
    answer,
    note_judged,
)
from pipelines.landing.inbox import delivery_id_of, fingerprint, inbox_files
from pipelines.landing.receive import Delivery, local_file, open_delivery, receive
from pipelines.ledger.chain import OPERATOR
from pipelines.validate.audit import Audit, audit
from pipelines.validate.verdict import (
    Verdict,
    move_part,
    reach_verdict,
    standing_folder,
    verdict_of,
    write_verdict,
)
from schemas.contract import load_contract
from schemas.feed import Statement, UnknownFeedError, load_feed
from schemas.problem import ContractError

log = logging.getLogger("passerelle")

UNKNOWN_FEED = "DEL-721"
PARTS = ("accepted", "quarantined", "duplicates")
SMALL_BYTES = 32 * 1024**2
# A worker needs about three seconds to be ready, as long as four small files take.
FEWEST_TO_SPREAD = 6
HEAVY_MODULES = ("pipelines.ingest.ingest", "great_expectations")

Progress = Callable[[int, int, str], None]


def ingest(
    settings: Settings,
    feed: str,
    file: str | Path | UPath,
    *,
    received_at: dt.datetime | None = None,
    received_by: str = "",
    origin: str = "",
    again: bool = False,
    kind: Statement | None = None,
) -> Verdict:
    """Take one file in and judge it; the same bytes again give the verdict that they already have.

    With `again`, or once the feed, the contract or the program has another version, a delivery that
    was refused is judged anew; an accepted one never is, since its rows are published. `kind` is
    what whoever hands it in says that it is: of bytes that were there before, an answer.
    Raises DeliveryError (DEL-721) for a feed that is not declared, OSError where a place cannot
    be read or written, ContractError where the feed or its table is not in order.
    """
    delivery = land(
        settings,
        feed,
        file,
        received_at=received_at,
        received_by=received_by,
        origin=origin,
        kind=kind,
    )
    if kind and not delivery.is_new and kind != delivery.receipt.kind:
        answer(settings, delivery.delivery_id, kind, actor=received_by or OPERATOR)
    return judge(settings, delivery.delivery_id, again=again)


def land(
    settings: Settings,
    feed: str,
    file: str | Path | UPath,
    *,
    received_at: dt.datetime | None = None,
    received_by: str = "",
    origin: str = "",
    file_name: str = "",
    kind: Statement | None = None,
) -> Delivery:
    """Keep an unchangeable copy of the file, with its receipt. Raises as `ingest`.

    `file_name` is what the sender calls it, where the file lies here under another name; `kind`
    what whoever delivers it says that it is.
    """
    try:
        load_feed(feed)
    except UnknownFeedError:
        raise DeliveryError(Finding(UNKNOWN_FEED, {"feed": feed})) from None
    return receive(
        settings,
        feed,
        UPath(file),
        origin=origin,
        received_by=received_by,
        received_at=received_at,
        file_name=file_name,
        kind=kind,
    )


def land_again(settings: Settings, delivery_id: str, file: str = "") -> Delivery:
    """The delivery of this id: landed before, or now from `file`, else from the inbox.

    Raises KeyError where the bytes are nowhere to be found, OSError as `ingest`.
    """
    with suppress(KeyError):
        return open_delivery(settings, delivery_id)
    feed = delivery_id.rpartition(".")[0]
    places = [UPath(file)] if file else []
    waiting = (one for one in inbox_files(settings) if one.feed == feed)
    places += [one.file for one in sorted(waiting, key=lambda one: one.modified_s)]
    for place in places:
        if place.exists() and delivery_id_of(feed, fingerprint(place)) == delivery_id:
            return land(settings, feed, place, origin="inbox")
    raise KeyError(delivery_id)


def judge(settings: Settings, delivery_id: str, *, again: bool = False) -> Verdict:
    """The verdict on a landed delivery, reached now unless it has one already, and written down.

    The three Parquet files are moved beside the delivery first and verdict.json last: where a
    verdict is, everything that it speaks of is there too.
    Raises KeyError for a delivery that was never landed, OSError where a place cannot be read or
    written, LedgerError where the ledger cannot, ContractError where its feed or its table is not
    in order; whatever else goes wrong becomes a verdict.
    """
    delivery = open_delivery(settings, delivery_id)
    verdict, is_new = judge_landed(settings, delivery, again=again)
    if is_new:
        note_judged(settings, [(delivery, verdict)])
    return verdict


def judge_landed(settings: Settings, delivery: Delivery, *, again: bool) -> tuple[Verdict, bool]:
    """The verdict, not yet written down, and whether it was reached just now. Raises as `judge`."""
    known = verdict_of(delivery)
    if known is not None and (known.is_accepted or not (again or _is_outdated(known))):
        return known, False
    place = standing_folder(delivery.folder)
    with scratch_folder(settings, "judge") as folder:
        verdict = evaluate(settings, delivery, folder)
        if known is not None and place != delivery.folder:  # a later judgement, of the same rank
            verdict = verdict.model_copy(update={"follows": known.follows})
        if verdict.is_accepted:
            for part in PARTS:
                move_part(folder / f"{part}.parquet", place / f"{part}.parquet")
        elif (other := verdict_of(delivery)) is not None and other.is_accepted:
            return other, False  # reached meanwhile by another process; may be published
        write_verdict(place, verdict)
    log.info("%s: %s", delivery.delivery_id, verdict.state)
    return verdict, True


def _is_outdated(verdict: Verdict) -> bool:
    """True where what was refused might fare otherwise now: a feed was mended, or the program."""
    feed = load_feed(verdict.feed)
    now = (PROGRAM_VERSION, feed.version, load_contract(feed.table).version)
    return now != (verdict.program_version, verdict.feed_version, verdict.contract_version)


@contextmanager
def local_part(settings: Settings, delivery: Delivery, part: str) -> Iterator[Path]:
    """One of the three files of a judged delivery, where DuckDB can open it."""
    with scratch_folder(settings, "part") as folder:
        yield local_file(standing_folder(delivery.folder) / f"{part}.parquet", folder)


def evaluate(settings: Settings, delivery: Delivery, folder: Path, *, page: str = "") -> Verdict:
    """A verdict on the delivery, with the files that it speaks of in `folder`.

    `page` names its page in the Data Docs, where that is not the page of the delivery. Raises
    OSError, ContractError: neither says anything about the delivery.
    """
    harmonised, second_opinion, findings = None, None, []
    try:
        harmonised = harmonise(settings, delivery, folder)
        findings = list(harmonised.text_rows.notes)
        second_opinion = _audit(settings, delivery, harmonised, page or delivery.delivery_id)
    except DeliveryError as refused:
        findings = refused.findings
    except (OSError, ContractError):
        raise  # the disk, the network, the contract: says nothing about the delivery; try again
    except (duckdb.IOException, duckdb.OutOfMemoryException) as error:
        # The same, from the engine, whose own words may quote a cell.
        raise OSError(errno.EIO, type(error).__name__, str(settings.scratch)) from None
    except Exception as error:  # ours; kept from the other deliveries, and its text from any log
        findings = [unexpected(delivery.delivery_id, delivery.receipt.file_name, error)]
    return reach_verdict(
        delivery.delivery_id,
        delivery.feed,
        harmonised=harmonised,
        audit=second_opinion,
        findings=findings,
        harmonised_at=dt.datetime.now(dt.UTC),
        kind=delivery.receipt.kind,
    )


def _audit(settings: Settings, delivery: Delivery, harmonised: HarmoniseResult, page: str) -> Audit:
    return audit(
        load_contract(load_feed(delivery.feed).table),
        harmonised.accepted,
        harmonised.quarantined,
        rows_read=harmonised.rows_read,
        rows_accepted=harmonised.rows_accepted,
        rows_quarantined=harmonised.rows_quarantined,
        rows_exact_duplicates=harmonised.rows_exact_duplicates,
        reason_counts=harmonised.reason_counts,
        warning_counts=harmonised.warning_counts,
        rows_unreadable=harmonised.text_rows.rows_unreadable,
        data_docs=settings.data_docs,
        name=page,
        settings=settings,
    )


def is_judged(settings: Settings, delivery_id: str) -> bool:
    """True where the delivery is landed and has a verdict that stands."""
    try:
        verdict = verdict_of(open_delivery(settings, delivery_id))
    except KeyError:
        return False
    return verdict is not None and (verdict.is_accepted or not _is_outdated(verdict))


def write_audit_pages(settings: Settings, *, is_here: bool = True) -> None:
    """Write the Data Docs of new audits; elsewhere than here where workers have what it takes."""
    from pipelines.validate.data_docs import build_data_docs

    if is_here:
        build_data_docs(settings)
    else:
        list(run_in_processes(build_data_docs, [settings], 1, HEAVY_MODULES, is_here=False))
