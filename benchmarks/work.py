"""What every engine is given, and what it gives back.

Not here: any engine.
"""

from __future__ import annotations

import datetime as dt
import json
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipelines.core.settings import Settings, settings_for

FEEDS = Path(__file__).parent / "feeds"
FEED = "benchmark_incidents"
RECEIVED_AT = dt.datetime(2026, 11, 1, tzinfo=dt.UTC)
DELIVERY_ID = f"{FEED}.000000000000"


@dataclass(frozen=True)
class Work:
    """One run: the delivery, an empty folder to write to, and how much of the machine to use."""

    csv: Path
    folder: Path
    home: Path
    threads: int
    memory_limit: str

    @property
    def settings(self) -> Settings:
        """The same limits as settings of an installation of ours."""
        return settings_for(
            self.folder / "home", threads=self.threads, memory_limit=self.memory_limit
        ).prepare()

    @property
    def accepted(self) -> Path:
        return self.folder / "accepted.parquet"

    @property
    def quarantined(self) -> Path:
        return self.folder / "quarantined.parquet"

    @property
    def published(self) -> Path:
        return self.folder / "published"

    @property
    def fence(self) -> Path:
        """The grid cells of every area, as our own geofence makes and keeps them."""
        return self.home / "reference" / "geofence.parquet"


def _now() -> tuple[float, float]:
    return time.perf_counter(), time.process_time()


@dataclass
class Steps:
    """A stopwatch of one run: wall-clock and processor seconds by step."""

    seconds: dict[str, float] = field(default_factory=dict)
    cpu: dict[str, float] = field(default_factory=dict)
    _since: tuple[float, float] = field(default_factory=_now)

    def __call__(self, label: str) -> None:
        """End of the step `label`."""
        now = _now()
        self.seconds[label] = self.seconds.get(label, 0.0) + now[0] - self._since[0]
        self.cpu[label] = self.cpu.get(label, 0.0) + now[1] - self._since[1]
        self._since = now

    def as_json(self) -> dict[str, Any]:
        return {"seconds": self.seconds, "cpu": self.cpu}


def peak_rss_bytes() -> int:
    """The most memory that this process ever had resident; not that of the one that started it."""
    status = Path("/proc/self/status")
    if status.exists():
        lines = dict(line.split(":", 1) for line in status.read_text().splitlines() if ":" in line)
        return int(lines["VmHWM"].split()[0]) * 1024
    import resource
    import sys

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def report(result: dict[str, Any]) -> None:
    """Hand a result to the process that measures: one line of JSON, the last of the output."""
    print(json.dumps(result), flush=True)
