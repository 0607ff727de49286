"""The rows of an extract as they are written: with the words of their codes, and told apart.

Not here: which rows leave (`selection.py`), the forms of the files (`formats`).
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.release.package.formats.content import Field
from pipelines.release.query.fields import CodeWords
from schemas.sqltext import literal, name

if TYPE_CHECKING:
    import duckdb


def write_rows(
    connection: duckdb.DuckDBPyConnection,
    ordered: Path,
    fields: tuple[Field, ...],
    words: list[CodeWords],
    rows: Path,
) -> None:
    """The rows in their order with the words of their codes beside them, and nothing else."""
    chosen = []
    by_field = {one.field: at for at, one in enumerate(words)}
    for field in fields:
        held = f"w{by_field[field.name]}.words" if field.name in by_field else name(field.name)
        chosen.append(f"CAST({held} AS {field.duckdb_type}) AS {name(field.name)}")
    joins = " ".join(
        f"LEFT JOIN (SELECT code, {name(one.label_column)} AS words FROM code_labels "
        f"WHERE list = {literal(one.codelist)}) AS w{at} ON w{at}.code = o.{name(one.column)}"
        for at, one in enumerate(words)
    )
    connection.execute(
        f"COPY (SELECT {', '.join(chosen)} FROM read_parquet({literal(str(ordered))}, "
        f"file_row_number = true) AS o {joins} ORDER BY o.file_row_number) "
        f"TO {literal(str(rows))} (FORMAT parquet)"
    )


def content_hash(connection: duckdb.DuckDBPyConnection, rows: Path) -> str:
    """A fingerprint of the rows, whatever their order; it tells extracts apart, no more."""
    [found] = connection.execute(
        "SELECT count(*), coalesce(bit_xor(hash(r)), 0), coalesce(sum(hash(r)::HUGEINT), 0) "
        f"FROM read_parquet({literal(str(rows))}) AS r"
    ).fetchall()
    return "-".join(f"{int(number):x}" for number in found)


def table_versions(connection: duckdb.DuckDBPyConnection, table: str) -> dict[str, int]:
    """The version of the table that the catalogue shows."""
    found = connection.execute(
        "SELECT table_name, version FROM lake.versions WHERE table_name = ?", [table]
    ).fetchall()
    return {str(one): int(version) for one, version in found}
