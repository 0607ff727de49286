"""What Dagster shows about a delivery and its verdict: events, checks, counts, reasons, versions.

Not here: reaching the verdict (`pipelines`). Codes and counts only; no value of a cell, since
what is shown here is read by people who may not read the rows.

The same events whether a run of Dagster judged (`harmonised.py`) or anybody else (`ledger.py`).
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import dagster as dg
from dagster._core.definitions.asset_checks import asset_check_evaluation

from assets.columns import LINEAGE, lineage_of_feed
from assets.deliveries import receipt_metadata
from assets.feeds import landed_key
from assets.words import both
from schemas.contract import all_rules
from schemas.feed import load_feed
from schemas.text import Language

if TYPE_CHECKING:
    from pipelines.landing.receive import Delivery
    from pipelines.validate.verdict import Verdict

Target = asset_check_evaluation.AssetCheckEvaluationTargetMaterializationData

JUDGED = "passerelle/judged"  # when the verdict was reached, by which another one is known
DATA_VERSION, CODE_VERSION = "dagster/data_version", "dagster/code_version"
IS_OUR_VERSION = "dagster/data_version_is_user_provided"
INPUT_VERSION = "dagster/input_data_version"  # of the asset whose key follows
AUDIT, REJECTIONS = "great_expectations", "rejections"
REFUSED_WHOLE = both(
    "The file was refused as a whole: none of its rows was taken.",
    "Le fichier a été refusé en bloc\u00a0: aucune de ses lignes n’a été prise.",
)
DESCRIPTIONS = {
    AUDIT: both(
        "The delivery could be read, and the independent audit by Great Expectations agrees with "
        "how its rows were sorted.",
        "L’envoi a pu être lu, et l’examen indépendant par Great Expectations confirme le tri de "
        "ses lignes.",
    ),
    REJECTIONS: both(
        "The delivery was taken in and none of its rows was rejected. Counts are by rule code; a "
        "row with two faults counts twice.",
        "L’envoi a été pris et aucune de ses lignes n’a été rejetée. Les nombres vont par code de "
        "règle\u202f; une ligne à deux défauts compte deux fois.",
    ),
}
# `passerelle serve` shows the Data Docs beside Dagster and says where.
DATA_DOCS_ADDRESS = "PASSERELLE_DATA_DOCS_URL"


def check_specs(
    asset: dg.AssetKey, deliveries: dg.PartitionsDefinition[str]
) -> list[dg.AssetCheckSpec]:
    """The checks of one feed's harmonised deliveries; each delivery keeps its own outcome."""
    with warnings.catch_warnings():
        # Without partitions the next good delivery would hide that this one was refused.
        warnings.simplefilter("ignore", dg.PreviewWarning)
        return [
            dg.AssetCheckSpec(name, asset=asset, description=description, partitions_def=deliveries)
            for name, description in DESCRIPTIONS.items()
        ]


def code_version(feed_version: str, contract_version: str) -> str:
    """What a delivery is judged by, as Dagster compares it with what is declared now."""
    return f"feed {feed_version}, table {contract_version}"


def landed_event(delivery: Delivery) -> dg.AssetMaterialization:
    """The file of a delivery came."""
    return dg.AssetMaterialization(
        landed_key(delivery.feed),
        partition=delivery.delivery_id,
        metadata=receipt_metadata(delivery.receipt),
        tags={DATA_VERSION: delivery.sha256, IS_OUR_VERSION: "true"},
    )


def verdict_event(
    asset: dg.AssetKey,
    delivery: Delivery,
    verdict: Verdict,
    language: Language,
    more: Mapping[str, Any] = MappingProxyType({}),
) -> dg.AssetMaterialization | dg.AssetObservation:
    """What became of a delivery: harmonised, or only observed where it was refused.

    A refused delivery has no rows: its partition stays empty and its checks failed, so that no
    list shows it as done. The versions are those that it was judged by, whatever is declared now.
    """
    landed = landed_key(delivery.feed)
    metadata = {**verdict_metadata(verdict, language), **more}
    if verdict.is_accepted:
        metadata[LINEAGE] = lineage_of_feed(load_feed(delivery.feed), landed)
    said: dict[str, Any] = {
        "partition": delivery.delivery_id,
        "metadata": metadata,
        "tags": {
            JUDGED: verdict.folder_name,
            DATA_VERSION: verdict.digest,
            IS_OUR_VERSION: "true",
            CODE_VERSION: code_version(verdict.feed_version, verdict.contract_version),
            f"{INPUT_VERSION}/{landed.to_user_string()}": delivery.sha256,
        },
    }
    event = dg.AssetMaterialization if verdict.is_accepted else dg.AssetObservation
    return event(asset, **said)


def check_events(
    asset: dg.AssetKey, verdict: Verdict, language: Language, target: Target | None = None
) -> Iterator[dg.AssetCheckEvaluation]:
    """The outcome of each check; `target` is the materialisation that it is about.

    People see the findings, never a stack trace.
    """
    findings = [stored.finding for stored in verdict.findings]
    summary = verdict.audit
    yield dg.AssetCheckEvaluation(
        asset_key=asset,
        check_name=AUDIT,
        passed=verdict.is_accepted,
        severity=dg.AssetCheckSeverity.ERROR,
        description="\n".join(f"{f.code}: {f.text(language)}" for f in findings) or None,
        metadata={
            "state": verdict.state,
            "codes": codes_of(verdict) or "–",
            "expectations evaluated": summary.evaluated if summary else 0,
        },
        partition=verdict.delivery_id,
        target_materialization_data=target,
    )
    yield dg.AssetCheckEvaluation(
        asset_key=asset,
        check_name=REJECTIONS,
        # Of a file that was refused whole no row was rejected, and none was taken either.
        passed=verdict.is_accepted and not verdict.rows_quarantined,
        severity=dg.AssetCheckSeverity.WARN,
        description=None if verdict.is_accepted else REFUSED_WHOLE,
        metadata=dict(sorted(verdict.reason_counts.items())),
        partition=verdict.delivery_id,
        target_materialization_data=target,
    )


def codes_of(verdict: Verdict) -> str:
    """The codes of the findings, each once."""
    return ", ".join(dict.fromkeys(finding.code for finding in verdict.findings))


def target_of(instance: dg.DagsterInstance, asset: dg.AssetKey, delivery_id: str) -> Target | None:
    """The materialisation that a check of this delivery is about; None for a refused one.

    Without it Dagster takes the outcome for one of an earlier materialisation.
    """
    wanted = dg.AssetRecordsFilter(asset, asset_partitions=[delivery_id])
    return next(map(target_in, instance.fetch_materializations(wanted, limit=1).records), None)


def target_in(record: dg.EventLogRecord) -> Target | None:
    """The materialisation of a record of Dagster's as a check names it; None for another event."""
    if record.asset_materialization is None:
        return None
    return Target(storage_id=record.storage_id, run_id=record.run_id, timestamp=record.timestamp)


def as_result(said: dg.AssetCheckEvaluation) -> dg.AssetCheckResult:
    """An outcome in the form in which a step of Dagster says it."""
    return dg.AssetCheckResult(
        asset_key=said.asset_key,
        check_name=said.check_name,
        passed=said.passed,
        severity=said.severity,
        description=said.description,
        metadata=said.metadata,
    )


def verdict_metadata(verdict: Verdict, language: Language) -> dict[str, Any]:
    """Rows in and what became of them, the reasons as a small table, and where to read more."""
    metadata: dict[str, Any] = {
        "state": verdict.state,
        "dagster/row_count": verdict.rows_accepted or 0,
        "dagster/partition_row_count": verdict.rows_accepted or 0,
        "codes": codes_of(verdict) or "–",
        "rows in": verdict.rows_read or 0,
        "rows accepted": verdict.rows_accepted or 0,
        "rows quarantined": verdict.rows_quarantined or 0,
        "identical copies": verdict.rows_exact_duplicates or 0,
        "rejections": dg.MetadataValue.md(reasons_table(verdict.reason_counts, language)),
        "warnings": dg.MetadataValue.md(reasons_table(verdict.warning_counts, language)),
        "report": f"passerelle delivery show {verdict.delivery_id} -o report.xlsx",
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
