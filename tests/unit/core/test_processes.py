"""Work spread over processes: every result once, and a worker that dies takes nothing with it."""

from __future__ import annotations

import os
import time

import pytest

from pipelines.core.processes import run_in_processes


def square(number: int) -> int:
    return number * number


def deadly(number: int) -> int:
    """Ends its process for 3, as the system does that is out of memory."""
    if number == 3:
        os._exit(9)
    time.sleep(0.05)
    return number


def failing(number: int) -> int:
    raise ValueError(number)


@pytest.mark.parametrize("workers", [1, 3])
def test_every_item_has_its_result(workers):
    assert dict(run_in_processes(square, range(8), workers)) == {n: n * n for n in range(8)}


def test_one_worker_works_here_unless_told_otherwise():
    assert list(run_in_processes(lambda n: n, [os.getpid()], 1)) == [(os.getpid(), os.getpid())]
    [(_item, away)] = run_in_processes(work=_pid, items=[0], workers=1, is_here=False)
    assert away != os.getpid()


def _pid(_item: int) -> int:
    return os.getpid()


def test_a_worker_that_dies_takes_nothing_with_it():
    results = dict(run_in_processes(deadly, range(8), 2, if_killed=lambda _number: -1))
    assert results == {**{n: n for n in range(8)}, 3: -1}


def test_an_exception_is_raised_here():
    with pytest.raises(ValueError, match="5"):
        list(run_in_processes(failing, [5, 5], 2))
