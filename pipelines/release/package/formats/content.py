"""What a format is given to write: the rows as a file of DuckDB, and what each column means.

Not here: how a format writes it, and how the rows were chosen.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING

from pipelines.release.policy.marking import Marking
from schemas.sqltext import literal, name
from schemas.text import Language

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

ROWS_A_BATCH = 20_000


@dataclass(frozen=True)
class Field:
    """One column that leaves: its name in the file, its type, and its words in one language."""

    name: str
    duckdb_type: str
    label: str
    description: str
    hxl: str = ""
    unit: str = ""
    codelist: str = ""
    classification: str = ""
    words_of: str = ""  # the code column whose words this one holds

    @property
    def is_text(self) -> bool:
        """True where a cell is free to begin with a sign that a spreadsheet would act upon."""
        return self.duckdb_type in ("VARCHAR", "VARCHAR[]")


@dataclass(frozen=True)
class Content:
    """The rows of one extract, in a Parquet file whose columns are `fields`, in order."""

    connection: duckdb.DuckDBPyConnection
    rows: Path
    fields: Sequence[Field]
    row_count: int
    name: str
    title: str
    marking: Marking
    marking_line: str
    reference: str
    about: Sequence[tuple[str, str]]  # the README as pairs of heading and text
    language: Language
    point: tuple[str, ...] = ()  # the columns of latitude and longitude, where the table has them

    @property
    def relation(self) -> str:
        """The rows, as it stands in a FROM clause."""
        return f"read_parquet({literal(str(self.rows))})"

    def batches(self, query: str) -> Iterator[pa.RecordBatch]:
        """The result of a query over the rows, in their order, a batch at a time."""
        yield from self.connection.execute(query).to_arrow_reader(ROWS_A_BATCH)

    def write_text(self, query: str, stream: IO[bytes]) -> None:
        """Write a query's only column, text without NULL, one after the other, straight from Arrow.

        The bytes of a batch of texts lie side by side in memory: no row is touched in Python.
        """
        import pyarrow as pa

        for batch in self.batches(query):
            column = batch.column(0)
            if column.null_count:
                raise ValueError("a line of text is NULL")
            kind = pa.large_string() if pa.types.is_large_string(column.type) else pa.string()
            texts = column.cast(kind)
            _validity, offsets, characters = texts.buffers()
            if not len(texts) or characters is None:
                continue
            wide = pa.int64() if pa.types.is_large_string(kind) else pa.int32()
            ends = pa.Array.from_buffers(wide, len(texts) + 1, [None, offsets], 0, texts.offset)
            first, last = ends[0].as_py(), ends[len(texts)].as_py()
            stream.write(memoryview(characters)[first:last])

    def one(self, query: str) -> tuple[object, ...]:
        """The only row of a query."""
        [row] = self.connection.execute(query).fetchall()
        return row


def joined(column: str) -> str:
    """The SQL of a list column as one text."""
    return f"array_to_string({name(column)}, '; ')"
