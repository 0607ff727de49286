"""The asset graph, its rhythm and its limits, as declared; nothing is run here but the loading.

Not here: runs over deliveries (`tests/integration/test_dagster.py`).

The graph is compared with `asset_graph.txt`. After a change that is meant:
`python -m tests.unit.assets.test_definitions` writes it anew.
"""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import dagster as dg
import pytest
import yaml
from dagster._core.workspace.load_target import ModuleTarget, WorkspaceFileTarget

from assets.automation import MONDAYS
from assets.definitions import defs, executor
from assets.resources import RETRIES
from pipelines.cli.serve import _dagster
from pipelines.release.standing import standing_extracts
from schemas.agreement_folder import load_agreements
from schemas.contract import table_names
from schemas.feed import feed_names, load_feed

JOBS_OF_ONE_STEP = ("daily_round", "weekly_upkeep")
GOLDEN = Path(__file__).with_name("asset_graph.txt")
LOADS_WITHIN_S = 3.0
HEAVY = (
    "great_expectations",
    "pandas",
    "deltalake",
    "duckdb",
    "shapely",
    "pyproj",
    "fastapi",
    "sqlalchemy",
)


def graph_text() -> str:
    """Every asset with what it depends on, its group, partitions and checks."""
    lines = []
    for spec in sorted(defs.resolve_all_asset_specs(), key=lambda one: one.key.path):
        lines.append(f"{spec.key.to_user_string()}  [{spec.group_name}]")
        node = defs.resolve_asset_graph().get(spec.key)
        if node.partitions_def:
            lines.append(f"    partitions {node.partitions_def.name}")
        lines += [f"    from {dep.asset_key.to_user_string()}" for dep in sorted_deps(spec)]
        lines += [f"    check {check_text(key)}" for key in sorted(node.check_keys)]
    return "\n".join(lines) + "\n"


def check_text(key: dg.AssetCheckKey) -> str:
    each = defs.resolve_asset_graph().get(key).partitions_def
    return f"{key.name}, of each of {each.name}" if each else key.name


def sorted_deps(spec: dg.AssetSpec) -> list[dg.AssetDep]:
    return sorted(spec.deps, key=lambda dep: dep.asset_key.path)


def test_the_graph_is_the_one_on_record():
    assert graph_text() == GOLDEN.read_text(encoding="utf-8"), (
        "the asset graph changed; if that is meant: python -m tests.unit.assets.test_definitions"
    )


def test_every_feed_and_every_table_has_its_assets():
    keys = {spec.key.to_user_string() for spec in defs.resolve_all_asset_specs()}
    wanted = {f"{stage}/{feed}" for feed in feed_names() for stage in ("landed", "harmonised")}
    wanted |= {f"releases/{one.name}" for one in standing_extracts(load_agreements())}
    assert keys == wanted | {f"published/{table}" for table in table_names()}


def test_each_mission_has_its_weekly_extracts():
    declared = standing_extracts(load_agreements())
    assert {"minusca", "monusco", "unmiss"} <= {one.mission for one in declared}
    schedules = {one.job_name: one.cron_schedule for one in defs.schedules}
    for one in declared:
        assert schedules[f"releases_{one.mission}"] == MONDAYS
        job = defs.resolve_job_def(f"releases_{one.mission}")
        assert dg.AssetKey(["releases", one.name]) in job.asset_layer.executable_asset_keys


def test_agreements_that_cannot_be_relied_on_stop_extracts_and_nothing_else(tmp_path):
    (tmp_path / "broken.yaml").write_text("agreement: [", encoding="utf-8")
    code = (
        "import assets.definitions as d; keys = [s.key.path[0] for s in "
        "d.defs.resolve_all_asset_specs()]; print('releases' in keys, 'published' in keys)"
    )
    said = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PASSERELLE_AGREEMENTS": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert said.stdout.split() == ["False", "True"]
    assert "no standing extracts" in said.stderr


def test_definitions_load_fast_and_without_heavy_packages():
    code = (
        "import time; start = time.process_time(); import assets.definitions as d; "
        "d.defs.resolve_asset_graph(); import sys; "
        f"print(time.process_time() - start, [m for m in {HEAVY!r} if m in sys.modules])"
    )
    said = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout
    seconds, heavy = said.strip().split(" ", 1)
    assert heavy == "[]"
    assert float(seconds) < LOADS_WITHIN_S


@pytest.mark.parametrize("feed", feed_names())
def test_freshness_follows_the_feed(feed):
    [spec] = [s for s in defs.resolve_all_asset_specs() if s.key == dg.AssetKey(["landed", feed])]
    expected = timedelta(days=load_feed(feed).expected_every_days)
    policy = spec.freshness_policy
    assert expected < policy.warn_window.to_timedelta() < policy.fail_window.to_timedelta()


def test_shipped_settings_are_valid_and_silent(tmp_path, monkeypatch):
    shipped = Path(__file__).parents[3] / "assets" / "dagster.yaml"
    (tmp_path / "dagster.yaml").write_text(shipped.read_text(encoding="utf-8"), encoding="utf-8")
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    with dg.DagsterInstance.get() as instance:
        assert not instance.telemetry_enabled
        limits = instance.get_concurrency_config()
        assert limits.run_queue_config.max_concurrent_runs == 2
        assert limits.pool_config.default_pool_limit == 2
    assert (tmp_path / "schedules").is_dir(), "its storage lies under the home"


def test_the_executor_is_chosen_by_configuration(monkeypatch):
    monkeypatch.delenv("PASSERELLE_EXECUTOR", raising=False)
    assert executor() is dg.in_process_executor
    monkeypatch.setenv("PASSERELLE_EXECUTOR", "forkserver")
    assert executor().name == "multiprocess"


def test_steps_are_tried_again_by_dagsters_own_policy_and_later_each_time():
    steps = {name: defs.resolve_job_def(name).nodes[0].definition for name in JOBS_OF_ONE_STEP}
    steps["take_in"] = defs.get_assets_def(dg.AssetKey(["landed", feed_names()[0]])).op
    assert {name: step.retry_policy for name, step in steps.items()} == dict.fromkeys(
        steps, RETRIES
    )
    waits = [RETRIES.calculate_delay(attempt) for attempt in (1, 2, 3)]
    assert 0 < waits[0] <= 10
    assert waits[2] <= 40
    assert RETRIES.max_retries == 5


def test_workspace_and_dg_name_the_same_module():
    root = Path(__file__).parents[3]
    workspace = yaml.safe_load((root / "workspace.yaml").read_text(encoding="utf-8"))
    [entry] = workspace["load_from"]
    assert entry["python_module"]["module_name"] == "assets.definitions"
    assert len((root / "assets" / "definitions.py").read_text().splitlines()) < 60


def test_a_location_has_one_name_however_it_is_loaded():
    """What a sensor remembers is kept by this name; `passerelle serve` loads the module by its."""
    line = _dagster(3000)
    served = ModuleTarget(line[line.index("-m") + 1], None, None, None).create_origins()
    file = Path(__file__).parents[3] / "workspace.yaml"
    loaded = WorkspaceFileTarget([str(file)]).create_origins()
    assert [one.location_name for one in served] == [one.location_name for one in loaded]


if __name__ == "__main__":
    GOLDEN.write_text(graph_text(), encoding="utf-8")
