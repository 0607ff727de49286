"""The extracts that agreements ask to be made again and again, and the period that each is about.

Not here: when they are made (`assets`), and making one (`extract.py`).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipelines.release.request import Request
from schemas.agreement import TIME_DIMENSIONS, Agreement, Permit, Standing
from schemas.agreement_folder import load_agreements
from schemas.organisation import covers, lineage, organisations

if TYPE_CHECKING:
    from pipelines.core.settings import Settings
    from pipelines.release.extract import Extract

DAYS_OF_A_WEEK = 7
HEADQUARTERS = "headquarters"  # recipients that belong to no mission
Days = tuple[dt.date | None, dt.date | None]


@dataclass(frozen=True)
class StandingExtract:
    """One of them, with the agreement that asks for it and the mission that it goes to."""

    agreement: str
    version: str
    declared: Standing
    mission: str

    @property
    def name(self) -> str:
        """Its name, which no other has."""
        return self.declared.name


def standing_extracts(agreements: Sequence[Agreement]) -> list[StandingExtract]:
    """All of them, by name; of two with one name the first agreement's."""
    found: dict[str, StandingExtract] = {}
    for agreement in agreements:
        for one in agreement.standing:
            mission = mission_of(one.recipient)
            made = StandingExtract(agreement.agreement, agreement.version, one, mission)
            found.setdefault(one.name, made)
    return [found[name] for name in sorted(found)]


def mission_of(recipient: str) -> str:
    """The mission of an organisation or of one above it, as a short name; else headquarters."""
    listed = organisations()
    missions = (listed[one].mission for one in lineage(recipient))
    return next(filter(None, missions), HEADQUARTERS).lower()


def request_for(
    standing: Standing, as_of: dt.date, delay_days: int = 0, *, is_grouped: bool = False
) -> Request:
    """What is asked for on a day; `delay_days` is the longest of the clauses that it leaves by.

    Counts are of whole months (or what they are broken down by): a month that grows from one week
    to the next would tell the few records by which it grew. Where records must be alike they leave
    by whole months (`is_grouped`), so a shorter period begins with the last month that is over.
    """
    day = as_of
    if standing.form == "counts":
        limit = as_of - dt.timedelta(days=delay_days + 1)
        day = last_closed_day(standing.dimensions, limit) + dt.timedelta(days=1)
    since, until = PERIODS[standing.period](day)
    if is_grouped and since is not None:
        limit = as_of - dt.timedelta(days=delay_days + DAYS_OF_A_WEEK)
        month = last_closed_day(("month",), limit).replace(day=1)
        # from the Monday: a week that began before the month is told as a whole
        since = min(since, month - dt.timedelta(days=month.weekday()))
    if standing.form == "counts" and until is None:
        until = day - dt.timedelta(days=1)
    return Request(
        table=standing.table,
        recipient=standing.recipient,
        purpose=standing.purpose,
        as_of=as_of,
        form=standing.form,
        columns=standing.columns,
        dimensions=standing.dimensions,
        measures=standing.measures or ("records",),
        since=since,
        until=until,
        format=standing.format,
        language=standing.language,
    )


def make_standing(settings: Settings, name: str, as_of: dt.date, *, made_by: str) -> Extract | None:
    """Make one by its name; None where no agreement asks for it. Raises as `make_extract`."""
    from pipelines.release.extract import make_extract

    agreements = load_agreements(settings.agreements)
    declared = {one.name: one for one in standing_extracts(agreements)}
    if name not in declared:
        return None
    standing = declared[name].declared
    permits = _permits(agreements, standing)
    delay_days = max((permit.delay_days for permit in permits), default=0)
    is_grouped = any(permit.is_grouped for permit in permits)
    request = request_for(standing, as_of, delay_days, is_grouped=is_grouped)
    return make_extract(settings, request, made_by=made_by)


def last_closed_day(dimensions: Sequence[str], limit: dt.date) -> dt.date:
    """The end of the last whole period, not after `limit`, of the finest among the dimensions."""
    finest = [one for one in TIME_DIMENSIONS if one in dimensions][-1:] or ["month"]
    if finest == ["day"]:
        return limit
    if finest == ["week"]:
        return limit - dt.timedelta(days=(limit.weekday() + 1) % 7)
    months = {"month": 1, "quarter": 3, "year": 12}[finest[0]]
    after = limit + dt.timedelta(days=1)
    first_month = (after.month - 1) // months * months + 1
    return dt.date(after.year, first_month, 1) - dt.timedelta(days=1)


def _permits(agreements: Sequence[Agreement], standing: Standing) -> list[Permit]:
    """The clauses by which it may leave."""
    return [
        permit
        for agreement in agreements
        for permit in agreement.permits
        if (permit.table, permit.form) == (standing.table, standing.form)
        and standing.purpose in permit.purposes
        and any(covers(one, standing.recipient) for one in permit.recipients)
    ]


def _last_days(count: int) -> Callable[[dt.date], Days]:
    """Whole days: the one on which it is made is not over yet."""
    return lambda as_of: (as_of - dt.timedelta(days=count), as_of - dt.timedelta(days=1))


def _last_month(as_of: dt.date) -> Days:
    until = as_of.replace(day=1) - dt.timedelta(days=1)
    return until.replace(day=1), until


PERIODS: dict[str, Callable[[dt.date], Days]] = {
    "last_7_days": _last_days(7),
    "last_28_days": _last_days(28),
    "last_month": _last_month,
    "all": lambda _as_of: (None, None),
}
