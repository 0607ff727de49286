"""One asset a table, `published/<table>`: what analysts open, all published in one act.

Not here: publishing (`pipelines/lake`). Who may publish is not decided here either: only
deliveries with an accepting verdict are taken, whoever asks.
"""

from collections.abc import Iterator

import dagster as dg

from assets.harmonised import STAGE as HARMONISED
from assets.resources import OWNER, Installation, trying_again
from schemas.contract import Contract, load_contract, table_names
from schemas.feed import feed_names, load_feed

STAGE = "published"


def published_key(table: str) -> dg.AssetKey:
    """The key of a table's asset."""
    return dg.AssetKey([STAGE, table])


def _feeds_of(contract: Contract) -> list[dg.AssetKey]:
    """A data table follows its feeds, a log all of them; reference tables come with the program."""
    if contract.kind == "reference":
        return []
    return [
        dg.AssetKey([HARMONISED, feed])
        for feed in feed_names()
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
    import pipelines
    from pipelines.ledger.deliveries import publish

    settings = installation.settings()
    with trying_again(context):
        done = publish(settings)
        with pipelines.connect(settings) as connection:
            counts = {
                table: connection.table(table).count("*").fetchone()[0] for table in table_names()
            }
    left_out = "\n".join(f"- {delivery}: {why}" for delivery, why in done.left_out.items())
    for table in table_names():
        yield dg.MaterializeResult(
            asset_key=published_key(table),
            metadata={
                "dagster/row_count": counts[table],
                "rows taken in": done.rows.get(table, 0),
                "deliveries taken in": len(done.deliveries),
                **({"left out": dg.MetadataValue.md(left_out)} if left_out else {}),
            },
        )
