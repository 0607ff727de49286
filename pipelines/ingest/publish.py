"""Publish, and write down what became of deliveries: verdicts, answers, publications.

Not here: reaching verdicts (`ingest.py`) and the tables (`lake`), which know no ledger.

A verdict or a publish that was killed before its entry could be written gets it at the next
publish: what the table `deliveries` lists is compared with the ledger.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Sequence
from typing import Any

import sqlalchemy as sa

from pipelines.core.settings import Settings
from pipelines.lake.catalogue import connect
from pipelines.lake.errors import NothingPublishedError
from pipelines.lake.publish import Publication
from pipelines.lake.publish import publish as publish_to_lake
from pipelines.lake.questions import read_question
from pipelines.landing.answers import keep_answer
from pipelines.landing.receive import Delivery, open_delivery
from pipelines.ledger.chain import NewEntry, append_all, writing
from pipelines.ledger.database import readings, troubles
from pipelines.ledger.errors import LedgerError
from pipelines.ledger.models import LedgerEntry, LedgerHead
from pipelines.ledger.policy import note_policy
from pipelines.validate.verdict import Verdict
from schemas.feed import Statement, load_feed

JUDGED, PUBLISHED, ANSWERED = "delivery.judged", "delivery.published", "delivery.answered"
REPEATED = "delivery.repeated"
SYSTEM = "system"


def publish(
    settings: Settings,
    delivery_ids: Sequence[str] | None = None,
    *,
    answered_ids: Collection[str] = (),
    actor: str = SYSTEM,
) -> Publication:
    """Publish as `lake.publish` does, and write down which deliveries. Raises LedgerError too.

    Nothing is published while the ledger cannot be written.
    """
    require_writable(settings)
    note_policy(settings, actor=actor)
    done = publish_to_lake(settings, delivery_ids, answered_ids=answered_ids)
    catch_up(settings, actor=actor)
    return done


def require_writable(settings: Settings) -> None:
    """Raise LedgerError where no entry could be written."""
    with writing(settings) as work:
        if work.session.get(LedgerHead, 1) is None:
            raise LedgerError("LED-403")
        work.session.execute(sa.update(LedgerHead).values(seq=LedgerHead.seq))


def judged_entry(delivery: Delivery, verdict: Verdict) -> NewEntry:
    """The entry for a verdict: counts and codes, nothing that the file says."""
    receipt = delivery.receipt
    return _judged(
        {
            **verdict.model_dump(),
            "findings": [finding.code for finding in verdict.findings],
            "received_by": receipt.received_by,
            "origin": receipt.origin,
            "sha256": receipt.sha256,
        }
    )


def note_judged(settings: Settings, judged: Iterable[tuple[Delivery, Verdict]]) -> None:
    """Write verdicts down, all in one transaction. Raises LedgerError."""
    append_all(settings, [judged_entry(delivery, verdict) for delivery, verdict in judged])


def answer(settings: Settings, delivery_id: str, kind: Statement, *, actor: str) -> bool:
    """Keep an answer about what a delivery is, beside its receipt and in the ledger.

    Returns False where the latest answer says the same already. Publishing applies it. Raises
    KeyError for a delivery that is not there, OSError and LedgerError where nothing can be written.
    """
    delivery = open_delivery(settings, delivery_id)
    require_writable(settings)
    said = keep_answer(delivery.folder, delivery_id, kind, actor)
    if said is None:
        return False
    feed = load_feed(delivery.feed)
    details: dict[str, Any] = {
        "feed": feed.feed,
        "kind": kind,
        "answered_at": _moment(said.answered_at),
    }
    if question := read_question(delivery.folder):
        details |= {"rows_held": question.rows, "codes": sorted(question.codes)}
    append_all(settings, [NewEntry(ANSWERED, actor, feed.source, delivery_id, details)])
    return True


def note_repeated(settings: Settings, delivery: Delivery, *, by: str = SYSTEM) -> None:
    """Write down that the bytes of a delivery came again. Raises LedgerError."""
    append_all(settings, [_repeated(delivery, dt.datetime.now(dt.UTC), by)])


def note_new_copies(
    settings: Settings, copies: Sequence[tuple[Delivery, dt.datetime]]
) -> list[Delivery]:
    """Write down copies of deliveries (each with the time of its file) that nobody noted yet.

    Returns the deliveries that came again. Raises LedgerError.
    """
    if not copies:
        return []
    chosen = sa.select(LedgerEntry.subject, LedgerEntry.details).where(
        LedgerEntry.event == REPEATED,
        LedgerEntry.subject.in_([delivery.delivery_id for delivery, _time in copies]),
    )
    with troubles(), readings(settings).begin() as session:
        known = {
            (subject, details.get("file_time")) for subject, details in session.execute(chosen)
        }
    new = [one for one in copies if (one[0].delivery_id, _moment(one[1])) not in known]
    append_all(settings, [_repeated(delivery, moment, SYSTEM) for delivery, moment in new])
    return [delivery for delivery, _time in new]


def _repeated(delivery: Delivery, file_time: dt.datetime, by: str) -> NewEntry:
    details = {
        "feed": delivery.feed,
        "sha256": delivery.sha256,
        "received_at": _moment(delivery.receipt.received_at),
        "file_time": _moment(file_time),
    }
    source = load_feed(delivery.feed).source
    return NewEntry(REPEATED, by, source, delivery.delivery_id, details)


def catch_up(settings: Settings, *, actor: str = SYSTEM) -> None:
    """Write down what the table `deliveries` lists and the ledger does not know. LedgerError."""
    listed = _listed(settings)
    judged, published = _known(settings)
    new = [_judged(one) for one in listed if _attempt(one) not in judged]
    new += [
        _published(one, actor)
        for one in listed
        if one["state"] != "refused" and one["delivery_id"] not in published
    ]
    append_all(settings, new)


def _listed(settings: Settings) -> list[dict[str, Any]]:
    """The table `deliveries`, one row a file that came in."""
    try:
        connection = connect(settings)
    except NothingPublishedError:
        return []
    with connection:
        rows: list[dict[str, Any]] = (
            connection.execute(
                "SELECT delivery_id, feed, table_name, source, sha256, origin, received_by, state, "
                "rows_read, rows_accepted, rows_quarantined, rows_exact_duplicates, findings, "
                "harmonised_at FROM deliveries ORDER BY harmonised_at, delivery_id"
            )
            .to_arrow_table()
            .to_pylist()
        )
    return rows


def _known(settings: Settings) -> tuple[set[tuple[str, str]], set[str]]:
    """Which verdicts (delivery, moment) and which publications the ledger has."""
    chosen = sa.select(LedgerEntry.event, LedgerEntry.subject, LedgerEntry.details)
    judged, published = set(), set()
    with troubles(), readings(settings).begin() as session:
        for event, subject, details in session.execute(
            chosen.where(LedgerEntry.event.in_((JUDGED, PUBLISHED)))
        ):
            if event == JUDGED:
                judged.add((subject, str(details.get("judged_at"))))
            else:
                published.add(subject)
    return judged, published


def _attempt(said: dict[str, Any]) -> tuple[str, str]:
    return str(said["delivery_id"]), _moment(said["harmonised_at"])


def _moment(moment: dt.datetime) -> str:
    known = moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)
    return known.astimezone(dt.UTC).isoformat(timespec="microseconds")


def _judged(said: dict[str, Any]) -> NewEntry:
    counts = ("rows_read", "rows_accepted", "rows_quarantined", "rows_exact_duplicates")
    return NewEntry(
        JUDGED,
        actor=said["received_by"] or said["origin"] or SYSTEM,
        organisation=said["source"],
        subject=said["delivery_id"],
        details={
            **{name: said[name] for name in ("feed", "state", "sha256", *counts)},
            "table": said["table_name"],
            "codes": sorted(set(said["findings"])),
            "judged_at": _moment(said["harmonised_at"]),
        },
    )


def _published(said: dict[str, Any], actor: str) -> NewEntry:
    details = {"feed": said["feed"], "table": said["table_name"], "rows": said["rows_accepted"]}
    return NewEntry(PUBLISHED, actor, said["source"], said["delivery_id"], details)
