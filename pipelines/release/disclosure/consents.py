"""Written consents of providers to counts that the guard refuses, kept in the ledger.

Not here: the guard (`conflict.py`), and who may give one (`accounts/permissions.py`).

Counts that would tell a small number together with earlier ones leave only where every service
whose data they may hold has accepted that in writing. A consent is for one request and the earlier
extracts that stood in its way, until a day; it can be taken back for what is asked later. What
left by it is an earlier extract of its own, so that it is not good for the same question again
once the records have changed.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import secrets
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from pipelines.core import clock
from pipelines.core.settings import Settings
from pipelines.ledger.chain import Entry, append, entries
from pipelines.release.errors import ReleaseError
from schemas.organisation import lineage, organisations, sources_of
from schemas.text import printable

NEEDED, GIVEN, REVOKED = "consent.needed", "consent.given", "consent.revoked"
LONGEST_DAYS = 90
LONGEST_REASON, SHORTEST_REASON = 500, 10
ID_LENGTH = 12
_PAGE = 500


@dataclass(frozen=True)
class Need:
    """Counts that were refused and that consents would let leave; nothing of what they tell.

    `asked` is as `earlier.asked_for` gives it; `earlier` are the extracts that stood in the way;
    `sources` are those whose providers would all have to consent.
    """

    recipient: str
    asked: Mapping[str, Any] = field(hash=False)
    earlier: tuple[str, ...]
    sources: tuple[str, ...]
    at: dt.datetime | None = field(default=None, compare=False)

    @property
    def request_digest(self) -> str:
        """What was asked for whom, as a fingerprint."""
        return _digest({"recipient": self.recipient, **self.asked})

    @property
    def providers(self) -> tuple[str, ...]:
        """The organisations that would all have to consent, or one above each of them."""
        wanted = set(self.sources)
        return tuple(one.code for one in organisations().values() if wanted & set(one.sources))

    @property
    def reference(self) -> str:
        """By what people call it: of the request and of what stood in its way."""
        return _digest([self.request_digest, sorted(self.earlier)])


@dataclass(frozen=True)
class Consent:
    """One provider's word; `revoked_at` is None while it stands."""

    consent_id: str
    organisation: str
    given_by: str
    given_at: dt.datetime
    need: Need
    until: dt.date
    reason: str
    revoked_at: dt.datetime | None = None

    @property
    def is_open(self) -> bool:
        """Does it hold today?"""
        return self.revoked_at is None and clock.now().date() <= self.until


def note_need(settings: Settings, need: Need, *, actor: str, organisation: str) -> None:
    """Write down, once while it is looked at, that counts need consents. Raises LedgerError."""
    since = clock.now() - dt.timedelta(days=LONGEST_DAYS) / 2
    if not entries(settings, events=[NEEDED], subject=need.reference, since=since, size=1).entries:
        append(
            settings,
            NEEDED,
            actor=actor,
            organisation=organisation,
            subject=need.reference,
            details=_as_details(need),
        )


def needs(settings: Settings, organisation: str = "") -> list[Need]:
    """What was refused of late (and concerns an organisation's own data), newest first."""
    mine = set(sources_of(organisation))
    since = clock.now() - dt.timedelta(days=LONGEST_DAYS)
    found: dict[str, Need] = {}
    for entry in _entries(settings, [NEEDED], since):
        need = _need(entry)
        if not organisation or mine & set(need.sources):
            found.setdefault(need.reference, need)
    return list(found.values())


def consents(settings: Settings, organisation: str = "") -> list[Consent]:
    """Those that were given (by an organisation), newest first, also such as stand no more."""
    revoked: dict[str, dt.datetime] = {}
    found = []
    for entry in _entries(settings, [GIVEN, REVOKED]):
        consent_id = str(entry.details["consent_id"])
        if entry.event == REVOKED:
            revoked[consent_id] = entry.at
        elif organisation in ("", entry.organisation):
            found.append(_consent(entry, consent_id, revoked.get(consent_id)))
    return found


def give(
    settings: Settings,
    need_reference: str,
    *,
    by: str,
    organisation: str,
    until: dt.date,
    reason: str,
) -> Consent:
    """Write a consent down, in the name of an organisation and by one of its accounts.

    Raises ReleaseError REL-120 where nothing of that reference waits for the organisation, 121
    for a day that is past or too far off, 122 without a reason; LedgerError.
    """
    need = next((n for n in needs(settings, organisation) if n.reference == need_reference), None)
    if need is None:
        raise ReleaseError("REL-120", reference=printable(need_reference)[:ID_LENGTH])
    today = clock.now().date()
    last = today + dt.timedelta(days=LONGEST_DAYS)
    if not today <= until <= last:
        raise ReleaseError("REL-121", first=today, last=last)
    said = " ".join(printable(reason).split())
    if not SHORTEST_REASON <= len(said) <= LONGEST_REASON:
        raise ReleaseError("REL-122", shortest=SHORTEST_REASON, longest=LONGEST_REASON)
    consent_id = secrets.token_hex(ID_LENGTH // 2)
    entry = append(
        settings,
        GIVEN,
        actor=by,
        organisation=organisation,
        subject=need.reference,
        details={
            **_as_details(need),
            "consent_id": consent_id,
            "until": until.isoformat(),
            "reason": said,
        },
    )
    return _consent(entry, consent_id, None)


def revoke(settings: Settings, consent_id: str, *, by: str, organisation: str) -> Consent:
    """Take a consent back, for whatever is asked from now on; what has left has left.

    Raises ReleaseError REL-123 where the organisation gave no such consent or took it back;
    LedgerError.
    """
    mine = consents(settings, organisation)
    one = next((one for one in mine if one.consent_id == consent_id and not one.revoked_at), None)
    if one is None:
        raise ReleaseError("REL-123", reference=printable(consent_id)[:ID_LENGTH])
    entry = append(
        settings,
        REVOKED,
        actor=by,
        organisation=organisation,
        subject=one.need.reference,
        details={"consent_id": consent_id},
    )
    return replace(one, revoked_at=entry.at)


def covering(settings: Settings, need: Need) -> tuple[Consent, ...]:
    """The consents by which counts may leave all the same; empty unless all providers gave one."""
    found = [
        one
        for one in consents(settings)
        if one.is_open
        and one.need.request_digest == need.request_digest
        and set(need.earlier) <= set(one.need.earlier)
    ]
    provided = {source for one in need.providers for source in organisations()[one].sources}
    if not need.sources or not set(need.sources) <= provided:
        return ()  # nobody could speak for some of the data
    chosen: dict[str, Consent] = {}
    for provider in need.providers:
        given = next((one for one in found if one.organisation in lineage(provider)), None)
        if given is None:
            return ()
        chosen[given.consent_id] = given
    return tuple(sorted(chosen.values(), key=lambda one: one.consent_id))


def _entries(
    settings: Settings, events: Collection[str], since: dt.datetime | None = None
) -> list[Entry]:
    found: list[Entry] = []
    number = 1
    while True:
        page = entries(settings, events=events, since=since, page=number, size=_PAGE)
        found += page.entries
        if len(page.entries) < _PAGE:
            return found
        number += 1


def _as_details(need: Need) -> dict[str, Any]:
    return {
        "recipient": need.recipient,
        "asked": dict(need.asked),
        "earlier": sorted(need.earlier),
        "sources": sorted(need.sources),
        "request_digest": need.request_digest,
    }


def _need(entry: Entry) -> Need:
    said = entry.details
    return Need(
        said["recipient"], said["asked"], tuple(said["earlier"]), tuple(said["sources"]), entry.at
    )


def _consent(entry: Entry, consent_id: str, revoked_at: dt.datetime | None) -> Consent:
    return Consent(
        consent_id=consent_id,
        organisation=entry.organisation,
        given_by=entry.actor,
        given_at=entry.at,
        need=_need(entry),
        until=dt.date.fromisoformat(entry.details["until"]),
        reason=str(entry.details["reason"]),
        revoked_at=revoked_at,
    )


def _digest(said: Any) -> str:
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()[:ID_LENGTH]
