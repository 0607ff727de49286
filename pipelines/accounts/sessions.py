"""Sessions: a random token for the browser, of which only the hash is kept here.

Not here: the cookie that carries it (`portal`) and checking a password (`signin.py`).
"""

from __future__ import annotations

import datetime as dt
import secrets
from contextlib import suppress
from dataclasses import replace

import sqlalchemy as sa

from pipelines.accounts.hashes import hash_of
from pipelines.accounts.models import Session, User
from pipelines.accounts.people import person_of
from pipelines.accounts.permissions import Person
from pipelines.core import clock
from pipelines.core.settings import Settings
from pipelines.ledger.chain import writing
from pipelines.ledger.database import readings, sessions, troubles
from pipelines.ledger.errors import LedgerError

TOKEN_BYTES = 32
LASTS = dt.timedelta(hours=12)
IDLE = dt.timedelta(minutes=30)
SEEN_EVERY = dt.timedelta(minutes=1)  # a write for every page would make readers wait


def open_session(
    settings: Settings, person: Person, *, method: str = "password", previous: str = ""
) -> str:
    """A new session and its token, for the browser only; `previous` is closed. LedgerError.

    It is always a new token: one that was planted before the sign-in is worth nothing after it.
    """
    token, now = secrets.token_urlsafe(TOKEN_BYTES), clock.now()
    with writing(settings) as work:
        doomed = sa.or_(Session.expires_at <= now, Session.last_seen_at <= now - IDLE)
        if previous:
            doomed = sa.or_(doomed, Session.id_hash == hash_of(previous))
        work.session.execute(sa.delete(Session).where(doomed))
        user = work.session.get_one(User, person.user_id)
        user.last_signin_at = now
        told, told_at = user.failures_untold, user.failures_untold_at
        user.failures_untold, user.failures_untold_at = 0, None
        work.session.add(
            Session(
                id_hash=hash_of(token),
                user_id=user.id,
                method=method,
                created_at=now,
                last_seen_at=now,
                expires_at=now + LASTS,
                failures_told=told,
                failures_told_at=told_at,
            )
        )
        work.append(
            "signin.succeeded",
            actor=user.name,
            organisation=user.organisation,
            subject=user.name,
            details={
                "method": method,
                "second_factor": user.totp_secret is not None,
                **({"failures_told": told} if told else {}),
            },
        )
    return token


def person_of_session(settings: Settings, token: str) -> Person | None:
    """Who has this session; None where it is unknown, idle for too long, or over."""
    if not token:
        return None
    now, id_hash = clock.now(), hash_of(token)
    chosen = (
        sa.select(User, Session)
        .join(Session, Session.user_id == User.id)
        .where(
            Session.id_hash == id_hash,
            Session.expires_at > now,
            Session.last_seen_at > now - IDLE,
            User.is_active,
        )
    )
    with troubles(), readings(settings).begin() as session:
        found = session.execute(chosen).one_or_none()
    if found is None:
        return None
    user, kept = found
    if now - kept.last_seen_at >= SEEN_EVERY:
        seen = sa.update(Session).where(Session.id_hash == id_hash).values(last_seen_at=now)
        # A page is not refused because somebody else writes; the next one says it.
        with suppress(LedgerError), troubles(), sessions(settings).begin() as session:
            session.execute(seen)
    return replace(
        person_of(user),
        failures_told=kept.failures_told,
        failures_told_at=kept.failures_told_at,
    )


def note_failures_read(settings: Settings, token: str) -> None:
    """Tell the failed sign-ins before this session no more: its person has read of them."""
    mine = sa.update(Session).where(Session.id_hash == hash_of(token))
    with troubles(), sessions(settings).begin() as session:
        session.execute(mine.values(failures_told=0, failures_told_at=None))


def close_session(settings: Settings, token: str) -> None:
    """End a session; one that is over already is no error."""
    with troubles(), sessions(settings).begin() as session:
        session.execute(sa.delete(Session).where(Session.id_hash == hash_of(token)))


def close_all_sessions(settings: Settings, user_id: str) -> None:
    """End every session of a person."""
    with troubles(), sessions(settings).begin() as session:
        session.execute(sa.delete(Session).where(Session.user_id == user_id))
