"""Take in all that waits in the inbox without a verdict: many small files in many processes."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import cache, partial
from itertools import chain

from pipelines.core.findings import UNEXPECTED, DeliveryError, Finding
from pipelines.core.processes import run_in_processes
from pipelines.core.settings import Settings
from pipelines.ingest.ingest import (
    FEWEST_TO_SPREAD,
    HEAVY_MODULES,
    SMALL_BYTES,
    UNKNOWN_FEED,
    Progress,
    is_judged,
    judge_landed,
    land,
    write_audit_pages,
)
from pipelines.ingest.publish import note_judged, note_new_copies, require_writable
from pipelines.landing.copies import copy_of
from pipelines.landing.inbox import InboxFile, delivery_id_of, fingerprint, inbox_files
from pipelines.landing.receive import Delivery, open_delivery
from pipelines.validate.verdict import Verdict
from schemas.contract_check import check
from schemas.feed import feed_places, feed_problems, load_feed
from schemas.problem import ContractError, ContractProblem

log = logging.getLogger("passerelle")

UNREACHABLE = "DEL-722"
ENTRIES_AT_ONCE = 50

Complain = Callable[[Finding | ContractProblem], None]


def ingest_inbox(
    settings: Settings,
    *,
    received_by: str = "",
    workers: int = 1,
    on_progress: Progress | None = None,
    on_problem: Complain | None = None,
    on_repeat: Callable[[Delivery], None] | None = None,
) -> list[Verdict]:
    """Take in and judge every file of the inbox that has no verdict yet, known by its content.

    A file whose bytes came before is told to `on_repeat`, once, and written into the ledger. The
    verdicts go into it together: LedgerError where it cannot be written.

    What cannot be taken in (a folder that is no feed, a place out of reach, a table not in order)
    goes to `on_problem` and is tried again next time; other files are taken in all the same. With
    `workers`, small files are spread over processes, so the caller's main module must be
    importable; large ones come after them, one at a time with all threads.
    """
    complain = on_problem or _log_problem
    copies: list[tuple[Delivery, dt.datetime]] = []
    small, large = _unjudged(settings, complain, copies)
    for delivery in note_new_copies(settings, copies):
        if on_repeat:
            on_repeat(delivery)
    total = len(small) + len(large)
    if total:
        require_writable(settings)  # rather than after an hour of work
    verdicts: list[Verdict] = []
    is_spread = workers > 1 and len(small) >= FEWEST_TO_SPREAD
    hands = replace(settings, threads=1) if is_spread else settings
    work = partial(_attempt, hands, received_by)
    count = workers if is_spread else 1
    spreading = run_in_processes(work, small, count, HEAVY_MODULES, if_killed=_killed)
    one_by_one = run_in_processes(partial(_attempt, settings, received_by), large, 1)
    if on_progress:
        on_progress(0, total, "")
    with _written_down(settings) as write_down:
        for done, (one, outcome) in enumerate(chain(spreading, one_by_one), start=1):
            if isinstance(outcome, Verdict):
                verdicts.append(outcome)
                write_down(outcome)
            else:
                for finding in outcome:
                    complain(finding)
            if on_progress:
                on_progress(done, total, f"{one.feed}/{one.file.name}")
    if verdicts:
        write_audit_pages(settings, is_here=not is_spread)
    return sorted(verdicts, key=lambda verdict: verdict.delivery_id)


@contextmanager
def _written_down(settings: Settings) -> Iterator[Callable[[Verdict], None]]:
    """Takes verdicts for the ledger; one transaction for many, the last one at the end."""
    waiting: list[tuple[Delivery, Verdict]] = []

    def flush() -> None:
        note_judged(settings, waiting)
        waiting.clear()

    def write_down(verdict: Verdict) -> None:
        waiting.append((open_delivery(settings, verdict.delivery_id), verdict))
        if len(waiting) >= ENTRIES_AT_ONCE:
            flush()

    try:
        yield write_down
    finally:
        flush()


def _unjudged(
    settings: Settings, complain: Complain, copies: list[tuple[Delivery, dt.datetime]]
) -> tuple[list[InboxFile], list[InboxFile]]:
    """Files without a verdict, small and large ones; of equal contents that which came first.

    What has a verdict and is not the file that it was reached of goes to `copies`, with its time.
    """
    found: dict[str, InboxFile] = {}
    strangers: set[str] = set()
    faults: dict[ContractProblem, None] = {}  # each once, however many files wait for its end
    problems = cache(_problems)  # of a feed, however many files it sent
    declared, waiting = feed_places(), set()
    for one in inbox_files(settings):
        waiting.add(one.feed)
        if one.feed not in declared:
            strangers.add(one.feed)
            continue
        if wrong := problems(one.feed):
            faults |= dict.fromkeys(wrong)
            continue
        delivery_id = delivery_id_of(one.feed, fingerprint(one.file))
        if known := found.get(delivery_id):
            found[delivery_id] = min(known, one, key=_arrival)
        elif not is_judged(settings, delivery_id):
            found[delivery_id] = one
        elif copy := copy_of(settings, delivery_id, one):
            copies.append(copy)
    for feed in sorted(strangers):
        complain(Finding(UNKNOWN_FEED, {"feed": feed}))
    for problem in faults | dict.fromkeys(feed_problems(waiting)):
        complain(problem)
    small = [one for one in found.values() if one.bytes <= SMALL_BYTES]
    return small, [one for one in found.values() if one.bytes > SMALL_BYTES]


def _problems(feed: str) -> Sequence[ContractProblem]:
    """What is wrong with a feed or its table, so that its files wait."""
    try:
        check(load_feed(feed).table)
    except ContractError as error:
        return error.problems
    return ()


def _arrival(one: InboxFile) -> float:
    return one.modified_s


def _attempt(settings: Settings, received_by: str, one: InboxFile) -> Verdict | list[Finding]:
    """The verdict on one file of the inbox, or why it has none."""
    try:
        delivery = land(settings, one.feed, one.file, received_by=received_by, origin="inbox")
        return judge_landed(settings, delivery, again=False)[0]
    except DeliveryError as refused:
        return refused.findings
    except OSError as error:
        return [Finding(UNREACHABLE, {"location": str(error.filename or one.file)})]


def _killed(one: InboxFile) -> Verdict | list[Finding]:
    """A file whose judging ended its process; it has no verdict and is tried again next time."""
    log.error("%s/%s: the process that judged it was killed", one.feed, one.file.name)
    return [Finding(UNEXPECTED, {"file_name": one.file.name, "reference": "killed"})]


def _log_problem(finding: Finding | ContractProblem) -> None:
    log.warning("%s: %s", finding.code, finding.text())
