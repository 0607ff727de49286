"""One asset a feed, `harmonised/<feed>`: the rows of each delivery sorted, audited and judged.

Not here: sorting and judging (`pipelines/ingest.py`) and publishing (`tables.py`).
"""

from collections.abc import Iterator
from typing import Any

import dagster as dg

from assets.checks import JUDGED, check_specs, verdict_checks, verdict_metadata
from assets.deliveries import STAGE as LANDED
from assets.deliveries import deliveries_of, nowhere, tags_of
from assets.feeds import loaded_feeds
from assets.resources import OWNER, Installation, trying_again
from schemas.feed import load_feed

STAGE = "harmonised"


def harmonised_asset(name: str) -> dg.AssetsDefinition:
    """The asset of one feed."""
    feed = load_feed(name)
    key = dg.AssetKey([STAGE, name])

    @dg.asset(
        key=key,
        deps=[dg.AssetKey([LANDED, name])],
        description=f"{feed.title.en} / {feed.title.fr}",
        partitions_def=deliveries_of(name),
        check_specs=check_specs(key, deliveries_of(name)),
        group_name=STAGE,
        kinds={"duckdb", "parquet"},
        tags=tags_of(feed),
        owners=[OWNER],
        pool=STAGE,
        code_version=feed.version,
    )
    def harmonised(
        context: dg.AssetExecutionContext, installation: Installation
    ) -> Iterator[dg.MaterializeResult[None] | dg.AssetCheckResult]:
        from pipelines.ingest import judge, write_audit_pages

        settings = installation.settings()
        try:
            with trying_again(context):
                # To materialise a refused delivery once more is to ask for another verdict.
                verdict = judge(settings, context.partition_key, again=True)
                write_audit_pages(settings)
        except KeyError:
            raise nowhere(context.partition_key) from None
        yield dg.MaterializeResult(
            metadata=verdict_metadata(verdict, settings.language),
            tags={JUDGED: verdict.folder_name},
        )
        yield from verdict_checks(key, verdict, settings.language)

    return harmonised


harmonised_assets = [harmonised_asset(name) for name in loaded_feeds()]


def judge_job(feed: str) -> Any:
    """What is run for one delivery of a feed: land it, then judge it."""
    return dg.define_asset_job(
        f"judge_{feed}",
        dg.AssetSelection.assets([LANDED, feed], [STAGE, feed]),
        description=f"Land and judge one delivery of {feed}.",
        tags={"feed": feed},
    )


judge_jobs = [judge_job(feed) for feed in loaded_feeds()]
