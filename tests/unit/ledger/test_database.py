"""The database: models and migrations agree, a newer one is refused, SQLite is set up for many."""

from __future__ import annotations

import datetime as dt
import multiprocessing
import stat
import threading
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from pipelines.accounts.models import Token, User
from pipelines.core.settings import Settings
from pipelines.ledger import database
from pipelines.ledger.chain import append
from pipelines.ledger.database import HEAD, Base, dispose, engine, readings, sessions, upgrade
from pipelines.ledger.errors import LedgerError


def test_models_and_migrations_agree(place):
    with readings(place)() as session:
        context = MigrationContext.configure(session.connection(), opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []
    assert {"ledger_entries", "users", "jobs"} <= set(Base.metadata.tables)


def test_the_newest_migration_is_the_one_that_we_ask_for():
    config = Config()
    config.set_main_option("script_location", str(Path(database.__file__).parent / "migrations"))
    assert ScriptDirectory.from_config(config).get_heads() == [HEAD]


def test_a_database_of_a_newer_program_is_left_alone(place):
    upgrade(place)
    with engine(place).begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    dispose(place)
    with pytest.raises(LedgerError) as stopped:
        upgrade(place)
    assert stopped.value.code == "LED-402"


def test_who_reached_everything_keeps_the_own_organisation_and_is_marked(place):
    with engine(place).begin() as connection:
        config = Config()
        config.set_main_option(
            "script_location", str(Path(database.__file__).parent / "migrations")
        )
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        users = sa.Table("users", sa.MetaData(), autoload_with=connection)
        tokens = sa.Table("tokens", sa.MetaData(), autoload_with=connection)
        moment = dt.datetime(2026, 3, 2)
        for name in ("data_specialist", "oversight", "provider"):
            connection.execute(
                users.insert().values(
                    **{"id": name, "name": name, "organisation": "caf_police", "roles": [name]},
                    **{"language": "en", "is_active": True, "must_change_password": False},
                    **{"totp_last_counter": 0, "failed_count": 0, "lockouts": 0},
                    created_at=moment,
                )
            )
        connection.execute(
            tokens.insert().values(
                **{"id": "t", "user_id": "data_specialist", "name": "t", "token_hash": "0"},
                **{"created_at": moment, "expires_at": moment},
                scopes=["delivery.read_all", "feeds.health"],
            )
        )
    dispose(place)
    with readings(place)() as session:
        found = {
            user.name: (user.is_narrowed, user.feeds) for user in session.scalars(sa.select(User))
        }
        assert found == {
            "data_specialist": (True, []),
            "oversight": (True, []),
            "provider": (False, []),
        }
        assert session.scalar(sa.select(Token.scopes)) == ["delivery.read_feeds", "feeds.health"]


def bring_up(settings: Settings) -> str:
    upgrade(settings)
    with engine(settings).connect() as connection:
        found = connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar_one()
    dispose(settings)
    return str(found)


def test_processes_that_start_at_once_migrate_once(place):
    context = multiprocessing.get_context("forkserver")
    with ProcessPoolExecutor(6, context) as pool:
        assert list(pool.map(bring_up, [place] * 6)) == [HEAD] * 6


def test_threads_that_start_at_once_migrate_once(place):
    failed: list[BaseException] = []

    def work() -> None:
        try:
            append(place, "sql.run", actor="a")
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=work) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []


def test_sqlite_is_set_up_for_many_readers_and_one_writer(place):
    if place.database:
        pytest.skip("of SQLite")
    upgrade(place)
    with engine(place).connect() as connection:
        settings = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "foreign_keys", "synchronous", "busy_timeout")
        }
    assert settings == {
        "journal_mode": "wal",
        "foreign_keys": 1,
        "synchronous": 2,
        "busy_timeout": 30_000,
    }
    mode = stat.S_IMODE((place.home / "ledger.db").stat().st_mode)
    assert mode == 0o600


def test_a_reader_sees_one_moment(place):
    append(place, "sql.run", actor="a")
    count = sa.text("SELECT count(*) FROM ledger_entries")
    with readings(place).begin() as reader:
        assert reader.execute(count).scalar() == 1
        append(place, "sql.run", actor="b")
        assert reader.execute(count).scalar() == 1
    with sessions(place).begin() as session:
        assert session.execute(count).scalar() == 2
