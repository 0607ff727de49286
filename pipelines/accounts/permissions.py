"""What each role may do, as named actions; what is not named here is denied to everybody.

Not here: which rows an organisation receives (agreements) and which page needs which action.

An action is a person's own organisation's affair, unless it stands in EVERYWHERE: those roles
look after all organisations.
"""

from __future__ import annotations

from dataclasses import dataclass

from schemas.text import Language

EXTRACTS = frozenset(
    {"extract.preview", "extract.request", "extract.read_own", "extract.download_own"}
)
EVERYBODY = frozenset({"account.own", "token.own", "dictionary.read", "file.verify"})
ROLES: dict[str, frozenset[str]] = {
    "mission_staff": frozenset({"tables.list", "file.verify"}) | EXTRACTS,
    "provider": frozenset({"delivery.upload", "delivery.read_own", "rejections.read_own"}),
    "data_specialist": frozenset(
        {"delivery.read_all", "rejections.read_all", "feeds.health", "delivery.upload_any"}
    ),
    "analyst": frozenset({"dictionary.read", "sql.run", "tables.list"}) | EXTRACTS,
    "oversight": frozenset({"ledger.read", "agreements.read", "extracts.read_all"}),
}
ACTIONS = EVERYBODY.union(*ROLES.values())
EVERYWHERE = (
    ROLES["data_specialist"] | ROLES["oversight"] | frozenset({"dictionary.read", "file.verify"})
)
# A token that could make tokens would outlive its own end.
NEVER_BY_TOKEN = frozenset({"account.own", "token.own"})


@dataclass(frozen=True)
class Person:
    """Somebody who is signed in, or whose token was shown; `scopes` is None unless by token."""

    user_id: str
    name: str
    organisation: str
    roles: tuple[str, ...]
    language: Language = "en"
    scopes: frozenset[str] | None = None
    must_change_password: bool = False
    has_second_factor: bool = False

    @property
    def actions(self) -> frozenset[str]:
        """Everything that this person may do now."""
        named = EVERYBODY.union(*(ROLES.get(role, frozenset()) for role in self.roles))
        return named if self.scopes is None else (named & self.scopes) - NEVER_BY_TOKEN


def may(person: Person | None, action: str, organisation: str | None = None) -> bool:
    """True where the person may do `action`, to what belongs to `organisation` if that is said."""
    if person is None or action not in person.actions:
        return False
    return organisation is None or action in EVERYWHERE or organisation == person.organisation
