"""Parquet: the rows as programs read them, with what each column means beside its name.

Not here: which rows leave. Times are UTC without a zone, to the microsecond, as in the lake.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.core.i18n import mark
from pipelines.release.package.formats.content import Content, Field
from pipelines.release.package.formats.format import Format
from schemas.sqltext import name

if TYPE_CHECKING:
    import pyarrow as pa


def write(content: Content, path: Path) -> None:
    """Write the file, a group of rows at a time."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    columns = ", ".join(name(field.name) for field in content.fields)
    reader = content.connection.execute(f"SELECT {columns} FROM {content.relation}")
    batches = reader.to_arrow_reader(ROWS_A_GROUP)
    schema = _schema(content, batches.schema)
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        for batch in batches:
            writer.write_table(pa.Table.from_batches([batch]).cast(schema))


ROWS_A_GROUP = 100_000


def _schema(content: Content, found: pa.Schema) -> pa.Schema:
    metadata = {
        "handling": content.marking.level,
        "tlp": content.marking.tlp,
        "marking": content.marking_line,
        "extract_id": content.reference,
        "title": content.title,
        "language": content.language,
    }
    fields = [
        one.with_metadata(_meaning(field)) for one, field in zip(found, content.fields, strict=True)
    ]
    import pyarrow as pa

    return pa.schema(fields, metadata=metadata)


def _meaning(field: Field) -> dict[str, str]:
    words = {
        "label": field.label,
        "description": field.description,
        "hxl": field.hxl,
        "unit": field.unit,
        "codelist": field.codelist,
        "classification": field.classification,
        "words_of": field.words_of,
    }
    return {key: text for key, text in words.items() if text}


FORMAT = Format(
    name="parquet",
    label=mark("Parquet"),
    reading=mark("Parquet; the meaning of each column is in the metadata of its field."),
    write=write,
    is_compressed=True,
)
