"""Runs of the engines, one after the other in turns, each in a process of its own.

Not here: what an engine does (`engines/`), how the numbers are told (`table.py`).
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.compare import Fingerprint, differences, fingerprint

OURS = "ours"
FLOOR = "plain_copy"

Say = Callable[[str], None]


@dataclass(frozen=True)
class Limits:
    """How much of the machine an engine may use, and where it works."""

    home: Path
    threads: int
    memory_limit: str


@dataclass(frozen=True)
class Run:
    """One run: seconds by the wall clock, processor seconds, and the most memory it had."""

    wall_s: float
    cpu_s: float
    start_s: float
    peak_rss_bytes: int
    steps: dict[str, float]


@dataclass
class Series:
    """The runs of one engine over one delivery, one a round."""

    engine: str
    rows: int
    runs: list[Run] = field(default_factory=list)
    differs_in: list[str] = field(default_factory=list)

    @property
    def wall_s(self) -> float:
        return statistics.median(run.wall_s for run in self.runs)

    @property
    def cpu_s(self) -> float:
        return statistics.median(run.cpu_s for run in self.runs)

    @property
    def peak_rss_bytes(self) -> int:
        return max(run.peak_rss_bytes for run in self.runs)

    def times(self, other: Series, what: str) -> float:
        """How many times the time of `other` this one took: the median over the rounds."""
        share = other.rows / self.rows
        pairs = zip(self.runs, other.runs, strict=False)
        return statistics.median(share * getattr(a, what) / getattr(b, what) for a, b in pairs)


def run_once(engine: str, csv: Path, limits: Limits) -> tuple[Run, Path]:
    """Run an engine in a process of its own; returns its times and the folder that it filled."""
    folder = limits.home / "runs" / engine
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    command = [sys.executable, "-m", "benchmarks.child", engine]
    given: dict[str, Any] = {
        "csv": csv,
        "folder": folder,
        "home": limits.home,
        "threads": limits.threads,
        "memory-limit": limits.memory_limit,
    }
    for option, value in given.items():
        command += [f"--{option}", str(value)]
    root = Path(__file__).parents[1]
    told = {**os.environ, "POLARS_MAX_THREADS": str(limits.threads)}  # read when it is imported
    done = subprocess.run(command, capture_output=True, text=True, cwd=root, env=told, check=False)
    if done.returncode:
        raise RuntimeError(f"{engine} failed:\n{done.stderr[-2000:]}{done.stdout[-500:]}")
    said = json.loads(done.stdout.splitlines()[-1])
    run = Run(
        wall_s=sum(said["seconds"].values()),
        cpu_s=sum(said["cpu"].values()),
        start_s=said["start_s"],
        peak_rss_bytes=said["peak_rss"],
        steps=said["seconds"],
    )
    return run, folder


def measure(
    engines: Sequence[str], rows: int, csv: Path, *, rounds: int, limits: Limits, say: Say
) -> list[Series]:
    """Every engine once a round, in an order that moves by one; what they wrote is compared once.

    Nothing of a run is kept but its numbers.
    """
    found = {engine: Series(engine, rows) for engine in engines}
    wrote: dict[str, Fingerprint] = {}
    for turn in range(rounds):
        at = turn % len(engines)
        for engine in [*engines[at:], *engines[:at]]:
            run, folder = run_once(engine, csv, limits)
            found[engine].runs.append(run)
            say(f"{rows:,} rows, round {turn + 1}: {engine} {run.wall_s:.1f} s")
            if turn == 0 and engine != FLOOR:
                parts = (folder / "accepted.parquet", folder / "quarantined.parquet")
                wrote[engine] = fingerprint(*parts)
            shutil.rmtree(folder)
    for engine, theirs in wrote.items():
        found[engine].differs_in = differences(wrote.get(OURS, theirs), theirs)
    return list(found.values())
