"""What of the world is told in each table: the only place that knows the tables by name."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

    from pipelines.demo.profile import Profile
    from pipelines.demo.world import World
    from schemas.feed import Feed

MODULES = {  # table → the module whose `compose` makes its records
    "incidents": "incidents",
    "border_crossings": "border_crossings",
    "border_flows": "border_flows",
    "seizures": "seizures",
    "deployments": "deployments",
    "capability_pledges": "capability_pledges",
    "support_offers": "support",
    "support_needs": "support",
}


def compose(world: World, feed: Feed, profile: Profile) -> pd.DataFrame:
    """The right records of a feed, in order: columns of its table, moments by the local clock.

    `is_alone` is False for records that others add up to or are part of. Raises KeyError for a
    table of which the world knows nothing.
    """
    module = import_module(f"pipelines.demo.{MODULES[feed.table]}")
    records: pd.DataFrame = module.compose(world, feed, **profile.records)
    return records
