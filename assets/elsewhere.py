"""Shows in Dagster what was done without it: by the command line or by the daily round.

Not here: doing it (`pipelines`) and what an outcome looks like (`checks.py`, `tables.py`).
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import dagster as dg

from assets.checks import JUDGED, evaluation_of, verdict_checks, verdict_metadata
from assets.deliveries import STAGE as LANDED
from assets.deliveries import deliveries_of, receipt_metadata
from assets.feeds import loaded_feeds
from assets.harmonised import STAGE as HARMONISED
from assets.harmonised import judge_jobs
from assets.resources import Installation
from assets.tables import DATA_VERSION, catalogue_stamp, table_events

if TYPE_CHECKING:
    from pipelines.landing.receive import Delivery
    from pipelines.settings import Settings
    from pipelines.validate.verdict import Verdict

MOST_SHOWN_A_TICK = 200
MOST_RUNS_A_TICK = 50
RECORDS_AT_ONCE = 500

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
    jobs=judge_jobs,
    minimum_interval_seconds=60,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Shows here what the command line or the daily round took in and published.",
)
def done_elsewhere(
    context: dg.SensorEvaluationContext, installation: Installation
) -> dg.SensorResult:
    """Record the verdicts and the tables that Dagster has not heard of.

    For a delivery that was judged again it asks for a run, which finds that verdict and shows it.

    The cursor is the stamp of the catalogue whose tables were looked at last.
    """
    settings = installation.settings()
    events: list[Any] = []
    partitions = []
    requests: list[dg.RunRequest] = []
    room = MOST_SHOWN_A_TICK
    for feed in loaded_feeds():
        new, again = _unheard(context, settings, feed)
        judged = new[:room]
        room -= len(judged)
        if judged:
            ids = [verdict.delivery_id for _delivery, verdict in judged]
            partitions.append(deliveries_of(feed).build_add_request(ids))
        for delivery, verdict in judged:
            events += _events(delivery, verdict, settings.language)
        requests += map(_request, again)
    tables, cursor = _tables(context, settings)
    events += tables
    if not events and not requests:
        return dg.SensorResult(skip_reason="nothing new", cursor=cursor)
    return dg.SensorResult(
        asset_events=events,
        run_requests=requests[:MOST_RUNS_A_TICK],
        dynamic_partitions_requests=partitions,
        cursor=cursor,
    )


def _unheard(
    context: dg.SensorEvaluationContext, settings: "Settings", feed: str
) -> "tuple[list[tuple[Delivery, Verdict]], list[Verdict]]":
    """Deliveries of the feed with a verdict of which Dagster does not know; verdicts that changed.

    Of the latter it has heard an earlier one, before the delivery was judged again.
    """
    from pipelines.landing.receive import list_deliveries
    from pipelines.validate.verdict import JUDGEMENTS, verdict_of

    known = context.instance.get_materialized_partitions(dg.AssetKey([HARMONISED, feed]))
    running = _running(context, feed)
    every = [one for one in list_deliveries(settings, feed) if one.delivery_id not in running]
    new = [
        (one, verdict)
        for one in every
        if one.delivery_id not in known and (verdict := verdict_of(one))
    ]
    again = [
        verdict
        for one in every
        if one.delivery_id in known and (one.folder / JUDGEMENTS).exists()
        if (verdict := verdict_of(one)) and verdict.follows
    ]
    heard = _heard(context.instance, feed, [one.delivery_id for one in again])
    return new, [one for one in again if (one.delivery_id, one.folder_name) not in heard]


def _heard(instance: dg.DagsterInstance, feed: str, ids: list[str]) -> set[tuple[str, str]]:
    """The judgements of these deliveries that Dagster has heard of."""
    if not ids:
        return set()
    wanted = dg.AssetRecordsFilter(dg.AssetKey([HARMONISED, feed]), asset_partitions=ids)
    found: set[tuple[str, str]] = set()
    cursor = None
    while True:
        page = instance.fetch_materializations(wanted, limit=RECORDS_AT_ONCE, cursor=cursor)
        events = [one.asset_materialization for one in page.records]
        found |= {(str(one.partition), (one.tags or {}).get(JUDGED, "")) for one in events if one}
        if not page.has_more:
            return found
        cursor = page.cursor


def _request(verdict: "Verdict") -> dg.RunRequest:
    """A run that says what the verdict is now: of a check, Dagster takes one outcome a run."""
    return dg.RunRequest(
        run_key=f"{verdict.delivery_id} {verdict.folder_name}",
        job_name=f"judge_{verdict.feed}",
        partition_key=verdict.delivery_id,
        tags={"feed": verdict.feed},
    )


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
        key,
        partition=partition,
        metadata=verdict_metadata(verdict, language),
        tags={JUDGED: verdict.folder_name},
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
