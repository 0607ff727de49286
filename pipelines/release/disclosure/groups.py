"""The groups of records alike as they are kept: read, brought up to date by turns, and written.

Not here: forming them (`k_anonymity.py`), and what becomes of the extracts that hold them
(`outdated.py`).

One private file a clause: who is in which group, without a value of any record. It is brought up to
date when somebody first asks after the tables have changed or a month has ended, before anything is
told; what was told before keeps holding, since a group is only ever made larger. The file is bound
to what the clause tells: where the clause, the contract or the program is another one, those who
were told alike stay together.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.core.files import place
from pipelines.core.settings import PROGRAM_VERSION, Settings
from pipelines.release.disclosure.k_anonymity import (
    RUNGS,
    add_groups,
    create_groups,
    form_groups,
    made_coarser,
    told_alike,
)
from pipelines.release.disclosure.outdated import note_outdated
from schemas.agreement import Agreement, Permit
from schemas.contract import Contract, load_contract
from schemas.sqltext import literal

if TYPE_CHECKING:
    import duckdb


@dataclass(frozen=True)
class _Kept:
    """What a file says of itself: made from which tables and clause, for months up to which day."""

    tables: str  # the stamp of the catalogue
    clause: str  # everything that the clause says
    told: str  # what makes records alike: columns, precision, contract, program
    as_of: dt.date

    def metadata(self) -> str:
        """The same for the file, as an option of COPY."""
        values = {**vars(self), "as_of": self.as_of.isoformat()}
        return ", ".join(f"{key}: {literal(value)}" for key, value in values.items())


def groups_file(settings: Settings, permit: Permit) -> Path:
    """Where the groups of a clause are kept."""
    name = permit.full_name.replace("/", "_")
    return settings.release_groups / permit.table / f"{name}.parquet"


@contextmanager
def by_turns(settings: Settings, permits: Sequence[Permit]) -> Iterator[None]:
    """Hold this from opening the catalogue until the groups of these clauses are in place.

    Nobody then brings them up to date with tables that are older than those of the one before.
    Where no clause has groups nobody waits.
    """
    if not any(permit.is_grouped for permit in permits):
        yield
        return
    from filelock import FileLock

    settings.release_groups.mkdir(parents=True, exist_ok=True, mode=0o700)
    with FileLock(settings.release_groups / ".lock", mode=0o600):
        yield


def clauses_beside(agreements: Sequence[Agreement], table: str) -> tuple[Permit, ...]:
    """The clauses with groups by which rows of a table may leave as records, to whomever.

    In force or not, for whatever purpose: what was told stays known. Counts for anybody keep to
    their groups: what is public is known to all, and were others counted differently, the
    difference would tell how many wait.
    """
    return tuple(
        permit
        for agreement in agreements
        for permit in agreement.permits
        if permit.is_grouped and permit.table == table
    )


def open_groups(
    settings: Settings,
    connection: duckdb.DuckDBPyConnection,
    permits: Iterable[Permit],
    as_of: dt.date,
    scratch: Path,
) -> None:
    """Bring the groups of these clauses up to date, and give the connection their table.

    `connection` is to the catalogue as it is now; hold `by_turns`. `scratch` is a folder for a file
    that is being written. Raises LedgerError, OSError, and what the engine raises.
    """
    create_groups(connection)
    for permit in permits:
        if permit.is_grouped:
            file = groups_file(settings, permit)
            if not _is_current(connection, permit, as_of, file):
                _bring_up_to_date(settings, connection, permit, as_of, scratch / file.name)
            add_groups(connection, permit, f"FROM read_parquet({literal(str(file))})")


def _bring_up_to_date(
    settings: Settings,
    connection: duckdb.DuckDBPyConnection,
    permit: Permit,
    as_of: dt.date,
    draft: Path,
) -> None:
    """Form the groups anew from those that are kept, tell who holds coarser ones, and keep them."""
    file, contract = groups_file(settings, permit), load_contract(permit.table)
    before = _read(connection, file)
    now = _now(connection, permit, max(as_of, before.as_of) if before else as_of)
    form_groups(
        connection,
        permit,
        contract,
        now.as_of,
        f"FROM read_parquet({literal(str(file))})" if before else "",
        is_same_clause=before is None or before.told == now.told,
    )
    note_outdated(settings, connection, permit, made_coarser())
    connection.execute(
        "COPY (SELECT record_id, month, rung, alike FROM members WHERE rung IS NOT NULL "
        f"ORDER BY month, rung, alike, record_id) TO {literal(str(draft))} "
        f"(FORMAT parquet, KV_METADATA {{{now.metadata()}}})"
    )
    draft.chmod(0o600)
    place(draft, file)
    connection.execute("DROP TABLE members")
    connection.execute("DROP TABLE permitted")


def _is_current(
    connection: duckdb.DuckDBPyConnection, permit: Permit, as_of: dt.date, file: Path
) -> bool:
    before = _read(connection, file)
    return before is not None and before == _now(connection, permit, max(as_of, before.as_of))


def _read(connection: duckdb.DuckDBPyConnection, file: Path) -> _Kept | None:
    if not file.is_file():
        return None
    found = connection.execute(
        f"SELECT key::VARCHAR, value::VARCHAR FROM parquet_kv_metadata({literal(str(file))})"
    ).fetchall()
    said = dict(found)
    return _Kept(said["tables"], said["clause"], said["told"], dt.date.fromisoformat(said["as_of"]))


def _now(connection: duckdb.DuckDBPyConnection, permit: Permit, as_of: dt.date) -> _Kept:
    [row] = connection.execute("SELECT stamp FROM lake.stamp").fetchall()
    contract: Contract = load_contract(permit.table)
    columns = [column.name for column in told_alike(permit, contract)]
    told = [RUNGS, columns, permit.precision.model_dump(), contract.version, PROGRAM_VERSION]
    return _Kept(
        tables=_digest(row),
        clause=_digest(permit.model_dump(mode="json")),
        told=_digest(told),
        as_of=as_of,
    )


def _digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()
