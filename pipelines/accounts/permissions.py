"""What each role may do, as named actions, and where; what is not named here is denied to all.

Not here: which rows an organisation receives (agreements) and which page needs which action.

An action is the affair of the person's own organisation. Those of BY_FEED reach further by the
feeds that an account was granted by name; nothing reaches everything. The one technical role, the
operator, sees how every feed does, in figures, and no delivery: it stands alone on an account, so
that no other role brings it one.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from schemas.text import Language

EXTRACTS = frozenset(
    {"extract.preview", "extract.request", "extract.read_own", "extract.download_own"}
)
EVERYBODY = frozenset({"account.own", "token.own", "dictionary.read", "file.verify"})
OPERATOR_ROLE = "operator"
ROLES: dict[str, frozenset[str]] = {
    "mission_staff": frozenset({"tables.list", "file.verify"}) | EXTRACTS,
    "provider": frozenset({"delivery.upload", "delivery.read_own", "rejections.read_own"}),
    "data_owner": frozenset({"consent.decide"}),
    "data_specialist": frozenset(
        {"delivery.read_feeds", "rejections.read_feeds", "feeds.health", "delivery.upload_feeds"}
    ),
    "analyst": frozenset({"dictionary.read", "sql.run", "tables.list"}) | EXTRACTS,
    "oversight": frozenset({"ledger.read", "agreements.read", "extracts.read_taken"}),
    OPERATOR_ROLE: frozenset({"feeds.health"}),
}
ACTIONS = EVERYBODY.union(*ROLES.values())
# What a grant of a feed by name extends; only these roles have any of it.
BY_FEED = (ROLES["data_specialist"] | ROLES["oversight"]) - EVERYBODY
ROLES_BY_FEED = frozenset(role for role, actions in ROLES.items() if actions & BY_FEED) - {
    OPERATOR_ROLE
}
# A token that could make tokens would outlive its own end.
NEVER_BY_TOKEN = frozenset({"account.own", "token.own"})


@dataclass(frozen=True)
class Person:
    """Somebody who is signed in, or whose token was shown; `scopes` is None unless by token.

    `feeds` are those granted by name, beside those of the organisation. `failures_told` counts the
    sign-ins that failed on unknown devices before this one, until the person says it was read.
    """

    user_id: str
    name: str
    organisation: str
    roles: tuple[str, ...]
    language: Language = "en"
    scopes: frozenset[str] | None = None
    must_change_password: bool = False
    has_second_factor: bool = False
    feeds: tuple[str, ...] = ()
    failures_told: int = 0
    failures_told_at: dt.datetime | None = None

    @property
    def actions(self) -> frozenset[str]:
        """Everything that this person may do now, somewhere."""
        named = EVERYBODY.union(*(ROLES.get(role, frozenset()) for role in self.roles))
        return named if self.scopes is None else (named & self.scopes) - NEVER_BY_TOKEN


@dataclass(frozen=True)
class Reach:
    """Where an action is permitted: to what is an organisation's own, and to feeds by name.

    `is_installation`: to figures about every feed, and to nothing that a delivery holds.
    """

    organisation: str
    feeds: frozenset[str] = frozenset()
    is_installation: bool = False


def may(person: Person | None, action: str) -> bool:
    """True where the person may do `action` at all; to what, `reach` says."""
    return person is not None and action in person.actions


def reach(person: Person | None, action: str) -> Reach | None:
    """Where the person may do `action`; None where nowhere."""
    if person is None or action not in person.actions:
        return None
    granted = frozenset(person.feeds) if action in BY_FEED else frozenset()
    is_operator = OPERATOR_ROLE in person.roles and action in ROLES[OPERATOR_ROLE]
    return Reach(person.organisation, granted, is_operator)
