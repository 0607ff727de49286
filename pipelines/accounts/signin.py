"""Signing in with a name, a password and a code; what follows failures.

Not here: sessions (`sessions.py`), OpenID Connect (`portal`), how delays grow (`delays.py`).

Unknown names, wrong passwords, wrong codes, delayed and disabled accounts get one and the same
answer, after the same work. Failures on devices that an account does not know make all such devices
wait, and nobody else: a device on which somebody signed in before is counted by itself, and a
password with the right code of an authenticator opens in spite of any delay.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import sqlalchemy as sa

from pipelines.accounts import delays, passwords
from pipelines.accounts.delays import of_account, of_code, of_device, of_session
from pipelines.accounts.devices import known_device
from pipelines.accounts.hashes import hash_of
from pipelines.accounts.models import Session, User
from pipelines.accounts.people import person_of
from pipelines.accounts.permissions import Person
from pipelines.accounts.totp import matching_counter
from pipelines.core import clock
from pipelines.core.i18n import mark, translator
from pipelines.core.settings import Settings
from pipelines.ledger.chain import Writing, writing
from pipelines.ledger.database import readings, troubles
from schemas.text import Language

SENTENCE = mark(
    "The name, the password or the code is not right, or a device that we do not know has to wait: "
    "after {failures} failures for {minutes} minutes or longer. A device on which you have signed "
    "in before, or a code of your authenticator, opens at once."
)


@dataclass(frozen=True)
class Failure:
    """A sign-in that was refused. It says no reason, so that nothing can be learnt from it."""

    def text(self, language: Language = "en") -> str:
        """The sentence for the page."""
        minutes = delays.FIRST // dt.timedelta(minutes=1)
        return translator(language)(SENTENCE, failures=delays.FREE + 1, minutes=minutes)


def authenticate(
    settings: Settings, name: str, password: str, totp: str = "", device: str = ""
) -> Person | Failure:
    """Who signs in with these; a failure is in the ledger. Raises LedgerError.

    `device` is the token of a known device, or anything. Success is written down by
    `open_session`, which follows it.
    """
    name = name.casefold().strip()[:80]
    with troubles(), readings(settings).begin() as session:
        kept = session.scalar(sa.select(User.password_hash).where(User.name == name))
    is_right = passwords.is_right(kept, password)
    newer = passwords.hash_of(password) if is_right and kept and passwords.is_outdated(kept) else ""
    with writing(settings) as work:
        user = work.session.scalar(sa.select(User).where(User.name == name).with_for_update())
        known = known_device(work.session, user.id if user else "", device)
        subject = of_device(known.id) if known else of_account(settings, name)
        attempt = _Attempt(settings, work, name, user, subject, is_known=known is not None)
        # Another password may have been set meanwhile.
        is_right = is_right and attempt.may_have_password(kept)
        if user is not None and is_right and attempt.has_right_code(user, totp):
            if newer:
                user.password_hash = newer
            return attempt.succeeded(user)
        return attempt.failed()


@dataclass
class _Attempt:
    """One attempt to sign in, in a transaction; `subject` is what a failure is counted under."""

    settings: Settings
    work: Writing
    name: str
    user: User | None
    subject: str
    is_known: bool
    until: dt.datetime | None = None

    def __post_init__(self) -> None:
        self.until = delays.closed_until(self.work.session, self.subject)

    def may_have_password(self, kept: str | None) -> bool:
        """Is this the account whose password was tried, and may it be entered with one?"""
        user = self.user
        return user is not None and user.is_active and user.password_hash == kept

    def has_right_code(self, user: User, code: str) -> bool:
        """After a right password: is the code right, or none asked for, and may it be now?"""
        if user.totp_secret is None:
            return self.until is None
        if self.until and delays.closed_until(self.work.session, of_code(user.id)):
            return False
        counter = matching_counter(self.settings, user.totp_secret, code, user.totp_last_counter)
        if counter is None:
            # Only who has the password can close this: nobody else keeps its owner out.
            delays.count(self.work.session, of_code(user.id))
            return False
        user.totp_last_counter = counter
        return True

    def succeeded(self, user: User) -> Person:
        """Nothing is counted any more, unless guesses go on and a code got around the delay."""
        if self.until is None:
            delays.forget(self.work.session, self.subject)
        return person_of(user)

    def failed(self) -> Failure:
        """Count it and write it down; the same work whether there is such an account or not."""
        session, user = self.work.session, self.user
        is_delayed = self.until is not None
        delay = dt.timedelta() if is_delayed else delays.count(session, self.subject)
        if not self.is_known:
            told = sa.update(User).where(User.name == self.name)
            more = User.failures_untold + 1
            session.execute(told.values(failures_untold=more, failures_untold_at=clock.now()))
        about = _about(user)
        why = "unknown" if user is None else "disabled" if not user.is_active else ""
        details = {
            "account": why or ("delayed" if is_delayed else "counted"),
            "device": "known" if self.is_known else "unknown",
        }
        self.work.append("signin.failed", **about, details=details)
        if delay:
            minutes = delay // dt.timedelta(minutes=1)
            waits = {"minutes": minutes, "device": details["device"]}
            self.work.append("signin.locked", **about, details=waits)
            delays.sweep(session)
        return Failure()


def is_password_right(settings: Settings, user_id: str, password: str, session: str) -> bool:
    """True for the present password of somebody who is signed in and changes something.

    Wrong ones are counted for this session (its token), which ends with the fifth: who finds it
    open, or stole it, must not try passwords, and guesses elsewhere are no hindrance here.
    """
    with troubles(), readings(settings).begin() as reading:
        user = reading.get(User, user_id)
        kept = user.password_hash if user else None
    is_right = passwords.is_right(kept, password)
    with writing(settings) as work:
        user = work.session.get(User, user_id, with_for_update=True)
        own = work.session.get(Session, hash_of(session))
        if user is None or not user.is_active or own is None or own.user_id != user_id:
            return False
        subject = of_session(own.id_hash)
        if is_right:
            delays.forget(work.session, subject)
            return True
        details = {"account": "counted", "device": "signed in"}
        if delays.count(work.session, subject):
            details["session"] = "ended"
            work.session.delete(own)
        work.append("signin.failed", **_about(user), details=details)
        return False


def _about(user: User | None) -> dict[str, str]:
    """Whom an entry is about. An unknown name is not kept: people type passwords into its field."""
    if user is None:
        return {"actor": "", "organisation": "", "subject": ""}
    return {"actor": user.name, "organisation": user.organisation, "subject": user.name}
