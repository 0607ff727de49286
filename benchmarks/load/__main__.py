"""`python -m benchmarks.load`: make the home, load the portal, print and keep a table; it ends.

Not here: anything that a test depends on.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path

from benchmarks.load import home, report
from benchmarks.load.run import drive, portal, watched

RESULTS = Path(__file__).parents[1] / "load.md"
LEAST_BYTES = 100_000_000


def main() -> None:
    """Run what the arguments ask for; the end is 1 where anything was not answered."""
    given = _arguments()
    folder = Path(given.folder or Path(os.environ.get("PASSERELLE_HOME", "var")) / "load").resolve()
    browsers, colleagues = home.people(given.people), home.downloaders(given.downloads)
    settings = home.make_home(folder, given.rows, [*browsers, *colleagues], _say)
    seconds = given.seconds
    phases = [
        {"name": "browsing", "seconds": seconds, "downloads": False, "pace": 0},
        {"name": "paced", "seconds": seconds, "downloads": True, "pace": given.pace},
        {"name": "burst", "seconds": seconds, "downloads": True, "pace": 0},
        {"name": "after", "seconds": seconds / 2, "downloads": False, "pace": 0},
    ]
    with portal(settings) as (address, serving), watched(serving) as memory:
        told = drive(address, browsers, colleagues, phases=phases, rounds=given.rounds)
    extract = max(settings.releases.glob("*.zip"), key=lambda one: one.stat().st_mtime)
    told["extract"]["bytes"] = extract.stat().st_size
    if given.raw:
        Path(given.raw).write_text(json.dumps(told | {"memory": memory.seen}), encoding="utf-8")
    text = report.written(told, memory, len(browsers), len(colleagues), given.pace)
    print(text)
    if given.keep:
        RESULTS.write_text(text, encoding="utf-8")
    if extract.stat().st_size < LEAST_BYTES and given.rows >= home.ROWS:
        sys.exit("the extract is smaller than it should be")
    if faults := report.faults(told):
        sys.exit("not answered as asked:\n" + "\n".join(faults))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="benchmarks.load", description=__doc__)
    add = parser.add_argument
    add("--people", type=int, default=200, help="who browse")
    add("--downloads", type=int, default=50, help="who download, at once")
    add("--rows", type=int, default=home.ROWS, help="of the delivery from which the extract is")
    add("--seconds", type=float, default=60, help="of each phase")
    add("--rounds", type=int, default=12, help="how often each page is opened alone")
    add("--pace", type=int, default=2_500_000, help="bytes a second of a paced download")
    add("--folder", help="where to work (default: $PASSERELLE_HOME/load); kept for the next time")
    add("--raw", help="write everything that was measured to this file, as JSON")
    add("--no-keep", dest="keep", action="store_false", help="leave load.md as it is")
    return parser.parse_args()


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
