"""Known devices: browsers in which somebody signed in fully, which guesses elsewhere do not close.

Not here: the cookie that carries a device's token (`portal/security/devices.py`), and the delays
(`delays.py`). Only the hash of a token is kept; it proves a device and lets nobody in by itself.
"""

from __future__ import annotations

import datetime as dt
import secrets

import sqlalchemy as sa
from sqlalchemy import orm

from pipelines.accounts.errors import AccountError
from pipelines.accounts.hashes import hash_of
from pipelines.accounts.models import Device, Session, User
from pipelines.accounts.permissions import Person
from pipelines.core import clock
from pipelines.core.settings import Settings
from pipelines.ledger.chain import writing
from pipelines.ledger.database import readings, troubles

TOKEN_BYTES = 32
LASTS = dt.timedelta(days=180)  # since the last sign-in on it
MOST = 10
LONGEST_LABEL = 80


def known_device(session: orm.Session, user_id: str, token: str) -> Device | None:
    """The device of this account that has this token, where it is one that lasts still."""
    chosen = sa.select(Device).where(
        Device.token_hash == hash_of(token),
        Device.user_id == user_id,
        Device.last_signin_at > clock.now() - LASTS,
    )
    return session.scalar(chosen)


def is_known_device(settings: Settings, name: str, token: str) -> bool:
    """True where this token is of a device of the account of this name."""
    with troubles(), readings(settings).begin() as session:
        user_id = session.scalar(sa.select(User.id).where(User.name == name.casefold().strip()))
        return known_device(session, user_id or "", token) is not None


def remember_device(settings: Settings, person: Person, token: str, label: str) -> str:
    """Know the device from now on, and return its token: its own, or a new one. LedgerError.

    An account has so many devices at most; the one that was used longest ago gives way.
    """
    now = clock.now()
    with writing(settings) as work:
        found = known_device(work.session, person.user_id, token)
        if found is not None:
            found.last_signin_at = now
            return token
        new = secrets.token_urlsafe(TOKEN_BYTES)
        mine = sa.select(Device).where(Device.user_id == person.user_id)
        kept = work.session.scalars(mine.order_by(Device.last_signin_at.desc())).all()
        for old in kept[MOST - 1 :]:
            work.session.delete(old)
        device = Device(
            user_id=person.user_id,
            token_hash=hash_of(new),
            label=label[:LONGEST_LABEL],
            created_at=now,
            last_signin_at=now,
        )
        work.session.add(device)
        work.session.flush()
        about = {"actor": person.name, "organisation": person.organisation}
        work.append("device.added", **about, subject=device.id, details={"label": device.label})
    return new


def devices_of(settings: Settings, person: Person) -> list[Device]:
    """The devices that an account knows, the one used last first."""
    mine = sa.select(Device).where(
        Device.user_id == person.user_id, Device.last_signin_at > clock.now() - LASTS
    )
    with troubles(), readings(settings).begin() as session:
        return list(session.scalars(mine.order_by(Device.last_signin_at.desc(), Device.id)))


def remove_device(settings: Settings, person: Person, device_id: str, session: str) -> None:
    """Know a device no longer; every session but this one (its token) ends, since it may be there.

    Raises AccountError where it is none of this account.
    """
    with writing(settings) as work:
        device = work.session.get(Device, device_id)
        if device is None or device.user_id != person.user_id:
            raise AccountError("ACC-136")
        work.session.delete(device)
        others = sa.and_(Session.user_id == person.user_id, Session.id_hash != hash_of(session))
        work.session.execute(sa.delete(Session).where(others))
        about = {"actor": person.name, "organisation": person.organisation}
        work.append("device.removed", **about, subject=device_id, details={"label": device.label})


def has_token(device: Device, token: str) -> bool:
    """True where this is the device that the token is of."""
    return device.token_hash == hash_of(token)


def remove_all_devices(session: orm.Session, user_id: str) -> None:
    """Know no device of an account any more, in the caller's transaction."""
    session.execute(sa.delete(Device).where(Device.user_id == user_id))
