"""The ways in which an incident report can break a rule of its table, one rule at a time.

Not here: ways that one layout alone has (its own module) and how many rows are spoiled.

A defect is offered only where the feed has the column that it needs. Where a wrong value cannot
help breaking a second rule (a position of 0, 0 also lies outside the country), both are named.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any

from pipelines.demo.delivery import Defect, Draft, Spoil, cell, duplicated_number

if TYPE_CHECKING:
    import pandas as pd

    from pipelines.demo.incidents import IncidentFeed

FAR_FUTURE_YEARS, FAR_PAST_YEARS = 30, -40  # 2056 and 1986 for 2026: slips of the pen
UNREADABLE_COUNTS = {
    "victims_total": ("INC-210", ["deux", "3-4", "1?"]),
    "victims_female": ("INC-211", ["une", "1 ou 2"]),
    "victims_male": ("INC-212", ["un", "1.5"]),
    "victims_children": ("INC-213", ["x", "~2"]),
    "killed_total": ("INC-214", ["un", "1+"]),
    "killed_low": ("INC-215", ["min 1", "?"]),
    "killed_high": ("INC-216", ["plusieurs", "3?"]),
    "injured_total": ("INC-217", ["qq", "2/3"]),
    "suspects_total": ("INC-218", ["bande", "env. 5"]),
    "arrested_total": ("INC-219", ["oui", "2 en fuite"]),
}
UNKNOWN_WORDS = {
    "admin1_code": ("INC-303", ["Zone 4", "Secteur Nord"]),
    "location_precision": ("INC-305", ["à vue de nez", "GIS-7"]),
    "occurred_at_precision": ("INC-306", ["vers le soir", "Q3"]),
    "handling": ("INC-307", ["EYES ONLY", "Bleu"]),
    "offence_code": ("INC-310", ["Code 47", "Affaire diverse 12"]),
    "incident_status": ("INC-311", ["T4", "voir dossier"]),
    "weapon_kind": ("INC-312", ["Type B", "objet no 3"]),
    "perpetrator_kind": ("INC-313", ["Cat. 9", "groupe Z"]),
}
UNREADABLE_DATES = ["32/13/2026", "hier soir", "2026-06"]


def incident_defects(feed: IncidentFeed) -> list[Defect]:
    """The defects that the feed's columns allow, those with the narrowest needs first."""
    return [
        *_of_counts(feed),
        *_of_places(feed),
        *_of_times(feed),
        *_of_words(feed),
        *_of_numbers(feed),
        *_of_identity(feed),
    ]


# --- counts --------------------------------------------------------------------------------------


def _of_counts(feed: IncidentFeed) -> list[Defect]:
    has = feed.columns.__contains__
    found = [
        Defect((code,), cell(feed.columns[column], texts))
        for column, (code, texts) in UNREADABLE_COUNTS.items()
        if has(column)
    ]
    found.append(Defect(("INC-409",), _count(feed, injured_total=-1)))
    if has("victims_male"):
        found += [
            Defect(("INC-511",), _more_women_than_victims(feed)),
            Defect(("INC-512",), _add(feed, "victims_male", -1), _at_least("victims_male", 1)),
            Defect(("INC-106",), _count(feed, victims_total=None), _at_least("victims_total", 1)),
        ]
    elif has("victims_female"):
        needs = _at_least("victims_female", 1)
        found.append(Defect(("INC-106",), _count(feed, victims_total=None), needs))
    if has("victims_children"):
        found.append(Defect(("INC-513",), _exceed(feed, "victims_children", "victims_total", 1)))
    if has("killed_low"):
        found += _of_ranges(feed)
    found += [
        Defect(("INC-519",), _nobody_killed(feed), _is_homicide),
        Defect(("INC-514",), _more_killed_than_victims(feed)),
        Defect(("INC-515",), _exceed(feed, "injured_total", "victims_total", 1), _some_victim),
        Defect(("INC-518",), _exceed(feed, "arrested_total", "suspects_total", 3)),
        Defect(("INC-410",), _a_thousand_victims(feed), share=0.002),
        Defect(("INC-411",), _count(feed, suspects_total=700, arrested_total=600), share=0.002),
    ]
    return found


def _of_ranges(feed: IncidentFeed) -> list[Defect]:
    return [
        Defect(("INC-516",), _count(feed, killed_low=3, killed_high=1, killed_total=None)),
        Defect(("INC-517",), _estimate_outside_range(feed), _at_least("killed_total", 1)),
    ]


def _at_least(column: str, number: int) -> Any:
    return lambda draft: draft.truth[column] >= number


def _some_victim(draft: Draft) -> pd.Series:
    return draft.truth["victims_total"] >= 1


def _is_homicide(draft: Draft) -> pd.Series:
    return draft.truth["offence_code"].str.startswith("0101") & (draft.truth["killed_total"] > 0)


def _put(feed: IncidentFeed, draft: Draft, rows: Any, column: str, values: Any) -> None:
    """Write a count as the feed writes counts, and expect it."""
    import pandas as pd

    numbers = pd.Series(values, index=rows, dtype="object")
    text = numbers if feed.has_numbers else numbers.map(_whole, na_action="ignore")
    draft.cells.loc[rows, feed.columns[column]] = text.where(numbers.notna(), None)
    draft.truth.loc[rows, column] = pd.to_numeric(numbers)


def _whole(number: Any) -> str:
    return str(int(number))


def _count(feed: IncidentFeed, **values: int | None) -> Spoil:
    def change(draft: Draft, rows: Any) -> None:
        for column, value in values.items():
            if column in feed.columns:
                _put(feed, draft, rows, column, value)

    return change


def _add(feed: IncidentFeed, column: str, step: int) -> Spoil:
    return lambda draft, rows: _put(
        feed, draft, rows, column, draft.truth.loc[rows, column] + step
    )


def _exceed(feed: IncidentFeed, column: str, other: str, step: int) -> Spoil:
    return lambda draft, rows: _put(feed, draft, rows, column, draft.truth.loc[rows, other] + step)


def _more_women_than_victims(feed: IncidentFeed) -> Spoil:
    def change(draft: Draft, rows: Any) -> None:
        truth = draft.truth.loc[rows]
        women = truth["victims_total"] - truth["victims_male"] + 2
        _put(feed, draft, rows, "victims_female", women)

    return change


def _more_killed_than_victims(feed: IncidentFeed) -> Spoil:
    def change(draft: Draft, rows: Any) -> None:
        killed = draft.truth.loc[rows, "victims_total"] + 2
        for column in ("killed_total", "killed_low", "killed_high"):
            if column in feed.columns:
                _put(feed, draft, rows, column, killed)

    return change


def _nobody_killed(feed: IncidentFeed) -> Spoil:
    return _count(feed, killed_total=0, killed_low=0, killed_high=0)


def _estimate_outside_range(feed: IncidentFeed) -> Spoil:
    def change(draft: Draft, rows: Any) -> None:
        killed = draft.truth.loc[rows, "killed_total"]
        _put(feed, draft, rows, "killed_low", killed + 1)
        _put(feed, draft, rows, "killed_high", killed + 3)

    return change


def _a_thousand_victims(feed: IncidentFeed) -> Spoil:
    def change(draft: Draft, rows: Any) -> None:
        _put(feed, draft, rows, "victims_total", 1200)
        if "victims_male" in feed.columns:
            _put(feed, draft, rows, "victims_male", 1200 - draft.truth.loc[rows, "victims_female"])

    return change


# --- places --------------------------------------------------------------------------------------


def _of_places(feed: IncidentFeed) -> list[Defect]:
    """Positions outside; needs a feed that sends positions."""
    import pandas as pd

    if not feed.position_cells(pd.Series([1.0]), pd.Series([20.0])):
        return []
    return [
        Defect(("INC-405",), _move(feed, 0.0, 20.0), _has_position),
        Defect(("INC-406",), _into_the_area_farthest_away(feed), _has_position),
    ]


def _has_position(draft: Draft) -> pd.Series:
    return draft.truth["latitude_deg"].notna() & ~draft.truth["is_sensitive"]


def put_position(feed: IncidentFeed, draft: Draft, rows: Any, latitude: Any, longitude: Any) -> None:
    """Write positions as the feed writes them, and expect them."""
    import pandas as pd

    north, east = pd.Series(latitude, index=rows), pd.Series(longitude, index=rows)
    for column, values in feed.position_cells(north, east).items():
        draft.cells.loc[rows, column] = values
    draft.expect(rows, latitude_deg=north, longitude_deg=east)


def _move(feed: IncidentFeed, north_deg: float, east_deg: float) -> Spoil:
    def change(draft: Draft, rows: Any) -> None:
        truth = draft.truth.loc[rows]
        north, east = truth["latitude_deg"] + north_deg, truth["longitude_deg"] + east_deg
        put_position(feed, draft, rows, north, east)

    return change


def _into_the_area_farthest_away(feed: IncidentFeed) -> Spoil:
    """The settlement of the same country that is farthest from the row's own area."""

    def change(draft: Draft, rows: Any) -> None:
        far = draft.truth.loc[rows, "admin1_code"].map(farthest_places())
        put_position(feed, draft, rows, far.str[0].astype(float), far.str[1].astype(float))

    return change


@cache
def farthest_places() -> dict[str, tuple[float, float]]:
    """For each first-level area, the demo's settlement farthest from it in its country."""
    import pandas as pd

    from pipelines.demo.world import HERE

    places = pd.read_csv(HERE / "settlements.csv")
    columns = ["country", "latitude_deg", "longitude_deg"]
    own = places.groupby("admin1_code", as_index=False)[columns].first()
    pairs = own.merge(places, on="country", suffixes=("", "_far"))
    north = pairs["latitude_deg_far"] - pairs["latitude_deg"]
    east = pairs["longitude_deg_far"] - pairs["longitude_deg"]
    pairs["distance"] = north**2 + east**2
    best = pairs.loc[pairs.groupby("admin1_code")["distance"].idxmax()]
    positions = zip(best["latitude_deg_far"], best["longitude_deg_far"], strict=True)
    return dict(zip(best["admin1_code"], positions, strict=True))


# --- times ---------------------------------------------------------------------------------------


def _of_times(feed: IncidentFeed) -> list[Defect]:
    occurred, reported = feed.time_columns("occurred"), feed.time_columns("reported")
    found = [
        Defect(("INC-103",), _blank(occurred)),
        Defect(("INC-201",), cell(occurred[0], UNREADABLE_DATES)),
        Defect(("INC-203",), cell(reported[0], UNREADABLE_DATES)),
        Defect(("INC-407",), _shift_years(feed, "occurred", FAR_PAST_YEARS), _in_an_old_area),
        Defect(("INC-501",), _shift_days(feed, "reported", -40)),
        Defect(("INC-502",), _never_reported(feed, _shift_years(feed, "occurred", FAR_FUTURE_YEARS))),
        Defect(("INC-503",), _shift_years(feed, "reported", FAR_FUTURE_YEARS)),
    ]
    if feed.country == "CAF":  # whose prefectures went from 17 to 20
        change = _shift_years(feed, "occurred", -10)
        found.append(Defect(("INC-408",), change, _in_a_new_area, share=0.004))
    if "occurred_until" in feed.stated:
        until = feed.time_columns("until")
        found += [
            Defect(("INC-202",), cell(until[0], UNREADABLE_DATES)),
            Defect(("INC-412",), _until(feed, 400), share=0.004),
            Defect(("INC-510",), _until(feed, -3)),
        ]
    return found


def _blank(columns: list[str]) -> Spoil:
    def change(draft: Draft, rows: Any) -> None:
        for column in columns:
            draft.set(rows, column, None)

    return change


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
        _blank(feed.time_columns("reported"))(draft, rows)
        if "occurred_until" in feed.stated:
            _blank(feed.time_columns("until"))(draft, rows)

    return change


# --- words, numbers, identity --------------------------------------------------------------------


def _of_words(feed: IncidentFeed) -> list[Defect]:
    found = [
        Defect((code,), cell(feed.columns[column], words))
        for column, (code, words) in UNKNOWN_WORDS.items()
        if column in feed.columns
    ]
    found.append(Defect(("INC-105",), cell(feed.columns["offence_code"], None)))
    found.append(Defect(("INC-308",), cell(feed.withdrawn_cell[0], ["?", "à voir"])))
    if "admin1_code" in feed.columns:
        found.append(Defect(("INC-104",), _no_area(feed)))
    return found


def _no_area(feed: IncidentFeed) -> Spoil:
    """Without its area a place of COD has the country's zone: the expected time moves with it."""

    def change(draft: Draft, rows: Any) -> None:
        draft.set(rows, feed.columns["admin1_code"], None)
        draft.expect(rows, admin1_code=None)
        feed.expect_country_time(draft, rows)

    return change


def _of_numbers(feed: IncidentFeed) -> list[Defect]:
    if "source_revision" not in feed.columns:
        return []
    return [Defect(("INC-207",), cell(feed.columns["source_revision"], ["v2", "finale"]))]


def _of_identity(feed: IncidentFeed) -> list[Defect]:
    found = [
        Defect(("INC-101",), _blank(list(feed.id_columns))),
        Defect(("INC-209",), _number(feed, lambda n: "X" * 120 + n)),
        Defect(("INC-601",), duplicated_number(list(feed.id_columns)), together=2),
        Defect(("INC-602",), _told_twice(feed), together=2),
    ]
    if len(feed.id_columns) == 1:
        found.append(Defect(("INC-208",), _number(feed, lambda n: "?" * (1 + int(n)))))
    return found


def _number(feed: IncidentFeed, write: Callable[[str], str]) -> Spoil:
    """Another number for each row, no two alike."""

    def change(draft: Draft, rows: Any) -> None:
        draft.set(rows, feed.id_columns[-1], [write(str(i)) for i in range(len(rows))])

    return change


def _told_twice(feed: IncidentFeed) -> Spoil:
    """The same event under two numbers: all but the number is copied."""

    def change(draft: Draft, rows: Any) -> None:
        kept = {"source_record_id", "event_id"}
        for frame, own in ((draft.cells, set(feed.id_columns)), (draft.truth, kept)):
            shared = [column for column in frame.columns if column not in own]
            frame.loc[rows[1::2], shared] = frame.loc[rows[0::2], shared].to_numpy()

    return change
