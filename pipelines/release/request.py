"""What somebody asks for: the request for one extract, and whether it names things that exist.

Not here: whether an agreement permits it (`permits.py`) and the query (`compile.py`).
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Literal

from schemas.text import Language

Form = Literal["records", "counts"]


@dataclass(frozen=True)
class Request:
    """One extract asked for. Empty `columns` or `dimensions`: all that is permitted.

    `since` and `until` are inclusive days of `occurred_at`; `areas` are codes of countries or
    admin areas; `offences` are ICCS codes or their beginnings. `as_of` is the day on which delays
    and validity are measured, never the clock, so that the same request gives the same bytes.
    """

    table: str
    recipient: str
    purpose: str
    as_of: dt.date
    form: Form = "records"
    columns: tuple[str, ...] = ()
    dimensions: tuple[str, ...] = ()
    measures: tuple[str, ...] = ("records",)
    since: dt.date | None = None
    until: dt.date | None = None
    areas: tuple[str, ...] = ()
    offences: tuple[str, ...] = ()
    format: str = "csv"
    language: Language = "en"
