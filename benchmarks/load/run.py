"""Starting the portal as a person does, watching its memory, and setting the people on it.

Not here: what the people do (`drive.py`), how the numbers are told (`report.py`).
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import psutil

from benchmarks.load.home import PASSWORD, Account
from pipelines.core.settings import Settings

ROOT = Path(__file__).parents[2]
STARTS_WITHIN_S, ENDS_WITHIN_S = 120, 40
LOOK_EVERY_S = 0.5
LONGEST_S = 1500  # whatever happens, it ends
MB = 1024 * 1024


@dataclass
class Memory:
    """What the portal's processes held, moment by moment: (when, bytes of the portal, bytes of its
    workers, processor seconds of the portal so far).
    """

    seen: list[tuple[float, int, int, float]] = field(default_factory=list)

    def between(self, began: float, ended: float) -> list[tuple[int, int, float]]:
        """What was seen in a stretch of time."""
        return [(one, two, cpu) for at, one, two, cpu in self.seen if began <= at <= ended]


@contextmanager
def portal(settings: Settings, trace: Path | None = None) -> Iterator[tuple[str, psutil.Process]]:
    """`passerelle serve --no-dagster`, with its own limits of requests; ended as by Ctrl-C."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    kept = {k: v for k, v in os.environ.items() if not k.startswith("PASSERELLE_")}
    own = {"PASSERELLE_HOME": str(settings.home), "PASSERELLE_AGREEMENTS": str(settings.agreements)}
    line = [sys.executable, "-m", "pipelines.cli", "serve", "--no-dagster"]
    process = subprocess.Popen(
        [*line, "--portal-port", str(port)], env=kept | own, cwd=ROOT, stdout=subprocess.DEVNULL
    )
    address = f"http://127.0.0.1:{port}"
    try:
        _wait_for(address, process)
        yield address, psutil.Process(process.pid)
    finally:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(ENDS_WITHIN_S)
        process.kill()


def _wait_for(address: str, process: subprocess.Popen[Any]) -> None:
    end = time.monotonic() + STARTS_WITHIN_S
    while time.monotonic() < end and process.poll() is None:
        with suppress(OSError), urllib.request.urlopen(f"{address}/sign-in"):  # noqa: S310  (ours)
            return
        time.sleep(LOOK_EVERY_S)
    raise SystemExit("the portal did not start")


@contextmanager
def watched(serving: psutil.Process) -> Iterator[Memory]:
    """Look at the memory of the portal and its workers while something runs."""
    memory, ended = Memory(), threading.Event()

    def look() -> None:
        while not ended.wait(LOOK_EVERY_S):
            with suppress(psutil.Error):
                memory.seen.append(_held(serving))

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    try:
        yield memory
    finally:
        ended.set()
        thread.join()


def _held(serving: psutil.Process) -> tuple[float, int, int, float]:
    own, workers, cpu = 0, 0, 0.0
    for process in serving.children(recursive=True):
        with suppress(psutil.Error):
            held, line = process.memory_info().rss, process.cmdline()
            if "pipelines.portal" in line:
                own += held
                times = process.cpu_times()
                cpu += times.user + times.system
            elif "pipelines.jobs.worker" in line:
                workers += held
    return time.time(), own, workers, cpu


def drive(address: str, browsers: list[Account], downloaders: list[Account], **asked: Any) -> Any:
    """Set the people on the portal; returns what `drive.run` tells."""
    told = {
        "host": address,
        "browsers": [asdict(one) | {"password": PASSWORD} for one in browsers],
        "downloaders": [asdict(one) | {"password": PASSWORD} for one in downloaders],
        **asked,
    }
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.load.drive"],
        input=json.dumps(told),
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        check=True,
        timeout=LONGEST_S,
    )
    return json.loads(done.stdout)
