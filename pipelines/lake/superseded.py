"""What others made of a delivery: of which of its records another statement stands.

Not here: which statement is the latest (`revisions.py`). Counts and ids of deliveries, no cell.
"""

from __future__ import annotations

import datetime as dt
from contextlib import closing, suppress
from dataclasses import dataclass
from typing import Any

from pipelines.core.i18n import mark, translator
from pipelines.core.settings import Settings
from pipelines.lake.catalogue import connect
from pipelines.lake.errors import NothingPublishedError
from pipelines.lake.versions import behind, published_deliveries
from pipelines.landing.receive import Delivery
from schemas.contract import table_names
from schemas.feed import load_feed
from schemas.sqltext import name
from schemas.text import Language

CAME_BEFORE = mark("{file} came before, on {day}: the same bytes are one delivery ({delivery}).")
ALL_STAND = mark("All of its records stand as it says.")
CHANGED = mark(
    "For {count} of its {records} records another statement stands; {withdrawn} of them are "
    "withdrawn."
)
LATER = mark("{delivery}, received on {day}: {count}")
HIGHER = mark(
    "To restore what it says, send those rows again with a higher number in “{column}” than the "
    "others have."
)
CORRECTION = mark(
    "To restore what it says, send those rows again in a new file, and say that it is a correction."
)


@dataclass(frozen=True)
class NewerDelivery:
    """A delivery whose statements stand, for how many records, and how many it withdrew.

    It is later on the time line, or as late and more careful, or as careful and received first.
    """

    delivery_id: str
    received_at: dt.datetime
    records: int
    withdrawn: int


@dataclass(frozen=True)
class Supersession:
    """What became of the records of a delivery; `later` begins with the delivery received first."""

    delivery: Delivery
    records: int
    later: tuple[NewerDelivery, ...]

    @property
    def changed(self) -> int:
        """Records of which another statement stands."""
        return sum(one.records for one in self.later)

    @property
    def withdrawn(self) -> int:
        """Those of them that it withdrew."""
        return sum(one.withdrawn for one in self.later)

    def sentences(self, language: Language) -> list[str]:
        """When the same bytes came first, what stands since, and what would restore them."""
        _, receipt = translator(language), self.delivery.receipt
        said = [
            _(
                CAME_BEFORE,
                file=receipt.file_name,
                day=f"{receipt.received_at:%Y-%m-%d}",
                delivery=receipt.delivery_id,
            )
        ]
        if not self.records:
            return said
        if not self.later:
            return [*said, _(ALL_STAND)]
        counts = {"count": self.changed, "records": self.records, "withdrawn": self.withdrawn}
        said.append(_(CHANGED, **counts))
        said += [
            _(
                LATER,
                delivery=one.delivery_id,
                day=f"{one.received_at:%Y-%m-%d}",
                count=one.records,
            )
            for one in self.later
        ]
        return [*said, self._remedy(language)]

    def as_data(self, language: Language) -> dict[str, Any]:
        """The same for machines."""
        return {
            "delivery_id": self.delivery.delivery_id,
            "received_at": self.delivery.receipt.received_at,
            "records": self.records,
            "changed_since": self.changed,
            "withdrawn_since": self.withdrawn,
            "later": [vars(one) for one in self.later],
            "message": self.sentences(language),
        }

    def _remedy(self, language: Language) -> str:
        mapped = load_feed(self.delivery.feed).map.get("source_revision")
        if mapped and mapped.source:
            return translator(language)(HIGHER, column=" + ".join(mapped.source))
        return translator(language)(CORRECTION)


def find_supersession(settings: Settings, delivery: Delivery) -> Supersession:
    """What stands now of a delivery that came before; no records where nothing was published."""
    table = load_feed(delivery.feed).table
    nothing = Supersession(delivery, 0, ())
    older = behind(published_deliveries(settings))
    if table not in table_names("data") or any(one.must_migrate for one in older):
        return nothing  # those tables are before the columns that are asked for here
    with suppress(NothingPublishedError), closing(connect(settings)) as connection:
        history = name(f"{table}_history")
        mine = (
            f"SELECT record_id, max(revision) AS revision FROM {history} "
            "WHERE delivery_id = $1 AND superseded_at IS NULL GROUP BY record_id"
        )
        query = f"SELECT count(*) FROM ({mine})"
        [(rows,)] = connection.execute(query, [delivery.delivery_id]).fetchall()
        later = connection.execute(
            f"""
            SELECT latest.delivery_id, min(latest.received_at), count(*),
                   count(*) FILTER (latest.is_withdrawn)
            FROM {history} AS latest JOIN ({mine}) AS mine USING (record_id)
            WHERE latest.is_latest AND latest.revision > mine.revision
            GROUP BY latest.delivery_id ORDER BY 2, 1
            """,
            [delivery.delivery_id],
        ).fetchall()
        return Supersession(delivery, rows, tuple(NewerDelivery(*one) for one in later))
    return nothing
