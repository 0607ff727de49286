"""`python -m benchmarks`: make the deliveries, run every engine in turns, print and keep a table.

Not here: anything that a test depends on.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from pathlib import Path

from benchmarks import table
from benchmarks.generate import generate
from benchmarks.measure import OURS, Limits, Series, measure
from pipelines.core.settings import settings_for

RESULTS = Path(__file__).parent / "results.md"
HEAD = """# How fast a delivery is

Written by `make bench`. One incident CSV: read, harmonised, judged by every rule, audited, written
as two Parquet files (accepted and quarantined), published as a Delta table. Ours does all of it
for any feed, with an audit by Great Expectations, revisions, and a catalogue; the others do it for
this file alone and keep no history. The accepted rows and the reasons of the others are compared
cell by cell. Time starts when a process is ready (modules and code lists loaded) and its delivery
landed; each run has a process of its own. Ratios matter: seconds hang on the machine.
"""
NOT_DONE = """## What the others do not do

- (a) reads no value, judges no row, publishes nothing: it is the floor.
- (b), (c) and (d) keep no history, take no corrections, would publish a delivery again if asked
  twice, and make no catalogue and no report for the provider. Each knows one feed.
- (b) and (d) have no second opinion; in (c) Great Expectations routes, so nothing checks it.
- (c) and (d) leave out the rules on columns that this feed lacks and hold all rows in memory,
  whatever the limit. Rules that no expectation on pandas can say are truth values that pandas
  makes and Great Expectations looks at.
- To their advantage, all look words up in our lists and write Delta files with our settings.
"""


def main() -> None:
    """Run what the arguments ask for."""
    given = _arguments()
    home = Path(given.folder or Path(os.environ.get("PASSERELLE_HOME", "var")) / "bench").resolve()
    limits = Limits(home, given.threads, given.memory_limit)
    settings = settings_for(home).prepare()
    series: list[Series] = []
    for rows in given.rows:
        csv = generate(settings, rows, home / "data" / f"{rows}.csv")
        series += measure(given.engines, rows, csv, rounds=given.rounds, limits=limits, say=_say)
    larger: list[Series] = []
    for rows in given.larger:
        csv = generate(settings, rows, home / "data" / f"{rows}.csv")
        larger += measure([OURS], rows, csv, rounds=1, limits=limits, say=_say)
    parts = [HEAD, table.facts(limits, given.rounds), "", table.speed_table(series), ""]
    parts += [table.target_table(series), ""]
    parts += ["## Where the time goes", "", table.steps_table(series), ""]
    if larger:
        mine = [one for one in series if one.engine == OURS]
        parts += ["## Memory of larger deliveries", "", table.memory_table([*mine, *larger]), ""]
    text = "\n".join([*parts, NOT_DONE])
    print(text)
    if given.keep:
        RESULTS.write_text(text, encoding="utf-8")
    if not given.keep_data:
        shutil.rmtree(home / "data", ignore_errors=True)
    if others := [f"{one.engine}, {one.rows:,} rows" for one in series if one.differs_in]:
        sys.exit(f"not the same work: {'; '.join(others)}")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="benchmarks", description=__doc__)
    add = parser.add_argument
    add("--rows", type=int, nargs="+", default=[1_000_000, 5_000_000])
    add("--larger", type=int, nargs="*", default=[10_000_000, 20_000_000], help="ours only")
    add("--rounds", type=int, default=3)
    add("--engines", nargs="+", default=list(table.WORDS))
    add("--threads", type=int, default=os.cpu_count() or 2)
    add("--memory-limit", default="1GB")
    add("--folder", help="where to work (default: $PASSERELLE_HOME/bench)")
    add("--no-keep", dest="keep", action="store_false", help="leave results.md as it is")
    add("--keep-data", action="store_true", help="keep the deliveries for the next time")
    return parser.parse_args()


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
