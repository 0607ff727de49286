"""The workers of a portal: two processes beside it, started, replaced when they end, ended with it.

Several portals of one machine share the two.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field

from pipelines.core.settings import Settings
from pipelines.jobs.worker import PLACE_TAKEN

WORKERS = 2
LOOK_EVERY_S = 0.5
TAKEN_PAUSE_S = 5.0
LONGEST_PAUSE_S = 60.0
SOON_S = 5.0  # a worker that ends sooner did not work: wait before the next
PATIENCE_S = 5.0


@dataclass
class _Place:
    slot: int
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    next_at: float = 0.0
    failures: int = field(default=0)


class Supervisor:
    """Keeps the workers of one portal process."""

    def __init__(self, settings: Settings, workers: int = WORKERS) -> None:
        """Nothing runs yet."""
        self.settings = settings
        self.places = [_Place(slot) for slot in range(workers)]
        self.ended = threading.Event()
        self.watch = threading.Thread(target=self._keep, daemon=True, name="jobs-supervisor")

    def start(self) -> Supervisor:
        """Start the workers and look after them; returns itself."""
        self.watch.start()
        return self

    def stop(self) -> None:
        """End the workers; what they had in hand goes back into the queue."""
        self.ended.set()
        if self.watch.is_alive():
            self.watch.join()
        running = [place.process for place in self.places if place.process]
        for process in running:
            process.terminate()
        for process in running:
            try:
                process.wait(PATIENCE_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def _keep(self) -> None:
        while not self.ended.is_set():
            for place in self.places:
                self._look_after(place)
            self.ended.wait(LOOK_EVERY_S)

    def _look_after(self, place: _Place) -> None:
        now = time.monotonic()
        if place.process is not None:
            code = place.process.poll()
            if code is None:
                return
            place.process = None
            is_short = now - place.started_at < SOON_S and code not in (0, PLACE_TAKEN)
            place.failures = place.failures + 1 if is_short else 0
            wait = min(LONGEST_PAUSE_S, 2.0**place.failures) if is_short else 0.0
            place.next_at = now + (TAKEN_PAUSE_S if code == PLACE_TAKEN else wait)
        if now >= place.next_at:
            place.started_at = now
            place.process = subprocess.Popen(  # noqa: S603  (our own module, a number)
                [sys.executable, "-m", "pipelines.jobs.worker", str(place.slot)],
                env={**os.environ, **environment_of(self.settings)},
                stdin=subprocess.DEVNULL,
            )


def environment_of(settings: Settings) -> dict[str, str]:
    """The variables from which another process reads the same settings."""
    said = {
        "home": settings.home,
        "inbox": settings.inbox,
        "landing": settings.landing,
        "lake": settings.lake,
        "agreements": settings.agreements,
        "database": settings.database,
        "memory_limit": settings.memory_limit,
        "threads": settings.threads or "",
        "largest_delivery_bytes": settings.largest_delivery_bytes,
        "lang": settings.language,
    }
    return {f"PASSERELLE_{name.upper()}": str(value) for name, value in said.items()}
