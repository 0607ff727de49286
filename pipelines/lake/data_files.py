"""SQL over the data files of a table, also those that were written before it had all its columns.

Not here: which files a table has (`tables.py`).
"""

from __future__ import annotations

from collections.abc import Sequence

from pipelines.lake.tables import DataFile, partition_columns, partition_types, stored_columns
from schemas.contract import Contract
from schemas.sqltext import literal, literals, name


def files_sql(
    contract: Contract, addresses: dict[str, DataFile], *, columns: Sequence[str], is_located: bool
) -> str:
    """A SELECT of `columns` over data files (address → file); no files give no rows.

    Files that were written before the contract gained a column yield NULL for it. With
    `is_located` the columns `file` and `place` (0-based row in the file) come as well.
    """
    types = stored_columns(contract)
    located = ["file", "place"] if is_located else []
    if not addresses:
        kinds = {**types, "file": "VARCHAR", "place": "BIGINT"}
        nulls = ", ".join(f"NULL::{kinds[c]} AS {name(c)}" for c in [*columns, *located])
        return f"SELECT {nulls} WHERE FALSE"
    groups: dict[frozenset[str], list[str]] = {}
    for address, file in addresses.items():
        groups.setdefault(file.columns, []).append(address)
    options = ", filename = true, file_row_number = true" if is_located else ""
    parts = []
    for present, paths in groups.items():
        missing = missing_columns(contract, present)
        chosen = [
            f"NULL::{types[c]} AS {name(c)}" if c in missing else name(c) for c in columns
        ] + (["filename AS file", "file_row_number AS place"] if is_located else [])
        parts.append(
            f"SELECT {', '.join(chosen)} FROM read_parquet([{literals(paths)}]"
            f"{hive_options(contract)}{options})"
        )
    return "\nUNION ALL\n".join(parts)


def hive_options(contract: Contract) -> str:
    """How DuckDB takes the partition columns from the folders' names; nothing is guessed."""
    types = partition_types(contract)
    if not types:
        return ", hive_partitioning = false"
    listed = ", ".join(f"{literal(column)}: {kind}" for column, kind in types.items())
    return f", hive_partitioning = true, hive_types = {{{listed}}}"


def missing_columns(contract: Contract, present: frozenset[str]) -> frozenset[str]:
    """Columns of the contract that a file does not have, because it is older than they are.

    Lists have no statistics in Delta, so a file is taken to have them.
    """
    if not present:
        return frozenset()
    lists = {c for c, kind in stored_columns(contract).items() if kind.endswith("]")}
    expected = set(stored_columns(contract)) - set(partition_columns(contract)) - lists
    return frozenset(expected - present)
