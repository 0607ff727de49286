"""A mended feed: accepted deliveries judged again, shown first, kept in history, in the ledger.

Not here: what another judgement does to the tables (`tests/unit/lake/test_rejudgement.py`).
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import duckdb
import pytest

import schemas.feed
from pipelines import connect
from pipelines.cli import main
from pipelines.core.settings import Settings, settings_for
from pipelines.ingest.ingest import ingest
from pipelines.ingest.publish import publish
from pipelines.lake.maintenance import check
from pipelines.landing.receive import list_deliveries
from pipelines.ledger.chain import entries
from pipelines.ledger.verify import check as check_ledger
from pipelines.validate.verdict import earlier_verdicts, verdict_of
from tests.fixtures.home_0_1 import POLICE, deliveries

pytestmark = pytest.mark.usefixtures("audit_agrees")

[BOOK] = [
    content for feed, name, _day, content in deliveries() if (feed, name[:3]) == (POLICE, "mai")
]


@pytest.fixture
def mended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    """Six records published, one row rejected for a word that the crosswalk lacks; then it is in.

    Another word was read for the wrong offence. One extract holds a record that this changes.
    """
    monkeypatch.setenv("PASSERELLE_HOME", str(tmp_path / "home"))
    settings = settings_for(tmp_path / "home").prepare()
    last = BOOK.decode("utf-8-sig").splitlines()[-1]
    lines = (
        BOOK + (last.replace("00016", "00017").replace("CBVA", "Vol de pirogue") + "\n").encode()
    )
    file = tmp_path / "mai.csv"
    file.write_bytes(lines.replace(b"00016;;Ciat Goma;", b"00016;;Ciat Sake;"))
    verdict = ingest(settings, POLICE, file)
    assert (verdict.rows_accepted, verdict.rows_quarantined) == (6, 1)
    publish(settings)
    settings.release_records.mkdir(exist_ok=True)
    with closing(duckdb.connect()) as connection:
        held = (
            "SELECT 'cod_pnc:PNC/CD61/2026/00011' AS record_id, 'x' AS given_as, 'c/P1' AS clause"
        )
        target = settings.release_records / "91ad16ea3654.parquet"
        connection.execute(f"COPY ({held}, 'records' AS form) TO '{target}' (FORMAT parquet)")
    feeds = tmp_path / "feeds"
    shutil.copytree(schemas.feed.FEEDS_FOLDER / POLICE, feeds / POLICE)
    words = feeds / POLICE / "crosswalks" / "offences.csv"
    text = words.read_text(encoding="utf-8").replace("CBVA,0201", "CBVA,0101")
    words.write_text(text + "Vol de pirogue,0502,\n", encoding="utf-8")
    monkeypatch.setattr(schemas.feed, "FEEDS_FOLDER", feeds)
    yield settings


def run(capsys: pytest.CaptureFixture[str], *line: str) -> dict[str, Any]:
    assert main([*line, "--json"]) == 0
    said: dict[str, Any] = json.loads(capsys.readouterr().out)
    return said


def test_the_change_is_shown_and_made_only_when_it_is_wished(mended, capsys):
    shown = run(capsys, "delivery", "rejudge", POLICE)
    assert not shown["done"]
    [table] = shown["tables"]
    assert table["rows"] == {"changed": 6, "come": 1, "gone": 0}
    assert table["columns"]["offence_code"] == 6
    assert [(one["extract_id"], one["records"]) for one in table["extracts"]] == [
        ("91ad16ea3654", 1)
    ]
    [delivery] = list_deliveries(mended)
    assert earlier_verdicts(delivery.folder) == []
    assert offences(mended, "incidents") == [("0201", 6)]

    assert run(capsys, "delivery", "rejudge", delivery.delivery_id, "--yes")["done"]
    assert offences(mended, "incidents") == [("0101", 6), ("0502", 1)]
    assert offences(mended, "incidents_history") == [("0101", 6), ("0201", 6), ("0502", 1)]
    assert check(mended) == []
    [first] = earlier_verdicts(delivery.folder)
    verdict = verdict_of(delivery)
    assert verdict is not None
    assert (first.rows_accepted, verdict.rows_accepted) == (6, 7)
    [noted] = entries(mended, events=["delivery.rejudged"]).entries
    assert noted.details["rows"] == {"changed": 6, "come": 1, "gone": 0}
    assert len(entries(mended, events=["delivery.judged"]).entries) == 2
    assert check_ledger(mended).faults == ()
    assert run(capsys, "delivery", "rejudge", POLICE)["deliveries"] == []


def test_deliveries_received_before_the_day_are_left_alone(mended, capsys):
    assert run(capsys, "delivery", "rejudge", POLICE, "--since", "2999-01-01")["deliveries"] == []


def offences(settings: Settings, relation: str) -> list[tuple[Any, ...]]:
    with closing(connect(settings)) as connection:
        query = f"SELECT offence_code, count(*) FROM {relation} GROUP BY 1 ORDER BY 1"
        return connection.execute(query).fetchall()
