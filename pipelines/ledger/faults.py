"""What can go wrong with the ledger and its database, as codes with sentences.

Not here: what `verify` finds in a ledger that was tampered with (`verify.py`).
"""

from __future__ import annotations

from pipelines.core.i18n import mark, translator
from schemas.text import Language

MESSAGES = {
    "LED-401": mark(
        "The ledger cannot be written or read ({kind}), and without an entry nothing is published "
        "or handed out. See that its database is running and has room, then try again."
    ),
    "LED-402": mark(
        "The ledger's database was made by a newer Passerelle. Use that one, or a backup of before."
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


class LedgerError(Exception):
    """The ledger cannot do its work; the text is a coded sentence for a person."""

    def __init__(self, code: str, **values: str | int) -> None:
        """Keep the code and the values apart, so that the sentence can be said in French."""
        self.code, self.values = code, values
        super().__init__(f"{code}: {MESSAGES[code].format(**values)}")

    def text(self, language: Language = "en") -> str:
        """The sentence in `language`."""
        return translator(language)(MESSAGES[self.code], **self.values)
