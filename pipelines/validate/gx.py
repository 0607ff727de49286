"""Great Expectations as it is imported here: its telemetry off, its log silent.

Not here: what is done with it (`audit.py`, `data_docs.py`). Importing it takes seconds.
"""

from __future__ import annotations

import logging
import os
from typing import Any


def import_great_expectations() -> Any:
    """Great Expectations with its telemetry off; the variable is read when it is imported."""
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    # What it logs about a failing query may quote a cell; what we need is in the results.
    logging.getLogger("great_expectations").setLevel(logging.CRITICAL)
    import great_expectations

    return great_expectations
