"""The ways in which a count can break a rule of its table, one rule at a time.

Not here: what every border table has in common (`border_defects.py`).

A total of a large point is made to disagree through one of its parts; every other mistake is made
in the points that send one row a day, so that it changes no other row's sum.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pipelines.demo.border_defects import (
    UNKNOWN_WORDS,
    UNREADABLE_DATES,
    UNREADABLE_NUMBERS,
    areas_with_a_beginning,
    both,
    change,
    common_defects,
    is_,
    put,
    told_twice,
    unreadable,
)
from pipelines.demo.delivery import Defect, Draft, Spoil, cell, duplicated_number, set_days
from pipelines.demo.world import to_utc
from schemas.codelist import load_codelist

SHARE_ALONE = 0.3  # of a delivery's rows, about: shares of defects are of all rows
UNREADABLE = {"period_start": "210", "period_end": "211"}
UNREADABLE_COUNTS = {"travellers_count": "212", "observed_h": "213", "observed_days": "214"}
UNKNOWN_CODES = {
    "border_point_code": "310",
    "direction": "311",
    "crossing_mode": "312",
    "sex": "313",
    "age_group": "314",
    "nationality": "315",
    "origin_country": "316",
    "destination_country": "317",
    "travel_reason": "318",
}
TARGETS = {"periodStart": "period_start", "periodEnd": "period_end"}


def flow_defects(feed: Any) -> list[Defect]:
    """Sums that disagree, in the large points; everything else in the small ones."""
    return [*_of_sums(feed), *(_alone(defect) for defect in _of_rows(feed))]


def _alone(defect: Defect) -> Defect:
    def is_alone(draft: Draft) -> Any:
        return draft.context["is_alone"]

    needs = both(is_alone, defect.needs) if defect.needs else is_alone
    return Defect(defect.codes, defect.spoil, needs, defect.together, defect.share * SHARE_ALONE)


def _of_sums(feed: Any) -> list[Defect]:
    def is_total(draft: Draft) -> Any:
        context = draft.context
        assert context is not None  # noqa: S101  (a border draft always has one)
        return ~context["is_alone"] & (context["part"] == 4)

    share = 0.004
    return [
        Defect(("BFL-602",), _add_to(feed, -4, 3), is_total, share=share),
        Defect(("BFL-603",), _add_to(feed, -2, 3), is_total, share=share),
        Defect(("BFL-604",), _add_to(feed, -4, -2), is_total, share=share),
    ]


def _add_to(feed: Any, offset: int, step: int) -> Spoil:
    """Change the count of the row `offset` rows from each total: the total then disagrees."""

    def apply(draft: Draft, rows: Any) -> None:
        others = rows + offset
        counts = draft.truth.loc[others, "travellers_count"].astype(int) + step
        draft.cells.loc[others, feed.columns["travellers_count"]] = counts.astype(str)
        draft.truth.loc[others, "travellers_count"] = counts

    return apply


def _of_rows(feed: Any) -> list[Defect]:
    leaving = is_("direction", "exit")
    skipped = {
        ("BFL-407",),
        ("BFL-502",),
        ("BFL-416",),
    }  # the period must move with the date: see _of_dates
    common = [d for d in common_defects(feed, "BFL") if d.codes not in skipped]
    elsewhere = change(
        put(feed, country="UGA", admin1_code=None), cell("latitude", None), cell("longitude", None)
    )
    ugandan = is_("border_point_code", "SSD-UGA-NIMULE", "SSD-UGA-KAYA", "SSD-UGA-PURE")
    missing = {"border_point_code": "104", "direction": "105", "travellers_count": "106"}
    missing |= {"period_start": "107", "period_end": "108", "observed_h": "109"}
    foreign = cell(feed.columns["border_point_code"], "COD-ZMB-KIPUSHI")
    return [
        Defect(("BFL-401",), _in_uganda(elsewhere), ugandan, share=0.004),
        Defect(("BFL-508",), put(feed, travel_reason="asylum"), leaving),
        Defect(("BFL-509",), put(feed, origin_country="TCD", destination_country="TCD")),
        Defect(("BFL-507",), foreign, is_("country", "SSD", "CAF")),
        *(Defect((f"BFL-{code}",), put(feed, **{c: None})) for c, code in missing.items()),
        *unreadable(feed, "BFL", UNREADABLE, UNREADABLE_DATES),
        *unreadable(feed, "BFL", UNREADABLE_COUNTS, UNREADABLE_NUMBERS),
        *unreadable(feed, "BFL", UNKNOWN_CODES, UNKNOWN_WORDS),
        *_of_values(feed),
        *_of_dates(feed),
        *common,
        Defect(("BFL-601",), duplicated_number(["id"]), together=2),
        Defect(("BFL-605",), told_twice(feed, "id"), together=2),
    ]


def _in_uganda(spoil: Spoil) -> Spoil:
    """A count that the neighbour made: its own area, and its own clock."""

    def apply(draft: Draft, rows: Any) -> None:
        import pandas as pd

        from pipelines.demo.world import to_utc

        spoil(draft, rows)
        local = draft.context.loc[rows, "occurred_local"]
        zones = {row["code"]: row["time_zone"] for row in load_codelist("countries")}
        draft.expect(rows, latitude_deg=None, longitude_deg=None, admin1_code="UG3")
        draft.expect(rows, occurred_at=to_utc(local, pd.Series(zones["UGA"], index=rows)))

    return apply


def _of_values(feed: Any) -> list[Defect]:
    return [
        Defect(("BFL-409",), put(feed, travellers_count=-5)),
        Defect(("BFL-410",), put(feed, travellers_count=60000), share=0.002),
        Defect(("BFL-411",), put(feed, observed_h=-2)),
        Defect(("BFL-412", "BFL-514"), put(feed, observed_h=30)),
        Defect(("BFL-413",), put(feed, observed_days=-1)),
        Defect(("BFL-414",), put(feed, observed_days=3)),
        Defect(("BFL-512",), put(feed, observed_h=0)),
        Defect(("BFL-513",), put(feed, observed_days=0)),
    ]


def _of_dates(feed: Any) -> list[Defect]:
    import pandas as pd

    def in_year(year: int) -> Callable[[Any], Any]:
        return lambda day: day + pd.DateOffset(years=year - 2026)

    def shift(days: int) -> Callable[[Any], Any]:
        return lambda day: day + pd.Timedelta(days=days)

    def at_the_end_of_the_year(day: Any) -> Any:
        return day + (pd.Timestamp("2026-12-31") - day)

    every = ("reportingDate", "periodStart", "periodEnd")
    long_ago, someday = in_year(1986), in_year(2055)
    never = change(cell("publishedAt", None), put(feed, reported_at=None))
    year_2024, year_2019 = in_year(2024), in_year(2019)
    four_days = _days(feed, {"periodEnd": shift(3)})
    return [
        Defect(
            ("BFL-408", "BFL-416"),
            _days(feed, dict.fromkeys(every, year_2019)),
            _in_a_new_area,
            share=0.004,
        ),
        Defect(("BFL-416",), _days(feed, dict.fromkeys(every, in_year(2021)))),
        Defect(("BFL-407",), _days(feed, dict.fromkeys(every, long_ago)), _in_an_old_area),
        Defect(("BFL-502", "BFL-511"), change(_days(feed, dict.fromkeys(every, someday)), never)),
        Defect(("BFL-415",), _days(feed, {"reportingDate": year_2024, "periodStart": year_2024})),
        Defect(("BFL-510",), _days(feed, {"periodEnd": shift(-3)})),
        Defect(("BFL-511",), _days(feed, {"periodEnd": at_the_end_of_the_year})),
        Defect(("BFL-514",), change(four_days, put(feed, observed_h=30))),
        Defect(("BFL-515",), _days(feed, {"reportingDate": shift(-5)})),
    ]


def _in_a_new_area(draft: Draft) -> Any:
    return draft.truth["admin1_code"] == "CF33"  # a prefecture since 2021


def _in_an_old_area(draft: Draft) -> Any:
    return ~draft.truth["admin1_code"].isin(areas_with_a_beginning())


def _days(feed: Any, moves: dict[str, Callable[[Any], Any]]) -> Spoil:
    """Write days made from the rows' own day in some fields, and expect them."""

    def apply(draft: Draft, rows: Any) -> None:
        import pandas as pd

        context = draft.context.loc[rows]
        for column, move in moves.items():
            day = pd.Series(move(context["occurred_local"]), index=rows).astype("datetime64[us]")
            draft.cells.loc[rows, column] = day.dt.strftime(feed.day_format)
            if target := TARGETS.get(column):
                draft.truth.loc[rows, target] = day
            else:
                draft.truth.loc[rows, "occurred_at"] = to_utc(day, context["time_zone"])
                set_days(draft.truth, rows, {"occurred": day})

    return apply
