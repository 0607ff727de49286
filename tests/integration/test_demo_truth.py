"""The pipeline held to the ground truth of the demo: each row, each code, each value, each record.

Not here: whether the truth itself is consistent, and which rules the border feeds break
(`tests/unit/demo`).

The truth is made beside the deliveries, by construction: a row that was made wrong on purpose
carries the code that it must raise. Nothing of it is computed by the pipeline.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import duckdb
import pandas as pd
import pytest

import pipelines
from pipelines.core.settings import Settings
from pipelines.demo.delivery import TRUTH_COLUMNS, error_codes
from pipelines.demo.writer import FEEDS
from pipelines.landing.receive import list_deliveries, open_delivery
from pipelines.validate.verdict import Verdict, verdict_of
from schemas.contract import load_contract, table_names
from schemas.feed import load_feed

INCIDENT_FEEDS = [feed for feed in FEEDS if load_feed(feed).table == "incidents"]
POSITION_TOLERANCE_DEG = 6e-5  # a tenth of a second of arc, a metre of the grid
CANNOT_BE_SAID = {
    "INC-505": "an area is looked up within the country named: another's is not recognised (303)",
    "INC-506": "a second-level area is looked up within the first-level one (304)",
}


@dataclass(frozen=True)
class Run:
    """A whole run of the demo: written, judged, published."""

    settings: Settings
    truth: pd.DataFrame
    records: pd.DataFrame
    verdicts: dict[str, Verdict]


@pytest.fixture(scope="module")
def run(demo_home: Settings) -> Run:
    found = {one.delivery_id: verdict_of(one) for one in list_deliveries(demo_home)}
    return Run(
        demo_home,
        pd.read_parquet(demo_home.home / "demo" / "ground_truth.parquet"),
        pd.read_parquet(demo_home.home / "demo" / "ground_truth_records.parquet"),
        {delivery_id: verdict for delivery_id, verdict in found.items() if verdict is not None},
    )


@pytest.fixture(scope="module")
def tables(run: Run) -> Iterator[duckdb.DuckDBPyConnection]:
    with pipelines.connect(run.settings) as connection:
        yield connection


def judged(run: Run, feed: str) -> pd.DataFrame:
    """Every row of a feed's deliveries as the pipeline judged it, by delivery and row."""
    parts = []
    for delivery_id in run.truth.loc[run.truth["feed"] == feed, "delivery_id"].unique():
        folder = open_delivery(run.settings, delivery_id).folder
        for part in ("accepted", "quarantined", "duplicates"):
            rows = duckdb.sql(f"FROM read_parquet('{folder}/{part}.parquet')").df()
            verdict = part.removesuffix("s")
            parts.append(rows.assign(delivery_id=delivery_id, got=verdict))
    return pd.concat(parts).set_index(["delivery_id", "source_row"]).sort_index()


def expected(run: Run, feed: str) -> pd.DataFrame:
    """The truth of a feed's rows; a file sent twice is one delivery."""
    rows = run.truth[run.truth["feed"] == feed]
    rows = rows.drop_duplicates(["delivery_id", "source_row"])
    return rows.set_index(["delivery_id", "source_row"]).sort_index()


def differing(column: str, want: pd.Series, got: pd.Series) -> pd.Series:
    """True where two values differ; both missing is no difference."""
    if column in ("latitude_deg", "longitude_deg"):
        gap = (want.astype(float) - got.astype(float)).abs()
        return ~((gap <= POSITION_TOLERANCE_DEG) | (want.isna() & got.isna()))
    if pd.api.types.is_numeric_dtype(got):
        gap = (want.astype(float) - got.astype(float)).abs()
        return ~((gap <= 1e-6 * got.astype(float).abs()) | (want.isna() & got.isna()))
    same = want.astype(object) == got.astype(object)
    return ~(same.fillna(False).astype(bool) | (want.isna() & got.isna()))


def sample(rows: pd.DataFrame) -> str:
    """A few rows for a message."""
    return f"{len(rows)} rows\n{rows.head(8).to_string()}"


def test_every_delivery_is_accepted_and_counted(run: Run) -> None:
    assert {v.delivery_id: v.state for v in run.verdicts.values()} == dict.fromkeys(
        run.truth["delivery_id"].unique(), "accepted"
    )
    rows = run.truth.drop_duplicates(["delivery_id", "source_row"])
    for delivery_id, verdicts in rows.groupby("delivery_id")["verdict"]:
        count = verdicts.value_counts()
        verdict = run.verdicts[delivery_id]
        assert verdict.rows_read == len(verdicts)
        assert verdict.rows_accepted == count.get("accepted", 0)
        assert verdict.rows_quarantined == count.get("quarantined", 0)
        assert verdict.rows_exact_duplicates == count.get("duplicate", 0)


@pytest.mark.parametrize("feed", FEEDS)
def test_every_row_has_its_verdict(run: Run, feed: str) -> None:
    want, got = expected(run, feed), judged(run, feed)
    assert want.index.tolist() == got.index.tolist(), "rows lost or invented"
    got = got.set_axis(want.index)
    wrong = want["verdict"] != got["got"]
    assert not wrong.any(), sample(want[wrong][["verdict", "rule_codes"]].join(got["got"]))


@pytest.mark.parametrize("feed", FEEDS)
def test_every_row_raises_just_its_codes(run: Run, feed: str) -> None:
    want = expected(run, feed)
    want = want[want["verdict"] != "duplicate"]
    got = judged(run, feed).loc[want.index]
    raised = [sorted([*r, *q]) for r, q in zip(got["reasons"], got["quality_flags"], strict=True)]
    both = pd.DataFrame(
        {"want": [sorted(codes) for codes in want["rule_codes"]], "got": raised}, index=want.index
    )
    wrong = both["want"] != both["got"]
    assert not wrong.any(), sample(both[wrong])


@pytest.mark.parametrize("feed", FEEDS)
def test_accepted_rows_have_the_values_that_were_meant(run: Run, feed: str) -> None:
    stated = set(expected(run, feed).dropna(axis="columns", how="all")) - set(TRUTH_COLUMNS)
    want = expected(run, feed)
    want = want[want["verdict"] == "accepted"]
    got = judged(run, feed).loc[want.index].set_axis(want.index)
    columns = [c for c in sorted(stated) if c in got]
    assert len(columns) > 6
    wrong = {c: differing(c, want[c], got[c]) for c in columns}
    found = [
        f"{c}: {sample(pd.DataFrame({'want': want[c][bad], 'got': got[c][bad]}))}"
        for c, bad in wrong.items()
        if bad.any()
    ]
    assert not found, "\n".join(found)


@pytest.mark.parametrize("table", table_names("data"))
def test_the_tables_hold_the_latest_revision_of_every_record(
    run: Run, tables: duckdb.DuckDBPyConnection, table: str
) -> None:
    want = run.records[run.records["table_name"] == table].set_index("record_id")
    got = tables.sql(f"SELECT record_id, delivery_id, source_row FROM {table}").df()
    got = got.set_index("record_id").sort_index()
    present = want[~want["is_withdrawn"].astype(bool)].sort_index()
    assert got.index.tolist() == present.index.tolist()
    latest = (
        tables.sql(f"SELECT record_id, is_withdrawn FROM {table}_history WHERE is_latest")
        .df()
        .set_index("record_id")["is_withdrawn"]
    )
    assert latest.sort_index().to_dict() == want["is_withdrawn"].astype(bool).to_dict()


@pytest.mark.parametrize(
    ("table", "columns"),
    [
        (
            "incidents",
            ["suspects_total", "arrested_total", "incident_status", "occurred_at", "occurred_on"],
        ),
        ("border_crossings", ["direction", "border_point_code", "occurred_at", "occurred_on"]),
        ("border_flows", ["travellers_count", "direction", "period_start", "occurred_on"]),
        ("seizures", ["seizure_kind", "quantity", "occurred_at", "occurred_on"]),
        ("capability_pledges", ["pledge_state", "state_on", "readiness_level", "units_count"]),
        ("deployments", ["personnel_count", "contributing_country", "reporting_month"]),
        ("support_offers", ["support_state", "capacity_persons", "declared_on", "state_on"]),
        ("support_needs", ["support_state", "capacity_persons", "declared_on", "need_priority"]),
    ],
)
def test_published_values_are_those_of_the_latest_revision(
    run: Run, tables: duckdb.DuckDBPyConnection, table: str, columns: list[str]
) -> None:
    want = run.records[run.records["table_name"] == table].set_index("record_id")
    listed = ", ".join(["record_id", *columns])
    got = tables.sql(f"SELECT {listed} FROM {table}").df().set_index("record_id")
    want = want.loc[got.index]
    for column in columns:
        wrong = differing(column, want[column], got[column])
        assert not wrong.any(), sample(pd.DataFrame({"want": want[column], "got": got[column]}))


def test_rejections_are_the_errors_of_the_truth(
    run: Run, tables: duckdb.DuckDBPyConnection
) -> None:
    rows = run.truth.drop_duplicates(["delivery_id", "source_row"])
    pairs = rows.explode("rule_codes").dropna(subset="rule_codes")
    pairs = pairs[pairs["rule_codes"].isin(error_codes())]
    want = set(zip(pairs["delivery_id"], pairs["source_row"], pairs["rule_codes"], strict=True))
    listed = "SELECT delivery_id, source_row, rule_code FROM rejections"
    got: list[Any] = tables.sql(listed).fetchall()
    assert len(got) == len(set(got))
    assert set(got) == want


def test_every_rule_of_incidents_is_broken_somewhere(run: Run) -> None:
    rows = run.truth[run.truth["table_name"] == "incidents"]
    broken = set(rows["rule_codes"].explode().dropna())
    declared = {rule.code for rule in load_contract("incidents").rules}
    assert declared - broken == set(CANNOT_BE_SAID)


@pytest.mark.parametrize("feed", INCIDENT_FEEDS)
def test_about_one_row_in_a_hundred_breaks_each_rule_that_the_feed_can_break(
    run: Run, feed: str
) -> None:
    rows = run.truth[run.truth["feed"] == feed].drop_duplicates(["delivery_id", "source_row"])
    shares = rows["rule_codes"].explode().value_counts() / len(rows)
    assert 0.004 < shares.median() < 0.016
    assert shares.max() < 0.05


def test_police_and_missions_tell_some_of_the_same_events(run: Run) -> None:
    rows = run.truth[
        (run.truth["table_name"] == "incidents") & (run.truth["verdict"] == "accepted")
    ]
    is_mission = rows["source"].str.endswith("_unpol")
    shared = set(rows.loc[is_mission, "event_id"]) & set(rows.loc[~is_mission, "event_id"])
    assert 0.15 < len(shared) / rows["event_id"].nunique() < 0.40


def test_south_sudan_changed_its_clock(tables: duckdb.DuckDBPyConnection) -> None:
    """Local times without an offset are read by the clock of their day, UTC+3 then UTC+2."""
    hours = tables.sql(
        """
        SELECT DISTINCT occurred_at >= TIMESTAMP '2021-01-31 21:00:00' AS is_after,
               date_diff('hour', occurred_at, strptime(occurred_at_text, '%Y-%m-%dT%H:%M')) AS hours
        FROM incidents
        WHERE record_id LIKE 'unmiss_unpol:UNPOL-SSD-HIST-%' AND occurred_at_precision = 'minute'
        ORDER BY ALL
        """
    ).fetchall()
    assert hours == [(False, 3), (True, 2)]
