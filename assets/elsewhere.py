"""Shows in Dagster what was done without it: by the command line or by the daily round.

Not here: doing it (`pipelines`) and what an outcome looks like (`checks.py`, `tables.py`).
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import dagster as dg

from assets.checks import evaluation_of, verdict_checks, verdict_metadata
from assets.deliveries import STAGE as LANDED
from assets.deliveries import deliveries_of, receipt_metadata
from assets.feeds import loaded_feeds
from assets.harmonised import STAGE as HARMONISED
from assets.resources import Installation
from assets.tables import DATA_VERSION, catalogue_stamp, table_events

if TYPE_CHECKING:
    from pipelines.landing.receive import Delivery
    from pipelines.settings import Settings
    from pipelines.validate.verdict import Verdict

MOST_SHOWN_A_TICK = 200

UNFINISHED = [
    status
    for status in dg.DagsterRunStatus
    if status
    not in (
        dg.DagsterRunStatus.SUCCESS,
        dg.DagsterRunStatus.FAILURE,
        dg.DagsterRunStatus.CANCELED,
    )
]


@dg.sensor(
    name="done_elsewhere",
    minimum_interval_seconds=60,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Shows here what the command line or the daily round took in and published.",
)
def done_elsewhere(
    context: dg.SensorEvaluationContext, installation: Installation
) -> dg.SensorResult:
    """Record the verdicts and the tables that Dagster has not heard of.

    The cursor is the stamp of the catalogue whose tables were looked at last.
    """
    settings = installation.settings()
    events: list[Any] = []
    partitions = []
    room = MOST_SHOWN_A_TICK
    for feed in loaded_feeds():
        judged = _unheard(context, settings, feed)[:room]
        room -= len(judged)
        if judged:
            ids = [verdict.delivery_id for _delivery, verdict in judged]
            partitions.append(deliveries_of(feed).build_add_request(ids))
        for delivery, verdict in judged:
            events += _events(delivery, verdict, settings.language)
    tables, cursor = _tables(context, settings)
    events += tables
    if not events:
        return dg.SensorResult(skip_reason="nothing new", cursor=cursor)
    return dg.SensorResult(
        asset_events=events, dynamic_partitions_requests=partitions, cursor=cursor
    )


def _unheard(
    context: dg.SensorEvaluationContext, settings: "Settings", feed: str
) -> "list[tuple[Delivery, Verdict]]":
    """Deliveries of the feed that have a verdict of which Dagster does not know."""
    from pipelines.landing.receive import list_deliveries
    from pipelines.validate.verdict import verdict_of

    known = context.instance.get_materialized_partitions(dg.AssetKey([HARMONISED, feed]))
    known |= _running(context, feed)
    return [
        (delivery, verdict)
        for delivery in list_deliveries(settings, feed)
        if delivery.delivery_id not in known and (verdict := verdict_of(delivery))
    ]


def _running(context: dg.SensorEvaluationContext, feed: str) -> set[str]:
    """Deliveries of the feed that a run of ours is just judging; it will say so itself."""
    runs = context.instance.get_runs(dg.RunsFilter(statuses=UNFINISHED, tags={"feed": feed}))
    return {run.tags.get("dagster/partition", "") for run in runs}


def _events(delivery: "Delivery", verdict: "Verdict", language: Any) -> Iterator[Any]:
    key = dg.AssetKey([HARMONISED, delivery.feed])
    partition = verdict.delivery_id
    yield dg.AssetMaterialization(
        dg.AssetKey([LANDED, delivery.feed]),
        partition=partition,
        metadata=receipt_metadata(delivery.receipt),
        tags={DATA_VERSION: delivery.sha256},
    )
    yield dg.AssetMaterialization(
        key, partition=partition, metadata=verdict_metadata(verdict, language)
    )
    for result in verdict_checks(key, verdict, language):
        yield evaluation_of(result, partition)


def _tables(
    context: dg.SensorEvaluationContext, settings: "Settings"
) -> tuple[list[dg.AssetMaterialization], str | None]:
    """The tables that were published elsewhere, and the stamp of the catalogue that shows them."""
    stamp = catalogue_stamp(settings)
    if stamp is None or stamp == context.cursor:
        return [], context.cursor
    if context.instance.get_runs(dg.RunsFilter(statuses=UNFINISHED), limit=1):
        return [], context.cursor  # it may be publishing, and then says so itself
    return list(table_events(context.instance, settings)), stamp
