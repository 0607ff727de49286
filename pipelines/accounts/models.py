"""The tables of people and of what they set going: users, sessions, tokens, jobs.

Not here: passwords, codes and tokens themselves; only hashes and ciphertext are kept.
"""

from __future__ import annotations

import datetime as dt
import secrets
import uuid
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from pipelines.core import clock
from pipelines.ledger.database import Base, Moment

HASH_LENGTH = 64
ID_LENGTH = 36
JOB_KINDS = ("extract", "delivery")
JOB_STATES = ("queued", "running", "done", "failed")


def _now() -> dt.datetime:
    return clock.now()


def _new_id() -> str:
    return str(uuid.uuid4())


def _new_job_id() -> str:
    return secrets.token_urlsafe(24)


class User(Base):
    """One account. `name` is what is typed at sign-in: a role or a service's login, in any case."""

    __tablename__ = "users"
    __table_args__ = (sa.UniqueConstraint("oidc_issuer", "oidc_subject", name="uq_users_oidc"),)

    id: Mapped[str] = mapped_column(sa.String(ID_LENGTH), primary_key=True, default=_new_id)
    name: Mapped[str] = mapped_column(sa.String(80), unique=True)
    organisation: Mapped[str] = mapped_column(sa.String(80))
    roles: Mapped[list[str]] = mapped_column(sa.JSON, default=list)
    feeds: Mapped[list[str]] = mapped_column(sa.JSON, default=list)  # granted by name
    # Once reached every organisation; nobody has said yet what it shall reach from now on.
    is_narrowed: Mapped[bool] = mapped_column(default=False)
    language: Mapped[str] = mapped_column(sa.String(2), default="en")
    is_active: Mapped[bool] = mapped_column(default=True)
    password_hash: Mapped[str | None] = mapped_column(sa.String(200))
    must_change_password: Mapped[bool] = mapped_column(default=False)
    totp_secret: Mapped[str | None] = mapped_column(sa.String(400))
    totp_pending: Mapped[str | None] = mapped_column(sa.String(400))
    totp_last_counter: Mapped[int] = mapped_column(sa.BigInteger, default=0)
    # Failed sign-ins on unknown devices, until they are told at the next sign-in.
    failures_untold: Mapped[int] = mapped_column(default=0)
    failures_untold_at: Mapped[dt.datetime | None] = mapped_column(Moment)
    oidc_issuer: Mapped[str | None] = mapped_column(sa.String(400))
    oidc_subject: Mapped[str | None] = mapped_column(sa.String(255))
    created_at: Mapped[dt.datetime] = mapped_column(Moment, default=_now)
    last_signin_at: Mapped[dt.datetime | None] = mapped_column(Moment)


class Session(Base):
    """One sign-in. The browser has the token; here is its hash."""

    __tablename__ = "sessions"

    id_hash: Mapped[str] = mapped_column(sa.String(HASH_LENGTH), primary_key=True)
    user_id: Mapped[str] = mapped_column(sa.ForeignKey("users.id", ondelete="CASCADE"), index=True)
    method: Mapped[str] = mapped_column(sa.String(20))
    created_at: Mapped[dt.datetime] = mapped_column(Moment)
    last_seen_at: Mapped[dt.datetime] = mapped_column(Moment)
    expires_at: Mapped[dt.datetime] = mapped_column(Moment, index=True)
    failures_told: Mapped[int] = mapped_column(default=0)  # until its person says that it was read
    failures_told_at: Mapped[dt.datetime | None] = mapped_column(Moment)


class Device(Base):
    """A browser in which somebody signed in. It has the token; here is its hash."""

    __tablename__ = "devices"

    id: Mapped[str] = mapped_column(sa.String(ID_LENGTH), primary_key=True, default=_new_id)
    user_id: Mapped[str] = mapped_column(sa.ForeignKey("users.id", ondelete="CASCADE"), index=True)
    token_hash: Mapped[str] = mapped_column(sa.String(HASH_LENGTH), unique=True)
    label: Mapped[str] = mapped_column(sa.String(80))
    created_at: Mapped[dt.datetime] = mapped_column(Moment)
    last_signin_at: Mapped[dt.datetime] = mapped_column(Moment)


class SigninFailures(Base):
    """How often signing in failed for one subject (see `delays.py`), and until when it is closed.

    `last_at` is the last failure; of an address the moment at which its count began.
    """

    __tablename__ = "signin_failures"

    subject: Mapped[str] = mapped_column(sa.String(120), primary_key=True)
    failures: Mapped[int]
    last_at: Mapped[dt.datetime] = mapped_column(Moment, index=True)
    closed_until: Mapped[dt.datetime | None] = mapped_column(Moment)


class Token(Base):
    """A personal token for the API: some of its owner's actions, until a day."""

    __tablename__ = "tokens"

    id: Mapped[str] = mapped_column(sa.String(ID_LENGTH), primary_key=True, default=_new_id)
    user_id: Mapped[str] = mapped_column(sa.ForeignKey("users.id", ondelete="CASCADE"), index=True)
    name: Mapped[str] = mapped_column(sa.String(80))
    token_hash: Mapped[str] = mapped_column(sa.String(HASH_LENGTH), unique=True)
    scopes: Mapped[list[str]] = mapped_column(sa.JSON)
    created_at: Mapped[dt.datetime] = mapped_column(Moment)
    expires_at: Mapped[dt.datetime] = mapped_column(Moment)
    last_used_at: Mapped[dt.datetime | None] = mapped_column(Moment)
    revoked_at: Mapped[dt.datetime | None] = mapped_column(Moment)


class Job(Base):
    """Work that a person set going and that outlives the request; its id cannot be guessed."""

    __tablename__ = "jobs"
    __table_args__ = (sa.Index(None, "state", "created_at"), sa.Index(None, "owner", "created_at"))

    id: Mapped[str] = mapped_column(sa.String(40), primary_key=True, default=_new_job_id)
    kind: Mapped[str] = mapped_column(sa.String(20))
    state: Mapped[str] = mapped_column(sa.String(20), default="queued")
    owner: Mapped[str] = mapped_column(sa.ForeignKey("users.id", ondelete="CASCADE"))
    organisation: Mapped[str] = mapped_column(sa.String(80))
    request: Mapped[dict[str, Any]] = mapped_column(sa.JSON, default=dict)
    result: Mapped[dict[str, Any] | None] = mapped_column(sa.JSON)
    done: Mapped[int] = mapped_column(default=0)
    total: Mapped[int] = mapped_column(default=0)
    attempts: Mapped[int] = mapped_column(default=0)
    worker: Mapped[str] = mapped_column(sa.String(80), default="")
    created_at: Mapped[dt.datetime] = mapped_column(Moment, default=_now)
    updated_at: Mapped[dt.datetime] = mapped_column(Moment, default=_now, onupdate=_now)
