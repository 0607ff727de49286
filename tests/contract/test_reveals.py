"""Masking a column masks what tells of it, and every column that could tell says whether it does.

Not here: masking in an extract (`tests/property/test_agreements.py`).
"""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.contract import Column, Contract, load_contract
from schemas.reveals import given_away_by, told_with

LETTERS = "abcdefgh"


@pytest.mark.parametrize(
    ("table", "masked", "gone"),
    [
        ("seizures", "seizure_kind", {"hs_code", "item_text", "weapon_kind", "vehicle_kind"}),
        ("seizures", "quantity_kg", {"quantity", "quantity_count"}),
        ("incidents", "occurred_at", {"occurred_on", "occurred_until", "ended_on", "reported_at"}),
        ("incidents", "is_sensitive", {"handling", "offence_code", "offence_text"}),
        ("incidents", "victims_female", {"victims_total", "victims_male"}),
        ("incidents", "country", {"admin1_code", "latitude_deg", "time_zone", "source_row"}),
        ("border_crossings", "nationality", {"origin_country", "document_issuer"}),
        ("border_crossings", "age_group", {"age_years"}),
        ("border_flows", "period_start", {"period_end", "occurred_on", "source_record_id"}),
    ],
)
def test_what_tells_of_a_masked_column_is_masked_too(
    table: str, masked: str, gone: set[str]
) -> None:
    assert gone | {masked} <= given_away_by(load_contract(table), masked)


@pytest.mark.parametrize(
    ("table", "masked", "open_"),
    [
        ("border_crossings", "age_years", "age_group"),
        ("incidents", "admin2_code", "admin1_code"),
        ("incidents", "occurred_at", "record_id"),  # it becomes a token instead
        ("seizures", "hs_code", "seizure_kind"),
    ],
)
def test_what_is_coarser_stays_open(table: str, masked: str, open_: str) -> None:
    assert open_ not in given_away_by(load_contract(table), masked)


@st.composite
def contracts(draw: st.DrawFn) -> Contract:
    """A contract of a few columns that reveal one another at random, and one that it lacks."""
    model = load_contract("incidents").column("weapon_kind")
    told = st.none() | st.lists(st.sampled_from([*LETTERS, "absent"]), unique=True, max_size=3)
    kinds = st.sampled_from(["", "", "", "time", "record_key"])
    columns: list[Column] = [
        replace(
            model,
            name=name,
            coarsen=draw(kinds),
            reveals=None if (drawn := draw(told)) is None else tuple(drawn),
        )
        for name in LETTERS
    ]
    return replace(load_contract("incidents"), columns=tuple(columns))


@given(contracts(), st.sampled_from(LETTERS))
def test_masking_is_closed(contract: Contract, masked: str) -> None:
    """Nothing that stays tells of anything that is masked, and nothing more than needed goes."""
    gone = given_away_by(contract, masked)
    assert masked in gone
    for column in contract.published:
        tells = bool(gone & set(column.reveals or ()))
        is_number = column.coarsen == "record_key" and any(
            contract.column(one).coarsen in ("time", "record_key") for one in gone
        )
        assert (column.name in gone) == (tells or is_number or column.name == masked)
    assert told_with(contract, gone) == gone
