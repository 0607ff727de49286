"""The present moment, in one place, so that a test can move it.

Not here: the clocks of deliveries, which say when something happened in the field.
"""

from __future__ import annotations

import datetime as dt


def now() -> dt.datetime:
    """The present moment, in UTC."""
    return dt.datetime.now(dt.UTC)
