"""Of two recipients no token joins, and with a masked cell goes each one that would tell it.

Not here: which rows a restriction holds for (`test_conditions.py`).
"""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest

from pipelines.core.settings import settings_for
from pipelines.release.policy.precision import set_release_key
from pipelines.release.query.records import compile_records
from schemas.contract import load_contract, table_names
from tests.unit.release.world import (
    Extract,
    agreement,
    allowed_by,
    ask,
    catalogue,
    permit,
    restriction,
    rows,
)

PLACES = ["place_text", "latitude_deg", "longitude_deg", "border_point_code"]
WORDS = ["support_text", "condition_text"]  # what somebody writes may tell all of it
PLACES_WITHIN = {
    "country": [
        *("admin1_code", "time_zone", "admin2_code", *PLACES, "location_precision"),
        *("party_country", "mission_code", *WORDS),
    ],
    "admin1_code": ["time_zone", "admin2_code", *PLACES, "location_precision"],
    "time_zone": ["admin1_code", "admin2_code", *PLACES, "location_precision"],
    "admin2_code": [*PLACES, "location_precision"],
    **{one: [*PLACES, "location_precision"] for one in PLACES},
}
# What names a delivery and a row in it names the station and the day.
NUMBERS = ["source_record_id", "delivery_id", "source_row"]
# An end, or the day of a report, is of the same day or soon after.
LATER = ["ended_on", "occurred_until", "reported_on", "reported_at"]
MOMENTS = {
    "occurred_on": ["occurred_at", "occurred_at_text", "period_start", "period_end", *LATER],
    "occurred_at": ["occurred_on", "occurred_at_text", "period_start", "period_end", *LATER],
    "period_start": ["occurred_on", "occurred_at", "occurred_at_text", "period_end", *LATER],
    "occurred_at_text": [],
    "reported_on": ["reported_at"],
    "reported_at": ["reported_on"],
    "ended_on": ["occurred_until"],
    "occurred_until": ["ended_on"],
    "support_state": ["state_on"],
    "declared_on": ["state_on"],
    "pledge_state": ["state_on", "mission_code"],
}
# Other columns, and those that are a part of them, a twin, say the same more narrowly, or follow
# one person or thing to a row where it stands.
OTHERS = {
    "offence_code": ["offence_text"],
    "victims_total": ["victims_female", "victims_male"],
    "victims_female": ["victims_total", "victims_male"],
    "victims_male": ["victims_total", "victims_female"],
    "killed_total": ["killed_low", "killed_high"],
    "killed_low": ["killed_total", "killed_high"],
    "killed_high": ["killed_total", "killed_low"],
    "age_group": ["age_years", "document_token"],
    "nationality": ["origin_country", "destination_country", "document_issuer", "document_token"],
    "sex": ["document_token"],
    "quantity": ["quantity_kg", "quantity_count"],
    "quantity_kg": ["quantity", "quantity_count"],
    "quantity_count": ["quantity", "quantity_kg"],
    "seizure_kind": [
        *("item_text", "hs_code", "weapon_kind", "vehicle_kind", "cites_appendix", "serial_token")
    ],
    "weapon_kind": ["item_text", "serial_token"],
    "is_sensitive": ["handling", "offence_code", "offence_text", "victims_children"],
    "suspects_total": ["arrested_total"],
    "support_kind": ["support_topic", "support_text"],
    "support_topic": ["support_text"],
    "capacity_persons": ["capacity_women", *WORDS],
    "capacity_women": ["capacity_persons", *WORDS],
    "estimated_value_usd": WORDS,
    "condition_kind": WORDS,
    "readiness_level": ["is_rapidly_deployable"],
    "is_rapidly_deployable": ["readiness_level"],
}


def expected(table: str, masked: str) -> set[str]:
    """Every column of the table that must be empty beside a masked one."""
    gone = {masked, *OTHERS.get(masked, ())}
    for kinds in (PLACES_WITHIN, MOMENTS):
        gone |= {*kinds[masked], *NUMBERS} if masked in kinds else set()
    gone |= {*NUMBERS, "record_id"} if masked == "source" else set()
    return gone & {column.name for column in load_contract(table).published}


MASKED = [
    (table, one)
    for table in table_names("data")
    for one in ("source", *PLACES_WITHIN, *MOMENTS, *OTHERS)
    if any(column.name == one for column in load_contract(table).published)
]


def full(table: str, day: dt.date) -> dict[str, Any]:
    """A row that says everything, on that day."""
    moment = dt.datetime.combine(day, dt.time(9, 30))
    values: dict[str, Any] = {
        "VARCHAR": "x",
        "TIMESTAMP": moment,
        "DATE": day,
        "BOOLEAN": False,
        "VARCHAR[]": ["x"],
    }
    found = {
        column.name: values.get(column.duckdb_type, 1) for column in load_contract(table).published
    }
    return {
        **found,
        "source": "caf_police",
        "country": "CAF",
        "admin1_code": "CF71",
        "occurred_at_precision": "minute",
        "location_precision": "exact",
        "handling": "CONFIDENTIAL",
        "source_record_id": f"PK5/{day}",
        "record_id": f"caf_police:PK5/{day}",
    }


@pytest.mark.parametrize("table", table_names("data"))
def test_with_a_mask_goes_every_twin_and_nothing_else(table: str) -> None:
    """One row a month, and in each month another column masked."""
    mine = [masked for other, masked in MASKED if other == table]
    days = [dt.date(2020 + at // 12, 1 + at % 12, 1) for at in range(len(mine))]
    every = [column.name for column in load_contract(table).published]
    clause = permit(
        table=table,
        columns=every,
        precision={"area": "point", "time": "exact", "age": "exact"},
        rows={"handling_ceiling": "CONFIDENTIAL", "sensitive": True},
    )
    back = [
        restriction(table=table, columns=[masked], rows={"since": str(day), "until": str(day)})
        for masked, day in zip(mine, days, strict=True)
    ]
    extract = Extract(
        [full(table, day) for day in days], [agreement([clause], back)], ask(table=table)
    )
    told = dict(zip([one for one, *_more in extract.holdings], extract.rows, strict=True))
    for masked, day in zip(mine, days, strict=True):
        row = told[f"caf_police:PK5/{day}"]
        empty = {column for column in every if row.get(column) is None}
        assert empty == expected(table, masked), masked
        is_named = row["record_id"] == f"caf_police:PK5/{day}"
        assert is_named == (masked in OTHERS), "the number tells the station and the day"


def test_what_two_recipients_were_given_joins_on_no_token(tmp_path: Path) -> None:
    settings = settings_for(tmp_path).prepare()
    clause = permit(
        table="border_crossings",
        columns=["record_id", "document_token", "vehicle_token", "occurred_on"],
        recipients=["minusca_unpol", "monusco_unpol"],
    )
    crossings = rows(
        {"document_token": "aa11", "vehicle_token": "bb22"},
        {"document_token": "aa11", "vehicle_token": None},
        {"document_token": "cc33", "vehicle_token": "bb22"},
        base={
            "source": "caf_police",
            "occurred_at": dt.datetime(2026, 5, 13, 9, 30),
            "handling": "CONFIDENTIAL",
        },
    )
    found = {}
    for recipient in ("minusca_unpol", "monusco_unpol", "minusca_unpol"):
        request = ask(table="border_crossings", recipient=recipient)
        allowed = allowed_by([agreement([clause])], request)
        compiled = compile_records(request, allowed, load_contract("border_crossings"))
        with catalogue("border_crossings", crossings) as connection:
            set_release_key(connection, settings, recipient)
            told = connection.execute(compiled.sql).to_arrow_table().to_pylist()
        assert found.setdefault(recipient, told) == told, "one recipient the same each time"
    tokens = [
        {row[column] for row in told for column in ("record_id", "document_token", "vehicle_token")}
        for told in found.values()
    ]
    assert tokens[0] & tokens[1] == {None}
    for told in found.values():
        documents = [row["document_token"] for row in told]
        assert len(set(documents)) == 2, "it follows one document from row to row"
        assert not {"aa11", "bb22", "cc33"} & set(tokens[0] | tokens[1])
