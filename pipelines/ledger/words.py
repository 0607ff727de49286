"""What each event of the ledger is called in a list that people read.

Not here: when an event is written (`chain.EVENTS`) and how the list looks (`cli`, `portal`).
"""

from __future__ import annotations

from pipelines.core.i18n import mark, translator
from schemas.text import Language

WORDS = {
    "delivery.judged": mark("delivery judged"),
    "delivery.published": mark("delivery published"),
    "delivery.rejudged": mark("delivery judged again"),
    "delivery.answered": mark("answer about a delivery"),
    "delivery.repeated": mark("delivery received again"),
    "rejections.downloaded": mark("rejected rows downloaded"),
    "extract.previewed": mark("extract looked at before asking"),
    "extract.made": mark("extract made"),
    "extract.refused": mark("extract refused"),
    "extract.downloaded": mark("extract downloaded"),
    "consent.needed": mark("consent of providers needed"),
    "consent.given": mark("consent given"),
    "consent.revoked": mark("consent taken back"),
    "extract.outdated": mark("extract outdated"),
    "signin.succeeded": mark("signed in"),
    "signin.failed": mark("sign-in failed"),
    "signin.locked": mark("sign-in made to wait"),
    "user.added": mark("account added"),
    "user.changed": mark("account changed"),
    "token.made": mark("token made"),
    "token.revoked": mark("token revoked"),
    "device.added": mark("device known"),
    "device.removed": mark("device no longer known"),
    "policy.changed": mark("agreements changed"),
    "sql.run": mark("question asked in SQL"),
    "ledger.checked": mark("ledger checked"),
    "ledger.fault_noticed": mark("fault of the ledger noticed"),
    "backup.made": mark("backup made"),
    "backup.restored": mark("backup restored"),
}


def event_words(event: str, language: Language = "en") -> str:
    """The event in words; its name where it has none."""
    return translator(language)(WORDS[event]) if event in WORDS else event
