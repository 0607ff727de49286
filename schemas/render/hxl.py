"""The HXL tag of each published column, as the row that stands under a header in HXL data.

Not here: reading deliveries that carry such a row (`pipelines/landing`).
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

from schemas.contract import Contract


def hxl_row(contract: Contract) -> list[str]:
    """The tags in the order of the published columns."""
    return [column.hxl for column in contract.published]


def hxl_table(contracts: Sequence[Contract]) -> str:
    """Every tag as CSV: table, column, tag."""
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(["table", "column", "tag"])
    for contract in contracts:
        for column, tag in zip(contract.published, hxl_row(contract), strict=True):
            writer.writerow([contract.table, column.name, tag])
    return stream.getvalue()
