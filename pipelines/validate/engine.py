"""Great Expectations bound to DuckDB: one datasource and one execution engine, no patching.

Not here: what is expected (`expectations.py`) and who runs it (`audit.py`). Importing this module
imports Great Expectations, which takes seconds: import it inside the function that uses it.

The SQLAlchemy dialect is duckdb-sqlalchemy's. Great Expectations does not know DuckDB, so its
engine is told to look in the PostgreSQL dialect for regex operators and types (DuckDB speaks both),
keeps one connection, and reads the files through views: no table is copied, nothing is written.
"""

from __future__ import annotations

import builtins
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import duckdb
import sqlalchemy as sa
import sqlalchemy.dialects.postgresql
from great_expectations.datasource.fluent.sql_datasource import SQLDatasource
from great_expectations.execution_engine.sqlalchemy_execution_engine import (
    SqlAlchemyExecutionEngine,
)

from schemas.sqltext import literal, name

SOURCE_TYPE = "duckdb"  # defining the datasource below gives a context its `add_duckdb`


class QueryFailedError(RuntimeError):
    """A query of the audit failed. Holds the kind of error only: its text may quote a cell."""


class DuckDBExecutionEngine(SqlAlchemyExecutionEngine):
    """Great Expectations' SQL engine on one DuckDB connection."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """As the parent; `create_temp_table` off, so that a batch is read and never copied."""
        super().__init__(*args, **{**kwargs, "create_temp_table": False})
        self.dialect_module = sqlalchemy.dialects.postgresql
        self.has_run_out = False  # of memory, or of disk to spill to

    @contextmanager
    def get_connection(self) -> Iterator[sa.Connection]:
        """The one connection, in which the views are."""
        if self._connection is None:
            self._connection = self.engine.connect()
        yield self._connection

    def execute_query(self, query: Any) -> Any:
        """Run a query. Raises QueryFailedError, without words that may quote a cell."""
        try:
            return super().execute_query(query)
        except Exception as error:
            cause = getattr(error, "orig", None) or error
        self.has_run_out = self.has_run_out or isinstance(cause, duckdb.OutOfMemoryException)
        raise QueryFailedError(type(cause).__name__)


class DuckDBDatasource(SQLDatasource):
    """A Great Expectations datasource over an in-memory DuckDB that reads Parquet files."""

    type: Literal["duckdb"] = "duckdb"  # type: ignore[assignment]  # SOURCE_TYPE
    connection_string: str = "duckdb:///:memory:"

    @property
    def execution_engine_type(self) -> builtins.type[SqlAlchemyExecutionEngine]:
        """Our execution engine, which Great Expectations asks for by class."""
        return DuckDBExecutionEngine

    def _create_engine(self) -> sa.Engine:
        return sa.create_engine(
            self.connection_string,
            connect_args=self.kwargs.get("connect_args", {}),
            poolclass=sa.StaticPool,  # one connection, so that every reader sees the views
            isolation_level="AUTOCOMMIT",
            skip_autocommit_rollback=True,
        )

    def get_execution_engine(self) -> SqlAlchemyExecutionEngine:
        """One execution engine for the life of the datasource."""
        if self._execution_engine is None:
            self._execution_engine = DuckDBExecutionEngine(engine=self.get_engine())
        return self._execution_engine

    def run(self, statement: str) -> None:
        """Run one statement of ours (a view, a table of codes). Raises QueryFailedError."""
        self.get_execution_engine().execute_query(sa.text(statement.replace(":", r"\:")))

    def read_files(self, view: str, *files: Path, but: str = "FALSE") -> None:
        """Make `view` the rows of Parquet files of the same columns, but those of a condition."""
        paths = ", ".join(literal(str(file)) for file in files)
        rows = f"SELECT * FROM read_parquet([{paths}])"
        self.run(f"CREATE OR REPLACE VIEW {name(view)} AS {rows} WHERE NOT ({but})")
