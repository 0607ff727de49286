"""Which feeds Dagster knows, and the keys of their assets; a draft is left out, and told.

Not here: what is wrong with a folder (`pipelines/authoring`), and the assets of a feed.

A draft of which one could not even say what its columns become would else stand among the assets as
if files could be sent for it, or keep everything from loading.
"""

import logging
from functools import cache
from pathlib import Path

import dagster as dg

from schemas.feed import FEEDS_FOLDER, feed_names

log = logging.getLogger("passerelle")

LANDED, HARMONISED = "landed", "harmonised"


def landed_key(feed: str) -> dg.AssetKey:
    """The key of a feed's files."""
    return dg.AssetKey([LANDED, feed])


def harmonised_key(feed: str) -> dg.AssetKey:
    """The key of a feed's rows."""
    return dg.AssetKey([HARMONISED, feed])


@cache
def drafts(folder: Path = FEEDS_FOLDER) -> dict[str, str]:
    """By feed that is not in order, a sentence about it; each is also in the log, once."""
    from pipelines.authoring.drafts import drafts
    from pipelines.core.settings import current_settings

    found = drafts(current_settings().language, folder)
    for sentence in found.values():
        log.warning("%s", sentence)
    return found


@cache
def loaded_feeds(folder: Path = FEEDS_FOLDER) -> tuple[str, ...]:
    """The feeds that are in order, by name."""
    return tuple(name for name in feed_names(folder) if name not in drafts(folder))
