"""All that Dagster knows of Passerelle, in one place.

Not here: any asset, check or schedule itself; heavy packages, so that this loads in an instant.
"""

from __future__ import annotations

import os

import dagster as dg

from assets.automation import jobs, schedules, sensors
from assets.feeds import drafts, folders_at_fault
from assets.freshness import freshness_checks
from assets.harmonised import feed_definitions
from assets.releases import release_assets
from assets.resources import Installation
from assets.tables import published


def executor() -> dg.ExecutorDefinition:
    """By `PASSERELLE_EXECUTOR`: in_process (small deliveries) or forkserver (large, many cores)."""
    if os.environ.get("PASSERELLE_EXECUTOR", "in_process") != "forkserver":
        return dg.in_process_executor
    preload = ["great_expectations", "pipelines.ingest.ingest"]  # once, not once a step
    return dg.multiprocess_executor.configured(
        {
            "max_concurrent": int(os.environ.get("PASSERELLE_STEPS", "0")),
            "start_method": {"forkserver": {"preload_modules": preload}},
        }
    )


defs = dg.Definitions(
    assets=[*feed_definitions, published, *release_assets],
    asset_checks=freshness_checks,
    jobs=jobs,
    schedules=schedules,
    sensors=sensors,
    resources={"installation": Installation()},
    executor=executor(),
    metadata={
        **{f"draft: {feed}": sentence for feed, sentence in drafts().items()},
        **({"feeds not loaded": "\n".join(folders_at_fault())} if folders_at_fault() else {}),
    },
)
