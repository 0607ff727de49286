"""Figures over many deliveries: how each feed does, which rules are raised, week by week.

Codes and counts alone; no value of a cell.

Silence is not zero: a week in which nothing came has no figure, and a feed that never sent anything
is not late but unheard of.
"""

from __future__ import annotations

import datetime as dt
import json
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

import duckdb
from upath import UPath

from pipelines.core.settings import Settings
from pipelines.portal.services.cache import while_nothing_changes
from pipelines.portal.services.deliveries import DeliveryFilter, known, state_of
from pipelines.portal.services.scope import Scope
from pipelines.validate.lateness import LOST_AFTER
from pipelines.validate.verdict import FILE_NAME as VERDICT
from schemas.feed import load_feed

Rhythm = Literal["on_time", "late", "silent", "never"]
RECENT = 5  # deliveries that tell how a feed does now; as many before tell how it did
WEEK = dt.timedelta(weeks=1)


@dataclass(frozen=True)
class Health:
    """How one feed does; shares are of rows, None where no row was judged.

    `age_days` counts from the last delivery that was accepted, None where none was.
    """

    feed: str
    deliveries: int
    refused: int
    waiting: int
    last_received_at: dt.datetime | None
    age_days: int | None
    expected_every_days: int
    rhythm: Rhythm
    share_now: float | None
    share_before: float | None

    @property
    def days_late(self) -> int:
        """Whole days beyond the declared rhythm."""
        return max(0, (self.age_days or 0) - self.expected_every_days)

    @property
    def points(self) -> int | None:
        """By how many percentage points the accepted share moved; None without both."""
        if self.share_now is None or self.share_before is None:
            return None
        return round(100 * self.share_now) - round(100 * self.share_before)


@dataclass(frozen=True)
class Week:
    """What came in one week, from its Monday; counts are None where nothing did."""

    week: dt.date
    deliveries: int
    rows_accepted: int | None = None
    rows_quarantined: int | None = None

    @property
    def share(self) -> float | None:
        """The accepted share of the rows; None where no row was judged."""
        rows = (self.rows_accepted or 0) + (self.rows_quarantined or 0)
        return (self.rows_accepted or 0) / rows if rows else None


@dataclass(frozen=True)
class RuleFrequency:
    """A rule, and how often it was raised: in rows, in files."""

    code: str
    severity: str
    feed: str
    rows: int
    deliveries: int


def health(settings: Settings, scope: Scope, now: dt.datetime | None = None) -> list[Health]:
    """How each feed of a scope does at `now` (UTC), in the order of their names."""
    moment = (now or dt.datetime.now(dt.UTC)).replace(tzinfo=None, second=0, microsecond=0)
    return list(_health_at(settings, scope, moment))


@while_nothing_changes(state_of)
def _health_at(settings: Settings, scope: Scope, moment: dt.datetime) -> tuple[Health, ...]:
    with known(settings, DeliveryFilter(scope)) as connection:
        rows = connection.execute(
            f"""
            WITH placed AS (
                SELECT *, row_number() OVER (
                    PARTITION BY feed, state ORDER BY received_at DESC, delivery_id) AS place
                FROM known)
            SELECT feed, count(*), count(*) FILTER (state = 'refused'),
                count(*) FILTER (state = 'waiting'), max(received_at),
                max(received_at) FILTER (state IN ('accepted', 'held')),
                {_share_between(1, RECENT)}, {_share_between(RECENT + 1, 2 * RECENT)}
            FROM placed GROUP BY feed
            """
        ).fetchall()
    found = {row[0]: row[1:] for row in rows}
    nothing = (0, 0, 0, None, None, None, None)
    return tuple(_health(feed, found.get(feed, nothing), moment) for feed in scope.feeds)


@while_nothing_changes(state_of)
def weekly(settings: Settings, asked: DeliveryFilter) -> list[Week]:
    """Each week from the first delivery to the last, those in which nothing came among them."""
    with known(settings, asked) as connection:
        rows = connection.execute(
            """
            WITH counted AS (
                SELECT date_trunc('week', received_at)::DATE AS week, count(*) AS deliveries,
                    sum(rows_accepted)::BIGINT AS accepted, sum(rows_quarantined)::BIGINT AS aside
                FROM known GROUP BY week)
            SELECT weeks.week, coalesce(deliveries, 0), accepted, aside
            FROM (SELECT unnest(generate_series(min(week), max(week), INTERVAL 7 DAY))::DATE AS week
                  FROM counted) AS weeks LEFT JOIN counted USING (week) ORDER BY weeks.week
            """
        ).fetchall()
    return [Week(*row) for row in rows]


@while_nothing_changes(state_of)
def rule_frequencies(
    settings: Settings, asked: DeliveryFilter, *, by_feed: bool = False
) -> list[RuleFrequency]:
    """How often each rule was raised, the most frequent first; warnings are among them.

    What sets a row aside, or refuses a file, is in the catalogue; a warning is counted in the
    verdict alone, since its row was accepted.
    """
    with known(settings, asked) as connection:
        errors = []
        with suppress(duckdb.CatalogException):
            errors = connection.execute(
                f"""
                SELECT rule_code, severity, {"r.feed" if by_feed else "''"} AS feed,
                    count(source_row), count(DISTINCT r.delivery_id)
                FROM rejections AS r SEMI JOIN (SELECT delivery_id FROM known)
                USING (delivery_id) GROUP BY ALL
                """
            ).fetchall()
        judged = connection.execute(
            "SELECT feed, sha256 FROM known WHERE state IN ('accepted', 'held')"
        ).fetchall()
    every = [RuleFrequency(*row) for row in errors] + _warnings(settings, judged, by_feed=by_feed)
    return sorted(every, key=lambda one: (-one.rows, -one.deliveries, one.code, one.feed))


@while_nothing_changes(state_of)
def weekly_by_rule(
    settings: Settings, asked: DeliveryFilter, codes: Sequence[str]
) -> list[tuple[dt.date, str, int | None]]:
    """For each week and rule, the rows set aside; None where nothing came that week."""
    weeks = weekly(settings, asked)
    counts: dict[tuple[dt.date, str], int] = {}
    with known(settings, asked) as connection, suppress(duckdb.CatalogException):
        rows = connection.execute(
            """
            SELECT date_trunc('week', received_at)::DATE, rule_code, count(*)
            FROM rejections JOIN (SELECT delivery_id, received_at FROM known)
            USING (delivery_id) WHERE list_contains(?, rule_code) GROUP BY ALL
            """,
            [list(codes)],
        ).fetchall()
        counts = {(week, code): count for week, code, count in rows}
    return [
        (one.week, code, counts.get((one.week, code), 0) if one.deliveries else None)
        for code in codes
        for one in weeks
    ]


@while_nothing_changes(state_of)
def encodings(settings: Settings, asked: DeliveryFilter) -> list[tuple[str, int]]:
    """The encodings in which files were read, and how many; the most frequent first."""
    with known(settings, asked) as connection:
        return connection.execute(
            "SELECT encoding, count(*) FROM known WHERE coalesce(encoding, '') <> '' "
            "GROUP BY encoding ORDER BY count(*) DESC, encoding"
        ).fetchall()


def _share_between(first: int, last: int) -> str:
    """The accepted share of the deliveries at these places, the latest being the first."""
    which = f"FILTER (state IN ('accepted', 'held') AND place BETWEEN {first} AND {last})"
    accepted, aside = f"sum(rows_accepted) {which}", f"sum(rows_quarantined) {which}"
    return f"({accepted} / nullif({accepted} + {aside}, 0))::DOUBLE"


def _health(feed: str, row: Sequence[Any], now: dt.datetime) -> Health:
    deliveries, refused, waiting, last, last_accepted, share_now, share_before = row
    expected = load_feed(feed).expected_every_days
    # As in `validate/lateness.py`: a file that was refused ends no lateness.
    age = None if last_accepted is None else max(0, (now - last_accepted).days)
    return Health(
        feed=feed,
        deliveries=deliveries,
        refused=refused,
        waiting=waiting,
        last_received_at=last,
        age_days=age,
        expected_every_days=expected,
        rhythm=_rhythm(age, expected),
        share_now=share_now,
        share_before=share_before,
    )


def _rhythm(age_days: int | None, expected: int) -> Rhythm:
    if age_days is None:
        return "never"
    if age_days <= expected:
        return "on_time"
    return "late" if age_days <= LOST_AFTER * expected else "silent"


def _warnings(
    settings: Settings, judged: Sequence[tuple[str, str]], *, by_feed: bool
) -> list[RuleFrequency]:
    rows: Counter[tuple[str, str]] = Counter()
    files: Counter[tuple[str, str]] = Counter()
    for feed, sha256 in judged:
        for code, count in _warning_counts(settings.landing / feed / sha256):
            rows[code, feed if by_feed else ""] += count
            files[code, feed if by_feed else ""] += 1
    return [
        RuleFrequency(code, "warning", feed, count, files[code, feed])
        for (code, feed), count in rows.items()
    ]


@lru_cache(maxsize=50_000)
def _warning_counts(folder: UPath) -> tuple[tuple[str, int], ...]:
    """The warnings of an accepted delivery, whose verdict never changes."""
    try:
        said = json.loads((folder / VERDICT).read_bytes())
    except (OSError, ValueError):
        return ()
    return tuple(said.get("warning_counts", {}).items())
