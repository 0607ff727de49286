"""SIGKILL at any moment of a publish: readers never see half of it, and a rerun completes it."""

from __future__ import annotations

import multiprocessing
import random
import sys
import threading
import time
from pathlib import Path

import duckdb
import pytest

from pipelines import connect
from pipelines.lake.publish import publish
from pipelines.lake.upkeep import check
from pipelines.settings import Settings, settings_for
from tests.unit.lake.judged import content, deliver, row

KILLS = 25
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


def test_twenty_five_kills_lose_nothing_double_nothing_and_tear_nothing(tmp_path):
    settings, chance = home(tmp_path / "killed"), random.Random(20)
    processes = multiprocessing.get_context("forkserver")
    processes.set_forkserver_preload(["deltalake", "pyarrow", "pipelines.lake.publish"])

    def start() -> multiprocessing.Process:
        process = processes.Process(target=publish, args=(settings,))
        process.start()
        return process

    for warm_up in range(2):
        send(settings, warm_up)
        began = time.monotonic()
        start().join()
        duration_s = time.monotonic() - began
    reader = Reader(settings)
    reader.start()
    killed = 0
    for number in range(KILLS):
        send(settings, 2 + number)
        process = start()
        process.join(duration_s * (number + chance.random()) / KILLS)
        killed += process.is_alive()
        process.kill()
        process.join()
        if number % 3 == 0:  # mostly one interrupted publish is followed by another
            publish(settings)
    publish(settings)
    reader.is_over.set()
    reader.join()

    assert killed >= KILLS * 0.7
    assert reader.reads > KILLS
    assert reader.wrong == []
    assert check(settings) == []
    assert not (Path(settings.lake) / "_staging").exists()

    calm = home(tmp_path / "calm")
    for number in range(KILLS + 2):
        send(calm, number)
    publish(calm)
    assert content(settings) == content(calm)
