"""DDL: DuckDB runs it, and the comments arrive, for tables and for views."""

from __future__ import annotations

import duckdb
import pytest

from schemas.contract import load_contract, table_names
from schemas.render.arrow import arrow_schema
from schemas.render.ddl import comments, script


@pytest.mark.parametrize("table", table_names())
def test_duckdb_runs_the_script_and_keeps_every_comment(table: str) -> None:
    contract = load_contract(table)
    connection = duckdb.connect()
    connection.execute(script(contract))
    kept = connection.execute(
        "SELECT column_name, data_type, is_nullable, comment FROM duckdb_columns() "
        "WHERE table_name = ? ORDER BY column_index",
        [table],
    ).fetchall()
    assert [(n, t) for n, t, _, _ in kept] == [(c.name, c.duckdb_type) for c in contract.published]
    for column, (_, _, is_nullable, comment) in zip(contract.published, kept, strict=True):
        assert is_nullable is not column.is_required
        assert column.description.en in comment
        assert column.description.fr in comment


def test_the_arrow_schema_and_the_table_are_one_declaration() -> None:
    contract = load_contract("seizures")
    connection = duckdb.connect()
    connection.execute(script(contract))
    empty = connection.table("seizures").to_arrow_table()
    assert empty.schema.names == arrow_schema(contract).names
    assert empty.schema.types == arrow_schema(contract).types


def test_a_view_takes_the_same_comments() -> None:
    contract = load_contract("offences")
    connection = duckdb.connect()
    connection.execute(script(contract))
    connection.execute("CREATE VIEW shown AS FROM offences")
    for statement in comments(contract, "VIEW", "shown"):
        connection.execute(statement)
    row = connection.execute(
        "SELECT comment FROM duckdb_columns() WHERE table_name = 'shown' AND column_name = 'code'"
    ).fetchone()
    assert row is not None
    assert contract.column("code").description.fr in row[0]


def test_a_quote_in_a_description_does_not_end_the_comment() -> None:
    from dataclasses import replace

    from schemas.text import Bilingual

    contract = load_contract("offences")
    column = replace(contract.columns[0], description=Bilingual(en="it's; DROP", fr="l'un"))
    hostile = replace(contract, columns=(column, *contract.columns[1:]))
    connection = duckdb.connect()
    connection.execute(script(hostile))
    assert connection.execute("SELECT count(*) FROM offences").fetchone() == (0,)
