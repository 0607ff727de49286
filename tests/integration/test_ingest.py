"""The boundary of a delivery: what goes wrong with one is recorded and stops no other.

Not here: hostile files one by one (`tests/faults`), and what the stages do with good ones.
"""

from __future__ import annotations

import datetime as dt
import logging
import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from upath import UPath

import pipelines
import pipelines.harmonise.run as harmonising
import pipelines.ingest.ingest as module
from pipelines.core.findings import DeliveryError
from pipelines.core.settings import Settings, settings_for
from pipelines.ingest.inbox import ingest_inbox
from pipelines.ingest.ingest import ingest, judge, land, land_again
from pipelines.lake.maintenance import check
from pipelines.lake.publish import publish
from pipelines.landing.receive import list_deliveries, open_delivery
from schemas.feed import load_feed

FEED = "caf_gendarmerie_incidents"
OTHER = "cod_pnc_incidents"

pytestmark = pytest.mark.usefixtures("audit_agrees")


@pytest.fixture
def place(tmp_path: Path) -> Settings:
    return settings_for(tmp_path / "home", memory_limit="512MB", threads=1).prepare()


def example(feed: str = FEED, number: int = 0) -> Path:
    return load_feed(feed).examples()[number]


def deliver(place: Settings, source: Path, feed: str = FEED, name: str = "") -> Path:
    folder = Path(str(place.inbox)) / feed
    folder.mkdir(parents=True, exist_ok=True)
    return Path(shutil.copy(source, folder / (name or source.name)))


def test_an_error_of_ours_refuses_one_delivery_and_says_nothing_of_its_cells(
    place, monkeypatch, caplog
):
    deliver(place, example())
    deliver(place, example(OTHER), OTHER)
    real = module.harmonise

    def broken(settings, delivery, folder):
        if delivery.feed == FEED:
            raise ZeroDivisionError("cell: Jean Dupont")
        return real(settings, delivery, folder)

    monkeypatch.setattr(module, "harmonise", broken)
    with caplog.at_level(logging.DEBUG):
        states = {verdict.feed: verdict for verdict in ingest_inbox(place)}
    assert states[OTHER].is_accepted
    [finding] = states[FEED].findings
    assert finding.code == "DEL-726"
    assert str(finding.values["reference"]) in caplog.text
    assert "ZeroDivisionError" in caplog.text
    assert "Jean Dupont" not in caplog.text
    assert "Jean Dupont" not in states[FEED].model_dump_json()


def test_a_failing_disk_says_nothing_of_the_delivery_and_it_is_tried_again(place, monkeypatch):
    deliver(place, example())
    deliver(place, example(OTHER), OTHER)
    real = module.harmonise

    def failing(settings, delivery, folder):
        if delivery.feed == FEED:
            raise OSError(28, "No space left on device", "/scratch/x")
        return real(settings, delivery, folder)

    monkeypatch.setattr(module, "harmonise", failing)
    problems = []
    verdicts = ingest_inbox(place, on_problem=problems.append)
    assert [verdict.feed for verdict in verdicts] == [OTHER]
    assert [(p.code, p.values["location"]) for p in problems] == [("DEL-722", "/scratch/x")]
    monkeypatch.undo()
    assert [verdict.feed for verdict in ingest_inbox(place)] == [FEED]
    assert ingest_inbox(place) == []


def test_where_a_verdict_is_its_three_files_are(place):
    verdict = ingest(place, FEED, example())
    [delivery] = list_deliveries(place)
    names = {file.name for file in delivery.folder.iterdir()}
    assert {"accepted.parquet", "quarantined.parquet", "duplicates.parquet"} <= names
    assert verdict.is_accepted
    assert verdict.audit is not None
    assert verdict.audit.is_success


def test_a_kill_before_the_verdict_leaves_a_delivery_to_be_judged_again(place, monkeypatch):
    delivery = land(place, FEED, example())

    def killed(*_arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(module, "write_verdict", killed)
    with pytest.raises(KeyboardInterrupt):
        judge(place, delivery.delivery_id)
    monkeypatch.undo()
    assert judge(place, delivery.delivery_id).is_accepted
    assert list(place.scratch.glob("judge-*")) == []


def test_a_refused_delivery_is_judged_anew_once_something_was_mended(place, monkeypatch):
    """The lake follows: one row in `deliveries`, no finding in `rejections`, the rows there."""
    file = deliver(place, example())
    deliver(place, example(OTHER), OTHER)
    real = module.harmonise

    def broken(settings, delivery, folder):
        if delivery.feed == FEED:
            raise ZeroDivisionError
        return real(settings, delivery, folder)

    monkeypatch.setattr(module, "harmonise", broken)
    ingest_inbox(place)
    publish(place)
    assert account(place) == [("refused", 0, 1)]
    monkeypatch.undo()
    assert ingest_inbox(place) == [], "nothing changed, so nothing is judged again"
    assert not ingest(place, FEED, file).is_accepted
    verdict = ingest(place, FEED, file, again=True)
    assert verdict.is_accepted
    assert publish(place).deliveries == (verdict.delivery_id,)
    assert account(place) == [("accepted", verdict.rows_accepted, 0)]
    assert check(place) == []
    assert publish(place).deliveries == ()


def test_a_refusal_never_takes_the_place_of_an_acceptance(place, monkeypatch):
    delivery = land(place, FEED, example())

    def overtaken(*_arguments):
        monkeypatch.undo()
        assert judge(place, delivery.delivery_id).is_accepted
        raise ZeroDivisionError

    monkeypatch.setattr(module, "harmonise", overtaken)
    assert judge(place, delivery.delivery_id).is_accepted
    assert judge(place, delivery.delivery_id, again=True).is_accepted


def test_rows_that_are_not_conserved_are_our_fault_and_are_counted_in_words(place, monkeypatch):
    monkeypatch.setattr(harmonising, "_count", lambda *_: 7)
    verdict = ingest(place, FEED, example())
    [stored] = verdict.findings
    assert (verdict.state, stored.code) == ("refused", "DEL-723")
    for language in ("en", "fr"):
        text = stored.finding.text(language)
        assert example().name in text and "21" in text and "…" not in text
    monkeypatch.undo()
    assert ingest(place, FEED, example(), again=True).is_accepted


def account(place: Settings) -> list[tuple[str, int, int]]:
    """State, rows in the table and findings of the deliveries of FEED."""
    with pipelines.connect(place) as connection:
        return connection.execute(
            """
            SELECT state,
                   (SELECT count(*) FROM incidents_history i WHERE i.delivery_id = d.delivery_id),
                   (SELECT count(*) FROM rejections r
                    WHERE r.delivery_id = d.delivery_id AND source_row IS NULL)
            FROM deliveries d WHERE feed = ?
            """,
            [FEED],
        ).fetchall()


def test_another_version_of_the_feed_opens_a_refusal_again(place, monkeypatch):
    deliver(place, example())
    monkeypatch.setattr(module, "harmonise", lambda *_: 1 / 0)
    assert not ingest_inbox(place)[0].is_accepted
    monkeypatch.undo()
    monkeypatch.setattr(module, "PROGRAM_VERSION", "999")
    assert ingest_inbox(place)[0].is_accepted


def test_a_feed_that_is_not_declared_is_a_finding(place):
    with pytest.raises(DeliveryError) as refused:
        ingest(place, "nobody", example())
    assert [finding.code for finding in refused.value.findings] == ["DEL-721"]


def test_a_delivery_is_found_again_by_its_content_alone(place):
    first = land(place, FEED, example())
    assert land_again(place, first.delivery_id).folder == first.folder
    shutil.rmtree(str(place.landing))
    with pytest.raises(KeyError):
        land_again(place, first.delivery_id)
    deliver(place, example(), name="another_name.csv")
    assert land_again(place, first.delivery_id).sha256 == first.sha256


def test_equal_contents_are_judged_once(place):
    for name in ("a.csv", "b.csv", "c.csv"):
        deliver(place, example(), name=name)
    assert len(ingest_inbox(place)) == 1


def test_of_equal_contents_the_one_that_came_first_is_taken(place):
    for name, day in (("a.csv", 3), ("b.csv", 2), ("c.csv", 4)):
        sent = deliver(place, example(), name=name)
        moment = dt.datetime(2026, 10, day, tzinfo=dt.UTC)
        os.utime(sent, (moment.timestamp(), moment.timestamp()))
    (verdict,) = ingest_inbox(place)
    assert open_delivery(place, verdict.delivery_id).receipt.received_at.day == 2


def test_partial_and_hidden_files_are_left_alone(place):
    for name in (".a.csv", "~$a.csv", "a.csv.part", "a.csv.filepart"):
        deliver(place, example(), name=name)
    assert ingest_inbox(place) == []


def test_workers_give_the_verdicts_that_one_process_gives(place, tmp_path):
    feeds = [FEED, OTHER, "unpol_border_seizures", "iom_dtm_border_flows"]
    for feed in feeds:
        for source in load_feed(feed).examples()[:2]:
            deliver(place, source, feed)
    other = settings_for(tmp_path / "other", memory_limit="512MB").prepare()
    shutil.copytree(str(place.inbox), str(other.inbox), dirs_exist_ok=True)
    seen: list[tuple[int, int]] = []
    alone = ingest_inbox(place, on_progress=lambda done, total, _what: seen.append((done, total)))
    together = ingest_inbox(other, workers=2)
    varying = {"harmonised_at", "audit"}
    assert len(alone) >= module.FEWEST_TO_SPREAD
    assert [v.model_dump(exclude=varying) for v in alone] == [
        v.model_dump(exclude=varying) for v in together
    ]
    assert seen[-1] == (len(alone), len(alone))


def test_an_inbox_and_a_landing_may_be_addresses(place):
    away = replace(
        place, inbox=UPath("memory://ingest/inbox"), landing=UPath("memory://ingest/landing")
    )
    target = away.inbox / FEED / "registre.csv"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(example().read_bytes())
    [verdict] = ingest_inbox(away)
    assert verdict.is_accepted
    assert ingest_inbox(away) == []
    [delivery] = list_deliveries(away)
    with module.local_part(away, delivery, "accepted") as part:
        assert part.stat().st_size > 0
