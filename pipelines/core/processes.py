"""Several processes for many small pieces of work that do not depend on each other.

Not here: what the work is. One large piece needs one process: DuckDB uses every core by itself.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

MOST_WORKERS = 8


def cores() -> int:
    """The cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def run_in_processes(
    work: Callable[[Item], Result],
    items: Sequence[Item],
    workers: int,
    preload: Sequence[str] = (),
    *,
    is_here: bool = True,
    if_killed: Callable[[Item], Result] | None = None,
) -> Iterator[tuple[Item, Result]]:
    """`work` on every item, each with its result as it is ready.

    One worker works here, in this process, unless `is_here` is False. What `work` is, takes and
    gives must be picklable. `preload` names modules that all workers need; where the system can
    fork they are imported once. Raises what `work` raises.
    A worker that dies (the system took its memory) takes nothing with it: what it and the others
    had in hand is done again, each alone, and what kills its worker again gets `if_killed`.
    """
    count = min(workers, MOST_WORKERS, len(items))
    if count <= 1 and is_here:
        yield from ((item, work(item)) for item in items)
        return
    executor = ProcessPoolExecutor(max(1, count), _context(preload), _ignore_interrupts)
    try:
        futures = {executor.submit(work, item): item for item in items}
        unfinished = []
        for future in as_completed(futures):
            try:
                result = future.result()
            except BrokenProcessPool:
                unfinished.append(futures[future])
            else:
                yield futures[future], result
        for item in unfinished:
            yield item, _alone(work, item, preload, if_killed)
    finally:
        executor.shutdown(wait=True, cancel_futures=True)


def _alone(
    work: Callable[[Item], Result],
    item: Item,
    preload: Sequence[str],
    if_killed: Callable[[Item], Result] | None,
) -> Result:
    with ProcessPoolExecutor(1, _context(preload), _ignore_interrupts) as executor:
        try:
            return executor.submit(work, item).result()
        except BrokenProcessPool:
            if if_killed is None:
                raise
            return if_killed(item)


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
