"""A contract as an Arrow schema, with what each column means as metadata of its field.

Not here: reading or writing data. pyarrow is imported when a schema is asked for, not before.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from schemas.contract import Column, Contract

if TYPE_CHECKING:
    import pyarrow as pa


def arrow_schema(contract: Contract) -> pa.Schema:
    """The published columns in order; timestamps are UTC without a zone, to the microsecond.

    A required column is not nullable. Delta takes the schema as it is. Raises KeyError for a
    DuckDB type without an Arrow form here.
    """
    import pyarrow as pa

    fields = [
        pa.field(
            column.name,
            _arrow_type(column.duckdb_type),
            nullable=not column.is_required,
            metadata=field_metadata(column),
        )
        for column in contract.published
    ]
    return pa.schema(
        fields,
        metadata={
            "table": contract.table,
            "contract_version": contract.version,
            "description_en": contract.description.en,
            "description_fr": contract.description.fr,
        },
    )


def arrow_file(contract: Contract) -> bytes:
    """The same as an Arrow IPC file without a row, which Arrow opens in every language."""
    import pyarrow as pa

    sink = pa.BufferOutputStream()
    with pa.ipc.new_file(sink, arrow_schema(contract)):
        pass
    return bytes(sink.getvalue())


def field_metadata(column: Column) -> dict[str, str]:
    """What a column means, as text: words in both languages, unit, code list, HXL, handling."""
    words = {
        "label_en": column.label.en,
        "label_fr": column.label.fr,
        "description_en": column.description.en,
        "description_fr": column.description.fr,
        "unit": column.unit,
        "codelist": column.codelist,
        "hxl": column.hxl,
        "classification": column.classification,
    }
    return {key: text for key, text in words.items() if text}


def _arrow_type(duckdb_type: str) -> pa.DataType:
    import pyarrow as pa

    makers = {
        "VARCHAR": pa.string,
        "VARCHAR[]": lambda: pa.list_(pa.string()),
        "DOUBLE": pa.float64,
        "INTEGER": pa.int32,
        "BIGINT": pa.int64,
        "BOOLEAN": pa.bool_,
        "TIMESTAMP": lambda: pa.timestamp("us"),
        "DATE": pa.date32,
    }
    return makers[duckdb_type]()
