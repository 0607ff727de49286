"""The ways in which a seizure can break a rule of its table, one rule at a time.

Not here: what every border table has in common (`border_defects.py`).
"""

from __future__ import annotations

from typing import Any

from pipelines.demo.border_defects import (
    UNKNOWN_WORDS,
    UNREADABLE_NUMBERS,
    both,
    change,
    common_defects,
    is_,
    old_province,
    put,
    told_twice,
    unreadable,
)
from pipelines.demo.delivery import Defect, Draft, Spoil, cell, duplicated_number

UNKNOWN_CODES = {
    "border_point_code": "310",
    "seizure_kind": "311",
    "unit": "312",
    "weapon_kind": "313",
    "manufacture_country": "314",
    "cites_appendix": "315",
    "seized_by": "316",
    "circumstance": "317",
    "outcome": "318",
    "vehicle_kind": "319",
}
NUMBER_COLUMNS = ["report.number", "item.number"]
FEW = 0.004  # a share for rules that only some kinds of rows can break


def seizure_defects(feed: Any) -> list[Defect]:
    """Every way in which rows of `feed` can break a rule of seizures."""
    missing = {"seizure_kind": "105", "quantity": "106", "unit": "107", "seized_by": "108"}
    numbers = {"quantity": "210", "estimated_value_usd": "211", "suspects_total": "212"}
    return [
        old_province(feed, "SEI"),
        *_of_kinds(feed),
        *_of_serials(feed),
        *(Defect((f"SEI-{code}",), put(feed, **{c: None})) for c, code in missing.items()),
        *unreadable(feed, "SEI", numbers, UNREADABLE_NUMBERS),
        *unreadable(feed, "SEI", {"hs_code": "213"}, ["24-02", "chap. 24", "240"]),
        *unreadable(feed, "SEI", UNKNOWN_CODES, UNKNOWN_WORDS),
        *_of_values(feed),
        *_of_places(feed),
        *common_defects(feed, "SEI"),
        Defect(("SEI-101",), change(*(cell(column, None) for column in NUMBER_COLUMNS))),
        Defect(("SEI-208",), _own_number(lambda i: "/" * (i + 1), lambda _: "-")),
        Defect(("SEI-220",), _own_number(lambda i: f"{i + 2}.02607E+17", lambda _: "1")),
        Defect(("SEI-209",), _own_number(lambda i: f"{i}-" + "X" * 125, lambda _: "1")),
        Defect(("SEI-601",), duplicated_number(NUMBER_COLUMNS), together=2),
        Defect(("SEI-603",), told_twice(feed, *NUMBER_COLUMNS), _without_serial, together=2),
    ]


def _own_number(report: Any, item: Any) -> Spoil:
    def apply(draft: Draft, rows: Any) -> None:
        for column, text in zip(NUMBER_COLUMNS, (report, item), strict=True):
            draft.set(rows, column, [text(i) for i in range(len(rows))])

    return apply


def _without_serial(draft: Draft) -> Any:
    return draft.cells["item.weapon.serial"].isna() & draft.truth["admin1_code"].notna()


def _of_serials(feed: Any) -> list[Defect]:
    with_serial = lambda draft: draft.cells["item.weapon.serial"].notna()  # noqa: E731
    return [
        Defect(("SEI-602",), _same_serial, with_serial, together=2, share=FEW),
        Defect(("SEI-514",), put(feed, quantity=3), with_serial, share=FEW),
    ]


def _same_serial(draft: Draft, rows: Any) -> None:
    column = "item.weapon.serial"
    draft.cells.loc[rows[1::2], column] = draft.cells.loc[rows[0::2], column].to_numpy()


def _of_kinds(feed: Any) -> list[Defect]:
    """Items whose kind, unit and attributes disagree."""
    arms = is_("seizure_kind", "firearms", "artisanal_firearms", "bladed_weapons")
    counted = is_("seizure_kind", "firearms", "artisanal_firearms", "bladed_weapons", "livestock")
    wildlife = is_("seizure_kind", "ivory", "pangolin", "live_animals", "bushmeat")
    goods = is_("seizure_kind", "fuel", "cigarettes", "alcohol", "textiles", "cannabis")
    vehicles = put(feed, seizure_kind="vehicles", vehicle_kind=None)
    return [
        Defect(("SEI-511",), vehicles, is_("seizure_kind", "motorcycles", "cars"), share=FEW),
        Defect(("SEI-510",), put(feed, weapon_kind=None), arms),
        Defect(("SEI-508",), put(feed, unit="kilogram"), counted),
        Defect(("SEI-509",), put(feed, quantity=2.5), both(counted, _without_serial)),
        Defect(("SEI-513",), put(feed, cites_appendix=None), wildlife),
        Defect(("SEI-512",), put(feed, cites_appendix="II"), goods),
        Defect(("SEI-515",), put(feed, weapon_kind="handgun"), goods),
        Defect(
            ("SEI-410",), put(feed, quantity=75000), is_("seizure_kind", "coltan"), share=FEW / 2
        ),
        Defect(
            ("SEI-411",),
            put(feed, quantity=2500000),
            is_("seizure_kind", "small_arms_ammunition"),
            share=FEW / 2,
        ),
    ]


def _of_values(feed: Any) -> list[Defect]:
    return [
        Defect(("SEI-409",), put(feed, quantity=-3)),
        Defect(("SEI-409",), put(feed, quantity=0)),
        Defect(("SEI-412",), put(feed, estimated_value_usd=-5)),
        Defect(("SEI-413",), put(feed, estimated_value_usd=60000000), share=FEW / 2),
        Defect(("SEI-414",), put(feed, suspects_total=-1)),
    ]


def _of_places(feed: Any) -> list[Defect]:
    nowhere = put(feed, admin1_code=None, border_point_code=None)
    unplaced = change(cell("where.lat", None), cell("where.lon", None))

    def abyei(draft: Draft, rows: Any) -> None:
        change(nowhere, unplaced, cell("report.mission", "UNISFA"))(draft, rows)
        draft.expect(rows, country="SDN", latitude_deg=None, longitude_deg=None)

    return [
        Defect(("SEI-104",), nowhere),
        Defect(("SEI-104", "SEI-401"), abyei, share=FEW),
        Defect(("SEI-507",), cell("where.post", "Kipushi"), is_("country", "CAF", "SSD")),
    ]
