"""When things run: what watches the inbox, what runs daily and weekly, what publishes.

Not here: what is run (the assets and `pipelines`).

Nothing looks at the clock to know what is new: a file is known by its content, so one that comes
late, twice or again under another name is taken for what it is.
"""

import hashlib
import json
from typing import Any

import dagster as dg

from assets.deliveries import FILE_TAG, deliveries_of
from assets.feeds import drafts, loaded_feeds
from assets.freshness import feeds_that_are_late
from assets.harmonised import fail_for_refused, judge_jobs, judge_request, tags_for
from assets.ledger import MOST_RUNS_A_TICK, entries_of_the_ledger, unfinished_runs
from assets.releases import MISSIONS, release_jobs
from assets.resources import RETRIES, Installation, faults_in_words
from assets.tables import STAGE as PUBLISHED
from assets.tables import fail_for, table_events
from assets.words import both

DAILY, WEEKLY = "30 4 * * *", "0 3 * * 0"
MONDAYS = "0 5 * * 1"  # once the weekend's deliveries are published

Known = dict[str, list[Any]]


@dg.sensor(
    name="new_files_in_the_inbox",
    jobs=judge_jobs,
    minimum_interval_seconds=30,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description=both(
        "Looks for files in <inbox>/<feed>/ and asks for a run for each new content.",
        "Cherche des fichiers dans <inbox>/<flux>/ et demande une exécution par contenu nouveau.",
    ),
)
def new_files_in_the_inbox(
    context: dg.SensorEvaluationContext, installation: Installation
) -> dg.SensorResult:
    """Ask for one run a delivery. The cursor is `{file: [bytes, modified, sha256]}`.

    A file is taken in when a second look finds it unchanged, since it may still be on its way; it
    is read once then, and not again while its size and time stay as they are. One that was judged
    elsewhere (by the command line) asks for no run; of bytes that came before it is logged what
    stands since. A run that failed is not asked for again here:
    Dagster shows it, and the daily round takes in what it left.
    """
    from pipelines.ingest.ingest import is_judged
    from pipelines.ingest.publish import note_new_copies
    from pipelines.lake.superseded import find_supersession
    from pipelines.landing.copies import copy_of
    from pipelines.landing.inbox import delivery_id_of, fingerprint, inbox_files

    settings = installation.settings()
    before: Known = json.loads(context.cursor or "{}")
    now: Known = {}
    requests: list[dg.RunRequest] = []
    strangers, arriving = set(), 0
    copies: list[Any] = []
    for waiting in inbox_files(settings):
        path, state = str(waiting.file), [waiting.bytes, waiting.modified_s]
        known = before.get(path, [])
        if waiting.feed not in loaded_feeds():
            strangers.add(waiting.feed)
        elif known[:2] != state:
            now[path] = [*state, ""]
            arriving += 1
        elif known[2] or len(requests) == MOST_RUNS_A_TICK:
            now[path] = known
        else:
            now[path] = [*state, fingerprint(waiting.file)]
            delivery_id = delivery_id_of(waiting.feed, now[path][2])
            if not is_judged(settings, delivery_id):
                # The same content never asks twice, whatever the file is called.
                tags = {FILE_TAG: str(waiting.file)}
                requests.append(judge_request(waiting.feed, delivery_id, delivery_id, tags))
            elif copy := copy_of(settings, delivery_id, waiting):
                copies.append(copy)
    for delivery in note_new_copies(settings, copies):
        context.log.info(
            " ".join(find_supersession(settings, delivery).sentences(settings.language))
        )
    for sentence in map(_stranger, sorted(strangers)):
        context.log.warning(sentence)
    return _result(requests, _reason(arriving, strangers), json.dumps(now))


def _reason(arriving: int, strangers: set[str]) -> str:
    """Why a look at the inbox asked for nothing."""
    reasons = [f"files that may still be on their way: {arriving}"] if arriving else []
    return "; ".join([*reasons, *map(_stranger, sorted(strangers))]) or "nothing new"


def _stranger(feed: str) -> str:
    """Why files of this folder of the inbox wait."""
    return drafts().get(feed) or f"DEL-721: no feed is called {feed}"


def _result(requests: list[dg.RunRequest], otherwise: str, cursor: str) -> dg.SensorResult:
    """The requests with their partitions; without any, why there is none."""
    if not requests:
        return dg.SensorResult(skip_reason=otherwise, cursor=cursor)
    partitions = [
        deliveries_of(request.tags["feed"]).build_add_request([str(request.partition_key)])
        for request in requests
    ]
    return dg.SensorResult(
        run_requests=requests, dynamic_partitions_requests=partitions, cursor=cursor
    )


@dg.op(pool=PUBLISHED, retry_policy=RETRIES)
def take_everything_in(context: dg.OpExecutionContext, installation: Installation) -> None:
    """Judge whatever is left in the inbox in one process, and publish all that is judged."""
    from pipelines.ingest.inbox import ingest_inbox
    from pipelines.ingest.publish import publish
    from pipelines.lake.superseded import find_supersession

    settings = installation.settings()
    problems: list[Any] = []
    again: list[Any] = []
    with faults_in_words():
        verdicts = ingest_inbox(settings, on_problem=problems.append, on_repeat=again.append)
        done = publish(settings)
        for event in table_events(context.instance, settings, done):
            context.log_event(event)  # type: ignore[arg-type]  # it takes checks too
    for problem in problems:
        context.log.warning(f"{problem.code}: {problem.text(settings.language)}")
    for delivery in again:
        context.log.info(
            " ".join(find_supersession(settings, delivery).sentences(settings.language))
        )
    outcomes = {verdict.delivery_id: verdict for verdict in verdicts}
    refused = sum(not verdict.is_accepted for verdict in verdicts)
    context.add_output_metadata(
        {"judged": len(verdicts), "refused": refused, "published": len(done.deliveries)}
    )
    context.instance.add_run_tags(context.run_id, tags_for(outcomes))
    fail_for(settings, done)
    fail_for_refused(outcomes, settings.language)


@dg.op(pool=PUBLISHED, retry_policy=RETRIES)
def look_after_the_lake(context: dg.OpExecutionContext, installation: Installation) -> None:
    """Merge small files, remove what no catalogue needs; check the tables and the ledger."""
    from pipelines.lake.maintenance import check, compact, vacuum
    from pipelines.ledger.chain import OPERATORS
    from pipelines.ledger.verify import check_and_note

    settings = installation.settings()
    with faults_in_words():
        merged = compact(settings)
        deleted = vacuum(settings, is_dry_run=False)
        problems = check(settings)
        checked = check_and_note(settings, actor="schedule", organisation=OPERATORS)
    context.add_output_metadata(
        {
            "files before": sum(one.files_before for one in merged),
            "files after": sum(one.files_after for one in merged),
            "files deleted": len(deleted),
            "ledger entries": checked.count,
            "ledger anchor": checked.anchor,  # for a check that nobody here can mislead
        }
    )
    faults: list[Any] = [*problems, *checked.faults]
    if faults:
        words = "\n".join(fault.text(settings.language) for fault in faults)
        raise dg.Failure(words, allow_retries=False)


@dg.job(
    description=both(
        "Everything in the inbox, in one process: what the sensor may have missed.",
        "Tout ce qui est dans la boîte d’arrivée, en un seul processus\u00a0: ce que la "
        "surveillance aurait manqué.",
    )
)
def daily_round() -> None:
    """One step."""
    take_everything_in()


@dg.job(
    description=both(
        "Merge small files, remove old ones, check the tables and the ledger.",
        "Réunir les petits fichiers, retirer les anciens, contrôler les tables et le registre.",
    )
)
def weekly_upkeep() -> None:
    """One step."""
    look_after_the_lake()


publish_job = dg.define_asset_job(
    "publish",
    dg.AssetSelection.groups(PUBLISHED),
    description=both(
        "Publish every judged delivery: one commit a table, one swap of the catalogue.",
        "Publier tout envoi examiné\u00a0: un commit par table, un échange du catalogue.",
    ),
)


@dg.sensor(
    name="deliveries_to_publish",
    job=publish_job,
    minimum_interval_seconds=60,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description=both(
        "Publishes what is judged and not yet published, once nothing is being judged.",
        "Publie ce qui est examiné et pas encore publié, dès que rien n’est en examen.",
    ),
)
def deliveries_to_publish(
    context: dg.SensorEvaluationContext, installation: Installation
) -> dg.RunRequest | dg.SkipReason:
    """Ask for one publish of all that wait.

    It asks the lake what is missing there and not Dagster what happened, so that nothing is
    forgotten: not what was judged while a publish ran, nor before an interruption.
    """
    from pipelines.lake.judged_deliveries import judged_deliveries
    from pipelines.lake.publish import published_attempts

    settings = installation.settings()
    waiting = [one.attempt for one in judged_deliveries(settings, published_attempts(settings))]
    if not waiting:
        return dg.SkipReason("everything that is judged is published")
    if busy := sorted({run.job_name for run in unfinished_runs(context.instance)}):
        return dg.SkipReason(f"waits for {', '.join(busy)}")
    # The same deliveries are not asked for twice: a publish that fails is for a person to look at.
    key = hashlib.sha256("\n".join(waiting).encode()).hexdigest()
    return dg.RunRequest(run_key=key)


def schedule(name: str, job: Any, cron: str) -> dg.ScheduleDefinition:
    """A schedule whose name says when and what, in UTC; it says of its job what that does."""
    return dg.ScheduleDefinition(
        name=name,
        job=job,
        cron_schedule=cron,
        description=job.description,
        default_status=dg.DefaultScheduleStatus.RUNNING,
    )


sensors = [
    new_files_in_the_inbox,
    entries_of_the_ledger,
    deliveries_to_publish,
    feeds_that_are_late,
]
jobs = [*judge_jobs, publish_job, daily_round, weekly_upkeep, *release_jobs]
schedules = [
    schedule("every_day_take_in_what_is_left", daily_round, DAILY),
    schedule("every_sunday_look_after_the_lake", weekly_upkeep, WEEKLY),
    *(
        schedule(f"every_monday_make_the_extracts_of_{mission}", job, MONDAYS)
        for mission, job in zip(MISSIONS, release_jobs, strict=True)
    ),
]
