"""The audit against the real router: the compiled query, honest and with a rule's SQL broken.

Not here: the same over a simulated router, and files changed afterwards (`tests/faults`).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path

import pytest

import pipelines.harmonise.compile as compiler
from pipelines.core.settings import Settings, settings_for
from pipelines.harmonise.run import HarmoniseResult, harmonise_file
from pipelines.validate.audit import Audit, audit
from schemas.contract import Rule, load_contract
from schemas.feed import Feed, load_feed
from schemas.rules import fails_when

RECEIVED = dt.datetime(2026, 10, 1, tzinfo=dt.UTC)
FEED = load_feed("caf_border_crossings")
CASES = [
    (file, code) for file, code in FEED.counterexamples().items() if not code.startswith("DEL")
]
TRIED = CASES[::3]  # of each kind of rule; the same form is audited in the same way
MUTATIONS: list[Callable[[str], str]] = [
    lambda sql: "FALSE",
    lambda sql: f"NOT coalesce({sql}, FALSE)",
    lambda sql: f"({sql}) AND source_row > 1000",
]


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return settings_for(tmp_path_factory.mktemp("home")).prepare()


def harmonised(settings: Settings, feed: Feed, file: Path, folder: Path) -> HarmoniseResult:
    return harmonise_file(
        settings, feed, file, folder, delivery_id=f"{feed.feed}.0", received_at=RECEIVED
    )


def audited(settings: Settings, feed: Feed, routed: HarmoniseResult) -> Audit:
    return audit(
        load_contract(feed.table),
        routed.accepted,
        routed.quarantined,
        rows_read=routed.rows_read,
        rows_accepted=routed.rows_accepted,
        rows_quarantined=routed.rows_quarantined,
        rows_exact_duplicates=routed.rows_exact_duplicates,
        reason_counts=routed.reason_counts,
        warning_counts=routed.warning_counts,
        rows_unreadable=routed.text_rows.rows_unreadable,
        data_docs=None,
        name=f"{feed.feed}.0",
        settings=settings,
    )


@pytest.mark.parametrize("at", range(len(TRIED)), ids=[code for _, code in TRIED])
def test_a_rule_broken_in_the_compiled_query_is_caught(
    at: int, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, code = TRIED[at]
    mutate = MUTATIONS[at % len(MUTATIONS)]

    def broken(rule: Rule) -> str:
        sql = fails_when(rule)
        return f"({mutate(sql)})" if rule.code == code else sql

    monkeypatch.setattr(compiler, "fails_when", broken)
    routed = harmonised(settings, FEED, file, tmp_path)
    assert code in {problem.values["rule"] for problem in audited(settings, FEED, routed).problems}


def test_the_honest_router_agrees(settings: Settings, tmp_path: Path) -> None:
    bad = next(file for file, code in CASES if code.endswith("601"))
    for file in (*FEED.examples(), bad):
        routed = harmonised(settings, FEED, file, tmp_path / file.stem)
        assert audited(settings, FEED, routed).problems == []
