"""A table is harmonised by what its contract has: without a time, without a place, without either.

Not here: the tables that have all of it (`test_harmonise.py`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import duckdb
import pytest

from pipelines.harmonise import run
from pipelines.harmonise.compile import compile_feed
from pipelines.harmonise.moments import Moments
from schemas.contract import load_contract
from schemas.feed import load_feed
from tests.lacking import without
from tests.unit.harmonise.test_harmonise import GOOD, Bench, rows_of

PLACE = ["country", "admin1_code", "latitude_deg", "longitude_deg"]
GROUPS = (("time",), ("place",), ("time", "place"))


@pytest.fixture(params=GROUPS, ids="-".join)
def groups(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[set[str]]:
    contract = without(*request.param)
    monkeypatch.setattr(run, "load_contract", lambda table: contract)
    return set(request.param)


def test_it_is_harmonised_and_judged_by_what_is_there(tmp_path: Path, groups: set[str]) -> None:
    bench = Bench(tmp_path)
    lost = {"time": ["occurred_at"], "place": PLACE}
    for group in groups:
        for target in lost[group]:
            source = bench.declaration["map"].pop(target)["from"]
            bench.declaration["ignore"][source] = {"en": "internal", "fr": "interne"}
    wrong = GOOD.replace("1;COD", "2;COD").replace(";2;1;1;", ";1;1;1;")
    done = bench.run(GOOD, wrong)
    assert (done.rows_accepted, done.rows_quarantined) == (1, 1)
    [row], [rejected] = rows_of(done.accepted), rows_of(done.quarantined)
    assert (row["record_id"], row["offence_code"], row["victims_total"]) == ("cod_pnc:1", "0502", 2)
    assert rejected["reasons"] == ["INC-511"]
    assert ("occurred_on" in row, "country" in row) == ("time" not in groups, "place" not in groups)
    if "place" not in groups:
        assert (row["admin1_code"], row["latitude_deg"]) == ("CD61", -1.5)
    if "time" not in groups:
        assert (str(row["occurred_on"]), row["occurred_at_precision"]) == ("2026-06-03", "minute")


def test_a_day_without_a_clock_tells_when_areas_are_looked_up() -> None:
    moments = Moments(load_feed("lcm_support_offers"), load_contract("support_offers"))
    columns, joins = moments.event_date("country")
    told = "(VALUES (DATE '2026-05-11'), (NULL)) rows(declared_on)"
    days = duckdb.sql(f"SELECT {columns['event_date']} FROM {told}").fetchall()
    assert joins == () and [str(day) for (day,) in days] == ["2026-05-11", "9999-01-01"]


def test_the_zone_of_a_country_is_not_that_of_an_area() -> None:
    known = load_contract("incidents")
    contract = replace(
        known,
        columns=tuple(
            replace(c, look_ups=tuple(one for one in c.look_ups if one.column == "country"))
            for c in known.columns
        ),
        roles=known.roles.model_copy(update={"area": ()}),
    )
    sql = " ".join(compile_feed(load_feed("cod_pnc_incidents"), contract).sql.split())
    assert 'NULL::VARCHAR AS "area_zone"' in sql
    assert """coalesce(nullif(zone_0_time_zone, ''), NULL::VARCHAR) AS "place_zone\"""" in sql
