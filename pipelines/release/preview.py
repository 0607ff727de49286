"""What a request would give: its first rows, how many there are, what is masked and why.

Not here: making the extract (`extract.py`). The same rules hold: nothing is shown that could not
leave, and what would be refused is refused here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipelines.core.files import place
from pipelines.core.settings import Settings
from pipelines.release.disclosure.past_disclosures import (
    cells_folder,
    one_at_a_time,
)
from pipelines.release.disclosure.risk import Risk
from pipelines.release.errors import ReleaseError
from pipelines.release.package.formats.content import Field
from pipelines.release.package.manifest import ID_LENGTH
from pipelines.release.policy.marking import Marking
from pipelines.release.query.flow import Flow
from pipelines.release.query.selection import OnOpen, Selection, open_selection
from pipelines.release.request import Request
from schemas.agreement import Permit
from schemas.sqltext import literal

if TYPE_CHECKING:
    import pyarrow as pa

SHOWN_ROWS = 20


@dataclass(frozen=True)
class Preview:
    """The first rows and what is told of all of them; `flow.told()` is what may be shown of it."""

    columns: tuple[Field, ...]
    rows: pa.Table
    row_count: int
    flow: Flow
    risk: Risk | None
    masked_columns: tuple[str, ...]
    marking: Marking
    permits: tuple[Permit, ...]
    suppressed_cells: int | None = None
    threshold: int | None = None
    absence: ReleaseError | None = None  # why there is no row, where there is none


def preview(settings: Settings, request: Request, limit: int = SHOWN_ROWS) -> Preview:
    """The answer to a request, without making anything. Raises as `extract.make_extract`.

    What is shown is told: it is kept, and later counts are compared with it.
    """
    with open_preview(settings, request) as found:
        first = f"FROM read_parquet({literal(str(found.rows))}) LIMIT {int(limit)}"
        return Preview(
            columns=found.fields,
            rows=found.connection.execute(first).to_arrow_table(),
            row_count=found.row_count,
            flow=found.flow,
            risk=found.risk,
            masked_columns=found.masked_columns,
            marking=found.marking,
            permits=found.allowed.permits,
            suppressed_cells=found.suppressed_cells,
            threshold=found.threshold,
            absence=found.absence,
        )


@contextmanager
def open_preview(
    settings: Settings, request: Request, on_open: OnOpen | None = None
) -> Iterator[Selection]:
    """The rows of a request for a page to show; what is told is kept. Raises as `preview`."""
    from pipelines.core.duck import scratch_folder

    with (
        one_at_a_time(settings, request),
        scratch_folder(settings.prepare(), "preview") as folder,
        open_selection(settings, request, folder, on_open) as found,
    ):
        with found.kept.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
        told = cells_folder(settings, request.table, request.recipient)
        place(found.kept, told / f"preview-{digest[:ID_LENGTH]}.parquet")
        yield found
