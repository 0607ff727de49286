"""Extracts of tables that lack a place, a time or a classification: nothing of those is opened.

Not here: such a table on its way through the lake (`tests/unit/lake`).
"""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

import pytest

from schemas.contract import load_contract
from schemas.record import IDENTITY, PROVENANCE
from schemas.roles import Roles
from tests.unit.release import world
from tests.unit.release.world import Counts, Extract, agreement, ask, counts, permit, rows

OPEN = {"columns": ["record_id", "weapon_kind"]}
JUNE = dt.datetime(2026, 6, 20, 8, 0)


@pytest.fixture(autouse=True)
def _bare(monkeypatch: pytest.MonkeyPatch) -> None:
    """Incidents with a weapon and a number of victims, and nothing else but how they came."""
    whole = load_contract("incidents")
    kept = {*IDENTITY, *PROVENANCE, "weapon_kind", "victims_total"}
    columns = tuple(column for column in whole.columns if column.name in kept)
    made = replace(whole, columns=columns, roles=Roles())
    for module in ("pipelines.release.query.flow", "pipelines.release.disclosure.coarser"):
        monkeypatch.setattr(f"{module}.load_contract", lambda _table: made)
    monkeypatch.setattr(world, "load_contract", lambda _table: made)


def held(*changes: dict[str, Any]) -> list[dict[str, Any]]:
    return rows(*({"received_at": JUNE, "weapon_kind": "firearm", **one} for one in changes))


def told(signed: dict[str, Any], **asked: Any) -> list[Any]:
    found = Extract(held({}, {"weapon_kind": "knife"}), [agreement([signed])], ask(**asked))
    return sorted(row["weapon_kind"] for row in found.rows)


def test_its_records_leave_as_a_clause_says() -> None:
    assert told(permit(**OPEN)) == ["firearm", "knife"]
    assert told(permit(**OPEN, rows={"handling_ceiling": "UNCLASSIFIED"})) == []


@pytest.mark.parametrize(("delay_days", "leaving"), [(9, 2), (10, 2), (11, 0)])
def test_a_delay_counts_from_the_day_on_which_a_record_came(delay_days: int, leaving: int) -> None:
    assert len(told(permit(**OPEN, delay_days=delay_days))) == leaving


@pytest.mark.parametrize(
    "rows_of",
    [
        {"countries": ["CAF"]},
        {"areas": ["CF71"]},
        {"since": "2026-01-01"},
        {"offences": ["05"]},
        {"border_points": ["CAF-CMR-BELOKO"]},
    ],
)
def test_a_condition_on_what_the_table_lacks_opens_nothing(rows_of: dict[str, Any]) -> None:
    assert told(permit(**OPEN, rows={"handling_ceiling": "CONFIDENTIAL", **rows_of})) == []


@pytest.mark.parametrize(
    "choice",
    [{"areas": ("CAF",)}, {"since": dt.date(2026, 1, 1)}, {"offences": ("05",)}],
)
def test_a_choice_by_what_the_table_lacks_chooses_nothing(choice: dict[str, Any]) -> None:
    assert told(permit(**OPEN), **choice) == []


def test_it_is_counted_by_what_it_has() -> None:
    clause = counts(dimensions=["weapon_kind"], measures=["records", "victims_total"])
    many = held(*({"victims_total": 2} for _ in range(12)))
    request = ask(form="counts", measures=("records", "victims_total"))
    found = Counts(many, [agreement([clause])], request)
    cell = found.at(level="cell")
    assert (cell["weapon_kind"], cell["records"], cell["victims_total"]) == ("firearm", 12, 24)
