"""Arrow schemas: types, nullability and meaning of each field, and that Arrow data fits them."""

from __future__ import annotations

import subprocess
import sys

import pyarrow as pa
import pytest

from schemas.contract import load_contract, table_names
from schemas.render.arrow import arrow_schema


@pytest.mark.parametrize("table", table_names())
def test_the_schema_has_the_published_columns_in_order(table: str) -> None:
    contract = load_contract(table)
    schema = arrow_schema(contract)
    assert schema.names == [column.name for column in contract.published]
    for column in contract.published:
        field = schema.field(column.name)
        assert field.nullable is not column.is_required
        assert field.metadata[b"label_fr"].decode() == column.label.fr


def test_types_are_exact() -> None:
    schema = arrow_schema(load_contract("border_flows"))
    assert schema.field("occurred_at").type == pa.timestamp("us")  # UTC without a zone
    assert schema.field("period_start").type == pa.date32()
    assert schema.field("travellers_count").type == pa.int32()
    assert schema.field("source_row").type == pa.int64()
    assert schema.field("observed_h").type == pa.float64()
    assert schema.field("quality_flags").type == pa.list_(pa.string())
    assert schema.field("observed_h").metadata[b"unit"] == b"hour"


def test_inputs_are_never_in_a_schema() -> None:
    names = set(arrow_schema(load_contract("border_crossings")).names)
    assert names.isdisjoint({"document_number", "vehicle_plate", "birth_date", "position"})


def test_delta_accepts_the_schema(tmp_path: object) -> None:
    from deltalake import DeltaTable

    schema = arrow_schema(load_contract("incidents"))
    table = DeltaTable.create(str(tmp_path), schema=schema, partition_by=["country"])
    assert [field.name for field in table.schema().fields] == schema.names


def test_pyarrow_is_not_imported_before_it_is_needed() -> None:
    code = "import sys, schemas.render.arrow; print('pyarrow' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
