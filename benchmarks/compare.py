"""Whether two engines wrote the same: the same rows, with the same value in every cell.

Not here: how fast they were.
"""

from __future__ import annotations

from pathlib import Path

import duckdb

from schemas.contract import load_contract

Fingerprint = dict[str, str]


def fingerprint(accepted: Path, quarantined: Path) -> Fingerprint:
    """By file and column, a sum over its cells that no order of rows changes, and the row counts.

    A cell counts together with the number of its row, so that a value in the wrong row shows. The
    codes of a row count as a set.
    """
    columns = [c.name for c in load_contract("incidents").published if c.filled_by != "lake"]
    columns.remove("delivery_id")  # ours has the fingerprint of the file in it
    cells = {column: f'"{column}"' for column in columns}
    for lists in ("quality_flags", "reasons"):
        cells[lists] = f"list_sort({lists})"
    found: Fingerprint = {}
    for file, wanted in (
        (accepted, columns),
        (quarantined, ["record_id", "source_record_id", "reasons"]),
    ):
        sums = ", ".join(
            f"sum(hash(source_row, {cells[column]}::VARCHAR)::HUGEINT)" for column in wanted
        )
        row = duckdb.sql(f"SELECT count(*), {sums} FROM read_parquet('{file}')").fetchone()
        assert row is not None
        for column, value in zip(["rows", *wanted], row, strict=True):
            found[f"{file.stem}.{column}"] = str(value)
    return found


def differences(ours: Fingerprint, theirs: Fingerprint) -> list[str]:
    """The columns in which two engines differ; none where they did the same work."""
    return [column for column in ours if ours[column] != theirs.get(column)]
