"""The bad rows of a delivery in the sender's own layout, for them to correct and send again.

Not here: the report that says what is wrong with them (`report.py`), copying them (`landing`).

Every cell of every column is as it was sent, those that nothing is read from and formulas included,
so the file goes back to its sender only. Read as a delivery, it has just these rows.
"""

from __future__ import annotations

from pathlib import Path

from pipelines.duck import connect_scratch, scratch_folder
from pipelines.landing.excerpt import write_excerpt
from pipelines.landing.read import read_text_rows
from pipelines.landing.receive import Delivery, local_file
from pipelines.settings import Settings
from pipelines.validate.report import whole
from pipelines.validate.verdict import standing_folder
from schemas.feed import load_feed
from schemas.sqltext import literal


def rows_suffix(delivery: Delivery) -> str:
    """The ending that a file of this delivery's rows must have: the one that was sent."""
    return Path(delivery.receipt.file_name).suffix


def write_rows(settings: Settings, delivery: Delivery, path: Path) -> Path:
    """Write the rows of a judged delivery that were set aside to `path`; returns it.

    Raises ValueError for an ending other than `rows_suffix`, or where no row was set aside;
    OSError where the delivery or `path` is out of reach.
    """
    import numpy as np

    if path.suffix.lower() != rows_suffix(delivery).lower():
        raise ValueError(f"the rows of {delivery.receipt.file_name} are {rows_suffix(delivery)}")
    with connect_scratch(settings) as connection, scratch_folder(settings, "rows") as folder:
        original = local_file(delivery.payload, folder)
        judged = standing_folder(delivery.folder)
        quarantined = local_file(judged / "quarantined.parquet", folder)
        found = connection.execute(
            "SELECT DISTINCT source_row::BIGINT AS source_row "
            f"FROM read_parquet({literal(str(quarantined))}) ORDER BY source_row"
        ).fetchnumpy()["source_row"]
        wanted = np.asarray(found, dtype=np.int64)
        if not wanted.size:
            raise ValueError("no row was set aside")
        rows = read_text_rows(connection, original, load_feed(delivery.feed))
        with whole(path) as half:
            write_excerpt(connection, original, rows, wanted, half)
    return path
