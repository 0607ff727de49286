"""Failed sign-ins, counted where they came from, and the delay that grows with them.

Not here: whether a sign-in is right (`signin.py`), known devices (`devices.py`).

Counts stand in the database, so that all processes of the portal share them. What is counted: an
account on all devices that it does not know, taken together; one known device; codes that were
wrong after a right password; one session in which a password is asked for again; an address. The
first four failures cost nothing; each further one closes what it was counted for, for a quarter of
an hour and then for twice as long each time, up to a day. One failure is forgotten a day: who
guesses slowly gets one guess a day for ever, and who mistypes now and then notices nothing.

An account is counted by its name, whether there is one of that name or not, so that a stranger can
learn nothing from what it costs; the name is kept as a keyed hash, since people type passwords into
the wrong field.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import ipaddress
import math

import sqlalchemy as sa
from sqlalchemy import orm

from pipelines.accounts.models import SigninFailures
from pipelines.core import clock
from pipelines.core.keys import installation_key
from pipelines.core.settings import Settings
from pipelines.ledger.database import readings, sessions, troubles

FREE = 4
FIRST = dt.timedelta(minutes=15)
LONGEST = dt.timedelta(days=1)
ONE_FORGOTTEN_EVERY = dt.timedelta(days=1)
KEPT = dt.timedelta(days=60)  # by then every count has come down to nothing
IPV6_NETWORK_BITS = 64  # one household or company has all addresses of it


def of_account(settings: Settings, name: str) -> str:
    """What an account's unknown devices are counted under."""
    return f"account:{_keyed(settings, name.casefold().strip())}"


def of_device(device_id: str) -> str:
    """What one known device is counted under."""
    return f"device:{device_id}"


def of_code(user_id: str) -> str:
    """What wrong codes after a right password are counted under."""
    return f"code:{user_id}"


def of_session(id_hash: str) -> str:
    """What wrong passwords of somebody who is signed in are counted under."""
    return f"session:{id_hash}"


def closed_until(session: orm.Session, subject: str) -> dt.datetime | None:
    """Until when a subject is closed; None where it is open."""
    kept = session.get(SigninFailures, subject)
    until = kept.closed_until if kept else None
    return until if until is not None and until > clock.now() else None


def count(session: orm.Session, subject: str) -> dt.timedelta:
    """Count one more failure; for how long the subject is closed now (zero: it is not)."""
    now = clock.now()
    kept = session.get(SigninFailures, subject)
    if kept is None:
        kept = SigninFailures(subject=subject, failures=0, last_at=now)
        session.add(kept)
    forgotten = (now - kept.last_at) // ONE_FORGOTTEN_EVERY
    kept.failures = max(0, kept.failures - forgotten) + 1
    kept.last_at = now
    if kept.failures <= FREE:
        return dt.timedelta()
    doublings = min(kept.failures - FREE - 1, 20)
    delay = min(FIRST * (1 << doublings), LONGEST)
    kept.closed_until = now + delay
    return delay


def forget(session: orm.Session, *subjects: str) -> None:
    """Open these subjects, with nothing counted."""
    session.execute(sa.delete(SigninFailures).where(SigninFailures.subject.in_(subjects)))


def sweep(session: orm.Session) -> None:
    """Remove counts that have come down to nothing."""
    old = SigninFailures.last_at < clock.now() - KEPT
    session.execute(sa.delete(SigninFailures).where(old))


def delayed_until(settings: Settings, name: str) -> dt.datetime | None:
    """Until when unknown devices of an account have to wait; None where they need not."""
    with troubles(), readings(settings).begin() as session:
        return closed_until(session, of_account(settings, name))


def address_wait_s(settings: Settings, address: str, most: int, per_s: int) -> int:
    """Seconds until sign-ins from an address are looked at again; 0 where they are now."""
    now, subject = clock.now(), _of_address(settings, address)
    with troubles(), readings(settings).begin() as session:
        kept = session.get(SigninFailures, subject)
        if kept is None or kept.failures < most:
            return 0
        left = kept.last_at + dt.timedelta(seconds=per_s) - now
        return max(0, math.ceil(left.total_seconds()))


def count_address(settings: Settings, address: str, per_s: int) -> None:
    """One more failure from an address; a new count begins `per_s` seconds after the last began."""
    now, subject = clock.now(), _of_address(settings, address)
    with troubles(), sessions(settings).begin() as session:
        kept = session.get(SigninFailures, subject)
        if kept is None:
            session.add(SigninFailures(subject=subject, failures=1, last_at=now))
        elif now - kept.last_at >= dt.timedelta(seconds=per_s):
            kept.failures, kept.last_at = 1, now
        else:
            kept.failures += 1


def _of_address(settings: Settings, address: str) -> str:
    """A keyed hash: which addresses tried is nobody's affair for longer than it matters."""
    try:
        known = ipaddress.ip_address(address)
        if known.version == 6:
            address = str(ipaddress.ip_network((known, IPV6_NETWORK_BITS), strict=False))
    except ValueError:
        pass
    return f"address:{_keyed(settings, address)}"


def _keyed(settings: Settings, text: str) -> str:
    key = installation_key(settings, "portal")
    return hmac.new(key, text.encode("utf-8", "replace"), hashlib.sha256).hexdigest()
