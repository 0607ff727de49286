"""How data moves: one folder a stage, in the order of the journey of a row.

Not here: what the data must be (`schemas`) and when things run (`assets`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb

    from pipelines.core.settings import Settings

__all__ = ["connect"]


def connect(settings: Settings | None = None) -> duckdb.DuckDBPyConnection:
    """A read-only connection to everything published: `pipelines.connect().sql("FROM incidents")`.

    Raises `pipelines.lake.catalogue.NothingPublishedError` before the first publish.
    """
    from pipelines.lake.catalogue import connect as connect_catalogue

    return connect_catalogue(settings)
