"""One sensor observes the ledger: whatever door a delivery came by, Dagster shows it.

Not here: taking deliveries in (`pipelines`) and what an outcome looks like (`checks.py`,
`tables.py`).
"""

import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import dagster as dg

from assets.checks import (
    DESCRIPTIONS,
    JUDGED,
    REJECTIONS,
    check_events,
    landed_event,
    target_of,
    verdict_event,
)
from assets.deliveries import deliveries_of
from assets.feeds import harmonised_key, loaded_feeds
from assets.harmonised import judge_jobs
from assets.resources import Installation
from assets.tables import catalogue_stamp, is_publishing, table_events
from assets.words import both

if TYPE_CHECKING:
    from pipelines.landing.receive import Delivery
    from pipelines.settings import Settings
    from pipelines.validate.verdict import Verdict

    Judged = tuple[Delivery, Verdict]

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


@dataclass
class Cursor:
    """How far the ledger was read: the last entry (and its hash), and what is still to be shown.

    `waiting` are deliveries of entries that were read, `catalogue` the stamp of the catalogue whose
    tables were looked at last.
    """

    seq: int = 0
    hash: str = ""
    waiting: list[str] = field(default_factory=list)
    catalogue: str | None = None

    @classmethod
    def read(cls, text: str | None) -> "Cursor":
        """The cursor that was kept; the beginning of the ledger where there is none."""
        return cls(**json.loads(text)) if text else cls()

    @property
    def text(self) -> str:
        """As it is kept."""
        return json.dumps(vars(self))


@dataclass
class Shown:
    """What Dagster is told in one look at the ledger."""

    events: list[Any] = field(default_factory=list)
    requests: list[dg.RunRequest] = field(default_factory=list)
    ids: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    waiting: list[str] = field(default_factory=list)


@dg.sensor(
    name="entries_of_the_ledger",
    jobs=judge_jobs,
    minimum_interval_seconds=30,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description=both(
        "Shows what the ledger says of deliveries: by the portal, the command line or the inbox.",
        "Montre ce que le registre dit des envois\u00a0: par le portail, la ligne de commande ou "
        "la boîte d’arrivée.",
    ),
)
def entries_of_the_ledger(
    context: dg.SensorEvaluationContext, installation: Installation
) -> dg.SensorResult:
    """Record the verdicts and the tables that Dagster has not heard of.

    It follows the numbers of the ledger's entries and no clock. What a run of ours says itself is
    not said again: its deliveries wait until it is over.
    """
    settings = installation.settings()
    cursor = Cursor.read(context.cursor)
    shown = Shown()
    for feed, judged in _to_show(settings, cursor).items():
        _show(context.instance, settings, feed, judged, shown)
    cursor.waiting = shown.waiting
    events, cursor.catalogue = _tables(context, settings, cursor.catalogue)
    events = [*shown.events, *events]
    if not events and not shown.requests:
        return dg.SensorResult(skip_reason="nothing new", cursor=cursor.text)
    return dg.SensorResult(
        asset_events=events,
        run_requests=shown.requests,
        dynamic_partitions_requests=[
            deliveries_of(feed).build_add_request(ids) for feed, ids in shown.ids.items()
        ],
        cursor=cursor.text,
    )


def _to_show(settings: "Settings", cursor: Cursor) -> "dict[str, list[Judged]]":
    """By feed, deliveries of which something is to be shown; moves the cursor on."""
    from pipelines.landing.receive import open_delivery
    from pipelines.ledger.chain import entries_from
    from pipelines.ledger.deliveries import JUDGED as WAS_JUDGED
    from pipelines.validate.verdict import verdict_of

    found = entries_from(settings, cursor.seq, [WAS_JUDGED], size=MOST_SHOWN_A_TICK)
    if found and (found[0].seq, found[0].hash) == (cursor.seq, cursor.hash):
        found = found[1:]
    elif cursor.seq:  # another ledger, put back from a backup; what is known is not shown twice
        found = entries_from(settings, 0, [WAS_JUDGED], size=MOST_SHOWN_A_TICK)
    if found:
        cursor.seq, cursor.hash = found[-1].seq, found[-1].hash
    judged: dict[str, list[Judged]] = defaultdict(list)
    for delivery_id in dict.fromkeys([*cursor.waiting, *(one.subject for one in found)]):
        try:
            delivery = open_delivery(settings, delivery_id)
        except KeyError:  # removed since
            continue
        if delivery.feed in loaded_feeds() and (verdict := verdict_of(delivery)):
            judged[delivery.feed].append((delivery, verdict))
    return judged


def _show(
    instance: dg.DagsterInstance,
    settings: "Settings",
    feed: str,
    judged: "list[Judged]",
    shown: Shown,
) -> None:
    """Add what Dagster has not heard of deliveries of one feed.

    The checks of a materialisation follow in the next look, once Dagster has given it a number that
    they can name. Of a delivery that it knew by another verdict, a run is asked for: of each check
    of a delivery it takes one outcome that came without a run.
    """
    key, ids = harmonised_key(feed), [delivery.delivery_id for delivery, _verdict in judged]
    busy, heard, checked = (
        _busy(instance, feed),
        _heard(instance, key, ids),
        _checked(instance, key, ids),
    )
    for delivery, verdict in judged:
        one = verdict.delivery_id
        told = heard.get(one, set())
        if busy & {one, ""}:
            shown.waiting.append(one)
        elif verdict.folder_name in told and one in checked:
            continue
        elif told - {verdict.folder_name} or one in checked:
            if len(shown.requests) == MOST_RUNS_A_TICK:
                shown.waiting.append(one)
            else:
                shown.requests.append(_request(verdict))
        elif told:
            target = target_of(instance, key, one)
            shown.events += check_events(key, verdict, settings.language, target)
        else:
            shown.ids[feed].append(one)
            shown.events += _first_events(key, delivery, verdict, settings)
            if verdict.is_accepted:
                shown.waiting.append(one)


def _first_events(
    key: dg.AssetKey, delivery: "Delivery", verdict: "Verdict", settings: "Settings"
) -> Iterator[Any]:
    yield landed_event(delivery)
    yield verdict_event(key, delivery, verdict, settings.language)
    if not verdict.is_accepted:
        yield from check_events(key, verdict, settings.language)


def _heard(instance: dg.DagsterInstance, key: dg.AssetKey, ids: list[str]) -> dict[str, set[str]]:
    """By delivery, the verdicts that Dagster has heard of."""
    found: dict[str, set[str]] = defaultdict(set)
    wanted = dg.AssetRecordsFilter(key, asset_partitions=ids)
    for fetch in (instance.fetch_materializations, instance.fetch_observations):
        cursor, has_more = None, bool(ids)
        while has_more:
            page = fetch(wanted, limit=RECORDS_AT_ONCE, cursor=cursor)
            for record in page.records:
                event = record.asset_materialization or record.asset_observation
                if event and event.partition:
                    found[event.partition].add((event.tags or {}).get(JUDGED, ""))
            cursor, has_more = page.cursor, page.has_more
    return found


def _checked(instance: dg.DagsterInstance, key: dg.AssetKey, ids: list[str]) -> set[str]:
    """The deliveries of which every check has an outcome."""
    if not ids:
        return set()
    checks = [dg.AssetCheckKey(key, name) for name in DESCRIPTIONS]
    infos = instance.event_log_storage.get_asset_check_partition_info(checks, partition_keys=ids)
    return {str(info.partition_key) for info in infos if info.check_key.name == REJECTIONS}


def _request(verdict: "Verdict") -> dg.RunRequest:
    """A run that says what the verdict is now and reaches no other."""
    return dg.RunRequest(
        run_key=f"{verdict.delivery_id} {verdict.folder_name}",
        job_name=f"judge_{verdict.feed}",
        partition_key=verdict.delivery_id,
        tags={"feed": verdict.feed, JUDGED: verdict.folder_name},
    )


def _busy(instance: dg.DagsterInstance, feed: str) -> set[str]:
    """Deliveries of the feed that a run is just judging; "" where it is one of many of them."""
    key, found = harmonised_key(feed), set()
    for run in instance.get_runs(dg.RunsFilter(statuses=UNFINISHED)):
        if run.tags.get("feed") == feed or key in (run.asset_selection or ()):
            found.add(run.tags.get("dagster/partition", ""))
    return found


def _tables(
    context: dg.SensorEvaluationContext, settings: "Settings", before: str | None
) -> tuple[list[Any], str | None]:
    """The tables that were published elsewhere, and the stamp of the catalogue that shows them."""
    stamp = catalogue_stamp(settings)
    if stamp is None or stamp == before:
        return [], before
    if any(map(is_publishing, context.instance.get_runs(dg.RunsFilter(statuses=UNFINISHED)))):
        return [], before  # and says so itself
    return list(table_events(context.instance, settings)), stamp
