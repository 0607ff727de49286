"""How a reader refuses a delivery: a declared code and values that never come from a cell.

Not here: the words (`schemas/tables/deliveries.yaml`), nor when to refuse (each reader).
"""

from __future__ import annotations

from pathlib import Path

from pipelines.core.findings import DeliveryError, Finding

KILOBYTE = 1024
MEGABYTE = 1024**2


def finding(code: str, file: Path, **values: str | int) -> Finding:
    """A finding about `file`, which is named by its last part only."""
    return Finding(code, {"file_name": file.name, **values})


def refusal(code: str, file: Path, **values: str | int) -> DeliveryError:
    """The exception for one such finding, ready to be raised."""
    return DeliveryError(finding(code, file, **values))
