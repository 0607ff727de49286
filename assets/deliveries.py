"""One asset a feed, `landed/<feed>`: the files as they came, unchanged, one partition a delivery.

Not here: what becomes of their rows (`harmonised.py`) and who notices a new file (`automation.py`).
"""

from datetime import timedelta
from typing import TYPE_CHECKING, Any, cast

import dagster as dg

from assets.feeds import loaded_feeds
from assets.resources import OWNER, Installation, trying_again
from schemas.feed import Feed, load_feed

if TYPE_CHECKING:
    from pipelines.landing.receive import Receipt
    from schemas.feed import Statement

STAGE = "landed"
FILE_TAG = "passerelle/file"
KINDS = ("", "register", "correction")


class Said(dg.Config):
    """What whoever starts a run says of the delivery: `register`, `correction`, or nothing."""

    kind: str = ""


def deliveries_of(feed: str) -> dg.DynamicPartitionsDefinition:
    """The partitions of a feed: the ids of its deliveries."""
    return dg.DynamicPartitionsDefinition(name=f"deliveries/{feed}")


def tags_of(feed: Feed) -> dict[str, str]:
    """What one searches for in Dagster's web pages."""
    country = feed.feed.split("_")[0]
    return {"source": feed.source, "table": feed.table, "from": country, "status": feed.status}


def landed_asset(name: str) -> dg.AssetsDefinition:
    """The asset of one feed."""
    feed = load_feed(name)
    expected = timedelta(days=feed.expected_every_days)

    @dg.asset(
        key=[STAGE, name],
        description=f"{feed.title.en} / {feed.title.fr}",
        partitions_def=deliveries_of(name),
        group_name=STAGE,
        kinds={layout.format for layout in feed.file},
        tags=tags_of(feed),
        owners=[OWNER],
        pool=STAGE,
        # Half as long again as the feed says: a late week is a warning, a lost one is a failure.
        # Dagster counts from the moment at which it heard of a file, whatever became of it; the
        # check `freshness` counts from the receipt of the last that was accepted.
        freshness_policy=dg.FreshnessPolicy.time_window(
            fail_window=expected * 2, warn_window=expected * 1.5
        ),
    )
    def landed(
        context: dg.AssetExecutionContext, config: Said, installation: Installation
    ) -> dg.MaterializeResult[None]:
        from pipelines.ingest import land_again
        from pipelines.ledger.deliveries import answer

        if config.kind not in KINDS:
            raise dg.Failure(f"kind: {' | '.join(filter(None, KINDS))}", allow_retries=False)
        file = context.run.tags.get(FILE_TAG, "")
        try:
            with trying_again(context):
                delivery = land_again(installation.settings(), context.partition_key, file)
                if config.kind and config.kind != delivery.receipt.kind:
                    said = cast("Statement", config.kind)
                    answer(installation.settings(), delivery.delivery_id, said, actor="dagster")
        except KeyError:
            raise nowhere(context.partition_key) from None
        return dg.MaterializeResult(
            metadata=receipt_metadata(delivery.receipt),
            data_version=dg.DataVersion(delivery.sha256),
        )

    return landed


def receipt_metadata(receipt: "Receipt") -> dict[str, Any]:
    """What is known of a delivery besides its rows."""
    return {
        "file": receipt.file_name,
        "bytes": receipt.bytes,
        "received": dg.MetadataValue.timestamp(receipt.received_at),
        "fingerprint": receipt.sha256,
    }


def nowhere(delivery_id: str) -> dg.Failure:
    """What a person reads where a partition names a delivery that is not here."""
    return dg.Failure(
        f"The file of {delivery_id} is neither landed nor in the inbox: put it back there. / "
        f"Le fichier de {delivery_id} n’est ni enregistré ni dans la boîte d’arrivée : "
        "remettez-l’y.",
        allow_retries=False,
    )


landed_assets = [landed_asset(name) for name in loaded_feeds()]
