"""The audit: Great Expectations reads the two files that the router wrote, and must agree with it.

Not here: how Great Expectations reaches DuckDB (`engine.py`), and what follows from an audit.

Nothing of the harmonise query is used: the suites come from the contract, the numbers from the
Parquet files. An audit passes when every expectation of the accepted file holds, each rule counts
in the quarantined file what the router recorded, and rows read = accepted + quarantined + exact
duplicates. An expectation that could not be evaluated is a failure. Results hold counts and codes;
no value of a cell is ever fetched.
"""

from __future__ import annotations

import errno
import os
import shutil
import threading
import weakref
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.core.duck import scratch_config
from pipelines.core.findings import Finding
from pipelines.core.settings import Settings, current_settings
from pipelines.validate.data_docs import AuditSummary, keep_results, page_of
from pipelines.validate.gx import import_great_expectations
from schemas.codelist import codelist_names, codelist_path, load_codelist
from schemas.contract import Contract
from schemas.render.expectations import (
    AUDIT_CODE,
    CODE_LISTS,
    IS_UNSPLIT,
    LOCAL_DAY,
    ROW_COUNT,
    SET_ASIDE_CODES,
)
from schemas.sqltext import literal

if TYPE_CHECKING:
    from pipelines.validate.suites import FixedCheckpoint

MOST_NAMES = 5
ACCEPTED, QUARANTINED, TOGETHER = "accepted", "quarantined", "together"


@dataclass(frozen=True)
class Audit:
    """What the second opinion was. `counts` are rows by file, as the audit itself counted them."""

    is_success: bool
    evaluated: int
    problems: list[Finding]
    counts: dict[str, int] = field(default_factory=dict)
    data_docs_page: Path | None = None


@dataclass(frozen=True)
class RoutingCounts:
    """What the router says that it did with one delivery; the audit checks each number."""

    rows_read: int
    rows_accepted: int
    rows_quarantined: int
    rows_exact_duplicates: int
    reason_counts: Mapping[str, int]
    warning_counts: Mapping[str, int]
    # By code, of the reading, not of the router: some of `rows_quarantined`.
    rows_unreadable: Mapping[str, int] = field(default_factory=dict)

    @property
    def is_conserved(self) -> bool:
        """Rows read = accepted + quarantined + exact duplicates."""
        parts = self.rows_accepted + self.rows_quarantined + self.rows_exact_duplicates
        return self.rows_read == parts


def audit(
    contract: Contract,
    accepted: Path,
    quarantined: Path,
    *,
    rows_read: int,
    rows_accepted: int,
    rows_quarantined: int,
    rows_exact_duplicates: int,
    reason_counts: Mapping[str, int],
    warning_counts: Mapping[str, int],
    rows_unreadable: Mapping[str, int] | None = None,
    data_docs: Path | None,
    name: str,
    settings: Settings | None = None,
) -> Audit:
    """Audit one delivery with this process's auditor; `name` is the delivery's id.

    `reason_counts` counts the errors of the quarantined rows, `warning_counts` the warnings of the
    accepted ones, both rows by rule code; `rows_unreadable` is what the reading counted, by
    code: some of `rows_quarantined`. With `data_docs`, the results are kept there for
    `data_docs.build_data_docs`. Raises nothing for wrong data: problems are findings (DEL-715);
    OSError where memory, or the disk to spill to, did not suffice.
    """
    routed = RoutingCounts(
        rows_read,
        rows_accepted,
        rows_quarantined,
        rows_exact_duplicates,
        reason_counts,
        warning_counts,
        rows_unreadable or {},
    )
    auditor = process_auditor(settings or current_settings())
    return auditor.audit(contract, accepted, quarantined, routed, data_docs=data_docs, name=name)


@cache
def process_auditor(settings: Settings) -> Auditor:
    """The auditor that all audits of this process share: a context costs more than an audit."""
    return Auditor(settings)


class Auditor:
    """One Great Expectations context over one DuckDB, for many audits, one at a time."""

    def __init__(self, settings: Settings) -> None:
        """Open the context in memory: no file, no network, no telemetry, no progress bar."""
        gx = import_great_expectations()
        from pipelines.validate.engine import SOURCE_TYPE

        self._lock = threading.Lock()
        self._checkpoints: dict[tuple[str, str], FixedCheckpoint] = {}
        self._context = gx.get_context(mode="ephemeral", project_config=_in_memory())
        settings.scratch.mkdir(parents=True, exist_ok=True)
        # Of this auditor alone; DuckDB makes it when it first spills.
        spill = settings.scratch / f"audit-{os.getpid()}-{id(self):x}"
        weakref.finalize(self, shutil.rmtree, spill, ignore_errors=True)
        config = scratch_config(settings, spill)
        config.pop("TimeZone", None)  # needs an extension; no instant here has a zone
        options = {"connect_args": {"config": config}}
        self._datasource: Any = getattr(self._context.data_sources, f"add_{SOURCE_TYPE}")(
            "delivery", kwargs=options
        )
        self._datasource.run("SET enable_progress_bar = false")
        self._settings = settings

    def audit(
        self,
        contract: Contract,
        accepted: Path,
        quarantined: Path,
        routed: RoutingCounts,
        *,
        data_docs: Path | None,
        name: str,
    ) -> Audit:
        """Audit one delivery; see `audit`."""
        from pipelines.validate.engine import QueryFailedError

        with self._lock:
            try:
                self._open_files(accepted, quarantined)
                results, texts = self._run(contract, routed)
            except QueryFailedError:
                self._demand_room()
                return Audit(False, 0, [_problem(name, "files", "all", None, None)])
            self._demand_room()
        problems = [*_conservation(routed, name), *_problems(results, name)]
        evaluated = sum(len(run.results) for run in results.values())
        counts = _row_counts(results)
        page = None
        if data_docs is not None:
            keep_results(data_docs, AuditSummary(name, not problems, evaluated, counts), texts)
            page = page_of(data_docs, name)
        return Audit(not problems, evaluated, problems, counts, page)

    def _demand_room(self) -> None:
        """Raise OSError where a query ran out of memory: no verdict may follow from that."""
        engine = self._datasource.get_execution_engine()
        has_run_out, engine.has_run_out = engine.has_run_out, False
        if has_run_out:
            raise OSError(errno.ENOMEM, os.strerror(errno.ENOMEM), str(self._settings.scratch))

    def _open_files(self, accepted: Path, quarantined: Path) -> None:
        self._datasource.run(_code_lists_sql(self._settings))
        self._datasource.run(_local_day_sql(self._settings))
        self._datasource.read_files(ACCEPTED, accepted)
        self._datasource.read_files(QUARANTINED, quarantined, but=IS_UNSPLIT)
        self._datasource.read_files(TOGETHER, accepted, quarantined)

    def _run(
        self, contract: Contract, routed: RoutingCounts
    ) -> tuple[dict[str, Any], dict[str, str]]:
        """The result of each view, as Great Expectations' object and as its JSON."""
        checkpoint = self._checkpoint(contract)
        outcome = checkpoint.run(expectation_parameters=_parameters(contract, routed))
        results, texts = {}, {}
        store: Any = self._context.validation_results_store
        runs: dict[Any, Any] = outcome.run_results
        for identifier, run in runs.items():
            view = run.meta["active_batch_definition"]["data_asset_name"]
            results[view] = run
            texts[view] = store.store_backend.get(identifier.to_tuple())
            store.remove_key(identifier)  # it is in memory, and would stay there
        return results, texts

    def _checkpoint(self, contract: Contract) -> FixedCheckpoint:
        key = (contract.table, contract.version)
        if key not in self._checkpoints:
            from pipelines.validate.suites import make_checkpoint

            self._checkpoints[key] = make_checkpoint(self._context, self._datasource, contract)
        return self._checkpoints[key]


def _in_memory() -> Any:
    """A project that keeps nothing on disk, calls nobody, and draws no bars."""
    from great_expectations.data_context.types.base import (
        DataContextConfig,
        InMemoryStoreBackendDefaults,
        ProgressBarsConfig,
    )

    return DataContextConfig(
        store_backend_defaults=InMemoryStoreBackendDefaults(init_temp_docs_sites=False),
        progress_bars=ProgressBarsConfig(globally=False),
        analytics_enabled=False,
    )


def _code_lists_sql(settings: Settings) -> str:
    """The table of every valid code, straight from the lists and the loaded gazetteers."""
    from pipelines.landing.reference import LOADED_AREAS_FILE

    files = ", ".join(literal(str(codelist_path(name))) for name in codelist_names())
    selects = [
        "SELECT parse_filename(filename, true) AS list, code "
        f"FROM read_csv([{files}], all_varchar=true, union_by_name=true, filename=true)"
    ]
    if (loaded := settings.reference / LOADED_AREAS_FILE).exists():
        selects.append(f"SELECT 'admin_areas', code FROM read_parquet({literal(str(loaded))})")
    return f"CREATE OR REPLACE TABLE {CODE_LISTS} AS {' UNION '.join(selects)}"


def _local_day_sql(settings: Settings) -> str:
    """The macro that tells the local day of a moment, by the zones of the places that there are."""
    from pipelines.harmonise.timezones import zone_offsets
    from pipelines.landing.reference import all_admin_areas

    zones = set(all_admin_areas(settings).column("time_zone").to_pylist())
    zones |= {row["time_zone"] for row in load_codelist("countries")}
    branches = ""
    for row in zone_offsets(filter(None, zones)).to_pylist():
        within = f"zone = {literal(row['zone'])} AND moment < {literal(row['utc_to'])}"
        branches += f" WHEN {within} THEN {row['offset_minutes']}"
    minutes = f"to_minutes(CASE{branches} END)"
    return f"CREATE OR REPLACE MACRO {LOCAL_DAY}(moment, zone) AS CAST(moment + {minutes} AS DATE)"


def _parameters(contract: Contract, routed: RoutingCounts) -> dict[str, int]:
    from pipelines.validate.suites import parameter_name

    parameters = {
        "rows_accepted": routed.rows_accepted,
        "rows_judged_and_quarantined": routed.rows_quarantined
        - sum(routed.rows_unreadable.values()),
    }
    for code in SET_ASIDE_CODES:
        parameters[parameter_name(code)] = routed.rows_unreadable.get(code, 0)
    for rule in contract.rules:
        counts = routed.reason_counts if rule.severity == "error" else routed.warning_counts
        parameters[parameter_name(rule.code)] = counts.get(rule.code, 0)
    return parameters


def _conservation(routed: RoutingCounts, name: str) -> list[Finding]:
    if routed.is_conserved:
        return []
    parts = routed.rows_accepted + routed.rows_quarantined + routed.rows_exact_duplicates
    return [_problem(name, "rows", "all", routed.rows_read, parts)]


def _problem(name: str, check: str, file: str, expected: Any, found: Any) -> Finding:
    """The finding of one disagreement: which check, over which file, and what was counted."""
    numbers = [str(n) if n is not None else "?" for n in (expected, found)]
    detail = f"{check}, {file}: {numbers[0]} ≠ {numbers[1]}"
    return Finding(AUDIT_CODE, {"file_name": name, "detail": detail, "rule": check, "file": file})


def _problems(results: Mapping[str, Any], name: str) -> list[Finding]:
    """A finding for each expectation that does not hold or could not be evaluated."""
    return [
        _finding(view, result, name)
        for view, run in results.items()
        for result in run.results
        if not result.success or has_raised(result.exception_info)
    ]


def has_raised(exception_info: Mapping[str, Any]) -> bool:
    """True where Great Expectations could not evaluate: one exception, or one a metric."""
    if "raised_exception" in exception_info:
        return bool(exception_info["raised_exception"])
    return any(info["raised_exception"] for info in exception_info.values())


def _finding(view: str, result: Any, name: str) -> Finding:
    config, values = result.expectation_config, result.result
    expected = values.get("expected_count", values.get("recorded_count"))
    if expected == values.get("unexpected_count"):
        expected = values.get("recorded_count")
    found = None if has_raised(result.exception_info) else values.get("unexpected_count")
    code = config.meta["code"]
    if code == AUDIT_CODE:
        column = config.kwargs.get("column") or config.meta.get("column", "")
        code = " ".join(filter(None, (config.type.removeprefix("counted_"), column)))
    if config.type == ROW_COUNT:
        expected, found = config.kwargs["value"], values.get("observed_value")
    if wrong := values.get("details", {}).get("wrong_columns"):
        expected, found = None, ", ".join(wrong[:MOST_NAMES])  # names of columns, never cells
    return _problem(name, code, view, expected, found)


def _row_counts(results: Mapping[str, Any]) -> dict[str, int]:
    """Rows by file; those that were not read stand beside what was judged in the second one."""
    counts: dict[str, int] = {}
    for view, run in results.items():
        for result in run.results:
            if result.expectation_config.type == ROW_COUNT:
                counts[view] = counts.get(view, 0) + result.result.get("observed_value", -1)
            elif result.expectation_config.meta["code"] in SET_ASIDE_CODES:
                unreadable = result.result.get("unexpected_count", 0)
                counts[QUARANTINED] = counts.get(QUARANTINED, 0) + unreadable
    return counts
