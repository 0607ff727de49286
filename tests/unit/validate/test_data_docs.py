"""Data Docs: a page a delivery at a stable place, readable without a network, with no cell in it.

Not here: what an audit finds (`test_audit.py`).
"""

from __future__ import annotations

import json
import os
import re
from dataclasses import replace
from pathlib import Path

import pytest
from routing import CANARY, route

from pipelines.core.settings import Settings, settings_for
from pipelines.validate.audit import Auditor
from pipelines.validate.data_docs import build_data_docs, page_of
from schemas.contract import load_contract

GOOD, BAD = "caf_police_incidents.aaaaaaaaaaaa", "caf_police_incidents.bbbbbbbbbbbb"


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """An installation with two audits, one of which failed, and their pages."""
    settings = settings_for(tmp_path_factory.mktemp("home")).prepare()
    auditor = Auditor(settings)
    contract = load_contract("incidents")
    accepted, quarantined, routed = route(contract, tmp_path_factory.mktemp("files"))
    lying = replace(routed, reason_counts={**routed.reason_counts, "INC-402": 1})
    for name, said in ((GOOD, routed), (BAD, lying)):
        result = auditor.audit(
            contract, accepted, quarantined, said, data_docs=settings.data_docs, name=name
        )
        assert result.data_docs_page == page_of(settings.data_docs, name)
    build_data_docs(settings)
    return settings


def test_pages_are_whole_without_a_network(settings: Settings) -> None:
    pages = list(settings.data_docs.rglob("*.html"))
    assert len(pages) == 3
    for page in pages:
        assert not re.search(r"<script|https?:|@import|url\(", page.read_text("utf-8"))


def test_index_links_to_each_page(settings: Settings) -> None:
    index = (settings.data_docs / "index.html").read_text("utf-8")
    for link in re.findall(r'href="([^"]+)"', index):
        assert (settings.data_docs / link).is_file()
    assert index.count("agrees") == 1 + index.count("disagrees")


def test_page_says_what_disagrees(settings: Settings) -> None:
    good, bad = (page_of(settings.data_docs, name).read_text("utf-8") for name in (GOOD, BAD))
    assert "✗ fails" not in good
    assert bad.count("✗ fails") == 1
    assert "8 ≠ 1" in bad
    assert load_contract("incidents").rule("INC-402").message.en in good


def test_no_cell_is_kept(settings: Settings) -> None:
    for file in filter(Path.is_file, settings.data_docs.rglob("*")):
        assert CANARY not in file.read_text("utf-8")
        assert "773199" not in file.read_text("utf-8")


def test_results_are_great_expectations_own(settings: Settings) -> None:
    kept = json.loads((settings.data_docs / "results" / GOOD / "accepted.json").read_text("utf-8"))
    assert kept["success"]
    assert kept["statistics"]["evaluated_expectations"] == len(kept["results"])


def test_only_new_audits_are_rendered_again(settings: Settings) -> None:
    page = page_of(settings.data_docs, GOOD)
    os.utime(page, ns=(before := page.stat().st_mtime_ns, before))
    build_data_docs(settings)
    assert page.stat().st_mtime_ns == before
    page.unlink()
    build_data_docs(settings)
    assert page.exists()


def test_no_audit_gives_an_empty_index(tmp_path: Path) -> None:
    index = build_data_docs(settings_for(tmp_path))
    assert "<table>" in index.read_text("utf-8")
