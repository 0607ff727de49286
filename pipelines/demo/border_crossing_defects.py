"""The ways in which a crossing can break a rule of its table, one rule at a time.

Not here: what every border table has in common (`border_defects.py`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipelines.demo.border_defects import (
    UNKNOWN_WORDS,
    UNREADABLE_DATES,
    UNREADABLE_NUMBERS,
    blank,
    both,
    change,
    common_defects,
    has,
    is_,
    put,
    told_twice,
    unreadable,
)
from pipelines.demo.delivery import Defect, Draft, Spoil, cell, duplicated_number
from schemas.codelist import load_codelist

if TYPE_CHECKING:
    import pandas as pd

UNKNOWN_CODES = {
    "border_point_code": "310",
    "direction": "311",
    "crossing_mode": "312",
    "traveller_kind": "313",
    "sex": "314",
    "age_group": "315",
    "nationality": "316",
    "origin_country": "317",
    "destination_country": "318",
    "travel_reason": "319",
    "document_type": "320",
    "document_issuer": "321",
    "vehicle_kind": "322",
}
PERSON, VEHICLE, GROUP = (is_("traveller_kind", kind) for kind in ("person", "vehicle", "group"))
FEW = 0.004  # a share for rules that only some kinds of rows can break


def crossing_defects(feed: Any) -> list[Defect]:
    """Every way in which rows of `feed` can break a rule of border_crossings."""
    number_columns = list(feed.declared.map["source_record_id"].source)
    return [
        *_of_groups(feed),
        *_of_vehicles(feed),
        *_of_documents(feed),
        *_of_journeys(feed),
        *_of_people(feed),
        *unreadable(feed, "BXC", _own_unknown(feed), UNKNOWN_WORDS),
        *common_defects(feed, "BXC"),
        *_of_codes(feed),
        Defect(("BXC-601",), duplicated_number(number_columns), together=2),
    ]


def _own_unknown(feed: Any) -> dict[str, str]:
    """A post that is part of the record's number is left alone: the number would change too."""
    number = feed.declared.map["source_record_id"].source
    return {c: code for c, code in UNKNOWN_CODES.items() if feed.columns.get(c) not in number}


def _of_codes(feed: Any) -> list[Defect]:
    found = []
    if feed.columns.get("direction"):
        found.append(Defect(("BXC-105",), put(feed, direction=None)))
    if "traveller_kind" in feed.columns:
        found.append(Defect(("BXC-106",), put(feed, traveller_kind=None), PERSON))
    if "border_point_code" in feed.columns and feed.can_lose_post:
        found += [
            Defect(("BXC-104",), put(feed, border_point_code=None)),
            Defect(("BXC-507",), cell(feed.columns["border_point_code"], feed.foreign_post)),
        ]
    if "country" in feed.columns:
        elsewhere = change(
            put(feed, country="RWA", admin1_code=None, origin_country=None),
            put(feed, destination_country=None),
            _no_position(feed),
        )
        rwanda = is_("border_point_code", "COD-RWA-GOMA-GB", "COD-RWA-GOMA-PB")
        found.append(Defect(("BXC-401",), _in_rwanda(elsewhere), rwanda, share=FEW))
    return found


def _in_rwanda(elsewhere: Spoil) -> Spoil:
    """A crossing that the neighbour registered: its own area, and its own clock."""

    def apply(draft: Draft, rows: Any) -> None:
        import pandas as pd

        from pipelines.demo.world import to_utc

        elsewhere(draft, rows)
        local = draft.context.loc[rows, "occurred_local"]
        zones = {row["code"]: row["time_zone"] for row in load_codelist("countries")}
        draft.expect(rows, latitude_deg=None, longitude_deg=None, admin1_code="RW3")
        draft.expect(rows, occurred_at=to_utc(local, pd.Series(zones["RWA"], index=rows)))

    return apply


def _no_position(feed: Any) -> Spoil:
    columns = [feed.declared.map[c].source[0] for c in ("latitude_deg", "longitude_deg")]
    return blank(*columns)


def _of_groups(feed: Any) -> list[Defect]:
    if "group_size" not in feed.columns:
        return []
    return [
        Defect(("BXC-109",), put(feed, group_size=None), GROUP, share=FEW),
        Defect(("BXC-411",), put(feed, group_size=0), GROUP, share=FEW),
        Defect(("BXC-412",), put(feed, group_size=800), GROUP, share=FEW),
        Defect(("BXC-517",), put(feed, group_size=3), PERSON),
        *unreadable(feed, "BXC", {"group_size": "210"}, UNREADABLE_NUMBERS),
    ]


def _of_vehicles(feed: Any) -> list[Defect]:
    if "traveller_kind" not in feed.columns:
        return []
    return [
        Defect(("BXC-511",), put(feed, vehicle_kind=None), VEHICLE, share=FEW),
        Defect(("BXC-518",), put(feed, crossing_mode="foot"), VEHICLE, share=FEW),
    ]


def _of_documents(feed: Any) -> list[Defect]:
    import pandas as pd

    numbered = both(PERSON, has("document_issuer"))
    without = put(feed, document_type=None, document_number=None, document_issuer=None)
    own_number = feed.declared.map["source_record_id"].source[-1]
    early, late = pd.Timestamp("2026-03-31"), pd.Timestamp("2061-01-31")
    return [
        Defect(("BXC-602",), told_twice(feed, own_number), _seen_once(feed), together=2),
        Defect(("BXC-603",), _another_sex(feed), _seen_once(feed), together=2),
        Defect(("BXC-513",), put(feed, document_type="none"), numbered),
        Defect(("BXC-512",), put(feed, document_type=None), numbered),
        Defect(("BXC-107",), change(without, put(feed, document_expires_on=None)), numbered),
        Defect(("BXC-413",), _expiry(feed, late), numbered),
        Defect(("BXC-514",), _expiry(feed, early), numbered),
        *unreadable(feed, "BXC", {"document_expires_on": "212"}, UNREADABLE_DATES),
    ]


def _seen_once(feed: Any) -> Any:
    """Rows whose document no other row has, and whose hour is known."""
    column = feed.columns["document_number"]

    def fit(draft: Draft) -> pd.Series:
        numbers = draft.cells[column]
        same = numbers.map(numbers.value_counts())
        kept = ["border_point_code", "admin1_code"]
        is_timed = draft.truth["occurred_at_precision"] == "minute"
        fits: pd.Series = (same == 1) & is_timed & draft.truth[kept].notna().all(axis=1)
        return fits

    return fit


def _another_sex(feed: Any) -> Spoil:
    """Pairs: the second traveller shows the document of the first, who is of the other sex."""

    def apply(draft: Draft, rows: Any) -> None:
        first, second = rows[0::2], rows[1::2]
        for name in ("document_number", "document_type", "document_issuer", "document_expires_on"):
            column = feed.columns[name]
            draft.cells.loc[second, column] = draft.cells.loc[first, column].to_numpy()
            if name in draft.truth:
                draft.truth.loc[second, name] = draft.truth.loc[first, name].to_numpy()
        put(feed, sex="female")(draft, first)
        put(feed, sex="male")(draft, second)

    return apply


def _expiry(feed: Any, day: Any) -> Spoil:
    def apply(draft: Draft, rows: Any) -> None:
        draft.set(rows, feed.columns["document_expires_on"], day.strftime(feed.day_format))
        draft.expect(rows, document_expires_on=day)

    return apply


def _of_journeys(feed: Any) -> list[Defect]:
    entry, leaving = is_("direction", "entry"), is_("direction", "exit")
    home = feed.country
    return [
        Defect(("BXC-508",), put(feed, travel_reason="asylum"), leaving),
        Defect(("BXC-509",), put(feed, origin_country="TCD", destination_country="TCD"), entry),
        Defect(("BXC-515",), put(feed, origin_country=home, destination_country="CMR"), entry),
        Defect(("BXC-516",), put(feed, destination_country=home, origin_country="CMR"), leaving),
    ]


def _of_people(feed: Any) -> list[Defect]:
    found = [Defect(("BXC-108",), put(feed, sex=None), PERSON)]
    if "age_years" in feed.columns:
        group = put(feed, age_group=None)
        found += [
            Defect(("BXC-410",), change(put(feed, age_years=150), group), PERSON),
            *unreadable(feed, "BXC", {"age_years": "211"}, UNREADABLE_NUMBERS),
        ]
    if {"age_years", "age_group"} <= set(feed.columns):
        found.append(Defect(("BXC-510",), put(feed, age_years=34, age_group="under_5"), PERSON))
    if "age_group" in feed.columns:
        found.append(Defect(("BXC-519",), put(feed, age_group="total", age_years=None), PERSON))
    if "birth_date" in feed.columns:
        found += unreadable(feed, "BXC", {"birth_date": "213"}, UNREADABLE_DATES)
    return found
