"""The numbers as tables in Markdown, with the facts of the machine that they come from.

Not here: measuring (`measure.py`).
"""

from __future__ import annotations

import datetime as dt
import os
import platform
import statistics
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from benchmarks.measure import FLOOR, OURS, Limits, Series

WORDS = {
    "ours": "Passerelle",
    "plain_copy": "(a) DuckDB copies the CSV to Parquet, nothing else",
    "hand_sql": "(b) SQL by hand for this file, no Great Expectations",
    "pandas_gx": "(c) pandas, Great Expectations on pandas",
    "polars_pandera": "(d) polars, pandera",
}
# (engine, what of it, at most this share of it): the targets of the journey.
TARGETS = (
    ("hand_sql", "time", 1.5),
    ("plain_copy", "time", 4.0),
    ("pandas_gx", "time", 1 / 6),
    ("polars_pandera", "time", 1.0),
    ("polars_pandera", "memory", 0.5),
)
STEPPED = (OURS, "hand_sql")
PACKAGES = ("duckdb", "great-expectations", "deltalake", "pandas", "polars", "pandera", "pyarrow")


def speed_table(series: Sequence[Series]) -> str:
    """One row an engine: its times, its memory, and how many times its time ours took."""
    lines = [
        "| rows | what | seconds | CPU seconds | ours takes × its time | × its CPU | peak memory |"
        " same rows |",
        "|---:|---|---:|---:|---:|---:|---:|---|",
    ]
    for one in series:
        ours = ours_beside(one, series)
        times = [f"{ours.times(one, what):.2f}" if ours else "–" for what in ("wall_s", "cpu_s")]
        same = "–" if one.engine == FLOOR else "no: " + ", ".join(one.differs_in[:4])
        lines.append(
            f"| {one.rows:,} | {WORDS.get(one.engine, one.engine)} | {one.wall_s:.1f} | "
            f"{one.cpu_s:.1f} | {times[0]} | {times[1]} | {_mb(one.peak_rss_bytes)} | "
            f"{same if one.differs_in or one.engine == FLOOR else 'yes'} |"
        )
    return "\n".join(lines)


def target_table(series: Sequence[Series]) -> str:
    """Each target, and what was measured at every size of delivery."""
    lines = ["| target | rows | measured | |", "|---|---:|---:|---|"]
    for engine, what, most in TARGETS:
        for theirs in (s for s in series if s.engine == engine):
            if (ours := ours_beside(theirs, series)) is None:
                continue
            measured = (
                ours.times(theirs, "wall_s")
                if what == "time"
                else ours.peak_rss_bytes / theirs.peak_rss_bytes
            )
            lines.append(
                f"| at most {most:.2f} × the {what} of {WORDS[engine]} | {theirs.rows:,} | "
                f"{measured:.2f} | {'met' if measured <= most else 'missed'} |"
            )
    return "\n".join(lines)


def steps_table(series: Sequence[Series]) -> str:
    """Each step of ours and of the SQL by hand, in seconds and as multiples of the floor."""
    lines = ["| rows | what | step | seconds | × (a) |", "|---:|---|---|---:|---:|"]
    for one in series:
        floor = next((s for s in series if s.engine == FLOOR and s.rows == one.rows), None)
        if floor is None or one.engine not in STEPPED:
            continue
        for step in one.runs[0].steps:
            seconds = statistics.median(run.steps[step] for run in one.runs)
            lines.append(
                f"| {one.rows:,} | {WORDS[one.engine]} | {step} | {seconds:.1f} | "
                f"{seconds / floor.wall_s:.1f} |"
            )
    return "\n".join(lines)


def memory_table(series: Sequence[Series]) -> str:
    """Ours alone over larger deliveries: time and memory."""
    lines = ["| rows | seconds | peak memory |", "|---:|---:|---:|"]
    lines += [f"| {s.rows:,} | {s.wall_s:.1f} | {_mb(s.peak_rss_bytes)} |" for s in series]
    return "\n".join(lines)


def ours_beside(one: Series, series: Sequence[Series]) -> Series | None:
    """Our runs over the same delivery."""
    return next((s for s in series if s.engine == OURS and s.rows == one.rows), None)


def facts(limits: Limits, rounds: int) -> str:
    """What the numbers hang on."""
    model = platform.processor() or platform.machine()
    if (info := Path("/proc/cpuinfo")).exists():
        named = [line for line in info.read_text().splitlines() if line.startswith("model name")]
        model = named[0].partition(":")[2].strip() if named else model
    load = f"{os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else "unknown"
    packages = ", ".join(f"{package} {_version(package)}" for package in PACKAGES)
    return "\n".join(
        [
            f"- {dt.datetime.now(dt.UTC):%Y-%m-%d}, {model}, {os.cpu_count()} cores, "
            f"{platform.system()}, Python {platform.python_version()}",
            f"- {packages}",
            f"- {limits.threads} threads, DuckDB's memory limit {limits.memory_limit}, "
            f"median of {rounds} interleaved rounds; load of the machine at the end: {load}",
        ]
    )


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "absent"


def _mb(size: int) -> str:
    return f"{size / 1e6:,.0f} MB"
