"""The demo as written: the same bytes every time, times of arrival, a truth that adds up."""

from __future__ import annotations

import datetime as dt
import hashlib
from pathlib import Path

import pandas as pd
import pytest

from pipelines.core.settings import settings_for
from pipelines.demo import DemoSummary, write_demo
from pipelines.demo.world import build_world
from pipelines.demo.writer import FEEDS, expected_records, feed_deliveries
from schemas.feed import load_feed

SCALE = 0.4


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> DemoSummary:
    return write_demo(settings_for(tmp_path_factory.mktemp("demo")).prepare(), scale=SCALE)


@pytest.fixture(scope="module")
def truth(demo: DemoSummary) -> pd.DataFrame:
    return pd.read_parquet(demo.folder / "ground_truth.parquet")


@pytest.mark.parametrize("feed", FEEDS)
def test_same_seed_gives_the_same_bytes(demo: DemoSummary, feed: str) -> None:
    written = {p.name: p.read_bytes() for p in demo.files if p.parent.name == feed}
    again = feed_deliveries(build_world(demo.seed, SCALE), feed)
    assert {d.file_name: d.content for d in again} == written


def test_files_lie_in_the_inbox_and_the_truth_does_not(demo: DemoSummary) -> None:
    assert {path.parent.parent.name for path in demo.files} == {"inbox"}
    assert {path.parent.name for path in demo.files} == set(FEEDS)
    assert sorted(p.name for p in demo.folder.iterdir()) == [
        "events.parquet",
        "ground_truth.parquet",
        "ground_truth_records.parquet",
    ]


def test_one_file_arrives_twice_under_two_names(demo: DemoSummary) -> None:
    hashes = [hashlib.sha256(path.read_bytes()).hexdigest() for path in demo.files]
    assert len(hashes) == len(set(hashes)) + 1


def test_the_time_of_change_is_the_time_of_arrival(demo: DemoSummary, truth: pd.DataFrame) -> None:
    for path in demo.files:
        arrival = truth.loc[truth["file_name"] == path.name, "received_at"].iloc[0]
        changed = dt.datetime.fromtimestamp(path.stat().st_mtime, dt.UTC).replace(tzinfo=None)
        assert changed == arrival
        assert dt.datetime(2026, 5, 1) < changed < dt.datetime(2026, 12, 1)


def test_the_truth_counts_every_row_once(demo: DemoSummary, truth: pd.DataFrame) -> None:
    assert len(truth) == demo.rows == sum(demo.verdicts.values())
    assert not truth.duplicated(["file_name", "source_row"]).any()
    has_code = truth["rule_codes"].str.len() > 0
    assert has_code[truth["verdict"] == "quarantined"].all()
    assert not has_code[truth["verdict"] == "duplicate"].any()


def test_every_declared_column_name_is_in_the_first_bytes_of_a_delivery(demo: DemoSummary) -> None:
    """No service writes a column that its feed neither maps nor ignores (text formats)."""
    for path in demo.files:
        feed = load_feed(path.parent.name)
        if feed.file[0].format != "csv":
            continue
        layout = feed.file[0]
        head = path.read_bytes().decode(layout.encoding).splitlines()[0].strip("\ufeff")
        assert set(head.split(layout.delimiter)) == {*feed.mapped_columns, *feed.ignore}


def test_the_last_told_revision_is_the_record_expected() -> None:
    rows = pd.DataFrame(
        {
            "delivery_id": ["a", "a", "b", "b"],
            "source_row": [2, 3, 2, 3],
            "table_name": "incidents",
            "source": "cod_pnc",
            "source_record_id": ["1", "2", "1", "2"],
            "verdict": ["accepted", "accepted", "accepted", "quarantined"],
            "received_at": pd.to_datetime(["2026-10-01", "2026-10-01", "2026-11-01", "2026-11-01"]),
            "source_revision": [0, 0, 1, 1],
            "is_withdrawn": [False, False, True, False],
        }
    )
    records = expected_records(rows).set_index("record_id")
    assert records["is_withdrawn"].to_dict() == {"cod_pnc:1": True, "cod_pnc:2": False}


def test_no_name_of_a_person_is_written(demo: DemoSummary) -> None:
    """Placeholders only: a word in capitals and a number."""
    placeholder = r"(PLAIGNANT|VICTIME|COMPLAINANT|OFFICER|AGENT) \d+"
    path = next(p for p in demo.files if p.parent.name == "caf_gendarmerie_incidents")
    names = pd.read_csv(path, sep=";", encoding="cp1252", dtype=str)["Identité de la victime"]
    assert names.str.fullmatch(placeholder).all()


def test_a_scale_too_small_to_show_a_rule_says_so(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no row left"):
        write_demo(settings_for(tmp_path).prepare(), scale=0.01, is_every_rule=True)
