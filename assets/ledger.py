"""One sensor observes the ledger: whatever door a delivery came by, Dagster shows it.

Not here: taking deliveries in (`pipelines`) and what an outcome looks like (`checks.py`,
`tables.py`).
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import dagster as dg

from assets.checks import (
    DESCRIPTIONS,
    JUDGED,
    REJECTIONS,
    Target,
    check_events,
    landed_event,
    target_in,
    verdict_event,
)
from assets.deliveries import deliveries_of
from assets.feeds import harmonised_key, loaded_feeds
from assets.harmonised import judge_jobs, judge_request
from assets.resources import Installation
from assets.tables import catalogue_stamp, is_publishing, table_events
from assets.words import both

if TYPE_CHECKING:
    from pipelines.core.settings import Settings
    from pipelines.landing.receive import Delivery
    from pipelines.validate.verdict import Verdict

    Judged = tuple[Delivery, Verdict]

MOST_SHOWN_A_TICK = 200
MOST_RUNS_A_TICK = 50  # of any sensor
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
class Report:
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
    report = Report()
    runs = unfinished_runs(context.instance)
    for feed, judged in _to_show(settings, cursor).items():
        _show(context.instance, settings, judged, _busy(runs, feed), report)
    cursor.waiting = report.waiting
    events, cursor.catalogue = _tables(context, settings, cursor.catalogue, runs)
    events = [*report.events, *events]
    if not events and not report.requests:
        return dg.SensorResult(skip_reason="nothing new", cursor=cursor.text)
    return dg.SensorResult(
        asset_events=events,
        run_requests=report.requests,
        dynamic_partitions_requests=[
            deliveries_of(feed).build_add_request(ids) for feed, ids in report.ids.items()
        ],
        cursor=cursor.text,
    )


def _to_show(settings: "Settings", cursor: Cursor) -> "dict[str, list[Judged]]":
    """By feed, deliveries of which something is to be shown; moves the cursor on."""
    from pipelines.ingest.publish import JUDGED as WAS_JUDGED
    from pipelines.landing.receive import open_delivery
    from pipelines.ledger.chain import entries_from
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


def unfinished_runs(instance: dg.DagsterInstance) -> Sequence[dg.DagsterRun]:
    """The runs that wait or go on."""
    return instance.get_runs(dg.RunsFilter(statuses=UNFINISHED))


def _show(
    instance: dg.DagsterInstance,
    settings: "Settings",
    judged: "list[Judged]",
    busy: set[str],
    report: Report,
) -> None:
    """Add what Dagster has not heard of deliveries of one feed.

    The checks of a materialisation follow in the next look, once Dagster has given it a number that
    they can name. Of a delivery that it knew by another verdict, a run is asked for: of each check
    of a delivery it takes one outcome that came without a run.
    """
    feed, ids = judged[0][0].feed, [delivery.delivery_id for delivery, _verdict in judged]
    key = harmonised_key(feed)
    heard, checked = _heard(instance, key, ids), _checked(instance, key, ids)
    for delivery, verdict in judged:
        one, now = verdict.delivery_id, verdict.folder_name
        told = heard.get(one, {})
        if busy & {one, ""}:
            report.waiting.append(one)
        elif now in told and one in checked:
            continue
        elif told.keys() - {now} or one in checked:
            if len(report.requests) == MOST_RUNS_A_TICK:
                report.waiting.append(one)
            else:
                report.requests.append(_request(verdict))
        elif told:
            report.events += check_events(key, verdict, settings.language, told[now])
        else:
            report.ids[feed].append(one)
            report.events += _first_events(key, delivery, verdict, settings)
            if verdict.is_accepted:
                report.waiting.append(one)


def _first_events(
    key: dg.AssetKey, delivery: "Delivery", verdict: "Verdict", settings: "Settings"
) -> Iterator[Any]:
    yield landed_event(delivery)
    yield verdict_event(key, delivery, verdict, settings.language)
    if not verdict.is_accepted:
        yield from check_events(key, verdict, settings.language)


def _heard(
    instance: dg.DagsterInstance, key: dg.AssetKey, ids: list[str]
) -> "dict[str, dict[str, Target | None]]":
    """By delivery, the verdicts that Dagster has heard of, each with what its checks are about."""
    found: dict[str, dict[str, Target | None]] = defaultdict(dict)
    wanted = dg.AssetRecordsFilter(key, asset_partitions=ids)
    for fetch in (instance.fetch_materializations, instance.fetch_observations):
        cursor, has_more = None, bool(ids)
        while has_more:
            page = fetch(wanted, limit=RECORDS_AT_ONCE, cursor=cursor)
            for record in page.records:
                event = record.asset_materialization or record.asset_observation
                if event and event.partition:
                    verdict = (event.tags or {}).get(JUDGED, "")
                    found[event.partition].setdefault(verdict, target_in(record))
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
    one, now = verdict.delivery_id, verdict.folder_name
    return judge_request(verdict.feed, one, f"{one} {now}", {JUDGED: now})


def _busy(runs: Iterable[dg.DagsterRun], feed: str) -> set[str]:
    """Deliveries of the feed that a run is just judging; "" where it is one of many of them."""
    key = harmonised_key(feed)
    return {
        run.tags.get("dagster/partition", "")
        for run in runs
        if run.tags.get("feed") == feed or key in (run.asset_selection or ())
    }


def _tables(
    context: dg.SensorEvaluationContext,
    settings: "Settings",
    before: str | None,
    runs: Iterable[dg.DagsterRun],
) -> tuple[list[Any], str | None]:
    """The tables that were published elsewhere, and the stamp of the catalogue that shows them."""
    stamp = catalogue_stamp(settings)
    if stamp is None or stamp == before:
        return [], before
    if any(map(is_publishing, runs)):
        return [], before  # and says so itself
    return list(table_events(context.instance, settings)), stamp
