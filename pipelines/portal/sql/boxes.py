"""The tables of the SQL box: copies of just the rows that an organisation may have for a purpose.

The query that picks the rows (`release.query`) is the very one of an extract, so the box never
shows more than an extract would.

A box is a DuckDB file of one table, made when it is first asked about and kept for the day: what it
is made of is in its name (organisation, purpose, day, agreements, published version, program). It
lies in the scratch folder, readable by this program alone, and goes when it was not used for a day.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
import json
import os
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.core import clock
from pipelines.core.settings import PROGRAM_VERSION, Settings
from pipelines.portal.sql import run
from pipelines.portal.sql.errors import SqlError
from pipelines.portal.sql.worker import ROWS, Answer
from pipelines.release.errors import ReleaseError
from pipelines.release.policy.permits import Offer, offers, who_may
from pipelines.release.query.records import CompiledRecords, compile_records
from pipelines.release.request import Request
from schemas.agreement import HANDLING_LEVELS, Agreement, Permit
from schemas.agreement_folder import fingerprint, load_agreements
from schemas.contract import load_contract, table_names
from schemas.sqltext import literal, name
from schemas.text import Bilingual

if TYPE_CHECKING:
    import duckdb

LABELS = "code_labels"
LABEL_COLUMNS = ("list", "code", "parent", "label_en", "label_fr")
LABEL_TITLE = Bilingual(en="The words of every code", fr="Les mots de chaque code")
MOST_ROWS = 5_000_000
BUILD_S = 60
UNUSED_S = 24 * 3600
THREADS = 2


@dataclass(frozen=True)
class QueryableTables:
    """What an organisation may ask about now, by purpose."""

    organisation: str
    as_of: dt.date
    agreements: tuple[Agreement, ...] = field(repr=False)
    offers: tuple[Offer, ...]

    @property
    def purposes(self) -> tuple[str, ...]:
        """The purposes for which records of some table are open."""
        return tuple(dict.fromkeys(p for offer in self.offers for p in offer.purposes))


@dataclass(frozen=True)
class Relation:
    """One table of the box; `table` is the contract's name where there is one."""

    name: str
    title: Bilingual
    columns: tuple[str, ...]
    table: str = ""


def opened(settings: Settings, organisation: str, as_of: dt.date | None = None) -> QueryableTables:
    """The tables of records that agreements open to an organisation today. AgreementError."""
    day = as_of or clock.now().date()
    agreements = tuple(load_agreements(settings.agreements))
    found = [one for one in offers(agreements, organisation, day) if one.form == "records"]
    return QueryableTables(organisation, day, agreements, tuple(found))


def relations(open_now: QueryableTables, purpose: str) -> list[Relation]:
    """The tables that may be asked about for a purpose, the reference tables after them."""
    if purpose not in open_now.purposes:
        return []
    found = []
    for table in _tables(open_now, purpose):
        compiled, _permits = _compiled(open_now, purpose, table)
        columns = tuple(column.name for column in compiled.columns)
        found.append(Relation(table, load_contract(table).title, columns, table))
    for table in table_names("reference"):
        contract = load_contract(table)
        columns = tuple(column.name for column in contract.published)
        found.append(Relation(table, contract.title, columns, table))
    return [*found, Relation(LABELS, LABEL_TITLE, LABEL_COLUMNS)]


def handling(open_now: QueryableTables, purpose: str, used: Sequence[str]) -> str:
    """The strictest level that rows of these tables may have: the marking of an answer."""
    ceilings = [
        permit.rows.handling_ceiling
        for offer in open_now.offers
        for permit in offer.permits
        if offer.table in used and purpose in permit.purposes
    ]
    return max(ceilings, key=HANDLING_LEVELS.index, default=HANDLING_LEVELS[0])


def ask(
    settings: Settings,
    open_now: QueryableTables,
    question: str,
    *,
    purpose: str,
    actor: str,
    most_rows: int = run.MOST_ROWS,
) -> Answer:
    """The answer to a question about the tables of a purpose. Raises SqlError.

    The boxes that the question names are made first, outside the time of the question itself.
    """
    names = [relation.name for relation in relations(open_now, purpose)]
    return run.ask(
        settings,
        question,
        names,
        lambda used: _prepared(settings, open_now, purpose, used),
        actor=actor,
        organisation=open_now.organisation,
        purpose=purpose,
        most_rows=most_rows,
    )


@dataclass(frozen=True)
class _Source:
    """The rows of one box: their query, and for whom, on which day and by which clauses."""

    sql: str
    organisation: str = ""
    as_of: dt.date = dt.date.min
    permits: tuple[Permit, ...] = ()


def _tables(open_now: QueryableTables, purpose: str) -> list[str]:
    return [offer.table for offer in open_now.offers if purpose in offer.purposes]


def _compiled(
    open_now: QueryableTables, purpose: str, table: str
) -> tuple[CompiledRecords, tuple[Permit, ...]]:
    """The query of an extract of everything in a table, and its clauses. Raises SqlError."""
    day, recipient = open_now.as_of, open_now.organisation
    try:
        permitted = who_may(
            open_now.agreements,
            recipient=recipient,
            table=table,
            purpose=purpose,
            form="records",
            as_of=day,
        )
        request = Request(table=table, recipient=recipient, purpose=purpose, as_of=day)
        compiled = compile_records(request, permitted, load_contract(table))
    except ReleaseError:
        raise SqlError("SQL-207") from None
    return compiled, permitted.permits


def _prepared(
    settings: Settings, open_now: QueryableTables, purpose: str, used: Sequence[str]
) -> Mapping[str, Path]:
    """The box of each table that is used, made where it is not there. Raises SqlError."""
    from pipelines.lake.errors import LakeError, NothingPublishedError

    folder = settings.scratch / "sqlbox"
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    _sweep(folder)
    permitted = _tables(open_now, purpose)
    try:
        stamp = _stamp(settings)
        made = {}
        for table in dict.fromkeys([*used, LABELS]):
            source = _Source(f"FROM {name(table)}")
            about = [stamp, table]
            if table in permitted:
                compiled, permits = _compiled(open_now, purpose, table)
                source = _Source(compiled.sql, open_now.organisation, open_now.as_of, permits)
                about += [open_now.organisation, str(open_now.as_of)]
            file = folder / f"{_key(settings, [*about, source.sql])}.duckdb"
            made[table] = _box(settings, file, source)
    except NothingPublishedError:
        raise SqlError("SQL-210") from None
    except (LakeError, OSError):
        raise SqlError("SQL-211") from None
    return made


def _key(settings: Settings, about: Sequence[str]) -> str:
    """A name that changes with anything that the rows are made from."""
    agreements = sorted(fingerprint(settings.agreements).items())
    said = json.dumps([PROGRAM_VERSION, agreements, list(about)])
    return hashlib.sha256(said.encode()).hexdigest()[:40]


def _stamp(settings: Settings) -> str:
    """What the catalogue is made of. Raises NothingPublishedError."""
    with _catalogue(settings) as connection:
        [(stamp,)] = connection.execute("SELECT stamp FROM lake.stamp").fetchall()
    return str(stamp)


@contextlib.contextmanager
def _catalogue(settings: Settings) -> Iterator[duckdb.DuckDBPyConnection]:
    from pipelines.lake.catalogue import connect

    connection = connect(settings)
    try:
        yield connection
    finally:
        connection.close()


def _box(settings: Settings, file: Path, source: _Source) -> Path:
    """The file, made first if need be; two who need it at once make it once."""
    from filelock import FileLock, Timeout

    try:
        with FileLock(file.with_suffix(".lock"), timeout=BUILD_S):
            if not file.is_file():
                _make(settings, file, source)
    except Timeout:
        raise SqlError("SQL-211") from None
    os.utime(file)
    return file


def _make(settings: Settings, file: Path, source: _Source) -> None:
    """Copy the rows into a new database, then put it in place."""
    import duckdb

    from pipelines.core.duck import scratch_folder
    from pipelines.release.disclosure.groups import by_turns, open_groups
    from pipelines.release.policy.precision import set_release_key

    new = file.with_suffix(".part")
    new.unlink(missing_ok=True)
    try:
        with contextlib.ExitStack() as stack:
            folder = stack.enter_context(scratch_folder(settings, "sqlbox"))
            with by_turns(settings, source.permits):
                connection = stack.enter_context(_catalogue(settings))
                connection.execute(f"SET memory_limit = {literal(settings.memory_limit)}")
                connection.execute(f"SET threads = {THREADS}")
                connection.execute(f"SET temp_directory = {literal(str(settings.scratch))}")
                open_groups(settings, connection, source.permits, source.as_of, folder)
            if source.organisation:
                set_release_key(connection, settings, source.organisation)
            connection.execute(f"ATTACH {literal(str(new))} AS box (READ_WRITE)")
            clock_of_build = threading.Timer(BUILD_S, connection.interrupt)
            clock_of_build.daemon = True
            clock_of_build.start()
            try:
                connection.execute(
                    f"CREATE TABLE box.{ROWS} AS SELECT * FROM ({source.sql}) LIMIT {MOST_ROWS + 1}"
                )
            finally:
                clock_of_build.cancel()
            query = f"SELECT count(*) FROM box.{ROWS}"
            [(count,)] = connection.execute(query).fetchall()
            if count > MOST_ROWS:
                raise SqlError("SQL-211")
            connection.execute("DETACH box")
        new.chmod(0o600)
        new.replace(file)
    except duckdb.Error:
        raise SqlError("SQL-211") from None
    finally:
        new.unlink(missing_ok=True)


def _sweep(folder: Path) -> None:
    """Remove boxes that nobody used for a day; who still reads one keeps hold of it."""
    for old in folder.iterdir():
        with contextlib.suppress(OSError):
            if old.stat().st_mtime < time.time() - UNUSED_S:
                old.unlink()
