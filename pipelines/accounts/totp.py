"""The second factor: six digits of an authenticator application, each code good for one sign-in.

Not here: when it is asked for (`signin.py`) and drawing its QR code (`portal`).
"""

from __future__ import annotations

import base64
from dataclasses import dataclass

import pyotp
from cryptography.fernet import Fernet, InvalidToken
from pyotp.exceptions import OTPVerificationError

from pipelines.accounts.errors import AccountError
from pipelines.accounts.models import User
from pipelines.accounts.people import change_named, change_user
from pipelines.core import clock
from pipelines.core.keys import installation_key
from pipelines.core.settings import Settings
from pipelines.ledger.chain import OPERATOR, Writing

KEY_NAME = "totp"
ISSUER = "Passerelle"
WINDOW = 1  # half a minute early or late: clocks of telephones differ


@dataclass(frozen=True)
class Enrolment:
    """A secret that waits for its first code: to be typed in, or drawn as a QR code."""

    secret: str
    uri: str


def enrol_totp(settings: Settings, user_id: str) -> Enrolment:
    """Make a secret for a person; it counts once `confirm_totp` was given a code of it."""
    secret = pyotp.random_base32()
    names: list[str] = []

    def change(_work: Writing, user: User) -> dict[str, object]:
        user.totp_pending = _sealed(settings, secret)
        names.append(user.name)
        return {"second_factor": "begun"}

    change_user(settings, user_id, change)
    uri = pyotp.TOTP(secret).provisioning_uri(name=names[0], issuer_name=ISSUER)
    return Enrolment(secret, uri)


def confirm_totp(settings: Settings, user_id: str, code: str) -> None:
    """Ask for the second factor from now on. Raises AccountError where the code is not right."""

    def change(_work: Writing, user: User) -> dict[str, object]:
        if user.totp_pending is None:
            raise AccountError("ACC-122", "code")
        counter = matching_counter(settings, user.totp_pending, code)
        if counter is None:
            raise AccountError("ACC-121", "code")
        user.totp_secret, user.totp_pending = user.totp_pending, None
        user.totp_last_counter = counter
        return {"second_factor": "on"}

    change_user(settings, user_id, change)


def remove_totp(settings: Settings, name: str, *, actor: str = OPERATOR) -> None:
    """Ask for no second factor any more: for who lost the telephone. Raises AccountError."""

    def change(_work: Writing, user: User) -> dict[str, object]:
        user.totp_secret = user.totp_pending = None
        return {"second_factor": "off"}

    change_named(settings, name, change, actor)


def matching_counter(settings: Settings, kept: str, code: str, after: int = 0) -> int | None:
    """Which half minute a code belongs to, where it is right and later than `after`."""
    try:
        counter = pyotp.TOTP(_opened(settings, kept)).verify_and_get_timecode(
            "".join(code.split())[:10], for_time=clock.now(), valid_window=WINDOW
        )
    except OTPVerificationError:
        return None
    return counter if counter > after else None


def _box(settings: Settings) -> Fernet:
    return Fernet(base64.urlsafe_b64encode(installation_key(settings, KEY_NAME)))


def _sealed(settings: Settings, secret: str) -> str:
    return _box(settings).encrypt(secret.encode("ascii")).decode("ascii")


def _opened(settings: Settings, kept: str) -> str:
    try:
        return _box(settings).decrypt(kept.encode("ascii")).decode("ascii")
    except InvalidToken:
        raise AccountError("ACC-401") from None
