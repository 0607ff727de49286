"""One asset a table, `published/<table>`: what analysts open, all published in one act.

Not here: publishing (`pipelines/lake`). Who may publish is not decided here either: only
deliveries with an accepting verdict are taken, whoever asks.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Literal

import dagster as dg

from assets.checks import CODE_VERSION, DATA_VERSION, IS_OUR_VERSION, as_result
from assets.columns import LINEAGE, SCHEMA, columns_of, lineage_of_table
from assets.feeds import harmonised_key, loaded_feeds
from assets.resources import OWNER, RETRIES, Installation, faults_in_words
from assets.words import both
from schemas.contract import Contract, load_contract, table_names
from schemas.feed import load_feed

if TYPE_CHECKING:
    from pipelines.core.settings import Settings
    from pipelines.lake.faults import TableFault
    from pipelines.lake.publish import Publication
    from schemas.text import Language

STAGE: Literal["published"] = "published"
PUBLICATION = "publication"


def published_key(table: str) -> dg.AssetKey:
    """The key of a table's asset."""
    return dg.AssetKey([STAGE, table])


def _feeds_of(contract: Contract) -> list[str]:
    """A data table follows its feeds, a log all of them; reference tables come with the program."""
    if contract.kind == "reference":
        return []
    return [
        feed
        for feed in loaded_feeds()
        if contract.kind == "log" or load_feed(feed).table == contract.table
    ]


def _spec(table: str) -> dg.AssetSpec:
    contract = load_contract(table)
    return dg.AssetSpec(
        published_key(table),
        deps=[harmonised_key(feed) for feed in _feeds_of(contract)],
        description=both(contract.description.en, contract.description.fr),
        group_name=STAGE,
        kinds={"deltalake", "duckdb"} if contract.kind != "reference" else {"duckdb"},
        tags={"kind": contract.kind},
        owners=[OWNER],
        metadata={SCHEMA: columns_of(table, STAGE)},
        code_version=contract.version,
    )


def _check_spec(table: str) -> dg.AssetCheckSpec:
    return dg.AssetCheckSpec(
        PUBLICATION,
        asset=published_key(table),
        description=both(
            "Nothing keeps the table from showing what is judged.",
            "Rien n’empêche la table de montrer ce qui est examiné.",
        ),
    )


def check_event(
    table: str, fault: "TableFault | None", language: "Language"
) -> dg.AssetCheckEvaluation:
    """Whether a table could be published; if not, why, and what it shows meanwhile."""
    return dg.AssetCheckEvaluation(
        asset_key=published_key(table),
        check_name=PUBLICATION,
        passed=fault is None,
        severity=dg.AssetCheckSeverity.ERROR,
        description=fault.explained(language) if fault else None,
        metadata={"since": fault.since.isoformat()} if fault else {},
    )


@dg.multi_asset(
    name=STAGE,
    specs=[_spec(table) for table in table_names()],
    check_specs=[_check_spec(table) for table in table_names()],
    pool=STAGE,
    retry_policy=RETRIES,
)
def published(
    context: dg.AssetExecutionContext, installation: Installation
) -> Iterator[dg.MaterializeResult[None] | dg.AssetCheckResult]:
    """Publish every judged delivery; one commit a table, then one swap of the catalogue."""
    from pipelines.ingest.publish import publish

    settings = installation.settings()
    with faults_in_words():
        done = publish(settings)
        shown = _shown(settings)
        held = _held(settings)
    for table, (rows, version) in shown.items():
        said = check_event(table, done.faults.get(table), settings.language)
        if said.passed:
            more = {"held": dg.MetadataValue.md(held)} if held and table == "deliveries" else {}
            yield dg.MaterializeResult(
                asset_key=said.asset_key,
                metadata=_metadata(table, rows, done) | more,
                data_version=dg.DataVersion(version),
            )
        yield as_result(said)
    fail_for(settings, done)


def fail_for(settings: "Settings", done: "Publication") -> None:
    """Raise Failure where a table could not be published, after the others were told."""
    if done.faults:
        lines = [one.explained(settings.language) for one in done.faults.values()]
        raise dg.Failure("\n".join(lines), allow_retries=False)


def table_events(
    instance: dg.DagsterInstance, settings: "Settings", done: "Publication | None" = None
) -> Iterator[dg.AssetMaterialization | dg.AssetCheckEvaluation]:
    """What Dagster has not heard of tables: a content, or that one can or cannot be published.

    Tables are known by their content, so what a run of ours has said already is not said again.
    """
    from pipelines.lake.catalogue import table_faults

    faults = table_faults(settings)
    healthy = _known_outcomes(instance)
    for table, (rows, version) in _shown(settings).items():
        if _known(instance, table) != version:
            yield dg.AssetMaterialization(
                published_key(table),
                metadata=_metadata(table, rows, done),
                tags={
                    DATA_VERSION: version,
                    IS_OUR_VERSION: "true",
                    CODE_VERSION: load_contract(table).version,
                },
            )
        if healthy.get(table) is not (table not in faults):
            yield check_event(table, faults.get(table), settings.language)


def is_publishing(run: dg.DagsterRun) -> bool:
    """True for a run that says itself what it publishes."""
    return run.job_name in ("publish", "daily_round") or any(
        key.path[0] == STAGE for key in run.asset_selection or ()
    )


def catalogue_stamp(settings: "Settings") -> str | None:
    """A text that changes whenever the catalogue does; None before the first publish."""
    import pipelines
    from pipelines.lake.catalogue import PINS_SCHEMA
    from pipelines.lake.errors import NothingPublishedError

    try:
        with pipelines.connect(settings) as connection:
            [(stamp,)] = connection.sql(f"SELECT stamp FROM {PINS_SCHEMA}.stamp").fetchall()
    except NothingPublishedError:
        return None
    return str(stamp)


def _known_outcomes(instance: dg.DagsterInstance) -> dict[str, bool]:
    """By table, what its check said last."""
    keys = [dg.AssetCheckKey(published_key(table), PUBLICATION) for table in table_names()]
    found = instance.event_log_storage.get_latest_asset_check_execution_by_key(keys)
    return {
        key.asset_key.path[-1]: record.evaluation.passed
        for key, record in found.items()
        if isinstance(record.evaluation, dg.AssetCheckEvaluation)  # and not only planned
    }


def _known(instance: dg.DagsterInstance, table: str) -> str | None:
    """The version of a table in the last materialisation that Dagster heard of."""
    event = instance.get_latest_materialization_event(published_key(table))
    said = event.asset_materialization if event else None
    return said.tags.get(DATA_VERSION) if said and said.tags else None


def _shown(settings: "Settings") -> dict[str, tuple[int, str]]:
    """The rows of every table of the catalogue, and a text that changes when its content does."""
    import pipelines
    from pipelines.lake.catalogue import PINS_SCHEMA

    with pipelines.connect(settings) as connection:
        pinned = dict(
            connection.sql(f"SELECT table_name, version FROM {PINS_SCHEMA}.versions").fetchall()
        )
        counts = {
            table: connection.table(table).count("*").fetchall()[0][0] for table in table_names()
        }
    # What reference tables are made from is in the second part of the stamp.
    program = str(catalogue_stamp(settings)).rpartition(";")[2][:12]
    return {
        table: (
            rows,
            program
            if load_contract(table).kind == "reference"
            else f"{pinned.get(table, 'empty')}.{rows}",
        )
        for table, rows in counts.items()
    }


def _held(settings: "Settings") -> str:
    """What is asked about deliveries of which rows are held, a line each; it quotes no cell."""
    import pipelines
    from pipelines.lake.questions import read_question
    from pipelines.landing.receive import open_delivery

    with pipelines.connect(settings) as connection:
        found = connection.sql(
            "SELECT delivery_id FROM deliveries WHERE state = 'held' ORDER BY delivery_id"
        ).fetchall()
    asked = ((one, read_question(open_delivery(settings, one).folder)) for (one,) in found)
    return "\n".join(f"- {one}: {said.text(settings.language)}" for one, said in asked if said)


def _metadata(table: str, rows: int, done: "Publication | None") -> dict[str, Any]:
    """The rows of a table, whence its columns and, where we published it, what was taken in."""
    contract = load_contract(table)
    metadata: dict[str, Any] = {"dagster/row_count": rows}
    if contract.kind != "log" and (feeds := _feeds_of(contract)):
        metadata[LINEAGE] = lineage_of_table(
            contract, [(load_feed(feed), harmonised_key(feed)) for feed in feeds]
        )
    if done is None:
        return metadata
    left_out = "\n".join(f"- {delivery}: {why}" for delivery, why in done.left_out.items())
    return {
        **metadata,
        "rows taken in": done.rows.get(table, 0),
        "deliveries taken in": len(done.deliveries),
        **({"left out": dg.MetadataValue.md(left_out)} if left_out else {}),
    }
