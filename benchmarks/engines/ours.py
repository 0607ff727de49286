"""Passerelle itself: the journey of a landed delivery as `passerelle run` makes it.

Not here: taking the file in. The landing's copy is made before the clock starts, since none of the
others keeps one.
"""

from __future__ import annotations

import shutil

import schemas.feed
from benchmarks.generate import generate
from benchmarks.work import FEED, FEEDS, RECEIVED_AT, Steps, Work
from pipelines.ingest.ingest import judge
from pipelines.lake.publish import publish
from pipelines.landing.receive import receive
from schemas.contract import load_contract, table_names

WARMING_ROWS = 500


def prepare(work: Work) -> None:
    """A service that runs: contracts, code lists, checkpoint are there; and the delivery is landed.

    Judging a small delivery before makes them; it is forgotten again, and never published.
    """
    import deltalake  # noqa: F401

    schemas.feed.FEEDS_FOLDER = FEEDS
    for table in table_names():
        load_contract(table)
    settings = work.settings
    if work.fence.exists():
        settings.reference.mkdir(parents=True, exist_ok=True)
        shutil.copy(work.fence, settings.reference)
    small = generate(settings, WARMING_ROWS, work.folder / "small.csv")
    judge(settings, receive(settings, FEED, small).delivery_id)
    shutil.rmtree(str(settings.landing))
    receive(settings, FEED, work.csv, received_at=RECEIVED_AT)


def run(work: Work, step: Steps) -> None:
    """Judge the delivery and publish it."""
    settings = work.settings
    (folder,) = (settings.landing / FEED).iterdir()
    verdict = judge(settings, f"{FEED}.{folder.name[:12]}")
    if not verdict.is_accepted:
        raise SystemExit(f"not accepted: {verdict.findings}")
    step("harmonise and audit")
    publish(settings)
    step("publish")
    for target in (work.accepted, work.quarantined):
        target.symlink_to(folder / target.name)
    work.published.symlink_to(settings.home / "lake" / "incidents")
