"""What is said of an extract, from what was asked, permitted and found: the manifest filled in.

Not here: its form (`manifest.py`) and its files (`extract.py`).
"""

from __future__ import annotations

from pipelines.release.manifest import (
    AgreementUsed,
    Asked,
    ClauseUsed,
    ColumnOut,
    Handling,
    Manifest,
    Named,
    RestrictionUsed,
    RiskAccepted,
    RiskStated,
)
from pipelines.release.material import Material
from pipelines.settings import PROGRAM_VERSION, Settings
from schemas.agreement import fingerprint
from schemas.organisation import organisations, purposes

ISSUER = "passerelle"


def manifest_of(material: Material, key_fingerprint: str, settings: Settings) -> Manifest:
    """The manifest, without its id and its files."""
    request, contract, marking = material.request, material.contract, material.marking
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
        asked=Asked(
            columns=request.columns,
            dimensions=request.dimensions if request.form == "counts" else (),
            measures=request.measures if request.form == "counts" else (),
            since=request.since,
            until=request.until,
            areas=request.areas,
            offences=request.offences,
        ),
        handling=Handling(level=marking.level, tlp=marking.tlp, label=marking.label),
        agreements=_agreements(material, settings),
        clauses=_clauses(material),
        is_withheld_told=material.flow.is_withheld_told,
        has_others_across=material.flow.has_others_across,
        restrictions=tuple(
            RestrictionUsed(clause=one.full_name, reason=one.reason, columns=one.columns)
            for one in material.allowed.restrictions
        ),
        table_versions=material.table_versions,
        row_count=material.row_count,
        suppressed_cells=material.suppressed_cells,
        small_cell_threshold=material.threshold,
        risk=_risk(material),
        accepted_by=_accepted_by(material),
        columns=tuple(
            ColumnOut(name=one.name, type=one.duckdb_type, label=one.label)
            for one in material.fields
        ),
        masked_columns=material.masked_columns,
        query=material.query,
        content_hash=material.content_hash,
    )


def _accepted_by(material: Material) -> tuple[RiskAccepted, ...]:
    return tuple(
        RiskAccepted(
            consent=one.consent_id,
            organisation=_organisation(one.organisation),
            given_on=one.given_at.date(),
            until=one.until,
            reason=one.reason,
        )
        for one in material.consents
    )


def _organisation(code: str) -> Named:
    return Named(code=code, label=organisations()[code].label)


def _agreements(material: Material, settings: Settings) -> tuple[AgreementUsed, ...]:
    """Those of the clauses that were used, and those whose restrictions held."""
    used = {one.partition("/")[0] for one in _used_clauses(material)}
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
        for one in material.allowed.agreements
        if one.agreement in used
    )


def _used_clauses(material: Material) -> list[str]:
    return [one.clause for one in material.flow.clauses]


def _clauses(material: Material) -> tuple[ClauseUsed, ...]:
    permits = {one.full_name: one for one in material.allowed.permits}
    found = []
    for told in material.flow.told():
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


def _risk(material: Material) -> RiskStated | None:
    if material.risk is None:
        return None
    return RiskStated(
        k=material.risk.k_min,
        k_required=material.k_required,
        quasi_identifiers=material.quasi_identifiers,
    )
