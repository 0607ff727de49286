"""One asset a standing extract, `releases/<name>`: what agreements ask to be made again and again.

Not here: making an extract (`pipelines/release`). What is shown here are counts, clauses and the
name of the file; no value of a row, since people read it who may not have the extract.
"""

import datetime as dt
import logging
from typing import TYPE_CHECKING, Any

import dagster as dg

from assets.resources import OWNER, RETRIES, Installation, faults_in_words
from assets.tables import published_key
from assets.words import both
from pipelines.core.settings import current_settings
from pipelines.release.standing import StandingExtract, standing_extracts
from schemas.agreement_folder import load_agreements
from schemas.problem import AgreementError

if TYPE_CHECKING:
    from pipelines.release.extract import Extract

STAGE = "releases"
AS_OF_TAG = "passerelle/as_of"


def _declared() -> list[StandingExtract]:
    """Those of the agreements; none where these cannot be relied on: the rest still runs."""
    try:
        return standing_extracts(load_agreements(current_settings().agreements))
    except (AgreementError, ValueError) as error:
        logging.getLogger("passerelle").warning("no standing extracts: %s", error)
        return []


def release_asset(standing: StandingExtract) -> dg.AssetsDefinition:
    """The asset of one standing extract."""
    declared = standing.declared

    @dg.asset(
        key=[STAGE, standing.name],
        deps=[published_key(declared.table)],
        description=f"{declared.table} → {declared.recipient}, {declared.purpose} "
        f"({standing.agreement})",
        group_name=STAGE,
        kinds={declared.format},
        tags={
            "agreement": standing.agreement,
            "recipient": declared.recipient,
            "purpose": declared.purpose,
            "mission": standing.mission,
        },
        owners=[OWNER],
        pool=STAGE,
        retry_policy=RETRIES,
        code_version=standing.version,
    )
    def released(
        context: dg.AssetExecutionContext, installation: Installation
    ) -> dg.MaterializeResult[None]:
        from pipelines.release.errors import ReleaseError
        from pipelines.release.standing import make_standing

        asked = context.run.tags.get(AS_OF_TAG)
        as_of = dt.date.fromisoformat(asked) if asked else dt.datetime.now(dt.UTC).date()
        with faults_in_words():
            try:
                made = make_standing(
                    installation.settings(), standing.name, as_of, made_by="schedule"
                )
            except (ReleaseError, AgreementError) as refused:
                words = both(refused.text("en"), refused.text("fr"))
                raise dg.Failure(f"{_code(refused)}{words}", allow_retries=False) from None
            if made is None:
                words = both(
                    f"No agreement asks for {standing.name} any more.",
                    f"Aucun accord ne demande plus {standing.name}.",
                )
                raise dg.Failure(words, allow_retries=False)
        return dg.MaterializeResult(
            metadata=_metadata(made), data_version=dg.DataVersion(made.extract_id)
        )

    return released


def _metadata(made: "Extract") -> dict[str, Any]:
    return {
        "dagster/row_count": made.row_count,
        "file": made.file.name,
        "sha256": made.sha256,
        "clauses": ", ".join(one.clause for one in made.manifest.clauses),
        "handling": made.manifest.handling.level,
        "as of": made.manifest.as_of.isoformat(),
    }


def _code(refused: Exception) -> str:
    code = getattr(refused, "code", "")
    return f"{code}: " if code else ""


def _job(mission: str) -> Any:
    keys = [dg.AssetKey([STAGE, one.name]) for one in standing if one.mission == mission]
    return dg.define_asset_job(
        f"releases_{mission}",
        dg.AssetSelection.assets(*keys),
        description=both(
            f"Make the standing extracts of {mission} anew.",
            f"Établir à nouveau les extraits réguliers de {mission}.",
        ),
    )


standing = _declared()
release_assets = [release_asset(one) for one in standing]
MISSIONS = sorted({one.mission for one in standing})
release_jobs = [_job(mission) for mission in MISSIONS]
