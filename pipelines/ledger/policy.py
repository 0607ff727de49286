"""Which agreements were in force: an entry with the hash of each file whenever one of them changed.

Not here: what an agreement says (`schemas/agreement.py`) and what follows from it (`release`).
"""

from __future__ import annotations

import hashlib

import sqlalchemy as sa

from pipelines.core.settings import Settings
from pipelines.ledger.chain import Entry, entries, writing
from pipelines.ledger.models import LedgerEntry

POLICY_CHANGED = "policy.changed"


def policy_hashes(settings: Settings) -> dict[str, str]:
    """The SHA-256 of each agreement, by the name of its file."""
    return {
        file.name: hashlib.sha256(file.read_bytes()).hexdigest()
        for file in sorted(settings.agreements.glob("*.yaml"))
    }


def note_policy(settings: Settings, *, actor: str = "system") -> Entry | None:
    """Write `policy.changed` where the agreements are not those of the last such entry.

    To be called before anything is decided by them. Raises LedgerError, OSError.
    """
    now = policy_hashes(settings)
    known = entries(settings, events=[POLICY_CHANGED], size=1).entries
    if known and known[0].details.get("files") == now:
        return None
    with writing(settings) as work:
        chosen = sa.select(LedgerEntry.details).where(LedgerEntry.event == POLICY_CHANGED)
        last = work.session.scalar(chosen.order_by(LedgerEntry.seq.desc()).limit(1))
        before = last.get("files", {}) if last else {}
        if last is not None and before == now:  # another process was first
            return None
        changed = sorted(
            name for name in now.keys() | before.keys() if now.get(name) != before.get(name)
        )
        return work.append(POLICY_CHANGED, actor=actor, details={"files": now, "changed": changed})
