"""`python -m benchmarks.load.deliver HOME ROWS`: one large delivery, judged and published.

Not here: making it (`benchmarks/generate.py`). A process of its own, since its feed is declared
beside the benchmarks and not among the shipped ones.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import schemas.feed
from benchmarks.generate import generate
from benchmarks.work import FEED, FEEDS, RECEIVED_AT
from pipelines.core.settings import settings_for


def main(home: Path, rows: int) -> None:
    """Take it in; the file itself is not kept twice."""
    schemas.feed.FEEDS_FOLDER = FEEDS
    from pipelines.ingest.ingest import judge
    from pipelines.lake.publish import publish
    from pipelines.landing.receive import receive

    settings = settings_for(home).prepare()
    csv = generate(settings, rows, home / "made" / f"{rows}.csv")
    verdict = judge(settings, receive(settings, FEED, csv, received_at=RECEIVED_AT).delivery_id)
    if not verdict.is_accepted:
        raise SystemExit(f"not accepted: {verdict.findings}")
    publish(settings, [verdict.delivery_id])
    shutil.rmtree(csv.parent)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
