"""In every table, a number that returns with nothing in common is held, and a correction is not."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from pipelines import connect
from pipelines.core.settings import Settings, settings_for
from pipelines.lake.publish import publish
from schemas.contract import load_contract, table_names
from tests.unit.lake.judged import deliver, row

DAYS = {"occurred_on": (dt.date(2026, 5, 8), dt.date(2026, 9, 20))}
SUPPORT = {
    "declared_on": (dt.date(2026, 5, 8), dt.date(2026, 9, 20)),
    "support_kind": ("equipment", "funding"),
    "party_kind": ("police_contributor", "member_state"),
}
# What an event was, and what another one under its number is, in what tells them apart.
TOLD: dict[str, dict[str, tuple[Any, Any]]] = {
    "incidents": DAYS | {"admin1_code": ("CD71", "CD62"), "offence_code": ("0501", "0101")},
    "seizures": DAYS | {"admin1_code": ("CD71", "CD62"), "seizure_kind": ("drugs", "arms")},
    "border_crossings": DAYS
    | {"border_point_code": ("A", "B"), "direction": ("in", "in"), "nationality": ("COD", "ZMB")},
    "border_flows": DAYS
    | {
        "border_point_code": ("A", "B"),
        "direction": ("in", "out"),
        "age_group": ("adult", "adult"),
    },
    "deployments": {
        "reporting_month": (dt.date(2026, 5, 1), dt.date(2026, 9, 1)),
        "mission_code": ("MINUSCA", "UNMISS"),
        "contributing_country": ("RWA", "SEN"),
    },
    "support_offers": SUPPORT,
    "support_needs": SUPPORT,
    "capability_pledges": {
        "declared_on": (dt.date(2024, 6, 26), dt.date(2025, 5, 13)),
        "contributing_country": ("RWA", "SEN"),
        "capability_kind": ("formed_police_unit", "canine_unit"),
    },
}
CODES = {"incidents": "INC-603", "seizures": "SEI-604", "border_crossings": "BXC-604"}
CODES |= {"border_flows": "BFL-606", "deployments": "DEP-604", "capability_pledges": "PLE-604"}
CODES |= {"support_offers": "SUO-652", "support_needs": "SUN-652"}


@pytest.fixture
def place(tmp_path) -> Settings:
    return settings_for(tmp_path / "home", memory_limit="256MB", threads=1).prepare()


def told(table: str, *later: str) -> dict[str, Any]:
    """The event, with these columns as the other one has them."""
    known = {column.name for column in load_contract(table).published}
    plain = {key: value for key, value in row("1").items() if key in known or key == "reasons"}
    return plain | {column: pair[column in later] for column, pair in TOLD[table].items()}


def test_every_table_of_data_has_such_a_rule() -> None:
    assert set(table_names("data")) == set(CODES)
    for table, code in CODES.items():
        [rule] = load_contract(table).lake_rules
        assert rule.code == code
        assert len(rule.identity) == 3
        assert {column for together in rule.identity for column in together} >= set(TOLD[table])


@pytest.mark.parametrize("table", CODES)
def test_nothing_in_common_is_held_and_one_thing_in_common_is_a_correction(place, table) -> None:
    whole = tuple(TOLD[table])
    partly = [tuple(c for c in whole if c not in kept) for kept in ({whole[0]}, {whole[1]})]
    for number, later in enumerate([whole, *partly]):
        first, second = (f"{number}{letter * 11}" for letter in "ab")
        records = {"record_id": f"s:{number}", "source_record_id": str(number)}
        deliver(
            place, first, [told(table) | records], day=1, as_of=dt.date(2026, 1, 1), table=table
        )
        rows = [told(table, *later) | records]
        deliver(
            place, second, rows, day=200, as_of=dt.date(2026, 7, 1), kind="register", table=table
        )
    publish(place)
    with connect(place) as connection:
        held = connection.execute("SELECT delivery_id, rule_code FROM rejections").fetchall()
        revised = connection.execute(
            f"SELECT record_id, revision FROM {table} ORDER BY ALL"
        ).fetchall()
    assert held == [("caf_gendarmerie_incidents.0bbbbbbbbbbb", CODES[table])]
    assert revised == [("s:0", 1), ("s:1", 2), ("s:2", 2)]
