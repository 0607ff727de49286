"""Dagster over real deliveries: what the sensor asks for, what a run records, what it must not say.

Not here: the asset graph itself (`tests/unit/assets`) and the stages that the assets call.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

import pipelines
import pipelines.inbox as module
from assets.automation import daily_round, done_elsewhere, inbox, lateness, publishing
from assets.definitions import defs
from assets.resources import Installation
from pipelines.ingest import ingest
from pipelines.lake.publish import publish
from pipelines.landing.answers import read_answer
from pipelines.landing.receive import list_deliveries
from pipelines.settings import Settings, settings_for
from pipelines.validate.verdict import JUDGEMENTS, write_verdict
from schemas.contract import table_names
from schemas.feed import load_feed

FEED = "caf_gendarmerie_incidents"
LANDED, HARMONISED = dg.AssetKey(["landed", FEED]), dg.AssetKey(["harmonised", FEED])


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """A home of its own, which the assets find in the environment as they always do."""
    monkeypatch.setenv("PASSERELLE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("PASSERELLE_LANG", "en")
    monkeypatch.delenv("PASSERELLE_DATA_DOCS_URL", raising=False)
    return settings_for(tmp_path / "home").prepare()


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral(tempdir=str(tmp_path)) as one:
        yield one


def deliver(place: Settings, source: Path, name: str = "", feed: str = FEED) -> Path:
    target = Path(str(place.inbox)) / feed / (name or source.name)
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)
    return target


def evaluate(sensor: Any, instance: dg.DagsterInstance, cursor: str | None = None) -> Any:
    resources = {"installation": Installation()}
    return sensor(dg.build_sensor_context(instance=instance, cursor=cursor, resources=resources))


def look_twice(instance: dg.DagsterInstance) -> Any:
    """The second look at the inbox: files that did not change since the first are taken in."""
    return evaluate(inbox, instance, evaluate(inbox, instance).cursor)


def skipped(result: dg.SensorResult) -> str:
    return str(result.skip_reason.skip_message) if result.skip_reason else ""


def run(instance: dg.DagsterInstance, delivery_id: str, tags: dict[str, str]) -> Any:
    instance.add_dynamic_partitions(f"deliveries/{FEED}", [delivery_id])
    job = defs.resolve_job_def(f"judge_{FEED}")
    return job.execute_in_process(instance=instance, partition_key=delivery_id, tags=tags)


def counterexample() -> tuple[Path, str]:
    """A counterexample of the feed that rejects rows, and the code that it raises."""
    pairs = load_feed(FEED).counterexamples().items()
    return next((path, code) for path, code in pairs if code.startswith("INC-"))


def test_a_new_file_asks_for_one_run_and_an_unchanged_one_for_none(place, instance):
    file = deliver(place, load_feed(FEED).examples()[0])
    first = look_twice(instance)
    [request] = first.run_requests
    [(path, (_size, _modified, sha256))] = json.loads(first.cursor).items()
    assert path == str(file)
    delivery_id = f"{FEED}.{sha256[:12]}"
    assert (request.job_name, request.run_key) == (f"judge_{FEED}", delivery_id)
    assert request.partition_key == delivery_id
    [partitions] = first.dynamic_partitions_requests
    assert partitions.partitions_def_name == f"deliveries/{FEED}"
    assert partitions.partition_keys == [delivery_id]
    again = evaluate(inbox, instance, first.cursor)
    assert not again.run_requests
    assert skipped(again) == "nothing new"


def test_a_file_that_is_still_arriving_is_left_until_it_stays_the_same(place, instance):
    file = deliver(place, load_feed(FEED).examples()[0])
    whole = file.read_bytes()
    cursor = None
    for part in (1, 2, 3):
        file.write_bytes(whole[: len(whole) * part // 3])
        tick = evaluate(inbox, instance, cursor)
        assert not tick.run_requests
        assert "may still be on their way: 1" in skipped(tick)
        cursor = tick.cursor
    [request] = evaluate(inbox, instance, cursor).run_requests
    assert request.run_key == f"{FEED}.{hashlib.sha256(whole).hexdigest()[:12]}"


def test_the_same_bytes_under_another_name_have_the_same_run_key(place, instance):
    source = load_feed(FEED).examples()[0]
    deliver(place, source)
    deliver(place, source, name="again.csv")
    keys = [request.run_key for request in look_twice(instance).run_requests]
    assert len(keys) == 2
    assert len(set(keys)) == 1


def test_a_file_is_read_again_only_where_its_size_or_time_changed(place, instance, monkeypatch):
    file = deliver(place, load_feed(FEED).examples()[0])
    cursor = look_twice(instance).cursor
    read: list[str] = []
    real = module.fingerprint
    monkeypatch.setattr(module, "fingerprint", lambda one: read.append(str(one)) or real(one))
    cursor = evaluate(inbox, instance, cursor).cursor
    assert read == []
    file.write_bytes(file.read_bytes() + b"\n")
    cursor = evaluate(inbox, instance, cursor).cursor
    assert len(evaluate(inbox, instance, cursor).run_requests) == 1
    assert read == [str(file)]


def test_a_folder_that_is_no_feed_is_named_and_stops_nothing(place, instance):
    deliver(place, load_feed(FEED).examples()[0], feed="caf_gendarmery")
    assert "caf_gendarmery" in skipped(evaluate(inbox, instance))
    deliver(place, load_feed(FEED).examples()[0])
    assert len(look_twice(instance).run_requests) == 1


def test_a_run_lands_judges_and_records_checks(place, instance):
    source, code = counterexample()
    file = deliver(place, source)
    [request] = look_twice(instance).run_requests
    result = run(instance, request.partition_key, dict(request.tags))
    assert result.success
    assert instance.get_materialized_partitions(LANDED) == {request.partition_key}
    assert instance.get_materialized_partitions(HARMONISED) == {request.partition_key}
    checks = {c.check_name: c for c in result.get_asset_check_evaluations()}
    assert checks["great_expectations"].passed
    assert checks["great_expectations"].metadata["expectations evaluated"].value > 50
    assert not checks["rejections"].passed
    assert checks["rejections"].severity is dg.AssetCheckSeverity.WARN
    assert checks["rejections"].metadata[code].value >= 1
    assert not look_twice(instance).run_requests, "a judged file asks for no further run"
    assert file.exists(), "the inbox is never emptied behind its owner's back"


def test_metadata_holds_counts_and_codes_but_no_cell(place, instance):
    source, code = counterexample()
    deliver(place, source)
    [request] = look_twice(instance).run_requests
    result = run(instance, request.partition_key, dict(request.tags))
    said = metadata_of(result)
    rows = result.asset_materializations_for_node(HARMONISED.to_python_identifier())[0].metadata
    parts = ("rows accepted", "rows quarantined", "identical copies")
    assert rows["rows in"].value == sum(rows[part].value for part in parts)
    assert f"| {code} |" in rows["rejections"].value
    for cell in distinctive_cells(source):
        assert cell not in said, "a cell of the delivery is shown in Dagster"


def metadata_of(result: Any) -> str:
    """Everything that a run says, as one text."""
    return "\n".join(
        f"{event.event_specific_data!r} {event.message}"
        for event in result.all_events
        if "FILE" not in str(event.event_type_value)
    )


def distinctive_cells(source: Path) -> set[str]:
    """Texts of the file long enough to be nobody else's: places, numbers of records, names."""
    feed = load_feed(FEED)
    lines = source.read_text(encoding=feed.file[0].encoding).splitlines()[1:]
    cells = {c.strip().strip('"') for line in lines for c in line.split(feed.file[0].delimiter)}
    codes = {"Vérifié", "Sans objet"}
    return {cell for cell in cells if len(cell) >= 10 and not cell.isdigit()} - codes


def test_a_refused_delivery_fails_its_check_and_not_its_run(place, instance, tmp_path):
    wrong = tmp_path / "registre.csv"
    wrong.write_text("a;b\n1;2\n", encoding="ascii")
    deliver(place, wrong)
    [request] = look_twice(instance).run_requests
    result = run(instance, request.partition_key, dict(request.tags))
    assert result.success
    checks = {c.check_name: c for c in result.get_asset_check_evaluations()}
    assert not checks["great_expectations"].passed
    assert checks["great_expectations"].severity is dg.AssetCheckSeverity.ERROR
    assert "DEL-714" in checks["great_expectations"].metadata["codes"].value
    assert "was not found in registre.csv" in (checks["great_expectations"].description or "")
    assert "Traceback" not in metadata_of(result)


def outcomes(instance: dg.DagsterInstance, name: str) -> dict[str | None, bool]:
    """What a check said last of each delivery."""
    key = dg.AssetCheckKey(HARMONISED, name)
    history = instance.event_log_storage.get_asset_check_execution_history(key, limit=100)
    said = {}
    for record in reversed(history):
        evaluation = record.event.dagster_event.event_specific_data
        said[evaluation.partition] = evaluation.passed
    return said


@pytest.mark.parametrize("is_elsewhere", [False, True])
def test_a_refused_delivery_stays_refused_when_a_good_one_follows(
    place, instance, tmp_path, is_elsewhere
):
    wrong = tmp_path / "registre.csv"
    wrong.write_text("a;b\n1;2\n", encoding="ascii")
    ids = []
    for file in (wrong, load_feed(FEED).examples()[0]):
        if is_elsewhere:
            ids.append(ingest(place, FEED, file).delivery_id)
            report(instance, evaluate(done_elsewhere, instance).asset_events)
        else:
            deliver(place, file)
            [request] = look_twice(instance).run_requests
            ids.append(str(request.partition_key))
            assert run(instance, ids[-1], dict(request.tags)).success
    refused, good = ids
    assert outcomes(instance, "great_expectations") == {refused: False, good: True}
    assert outcomes(instance, "rejections")[refused] is False, "no row of it was taken"


def test_a_partition_whose_file_is_gone_says_so_in_both_languages_and_is_not_retried(
    place, instance
):
    gone = f"{FEED}.000000000000"
    instance.add_dynamic_partitions(f"deliveries/{FEED}", [gone])
    job = defs.resolve_job_def(f"judge_{FEED}")
    result = job.execute_in_process(instance=instance, partition_key=gone, raise_on_error=False)
    assert not result.success
    [failure] = [event for event in result.all_events if event.event_type_value == "STEP_FAILURE"]
    said = failure.event_specific_data.user_failure_data.description
    assert "put it back there" in said
    assert "remettez-l’y" in said
    assert not [e for e in result.all_events if e.event_type_value == "STEP_UP_FOR_RETRY"]


def test_what_the_command_line_did_is_shown_once(place, instance):
    source, _code = counterexample()
    verdict = ingest(place, FEED, source)
    result = evaluate(done_elsewhere, instance)
    kinds = [type(event).__name__ for event in result.asset_events]
    assert kinds.count("AssetMaterialization") == 2
    assert kinds.count("AssetCheckEvaluation") == 2
    assert [r.partition_keys for r in result.dynamic_partitions_requests] == [[verdict.delivery_id]]
    [landed] = [e for e in result.asset_events if getattr(e, "asset_key", None) == LANDED]
    assert landed.metadata["file"].value == source.name
    assert landed.metadata["bytes"].value == source.stat().st_size
    assert verdict.delivery_id.endswith(landed.metadata["fingerprint"].value[:12])
    report(instance, result.asset_events)
    assert skipped(evaluate(done_elsewhere, instance)) == "nothing new"


def test_a_delivery_judged_again_is_shown_anew_and_once(place, instance):
    """Its page says what stands, whether Dagster or the command line judged it first."""
    source, code = counterexample()
    verdict = ingest(place, FEED, source)
    report(instance, evaluate(done_elsewhere, instance).asset_events)
    mended = verdict.model_copy(
        update={"reason_counts": {}, "rows_quarantined": 0, "follows": verdict.harmonised_at}
        | {"harmonised_at": verdict.harmonised_at + dt.timedelta(hours=1)}
    )
    [delivery] = list_deliveries(place)
    folder = delivery.folder / JUDGEMENTS / mended.folder_name
    folder.mkdir(parents=True)
    assert code in verdict.reason_counts
    assert outcomes(instance, "rejections") == {verdict.delivery_id: False}
    assert skipped(evaluate(done_elsewhere, instance)) == "nothing new", "only a proposal"
    write_verdict(folder, mended)
    result = evaluate(done_elsewhere, instance)
    assert not result.asset_events
    [request] = result.run_requests
    assert request.job_name == f"judge_{FEED}"
    done = run(instance, str(request.partition_key), dict(request.tags))
    [shown] = done.asset_materializations_for_node(f"harmonised__{FEED}")
    assert shown.metadata["rows quarantined"].value == 0
    assert outcomes(instance, "rejections") == {verdict.delivery_id: True}
    assert skipped(evaluate(done_elsewhere, instance)) == "nothing new"


def report(instance: dg.DagsterInstance, events: Any) -> None:
    """What Dagster's daemon does with the events of a sensor."""
    for event in events:
        instance.report_runless_asset_event(event)


def tables_of(events: Any) -> dict[str, int]:
    """The rows of each table that is said to be materialised."""
    return {
        event.asset_key.path[1]: event.metadata["dagster/row_count"].value
        for event in events or ()
        if isinstance(event, dg.AssetMaterialization) and event.asset_key.path[0] == "published"
    }


def test_tables_that_the_command_line_published_are_shown_with_their_rows(place, instance):
    ingest(place, FEED, load_feed(FEED).examples()[0])
    assert tables_of(evaluate(done_elsewhere, instance).asset_events) == {}
    publish(place)
    first = evaluate(done_elsewhere, instance)
    shown = tables_of(first.asset_events)
    assert set(shown) == set(table_names())
    with pipelines.connect(place) as connection:
        for table, rows in shown.items():
            assert connection.table(table).count("*").fetchone() == (rows,)
    report(instance, first.asset_events)
    assert skipped(evaluate(done_elsewhere, instance, first.cursor)) == "nothing new"
    assert skipped(evaluate(done_elsewhere, instance)) == "nothing new", "known by its content"
    ingest(place, FEED, counterexample()[0])
    publish(place)
    again = tables_of(evaluate(done_elsewhere, instance, first.cursor).asset_events)
    assert {"incidents", "deliveries"} <= set(again)
    assert not {"border_flows", "offences"} & set(again), "nothing was published into these"


def test_what_a_run_of_ours_published_is_not_said_again(place, instance):
    ingest(place, FEED, load_feed(FEED).examples()[0])
    started = instance.create_run_for_job(
        defs.resolve_job_def("publish"), status=dg.DagsterRunStatus.STARTED
    )
    publish(place)
    meanwhile = evaluate(done_elsewhere, instance)
    assert tables_of(meanwhile.asset_events) == {}
    report(instance, meanwhile.asset_events)
    instance.report_run_canceled(started)
    published = defs.get_assets_def(dg.AssetKey(["published", "incidents"]))
    dg.materialize([published], instance=instance, resources={"installation": Installation()})
    assert skipped(evaluate(done_elsewhere, instance, meanwhile.cursor)) == "nothing new"


def test_a_refused_file_ends_no_lateness_in_dagster(place, instance, tmp_path):
    now = dt.datetime.now(dt.UTC)
    expected = load_feed(FEED).expected_every_days
    assert not evaluate(lateness, instance).asset_events, "unheard of, and not late"
    received_at = now - dt.timedelta(days=expected + 3, hours=1)
    ingest(place, FEED, load_feed(FEED).examples()[0], received_at=received_at)
    first = evaluate(lateness, instance)
    [late] = first.asset_events
    assert (late.asset_key, late.check_name, late.passed) == (HARMONISED, "freshness", False)
    assert late.metadata["days late"].value == 3
    assert "Days late: 3." in late.description
    wrong = tmp_path / "registre.csv"
    wrong.write_text("a;b\n1;2\n", encoding="ascii")
    deliver(place, wrong)
    [request] = look_twice(instance).run_requests
    checks = run(instance, request.partition_key, dict(request.tags)).get_asset_check_evaluations()
    [freshness] = [one for one in checks if one.check_name == "freshness"]
    assert not freshness.passed
    assert freshness.metadata["days late"].value == 3
    assert not evaluate(lateness, instance, first.cursor).asset_events
    ingest(place, FEED, counterexample()[0], received_at=now)
    [ended] = evaluate(lateness, instance, first.cursor).asset_events
    assert ended.passed


def test_publishing_shows_every_table_and_its_rows(place, instance):
    ingest(place, FEED, load_feed(FEED).examples()[0])
    result = dg.materialize(
        [defs.get_assets_def(dg.AssetKey(["published", "incidents"]))],
        instance=instance,
        resources={"installation": Installation()},
    )
    assert result.success
    shown = {
        event.asset_key.path[-1]: event.materialization.metadata["dagster/row_count"].value
        for event in result.get_asset_materialization_events()
    }
    with pipelines.connect(place) as connection:
        for table, rows in shown.items():
            assert connection.table(table).count("*").fetchone() == (rows,)
    assert shown["incidents"] > 0
    assert shown["deliveries"] == 1


def test_what_is_judged_is_published_once_and_nothing_is_forgotten(place, instance):
    assert "is published" in evaluate(publishing, instance).skip_message
    first = ingest(place, FEED, load_feed(FEED).examples()[0])
    request = evaluate(publishing, instance)
    assert evaluate(publishing, instance).run_key == request.run_key
    ingest(place, FEED, counterexample()[0])
    assert evaluate(publishing, instance).run_key != request.run_key
    publish(place, [first.delivery_id])
    assert evaluate(publishing, instance).run_key, "judged meanwhile, and not forgotten"
    publish(place)
    assert "is published" in evaluate(publishing, instance).skip_message


def test_a_publish_waits_for_what_is_being_judged(place, instance):
    ingest(place, FEED, load_feed(FEED).examples()[0])
    run = instance.create_run_for_job(
        defs.resolve_job_def("daily_round"), status=dg.DagsterRunStatus.STARTED
    )
    assert evaluate(publishing, instance).skip_message == "waits for daily_round"
    instance.report_run_canceled(run)
    assert evaluate(publishing, instance).run_key


def test_the_daily_round_takes_in_what_is_left_and_publishes(place, instance):
    deliver(place, load_feed(FEED).examples()[0])
    deliver(place, load_feed(FEED).examples()[0], feed="nobody")
    result = daily_round.execute_in_process(
        instance=instance, resources={"installation": Installation()}
    )
    assert result.success
    with pipelines.connect(place) as connection:
        assert connection.sql("SELECT count(*) FROM deliveries").fetchone() == (1,)
    event = instance.get_latest_materialization_event(dg.AssetKey(["published", "deliveries"]))
    assert event.asset_materialization.metadata["dagster/row_count"].value == 1
    later = evaluate(done_elsewhere, instance)
    assert tables_of(later.asset_events) == {}, "said by the round itself"


@pytest.mark.parametrize("kind", ["correction", "maybe"])
def test_a_run_is_told_what_its_delivery_is(place, instance, kind):
    data = load_feed(FEED).examples()[0]
    deliver(place, data)
    delivery_id = f"{FEED}.{hashlib.sha256(data.read_bytes()).hexdigest()[:12]}"
    instance.add_dynamic_partitions(f"deliveries/{FEED}", [delivery_id])
    result = defs.resolve_job_def(f"judge_{FEED}").execute_in_process(
        instance=instance,
        partition_key=delivery_id,
        run_config={"ops": {f"landed__{FEED}": {"config": {"kind": kind}}}},
        raise_on_error=False,
    )
    if kind == "maybe":
        assert not result.success
        assert list_deliveries(place) == [], "nothing is landed under a word that nobody knows"
        return
    assert result.success
    publish(place)
    [delivery] = list_deliveries(place)
    assert read_answer(delivery.folder).kind == kind
    with pipelines.connect(place) as connection:
        assert connection.sql("SELECT kind FROM deliveries").fetchall() == [(kind,)]
