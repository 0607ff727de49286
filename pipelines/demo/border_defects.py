"""The ways in which a border record can break a rule, one rule at a time, for any border feed.

Not here: ways of one table alone (`border_crossing_defects.py` and the feed modules), how many.

Every defect names all the codes that it must raise: thirty hours observed in one day contradict
the period and the number of days, and no sender can make one mistake without the other.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from pipelines.demo import defect_places
from pipelines.demo.delivery import Defect, Draft, Spoil, cell, set_days

if TYPE_CHECKING:
    import pandas as pd

UNREADABLE_DATES = ["31/02/2026", "2026-13-40", "demain"]
UNREADABLE_NUMBERS = ["trois", "12?", "env. 4"]
OLD_PROVINCES = {"CD71": ("CD70", "Katanga"), "CD53": ("CD50", "Province Orientale")}
UNKNOWN_WORDS = ["QQ-77", "Zone blanche", "§ 12"]

Needs = Callable[[Draft], Any]


def is_(column: str, *values: Any) -> Needs:
    """Rows whose truth has one of `values` in `column`."""
    return lambda draft: draft.truth[column].isin(values)


def has(column: str) -> Needs:
    """Rows whose truth has a value in `column`."""
    return lambda draft: draft.truth[column].notna()


def both(*needs: Needs) -> Needs:
    """Rows that fit all of `needs`."""

    def fit(draft: Draft) -> Any:
        answer = needs[0](draft)
        for need in needs[1:]:
            answer = answer & need(draft)
        return answer

    return fit


def change(*spoils: Spoil) -> Spoil:
    """Several changes of the same rows, one after the other."""

    def apply(draft: Draft, rows: Any) -> None:
        for one in spoils:
            one(draft, rows)

    return apply


def put(feed: Any, **values: Any) -> Spoil:
    """Write a code (in the feed's words) or a value, and expect it; None empties the cell."""

    def apply(draft: Draft, rows: Any) -> None:
        for column, value in values.items():
            if column in feed.columns:
                text = feed.word(column, value)
                draft.set(rows, feed.columns[column], None if text is None else str(text))
            if column in draft.truth:
                draft.expect(rows, **{column: value})

    return apply


def put_position(feed: Any, latitude_deg: Any, longitude_deg: Any) -> Spoil:
    """Write a position as the feed writes positions, and expect it."""

    def apply(draft: Draft, rows: Any) -> None:
        defect_places.put_position(feed, draft, rows, latitude_deg, longitude_deg)

    return apply


def put_time(feed: Any, what: str, moment: Callable[[pd.Series], Any]) -> Spoil:
    """Write a time made from the rows' local time of crossing, and expect its UTC.

    `moment` takes the local times of crossing; a fixed text stands for one moment for all rows.
    """

    def apply(draft: Draft, rows: Any) -> None:
        import pandas as pd

        from pipelines.demo.world import to_utc

        context = draft.context.loc[rows]
        local = pd.Series(moment(context["occurred_local"]), index=rows).astype("datetime64[us]")
        for column, texts in feed.time_cells(what, local, context).items():
            draft.cells.loc[rows, column] = texts
        draft.truth.loc[rows, f"{what}_at"] = to_utc(local, context["time_zone"])
        set_days(draft.truth, rows, {what: local})

    return apply


def blank(*columns: str) -> Spoil:
    """Empty source columns."""
    return change(*(cell(column, None) for column in columns))


def unreadable(feed: Any, prefix: str, codes: Mapping[str, str], texts: list[str]) -> list[Defect]:
    """A text that yields no value, in the full cells of each column of `codes`."""
    return [
        Defect((f"{prefix}-{code}",), cell(feed.columns[column], texts), _full(feed, column))
        for column, code in codes.items()
        if column in feed.columns
    ]


def _full(feed: Any, column: str) -> Needs:
    return lambda draft: draft.cells[feed.columns[column]].notna()


def common_defects(feed: Any, prefix: str) -> list[Defect]:
    """Defects of the columns that every table has, where the feed has the column."""
    withdrawal = feed.declared.map["withdrawal"].source[0]
    found = [
        *unreadable(feed, prefix, {"source_revision": "207"}, ["v2", "finale"]),
        *unreadable(
            feed,
            prefix,
            {"location_precision": "305", "occurred_at_precision": "306", "handling": "307"},
            UNKNOWN_WORDS,
        ),
        Defect((f"{prefix}-308",), cell(withdrawal, ["?", "à voir"])),
        *_of_times(feed, prefix),
        *_of_places(feed, prefix),
    ]
    if "country" in feed.columns:
        found += _of_countries(feed, prefix)
    if len(feed.declared.map["source_record_id"].source) == 1:
        found += _of_numbers(feed, prefix)
    return found


def _of_times(feed: Any, prefix: str) -> list[Defect]:
    import pandas as pd

    occurred, reported = feed.time_columns("occurred"), feed.time_columns("reported")
    expiry = "document_expires_on"
    without_expiry = put(feed, **{expiry: None})
    unborn = put(feed, birth_date=None)  # or the traveller would be of a negative age
    never = change(*(cell(column, None) for column in reported), put(feed, reported_at=None))
    return [
        Defect((f"{prefix}-103",), blank(*occurred)),
        Defect((f"{prefix}-201",), cell(occurred[0], feed.unreadable_moments)),
        Defect((f"{prefix}-203",), cell(reported[0], feed.unreadable_moments)),
        Defect(
            (f"{prefix}-407",),
            change(put_time(feed, "occurred", _in_year(1986)), without_expiry, unborn),
            lambda draft: ~draft.truth["admin1_code"].isin(areas_with_a_beginning()),
        ),
        Defect((f"{prefix}-501",), put_time(feed, "reported", lambda t: t - pd.Timedelta("9D"))),
        Defect(
            (f"{prefix}-502",),
            change(put_time(feed, "occurred", _in_year(2055)), never, without_expiry),
        ),
        Defect((f"{prefix}-503",), put_time(feed, "reported", _in_year(2055))),
        *_outside_period(feed, prefix),
    ]


# The rule about a date before what the feed reports on.
OUTSIDE_PERIOD = {"BXC": "415", "BFL": "416", "SEI": "415"}


def _outside_period(feed: Any, prefix: str) -> list[Defect]:
    """A mistyped year that passes; not where an age follows from it."""
    if "birth_date" in feed.declared.map:
        return []
    without_expiry = put(feed, document_expires_on=None)
    before = change(put_time(feed, "occurred", _in_year(2021)), without_expiry)
    return [Defect((f"{prefix}-{OUTSIDE_PERIOD[prefix]}",), before)]


def _in_year(year: int) -> Callable[[pd.Series], Any]:
    import pandas as pd

    return lambda local: local + pd.DateOffset(years=year - 2026)


@cache
def areas_with_a_beginning() -> frozenset[str]:
    """The first-level areas that did not exist in 1986."""
    from schemas.codelist import load_codelist

    return frozenset(row["code"] for row in load_codelist("admin_areas") if row["valid_from"])


def _of_places(feed: Any, prefix: str) -> list[Defect]:
    """Positions that cannot be; a feed with two columns can also leave one of them out."""
    found = [
        Defect((f"{prefix}-402",), put_position(feed, 96.5, 20.0)),
        Defect((f"{prefix}-403",), put_position(feed, 4.0, 197.25)),
        Defect((f"{prefix}-404",), put_position(feed, 0.0, 0.0)),
        Defect((f"{prefix}-405",), defect_places.exchange_coordinates(feed), has("latitude_deg")),
        Defect((f"{prefix}-406",), _into_the_area_farthest_away(feed), _in_a_known_area),
    ]
    if "position" in feed.declared.map:
        column = feed.declared.map["position"].source[0]
        found.append(Defect((f"{prefix}-204",), cell(column, ["au marché", "12.4", "N 95 E"])))
    else:
        latitude, longitude = (
            feed.declared.map[name].source[0] for name in ("latitude_deg", "longitude_deg")
        )
        here = put_position(feed, 4.3, 20.5)
        found += [
            Defect((f"{prefix}-205",), change(here, cell(latitude, ["4°N", "quatre"]))),
            Defect((f"{prefix}-206",), change(here, cell(longitude, ["20°E", "vingt"]))),
            Defect((f"{prefix}-504",), change(here, cell(latitude, None))),
        ]
    if "admin1_code" in feed.columns:
        texts = ["Zone 4", "Secteur Nord"]
        found.append(Defect((f"{prefix}-303",), cell(feed.columns["admin1_code"], texts)))
    return found


def _in_a_known_area(draft: Draft) -> Any:
    return draft.truth["admin1_code"].isin(defect_places.farthest_places())


def _into_the_area_farthest_away(feed: Any) -> Spoil:
    def apply(draft: Draft, rows: Any) -> None:
        far = draft.truth.loc[rows, "admin1_code"].map(defect_places.farthest_places())
        put_position(feed, far.str[0].astype(float), far.str[1].astype(float))(draft, rows)

    return apply


def old_province(feed: Any, prefix: str) -> Defect:
    """A province of the DR Congo by the name that it had before 2015, when it was larger."""

    def apply(draft: Draft, rows: Any) -> None:
        current = draft.truth.loc[rows, "admin1_code"]
        column = feed.columns["admin1_code"]
        draft.cells.loc[rows, column] = current.map(lambda code: OLD_PROVINCES[code][1])
        draft.truth.loc[rows, "admin1_code"] = current.map(lambda code: OLD_PROVINCES[code][0])

    return Defect((f"{prefix}-408",), apply, is_("admin1_code", *OLD_PROVINCES), share=0.004)


def _of_countries(feed: Any, prefix: str) -> list[Defect]:
    """A country missing or unknown; the area, which is named within it, is left out too."""
    without_area = put(feed, admin1_code=None)
    return [
        Defect((f"{prefix}-102",), change(without_area, cell(feed.columns["country"], None))),
        Defect((f"{prefix}-302",), change(without_area, cell(feed.columns["country"], "QQQ"))),
    ]


def _of_numbers(feed: Any, prefix: str) -> list[Defect]:
    """Defects of a record number that is one column."""
    number = feed.declared.map["source_record_id"].source[0]
    return [
        Defect((f"{prefix}-101",), cell(number, None)),
        Defect((f"{prefix}-208",), _own_text(number, lambda i: "/" * (i + 1))),
        Defect((f"{prefix}-220",), _own_text(number, lambda i: f"{i + 2}.02607E+17")),
        Defect((f"{prefix}-209",), _own_text(number, lambda i: f"{i}-" + "X" * 125)),
    ]


def _own_text(column: str, text: Callable[[int], str]) -> Spoil:
    def apply(draft: Draft, rows: Any) -> None:
        draft.set(rows, column, [text(i) for i in range(len(rows))])

    return apply


def told_twice(feed: Any, *numbers: str) -> Spoil:
    """Pairs of rows: the second is the first again, but for its own cells in `numbers`."""
    parts = feed.declared.map["source_record_id"]

    def apply(draft: Draft, rows: Any) -> None:
        first, second = rows[0::2], rows[1::2]
        for frame, own in ((draft.cells, set(numbers)), (draft.truth, {"source_record_id"})):
            shared = [column for column in frame.columns if column not in own]
            frame.loc[second, shared] = frame.loc[first, shared].to_numpy()
        names = draft.cells.loc[second, list(parts.source)]
        draft.truth.loc[second, "source_record_id"] = names.agg(parts.join.join, axis=1)

    return apply
