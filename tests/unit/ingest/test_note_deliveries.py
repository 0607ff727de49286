"""Deliveries in the ledger: each verdict and each publication once, also after a kill."""

from __future__ import annotations

from dataclasses import replace

import pytest
import sqlalchemy as sa
from upath import UPath

from pipelines.ingest.inbox import ingest_inbox
from pipelines.ingest.ingest import ingest, judge
from pipelines.ingest.publish import catch_up, publish
from pipelines.lake.publish import publish as publish_to_lake
from pipelines.ledger.chain import entries
from pipelines.ledger.database import dispose, engine, sqlite_file
from pipelines.ledger.errors import LedgerError
from pipelines.ledger.verify import verify
from schemas.feed import FEEDS_FOLDER

FEED = "caf_gendarmerie_incidents"
EXAMPLES = sorted((FEEDS_FOLDER / FEED / "examples").iterdir())


@pytest.fixture
def refused_file(tmp_path):
    file = tmp_path / "wrong_columns.csv"
    file.write_text("a;b\n1;2\n", encoding="ascii")
    return file


def said(settings) -> list[tuple[str, str]]:
    found = entries(settings, events=["delivery.judged", "delivery.published"], size=1000).entries
    return [(entry.event, entry.subject) for entry in reversed(found)]


def test_a_verdict_is_written_down_once(place, refused_file):
    verdict = ingest(place, FEED, EXAMPLES[0], received_by="desk.1")
    again = ingest(place, FEED, EXAMPLES[0], received_by="desk.2", again=True)
    wrong = ingest(place, FEED, refused_file)
    assert again == verdict
    assert said(place) == [
        ("delivery.judged", verdict.delivery_id),
        ("delivery.judged", wrong.delivery_id),
    ]
    second, first = entries(place, events=["delivery.judged"]).entries
    assert (first.actor, first.organisation) == ("desk.1", "caf_gendarmerie")
    assert first.details["rows_accepted"] == verdict.rows_accepted
    assert (second.details["state"], bool(second.details["codes"])) == ("refused", True)
    assert EXAMPLES[0].name not in repr((first, second))


def test_a_refused_delivery_that_is_judged_again_is_written_down_again(place, refused_file):
    wrong = ingest(place, FEED, refused_file)
    judge(place, wrong.delivery_id, again=True)
    assert said(place) == [("delivery.judged", wrong.delivery_id)] * 2


def test_publishing_is_written_down_once(place, refused_file):
    verdict = ingest(place, FEED, EXAMPLES[0])
    ingest(place, FEED, refused_file)
    for _ in range(2):
        publish(place, actor="jma.1")
    [entry] = entries(place, events=["delivery.published"]).entries
    assert (entry.subject, entry.actor) == (verdict.delivery_id, "jma.1")
    assert entry.details["rows"] == verdict.rows_accepted
    assert entries(place, events=["policy.changed"]).total == 1
    assert verify(place) == []


def test_what_was_killed_before_its_entry_gets_it_at_the_next_publish(place, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr("pipelines.ingest.ingest.note_judged", lambda *arguments: None)
        verdict = ingest(place, FEED, EXAMPLES[0])
    publish_to_lake(place)
    assert said(place) == []
    for _ in range(2):
        publish(place)
    names = ("delivery.judged", "delivery.published")
    assert said(place) == [(name, verdict.delivery_id) for name in names]


def test_the_inbox_is_written_down_together(place, refused_file, monkeypatch):
    folder = place.home / "inbox" / FEED
    folder.mkdir(parents=True)
    for file in (*EXAMPLES, refused_file):
        (folder / file.name).write_bytes(file.read_bytes())
    transactions = []

    def counted(settings, new):
        transactions.append(len(new))
        return real(settings, new)

    from pipelines.ingest import publish as deliveries

    real = deliveries.append_all
    monkeypatch.setattr(deliveries, "append_all", counted)
    settings = replace(place, inbox=UPath(place.home / "inbox"))
    verdicts = ingest_inbox(settings)
    assert transactions == [len(EXAMPLES) + 1]
    assert sorted(said(place)) == sorted(("delivery.judged", v.delivery_id) for v in verdicts)


def test_nothing_is_published_while_the_ledger_cannot_be_written(place, monkeypatch):
    ingest(place, FEED, EXAMPLES[0])
    with engine(place).begin() as connection:
        if sqlite_file(place):
            connection.exec_driver_sql(
                "CREATE TRIGGER full_disk BEFORE UPDATE ON ledger_head "
                "BEGIN SELECT RAISE(ABORT, 'disk full'); END"
            )
        else:
            connection.exec_driver_sql(
                "CREATE TRIGGER full_disk BEFORE UPDATE ON ledger_head "
                "FOR EACH ROW EXECUTE FUNCTION ledger_refuse()"
            )
    with pytest.raises(LedgerError) as stopped:
        publish(place)
    assert stopped.value.code == "LED-401"
    assert not place.catalogue.exists()
    with engine(place).begin() as connection:
        table = "" if sqlite_file(place) else " ON ledger_head"
        connection.execute(sa.text(f"DROP TRIGGER full_disk{table}"))
    assert len(publish(place).deliveries) == 1
    dispose(place)


def test_before_the_first_publish_there_is_nothing_to_catch_up_with(place):
    catch_up(place)
    assert said(place) == []
