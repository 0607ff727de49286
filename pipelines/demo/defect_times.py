"""Ways in which the times of an incident report can be wrong.

Not here: what else can be wrong (`defects.py`, `defect_places.py`).
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from pipelines.demo.delivery import Defect, Draft, Spoil, blank, cell, set_days

if TYPE_CHECKING:
    import pandas as pd

    from pipelines.demo.incidents import IncidentFeed

FAR_FUTURE_YEARS, FAR_PAST_YEARS = 30, -40  # 2056 and 1986 for 2026: slips of the pen
UNREADABLE_DATES = {
    "fr": ["32/13/2026", "hier soir", "2026-06"],
    "en": ["32/13/2026", "last night", "2026-06"],
}


def time_defects(feed: IncidentFeed) -> list[Defect]:
    occurred, reported = feed.time_columns("occurred"), feed.time_columns("reported")
    found = [
        Defect(("INC-103",), blank(occurred)),
        Defect(("INC-201",), cell(occurred[0], UNREADABLE_DATES[feed.language])),
        Defect(("INC-203",), cell(reported[0], UNREADABLE_DATES[feed.language])),
        Defect(("INC-407",), _shift_years(feed, "occurred", FAR_PAST_YEARS), _in_an_old_area),
        Defect(("INC-501",), _shift_days(feed, "reported", -40)),
        Defect(
            ("INC-502",), _never_reported(feed, _shift_years(feed, "occurred", FAR_FUTURE_YEARS))
        ),
        Defect(("INC-503",), _shift_years(feed, "reported", FAR_FUTURE_YEARS)),
    ]
    if feed.country == "CAF":  # whose prefectures went from 17 to 20
        change = _shift_years(feed, "occurred", -10)
        found.append(Defect(("INC-408", "INC-413"), change, _in_a_new_area, share=0.004))
    if not feed.declared.starts:
        found.append(Defect(("INC-413",), _shift_years(feed, "occurred", -5), _has_no_end))
    if "occurred_until" in feed.stated:
        until = feed.time_columns("until")
        found += [
            Defect(("INC-202",), cell(until[0], UNREADABLE_DATES[feed.language])),
            Defect(("INC-412",), _until(feed, 400), share=0.004),
            Defect(("INC-510",), _until(feed, -3)),
        ]
    return found


@cache
def _areas_with_a_beginning() -> frozenset[str]:
    from schemas.codelist import load_codelist

    return frozenset(row["code"] for row in load_codelist("admin_areas") if row["valid_from"])


def _in_an_old_area(draft: Draft) -> pd.Series:
    is_young = draft.truth["admin1_code"].isin(_areas_with_a_beginning())
    return ~is_young & _has_no_end(draft)


def _in_a_new_area(draft: Draft) -> pd.Series:
    return draft.truth["admin1_code"].isin(_areas_with_a_beginning()) & _has_no_end(draft)


def _has_no_end(draft: Draft) -> pd.Series:
    """Rows without an end, which would be years away once the beginning is moved."""
    import pandas as pd

    if "occurred_until" in draft.truth:
        return draft.truth["occurred_until"].isna()
    return pd.Series(True, index=draft.truth.index)


def put_time(feed: IncidentFeed, draft: Draft, rows: Any, what: str, local: Any) -> None:
    """Write local times as the feed writes them, and expect their UTC."""
    import pandas as pd

    from pipelines.demo.world import to_utc

    times = pd.Series(local, index=rows, dtype="datetime64[us]")
    is_timed = draft.context.loc[rows, "is_timed"].to_numpy()
    for column, values in feed.time_cells(what, times, is_timed).items():
        draft.cells.loc[rows, column] = values
    target = "occurred_until" if what == "until" else f"{what}_at"
    draft.truth.loc[rows, target] = to_utc(times, draft.context.loc[rows, "time_zone"])
    set_days(draft.truth, rows, {what: times})


def _shift_years(feed: IncidentFeed, what: str, years: int) -> Spoil:
    import pandas as pd

    def change(draft: Draft, rows: Any) -> None:
        local = draft.context.loc[rows, f"{what}_local"] + pd.DateOffset(years=years)
        put_time(feed, draft, rows, what, local)

    return change


def _shift_days(feed: IncidentFeed, what: str, days: int) -> Spoil:
    import pandas as pd

    def change(draft: Draft, rows: Any) -> None:
        days_told = draft.context.loc[rows, "occurred_local"].dt.normalize()
        local = days_told + pd.Timedelta(days=days)
        put_time(feed, draft, rows, what, local)

    return change


def _until(feed: IncidentFeed, days: int) -> Spoil:
    return _shift_days(feed, "until", days)


def _never_reported(feed: IncidentFeed, other: Spoil) -> Spoil:
    """An event far in the future is also after its report and its end: leave those empty."""

    def change(draft: Draft, rows: Any) -> None:
        other(draft, rows)
        blank(feed.time_columns("reported"))(draft, rows)
        if "occurred_until" in feed.stated:
            blank(feed.time_columns("until"))(draft, rows)

    return change
