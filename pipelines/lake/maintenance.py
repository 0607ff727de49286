"""Looking after the lake: merge small files, delete what nobody needs, check what is there.

Not here: publishing (`publish.py`); upkeep changes no row.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.core.duck import connect_scratch, scratch_folder
from pipelines.core.i18n import translator
from pipelines.core.settings import Settings
from pipelines.lake.catalogue import PINS_SCHEMA, connect, swap_catalogue
from pipelines.lake.errors import LakeError
from pipelines.lake.judged_deliveries import judged_deliveries, verify_files
from pipelines.lake.publish import published_attempts, settle, taken_files
from pipelines.lake.storage import delete_files, lake_lock, sync_files, table_uri
from pipelines.lake.tables import data_files, existing_table, writer_properties
from pipelines.lake.versions import require_current
from schemas.contract import table_names
from schemas.sqltext import literals
from schemas.text import Language

if TYPE_CHECKING:
    import duckdb
    from deltalake import DeltaTable

KEEP_DAYS = 7.0
TARGET_FILE_BYTES = 128 * 1024**2


@dataclass(frozen=True)
class Compaction:
    """Data files of one table before and after."""

    table: str
    files_before: int
    files_after: int


@dataclass(frozen=True)
class Problem:
    """Something about the lake that is not as it should be."""

    table: str
    message: str
    values: dict[str, str | int | float] = field(default_factory=dict, hash=False)

    def text(self, language: Language = "en") -> str:
        """The sentence in `language`, after the name of the table."""
        return f"{self.table}: {translator(language)(self.message, **self.values)}"


def compact(settings: Settings) -> list[Compaction]:
    """Merge the small files of each partition of each table, then show readers the new files.

    Readers of the old catalogue keep the old files until `vacuum` finds them old enough.
    Raises LakeBusyError as `publish` does.
    """
    with lake_lock(settings):
        settle(settings)
        done = [_compact(settings, table) for table in _existing(settings)]
        swap_catalogue(settings)
    return done


def _compact(settings: Settings, table: DeltaTable) -> Compaction:
    before = {file.path for file in data_files(table)}
    version = table.version()
    table.optimize.compact(
        target_size=TARGET_FILE_BYTES,
        max_concurrent_tasks=2,
        writer_properties=writer_properties(),
    )
    table.update_incremental()
    after = {file.path for file in data_files(table)}
    if settings.is_lake_local:
        root = Path(table_uri(settings, table.metadata().name))
        logs = (f"_delta_log/{v:020}.json" for v in range(version + 1, table.version() + 1))
        sync_files(root / path for path in [*(after - before), *logs])
    return Compaction(table.metadata().name, len(before), len(after))


def vacuum(
    settings: Settings, *, keep_days: float = KEEP_DAYS, is_dry_run: bool = True
) -> list[str]:
    """Delete data files that no catalogue of the last `keep_days` days shows to anybody.

    A file that was replaced is kept for that long after the catalogue that last showed it was
    replaced itself: readers may still have it open. Files of publishes that were killed go by
    their own age. Returns the paths, below the lake; with `is_dry_run` nothing is deleted.
    """
    with lake_lock(settings):
        settle(settings)
        shown = _shown_since(settings, keep_days)
        doomed = [
            f"{table.metadata().name}/{path}"
            for table in _existing(settings)
            for path in table.vacuum(
                retention_hours=max(0, round(keep_days * 24)),
                dry_run=True,
                enforce_retention_duration=False,
                full=True,
            )
        ]
        doomed = sorted(path for path in doomed if path not in shown)
        if not is_dry_run:
            delete_files(settings, doomed)
    return doomed


def _shown_since(settings: Settings, keep_days: float) -> set[str]:
    """Files, below the lake, that the catalogue shows or one of the last `keep_days` days did."""
    since = dt.datetime.now(dt.UTC).replace(tzinfo=None) - dt.timedelta(days=keep_days)
    with connect(settings) as connection:
        rows = connection.execute(
            f"SELECT table_name || '/' || path FROM {PINS_SCHEMA}.files UNION "
            f"SELECT table_name || '/' || path FROM {PINS_SCHEMA}.retired WHERE retired_at > ?",
            [since],
        ).fetchall()
    return {path for (path,) in rows}


def check(settings: Settings) -> list[Problem]:
    """Compare the catalogue, the files and the deliveries with each other; changes nothing.

    Every file that the catalogue shows is there with the rows that Delta counted; the catalogue
    shows the newest version; each delivery has the rows that it is said to have, accepted and
    rejected; each record has one latest version; nothing that waits to be published is unfit for
    it. Raises NothingPublishedError before the first publish, LakeOutdatedError where the tables
    have to be migrated first.
    """
    require_current(settings)
    with lake_lock(settings), connect(settings) as connection:
        found = [*_check_waiting(settings), *_check_pins(settings, connection)]
        if any("is missing" in problem.message for problem in found):
            return found  # the views cannot be read, so nothing more can be counted
        found += _check_deliveries(connection)
        for table in table_names("data"):
            found += _check_latest(connection, table)
    return found


def _check_waiting(settings: Settings) -> Iterator[Problem]:
    """Judged deliveries that cannot be published, because their files are not what was judged."""
    unreadable: list[str] = []
    waiting = judged_deliveries(settings, published_attempts(settings), unreadable.append)
    for delivery in unreadable:
        yield Problem("deliveries", "The verdict of {delivery} is damaged.", {"delivery": delivery})
    begun = taken_files(settings, waiting)
    with scratch_folder(settings, "check") as folder, connect_scratch(settings) as connection:
        for one in waiting:
            try:
                verify_files(connection, one, folder, begun.get(one.delivery_id, ()))
            except LakeError as problem:
                yield Problem("deliveries", problem.words.sentence, dict(problem.values))


def _check_pins(settings: Settings, connection: duckdb.DuckDBPyConnection) -> Iterator[Problem]:
    for table in _existing(settings):
        title = table.metadata().name
        pinned = dict(
            connection.execute(
                f"SELECT path, rows FROM {PINS_SCHEMA}.files WHERE table_name = ?", [title]
            ).fetchall()
        )
        if pinned != {file.path: file.rows for file in data_files(table)}:
            yield Problem(title, "The catalogue does not show the newest version.")
        root = table_uri(settings, title)
        addresses = {f"{root}/{path}": rows for path, rows in pinned.items()}
        present = [address for address in addresses if _exists(settings, address)]
        for address in sorted(addresses.keys() - set(present)):
            yield Problem(title, "The file {file} is missing.", {"file": address})
        for address, rows in _row_counts(connection, present):
            if rows != addresses[address]:
                yield Problem(
                    title,
                    "The file {file} has {found} rows instead of {expected}.",
                    {"file": address, "found": rows, "expected": addresses[address]},
                )


def _row_counts(
    connection: duckdb.DuckDBPyConnection, addresses: list[str]
) -> list[tuple[str, int]]:
    if not addresses:
        return []
    return connection.execute(
        f"SELECT file_name, num_rows FROM parquet_file_metadata([{literals(addresses)}])"
    ).fetchall()


def _check_deliveries(connection: duckdb.DuckDBPyConnection) -> Iterator[Problem]:
    shown = " UNION ALL ".join(
        f"SELECT delivery_id, count(*) AS rows FROM {table}_history "
        "WHERE superseded_at IS NULL GROUP BY delivery_id"
        for table in table_names("data")
    )
    rejected = (
        "SELECT delivery_id, count(DISTINCT source_row) AS rows FROM rejections "
        "WHERE source_row IS NOT NULL GROUP BY delivery_id"
    )
    for counted, said, message in (
        (
            shown,
            "rows_accepted - coalesce(rows_held, 0)",
            "{delivery} has {found} rows instead of {expected}.",
        ),
        (
            rejected,
            "rows_quarantined + coalesce(rows_held, 0)",
            "{delivery} has {found} rejections instead of {expected}.",
        ),
    ):
        rows = connection.execute(
            f"""
            SELECT coalesce(table_name, 'deliveries'), delivery_id,
                   coalesce(rows, 0), coalesce(expected, 0)
            FROM ({counted}) FULL JOIN (
                SELECT delivery_id, table_name,
                       CASE WHEN state <> 'refused' THEN {said} ELSE 0 END AS expected
                FROM deliveries) USING (delivery_id)
            WHERE coalesce(rows, 0) <> coalesce(expected, 0) ORDER BY ALL
            """
        ).fetchall()
        for table, delivery, found, expected in rows:
            values = {"delivery": delivery, "found": found, "expected": expected}
            yield Problem(table, message, values)


def _check_latest(connection: duckdb.DuckDBPyConnection, table: str) -> Iterator[Problem]:
    [(count,)] = connection.execute(
        f"SELECT count(*) FROM (SELECT record_id FROM {table}_history "
        "WHERE superseded_at IS NULL GROUP BY record_id "
        "HAVING count(*) FILTER (is_latest) <> 1)"
    ).fetchall()
    if count:
        yield Problem(table, "{count} records do not have one latest version.", {"count": count})


def _existing(settings: Settings) -> list[Any]:
    names = [*table_names("data"), *table_names("log")]
    tables = (existing_table(settings, name) for name in names)
    return [table for table in tables if table is not None]


def _exists(settings: Settings, address: str) -> bool:
    if settings.is_lake_local:
        return Path(address).is_file()
    from upath import UPath

    return bool(UPath(address).exists())
