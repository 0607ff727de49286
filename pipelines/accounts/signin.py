"""Signing in with a name, a password and a code; the lock that follows failures.

Not here: sessions (`sessions.py`), OpenID Connect (`portal`) and limits by address (`portal`).

Unknown names, wrong passwords, wrong codes, locked and disabled accounts get one and the same
answer, after the same work. After five failures in a row an account is locked for a quarter of an
hour, then for twice as long each time, up to a day.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import sqlalchemy as sa

from pipelines.accounts import passwords
from pipelines.accounts.models import User
from pipelines.accounts.people import person_of
from pipelines.accounts.permissions import Person
from pipelines.accounts.totp import matching_counter
from pipelines.i18n import mark, translator
from pipelines.ledger import clock
from pipelines.ledger.chain import Writing, writing
from pipelines.ledger.database import readings, troubles
from pipelines.settings import Settings
from schemas.text import Language

FAILURES = 5
FIRST_LOCK = dt.timedelta(minutes=15)
LONGEST_LOCK = dt.timedelta(days=1)
SENTENCE = mark(
    "The name, the password or the code is not right, or the account is locked for now. "
    "After {failures} failures an account is locked for {minutes} minutes or longer."
)


@dataclass(frozen=True)
class Failure:
    """A sign-in that was refused. It says no reason, so that nothing can be learnt from it."""

    def text(self, language: Language = "en") -> str:
        """The sentence for the page."""
        minutes = FIRST_LOCK // dt.timedelta(minutes=1)
        return translator(language)(SENTENCE, failures=FAILURES, minutes=minutes)


def authenticate(settings: Settings, name: str, password: str, totp: str = "") -> Person | Failure:
    """Who signs in with these; a failure is in the ledger. Raises LedgerError.

    Success is written down by `open_session`, which follows it.
    """
    name = name.casefold().strip()[:80]
    with troubles(), readings(settings).begin() as session:
        kept = session.scalar(sa.select(User.password_hash).where(User.name == name))
    is_right = passwords.is_right(kept, password)
    newer = passwords.hash_of(password) if is_right and kept and passwords.is_outdated(kept) else ""
    with writing(settings) as work:
        user = work.session.scalar(sa.select(User).where(User.name == name).with_for_update())
        if user is None:
            # The name is not kept: people type passwords into the wrong field.
            work.append("signin.failed", actor="", details={"account": "unknown"})
            return Failure()
        # Another password may have been set meanwhile.
        is_right = is_right and user.password_hash == kept
        if not user.is_active or is_locked(user):
            why = "locked" if user.is_active else "disabled"
            return _failed(work, user, why)
        if not (is_right and _is_second_factor_right(settings, user, totp)):
            return _failed(work, user, "counted")
        if newer:
            user.password_hash = newer
        user.failed_count, user.lockouts, user.locked_until = 0, 0, None
        return person_of(user)


def is_password_right(settings: Settings, user_id: str, password: str) -> bool:
    """True for the present password of somebody who is signed in and changes something.

    A wrong one counts as a failed sign-in: a stolen session must not try passwords.
    """
    with troubles(), readings(settings).begin() as session:
        user = session.get(User, user_id)
        kept = user.password_hash if user else None
    is_right = passwords.is_right(kept, password)
    with writing(settings) as work:
        user = work.session.get(User, user_id, with_for_update=True)
        if user is None or not user.is_active or is_locked(user):
            return False
        if not is_right:
            _failed(work, user, "counted")
        return is_right


def is_locked(user: User) -> bool:
    """True while an account may not sign in because of failures."""
    return user.locked_until is not None and user.locked_until > clock.now()


def _is_second_factor_right(settings: Settings, user: User, code: str) -> bool:
    if user.totp_secret is None:
        return True
    counter = matching_counter(settings, user.totp_secret, code, user.totp_last_counter)
    if counter is None:
        return False
    user.totp_last_counter = counter
    return True


def _failed(work: Writing, user: User, why: str) -> Failure:
    about = {"actor": user.name, "organisation": user.organisation, "subject": user.name}
    work.append("signin.failed", **about, details={"account": why})
    if why == "counted":
        user.failed_count += 1
        if user.failed_count >= FAILURES:
            lasts = min(FIRST_LOCK * 2 ** min(user.lockouts, 10), LONGEST_LOCK)
            user.failed_count, user.locked_until = 0, clock.now() + lasts
            user.lockouts += 1
            minutes = lasts // dt.timedelta(minutes=1)
            work.append("signin.locked", **about, details={"minutes": minutes})
    return Failure()
