"""One installation a test, its ledger in SQLite or in a PostgreSQL server that the tests start.

Not here: what is tested in it. Import `place` and `postgresql` into a conftest.
"""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import sqlalchemy as sa

from pipelines.core.settings import Settings, settings_for
from pipelines.ledger.database import dispose

ACCOUNTS = ("postgres", "nobody")  # the server refuses to run as root


@dataclass(frozen=True)
class Server:
    """A running server; it listens on a socket in its own folder and nowhere else."""

    folder: Path

    def url(self, database: str) -> str:
        return f"postgresql+psycopg://owner@/{database}?host={self.folder}"

    def run(self, statement: str) -> None:
        base = sa.create_engine(self.url("postgres"), isolation_level="AUTOCOMMIT")
        with base.connect() as connection:
            connection.exec_driver_sql(statement)
        base.dispose()


def programs() -> Path | None:
    """The folder of `initdb`; Debian keeps it out of the path."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), reverse=True)
    on_path = shutil.which("initdb")
    return found[0].parent if found else Path(on_path).parent if on_path else None


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Server]:
    """A server for the whole session."""
    pytest.importorskip("psycopg", reason="the driver of PostgreSQL is not installed here")
    where = programs()
    if where is None:
        pytest.skip("PostgreSQL's server is not installed here (Debian: apt install postgresql)")
    folder = Path(tempfile.mkdtemp(prefix="passerelle-pg-", dir="/tmp"))
    as_user: list[str] = []
    if os.geteuid() == 0:
        account = _account()
        if account is None:
            shutil.rmtree(folder)
            pytest.skip("PostgreSQL refuses to run as root, and there is no other account here")
        os.chown(folder, account.pw_uid, account.pw_gid)
        as_user = [
            "setpriv",
            f"--reuid={account.pw_uid}",
            f"--regid={account.pw_gid}",
            "--clear-groups",
        ]

    def call(*line: str) -> None:
        subprocess.run([*as_user, *line], cwd=folder, check=True, capture_output=True)

    data = str(folder / "data")
    call(str(where / "initdb"), "-D", data, "-A", "trust", "-U", "owner", "-E", "UTF8", "-N")
    options = f"-c listen_addresses='' -k {folder} -c fsync=off -c max_connections=200"
    control = (str(where / "pg_ctl"), "-D", data, "-w")
    call(*control, "-o", options, "-l", str(folder / "log"), "start")
    try:
        yield Server(folder)
    finally:
        call(*control, "-m", "immediate", "stop")
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Settings]:
    """An installation with an empty database of either kind."""
    home = tmp_path / "home"
    changes: dict[str, object] = {"memory_limit": "256MB", "threads": 2}
    if request.param == "postgresql":
        server: Server = request.getfixturevalue("postgresql")
        database = f"t{uuid.uuid4().hex}"
        server.run(f"CREATE DATABASE {database}")
        changes["database"] = server.url(database)
    settings = settings_for(home, **changes).prepare()
    yield settings
    dispose(settings)
    if request.param == "postgresql":
        server.run(f"DROP DATABASE {database} WITH (FORCE)")


def untied(settings: Settings, *statements: str) -> None:
    """Run statements around the triggers, as somebody with the database in hand would."""
    base = sa.create_engine(settings.database_url)
    with base.begin() as connection:
        if base.dialect.name == "postgresql":
            connection.exec_driver_sql("SET session_replication_role = replica")
        else:
            names = "SELECT name FROM sqlite_master WHERE type = 'trigger'"
            for (name,) in connection.exec_driver_sql(names).all():
                connection.exec_driver_sql(f"DROP TRIGGER {name}")
        for statement in statements:
            connection.exec_driver_sql(statement)
    base.dispose()


def _account() -> pwd.struct_passwd | None:
    for name in ACCOUNTS:
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    return None
