"""Real deliveries from file to table: what the feeds' examples say is what analysts find."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from pipelines import connect
from pipelines.core.settings import Settings, settings_for
from pipelines.ingest.ingest import ingest
from pipelines.lake.maintenance import check, compact
from pipelines.lake.publish import publish
from pipelines.validate.verdict import Verdict
from schemas.contract import load_contract, table_names
from schemas.feed import FEEDS_FOLDER

FEEDS = (
    "caf_gendarmerie_incidents",
    "cod_dgm_border_crossings",
    "iom_dtm_border_flows",
    "unpol_border_seizures",
    "dpo_police_deployments",
    "dpo_capability_pledges",
    "lcm_support_offers",
    "lcm_support_needs",
)

pytestmark = pytest.mark.usefixtures("audit_agrees")


def place(folder: Path) -> Settings:
    return settings_for(folder, memory_limit="512MB", threads=2)


@pytest.fixture(scope="module")
def judged(tmp_path_factory) -> tuple[Settings, list[Verdict]]:
    """A landing place with the examples of one feed a table, and one file that is refused."""
    settings = place(tmp_path_factory.mktemp("home"))
    wrong = tmp_path_factory.mktemp("sent") / "wrong_columns.csv"
    wrong.write_text("a;b\n1;2\n", encoding="ascii")
    verdicts = [ingest(settings, FEEDS[0], wrong)]
    for feed in FEEDS:
        for file in sorted((FEEDS_FOLDER / feed / "examples").iterdir()):
            verdicts.append(ingest(settings, feed, file))
    return settings, verdicts


def all_rows(settings: Settings) -> dict[str, list[tuple]]:
    relations = [f"{table}{kind}" for table in table_names("data") for kind in ("", "_history")]
    with connect(settings) as connection:
        return {
            relation: connection.execute(f"FROM {relation} ORDER BY ALL").fetchall()
            for relation in [*relations, "deliveries", "rejections"]
        }


@pytest.fixture(scope="module")
def together(judged, tmp_path_factory) -> tuple[Settings, dict[str, list[tuple]]]:
    settings, _ = judged
    publish(settings)
    return settings, all_rows(settings)


def test_every_accepted_row_is_there_and_every_rejected_one_is_listed(judged, together):
    _, verdicts = judged
    settings, rows = together
    assert [verdict.state for verdict in verdicts].count("refused") == 1
    assert check(settings) == []
    for table in table_names("data"):
        mine = [verdict for verdict in verdicts if verdict.table_name == table]
        assert len(rows[f"{table}_history"]) == sum(v.rows_accepted for v in mine if v.is_accepted)
        assert 0 < len(rows[table]) <= len(rows[f"{table}_history"])
    reasons: dict[str, int] = {}
    for verdict in verdicts:
        for code, count in verdict.reason_counts.items():
            reasons[code] = reasons.get(code, 0) + count * verdict.is_accepted
    with connect(settings) as connection:
        listed = connection.execute(
            "SELECT rule_code, count(*) FROM rejections WHERE source_row IS NOT NULL GROUP BY ALL"
        ).fetchall()
    assert dict(listed) == {code: count for code, count in reasons.items() if count}


def test_required_columns_are_filled(together):
    settings, _ = together
    with connect(settings) as connection:
        for table in table_names("data"):
            for column in load_contract(table).published:
                if column.is_required:
                    query = f"SELECT count(*) FROM {table}_history WHERE {column.name} IS NULL"
                    assert connection.execute(query).fetchone() == (0,), f"{table}.{column.name}"


def test_one_at_a_time_backwards_twice_and_compacted_gives_the_same(judged, together, tmp_path):
    settings, verdicts = judged
    other = place(tmp_path)
    shutil.copytree(str(settings.landing), str(other.landing))
    for verdict in reversed(verdicts):
        for _ in range(2):
            publish(other, [verdict.delivery_id])
    compact(other)
    assert all_rows(other) == together[1]
    assert check(other) == []


def test_a_query_that_began_before_a_publish_ends_with_the_rows_it_began_with(judged, tmp_path):
    settings, verdicts = judged
    other = place(tmp_path)
    shutil.copytree(str(settings.landing), str(other.landing))
    publish(other, [verdicts[1].delivery_id])
    with connect(other) as reader:
        rows = reader.execute("FROM incidents_history")
        begun = rows.fetchmany(5)
        publish(other)
        compact(other)
        assert len(begun) + len(rows.fetchall()) == verdicts[1].rows_accepted
        assert reader.execute("SELECT count(*) FROM deliveries").fetchone() == (1,)
    with connect(other) as reader:
        assert reader.execute("SELECT count(*) FROM deliveries").fetchone() == (len(verdicts),)
