"""What Dagster shows about a verdict: the checks of a delivery, its counts, its reasons.

Not here: reaching the verdict (`pipelines`). Codes and counts only; no value of a cell, since
what is shown here is read by people who may not read the rows.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import dagster as dg

from schemas.contract import all_rules
from schemas.text import Language

if TYPE_CHECKING:
    from pipelines.validate.verdict import Verdict

JUDGED = "passerelle/judged"  # when the verdict was reached, by which another one is known
AUDIT, REJECTIONS = "great_expectations", "rejections"
REFUSED_WHOLE: dict[Language, str] = {
    "en": "The file was refused as a whole: none of its rows was taken.",
    "fr": "Le fichier a été refusé en bloc\u00a0: aucune de ses lignes n’a été prise.",
}
# `passerelle serve` shows the Data Docs beside Dagster and says where.
DATA_DOCS_ADDRESS = "PASSERELLE_DATA_DOCS_URL"


def check_specs(
    asset: dg.AssetKey, deliveries: dg.PartitionsDefinition[str]
) -> list[dg.AssetCheckSpec]:
    """The checks of one feed's harmonised deliveries; each delivery keeps its own outcome."""
    words = {
        AUDIT: "The delivery could be read, and the independent audit by Great Expectations "
        "agrees with how its rows were sorted.",
        REJECTIONS: "The delivery was taken in and none of its rows was rejected. Counts are by "
        "rule code; a row with two faults counts twice.",
    }
    with warnings.catch_warnings():
        # Without partitions the next good delivery would hide that this one was refused.
        warnings.simplefilter("ignore", dg.PreviewWarning)
        return [
            dg.AssetCheckSpec(name, asset=asset, description=description, partitions_def=deliveries)
            for name, description in words.items()
        ]


def verdict_checks(
    asset: dg.AssetKey, verdict: Verdict, language: Language
) -> Iterator[dg.AssetCheckResult]:
    """The outcome of each check.

    A refused delivery fails its check but not its run: refusing is what the pipeline is for, and
    nothing would be gained by running it again. So people see the finding, never a stack trace.
    """
    findings = [stored.finding for stored in verdict.findings]
    summary = verdict.audit
    yield dg.AssetCheckResult(
        asset_key=asset,
        check_name=AUDIT,
        passed=verdict.is_accepted,
        severity=dg.AssetCheckSeverity.ERROR,
        description="\n".join(f"{f.code}: {f.text(language)}" for f in findings) or None,
        metadata={
            "state": verdict.state,
            "codes": ", ".join(f.code for f in findings) or "–",
            "expectations evaluated": summary.evaluated if summary else 0,
        },
    )
    yield dg.AssetCheckResult(
        asset_key=asset,
        check_name=REJECTIONS,
        # Of a file that was refused whole no row was rejected, and none was taken either.
        passed=verdict.is_accepted and not verdict.rows_quarantined,
        severity=dg.AssetCheckSeverity.WARN,
        description=None if verdict.is_accepted else REFUSED_WHOLE[language],
        metadata=dict(sorted(verdict.reason_counts.items())),
    )


def evaluation_of(
    result: dg.AssetCheckResult, partition: str | None = None
) -> dg.AssetCheckEvaluation:
    """The same outcome for a sensor, which runs no step that could return a result."""
    assert result.asset_key is not None  # noqa: S101  (each of ours names its asset)
    return dg.AssetCheckEvaluation(
        asset_key=result.asset_key,
        check_name=str(result.check_name),
        passed=result.passed,
        metadata=result.metadata,
        severity=result.severity,
        description=result.description,
        partition=partition,
    )


def verdict_metadata(verdict: Verdict, language: Language) -> dict[str, Any]:
    """Rows in and what became of them, the reasons as a small table, and where to read more."""
    metadata: dict[str, Any] = {
        "state": verdict.state,
        "rows in": verdict.rows_read or 0,
        "rows accepted": verdict.rows_accepted or 0,
        "rows quarantined": verdict.rows_quarantined or 0,
        "identical copies": verdict.rows_exact_duplicates or 0,
        "rejections": dg.MetadataValue.md(reasons_table(verdict.reason_counts, language)),
        "warnings": dg.MetadataValue.md(reasons_table(verdict.warning_counts, language)),
        "report": f"passerelle rejections {verdict.delivery_id} -o report.xlsx",
    }
    page = verdict.audit.data_docs_page if verdict.audit else ""
    if page:
        metadata["data docs"] = dg.MetadataValue.path(page)
        if address := os.environ.get(DATA_DOCS_ADDRESS):
            metadata["data docs page"] = dg.MetadataValue.url(_address(address, page))
    return metadata


def reasons_table(counts: Mapping[str, int], language: Language) -> str:
    """Rule codes with their rows and words, the most frequent first, in Markdown."""
    if not counts:
        return "–"
    rules = all_rules()
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    head = "| code | rows | why |" if language == "en" else "| code | lignes | motif |"
    rows = [f"| {code} | {rows} | {rules[code].message[language]} |" for code, rows in ordered]
    return "\n".join([head, "|---|---:|---|", *rows])


def _address(address: str, page: str) -> str:
    return f"{address.rstrip('/')}/{page.replace(os.sep, '/').partition('data_docs/')[2]}"
