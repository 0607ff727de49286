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
import pipelines.landing.inbox as module
from assets.automation import (
    daily_round,
    deliveries_to_publish,
    entries_of_the_ledger,
    feeds_that_are_late,
    new_files_in_the_inbox,
)
from assets.definitions import defs
from assets.harmonised import declared_version
from assets.resources import Installation
from pipelines.core.settings import Settings, settings_for
from pipelines.ingest.ingest import ingest
from pipelines.ingest.publish import note_judged
from pipelines.lake.publish import publish
from pipelines.landing.answers import read_answer
from pipelines.landing.receive import list_deliveries
from pipelines.ledger.chain import entries
from pipelines.validate.audit import audit
from pipelines.validate.verdict import JUDGEMENTS, verdict_of, write_verdict
from schemas.contract import table_names
from schemas.feed import load_feed

FEED = "caf_gendarmerie_incidents"
INCIDENTS = dg.AssetKey(["published", "incidents"])
LANDED, HARMONISED = dg.AssetKey(["landed", FEED]), dg.AssetKey(["harmonised", FEED])


pytestmark = pytest.mark.usefixtures("audit_agrees")


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
    return evaluate(
        new_files_in_the_inbox, instance, evaluate(new_files_in_the_inbox, instance).cursor
    )


def skipped(result: dg.SensorResult) -> str:
    return str(result.skip_reason.skip_message) if result.skip_reason else ""


def run(instance: dg.DagsterInstance, delivery_id: str, tags: dict[str, str]) -> Any:
    instance.add_dynamic_partitions(f"deliveries/{FEED}", [delivery_id])
    return defs.resolve_job_def(f"judge_{FEED}").execute_in_process(
        instance=instance, partition_key=delivery_id, tags=tags, raise_on_error=False
    )


def backfill(instance: dg.DagsterInstance, ids: list[str]) -> Any:
    """What Dagster does with a backfill of these deliveries: one run, in the order given."""
    instance.add_dynamic_partitions(f"deliveries/{FEED}", ids)
    names = "start", "end"
    ends = (ids[0], ids[-1])
    tags = {f"dagster/asset_partition_range_{n}": one for n, one in zip(names, ends, strict=True)}
    return defs.resolve_job_def(f"judge_{FEED}").execute_in_process(
        instance=instance, tags=tags, raise_on_error=False
    )


def failure_of(result: Any) -> Any:
    """What a person reads of the step that failed."""
    [failed] = [event for event in result.all_events if event.event_type_value == "STEP_FAILURE"]
    return failed.event_specific_data.user_failure_data


def shown_of(result: Any, key: dg.AssetKey) -> dict[str, dg.AssetMaterialization]:
    """The materialisations of an asset in a run, by delivery."""
    events = [
        event.step_materialization_data
        for event in result.all_events
        if event.event_type_value == "ASSET_MATERIALIZATION"
    ]
    found = [one.materialization for one in events if one.materialization.asset_key == key]
    return {one.partition: one for one in found}


@pytest.fixture
def wrong(tmp_path: Path) -> Path:
    """A file of which the feed can make nothing."""
    file = tmp_path / "registre.csv"
    file.write_text("a;b\n1;2\n", encoding="ascii")
    return file


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
    again = evaluate(new_files_in_the_inbox, instance, first.cursor)
    assert not again.run_requests
    assert skipped(again) == "nothing new"


def test_a_file_that_is_still_arriving_is_left_until_it_stays_the_same(place, instance):
    file = deliver(place, load_feed(FEED).examples()[0])
    whole = file.read_bytes()
    cursor = None
    for part in (1, 2, 3):
        file.write_bytes(whole[: len(whole) * part // 3])
        tick = evaluate(new_files_in_the_inbox, instance, cursor)
        assert not tick.run_requests
        assert "may still be on their way: 1" in skipped(tick)
        cursor = tick.cursor
    [request] = evaluate(new_files_in_the_inbox, instance, cursor).run_requests
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
    cursor = evaluate(new_files_in_the_inbox, instance, cursor).cursor
    assert read == []
    file.write_bytes(file.read_bytes() + b"\n")
    cursor = evaluate(new_files_in_the_inbox, instance, cursor).cursor
    assert len(evaluate(new_files_in_the_inbox, instance, cursor).run_requests) == 1
    assert read == [str(file)]


def test_a_folder_that_is_no_feed_is_named_and_stops_nothing(place, instance):
    deliver(place, load_feed(FEED).examples()[0], feed="caf_gendarmery")
    assert "caf_gendarmery" in skipped(evaluate(new_files_in_the_inbox, instance))
    deliver(place, load_feed(FEED).examples()[0])
    assert len(look_twice(instance).run_requests) == 1


def test_a_run_lands_judges_and_records_checks(place, instance, monkeypatch):
    monkeypatch.setattr("pipelines.ingest.ingest.audit", audit)
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
    rows = shown_of(result, HARMONISED)[request.partition_key].metadata
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


def test_a_refused_delivery_is_red_wherever_one_looks(place, instance, wrong):
    deliver(place, wrong)
    [request] = look_twice(instance).run_requests
    result = run(instance, request.partition_key, dict(request.tags))
    assert not result.success
    checks = {c.check_name: c for c in result.get_asset_check_evaluations()}
    assert not checks["great_expectations"].passed
    assert checks["great_expectations"].severity is dg.AssetCheckSeverity.ERROR
    assert "DEL-714" in checks["great_expectations"].metadata["codes"].value
    assert "was not found in registre.csv" in (checks["great_expectations"].description or "")
    assert "Traceback" not in metadata_of(result)
    failure = failure_of(result)
    assert "DEL-714" in failure.description
    assert "rien n’en est publié" in failure.description
    assert failure.metadata[request.partition_key].value == "DEL-714"
    tags = instance.get_run_by_id(result.run_id).tags
    assert (tags["passerelle/state"], tags["passerelle/codes"]) == ("refused", "DEL-714")
    assert instance.get_materialized_partitions(LANDED) == {request.partition_key}
    assert instance.get_materialized_partitions(HARMONISED) == set(), "nothing was harmonised"
    assert not [e for e in result.all_events if e.event_type_value == "STEP_UP_FOR_RETRY"]
    assert not look_twice(instance).run_requests


def test_a_backfill_is_one_run_and_tells_what_became_of_each_delivery(place, instance, wrong):
    good = load_feed(FEED).examples()[0]
    ids = [deliver_id(deliver(place, file)) for file in (good, wrong)]
    gone = f"{FEED}.000000000000"
    result = backfill(instance, [ids[0], gone, ids[1]])
    assert not result.success
    assert list(shown_of(result, HARMONISED)) == [ids[0]]
    assert set(shown_of(result, LANDED)) == set(ids)
    assert outcomes(instance, "great_expectations") == {ids[0]: True, ids[1]: False}
    said = failure_of(result).description
    assert f"The file of {gone} is neither landed" in said
    assert f"{ids[1]}: DEL-714" in said
    assert ids[0] not in said
    checked = result.get_asset_check_evaluations()
    [target] = {c.target_materialization_data for c in checked if c.partition == ids[0]}
    assert target.run_id == result.run_id


def deliver_id(file: Path) -> str:
    return f"{file.parent.name}.{hashlib.sha256(file.read_bytes()).hexdigest()[:12]}"


def test_versions_are_those_that_judged_and_a_run_says_what_it_did(place, instance, monkeypatch):
    good = deliver_id(deliver(place, load_feed(FEED).examples()[0]))
    first = shown_of(run(instance, good, {}), HARMONISED)[good]
    verdict = verdict_of(list_deliveries(place)[0])
    assert first.tags["dagster/data_version"] == verdict.digest
    assert first.tags["dagster/code_version"] == declared_version(load_feed(FEED))
    assert "Judged in this run. / Examin" in first.metadata["done"].value
    monkeypatch.setattr("assets.harmonised.declared_version", lambda feed: "feed 99, table 99")
    again = shown_of(run(instance, good, {}), HARMONISED)[good]
    assert again.tags == first.tags, "judged by the same as before"
    said = again.metadata["done"].value
    assert "Nothing was judged" in said
    assert first.tags["dagster/code_version"] in said
    assert "feed 99" in said
    assert f"passerelle delivery rejudge {good}" in said


def test_columns_are_shown_with_where_they_come_from(place, instance):
    good = deliver_id(deliver(place, load_feed(FEED).examples()[0]))
    shown = shown_of(run(instance, good, {}), HARMONISED)[good]
    assert shown.metadata["dagster/row_count"].value == shown.metadata["rows accepted"].value > 0
    lineage = shown.metadata["dagster/column_lineage"].value.deps_by_column
    mapped = load_feed(FEED).map
    for column, deps in lineage.items():
        assert [(dep.asset_key, dep.column_name) for dep in deps] == [
            (LANDED, source) for source in mapped[column].source
        ]
    columns = {
        key: {one.name for one in metadata["dagster/column_schema"].columns}
        for key in (LANDED, HARMONISED, INCIDENTS)
        if (metadata := defs.get_assets_def(key).metadata_by_key[key])
    }
    assert set(lineage) <= columns[HARMONISED] < columns[INCIDENTS]
    assert {dep.column_name for deps in lineage.values() for dep in deps} <= columns[LANDED]
    publish(place)
    report(instance, evaluate(entries_of_the_ledger, instance).asset_events)
    event = instance.get_latest_materialization_event(INCIDENTS).asset_materialization
    whence = event.metadata["dagster/column_lineage"].value.deps_by_column
    assert set(whence) <= columns[INCIDENTS]
    column = next(iter(lineage))
    assert dg.TableColumnDep(HARMONISED, column) in whence[column]


def outcomes(instance: dg.DagsterInstance, name: str) -> dict[str | None, bool]:
    """What a check said last of each delivery."""
    key = dg.AssetCheckKey(HARMONISED, name)
    history = instance.event_log_storage.get_asset_check_execution_history(key, limit=100)
    said = {}
    for record in reversed(history):
        evaluation = record.event.dagster_event.event_specific_data
        if isinstance(evaluation, dg.AssetCheckEvaluation):  # and not only planned
            said[evaluation.partition] = evaluation.passed
    return said


@pytest.mark.parametrize("is_elsewhere", [False, True])
def test_a_refused_delivery_stays_refused_when_a_good_one_follows(
    place, instance, wrong, is_elsewhere
):
    ids = []
    for file in (wrong, load_feed(FEED).examples()[0]):
        if is_elsewhere:
            ids.append(ingest(place, FEED, file).delivery_id)
        else:
            deliver(place, file)
            [request] = look_twice(instance).run_requests
            ids.append(str(request.partition_key))
            run(instance, ids[-1], dict(request.tags))
    observe(instance)
    refused, good = ids
    assert outcomes(instance, "great_expectations") == {refused: False, good: True}
    assert outcomes(instance, "rejections")[refused] is False, "no row of it was taken"
    assert instance.get_materialized_partitions(HARMONISED) == {good}
    checks = [dg.AssetCheckKey(HARMONISED, "great_expectations")]
    infos = instance.event_log_storage.get_asset_check_partition_info(checks)
    assert all(one.is_current for one in infos), "each is about what stands there now"


def test_a_partition_whose_file_is_gone_says_so_in_both_languages_and_is_not_retried(
    place, instance
):
    gone = f"{FEED}.000000000000"
    result = run(instance, gone, {})
    assert not result.success
    said = failure_of(result).description
    assert "put it back there" in said
    assert "remettez-l’y" in said
    assert not [e for e in result.all_events if e.event_type_value == "STEP_UP_FOR_RETRY"]


def test_what_the_command_line_did_is_shown_once(place, instance):
    source, _code = counterexample()
    verdict = ingest(place, FEED, source)
    result = evaluate(entries_of_the_ledger, instance)
    kinds = [type(event).__name__ for event in result.asset_events]
    assert kinds == ["AssetMaterialization", "AssetMaterialization"]
    assert [r.partition_keys for r in result.dynamic_partitions_requests] == [[verdict.delivery_id]]
    landed, harmonised = result.asset_events
    assert (landed.asset_key, harmonised.asset_key) == (LANDED, HARMONISED)
    assert landed.metadata["file"].value == source.name
    assert landed.metadata["bytes"].value == source.stat().st_size
    assert verdict.delivery_id.endswith(landed.metadata["fingerprint"].value[:12])
    assert harmonised.tags["dagster/data_version"] == verdict.digest
    report(instance, result.asset_events)
    again = evaluate(entries_of_the_ledger, instance, result.cursor)
    kinds = [type(event).__name__ for event in again.asset_events]
    assert kinds == ["AssetCheckEvaluation", "AssetCheckEvaluation"]
    report(instance, again.asset_events)
    assert skipped(evaluate(entries_of_the_ledger, instance, again.cursor)) == "nothing new"
    assert skipped(evaluate(entries_of_the_ledger, instance)) == "nothing new", "known without it"


def test_the_ledger_is_read_on_from_its_last_entry_and_anew_where_it_is_another(
    place, instance, wrong
):
    one = ingest(place, FEED, counterexample()[0])
    cursor = json.loads(observe(instance))
    judged = [entry for entry in entries(place).entries if entry.event == "delivery.judged"]
    assert (cursor["seq"], cursor["hash"]) == (judged[0].seq, judged[0].hash)
    assert skipped(evaluate(entries_of_the_ledger, instance, json.dumps(cursor))) == "nothing new"
    two = ingest(place, FEED, wrong)
    for before in (cursor, cursor | {"seq": 10_000}, cursor | {"hash": "of another ledger"}):
        found = evaluate(entries_of_the_ledger, instance, json.dumps(before))
        told = {event.partition for event in found.asset_events}
        assert told == {two.delivery_id}, "and not again"
        assert one.delivery_id not in told


def test_what_a_run_is_just_judging_waits_and_keeps_nothing_else_waiting(place, instance, wrong):
    busy, other = ingest(place, FEED, wrong), ingest(place, FEED, counterexample()[0])
    tags = {"feed": FEED, "dagster/partition": busy.delivery_id}
    started = instance.create_run_for_job(
        defs.resolve_job_def(f"judge_{FEED}"), status=dg.DagsterRunStatus.STARTED, tags=tags
    )
    found = evaluate(entries_of_the_ledger, instance)
    assert {event.partition for event in found.asset_events} == {other.delivery_id}
    report(instance, found.asset_events)
    instance.report_run_canceled(started)
    [request] = evaluate(entries_of_the_ledger, instance, found.cursor).run_requests
    assert request.partition_key == busy.delivery_id, "it was promised, and not told"


def observe(instance: dg.DagsterInstance, cursor: str | None = None) -> str:
    """Let the sensor look until it finds nothing new, as Dagster's daemon does."""
    while not skipped(found := evaluate(entries_of_the_ledger, instance, cursor)):
        report(instance, found.asset_events)
        cursor = found.cursor
    return found.cursor


def test_a_delivery_judged_again_is_shown_anew_and_once(place, instance):
    """Its page says what stands, whether Dagster or the command line judged it first."""
    source, code = counterexample()
    verdict = ingest(place, FEED, source)
    cursor = observe(instance)
    mended = verdict.model_copy(
        update={"reason_counts": {}, "rows_quarantined": 0, "follows": verdict.harmonised_at}
        | {"harmonised_at": verdict.harmonised_at + dt.timedelta(hours=1)}
    )
    [delivery] = list_deliveries(place)
    folder = delivery.folder / JUDGEMENTS / mended.folder_name
    folder.mkdir(parents=True)
    assert code in verdict.reason_counts
    assert outcomes(instance, "rejections") == {verdict.delivery_id: False}
    assert skipped(evaluate(entries_of_the_ledger, instance, cursor)) == "nothing new", "a proposal"
    write_verdict(folder, mended)
    note_judged(place, [(delivery, mended)])
    result = evaluate(entries_of_the_ledger, instance, cursor)
    assert not result.asset_events
    [request] = result.run_requests
    assert request.job_name == f"judge_{FEED}"
    done = run(instance, str(request.partition_key), dict(request.tags))
    shown = shown_of(done, HARMONISED)[verdict.delivery_id]
    assert shown.metadata["rows quarantined"].value == 0
    assert "Nothing was judged" in shown.metadata["done"].value
    assert outcomes(instance, "rejections") == {verdict.delivery_id: True}
    assert skipped(evaluate(entries_of_the_ledger, instance, result.cursor)) == "nothing new"


def test_a_refused_delivery_that_was_judged_again_elsewhere_is_shown_as_it_stands(
    place, instance, wrong
):
    refused = ingest(place, FEED, wrong)
    cursor = observe(instance)
    again = ingest(place, FEED, wrong, again=True)
    assert again.folder_name != refused.folder_name
    [request] = evaluate(entries_of_the_ledger, instance, cursor).run_requests
    result = run(instance, str(request.partition_key), dict(request.tags))
    assert not result.success
    assert verdict_of(list_deliveries(place)[0]) == again, "shown, and not judged a third time"
    assert skipped(evaluate(entries_of_the_ledger, instance)) == "nothing new"


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
    assert tables_of(evaluate(entries_of_the_ledger, instance).asset_events) == {}
    publish(place)
    first = evaluate(entries_of_the_ledger, instance)
    shown = tables_of(first.asset_events)
    assert set(shown) == set(table_names())
    with pipelines.connect(place) as connection:
        for table, rows in shown.items():
            assert connection.table(table).count("*").fetchone() == (rows,)
    report(instance, first.asset_events)
    cursor = observe(instance, first.cursor)
    assert skipped(evaluate(entries_of_the_ledger, instance)) == "nothing new", (
        "known by its content"
    )
    ingest(place, FEED, counterexample()[0])
    publish(place)
    again = tables_of(evaluate(entries_of_the_ledger, instance, cursor).asset_events)
    assert {"incidents", "deliveries"} <= set(again)
    assert not {"border_flows", "offences"} & set(again), "nothing was published into these"


def test_what_a_run_of_ours_published_is_not_said_again(place, instance):
    ingest(place, FEED, load_feed(FEED).examples()[0])
    started = instance.create_run_for_job(
        defs.resolve_job_def("publish"), status=dg.DagsterRunStatus.STARTED
    )
    publish(place)
    meanwhile = evaluate(entries_of_the_ledger, instance)
    assert tables_of(meanwhile.asset_events) == {}
    report(instance, meanwhile.asset_events)
    instance.report_run_canceled(started)
    published = defs.get_assets_def(dg.AssetKey(["published", "incidents"]))
    dg.materialize([published], instance=instance, resources={"installation": Installation()})
    found = evaluate(entries_of_the_ledger, instance, meanwhile.cursor)
    assert {event.asset_key for event in found.asset_events} == {HARMONISED}, "checks alone"


def test_a_refused_file_ends_no_lateness_in_dagster(place, instance, wrong):
    now = dt.datetime.now(dt.UTC)
    expected = load_feed(FEED).expected_every_days
    assert not evaluate(feeds_that_are_late, instance).asset_events, "unheard of, and not late"
    received_at = now - dt.timedelta(days=expected + 3, hours=1)
    ingest(place, FEED, load_feed(FEED).examples()[0], received_at=received_at)
    first = evaluate(feeds_that_are_late, instance)
    [late] = first.asset_events
    assert (late.asset_key, late.check_name, late.passed) == (HARMONISED, "freshness", False)
    assert late.metadata["days late"].value == 3
    assert "Days late: 3." in late.description
    deliver(place, wrong)
    [request] = look_twice(instance).run_requests
    checks = run(instance, request.partition_key, dict(request.tags)).get_asset_check_evaluations()
    [freshness] = [one for one in checks if one.check_name == "freshness"]
    assert not freshness.passed
    assert freshness.metadata["days late"].value == 3
    assert not evaluate(feeds_that_are_late, instance, first.cursor).asset_events
    ingest(place, FEED, counterexample()[0], received_at=now)
    [ended] = evaluate(feeds_that_are_late, instance, first.cursor).asset_events
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
    assert "is published" in evaluate(deliveries_to_publish, instance).skip_message
    first = ingest(place, FEED, load_feed(FEED).examples()[0])
    request = evaluate(deliveries_to_publish, instance)
    assert evaluate(deliveries_to_publish, instance).run_key == request.run_key
    ingest(place, FEED, counterexample()[0])
    assert evaluate(deliveries_to_publish, instance).run_key != request.run_key
    publish(place, [first.delivery_id])
    assert evaluate(deliveries_to_publish, instance).run_key, "judged meanwhile, and not forgotten"
    publish(place)
    assert "is published" in evaluate(deliveries_to_publish, instance).skip_message


def test_a_publish_waits_for_what_is_being_judged(place, instance):
    ingest(place, FEED, load_feed(FEED).examples()[0])
    run = instance.create_run_for_job(
        defs.resolve_job_def("daily_round"), status=dg.DagsterRunStatus.STARTED
    )
    assert evaluate(deliveries_to_publish, instance).skip_message == "waits for daily_round"
    instance.report_run_canceled(run)
    assert evaluate(deliveries_to_publish, instance).run_key


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
    later = evaluate(entries_of_the_ledger, instance)
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
        run_config={"ops": {f"take_in__{FEED}": {"config": {"kind": kind}}}},
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
