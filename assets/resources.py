"""What the assets are given: where this installation keeps things, and what may be tried again.

Not here: settings themselves (`pipelines/core/settings.py`) and any work on data.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import dagster as dg

from assets.words import both
from pipelines.core.settings import Settings, current_settings

# Waits double each time and are spread at random, so that runs do not return together.
RETRIES = dg.RetryPolicy(
    max_retries=5, delay=5, backoff=dg.Backoff.EXPONENTIAL, jitter=dg.Jitter.PLUS_MINUS
)
OWNER = "team:data-specialists"


class Installation(dg.ConfigurableResource[Settings]):
    """The settings of `PASSERELLE_*`, read when a run starts and not when definitions load."""

    def settings(self) -> Settings:
        """Where things are now."""
        return current_settings().prepare()


@contextmanager
def faults_in_words() -> Iterator[None]:
    """Let Dagster try a step again where a disk, a network, the ledger or a lake was at fault.

    Anything else ends the step with a sentence: a stack trace would tell a person nothing, and an
    engine's message may quote a cell. Findings about data are results and never come here.
    """
    from pipelines.core.duck import ENGINE_FAULT, PASSING_FAULTS
    from pipelines.core.errors import coded
    from pipelines.core.findings import unexpected
    from pipelines.lake.errors import LakeBusyError
    from pipelines.ledger.errors import LedgerError

    try:
        yield
    except (dg.Failure, *PASSING_FAULTS, LakeBusyError, LedgerError):
        raise
    except ENGINE_FAULT as error:
        raise _failure(
            f"The database stopped ({type(error).__name__}); nothing was published.",
            f"La base de données s’est arrêtée ({type(error).__name__})\u202f; "
            "rien n’a été publié.",
        ) from None
    except Exception as error:
        if told := coded(error):
            raise _failure(told.text("en"), told.text("fr")) from None
        # Ours; its place is in the log, its words may quote a cell.
        reference = unexpected("dagster", "", error).values["reference"]
        raise _failure(
            f"An error of the program ({type(error).__name__}, reference {reference}). "
            "The log says where.",
            f"Une erreur du programme ({type(error).__name__}, référence {reference}). "
            "Le journal dit où.",
        ) from None


def _failure(english: str, french: str) -> dg.Failure:
    return dg.Failure(description=both(english, french), allow_retries=False)
