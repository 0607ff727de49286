"""The pages that a person finds in the menu: those that their roles let them open.

Not here: the pages, and the permission itself, which each route checks again.
"""

from __future__ import annotations

from dataclasses import dataclass

from pipelines.accounts.permissions import Person, may
from pipelines.portal.words import _, mark


@dataclass(frozen=True)
class Item:
    """One entry of the menu, in the words of the reader."""

    path: str
    label: str
    is_here: bool


@dataclass(frozen=True)
class Entry:
    """One entry of the menu as declared: the action that opens it, its address, its name."""

    action: str
    path: str
    label: str


MENU = (
    Entry("tables.list", "/tables", mark("Tables")),
    Entry("extract.read_own", "/extracts", mark("My extracts")),
    Entry("delivery.upload", "/deliveries/new", mark("Send a delivery")),
    Entry("delivery.read_own", "/deliveries", mark("My deliveries")),
    Entry("delivery.read_all", "/all-deliveries", mark("All deliveries")),
    Entry("rejections.read_all", "/rejections", mark("Rejections")),
    Entry("feeds.health", "/feeds", mark("Feeds")),
    Entry("dictionary.read", "/dictionary", mark("Dictionary")),
    Entry("sql.run", "/sql", mark("SQL")),
    Entry("ledger.read", "/ledger", mark("Ledger")),
    Entry("agreements.read", "/agreements", mark("Agreements")),
    Entry("extracts.read_all", "/taken", mark("Who took what")),
    Entry("file.verify", "/verify", mark("Check a file")),
)


def navigation(person: Person | None, path: str, pages: frozenset[str]) -> list[Item]:
    """The menu of a person; `pages` are the addresses that exist."""
    if person is None:
        return []
    mine = [one for one in MENU if one.path in pages and may(person, one.action)]
    here = max((one.path for one in mine if _is_under(path, one.path)), key=len, default="")
    return [Item(one.path, _(one.label), one.path == here) for one in mine]


def _is_under(path: str, entry: str) -> bool:
    return path == entry or path.startswith(f"{entry}/")
