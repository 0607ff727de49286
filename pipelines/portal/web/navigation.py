"""The pages that a person finds in the menu and on the first page: those that their roles open."""

from __future__ import annotations

from dataclasses import dataclass

from pipelines.accounts.permissions import Person, may
from pipelines.core.i18n import mark
from pipelines.portal.words import _


@dataclass(frozen=True)
class Item:
    """One entry of the menu, in the words of the reader; `about` says what it is good for."""

    path: str
    label: str
    about: str
    is_here: bool


@dataclass(frozen=True)
class Entry:
    """One entry of the menu as declared: the action that opens it, its address, its words."""

    action: str
    path: str
    label: str
    about: str


MENU = (
    Entry(
        "tables.list",
        "/tables",
        mark("Tables"),
        mark("See what the agreements give your organisation, and ask for an extract of it."),
    ),
    Entry(
        "extract.read_own",
        "/extracts",
        mark("My extracts"),
        mark("Follow what you asked for, and download it again."),
    ),
    Entry(
        "delivery.upload",
        "/deliveries/new",
        mark("Send a delivery"),
        mark("Send a file of records and read within seconds what was wrong with it."),
    ),
    Entry(
        "delivery.read_own",
        "/deliveries",
        mark("My deliveries"),
        mark("See what became of each file, and download the rows to correct."),
    ),
    Entry(
        "consent.decide",
        "/consents",
        mark("Consents"),
        mark("Decide whether counts that were refused may leave with your service’s data."),
    ),
    Entry(
        "delivery.read_feeds",
        "/all-deliveries",
        mark("Deliveries of my feeds"),
        mark("Watch what comes in of the feeds that you look after."),
    ),
    Entry(
        "rejections.read_feeds",
        "/rejections",
        mark("Rejections"),
        mark("See which rules fail most often, in which feed, and since when."),
    ),
    Entry(
        "feeds.health",
        "/feeds",
        mark("Feeds"),
        mark("See which feeds are late or silent."),
    ),
    Entry(
        "dictionary.read",
        "/dictionary",
        mark("Dictionary"),
        mark("Find what a column means, also by the name that a service gives it."),
    ),
    Entry(
        "sql.run",
        "/sql",
        mark("SQL"),
        mark("Ask the tables a question of your own, within your agreements."),
    ),
    Entry(
        "ledger.read",
        "/ledger",
        mark("Ledger"),
        mark(
            "Read what was done here by or for your organisation; it cannot be changed afterwards."
        ),
    ),
    Entry(
        "agreements.read",
        "/agreements",
        mark("Agreements"),
        mark("Read what the agreements of your organisation permit, and which end soon."),
    ),
    Entry(
        "extracts.read_taken",
        "/taken",
        mark("Who took what"),
        mark(
            "See the extracts for your organisation or of its data: for whom, why, by which clause."
        ),
    ),
    Entry(
        "file.verify",
        "/verify",
        mark("Check a file"),
        mark("Prove that an extract comes from here and that no byte of it was changed."),
    ),
)
ROLE_NAMES = {
    "mission_staff": mark("Mission staff or national officer"),
    "provider": mark("Provider of data"),
    "data_owner": mark("Data owner: consents for the service"),
    "data_specialist": mark("Data specialist"),
    "analyst": mark("Analyst"),
    "oversight": mark("Oversight"),
    "operator": mark("Operator of the installation"),
}


def role_names(person: Person) -> list[str]:
    """What a person is here, in words."""
    return [_(ROLE_NAMES[role]) for role in person.roles if role in ROLE_NAMES]


def navigation(person: Person | None, path: str, pages: frozenset[str]) -> list[Item]:
    """The menu of a person; `pages` are the addresses that exist."""
    if person is None or person.must_change_password:
        return []
    mine = [one for one in MENU if one.path in pages and may(person, one.action)]
    here = max((one.path for one in mine if _is_under(path, one.path)), key=len, default="")
    return [Item(one.path, _(one.label), _(one.about), one.path == here) for one in mine]


def _is_under(path: str, entry: str) -> bool:
    return path == entry or path.startswith(f"{entry}/")
