"""`catalog.duckdb`: what readers open. Made whole beside the old one, then put in its place.

Not here: the SQL of its views (`views.py`) and committing to tables (`publish.py`).

A reader of the old file keeps reading the old files of the lake, which upkeep leaves alone until
they are old. Paths are absolute: DuckDB resolves a relative one against the reader's current
folder, not against the catalogue, and a search path would have to be set by every reader.
"""

from __future__ import annotations

import datetime as dt
import logging
import os
import time
import uuid
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from pipelines.core.ownership import catalogue_mode, open_to_readers
from pipelines.core.settings import PROGRAM_VERSION, Settings, current_settings
from pipelines.lake.errors import NothingPublishedError
from pipelines.lake.faults import TableFault, fault_of, read_faults, write_faults
from pipelines.lake.storage import let_read, sync_files, table_uri
from pipelines.lake.tables import DataFile, data_files, existing_table
from pipelines.lake.views import (
    MACROS,
    as_of_macro,
    comment_statements,
    reference_statement,
    view_statements,
)
from schemas.codelist import codelist_names, codelist_path
from schemas.contract import Contract, load_contract, table_names
from schemas.sqltext import literal, name

if TYPE_CHECKING:
    import duckdb

log = logging.getLogger("passerelle")

STORAGE_VERSION = "v1.0.0"  # what DuckDB 1.1 reads
PINS_SCHEMA = "lake"
FAULTS = f"{PINS_SCHEMA}.faults"
Pin = tuple[int, list[DataFile]]  # the version of a table and its files
RETIRED_DAYS = 90  # how far back a vacuum can be asked to spare what catalogues showed


def connect(settings: Settings | None = None) -> duckdb.DuckDBPyConnection:
    """A read-only connection to the catalogue as it is now.

    It keeps seeing the same rows however often the lake is published to; connect again to see
    what is new. Raises NothingPublishedError before the first publish.
    """
    settings = settings or current_settings()
    if not settings.catalogue.is_file():
        raise NothingPublishedError("unpublished", catalogue=str(settings.catalogue))
    connection = _attached(settings.catalogue)
    let_read(connection, settings)
    return connection


def _attached(catalogue: Path) -> duckdb.DuckDBPyConnection:
    # Attached rather than opened: DuckDB gives a process that still has the old file open the old
    # file again, under the same name, until its last connection is closed.
    import duckdb

    connection = duckdb.connect(config={"autoinstall_known_extensions": False})
    connection.execute(f"ATTACH {literal(str(catalogue))} AS catalog (READ_ONLY)")
    connection.execute("USE catalog")
    return connection


def table_faults(settings: Settings) -> dict[str, TableFault]:
    """The tables that could not be published or shown; none where no catalogue tells of any."""
    import duckdb

    if not settings.catalogue.is_file():
        return {}
    try:
        with _attached(settings.catalogue) as connection:
            return read_faults(connection, FAULTS)
    except duckdb.Error:
        return {}


def swap_catalogue(
    settings: Settings,
    faults: Mapping[str, TableFault] = MappingProxyType({}),
    *,
    tried: Collection[str] = (),
) -> bool:
    """Write the catalogue anew if the lake, a contract or a code list changed; True if it did.

    For a caller that holds the lock and has left no publish half done.

    Tables with one of `faults` keep what they show now, and so do those that are told of already,
    but for the tables in `tried`. A table that cannot be shown by its contract does so too, and is
    told of: it holds up no other, and the next time that it is in `tried` it is built anew.
    """
    before = table_faults(settings)
    told = {table: one for table, one in before.items() if table not in tried}
    told |= {table: one.told_since(before.get(table)) for table, one in faults.items()}
    pins = _pins(settings)
    open_to_readers(settings)  # before anything names these files
    if _stamp_of(settings.catalogue) == _stamp(settings, pins, told):
        return False
    settings.home.mkdir(parents=True, exist_ok=True)
    new = settings.catalogue.with_name(f".{settings.catalogue.name}.{uuid.uuid4().hex}")
    try:
        _build_all(settings, new, pins, told, before)
        catalogue_mode(settings, new)
        sync_files([new])
        _replace(new, settings.catalogue)
        sync_files([settings.catalogue])
    finally:
        new.unlink(missing_ok=True)
    for litter in settings.home.glob(f".{settings.catalogue.name}.*"):
        litter.unlink(missing_ok=True)
    return True


def _pins(settings: Settings) -> dict[str, Pin]:
    """The version and files of every table that has one; read while nobody commits."""
    tables = {
        table: existing_table(settings, table)
        for table in [*table_names("data"), *table_names("log")]
    }
    return {
        table: (delta.version(), data_files(delta))
        for table, delta in tables.items()
        if delta is not None
    }


class _NotShownError(Exception):
    def __init__(self, fault: TableFault) -> None:
        self.fault = fault
        super().__init__(fault.table)


def _build_all(
    settings: Settings,
    path: Path,
    pins: dict[str, Pin],
    told: dict[str, TableFault],
    before: Mapping[str, TableFault],
) -> None:
    """Build it, anew for each table that turns out not to be shown by its contract."""
    empty: set[str] = set()
    while True:
        try:
            _build(settings, path, pins, told, empty=empty)
            return
        except _NotShownError as found:
            table = found.fault.table
            log.error("%s", found.fault.text())
            path.unlink(missing_ok=True)
            if table in empty:
                raise
            if table in told:
                empty.add(table)
            told.setdefault(table, found.fault.told_since(before.get(table)))


def _build(
    settings: Settings,
    path: Path,
    pins: dict[str, Pin],
    told: Mapping[str, TableFault],
    *,
    empty: Collection[str],
) -> None:
    """Write the catalogue; tables in `told` as the old one has them, those in `empty` without rows.

    Raises _NotShownError for a data table that cannot be written as asked.
    """
    import duckdb

    stamp = _stamp(settings, pins, told)
    old = _OldTables(settings, told.keys() - empty)
    pins = pins | old.pins | {table: (0, []) for table in empty}
    with _new_database(settings, path) as connection:
        _write_lists(connection, settings)
        for table in [*table_names("data"), *table_names("log")]:
            contract = load_contract(table)
            root = table_uri(settings, table)
            files = {f"{root}/{file.path}": file for file in pins.get(table, (0, []))[1]}
            try:
                for statement in old.statements.get(table) or [
                    *view_statements(contract, files),
                    *comment_statements(contract),
                ]:
                    connection.execute(statement)
            except duckdb.Error as error:
                fault = fault_of(table, error) if contract.kind == "data" else None
                if fault is None:
                    raise
                raise _NotShownError(fault) from error
        for macro, statement, words in MACROS:
            connection.execute(statement)
            connection.execute(f"COMMENT ON MACRO {name(macro)} IS {literal(words)}")
        _write_pins(connection, pins, stamp)
        write_faults(connection, FAULTS, told.values())
        if _stamp_of(settings.catalogue):
            _write_retired(connection, settings.catalogue)


class _OldTables:
    """What the catalogue before this one shows of some tables: statements and pinned files."""

    def __init__(self, settings: Settings, tables: Collection[str]) -> None:
        self.statements: dict[str, list[str]] = {}
        self.pins: dict[str, Pin] = {}
        if not tables or not _stamp_of(settings.catalogue):
            return
        with _attached(settings.catalogue) as reader:
            for table in tables:
                if found := self._statements_of(reader, load_contract(table)):
                    self.statements[table] = found
                    self.pins[table] = self._pin_of(reader, table)

    def _statements_of(self, reader: duckdb.DuckDBPyConnection, contract: Contract) -> list[str]:
        names = [contract.table, f"{contract.table}_history"]
        views = reader.execute(
            "SELECT sql FROM duckdb_views() WHERE database_name = 'catalog' "
            "AND list_contains(?, view_name) ORDER BY len(view_name)",
            [names],
        ).fetchall()
        macros = reader.execute(
            "SELECT macro_definition FROM duckdb_functions() "
            "WHERE database_name = 'catalog' AND function_name = ?",
            [as_of_macro(contract)],
        ).fetchall()
        made = f"CREATE MACRO {name(as_of_macro(contract))}(moment) AS TABLE "
        return [sql for (sql,) in views] + [made + definition for (definition,) in macros]

    def _pin_of(self, reader: duckdb.DuckDBPyConnection, table: str) -> Pin:
        files = reader.execute(
            f"SELECT path, rows FROM {PINS_SCHEMA}.files WHERE table_name = ?", [table]
        ).fetchall()
        versions = reader.execute(
            f"SELECT version FROM {PINS_SCHEMA}.versions WHERE table_name = ?", [table]
        ).fetchall()
        pinned = [DataFile(path, rows, 0, frozenset(), {}) for path, rows in files]
        return (versions[0][0] if versions else 0, pinned)


@contextmanager
def _new_database(settings: Settings, path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    from pipelines.core.duck import connect_scratch

    with connect_scratch(settings) as connection:
        let_read(connection, settings)
        connection.execute(
            f"ATTACH {literal(str(path))} AS new (STORAGE_VERSION {literal(STORAGE_VERSION)})"
        )
        connection.execute("USE new")
        connection.execute("BEGIN")  # one write at the end instead of one a comment
        yield connection
        connection.execute("COMMIT")
        connection.execute("USE memory")
        connection.execute("DETACH new")


def _write_lists(connection: duckdb.DuckDBPyConnection, settings: Settings) -> None:
    """The reference tables, and `code_labels` with the words of every code of every list."""
    from pipelines.harmonise.lookups import load_lists

    load_lists(connection, settings, set(codelist_names()))
    for table in table_names("reference"):
        contract = load_contract(table)
        source = name(f"list_{table}")
        columns = [row[0] for row in connection.execute(f"DESCRIBE {source}").fetchall()]
        connection.execute(f"CREATE OR REPLACE TEMP VIEW list_rows AS SELECT * FROM {source}")
        connection.execute(reference_statement(contract, columns))
        for statement in comment_statements(contract):
            connection.execute(statement)
    labels = " UNION ALL ".join(
        f"SELECT {literal(codelist)} AS list, code, parent, label_en, label_fr "
        f"FROM {name(f'list_{codelist}')}"
        for codelist in codelist_names()
    )
    connection.execute(
        "CREATE TABLE code_labels AS SELECT list, code, any_value(parent) AS parent, "
        "any_value(label_en) AS label_en, any_value(label_fr) AS label_fr "
        f"FROM ({labels}) GROUP BY list, code ORDER BY list, code"
    )
    connection.execute(
        "COMMENT ON TABLE code_labels IS 'The words of every code of every list, EN and FR.'"
    )


def _write_pins(
    connection: duckdb.DuckDBPyConnection,
    pins: dict[str, Pin],
    stamp: str,
) -> None:
    """Which files this catalogue needs: upkeep keeps them, `check` compares them."""
    connection.execute(f"CREATE SCHEMA {PINS_SCHEMA}")
    connection.execute(f"CREATE TABLE {PINS_SCHEMA}.stamp AS SELECT {literal(stamp)} AS stamp")
    connection.execute(f"CREATE TABLE {PINS_SCHEMA}.versions (table_name VARCHAR, version BIGINT)")
    connection.execute(
        f"CREATE TABLE {PINS_SCHEMA}.files (table_name VARCHAR, path VARCHAR, rows BIGINT)"
    )
    connection.execute(
        f"CREATE TABLE {PINS_SCHEMA}.retired "
        "(table_name VARCHAR, path VARCHAR, retired_at TIMESTAMP)"
    )
    for table, (version, files) in pins.items():
        connection.execute(f"INSERT INTO {PINS_SCHEMA}.versions VALUES (?, ?)", [table, version])
        connection.execute(
            f"INSERT INTO {PINS_SCHEMA}.files SELECT ?, unnest(?), unnest(?)",
            [table, [file.path for file in files], [file.rows for file in files]],
        )


def _write_retired(connection: duckdb.DuckDBPyConnection, old: Path) -> None:
    """Files that the catalogue before this one showed and this one does not, and since when."""
    now = dt.datetime.now(dt.UTC).replace(tzinfo=None)
    with _attached(old) as reader:
        files = reader.execute(
            f"SELECT table_name, path, ?::TIMESTAMP AS retired_at FROM {PINS_SCHEMA}.files "
            f"UNION ALL FROM {PINS_SCHEMA}.retired WHERE retired_at > ?",
            [now, now - dt.timedelta(days=RETIRED_DAYS)],
        ).to_arrow_table()
    connection.register("files_arrow", files)
    connection.execute(
        f"INSERT INTO {PINS_SCHEMA}.retired SELECT table_name, path, max(retired_at) "
        f"FROM files_arrow ANTI JOIN {PINS_SCHEMA}.files USING (table_name, path) GROUP BY ALL"
    )
    connection.unregister("files_arrow")


def _stamp(settings: Settings, pins: dict[str, Pin], told: Mapping[str, TableFault]) -> str:
    """Everything that a catalogue is made from, in one short text."""
    import hashlib

    digest = hashlib.sha256(f"{PROGRAM_VERSION} {settings.lake}".encode())
    for table in table_names():
        digest.update(load_contract(table).fingerprint.encode())
    for table, fault in sorted(told.items()):
        digest.update(f"{table} {fault.text()}".encode())
    for file in map(codelist_path, codelist_names()):
        digest.update(file.read_bytes())
    for file in sorted(settings.reference.rglob("*.parquet")):  # boundaries are large: not read
        digest.update(f"{file.name} {file.stat().st_size} {file.stat().st_mtime_ns}".encode())
    versions = ",".join(f"{table}={version}" for table, (version, _) in sorted(pins.items()))
    return f"{versions};{digest.hexdigest()}"


def _stamp_of(catalogue: Path) -> str | None:
    """The stamp of a catalogue, None where there is none that can be read."""
    import duckdb

    if not catalogue.is_file():
        return None
    try:
        with _attached(catalogue) as connection:
            rows = connection.execute(f"SELECT stamp FROM {PINS_SCHEMA}.stamp").fetchall()
    except duckdb.Error:
        return None
    return str(rows[0][0]) if rows else None


def _replace(new: Path, catalogue: Path) -> None:
    """Swap in one step. Windows refuses while a reader has the old file open: try for a while."""
    if os.name == "nt" and catalogue.exists():
        catalogue.chmod(0o600)  # nor does it replace a read-only file
    for wait_s in (0.1, 0.5, 2, 5, 0):
        try:
            new.replace(catalogue)
            return
        except PermissionError:
            if os.name != "nt" or not wait_s:
                raise
            time.sleep(wait_s)
