"""The typed reader of the sharing agreements (`schemas/agreements/*.yaml`): who may have what.

Not here: reading its file (`agreement_folder.py`), what is wrong with one (`agreement_check.py`)
and applying one (`pipelines/release`). Nothing leaves without a permit; what a file does not say
is closed.
"""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PrivateAttr,
    model_validator,
)

from schemas.contract import load_contract, table_names
from schemas.text import FOLDER, Bilingual, Language

AGREEMENTS_FOLDER = FOLDER / "agreements"

Form = Literal["records", "counts"]
Handling = Literal["UNCLASSIFIED", "CONFIDENTIAL", "STRICTLY_CONFIDENTIAL"]
Area = Literal["country", "admin1", "admin2", "point"]
Time = Literal["exact", "day", "week", "month"]
Age = Literal["none", "group", "exact"]
FileFormat = Literal["csv", "xlsx", "parquet", "geojson", "gpkg"]
Period = Literal["last_7_days", "last_28_days", "last_month", "all"]

# Finest last: the more of it, the more leaves.
HANDLING_LEVELS: tuple[str, ...] = ("UNCLASSIFIED", "CONFIDENTIAL", "STRICTLY_CONFIDENTIAL")
AREAS: tuple[str, ...] = ("country", "admin1", "admin2", "point")
TIMES: tuple[str, ...] = ("month", "week", "day", "exact")
AGES: tuple[str, ...] = ("none", "group", "exact")
# Dimensions of counts that are no column: periods of the day on which it happened. The levels of a
# classification are others (`Contract.levels`).
TIME_DIMENSIONS: tuple[str, ...] = ("year", "quarter", "month", "week", "day")
RECORDS = "records"  # the measure that is the number of records

Strings = Annotated[tuple[str, ...], BeforeValidator(lambda v: tuple(v) if _is_list(v) else v)]


def _is_list(value: Any) -> bool:
    return isinstance(value, list)


class _Declared(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Conditions(_Declared):
    """Which rows; all that is given must hold.

    What a row does not say never opens it: for a permit a row without the value does not hold, for
    a restriction it is held back.
    """

    countries: Strings = ()
    areas: Strings = ()  # of the first or the second level
    since: dt.date | None = None  # of the day on which it happened, both days included
    until: dt.date | None = None
    offences: Strings = ()  # prefixes of ICCS codes
    except_offences: Strings = ()
    border_points: Strings = ()


class PermittedRows(Conditions):
    """The rows that a permit opens. Rows above the ceiling never leave."""

    handling_ceiling: Handling
    sensitive: bool = False  # may sensitive rows leave too?


class RestrictedRows(Conditions):
    """The rows that a restriction holds back; nothing given means every row of its providers."""

    handling_at_least: Handling | None = None  # only rows of this level or above
    only_sensitive: bool = False  # only sensitive rows


class Precision(_Declared):
    """How coarse what leaves is."""

    area: Area
    time: Time
    age: Age


class Onward(_Declared):
    """May the recipient hand it on? `originator`: only once the provider has agreed."""

    allowed: bool
    consent: Literal["originator", "not_needed"]


class DueDiligence(_Declared):
    """The human-rights review of a security force; outside its dates the clause is closed."""

    reference: str = Field(min_length=1)
    reviewed_on: dt.date
    valid_until: dt.date

    def holds_on(self, day: dt.date) -> bool:
        """Was the review done and not out of date on `day`?"""
        return self.reviewed_on <= day <= self.valid_until


class _Clause(_Declared):
    """What every clause knows: its name, and the agreement that it stands in."""

    clause: str
    _agreement: str = PrivateAttr(default="")

    @property
    def agreement(self) -> str:
        """The name of the agreement that it is a clause of."""
        return self._agreement

    @property
    def full_name(self) -> str:
        """`caf_minusca/P1`: what each row that leaves carries."""
        return f"{self._agreement}/{self.clause}"


def _with_days(declared: Any) -> Any:
    """A clause that opens a moment opens its local day: what a precision coarser leaves of it."""
    if not isinstance(declared, dict) or declared.get("table") not in table_names("data"):
        return declared
    columns, days = declared.get("columns") or (), load_contract(declared["table"]).days
    if not isinstance(columns, list | tuple):
        return declared
    more = [day.name for moment, day in days.items() if moment in columns]
    return {**declared, "columns": list(dict.fromkeys([*columns, *more]))}


class Permit(_Clause):
    """One clause that lets rows of some providers leave to some recipients for some purposes."""

    clause: str = Field(pattern=r"^P[1-9]\d*$")
    summary: Bilingual
    providers: Strings = Field(min_length=1)  # codes of sources
    recipients: Strings = Field(min_length=1)  # codes of organisations
    purposes: Strings = Field(min_length=1)
    table: str
    form: Form
    columns: Strings = ()
    dimensions: Strings = ()
    measures: Strings = ()
    rows: PermittedRows
    precision: Precision
    delay_days: int = Field(ge=0)
    small_cell_threshold: int | None = Field(default=None, ge=1)
    smallest_group: int | None = Field(default=None, ge=1)
    onward: Onward
    due_diligence: DueDiligence | None = None

    _days = model_validator(mode="before")(_with_days)

    @property
    def is_grouped(self) -> bool:
        """Must records be alike to leave by this clause?"""
        return self.form == "records" and (self.smallest_group or 1) > 1


class Restriction(_Clause):
    """One clause of a provider that holds rows back, or masks columns of them; it always wins.

    It holds whether or not its agreement is in force: that an agreement ends must open nothing.
    """

    clause: str = Field(pattern=r"^R[1-9]\d*$")
    reason: Bilingual
    providers: Strings = Field(min_length=1)
    recipients: Strings = Field(min_length=1)  # organisations, or `all`
    table: str
    columns: Strings = ()  # masked for these rows; none: the rows do not leave at all
    rows: RestrictedRows = RestrictedRows()


class Standing(_Declared):
    """An extract that a schedule refreshes; nothing of it leaves but by the permits."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    recipient: str
    purpose: str
    table: str
    form: Form
    columns: Strings = ()  # none: all that the permits open
    dimensions: Strings = ()
    measures: Strings = ()
    format: FileFormat
    language: Language
    period: Period

    _days = model_validator(mode="before")(_with_days)


class Agreement(_Declared):
    """One sharing agreement: its parties, its dates, its clauses."""

    agreement: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    version: str = Field(pattern=r"^\d+\.\d+\.\d+$")
    status: Literal["illustrative", "in_force"]
    title: Bilingual
    legal_reference: Bilingual
    signed_on: dt.date
    valid_from: dt.date
    valid_until: dt.date  # the last day
    parties: Strings = Field(min_length=1)
    permits: tuple[Permit, ...] = ()
    restrictions: tuple[Restriction, ...] = ()
    standing: tuple[Standing, ...] = ()

    @model_validator(mode="after")
    def _name_the_clauses(self) -> Agreement:
        for permit in self.permits:
            permit._agreement = self.agreement
        for restriction in self.restrictions:
            restriction._agreement = self.agreement
        return self

    def is_in_force(self, day: dt.date) -> bool:
        """Is `day` between its first and its last day?"""
        return self.valid_from <= day <= self.valid_until
