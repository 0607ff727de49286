"""What the lake remarks on a judged delivery: the rows that it holds, and who says otherwise.

Not here: which rows are held and which version stands (`pipelines/lake`), what is asked about them.

Both lie beside the receipt and change as other deliveries come; the verdict does not. Neither holds
a value of a cell.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from pydantic import TypeAdapter, ValidationError
from upath import UPath

from pipelines.validate.verdict import StoredFinding, Verdict, keep_whole

HELD_ROWS = "held.parquet"  # source_row, code: rows that wait for an answer
DISAGREEMENTS = "disagreements.json"
_FINDINGS = TypeAdapter(list[StoredFinding])


def held_rows_file(folder: UPath) -> UPath | None:
    """The rows of the delivery in `folder` that are held, with the rule; None where none is."""
    place = folder / HELD_ROWS
    return place if place.exists() else None


def read_disagreements(folder: UPath) -> list[StoredFinding]:
    """Of the delivery in `folder`, who says otherwise as of one time, and in how many records."""
    try:
        return _FINDINGS.validate_json((folder / DISAGREEMENTS).read_bytes())
    except (FileNotFoundError, NotADirectoryError, ValidationError):
        return []


def keep_disagreements(folder: UPath, found: Sequence[StoredFinding]) -> None:
    """Write them down, whole or not at all; where there are none, nothing is left."""
    place = folder / DISAGREEMENTS
    if found:
        ordered = sorted(found, key=lambda one: (one.code, str(one.values["other"])))
        keep_whole(place, _FINDINGS.dump_json(ordered, indent=1) + b"\n")
        return
    with suppress(FileNotFoundError):
        place.unlink()


def all_findings(folder: UPath, verdict: Verdict) -> list[StoredFinding]:
    """What is said of a delivery as a whole: by its verdict, and by the lake since."""
    return [*verdict.findings, *(read_disagreements(folder) if verdict.is_accepted else ())]
