"""What every competitor hands over: two Parquet files of the same columns, and a Delta table.

Not here: what is in them.
"""

from __future__ import annotations

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.work import Work
from schemas.contract import load_contract
from schemas.render.arrow import arrow_schema
from schemas.sqltext import literal


def columns() -> list[str]:
    """The published columns that a delivery fills, in their order."""
    return [c.name for c in load_contract("incidents").published if c.filled_by != "lake"]


def schema() -> pa.Schema:
    """Their types, and the reasons of a rejection; only the table asks what may be missing."""
    wanted = columns()
    fields = [f.with_nullable(True) for f in arrow_schema(load_contract("incidents"))]
    listed = {f.name: f for f in fields}
    return pa.schema([*(listed[n] for n in wanted), pa.field("reasons", pa.list_(pa.string()))])


def write_parts(work: Work, accepted: pa.Table, quarantined: pa.Table) -> None:
    pq.write_table(accepted, work.accepted)
    pq.write_table(quarantined, work.quarantined)


def import_delta() -> None:
    """What a service has imported before a delivery comes."""
    import pipelines.lake.tables  # noqa: F401  # first: it tells Delta's allocator what to keep

    import deltalake  # noqa: F401  # isort: skip


def publish(work: Work, connection: duckdb.DuckDBPyConnection) -> None:
    """Write the accepted rows as one Delta table: columns, partitions, way of writing are ours.

    No look at what is there already: a second delivery would be appended, corrections and all.
    """
    from deltalake import write_deltalake

    from pipelines.lake.tables import BATCH_ROWS, writer_properties

    rows = connection.execute(
        f"SELECT {', '.join(columns())}, 1::INTEGER AS revision, received_at AS known_from, "
        "NULL::TIMESTAMP AS known_to, TRUE AS is_latest, "
        "strftime(occurred_on, '%Y-%m') AS occurred_month "
        f"FROM read_parquet({literal(str(work.accepted))})"
    )
    write_deltalake(
        str(work.published),
        rows.to_arrow_reader(BATCH_ROWS),
        mode="append",
        partition_by=["is_latest", "country", "occurred_month"],
        writer_properties=writer_properties(load_contract("incidents")),
    )
