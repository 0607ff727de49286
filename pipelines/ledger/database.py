"""The database of the ledger, the accounts and the jobs: SQLite in the home, or PostgreSQL by URL.

Not here: the tables (`models.py`, `pipelines/accounts`) and how they came to be (`migrations`).

A transaction of `sessions` holds the write lock from its first statement: what it read cannot
change before it writes. `readings` see one moment and never wait for a writer.
"""

from __future__ import annotations

import datetime as dt
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import orm

from pipelines.core.settings import Settings
from pipelines.ledger.errors import LedgerError

HEAD = "0003"  # the newest migration; a test holds that it is
LOCK_KEY = 0x50534C01  # of PostgreSQL's advisory locks: migrations
BUSY_TIMEOUT_S = 30.0
POOL_SIZE, POOL_OVERFLOW = 8, 56
OWNER_ONLY = 0o600

_engines: dict[tuple[str, int], sa.Engine] = {}
_ready: set[tuple[str, int]] = set()
_guard = threading.Lock()


class Base(orm.DeclarativeBase):
    """What all our tables are declared from."""

    metadata = sa.MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


class Moment(sa.types.TypeDecorator[dt.datetime]):
    """A moment in UTC, to the microsecond, that comes back with its zone from every database."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: dt.datetime | None, dialect: sa.Dialect) -> Any:
        """UTC; SQLite keeps it without its zone."""
        if value is None:
            return None
        moment = value.astimezone(dt.UTC)
        return moment.replace(tzinfo=None) if dialect.name == "sqlite" else moment

    def process_result_value(self, value: Any, dialect: sa.Dialect) -> dt.datetime | None:
        """UTC, whatever zone the server keeps."""
        if value is None:
            return None
        known: dt.datetime = value
        return known.replace(tzinfo=dt.UTC) if known.tzinfo is None else known.astimezone(dt.UTC)


def engine(settings: Settings) -> sa.Engine:
    """The engine of this process for this installation's database."""
    key = (settings.database_url, os.getpid())
    with _guard:
        if key not in _engines:
            _engines[key] = _new_engine(settings)
        return _engines[key]


def sessions(settings: Settings) -> orm.sessionmaker[orm.Session]:
    """Makes sessions that write; the tables are there. Raises LedgerError."""
    upgrade(settings)
    return orm.sessionmaker(engine(settings), expire_on_commit=False)


def readings(settings: Settings) -> orm.sessionmaker[orm.Session]:
    """Makes sessions that only read, all at one moment. Raises LedgerError."""
    upgrade(settings)
    base = engine(settings)
    options: dict[str, Any] = {"passerelle_reads": True}
    if base.dialect.name == "postgresql":
        options |= {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
    return orm.sessionmaker(base.execution_options(**options), expire_on_commit=False)


def upgrade(settings: Settings) -> None:
    """Bring the tables up to date; two processes may do so at once. Raises LedgerError."""
    key = (settings.database_url, os.getpid())
    if key in _ready:
        return
    with troubles():
        base = engine(settings)
        if _version(base) != HEAD:
            with _one_at_a_time(settings, base) as connection:
                _migrate(settings, connection)
    _ready.add(key)


def dispose(settings: Settings) -> None:
    """Close this process's connections and forget what it knew of the database."""
    key = (settings.database_url, os.getpid())
    with _guard:
        _ready.discard(key)
        if base := _engines.pop(key, None):
            base.dispose()


@contextmanager
def troubles() -> Iterator[None]:
    """Turn an error of the database into a LedgerError; its own text may quote a value."""
    try:
        yield
    except ModuleNotFoundError:
        raise LedgerError("LED-405") from None
    except (sa.exc.SQLAlchemyError, OSError) as error:
        is_busy = isinstance(error, sa.exc.OperationalError) and "locked" in str(error.orig)
        code = "LED-404" if is_busy else "LED-401"
        values = {} if is_busy else {"kind": type(error).__name__}
        raise LedgerError(code, **values) from (None if is_busy else error)


def sqlite_file(settings: Settings) -> Path | None:
    """The file of an SQLite database; None where it is elsewhere."""
    url = sa.make_url(settings.database_url)
    return Path(url.database) if url.get_backend_name() == "sqlite" and url.database else None


def _new_engine(settings: Settings) -> sa.Engine:
    file = sqlite_file(settings)
    if file is None:
        return sa.create_engine(
            settings.database_url,
            pool_size=POOL_SIZE,
            max_overflow=POOL_OVERFLOW,
            pool_pre_ping=True,
            hide_parameters=True,
        )
    settings.prepare()
    file.parent.mkdir(parents=True, exist_ok=True)
    os.close(os.open(file, os.O_RDWR | os.O_CREAT, OWNER_ONLY))
    base = sa.create_engine(
        settings.database_url,
        connect_args={"timeout": BUSY_TIMEOUT_S},
        pool_size=POOL_SIZE,
        max_overflow=POOL_OVERFLOW,
        hide_parameters=True,
    )
    sa.event.listen(base, "connect", _prepare_sqlite)
    sa.event.listen(base, "begin", _begin_sqlite)
    return base


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # the driver begins nothing by itself; `_begin_sqlite` does
    for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: sa.Connection) -> None:
    is_reading = connection.get_execution_options().get("passerelle_reads")
    connection.exec_driver_sql("BEGIN" if is_reading else "BEGIN IMMEDIATE")


def _version(base: sa.Engine) -> str | None:
    with base.execution_options(passerelle_reads=True).connect() as connection:
        if not sa.inspect(connection).has_table("alembic_version"):
            return None
        return connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar()


@contextmanager
def _one_at_a_time(settings: Settings, base: sa.Engine) -> Iterator[sa.Connection]:
    """A transaction that no other process migrates beside."""
    file = sqlite_file(settings)
    if file is None:
        with base.begin() as connection:
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(LOCK_KEY)))
            yield connection
        return
    from filelock import FileLock

    with FileLock(f"{file}.lock"), base.begin() as connection:
        yield connection


def _migrate(settings: Settings, connection: sa.Connection) -> None:
    from alembic import command
    from alembic.config import Config
    from alembic.util import CommandError

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes |= {"connection": connection, "settings": settings}
    try:
        command.upgrade(config, "head")
    except CommandError:  # the database names a migration that we do not have
        raise LedgerError("LED-402") from None
