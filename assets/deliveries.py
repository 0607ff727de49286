"""The deliveries of a feed as partitions, and `landed/<feed>`: the files as they came, unchanged.

Not here: taking one in (`harmonised.py`) and who notices a new file (`automation.py`).
"""

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import dagster as dg

from assets.columns import SCHEMA, columns_in_file
from assets.feeds import LANDED, landed_key
from assets.resources import OWNER
from assets.words import both
from schemas.feed import Feed

if TYPE_CHECKING:
    from pipelines.landing.receive import Receipt

FILE_TAG = "passerelle/file"


def deliveries_of(feed: str) -> dg.DynamicPartitionsDefinition:
    """The partitions of a feed: the ids of its deliveries."""
    return dg.DynamicPartitionsDefinition(name=f"deliveries/{feed}")


def tags_of(feed: Feed) -> dict[str, str]:
    """What one searches for in Dagster's web pages."""
    country = feed.feed.split("_")[0]
    return {"source": feed.source, "table": feed.table, "from": country, "status": feed.status}


def landed_spec(feed: Feed) -> dg.AssetSpec:
    """The asset of one feed."""
    expected = timedelta(days=feed.expected_every_days)
    return dg.AssetSpec(
        landed_key(feed.feed),
        skippable=True,
        description=both(feed.title.en, feed.title.fr),
        partitions_def=deliveries_of(feed.feed),
        group_name=LANDED,
        kinds={layout.format for layout in feed.file},
        tags=tags_of(feed),
        owners=[OWNER],
        metadata={SCHEMA: columns_in_file(feed)},
        # Half as long again as the feed says: a late week is a warning, a lost one is a failure.
        # Dagster counts from the moment at which it heard of a file, whatever became of it; the
        # check `freshness` counts from the receipt of the last that was accepted.
        freshness_policy=dg.FreshnessPolicy.time_window(
            fail_window=expected * 2, warn_window=expected * 1.5
        ),
    )


def receipt_metadata(receipt: "Receipt") -> dict[str, Any]:
    """What is known of a delivery besides its rows."""
    return {
        "file": receipt.file_name,
        "bytes": receipt.bytes,
        "received": dg.MetadataValue.timestamp(receipt.received_at),
        "fingerprint": receipt.sha256,
    }


def nowhere(delivery_id: str) -> str:
    """What a person reads where a partition names a delivery that is not here."""
    return both(
        f"The file of {delivery_id} is neither landed nor in the inbox: put it back there.",
        f"Le fichier de {delivery_id} n’est ni enregistré ni dans la boîte d’arrivée\u00a0: "
        "remettez-l’y.",
    )
