"""Several processes for many small pieces of work that do not depend on each other.

Not here: what the work is. One large piece needs no crew: DuckDB uses every core by itself.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

MOST_WORKERS = 8


def cores() -> int:
    """The cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def spread(
    work: Callable[[Item], Result],
    items: Sequence[Item],
    workers: int,
    preload: Sequence[str] = (),
    *,
    is_here: bool = True,
) -> Iterator[tuple[Item, Result]]:
    """`work` on every item, each with its result as it is ready.

    One worker works here, in this process, unless `is_here` is False.

    What `work` is, takes and gives must be picklable. `preload` names modules that all workers
    need; where the system can fork they are imported once. Raises what `work` raises.
    """
    count = min(workers, MOST_WORKERS, len(items))
    if count <= 1 and is_here:
        yield from ((item, work(item)) for item in items)
        return
    executor = ProcessPoolExecutor(max(1, count), _context(preload), _ignore_interrupts)
    try:
        futures = {executor.submit(work, item): item for item in items}
        for future in as_completed(futures):
            yield futures[future], future.result()
    finally:
        executor.shutdown(wait=True, cancel_futures=True)


def _context(preload: Sequence[str]) -> multiprocessing.context.BaseContext:
    # Never a plain fork: the libraries that we use have threads, and a fork in mid-thread hangs.
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(list(preload))
    return context


def _ignore_interrupts() -> None:
    """Ctrl-C goes to the parent, which ends the workers; they do not each complain of it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
