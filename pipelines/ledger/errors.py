"""What can go wrong with the ledger and its database, as codes with sentences.

Not here: what `verify` finds in a ledger that was tampered with (`verify.py`).
"""

from __future__ import annotations

from pipelines.core.errors import CodedError, declare
from pipelines.core.i18n import mark

declare(
    {
        "LED-401": mark(
            "The ledger cannot be written or read ({kind}), and without an entry nothing is "
            "published or handed out. See that its database is running and has room, then try "
            "again."
        ),
        "LED-402": mark(
            "The ledger's database was made by a newer Passerelle. Use that one, or a backup of "
            "before."
        ),
        "LED-403": mark(
            "The ledger has lost its head: its database was tampered with or half restored. "
            "See “passerelle ledger verify”, and restore a backup."
        ),
        "LED-404": mark("The database of the ledger is busy. Try again in a moment."),
        "LED-405": mark(
            "The driver for the ledger's database is not installed. For PostgreSQL: pip install "
            "'passerelle[postgres]'."
        ),
    }
)


class LedgerError(CodedError):
    """The ledger cannot do its work."""

    kind_status, api_code = 503, "WEB-503"
