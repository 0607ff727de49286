"""Which feeds Dagster knows, and the keys of their assets; a draft is left out, and told.

Not here: what is wrong with a folder (`pipelines/authoring`), and the assets of a feed.

A draft of which one could not even say what its columns become would else stand among the assets as
if files could be sent for it, or keep everything from loading.
"""

import logging
from functools import cache

import dagster as dg

from pipelines.core.settings import current_settings
from schemas.feed import feed_names, feed_problems

log = logging.getLogger("passerelle")

LANDED, HARMONISED = "landed", "harmonised"


def landed_key(feed: str) -> dg.AssetKey:
    """The key of a feed's files."""
    return dg.AssetKey([LANDED, feed])


def harmonised_key(feed: str) -> dg.AssetKey:
    """The key of a feed's rows."""
    return dg.AssetKey([HARMONISED, feed])


@cache
def drafts() -> dict[str, str]:
    """By feed that is not in order, a sentence about it; each is also in the log, once."""
    from pipelines.authoring.drafts import drafts

    found = drafts(current_settings().language)
    for sentence in found.values():
        log.warning("%s", sentence)
    return found


@cache
def folders_at_fault() -> list[str]:
    """A sentence about each folder, or part of one, of which feeds are not loaded; also logged."""
    language = current_settings().language
    found = [one.coded(language) for one in feed_problems() if not one.line]
    for sentence in found:
        log.warning("%s", sentence)
    return found


@cache
def loaded_feeds() -> tuple[str, ...]:
    """The feeds that are in order, by name."""
    return tuple(name for name in feed_names() if name not in drafts())
