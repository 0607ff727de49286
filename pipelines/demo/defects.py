"""The ways in which an incident report can break a rule of its table, one rule at a time.

Not here: ways that one layout alone has (its own module) and how many rows are spoiled.

A defect is offered only where the feed has the column that it needs. Where a wrong value cannot
help breaking a second rule (a position of 0, 0 also lies outside the country), both are named.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from pipelines.demo.defect_places import place_defects
from pipelines.demo.defect_times import time_defects
from pipelines.demo.delivery import Defect, Draft, Spoil, blank, cell, duplicated_number

if TYPE_CHECKING:
    import pandas as pd

    from pipelines.demo.incidents import IncidentFeed

Texts = dict[str, list[str]]  # by the language of the feed
UNREADABLE_COUNTS: dict[str, tuple[str, Texts]] = {
    "victims_total": ("INC-210", {"fr": ["deux", "3-4", "1?"], "en": ["two", "3-4", "1?"]}),
    "victims_female": ("INC-211", {"fr": ["une", "1 ou 2"], "en": ["one", "1 or 2"]}),
    "victims_male": ("INC-212", {"fr": ["un", "1,5"], "en": ["one", "1.5"]}),
    "victims_children": ("INC-213", {"fr": ["x", "env. 2"], "en": ["x", "~2"]}),
    "killed_total": ("INC-214", {"fr": ["un", "1+"], "en": ["one", "1+"]}),
    "killed_low": ("INC-215", {"fr": ["min 1", "?"], "en": ["min 1", "?"]}),
    "killed_high": ("INC-216", {"fr": ["plusieurs", "3?"], "en": ["several", "3?"]}),
    "injured_total": ("INC-217", {"fr": ["quelques", "2/3"], "en": ["some", "2/3"]}),
    "suspects_total": ("INC-218", {"fr": ["bande", "env. 5"], "en": ["a group", "about 5"]}),
    "arrested_total": ("INC-219", {"fr": ["oui", "2 en fuite"], "en": ["yes", "2 at large"]}),
}
UNKNOWN_WORDS: dict[str, tuple[str, Texts]] = {
    "admin1_code": ("INC-303", {"fr": ["Zone 4", "Secteur Nord"], "en": ["Zone 4", "Sector N"]}),
    "location_precision": ("INC-305", {"fr": ["à vue de nez", "GIS-7"], "en": ["GIS-7"]}),
    "occurred_at_precision": ("INC-306", {"fr": ["vers le soir", "Q3"], "en": ["evening", "Q3"]}),
    "handling": ("INC-307", {"fr": ["EYES ONLY", "Bleu"], "en": ["EYES ONLY", "Blue"]}),
    "offence_code": (
        "INC-310",
        {"fr": ["Code 47", "Affaire diverse 12"], "en": ["Code 47", "Misc. case 12"]},
    ),
    "incident_status": ("INC-311", {"fr": ["T4", "voir dossier"], "en": ["T4", "see file"]}),
    "weapon_kind": ("INC-312", {"fr": ["Type B", "objet no 3"], "en": ["Type B", "item no. 3"]}),
    "perpetrator_kind": ("INC-313", {"fr": ["Cat. 9", "groupe Z"], "en": ["Cat. 9", "group Z"]}),
}
SIGNS = str.maketrans("01", "?/")  # a number without a letter or digit, no two alike


def incident_defects(feed: IncidentFeed) -> list[Defect]:
    """The defects that the feed's columns allow, those with the narrowest needs first."""
    return [
        *_of_counts(feed),
        *place_defects(feed),
        *time_defects(feed),
        *_of_words(feed),
        *_of_numbers(feed),
        *_of_identity(feed),
    ]


# --- counts --------------------------------------------------------------------------------------


def _of_counts(feed: IncidentFeed) -> list[Defect]:
    has = feed.columns.__contains__
    found = [
        Defect((code,), cell(feed.columns[column], texts[feed.language]))
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
    return lambda draft, rows: _put(feed, draft, rows, column, draft.truth.loc[rows, column] + step)


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


# --- words, numbers, identity --------------------------------------------------------------------


def _of_words(feed: IncidentFeed) -> list[Defect]:
    found = [
        Defect((code,), cell(feed.columns[column], words[feed.language]))
        for column, (code, words) in UNKNOWN_WORDS.items()
        if column in feed.columns
    ]
    found.append(Defect(("INC-105",), cell(feed.columns["offence_code"], None)))
    found.append(Defect(("INC-308",), cell(feed.withdrawn_cell[0], ["?", "1/2"])))
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
        Defect(("INC-101",), blank(list(feed.id_columns))),
        Defect(("INC-209",), _number(feed, lambda n: "X" * 120 + n)),
        Defect(("INC-601",), duplicated_number(list(feed.id_columns)), together=2),
        Defect(("INC-602",), _told_twice(feed), together=2),
    ]
    if len(feed.id_columns) == 1:
        found.append(Defect(("INC-208",), _number(feed, lambda n: f"{int(n):b}".translate(SIGNS))))
        found.append(Defect(("INC-220",), _number(feed, lambda n: f"{int(n) + 2}.02607E+17")))
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
