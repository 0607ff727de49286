"""What the assets are given: where this installation keeps things, and what may be tried again.

Not here: settings themselves (`pipelines/settings.py`) and any work on data.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import dagster as dg

from pipelines.settings import Settings, current_settings

TRIES = 5
FIRST_WAIT_S = 5.0
OWNER = "team:data-specialists"


class Installation(dg.ConfigurableResource[Settings]):
    """The settings of `PASSERELLE_*`, read when a run starts and not when definitions load."""

    def settings(self) -> Settings:
        """Where things are now."""
        return current_settings().prepare()


@contextmanager
def trying_again(context: Any) -> Iterator[None]:
    """Ask Dagster to run the step again where a disk or a network failed; nothing else is retried.

    Waits double each time and are spread at random, so that runs do not return together.
    A finding about data is a result and never comes here.
    """
    try:
        yield
    except OSError as error:
        wait_s = FIRST_WAIT_S * 2**context.retry_number * random.uniform(0.5, 1.5)  # noqa: S311
        raise dg.RetryRequested(max_retries=TRIES, seconds_to_wait=wait_s) from error
