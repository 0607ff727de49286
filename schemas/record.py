"""The columns that every record has: what it is called and how it came to us.

Not here: columns that a table may lack, which code asks for by role (`roles.py`). These names may
stand in SQL: a role would only be a second name. A test holds them to `groups.yaml`.
"""

from __future__ import annotations

RECORD_ID = "record_id"
SOURCE = "source"
RECORD_NUMBER = "source_record_id"  # by which the source itself calls it
SOURCE_REVISION = "source_revision"
WITHDRAWAL = "withdrawal"  # read and never kept: does this row take its record back?
IDENTITY = (RECORD_ID, SOURCE, RECORD_NUMBER)
PROVENANCE = (
    *("handling", "is_withdrawn", SOURCE_REVISION, "received_at", "delivery_id", "source_row"),
    *("quality_flags", "revision", "known_from", "known_to", "restated_at", "superseded_at"),
    *("is_latest", WITHDRAWAL),
)
