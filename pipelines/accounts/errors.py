"""Why something about an account was refused, as codes with sentences.

Not here: a failed sign-in, which says nothing about its reason (`signin.py`).
"""

from __future__ import annotations

from typing import Any

from pipelines.core.errors import CodedError, declare
from pipelines.core.i18n import mark

declare(
    {
        "ACC-101": mark("There is an account named “{name}” already."),
        "ACC-102": mark("There is no account named “{name}”."),
        "ACC-103": mark("There is no organisation named “{name}”. There are: {known}."),
        "ACC-104": mark("There is no role named “{name}”. There are: {known}."),
        "ACC-105": mark(
            "A name has 3 to 80 letters, digits, dots, hyphens or underscores, such as minusca.jma."
        ),
        "ACC-106": mark("An account needs at least one role. There are: {known}."),
        "ACC-107": mark("There is no language “{name}”. There are: {known}."),
        "ACC-108": mark(
            "The role operator stands alone on an account: it sees no delivery, and no other role "
            "may bring it one. Add an account for it."
        ),
        "ACC-109": mark(
            "Only the roles {roles} reach feeds of other organisations; “{name}” has none of them."
        ),
        "ACC-110": mark("There is no feed named “{name}”. There are: {known}."),
        "ACC-111": mark("A password has at least {least} characters."),
        "ACC-112": mark("A password has at most {most} characters."),
        "ACC-113": mark("A password must not hold the name of the account."),
        "ACC-114": mark("This password repeats one or two signs. Choose another one."),
        "ACC-115": mark("The new password is the old one. Choose another one."),
        "ACC-116": mark("The present password is not right."),
        "ACC-121": mark("This code is not right, or it was used before. Wait for the next one."),
        "ACC-122": mark("There is no second factor to confirm. Begin again."),
        "ACC-131": mark("A token needs a name of at most 80 characters."),
        "ACC-132": mark("A token may not do this: {actions}."),
        "ACC-133": mark("A token needs at least one action."),
        "ACC-134": mark("A token lasts from 1 to {most} days."),
        "ACC-135": mark("There is no such token."),
        "ACC-136": mark("There is no such device."),
        "ACC-141": mark("This identity belongs to another account already."),
        "ACC-142": mark("Your account may no longer ask for extracts."),
        "ACC-401": mark(
            "The key that opens the second factors is missing or another one: put secrets/totp.key "
            "back from the backup, or remove the second factor of the account."
        ),
    }
)


class AccountError(CodedError):
    """What was asked about an account cannot be done; `field` names the input that is wrong."""

    def __init__(self, code: str, field: str = "", **values: Any) -> None:
        """Keep the code, the field and the values."""
        super().__init__(code, field=field, **values)
