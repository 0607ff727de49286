"""Great Expectations' Data Docs of every audit: results kept as JSON, pages built once a run.

Not here: the audit itself, and the report that goes to the provider (`report.py`).

    <data_docs>/results/<delivery>/{accepted,quarantined,together}.json   as Great Expectations
    <data_docs>/results/<delivery>/summary.json                           writes them
    <data_docs>/deliveries/<delivery>.html                                a page a delivery
    <data_docs>/index.html

The pages are rendered by Great Expectations (its page renderer, its view) with a template of ours:
its own template fetches its looks from the network, and is bare without one.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipelines.core.settings import Settings

RESULTS, PAGES, INDEX, SUMMARY = "results", "deliveries", "index.html", "summary.json"
TEMPLATES = Path(__file__).parent / "pages"
TITLES = {
    "accepted": "The accepted file: the strict suite",
    "quarantined": "The quarantined file: each rule counted again",
    "together": "Both files together: rows and records",
}


@dataclass(frozen=True)
class AuditSummary:
    """The head of an audit's page."""

    name: str
    is_success: bool
    evaluated: int
    counts: dict[str, int] = field(default_factory=dict)


def page_of(data_docs: Path, name: str) -> Path:
    """Where the page of a delivery's audit is, once it is built; stable."""
    return data_docs / PAGES / f"{name}.html"


def keep_results(data_docs: Path, summary: AuditSummary, runs: Mapping[str, str]) -> None:
    """Keep an audit's results (Great Expectations' JSON by file) until the pages are built."""
    folder = data_docs / RESULTS / summary.name
    folder.mkdir(parents=True, exist_ok=True)
    for view, text in runs.items():
        _write(folder / f"{view}.json", text)
    # Last, so that what has a summary is whole.
    _write(folder / SUMMARY, json.dumps(vars(summary)))


def build_data_docs(settings: Settings) -> Path:
    """Build pages for audits that have none or an older one, and the index; returns the index."""
    root = settings.data_docs
    summaries = [_summary(file) for file in sorted((root / RESULTS).glob(f"*/{SUMMARY}"))]
    stale = [s for s in summaries if _is_stale(root, s.name)]
    index = root / INDEX
    if stale or not index.exists():
        (root / PAGES).mkdir(parents=True, exist_ok=True)
        view, render = _great_expectations_view()
        for summary in stale:
            _write(page_of(root, summary.name), _page(root, summary, view, render))
        template = view.env.get_template("audits.j2")
        _write(index, template.render(audits=summaries, version=view.env.globals["ge_version"]))
    return index


def _is_stale(root: Path, name: str) -> bool:
    page, summary = page_of(root, name), root / RESULTS / name / SUMMARY
    return not page.exists() or page.stat().st_mtime_ns < summary.stat().st_mtime_ns


def _page(root: Path, summary: AuditSummary, view: Any, render: Any) -> str:
    folder = root / RESULTS / summary.name
    documents = {
        name: render((folder / f"{name}.json").read_text(encoding="utf-8"))
        for name in TITLES
        if (folder / f"{name}.json").exists()
    }
    failures = {name: document.pop("failures") for name, document in documents.items()}
    text: str = view.env.get_template("audit.j2").render(
        **vars(summary),
        documents=documents,
        failures=failures,
        titles=TITLES,
        version=view.env.globals["ge_version"],
    )
    return text


def _great_expectations_view() -> tuple[Any, Any]:
    """Great Expectations' page view with our templates, and a renderer of one kept result."""
    from pipelines.validate.gx import import_great_expectations

    import_great_expectations()
    from great_expectations.core.expectation_validation_result import (
        expectationSuiteValidationResultSchema,
    )
    from great_expectations.render.renderer.page_renderer import ValidationResultsPageRenderer
    from great_expectations.render.view.view import DefaultJinjaPageView

    import pipelines.validate.expectations  # noqa: F401  (registers how ours are rendered)

    def render(text: str) -> dict[str, Any]:
        result = expectationSuiteValidationResultSchema.load(json.loads(text))
        document: dict[str, Any] = ValidationResultsPageRenderer().render(result).to_json_dict()
        return document | {"failures": result.statistics["unsuccessful_expectations"]}

    return DefaultJinjaPageView(custom_views_directory=str(TEMPLATES)), render


def _summary(file: Path) -> AuditSummary:
    return AuditSummary(**json.loads(file.read_text(encoding="utf-8")))


def _write(file: Path, text: str) -> None:
    half = file.with_name(f".{file.name}.{os.getpid()}")
    half.write_text(text, encoding="utf-8")
    half.replace(file)
