"""One asset a feed, `harmonised/<feed>`: the rows of each delivery sorted, audited and judged.

Not here: sorting and judging (`pipelines/ingest`), publishing (`tables.py`), and what is shown
of a verdict (`checks.py`).

A feed's files are landed and judged by one step, delivery by delivery: a backfill of hundreds is
one process, and what is wrong with one of them is nothing to the others. A run in which a delivery
was refused fails at its end, so that no list shows it green; nothing is tried again for it.
"""

from collections.abc import Generator, Iterator, Mapping
from typing import TYPE_CHECKING, Any, cast

import dagster as dg
from dagster import AssetSelection

from assets.checks import (
    JUDGED,
    check_events,
    check_specs,
    code_version,
    codes_of,
    landed_event,
    target_of,
    verdict_event,
)
from assets.columns import SCHEMA, columns_of
from assets.deliveries import FILE_TAG, deliveries_of, landed_spec, nowhere, tags_of
from assets.feeds import HARMONISED, harmonised_key, landed_key, loaded_feeds
from assets.freshness import freshness_event
from assets.resources import OWNER, RETRIES, Installation, faults_in_words
from assets.words import both
from schemas.contract import load_contract
from schemas.feed import Feed, load_feed

if TYPE_CHECKING:
    from pipelines.core.settings import Settings
    from pipelines.validate.verdict import Verdict
    from schemas.feed import Statement
    from schemas.text import Language

    Outcomes = Mapping[str, Verdict | None]

KINDS = ("", "register", "correction")
STATE_TAG, CODES_TAG, REFUSED_TAG = "passerelle/state", "passerelle/codes", "passerelle/refused"
JUDGED_NOW = both("Judged in this run.", "Examiné lors de cette exécution.")
STANDS = both(
    "Nothing was judged: the verdict of {moment} UTC stands.",
    "Rien n’a été examiné\u00a0: le verdict du {moment} UTC reste.",
)
OTHER_VERSION = both(
    "It was reached by {before}; declared now: {now}. “passerelle delivery rejudge {delivery}” "
    "says what another judgement would change.",
    "Il a été rendu selon {before}\u202f; déclaré à présent\u00a0: {now}. «\u00a0passerelle "
    "delivery rejudge {delivery}\u00a0» dit ce qu’un autre examen changerait.",
)
REFUSED = both("Refused, and nothing of it is published:", "Refusé, et rien n’en est publié\u00a0:")


class Said(dg.Config):
    """What whoever starts a run says of the delivery: `register`, `correction`, or nothing."""

    kind: str = ""


def harmonised_spec(feed: Feed) -> dg.AssetSpec:
    """The asset of one feed."""
    return dg.AssetSpec(
        harmonised_key(feed.feed),
        deps=[landed_key(feed.feed)],
        skippable=True,
        description=both(feed.title.en, feed.title.fr),
        partitions_def=deliveries_of(feed.feed),
        group_name=HARMONISED,
        kinds={"duckdb", "parquet"},
        tags=tags_of(feed),
        owners=[OWNER],
        metadata={SCHEMA: columns_of(feed.table, HARMONISED)},
        code_version=declared_version(feed),
    )


def declared_version(feed: Feed) -> str:
    """What a delivery of the feed would be judged by now."""
    return code_version(feed.version, load_contract(feed.table).version)


def feed_assets(name: str) -> dg.AssetsDefinition:
    """Both assets of one feed, and the step that makes them."""
    feed = load_feed(name)

    @dg.multi_asset(
        name=f"take_in__{name}",
        specs=[landed_spec(feed), harmonised_spec(feed)],
        check_specs=check_specs(harmonised_key(name), deliveries_of(name)),
        partitions_def=deliveries_of(name),
        can_subset=True,
        pool=HARMONISED,
        backfill_policy=dg.BackfillPolicy.single_run(),
        retry_policy=RETRIES,
    )
    def take_in(
        context: dg.AssetExecutionContext, config: Said, installation: Installation
    ) -> Iterator[Any]:
        from pipelines.ingest.ingest import write_audit_pages

        if config.kind not in KINDS:
            raise dg.Failure(f"kind: {' | '.join(filter(None, KINDS))}", allow_retries=False)
        settings = installation.settings()
        outcomes: dict[str, Verdict | None] = {}
        with faults_in_words():
            for delivery_id in context.partition_keys:
                outcomes[delivery_id] = yield from _take_in_one(
                    context, settings, delivery_id, config.kind
                )
            if harmonised_key(name) in context.selected_asset_keys:
                write_audit_pages(settings)
                yield freshness_event(settings, name)
        context.instance.add_run_tags(context.run_id, {"feed": name, **tags_for(outcomes)})
        fail_for_refused(outcomes, settings.language)

    return take_in


def _take_in_one(
    context: dg.AssetExecutionContext, settings: "Settings", delivery_id: str, kind: str
) -> "Generator[Any, None, Verdict | None]":
    """Land and judge one delivery, as far as it was selected; None where its file is nowhere."""
    from pipelines.ingest.ingest import judge, land_again
    from pipelines.ingest.publish import answer
    from pipelines.validate.verdict import verdict_of

    try:
        delivery = land_again(settings, delivery_id, context.run.tags.get(FILE_TAG, ""))
    except KeyError:
        return None
    key, selected = harmonised_key(delivery.feed), context.selected_asset_keys
    if kind and kind != delivery.receipt.kind:
        answer(settings, delivery_id, cast("Statement", kind), actor="dagster")
    if landed_key(delivery.feed) in selected:
        yield landed_event(delivery)
    before = verdict_of(delivery)
    if key in selected:
        # To materialise a refused delivery once more is to ask for another verdict, unless the run
        # was asked for only to show the one that stands.
        is_again = JUDGED not in context.run.tags and context.retry_number == 0
        verdict = judge(settings, delivery_id, again=is_again)
        done = {"done": what_was_done(verdict, before)}
        yield verdict_event(key, delivery, verdict, settings.language, done)
    elif before is None or not context.selected_asset_check_keys:
        return before
    else:
        verdict = before
    target = target_of(context.instance, key, delivery_id) if verdict.is_accepted else None
    yield from check_events(key, verdict, settings.language, target)
    return verdict


def what_was_done(verdict: "Verdict", before: "Verdict | None") -> str:
    """What a run did with a delivery, and whether the verdict is one of what is declared now."""
    if before is None or before.folder_name != verdict.folder_name:
        return JUDGED_NOW
    said = [STANDS.format(moment=f"{verdict.harmonised_at:%Y-%m-%d %H:%M}")]
    reached_by = code_version(verdict.feed_version, verdict.contract_version)
    if reached_by != (now := declared_version(load_feed(verdict.feed))):
        words = {"before": reached_by, "now": now, "delivery": verdict.delivery_id}
        said.append(OTHER_VERSION.format(**words))
    return "\n\n".join(said)


def tags_for(outcomes: "Outcomes") -> dict[str, str]:
    """The tags by which a run is found: what became of its deliveries, and the codes why."""
    refused = [one for one in outcomes.values() if one and not one.is_accepted]
    if not refused:
        return {STATE_TAG: "accepted"} if any(outcomes.values()) else {}
    codes = sorted({finding.code for one in refused for finding in one.findings})
    return {STATE_TAG: "refused", REFUSED_TAG: str(len(refused)), CODES_TAG: " ".join(codes)}


def fail_for_refused(outcomes: "Outcomes", language: "Language") -> None:
    """Raise Failure where a delivery was refused or its file is nowhere, after all were told."""
    lines = [nowhere(delivery_id) for delivery_id, one in outcomes.items() if one is None]
    refused = [one for one in outcomes.values() if one and not one.is_accepted]
    if refused:
        lines.append(REFUSED)
    for one in refused:
        findings = [stored.finding for stored in one.findings]
        lines += [f"{one.delivery_id}: {found.code}: {found.text(language)}" for found in findings]
    if lines:
        raise dg.Failure(
            "\n".join(lines),
            metadata={one.delivery_id: codes_of(one) for one in refused},
            allow_retries=False,
        )


feed_definitions = [feed_assets(name) for name in loaded_feeds()]


def job_name(feed: str) -> str:
    """The name of the job that judges deliveries of a feed."""
    return f"judge_{feed}"


def judge_request(feed: str, delivery_id: str, run_key: str, tags: dict[str, str]) -> dg.RunRequest:
    """A run for one delivery; Dagster starts no second one of the same `run_key`."""
    return dg.RunRequest(
        run_key=run_key,
        job_name=job_name(feed),
        partition_key=delivery_id,
        tags={"feed": feed, **tags},
    )


def judge_job(feed: str) -> Any:
    """What is run for one delivery of a feed: land it, then judge it."""
    keys = landed_key(feed), harmonised_key(feed)
    return dg.define_asset_job(
        job_name(feed),
        # Lateness is told by the same step.
        AssetSelection.assets(*keys).without_checks()
        | AssetSelection.checks(*(one.key for one in check_specs(keys[1], deliveries_of(feed)))),
        description=both(
            f"Land and judge deliveries of {feed}.",
            f"Enregistrer et examiner des envois de {feed}.",
        ),
        tags={"feed": feed},
    )


judge_jobs = [judge_job(feed) for feed in loaded_feeds()]
