"""One engine on one delivery in a process of its own; prints its times and its memory.

Not here: which engines, sizes and rounds there are (`measure.py`).
"""

from __future__ import annotations

import argparse
import importlib
import time
from pathlib import Path

from benchmarks.work import Steps, Work, peak_rss_bytes, report


def main() -> None:
    """Prepare, start the clock, run, report."""
    parser = argparse.ArgumentParser()
    parser.add_argument("engine")
    for option in ("csv", "folder", "home"):
        parser.add_argument(f"--{option}", type=Path, required=True)
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--memory-limit", required=True)
    given = vars(parser.parse_args())
    started = time.perf_counter()
    engine = importlib.import_module(f"benchmarks.engines.{given.pop('engine')}")
    work = Work(**given)
    engine.prepare(work)
    start_s = time.perf_counter() - started
    steps = Steps()
    engine.run(work, steps)
    report({**steps.as_json(), "start_s": start_s, "peak_rss": peak_rss_bytes()})


if __name__ == "__main__":
    main()
