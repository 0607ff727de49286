"""A day as it is typed.

Not here: what the day is for (the command modules).
"""

from __future__ import annotations

import datetime as dt

from pipelines.cli.errors import CommandError
from pipelines.cli.words import _


def day_of(text: str) -> dt.date:
    """A day that was typed; today where none was. Raises CommandError."""
    if not text:
        return dt.datetime.now(dt.UTC).date()
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        message = _("“{text}” is not a day.", text=text)
        hint = _("Write it as year-month-day: {example}", example="2026-11-30")
        raise CommandError("PSL-230", message, hint) from None
