"""Which deliveries somebody may see: those of their organisation, and of feeds granted by name."""

from __future__ import annotations

from dataclasses import dataclass

from pipelines.accounts.permissions import Person, reach
from pipelines.landing.receive import Delivery
from schemas.feed import feed_names, load_feeds
from schemas.organisation import organisations


@dataclass(frozen=True)
class Scope:
    """Which deliveries somebody may see: those of `feeds`.

    Of a feed that several organisations send, one sees what it sent itself: what came by `origin`.
    """

    feeds: tuple[str, ...]
    shared: tuple[str, ...] = ()
    origin: str = ""

    def has(self, delivery: Delivery) -> bool:
        """True where the delivery is among them."""
        is_own = delivery.feed not in self.shared or delivery.receipt.origin == self.origin
        return delivery.feed in self.feeds and is_own


def scope_of(person: Person, action: str) -> Scope:
    """The deliveries that `action` opens to the person; of an operator's, figures alone."""
    where = reach(person, action)
    if where is None:
        return Scope(())
    if where.is_installation:
        return Scope(tuple(feed_names()))
    own = own_feeds(where.organisation)
    feeds = tuple(name for name in feed_names() if name in where.feeds or name in own.feeds)
    return Scope(feeds, tuple(one for one in own.shared if one not in where.feeds), own.origin)


def own_feeds(organisation: str) -> Scope:
    """The deliveries of the sources that this organisation provides (`organisations.csv`)."""
    providers: dict[str, set[str]] = {}
    for one in organisations().values():
        for source in one.sources:
            providers.setdefault(source, set()).add(one.code)
    sources = {one.feed: providers.get(one.source, set()) for one in load_feeds()}
    feeds = tuple(name for name, senders in sources.items() if organisation in senders)
    shared = tuple(name for name in feeds if len(sources[name]) > 1)
    return Scope(feeds, shared, origin_of(organisation))


def origin_of(organisation: str) -> str:
    """What a receipt says of a file that an account of this organisation sent through the web."""
    return f"upload/{organisation}"


def is_sender(person: Person, delivery: Delivery) -> bool:
    """True where the person's own organisation sent the delivery."""
    return own_feeds(person.organisation).has(delivery)
