"""Files of the inbox whose bytes came before under another name or at another time.

Not here: what is said of them (`lake`) and writing them down (`ingest/publish.py`).
"""

from __future__ import annotations

import datetime as dt

from pipelines.core.settings import Settings
from pipelines.landing.inbox import InboxFile
from pipelines.landing.receive import Delivery, open_delivery, safe_file_name

SAME_TIME_S = 1.0  # copied with its time, which some places keep to the second
OTHER_CLOCKS = ("clock", "report")  # the receipt does not have the file's own time


def copy_of(
    settings: Settings, delivery_id: str, one: InboxFile
) -> tuple[Delivery, dt.datetime] | None:
    """A delivery and the time of `one`, which has its bytes; None if it is that very file."""
    delivery = open_delivery(settings, delivery_id)
    moment = dt.datetime.fromtimestamp(one.modified_s, dt.UTC)
    late_s = abs((moment - delivery.receipt.received_at).total_seconds())
    is_same = late_s < SAME_TIME_S or delivery.receipt.received_at_from in OTHER_CLOCKS
    if is_same and safe_file_name(one.file.name) == delivery.receipt.file_name:
        return None
    return delivery, moment
