"""Two processes publish at once: every delivery is taken in once, whichever of them did it."""

from __future__ import annotations

import multiprocessing
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from upath import UPath

from pipelines.core.settings import Settings, settings_for
from pipelines.lake.errors import LakeBusyError
from pipelines.lake.maintenance import check
from pipelines.lake.publish import publish
from pipelines.lake.storage import lake_lock
from tests.unit.lake.judged import content, deliver, row

DELIVERIES = 6

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs forkserver")


def send(settings: Settings) -> list[str]:
    return [
        deliver(settings, f"d{n}", [row("same", f"told by {n}"), row(f"own{n}")], day=n)
        for n in range(DELIVERIES)
    ]


def publish_each(settings: Settings, delivery_ids: list[str]) -> None:
    for delivery_id in delivery_ids:
        publish(settings, [delivery_id])


def race(*writers: tuple[Settings, list[str]]) -> None:
    processes = multiprocessing.get_context("forkserver")
    processes.set_forkserver_preload(["deltalake", "pyarrow", "pipelines.lake.publish"])
    running = [processes.Process(target=publish_each, args=writer) for writer in writers]
    for process in running:
        process.start()
    for process in running:
        process.join()
        assert process.exitcode == 0


@pytest.fixture(scope="module")
def truth(tmp_path_factory) -> dict:
    settings = settings_for(tmp_path_factory.mktemp("calm"), memory_limit="256MB", threads=2)
    send(settings)
    publish(settings)
    return content(settings)


@pytest.mark.parametrize("do_they_share", [False, True])
def test_two_writers_on_a_local_lake(tmp_path, truth, do_they_share):
    settings = settings_for(tmp_path, memory_limit="256MB", threads=2)
    ids = send(settings)
    shares = (ids, ids[::-1]) if do_they_share else (ids[::2], ids[1::2])
    race(*((settings, share) for share in shares))
    assert content(settings) == truth
    assert check(settings) == []


def test_two_machines_on_a_lake_that_cannot_be_locked_find_their_conflicts(tmp_path, truth):
    """A `file://` address takes the way of an object store: no lock, conflicting commits fail."""
    (tmp_path / "lake").mkdir()
    one = settings_for(
        tmp_path / "one",
        memory_limit="256MB",
        threads=2,
        landing=UPath(tmp_path / "landing"),
        lake=(tmp_path / "lake").as_uri(),
    )
    other = replace(one, home=tmp_path / "other")
    ids = send(one)
    race((one, ids), (other, ids[::-1]))
    for settings in (one, other):
        publish(settings)
        assert content(settings) == truth


def test_a_writer_that_waits_too_long_says_so(tmp_path):
    settings = settings_for(tmp_path)
    Path(settings.lake).mkdir(parents=True)
    with (
        lake_lock(settings),
        pytest.raises(LakeBusyError, match="Another process"),
        lake_lock(settings, 0.2),
    ):
        pass
