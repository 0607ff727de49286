"""What is said of an extract, from what was asked, permitted and found: the manifest filled in.

Not here: its form (`manifest.py`) and its files (`extract.py`).
"""

from __future__ import annotations

from pipelines.core.settings import PROGRAM_VERSION, Settings
from pipelines.release.package.manifest import (
    AgreementUsed,
    ClauseUsed,
    ColumnOut,
    Handling,
    Manifest,
    ManifestRequest,
    Named,
    RestrictionUsed,
    RiskAccepted,
    RiskStated,
)
from pipelines.release.query.selection import Selection
from schemas.agreement_folder import fingerprint
from schemas.organisation import organisations, purposes

ISSUER = "passerelle"


def manifest_of(selection: Selection, key_fingerprint: str, settings: Settings) -> Manifest:
    """The manifest, without its id and its files."""
    request, contract, marking = selection.request, selection.contract, selection.marking
    return Manifest(
        issuer=_organisation(ISSUER),
        program_version=PROGRAM_VERSION,
        key_fingerprint=key_fingerprint,
        recipient=_organisation(request.recipient),
        purpose=Named(code=request.purpose, label=purposes()[request.purpose].label),
        table=request.table,
        title=contract.title,
        contract_version=contract.version,
        form=request.form,
        file_format=request.format,
        language=request.language,
        as_of=request.as_of,
        asked=ManifestRequest(
            columns=request.columns,
            dimensions=request.dimensions if request.form == "counts" else (),
            measures=request.measures if request.form == "counts" else (),
            since=request.since,
            until=request.until,
            areas=request.areas,
            offences=request.offences,
        ),
        handling=Handling(level=marking.level, tlp=marking.tlp, label=marking.label),
        agreements=_agreements(selection, settings),
        clauses=_clauses(selection),
        is_withheld_told=selection.flow.is_withheld_told,
        has_others_across=selection.flow.has_others_across,
        restrictions=tuple(
            RestrictionUsed(clause=one.full_name, reason=one.reason, columns=one.columns)
            for one in selection.allowed.restrictions
        ),
        table_versions=selection.table_versions,
        row_count=selection.row_count,
        suppressed_cells=selection.suppressed_cells,
        small_cell_threshold=selection.threshold,
        risk=_risk(selection),
        accepted_by=_accepted_by(selection),
        columns=tuple(
            ColumnOut(name=one.name, type=one.duckdb_type, label=one.label)
            for one in selection.fields
        ),
        masked_columns=selection.masked_columns,
        query=selection.query,
        content_hash=selection.content_hash,
    )


def _accepted_by(selection: Selection) -> tuple[RiskAccepted, ...]:
    return tuple(
        RiskAccepted(
            consent=one.consent_id,
            organisation=_organisation(one.organisation),
            given_on=one.given_at.date(),
            until=one.until,
            reason=one.reason,
        )
        for one in selection.consents
    )


def _organisation(code: str) -> Named:
    return Named(code=code, label=organisations()[code].label)


def _agreements(selection: Selection, settings: Settings) -> tuple[AgreementUsed, ...]:
    """Those of the clauses that were used, and those whose restrictions held."""
    used = {one.partition("/")[0] for one in _used_clauses(selection)}
    files = fingerprint(settings.agreements)
    return tuple(
        AgreementUsed(
            name=one.agreement,
            version=one.version,
            sha256=files[one.agreement][1],
            status=one.status,
            title=one.title,
            legal_reference=one.legal_reference,
            valid_until=one.valid_until,
        )
        for one in selection.allowed.agreements
        if one.agreement in used
    )


def _used_clauses(selection: Selection) -> list[str]:
    return [one.clause for one in selection.flow.clauses]


def _clauses(selection: Selection) -> tuple[ClauseUsed, ...]:
    permits = {one.full_name: one for one in selection.allowed.permits}
    found = []
    for told in selection.flow.told():
        permit = permits[str(told["clause"])]
        review = permit.due_diligence
        found.append(
            ClauseUsed.model_validate(
                {
                    "clause": permit.full_name,
                    "agreement": permit.agreement,
                    "summary": permit.summary,
                    "rows_kept": told["kept"],
                    "rows_coarsened": told["coarsened"],
                    "cells_masked": told["masked"],
                    "rows_dropped": told["dropped"],
                    "precision": permit.precision,
                    "handling_ceiling": permit.rows.handling_ceiling,
                    "delay_days": permit.delay_days,
                    "onward": permit.onward,
                    "due_diligence": review.reference if review else "",
                }
            )
        )
    return tuple(found)


def _risk(selection: Selection) -> RiskStated | None:
    if selection.risk is None:
        return None
    return RiskStated(
        k=selection.risk.k_min,
        k_required=selection.k_required,
        quasi_identifiers=selection.quasi_identifiers,
    )
