"""Why the lake cannot do what was asked, as codes with sentences.

Not here: what keeps a single table from being published (`faults.py`).
"""

from __future__ import annotations

from typing import Any, ClassVar

from pipelines.core.errors import CodedError, declare
from pipelines.core.i18n import mark

declare(
    {
        "PSL-406 busy": mark("Another process has been writing to {place} for {seconds} seconds."),
        "PSL-406 conflict": mark("Somebody else committed to {table} first."),
        "PSL-406 cut": mark("{file} of {delivery} has {rows} rows; its verdict says {expected}."),
        "PSL-406 list": mark(
            "{table}.{column} is a list that older rows do not have; the table must be migrated "
            "first: passerelle lake migrate"
        ),
        "PSL-406 missing": mark("{file} of {delivery} is missing or cannot be read."),
        # deltalake writes to such a folder and then reads from the one that it decodes the name to.
        "PSL-406 percent": mark(
            "Choose another folder than {place}: a “%” before two digits cannot be in its name."
        ),
        "PSL-406 type": mark(
            "{table}.{column} is {found} in the lake and {wanted} in the contract; the table must "
            "be migrated first: passerelle lake migrate"
        ),
        "PSL-406 unknown": mark("No verdict for {deliveries}."),
        "PSL-406 unpublished": mark(
            "Nothing is published yet: there is no {catalogue}. Ingest a delivery first, or set "
            "PASSERELLE_HOME to the folder where one was."
        ),
        "PSL-410": mark(
            "The tables are of an older contract ({tables}). Nothing is published until "
            "“passerelle lake migrate” has judged the accepted deliveries again and written the "
            "tables anew."
        ),
    }
)


class LakeError(CodedError):
    """The lake cannot do what was asked; the case says why."""

    kind_status, api_code, is_ours = 503, "WEB-503", True
    kind_code: ClassVar[str] = "PSL-406"

    def __init__(self, case: str = "", **values: Any) -> None:
        """Keep the case, and the values of its sentence."""
        super().__init__(self.kind_code, case, **values)


class LakeBusyError(LakeError):
    """Another process is writing to this lake and did not finish in time."""


class CommitConflictError(LakeError):
    """Somebody else committed to the table since it was read; plan again on what is there now."""


class NothingPublishedError(LakeError):
    """There is no catalogue yet."""


class LakeOutdatedError(LakeError):
    """The tables are of an older contract than the program's, and have to be migrated first."""

    kind_code = "PSL-410"
