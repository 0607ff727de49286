"""What somebody asks for: the request for one extract, and whether it names things that exist.

Not here: whether an agreement permits it (`permits.py`) and the query (`records.py`).
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from pipelines.release.errors import ReleaseError
from schemas.agreement import RECORDS, TIME_DIMENSIONS, Form
from schemas.codelist import codes
from schemas.contract import Contract
from schemas.text import Language

LONG_DAYS = 28


@dataclass(frozen=True)
class Request:
    """One extract asked for. Empty `columns` or `dimensions`: all that is permitted.

    `since` and `until` are inclusive days on which it happened; `areas` are codes of countries or
    admin areas; `offences` are ICCS codes or their beginnings. `as_of` is the day on which delays
    and validity are measured, never the clock, so that the same request gives the same bytes;
    the clock only closes: a day to come and a clause that has ended since are refused.
    """

    table: str
    recipient: str
    purpose: str
    as_of: dt.date
    form: Form = "records"
    columns: tuple[str, ...] = ()
    dimensions: tuple[str, ...] = ()
    measures: tuple[str, ...] = (RECORDS,)
    since: dt.date | None = None
    until: dt.date | None = None
    areas: tuple[str, ...] = ()
    offences: tuple[str, ...] = ()
    format: str = "csv"
    language: Language = "en"

    @property
    def is_narrow(self) -> bool:
        """Does it choose so little that to say what is not in it would point at a record?"""
        until = min(self.until or self.as_of, self.as_of)
        is_short = self.since is not None and (until - self.since).days + 1 < LONG_DAYS
        return bool(self.areas or self.offences) or is_short

    @property
    def has_choice(self) -> bool:
        """Does it ask for some of the rows only?"""
        return self.has_period or bool(self.areas or self.offences)

    @property
    def has_period(self) -> bool:
        """Does it ask for some days only?"""
        return self.since is not None or self.until is not None


def check_request(request: Request, contract: Contract) -> None:
    """Raise ReleaseError for the first thing that the request names and that does not exist.

    REL-104 for a column, 110 for a dimension or measure, 112 for a period that ends before it
    begins, 113 for an area or offence. That a thing exists says nothing of who may have it.
    """
    published = {column.name for column in contract.published}
    for column in request.columns:
        if column not in published:
            raise ReleaseError("REL-104", table=contract.table, column=column)
    _check_counted(request, contract)
    if request.since and request.until and request.since > request.until:
        raise ReleaseError("REL-112", since=request.since, until=request.until)
    for area in request.areas:
        if not is_known_area(area):
            raise ReleaseError("REL-113", name=area, list="admin_areas")
    offences = codes("offences")
    for offence in request.offences:
        if not offence or not any(code.startswith(offence) for code in offences):
            raise ReleaseError("REL-113", name=offence, list="offences")


def _check_counted(request: Request, contract: Contract) -> None:
    published = {column.name for column in contract.published}
    made = {*(TIME_DIMENSIONS if contract.event_day else ()), *contract.levels}
    for names, known in ((request.dimensions, made), (request.measures, {RECORDS})):
        for name in names:
            if name not in published | known:
                raise ReleaseError("REL-110", name=name, known=sorted(published | known))


def is_known_area(code: str) -> bool:
    """A country, a listed admin area, or the P-code of one under a listed area.

    The second level comes with a gazetteer; its P-codes begin with that of the level above.
    """
    listed = codes("admin_areas")
    return (
        code in codes("countries")
        or code in listed
        or (code.isalnum() and any(code.startswith(above) for above in listed))
    )
