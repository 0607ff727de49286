"""Counts beside what was told before: do they leave, and if not, what stands in the way.

Not here: the comparison itself (`differencing.py`), the coarser forms (`coarser.py`), and consents
(`consents.py`).

Of a refusal it is said which earlier counts stand in the way, in what they differ from these, and
which coarser forms would pass; never a number, a cell or a code of the data. That a form passes is
what its asker would be told by asking for it, so the list tells nothing that questions one by one
do not.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa

from pipelines.core.settings import Settings
from pipelines.release.disclosure.coarser import coarser_forms
from pipelines.release.disclosure.consents import Consent, Need, covering
from pipelines.release.disclosure.differencing import (
    TooManySumsError,
    compared,
    telling_extracts,
    tells_more,
)
from pipelines.release.disclosure.members import Who, is_same
from pipelines.release.disclosure.past_disclosures import (
    RECORD,
    PastDisclosure,
    asked_for,
    disclosures_by_recipient,
    is_known_to,
)
from pipelines.release.errors import ReleaseError
from pipelines.release.request import Request
from schemas.agreement_folder import load_agreements

MOST_TRIED, MOST_OFFERED, TRIED_S = 24, 4, 5.0
PERIOD, PURPOSE, RECORDS = "period", "purpose", "records"
CHOICES = ("areas", "offences", "measures", PURPOSE)
# The private record of a form of the request; raises ReleaseError where no clause opens it.
Counting = Callable[[Request], pa.Table]


@dataclass(frozen=True)
class Obstacle:
    """Earlier counts, or records, that stand in the way.

    `differs`: the dimensions that only one of the two is counted by, and `period`, `areas`,
    `offences`, `measures` or `purpose` where the choice is another; `records` alone where it is
    the same question and what changed since are the records.
    """

    told: PastDisclosure
    differs: tuple[str, ...]


@dataclass(frozen=True)
class Conflict:
    """Why counts were refused beside earlier ones, in what may be said of it."""

    request: Request
    obstacles: tuple[Obstacle, ...]
    coarser: tuple[Request, ...]
    need: Need

    def known_to(self, organisation: str) -> tuple[Obstacle, ...]:
        """The obstacles that an organisation may be told of: its own and the public's."""
        return tuple(one for one in self.obstacles if is_known_to(one.told, organisation))


def require_untold(
    settings: Settings,
    request: Request,
    cells: pa.Table,
    providers: Sequence[str],
    counting: Counting,
) -> tuple[Consent, ...]:
    """The consents by which counts leave; empty where they tell too little to need any.

    `request.dimensions` are those that are counted by, `cells` is the private record, `providers`
    are the sources of its clauses. Raises ReleaseError REL-108 where they would tell a hidden
    number beside what was told before, 118 where that is too much to check, both with a `conflict`.
    """
    known = disclosures_by_recipient(settings, request)
    found = [_telling(cells, circle) for circle in known]
    names = tuple(dict.fromkeys(name for one in found for name in one.names))
    if not names:
        return ()
    told = {name: one for circle in known for name, one in circle.items() if name in names}
    need = _need(settings, request, providers, told.values())
    if given := covering(settings, need):
        return given
    if all(one.is_told_again for one in found if one.names):
        return ()
    obstacles = tuple(Obstacle(told[name], _differs(request, told[name])) for name in names)
    refused = ReleaseError("REL-118" if any(one.is_too_much for one in found) else "REL-108")
    coarser = tuple(_passing(request, known, counting))
    refused.conflict = Conflict(request, obstacles, coarser, need)
    raise refused


@dataclass(frozen=True)
class _Found:
    """The earlier counts of a circle that tell too much with new ones, or are too many to check.

    `is_told_again`: the circle was told the very same before, which tells it nothing.
    """

    names: tuple[str, ...]
    is_told_again: bool
    is_too_much: bool = False


def _telling(cells: pa.Table, circle: Mapping[str, PastDisclosure]) -> _Found:
    known, released = _counts(circle), _released(circle)
    others = {name: one for name, one in known.items() if not is_same(one, cells)}
    is_told_again = len(others) < len(known)
    try:
        return _Found(telling_extracts(cells, others, released), is_told_again)
    except TooManySumsError:
        return _Found(compared(cells, others, released), is_told_again, is_too_much=True)


def _counts(circle: Mapping[str, PastDisclosure]) -> dict[str, pa.Table]:
    return {name: told.kept for name, told in circle.items() if told.form == "counts"}


def _released(circle: Mapping[str, PastDisclosure]) -> dict[str, Who]:
    return {
        name: told.kept[RECORD].to_numpy()
        for name, told in circle.items()
        if told.form == "records"
    }


def _passing(
    request: Request, known: Sequence[Mapping[str, PastDisclosure]], counting: Counting
) -> Iterator[Request]:
    """The first coarser forms that would leave, as many as can be tried in a few seconds."""
    import duckdb

    until, found = time.monotonic() + TRIED_S, 0
    for tried, form in enumerate(coarser_forms(request)):
        if tried >= MOST_TRIED or found >= MOST_OFFERED or time.monotonic() > until:
            return
        try:
            cells = counting(form)
            is_something = any(cells["is_published"].to_pylist())
            told = (tells_more(cells, _counts(one), _released(one)) for one in known)
            if is_something and not any(told):
                found += 1
                yield form
        except (ReleaseError, TooManySumsError):
            continue
        except (duckdb.InterruptException, duckdb.OutOfMemoryException):
            return  # whoever watches the time has stopped us


def _differs(request: Request, told: PastDisclosure) -> tuple[str, ...]:
    asked, before = asked_for(request), told.asked
    if not before or told.form == "records":
        return ()
    found = [one for one in before["dimensions"] if one not in asked["dimensions"]]
    found += [one for one in request.dimensions if one not in before["dimensions"]]
    if (asked["since"], asked["until"]) != (before["since"], before["until"]):
        found.append(PERIOD)
    found += [n for n in CHOICES if asked[n] != before[n]]
    return tuple(found) or (RECORDS,)


def _need(
    settings: Settings, request: Request, providers: Sequence[str], told: Iterable[PastDisclosure]
) -> Need:
    """Whose consent it would take: of all whose data these or the earlier counts may hold."""
    sources, names = set(providers), []
    for one in told:
        names.append(one.name)
        # a record of before this was written down may hold anything that may leave of the table
        sources |= set(one.asked.get("providers") or _all_providers(settings, request.table))
    return Need(
        recipient=request.recipient,
        asked=asked_for(request),
        earlier=tuple(sorted(names)),
        sources=tuple(sorted(sources)),
    )


def _all_providers(settings: Settings, table: str) -> set[str]:
    return {
        provider
        for one in load_agreements(settings.agreements)
        for permit in one.permits
        if permit.table == table
        for provider in permit.providers
    }
