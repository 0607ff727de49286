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
    """Ask Dagster to run the step again where a disk, a network, the ledger or a lake was at fault.

    Waits double each time and are spread at random, so that runs do not return together.
    A finding about data is a result and never comes here. Anything else ends the step with a
    sentence: a stack trace would tell a person nothing, and an engine's message may quote a cell.
    """
    from pipelines.duck import ENGINE_FAULT, PASSING_FAULTS
    from pipelines.lake.storage import LakeBusy, LakeError
    from pipelines.ledger.faults import LedgerError
    from schemas.contract_problem import ContractError

    try:
        yield
    except (*PASSING_FAULTS, LakeBusy, LedgerError) as error:
        wait_s = FIRST_WAIT_S * 2**context.retry_number * random.uniform(0.5, 1.5)  # noqa: S311
        raise dg.RetryRequested(max_retries=TRIES, seconds_to_wait=wait_s) from error
    except (LakeError, ContractError) as error:
        raise _failure(f"{error.text('en')} / {error.text('fr')}") from None
    except ENGINE_FAULT as error:
        raise _failure(
            f"The database stopped ({type(error).__name__}); nothing was published. / "
            f"La base de données s’est arrêtée ({type(error).__name__}) ; rien n’a été publié."
        ) from None


def _failure(sentence: str) -> dg.Failure:
    return dg.Failure(description=sentence, allow_retries=False)
