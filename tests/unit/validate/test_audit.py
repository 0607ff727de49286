"""The audit agrees with an honest router, and says so with counts only.

Not here: routers that lie (`tests/faults/test_mutated_rules.py`).
"""

from __future__ import annotations

import logging
import socket
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import duckdb
import pytest
from routing import CANARY, INCIDENT, counted, route

from pipelines.core.settings import Settings, settings_for
from pipelines.validate.audit import Auditor, _problems, audit
from pipelines.validate.data_docs import build_data_docs
from pipelines.validate.expectations import DESCRIBED, ExpectTableColumnsToFollowContract
from schemas.contract import load_contract
from schemas.render.expectations import accepted_suite, quarantined_suite, together_suite

NAME = "caf_police_incidents.0123456789ab"


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return settings_for(tmp_path_factory.mktemp("home")).prepare()


@pytest.fixture(scope="module")
def auditor(settings: Settings) -> Auditor:
    return Auditor(settings)


def test_honest_router_passes(auditor: Auditor, tmp_path: Path) -> None:
    contract = load_contract("incidents")
    accepted, quarantined, routed = route(contract, tmp_path)
    result = auditor.audit(contract, accepted, quarantined, routed, data_docs=None, name=NAME)
    assert result.problems == []
    assert result.is_success
    assert result.counts == {
        "accepted": routed.rows_accepted,
        "quarantined": routed.rows_quarantined,
    }
    assert {"INC-402", "INC-510", "INC-511", "INC-514", "INC-601"} <= set(routed.reason_counts)
    assert "INC-512" in routed.warning_counts
    # Every rule of the contract is judged in both files.
    assert result.evaluated >= 2 * len(contract.rules)


def test_another_version_of_a_contract_is_judged_by_its_own_rules(
    auditor: Auditor, tmp_path: Path
) -> None:
    contract = load_contract("incidents")
    files = route(contract, tmp_path)
    less = replace(contract, version="99.0.0", rules=contract.rules[1:])
    whole, part = (
        auditor.audit(one, *files, data_docs=None, name=NAME) for one in (contract, less)
    )
    assert part.evaluated < whole.evaluated


def test_audits_take_turns(auditor: Auditor, tmp_path: Path) -> None:
    """They share one database and its views."""
    contract = load_contract("incidents")
    files = route(contract, tmp_path)
    found = []
    one = threading.Thread(
        target=lambda: found.append(
            auditor.audit(contract, *files, data_docs=None, name=NAME).is_success
        )
    )
    with auditor._lock:
        one.start()
        one.join(1.5)
        assert one.is_alive()
    one.join()
    assert found == [True]


@pytest.mark.parametrize(
    ("is_success", "has_raised", "is_problem"),
    [(True, False, False), (False, False, True), (True, True, True)],
)
def test_what_could_not_be_evaluated_is_a_problem_whatever_is_said_of_it(
    is_success: bool, has_raised: bool, is_problem: bool
) -> None:
    expectation = SimpleNamespace(type="counted_x", kwargs={}, meta={"code": "INC-402"})
    result = SimpleNamespace(
        success=is_success,
        exception_info={"raised_exception": has_raised},
        expectation_config=expectation,
        result={"unexpected_count": 0},
    )
    problems = _problems({"accepted": SimpleNamespace(results=[result])}, NAME)
    assert bool(problems) == is_problem


def test_every_rule_is_in_both_suites() -> None:
    for table in ("incidents", "border_crossings", "border_flows", "seizures"):
        contract = load_contract(table)
        codes = {rule.code for rule in contract.rules}
        suites = (accepted_suite(contract), quarantined_suite(contract), together_suite(contract))
        accepted, quarantined, together = ({e["meta"]["code"] for e in s} for s in suites)
        assert codes <= quarantined
        assert codes <= accepted | together


@pytest.mark.parametrize(("accepted_rows", "bad"), [(0, True), (20, False), (0, False)])
def test_empty_files_are_judged(
    auditor: Auditor, tmp_path: Path, accepted_rows: int, bad: bool
) -> None:
    contract = load_contract("incidents")
    accepted, quarantined, _ = route(contract, tmp_path, rows=60)
    kept = tmp_path / "kept"
    kept.mkdir()
    files = (kept / "accepted.parquet", kept / "quarantined.parquet")
    with duckdb.connect() as db:
        db.execute(f"COPY (FROM '{accepted}' LIMIT {accepted_rows}) TO '{files[0]}'")
        db.execute(f"COPY (FROM '{quarantined}' WHERE {bad}) TO '{files[1]}'")
    routed = counted(*files, rows_read=0)
    routed = replace(routed, rows_read=routed.rows_accepted + routed.rows_quarantined)
    assert auditor.audit(contract, *files, routed, data_docs=None, name=NAME).problems == []


def test_missing_file_is_a_problem_and_not_an_exception(auditor: Auditor, tmp_path: Path) -> None:
    contract = load_contract("incidents")
    accepted, quarantined, routed = route(contract, tmp_path)
    quarantined.unlink()
    result = auditor.audit(contract, accepted, quarantined, routed, data_docs=None, name=NAME)
    assert not result.is_success
    assert {problem.code for problem in result.problems} == {"DEL-715"}


def test_too_little_memory_is_an_error_of_the_machine_and_no_verdict(
    settings: Settings, tmp_path: Path
) -> None:
    contract = load_contract("incidents")
    accepted, quarantined, routed = route(contract, tmp_path)
    small = Auditor(replace(settings, memory_limit="1MB", threads=1))
    with pytest.raises(OSError, match="memory"):
        small.audit(contract, accepted, quarantined, routed, data_docs=None, name=NAME)


def test_missing_column_fails_what_needs_it(auditor: Auditor, tmp_path: Path) -> None:
    contract = load_contract("incidents")
    accepted, quarantined, routed = route(contract, tmp_path)
    with duckdb.connect() as db:
        db.execute(f"CREATE TABLE t AS SELECT * EXCLUDE (latitude_deg) FROM '{accepted}'")
        db.execute(f"COPY t TO '{accepted}'")
    result = auditor.audit(contract, accepted, quarantined, routed, data_docs=None, name=NAME)
    assert "INC-402" in {problem.values["rule"] for problem in result.problems}


@pytest.mark.parametrize(
    ("values", "check"),
    [
        ({"occurred_on": "DATE '2023-12-31'"}, "occurred_on"),
        ({"occurred_at_precision": "'day'"}, "occurred_at"),
        ({"reported_on": "DATE '2024-01-04'"}, "reported_on"),
    ],
)
def test_a_day_that_is_not_that_of_its_moment_fails(
    auditor: Auditor, tmp_path: Path, values: dict[str, str], check: str
) -> None:
    """Half past eleven at night in UTC is the next day in Bangui, and a day is no midnight."""
    contract = load_contract("incidents")
    moment = {"occurred_at": "TIMESTAMP '2023-12-31 23:30:00'", "occurred_on": "DATE '2024-01-01'"}
    for rows, expected in ((INCIDENT | moment, []), (INCIDENT | moment | values, [check])):
        accepted, quarantined, routed = route(contract, tmp_path, values=rows)
        result = auditor.audit(contract, accepted, quarantined, routed, data_docs=None, name=NAME)
        assert [str(one.values["rule"]).split()[-1] for one in result.problems] == expected


def test_an_undeclared_column_is_refused(auditor: Auditor, tmp_path: Path) -> None:
    contract = load_contract("incidents")
    accepted, quarantined, routed = route(contract, tmp_path)
    with duckdb.connect() as db:
        db.execute(f"CREATE TABLE t AS SELECT *, 'Jean' AS complainant FROM '{accepted}'")
        db.execute(f"COPY t TO '{accepted}'")
    result = auditor.audit(contract, accepted, quarantined, routed, data_docs=None, name=NAME)
    assert [problem.values["detail"] for problem in result.problems] == [
        "expect_table_columns_to_follow_contract, accepted: ? ≠ complainant"
    ]


def test_no_cell_is_in_a_result_a_log_or_on_a_stream(
    auditor: Auditor,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """Also where a query fails on a cell: the column of the canary stands where a number should."""
    contract = load_contract("incidents")
    accepted, quarantined, routed = route(contract, tmp_path)
    with duckdb.connect() as db:
        db.execute(
            f"CREATE TABLE t AS SELECT * REPLACE (place_text AS latitude_deg) FROM '{accepted}'"
        )
        db.execute(f"COPY t TO '{accepted}'")
    pages = tmp_path / "pages"
    with caplog.at_level(logging.DEBUG):
        result = auditor.audit(contract, accepted, quarantined, routed, data_docs=pages, name=NAME)
    assert not result.is_success
    said = [repr(result), caplog.text, *capfd.readouterr()]
    said += [file.read_text(errors="replace") for file in pages.rglob("*") if file.is_file()]
    assert not [text for text in said if CANARY in text or "773199" in text]


def test_process_auditor_is_shared(settings: Settings, tmp_path: Path) -> None:
    contract = load_contract("incidents")
    accepted, quarantined, routed = route(contract, tmp_path)
    results = [
        audit(
            contract,
            accepted,
            quarantined,
            **vars(routed),
            data_docs=None,
            name=NAME,
            settings=settings,
        )
        for _ in range(2)
    ]
    assert all(result.is_success for result in results)


def test_nothing_is_sent_and_nothing_drawn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """No socket is opened and no progress bar drawn, from the making of the context on."""

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a socket was opened")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    contract = load_contract("incidents")
    accepted, quarantined, routed = route(contract, tmp_path)
    fresh = Auditor(settings_for(tmp_path / "home").prepare())
    pages = tmp_path / "home" / "data_docs"
    assert fresh.audit(
        contract, accepted, quarantined, routed, data_docs=pages, name=NAME
    ).is_success
    build_data_docs(settings_for(tmp_path / "home"))
    assert capfd.readouterr() == ("", "")


def test_importing_the_audit_imports_no_great_expectations() -> None:
    script = (
        "import sys, pipelines.validate.audit, pipelines.validate.verdict\n"
        "assert not {'great_expectations', 'pandas'} & set(sys.modules), 'heavy import'"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


@pytest.mark.parametrize(
    ("found", "wrong"),
    [
        (["a VARCHAR", "b DATE", "reasons VARCHAR[]"], []),
        (["a VARCHAR", "b DATE", "reasons VARCHAR[]", "cell VARCHAR"], []),
        (["a VARCHAR", "b DATE"], ["reasons"]),
        (["a VARCHAR", "b TIMESTAMP", "reasons VARCHAR[]"], ["b DATE"]),
        (["a VARCHAR", "reasons VARCHAR[]"], ["b DATE"]),
        (["a VARCHAR", "b DATE", "reasons VARCHAR[]", "name VARCHAR"], ["name"]),
    ],
)
def test_columns_follow_the_contract(found: list[str], wrong: list[str]) -> None:
    """Without the other expectations, which would stumble over a column that is not there."""
    expected = ExpectTableColumnsToFollowContract(
        columns=["a VARCHAR", "b DATE"], required=["reasons"], allowed=["cell"]
    )
    result = expected._validate({DESCRIBED: found})
    assert result["success"] == (not wrong)
    assert result["result"]["details"] == {"wrong_columns": wrong}
