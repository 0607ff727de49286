"""The rows that a request lets out, in a file of their own, and everything that is told of them.

Not here: deciding what may leave (`permits.py`, `records.py`, `counts.py`), and what becomes of
the rows: a page (`preview.py`) or a signed zip (`extract.py`).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.core import clock
from pipelines.core.settings import Settings
from pipelines.release.disclosure.groups import by_turns, clauses_beside, open_groups
from pipelines.release.disclosure.risk import Risk
from pipelines.release.errors import ReleaseError
from pipelines.release.package.formats.content import Field
from pipelines.release.package.formats.registry import FORMATS, require_format
from pipelines.release.policy.marking import Marking, cleared, levels, strictest
from pipelines.release.policy.permits import PermitSet, who_may
from pipelines.release.query.flow import Flow, absence, read_flow, require_some
from pipelines.release.query.output import content_hash, fields_of, table_versions, write_rows
from pipelines.release.request import Request
from schemas.agreement import Permit
from schemas.agreement_folder import load_agreements
from schemas.contract import Contract, load_contract
from schemas.organisation import is_public, organisations
from schemas.sqltext import literal, name

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

    from pipelines.release.disclosure.consents import Consent
    from pipelines.release.query.counts import CompiledCounts
    from pipelines.release.query.records import CompiledRecords
    from pipelines.release.query.template import CompiledQuery

Progress = Callable[[int, int, str], None]
OnOpen = Callable[["duckdb.DuckDBPyConnection"], None]


@dataclass(frozen=True)
class Selection:
    """One request, answered: `rows` has the columns `fields`; `holdings` and `kept` are private."""

    request: Request
    contract: Contract
    allowed: PermitSet
    connection: duckdb.DuckDBPyConnection
    rows: Path
    holdings: Path
    kept: Path  # the private record for `differencing`
    fields: tuple[Field, ...]
    row_count: int
    flow: Flow
    marking: Marking
    query: str
    table_versions: dict[str, int]
    content_hash: str
    risk: Risk | None = None
    k_required: int = 0
    quasi_identifiers: tuple[str, ...] = ()
    masked_columns: tuple[str, ...] = ()
    suppressed_cells: int | None = None  # None where it would tell too much
    threshold: int | None = None
    consents: tuple[Consent, ...] = ()  # of counts: without which they would not leave
    absence: ReleaseError | None = None  # why it is empty, where it is


@contextmanager
def open_selection(
    settings: Settings, request: Request, folder: Path, on_open: OnOpen | None = None
) -> Iterator[Selection]:
    """Answer a request with files in `folder`; `on_open` is given the connection, to interrupt it.

    Raises ReleaseError where nothing may leave, AgreementError where the agreements cannot be
    relied on, and what the engine raises.
    """
    allowed = permits_for(settings, request)
    contract = load_contract(request.table)
    with ExitStack() as stack:
        grouped = _with_groups(settings, request, allowed)
        with by_turns(settings, grouped):
            connection = stack.enter_context(_catalogue(settings, request, folder))
            if on_open:
                on_open(connection)
            _require_no_later_day(connection, request)
            open_groups(settings, connection, grouped, request.as_of, folder)
        if request.form == "counts":
            yield _counts(_Work(settings, request, allowed, contract, connection, folder, grouped))
        else:
            yield _records(_Work(settings, request, allowed, contract, connection, folder))


def permits_for(settings: Settings, request: Request) -> PermitSet:
    """The clauses that are open on the day of the request and still are today.

    A day gone by gives an extract again, and opens no clause that has ended since. Raises as
    `who_may`.
    """
    agreements = load_agreements(settings.agreements)

    def on(day: dt.date) -> PermitSet:
        return who_may(
            agreements,
            recipient=request.recipient,
            table=request.table,
            purpose=request.purpose,
            form=request.form,
            as_of=day,
            columns=request.columns,
        )

    then, today = on(request.as_of), clock.now().date()
    if request.as_of >= today:
        return then
    still = on(today)
    both = tuple(permit for permit in then.permits if permit in still.permits)
    if not both:
        label = organisations()[request.recipient].label
        raise ReleaseError("REL-105", table=request.table, recipient=label)
    return replace(then, permits=both)


def _with_groups(settings: Settings, request: Request, allowed: PermitSet) -> tuple[Permit, ...]:
    """The clauses whose groups say how the rows may be told."""
    if request.form == "records":
        return tuple(permit for permit in allowed.permits if permit.is_grouped)
    return clauses_beside(load_agreements(settings.agreements), request.table)


def _require_no_later_day(connection: duckdb.DuckDBPyConnection, request: Request) -> None:
    """Raise ReleaseError for a day to come: it would undo the delays that clauses demand.

    The day of the last delivery is no later day, whatever the clock of this machine says.
    """
    query = "SELECT max(received_at)::DATE FROM deliveries"
    [(received_on,)] = connection.execute(query).fetchall()
    last = max(filter(None, (clock.now().date(), received_on)))
    if request.as_of > last:
        raise ReleaseError("REL-117", day=request.as_of, last=last)


@contextmanager
def _catalogue(
    settings: Settings, request: Request, folder: Path
) -> Iterator[duckdb.DuckDBPyConnection]:
    """The published tables as they are now, within the memory that is allowed."""
    import os

    import pipelines
    from pipelines.lake.errors import NothingPublishedError
    from pipelines.lake.versions import shows_outdated
    from pipelines.release.policy.precision import set_release_key

    try:
        connection = pipelines.connect(settings)
    except NothingPublishedError:
        raise ReleaseError("REL-114") from None
    with connection:
        spill = folder / "spill"
        spill.mkdir()
        for option, value in (
            ("memory_limit", settings.memory_limit),
            ("threads", settings.threads or (os.cpu_count() or 2)),
            ("temp_directory", str(spill)),
            ("TimeZone", "UTC"),
            ("enable_external_file_cache", False),
            ("enable_progress_bar", False),
        ):
            connection.execute(f"SET {option} = {literal(value)}")
        if shows_outdated(connection):
            raise ReleaseError("REL-114", "outdated")
        set_release_key(connection, settings, request.recipient)
        yield connection


@dataclass(frozen=True)
class _Work:
    """A request with what it is answered from and where."""

    settings: Settings
    request: Request
    allowed: PermitSet
    contract: Contract
    connection: duckdb.DuckDBPyConnection
    folder: Path
    grouped: tuple[Permit, ...] = ()  # the clauses of records that are known beside counts

    def file(self, name: str) -> Path:
        """One of the files of the answer: `ordered`, `holdings`, `kept`, `rows`."""
        return self.folder / f"{name}.parquet"

    def require_format(self, compiled: CompiledQuery) -> None:
        """Raise ReleaseError where the format cannot show these columns."""
        columns = [column.name for column in compiled.columns]
        require_format(self.request.format, columns, self.contract.roles.point)

    def flow(self, compiled: CompiledQuery, *, are_kept_told: bool) -> Flow:
        """What becomes of the rows."""
        return read_flow(
            self.connection,
            compiled.flow_sql,
            shown_from=compiled.shown_from,
            are_kept_told=are_kept_told,
            is_withheld_told=not self.request.is_narrow,
        )

    def copy(self, query: str, name: str) -> Path:
        """Write the answer to a query to one of the files."""
        path = self.file(name)
        self.connection.execute(f"COPY ({query}) TO {literal(str(path))} (FORMAT parquet)")
        return path

    def write_holdings(self, compiled: CompiledQuery) -> Path:
        """Write the private list of the records that leave, or that are counted."""
        return self.copy(
            f"SELECT record_id, clause, given_as, {literal(self.request.form)} AS form "
            f"FROM ({compiled.holdings_sql})",
            "holdings",
        )

    def selection(self, compiled: CompiledQuery, flow: Flow, **more: Any) -> Selection:
        """The answer, once what is `ordered`, the `holdings` and what is `kept` are written."""
        request, connection = self.request, self.connection
        fields, words = fields_of(compiled.columns, request.language)
        rows, holdings = self.file("rows"), self.file("holdings")
        write_rows(connection, self.file("ordered"), fields, words, rows)
        return Selection(
            request=request,
            contract=self.contract,
            allowed=self.allowed,
            connection=connection,
            rows=rows,
            holdings=holdings,
            kept=self.file("kept"),
            fields=fields,
            flow=flow,
            marking=_marking(connection, self.contract, holdings, self.allowed, request),
            query=compiled.sql,
            table_versions=table_versions(connection, request.table),
            content_hash=content_hash(connection, rows),
            **more,
        )


def _records(work: _Work) -> Selection:
    from pipelines.release.disclosure.risk import risk
    from pipelines.release.query.records import compile_records

    request, contract, allowed = work.request, work.contract, work.allowed
    compiled = compile_records(request, allowed, contract)
    work.require_format(compiled)
    flow, absent = work.flow(compiled, are_kept_told=True), None
    if not flow.kept:
        absent = absence(
            work.connection, request, lambda one: compile_records(one, allowed, contract)
        )
        require_some(absent, compiled.permits, flow)
    FORMATS[request.format].require_room(flow.kept)
    ordered = f"read_parquet({literal(str(work.copy(compiled.sql, 'ordered')))})"
    _keep_records(work, compiled, work.write_holdings(compiled))
    return work.selection(
        compiled,
        flow,
        row_count=flow.kept,
        risk=risk(work.connection, ordered, compiled.quasi_identifiers, compiled.smallest_group),
        k_required=compiled.smallest_group,
        quasi_identifiers=compiled.quasi_identifiers,
        masked_columns=_masked_columns(work, compiled, flow),
        absence=absent,
    )


def _keep_records(work: _Work, compiled: CompiledRecords, holdings: Path) -> None:
    import pyarrow.parquet as pq

    from pipelines.release.disclosure.past_disclosures import records_of, with_asked

    providers = tuple({one for permit in compiled.permits for one in permit.providers})
    kept = with_asked(records_of(work.connection, holdings), work.request, providers)
    pq.write_table(kept, work.file("kept"))


def _masked_columns(work: _Work, compiled: CompiledRecords, flow: Flow) -> tuple[str, ...]:
    """Where cells were masked; of a narrow choice, where the terms mask any, whatever it holds."""
    if flow.is_withheld_told:
        masked = {column for one in flow.clauses for column, n in one.masked.items() if n}
    else:
        closed = {one for restriction in work.allowed.restrictions for one in restriction.columns}
        names = {column.name for column in compiled.columns if column.column}
        masked = (names & closed) | {
            name for permit in compiled.permits for name in names - set(permit.columns)
        }
    return tuple(sorted({*masked, *compiled.withheld}))


@dataclass(frozen=True)
class _CountTable:
    """Counts with the small ones hidden, the private record of them, and the consents needed."""

    protected: pa.Table
    cells: pa.Table
    consents: tuple[Consent, ...]


def _counted(work: _Work, compiled: CompiledCounts) -> _CountTable:
    """Raises ReleaseError where earlier counts and these would together tell a hidden one."""
    from pipelines.release.disclosure.conflict import require_untold
    from pipelines.release.disclosure.past_disclosures import with_asked
    from pipelines.release.query.counts import compile_counts

    protected, cells = _cells(work, compiled)
    request = replace(
        work.request,
        dimensions=compiled.dimensions,
        measures=tuple(dict.fromkeys(work.request.measures)),
    )
    providers = tuple({one for permit in compiled.permits for one in permit.providers})

    def counting(form: Request) -> pa.Table:
        return _cells(work, compile_counts(form, work.allowed, work.contract, work.grouped))[1]

    consents = require_untold(work.settings, request, cells, providers, counting)
    return _CountTable(protected, with_asked(cells, request, providers), consents)


def _cells(work: _Work, compiled: CompiledCounts) -> tuple[pa.Table, pa.Table]:
    """The counts with the small ones hidden, and the private record of them (`cells_table`)."""
    from pipelines.release.query.cells import cells_table, protect_counts, protection

    counted = work.connection.execute(compiled.sql).to_arrow_table()
    members = work.connection.execute(compiled.members_sql).to_arrow_table()
    found = protection(compiled, counted)
    protected = protect_counts(compiled, counted, found)
    return protected, cells_table(compiled, counted, members, found)


def _counts(work: _Work) -> Selection:
    import pyarrow.parquet as pq

    from pipelines.release.query.cells import is_listing_suppressed
    from pipelines.release.query.counts import SUPPRESSED, compile_counts

    request = work.request

    def compiling(form: Request) -> CompiledCounts:
        return compile_counts(form, work.allowed, work.contract, work.grouped)

    compiled = compiling(request)
    work.require_format(compiled)
    found = _counted(work, compiled)
    protected = found.protected
    pq.write_table(protected, work.file("ordered"))
    pq.write_table(found.cells, work.file("kept"))
    work.write_holdings(compiled)
    suppressed = sum(protected[SUPPRESSED].to_pylist())
    return work.selection(
        compiled,
        work.flow(compiled, are_kept_told=False),
        row_count=protected.num_rows,
        suppressed_cells=suppressed if is_listing_suppressed(protected) else None,
        threshold=compiled.threshold,
        consents=found.consents,
        absence=None if protected.num_rows else absence(work.connection, request, compiling),
    )


def _marking(
    connection: duckdb.DuckDBPyConnection,
    contract: Contract,
    holdings: Path,
    allowed: PermitSet,
    request: Request,
) -> Marking:
    """The strictest of the rows that leave, whether or not they say it; of none, the ceiling."""
    if request.form == "counts" and is_public(request.recipient):
        return cleared()
    found = connection.execute(
        f"SELECT DISTINCT handling FROM {name(contract.table)} SEMI JOIN "
        f"read_parquet({literal(str(holdings))}) USING (record_id)"
    ).fetchall()
    if found:
        return strictest(level for (level,) in found)
    ceilings = [levels()[permit.rows.handling_ceiling] for permit in allowed.permits]
    return max(ceilings, key=lambda one: one.rank)
