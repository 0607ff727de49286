"""One asset a table, `published/<table>`: what analysts open, all published in one act.

Not here: publishing (`pipelines/lake`). Who may publish is not decided here either: only
deliveries with an accepting verdict are taken, whoever asks.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import dagster as dg

from assets.feeds import loaded_feeds
from assets.harmonised import STAGE as HARMONISED
from assets.resources import OWNER, Installation, trying_again
from schemas.contract import Contract, load_contract, table_names
from schemas.feed import load_feed

if TYPE_CHECKING:
    from pipelines.lake.publish import Published
    from pipelines.settings import Settings

STAGE = "published"
DATA_VERSION = "dagster/data_version"


def published_key(table: str) -> dg.AssetKey:
    """The key of a table's asset."""
    return dg.AssetKey([STAGE, table])


def _feeds_of(contract: Contract) -> list[dg.AssetKey]:
    """A data table follows its feeds, a log all of them; reference tables come with the program."""
    if contract.kind == "reference":
        return []
    return [
        dg.AssetKey([HARMONISED, feed])
        for feed in loaded_feeds()
        if contract.kind == "log" or load_feed(feed).table == contract.table
    ]


def _spec(table: str) -> dg.AssetSpec:
    contract = load_contract(table)
    return dg.AssetSpec(
        published_key(table),
        deps=_feeds_of(contract),
        description=f"{contract.description.en} / {contract.description.fr}",
        group_name=STAGE,
        kinds={"deltalake", "duckdb"} if contract.kind != "reference" else {"duckdb"},
        tags={"kind": contract.kind},
        owners=[OWNER],
        code_version=contract.version,
    )


@dg.multi_asset(name=STAGE, specs=[_spec(table) for table in table_names()], pool=STAGE)
def published(
    context: dg.AssetExecutionContext, installation: Installation
) -> Iterator[dg.MaterializeResult[None]]:
    """Publish every judged delivery; one commit a table, then one swap of the catalogue."""
    from pipelines.ledger.deliveries import publish

    settings = installation.settings()
    with trying_again(context):
        done = publish(settings)
        shown = _shown(settings)
    held = _held(settings)
    for table, (rows, version) in shown.items():
        if table in done.faults:
            continue
        more = {"held": dg.MetadataValue.md(held)} if held and table == "deliveries" else {}
        yield dg.MaterializeResult(
            asset_key=published_key(table),
            metadata=_metadata(table, rows, done) | more,
            data_version=dg.DataVersion(version),
        )
    fail_for(settings, done)


def fail_for(settings: "Settings", done: "Published") -> None:
    """Raise Failure where a table could not be published, after the others were told."""
    if done.faults:
        lines = [one.explained(settings.language) for one in done.faults.values()]
        raise dg.Failure("\n".join(lines), allow_retries=False)


def table_events(
    instance: dg.DagsterInstance, settings: "Settings", done: "Published | None" = None
) -> Iterator[dg.AssetMaterialization]:
    """A materialisation of each table whose content Dagster has not heard of.

    Tables are known by their content, so what a run of ours has said already is not said again.
    """
    for table, (rows, version) in _shown(settings).items():
        if _known(instance, table) != version:
            yield dg.AssetMaterialization(
                published_key(table),
                metadata=_metadata(table, rows, done),
                tags={DATA_VERSION: version},
            )


def catalogue_stamp(settings: "Settings") -> str | None:
    """A text that changes whenever the catalogue does; None before the first publish."""
    import pipelines
    from pipelines.lake.catalogue import PINS_SCHEMA, NothingPublished

    try:
        with pipelines.connect(settings) as connection:
            [(stamp,)] = connection.sql(f"SELECT stamp FROM {PINS_SCHEMA}.stamp").fetchall()
    except NothingPublished:
        return None
    return str(stamp)


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


def _metadata(table: str, rows: int, done: "Published | None") -> dict[str, Any]:
    """The rows of a table and, where we published it ourselves, what was taken in."""
    if done is None:
        return {"dagster/row_count": rows}
    left_out = "\n".join(f"- {delivery}: {why}" for delivery, why in done.left_out.items())
    return {
        "dagster/row_count": rows,
        "rows taken in": done.rows.get(table, 0),
        "deliveries taken in": len(done.deliveries),
        **({"left out": dg.MetadataValue.md(left_out)} if left_out else {}),
    }
