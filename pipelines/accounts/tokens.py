"""Personal tokens for the API: some of a person's actions, until a day; only hashes are kept.

Not here: how a token is shown to the API (`portal`).
"""

from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import Collection
from typing import Any

import sqlalchemy as sa

from pipelines.accounts.errors import AccountError
from pipelines.accounts.hashes import hash_of
from pipelines.accounts.models import Token, User
from pipelines.accounts.people import person_of
from pipelines.accounts.permissions import NEVER_BY_TOKEN, Person
from pipelines.core import clock
from pipelines.core.settings import Settings
from pipelines.ledger.chain import writing
from pipelines.ledger.database import readings, sessions, troubles

PREFIX = "psl_"  # lets scanners of leaked secrets know one
TOKEN_BYTES = 32
MOST_DAYS = 365
LONGEST_NAME = 80
USED_EVERY = dt.timedelta(minutes=1)


def make_token(
    settings: Settings, person: Person, name: str, *, scopes: Collection[str], days: int
) -> tuple[str, Token]:
    """A new token, shown this once, and what is kept of it. Raises AccountError, LedgerError."""
    name = name.strip()
    if not 0 < len(name) <= LONGEST_NAME:
        raise AccountError("ACC-131", "name")
    if not scopes:
        raise AccountError("ACC-133", "scopes")
    if beyond := sorted(set(scopes) - (person.actions - NEVER_BY_TOKEN)):
        raise AccountError("ACC-132", "scopes", actions=", ".join(beyond))
    if not 1 <= days <= MOST_DAYS:
        raise AccountError("ACC-134", "days", most=MOST_DAYS)
    said, now = PREFIX + secrets.token_urlsafe(TOKEN_BYTES), clock.now()
    with writing(settings) as work:
        token = Token(
            user_id=person.user_id,
            name=name,
            token_hash=hash_of(said),
            scopes=sorted(set(scopes)),
            created_at=now,
            expires_at=now + dt.timedelta(days=days),
        )
        work.session.add(token)
        work.session.flush()
        details = {"scopes": token.scopes, "days": days}
        work.append("token.made", **_about(person, token), details=details)
    return said, token


def person_of_token(settings: Settings, said: str) -> Person | None:
    """Who has this token, with what it may do; None where it is unknown, revoked or over."""
    if not said.startswith(PREFIX):
        return None
    now = clock.now()
    chosen = (
        sa.select(User, Token)
        .join(Token, Token.user_id == User.id)
        .where(
            Token.token_hash == hash_of(said),
            Token.revoked_at.is_(None),
            Token.expires_at > now,
            User.is_active,
            sa.not_(User.must_change_password),
        )
    )
    with troubles(), readings(settings).begin() as session:
        found = session.execute(chosen).one_or_none()
    if found is None:
        return None
    user, token = found
    if token.last_used_at is None or now - token.last_used_at >= USED_EVERY:
        used = sa.update(Token).where(Token.id == token.id).values(last_used_at=now)
        with troubles(), sessions(settings).begin() as session:
            session.execute(used)
    whole = person_of(user)
    return Person(**{**vars(whole), "scopes": frozenset(token.scopes)})


def tokens_of(settings: Settings, person: Person) -> list[Token]:
    """A person's tokens that were not revoked, newest first."""
    chosen = sa.select(Token).where(Token.user_id == person.user_id, Token.revoked_at.is_(None))
    with troubles(), readings(settings).begin() as session:
        return list(session.scalars(chosen.order_by(Token.created_at.desc(), Token.id)))


def revoke_token(settings: Settings, person: Person, token_id: str) -> None:
    """End one of a person's own tokens. Raises AccountError where there is no such one."""
    with writing(settings) as work:
        token = work.session.get(Token, token_id)
        if token is None or token.user_id != person.user_id or token.revoked_at is not None:
            raise AccountError("ACC-135")
        token.revoked_at = clock.now()
        work.append("token.revoked", **_about(person, token))


def _about(person: Person, token: Token) -> dict[str, Any]:
    return {"actor": person.name, "organisation": person.organisation, "subject": token.id}
