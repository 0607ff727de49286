"""SIGKILL at any moment of a publish: readers never see half of it, and a rerun completes it."""

from __future__ import annotations

import itertools
import multiprocessing
import os
import random
import signal
import sys
import threading
import time
from multiprocessing.context import ForkServerProcess as Process
from multiprocessing.synchronize import Event
from pathlib import Path

import duckdb
import pytest

from pipelines import connect
from pipelines.core.settings import Settings, settings_for
from pipelines.lake.maintenance import check
from pipelines.lake.publish import publish
from tests.unit.lake.judged import content, deliver, row

KILLS = 8
# Rows of each delivery that the lake has against what its account says: no row means no tear
TORN_SQL = """
SELECT delivery_id, rows, rows_accepted
FROM (SELECT delivery_id, count(*) AS rows FROM
         (SELECT delivery_id FROM incidents_history UNION ALL
          SELECT delivery_id FROM seizures_history) GROUP BY delivery_id) AS held
FULL JOIN (SELECT delivery_id, rows_accepted FROM deliveries WHERE rows_accepted > 0) AS accounts
    USING (delivery_id)
WHERE rows IS DISTINCT FROM rows_accepted
"""

PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(["deltalake", "pyarrow", "pipelines.lake.publish"])

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs SIGKILL and forkserver")


def home(place: Path) -> Settings:
    return settings_for(place, memory_limit="256MB", threads=2)


def send(settings: Settings, round_: int) -> None:
    """Two deliveries for two tables: new records, and corrections of earlier ones."""
    records = [f"r{round_}-{number}" for number in range(300)]
    corrected = [f"r{round_ - 1}-{number}" for number in range(0, 300, 30)] if round_ else []
    rows = [row(record, f"told in round {round_}") for record in records + corrected]
    deliver(
        settings, f"incidents{round_}", rows, day=round_, rejected=[row("x", reasons=["INC-101"])]
    )
    seized = [row(record, item_text="told") for record in records[:100]]
    deliver(settings, f"seizures{round_}", seized, day=round_, table="seizures")


class Reader(threading.Thread):
    """Connects again and again and counts; remembers every tear and every error that it saw."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(daemon=True)
        self.settings, self.reads, self.wrong = settings, 0, []
        self.is_over = threading.Event()

    def run(self) -> None:
        while not self.is_over.is_set():
            try:
                with connect(self.settings) as connection:
                    self.wrong += connection.execute(TORN_SQL).fetchall()
                self.reads += 1
            except duckdb.Error as error:
                self.wrong.append(error)
            self.is_over.wait(0.02)

    def finish(self) -> None:
        self.is_over.set()
        self.join()


def publish_when_told(settings: Settings, has_begun: Event) -> None:
    has_begun.set()
    publish(settings)


def publish_and_die(settings: Settings, call: str, number: int, moment: str) -> None:
    """Publish, and be killed `moment` ("before" or "after") the `number`th `call`."""
    import deltalake

    owner, name = {
        "write": (deltalake, "write_deltalake"),
        "commit": (deltalake.DeltaTable, "create_write_transaction"),
        "swap": (Path, "chmod"),  # the new catalogue is made read-only, then put in its place
    }[call]
    real, calls = getattr(owner, name), itertools.count(1)

    def deadly(*args: object, **kwargs: object) -> object:
        is_last = next(calls) == number
        if is_last and moment == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        result = real(*args, **kwargs)
        if is_last and moment == "after":
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    setattr(owner, name, deadly)
    publish(settings)


def test_kills_at_random_moments_lose_nothing_double_nothing_and_tear_nothing(tmp_path):
    settings, chance = home(tmp_path / "killed"), random.Random(20)

    def start() -> Process:
        has_begun = PROCESSES.Event()
        process = PROCESSES.Process(target=publish_when_told, args=(settings, has_begun))
        process.start()
        has_begun.wait()
        return process

    for warm_up in range(2):
        send(settings, warm_up)
        process, began = start(), time.monotonic()
        process.join()
        duration_s = time.monotonic() - began
    reader = Reader(settings)
    reader.start()
    killed = number = 0
    while killed < KILLS and number < 3 * KILLS:  # a publish may be over before its moment comes
        send(settings, 2 + number)
        process, began = start(), time.monotonic()
        process.join(duration_s * (killed + chance.random()) / KILLS)
        if process.is_alive():
            killed += 1
        else:  # the machine is quicker now than it was
            duration_s = min(duration_s, time.monotonic() - began)
        process.kill()
        process.join()
        if number % 3 == 0:  # mostly one interrupted publish is followed by another
            publish(settings)
        number += 1
    publish(settings)
    reader.finish()

    assert killed == KILLS
    assert reader.reads > KILLS
    assert reader.wrong == []
    assert check(settings) == []
    assert not (Path(settings.lake) / "_staging").exists()
    assert content(settings) == calm_content(tmp_path, number + 2)


# incidents, seizures, rejections, deliveries: each is written and committed, then one catalogue;
# what comes before a step finds on disk what the step before it left
STEPS = [
    ("write", 1, "before"),
    *((call, number, "after") for number in range(1, 5) for call in ("write", "commit")),
    *(("swap", 1, moment) for moment in ("before", "after")),
]


def test_a_kill_at_every_step_is_made_good_by_the_next_publish(tmp_path):
    settings = home(tmp_path / "killed")
    send(settings, 0)
    publish(settings)
    for number, step in enumerate(STEPS, start=1):
        send(settings, number)
        process = PROCESSES.Process(target=publish_and_die, args=(settings, *step))
        process.start()
        process.join()
        assert process.exitcode == -signal.SIGKILL, step
        with connect(settings) as connection:
            assert connection.execute(TORN_SQL).fetchall() == [], step
        publish(settings, [])  # what was begun, and nothing that was not
        with connect(settings) as connection:
            assert connection.execute(TORN_SQL).fetchall() == [], step
    publish(settings)
    assert check(settings) == []
    assert content(settings) == calm_content(tmp_path, len(STEPS) + 1)


def calm_content(place: Path, rounds: int) -> dict[str, list]:
    """What the lake holds where nobody was killed and everything was published at once."""
    calm = home(place / "calm")
    for number in range(rounds):
        send(calm, number)
    publish(calm)
    return content(calm)
