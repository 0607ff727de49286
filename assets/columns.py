"""The columns of an asset and where each comes from, as its feed and its contract declare them.

Not here: what a column means (`schemas`), and filling it (`pipelines/harmonise`).
"""

from collections import defaultdict
from collections.abc import Iterable
from functools import cache
from typing import Literal

import dagster as dg

from assets.words import both
from schemas.contract import Contract, load_contract
from schemas.feed import Feed

SCHEMA, LINEAGE = "dagster/column_schema", "dagster/column_lineage"
Stage = Literal["harmonised", "published"]
# What a table never holds, and what only publishing fills.
ABSENT = {"harmonised": ("input", "lake"), "published": ("input",)}
FILLED_AT_HOME = ("derive", "reader")


def columns_in_file(feed: Feed) -> dg.TableSchema:
    """The columns of a file of the feed that are read, as texts."""
    names = dict.fromkeys(one for mapping in feed.map.values() for one in mapping.source)
    return dg.TableSchema([dg.TableColumn(name, "text") for name in names])


@cache
def columns_of(table: str, stage: Stage) -> dg.TableSchema:
    """The columns of a table, with their types and what they mean; harmonised or published."""
    return dg.TableSchema(
        [
            dg.TableColumn(
                column.name,
                column.duckdb_type,
                description=both(column.description.en, column.description.fr),
                constraints=dg.TableColumnConstraints(nullable=not column.is_required),
            )
            for column in load_contract(table).columns
            if column.filled_by not in ABSENT[stage]
        ]
    )


def lineage_of_feed(feed: Feed, landed: dg.AssetKey) -> dg.TableColumnLineage:
    """From which columns of the file each column of ours is read."""
    shown = {one.name for one in columns_of(feed.table, "harmonised").columns}
    return dg.TableColumnLineage(
        {
            target: [dg.TableColumnDep(landed, source) for source in mapping.source]
            for target, mapping in feed.map.items()
            if mapping.source and target in shown
        }
    )


def lineage_of_table(
    contract: Contract, harmonised: Iterable[tuple[Feed, dg.AssetKey]]
) -> dg.TableColumnLineage:
    """Which feeds fill each column of a table: from the file, by a fixed value, or derived."""
    found: dict[str, list[dg.TableColumnDep]] = defaultdict(list)
    for feed, key in harmonised:
        for column in contract.columns:
            if column.filled_by in FILLED_AT_HOME or column.name in feed.map:
                found[column.name].append(dg.TableColumnDep(key, column.name))
    hidden = {column.name for column in contract.columns_filled_by("input", "lake")}
    return dg.TableColumnLineage({name: deps for name, deps in found.items() if name not in hidden})
