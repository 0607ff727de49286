"""One check a feed, `freshness`: how late it is, by the last delivery that was accepted.

Not here: the lateness itself (`pipelines/validate/lateness.py`).

Dagster's own freshness policies follow the moment of a materialisation. A home that is shown to
Dagster for the first time would look fresh by them, and so would a feed of which a file was just
refused; this check says of each feed what `passerelle status` says.
"""

import json
from typing import TYPE_CHECKING

import dagster as dg

from assets.checks import as_result
from assets.feeds import harmonised_key, loaded_feeds
from assets.resources import Installation
from assets.words import both
from schemas.text import Language

if TYPE_CHECKING:
    from pipelines.core.settings import Settings
    from pipelines.validate.lateness import Lateness

FRESHNESS = "freshness"
LOOK_EVERY_S = 600


def freshness_check(feed: str) -> dg.AssetChecksDefinition:
    """The check of one feed, to be run by hand; each run that judges says the same."""

    @dg.asset_check(
        asset=harmonised_key(feed),
        name=FRESHNESS,
        description=both(
            "The last delivery that was accepted was received no longer ago than the feed "
            "announces. A refused file ends no lateness.",
            "Le dernier envoi accepté a été reçu dans le délai que le flux annonce. Un fichier "
            "refusé ne met fin à aucun retard.",
        ),
    )
    def freshness(installation: Installation) -> dg.AssetCheckResult:
        return as_result(freshness_event(installation.settings(), feed))

    return freshness


def freshness_event(settings: "Settings", feed: str) -> dg.AssetCheckEvaluation:
    """The outcome of the check as it is now."""
    from pipelines.validate.lateness import lateness_of

    return _outcome(feed, lateness_of(settings, feed), settings.language)


def _outcome(feed: str, late: "Lateness", language: Language) -> dg.AssetCheckEvaluation:
    metadata: dict[str, dg.MetadataValue] = {
        "days late": dg.MetadataValue.int(late.days_late),
        "expected every days": dg.MetadataValue.int(late.expected_every_days),
    }
    if late.last_accepted_at:
        metadata["last accepted"] = dg.MetadataValue.timestamp(late.last_accepted_at)
    return dg.AssetCheckEvaluation(
        asset_key=harmonised_key(feed),
        check_name=FRESHNESS,
        passed=late.last_accepted_at is not None and not late.days_late,
        severity=dg.AssetCheckSeverity.ERROR if late.is_lost else dg.AssetCheckSeverity.WARN,
        description=late.text(language),
        metadata=metadata,
    )


@dg.sensor(
    name="feeds_that_are_late",
    minimum_interval_seconds=LOOK_EVERY_S,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description=both(
        "Says of each feed by how many days it is late, when that changed.",
        "Dit de chaque flux de combien de jours il est en retard, quand cela a changé.",
    ),
)
def feeds_that_are_late(
    context: dg.SensorEvaluationContext, installation: Installation
) -> dg.SensorResult:
    """Evaluate `freshness` where it changed. The cursor is `{feed: [last accepted, days late]}`.

    Of a feed of which nothing was ever accepted nothing is said: it is not late but unheard of.
    """
    from pipelines.validate.lateness import lateness_of

    settings = installation.settings()
    before = json.loads(context.cursor or "{}")
    now, events = {}, []
    for feed in loaded_feeds():
        late = lateness_of(settings, feed)
        if late.last_accepted_at is None:
            continue
        now[feed] = [late.last_accepted_at.isoformat(), late.days_late]
        if before.get(feed) != now[feed]:
            events.append(_outcome(feed, late, settings.language))
    if not events:
        return dg.SensorResult(skip_reason="nothing changed", cursor=json.dumps(now))
    return dg.SensorResult(asset_events=events, cursor=json.dumps(now))


freshness_checks = [freshness_check(name) for name in loaded_feeds()]
