"""When a feed last sent something that could be used, and by how much it is late now.

Not here: who is told so (`cli/status.py`, `assets/freshness.py`).

A file that was refused ends no lateness: what was announced has still not come.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from pipelines.core.i18n import mark, translator
from pipelines.core.settings import Settings
from pipelines.landing.receive import list_deliveries
from pipelines.validate.verdict import read_verdict
from schemas.feed import load_feed
from schemas.text import Language

LOST_AFTER = 2  # times the days that the feed announces

NEVER = mark("No delivery of this feed was accepted yet.")
SINCE = mark(
    "Days late: {days}. The last accepted delivery was received on {date}; one is expected every "
    "{every} d."
)


@dataclass(frozen=True)
class Lateness:
    """Where a feed stands in its rhythm, by the last delivery that was accepted; times in UTC."""

    last_accepted_at: dt.datetime | None
    expected_every_days: int

    @property
    def age_days(self) -> int:
        """Whole days since that delivery was received; 0 where there is none."""
        if self.last_accepted_at is None:
            return 0
        return max(0, (dt.datetime.now(dt.UTC) - self.last_accepted_at).days)

    @property
    def days_late(self) -> int:
        """Whole days beyond the feed's rhythm; 0 where nothing was ever accepted."""
        return max(0, self.age_days - self.expected_every_days)

    @property
    def is_lost(self) -> bool:
        """True where so much time went by that more than one delivery is missing."""
        return self.age_days > LOST_AFTER * self.expected_every_days

    def text(self, language: Language) -> str:
        """The same as a sentence."""
        if self.last_accepted_at is None:
            return translator(language)(NEVER)
        return translator(language)(
            SINCE,
            days=self.days_late,
            date=f"{self.last_accepted_at:%Y-%m-%d}",
            every=self.expected_every_days,
        )


def lateness_of(settings: Settings, feed: str) -> Lateness:
    """The lateness of a declared feed; verdicts are read from the latest delivery backwards."""
    last = None
    for delivery in reversed(list_deliveries(settings, feed)):
        try:
            is_accepted = read_verdict(delivery.folder).is_accepted
        except FileNotFoundError:  # not judged yet
            continue
        if is_accepted:
            last = delivery.receipt.received_at
            break
    return Lateness(last, load_feed(feed).expected_every_days)
