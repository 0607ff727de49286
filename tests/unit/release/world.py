"""Tables of a few rows, agreements of a few clauses, and the extract that comes of them.

Not here: what is asserted. The agreements go through the real models, the rows through real SQL.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import pyarrow as pa

from pipelines.core.settings import settings_for
from pipelines.release.disclosure.groups import clauses_beside, open_groups
from pipelines.release.disclosure.k_anonymity import (
    add_groups,
    create_groups,
    form_groups,
)
from pipelines.release.policy.permits import who_may
from pipelines.release.query.cells import cells_table, protect_counts
from pipelines.release.query.counts import compile_counts
from pipelines.release.query.flow import Flow, read_flow
from pipelines.release.query.records import compile_records
from pipelines.release.request import Request
from schemas.agreement import Agreement, Permit
from schemas.contract import Contract, load_contract
from schemas.sqltext import name

AS_OF = dt.date(2026, 6, 30)
AREAS = [
    ("CF11", None, "CAF", 1),
    ("CF71", None, "CAF", 1),
    ("CD61", None, "COD", 1),
    ("CF111", "CF11", "CAF", 2),
    ("CF112", "CF11", "CAF", 2),
    ("CF711", "CF71", "CAF", 2),
]
WORDS = {"en": "x", "fr": "x"}
ROW: dict[str, Any] = {
    "source": "caf_police",
    "country": "CAF",
    "admin1_code": "CF71",
    "time_zone": "Africa/Bangui",
    "occurred_at": dt.datetime(2026, 5, 13, 9, 30),
    "occurred_at_precision": "minute",
    "handling": "CONFIDENTIAL",
    "is_withdrawn": False,
}
INCIDENT = {**ROW, "offence_code": "0501", "is_sensitive": False}


def rows(
    *changes: Mapping[str, Any], base: Mapping[str, Any] | None = None
) -> list[dict[str, Any]]:
    """Incidents, one for each set of changes, numbered such as `caf_police:PK5/2026-05-13/0`."""
    found = []
    for at, change in enumerate(changes):
        row = {**(base or INCIDENT), **change}
        row.setdefault("source_record_id", f"PK5/2026-05-13/{at}")
        row.setdefault("record_id", f"{row['source']}:{row['source_record_id']}")
        found.append(dated(row))
    return found


def dated(row: Mapping[str, Any]) -> dict[str, Any]:
    """The row with the local day of its moment, and without the moment where only a day is known.

    A row that gives `occurred_on` itself is left as it is.
    """
    moment = row.get("occurred_at")
    if "occurred_on" in row or moment is None:
        return {**row}
    zone = ZoneInfo(row.get("time_zone") or "UTC")
    day = moment.replace(tzinfo=dt.UTC).astimezone(zone).date()
    is_timed = row.get("occurred_at_precision") in (None, "minute", "hour")
    return {**row, "occurred_on": day, "occurred_at": moment if is_timed else None}


def catalogue(
    table: str, held: Sequence[Mapping[str, Any]], recipient: str = ""
) -> duckdb.DuckDBPyConnection:
    """A database with that table and `admin_areas`, and a release key of its own."""
    connection = duckdb.connect(config={"threads": 1})
    connection.execute("SET TimeZone = 'UTC'")
    columns = load_contract(table).published
    declared = ", ".join(f"{name(c.name)} {c.duckdb_type}" for c in columns)
    connection.execute(f"CREATE TABLE {name(table)} ({declared})")
    filled = [c.name for c in columns if any(row.get(c.name) is not None for row in held)]
    _insert(connection, table, filled, [[row.get(one) for one in filled] for row in held])
    connection.execute(
        "CREATE TABLE admin_areas (code VARCHAR, parent VARCHAR, country VARCHAR, level INTEGER)"
    )
    _insert(connection, "admin_areas", ("code", "parent", "country", "level"), AREAS)
    for variable in ("release_inner", "release_outer"):
        connection.execute(f"SET VARIABLE {variable} = ?", [f"a key {recipient}".encode()])
    return connection


def _insert(
    connection: duckdb.DuckDBPyConnection,
    table: str,
    columns: Sequence[str],
    values: Sequence[Sequence[Any]],
) -> None:
    """Rows by one statement: one a row costs as much as the query that is tested."""
    if values:
        row = f"({', '.join('?' for _one in columns)})"
        listed = ", ".join(name(one) for one in columns)
        flat = [value for one in values for value in one]
        insert = f"INSERT INTO {name(table)} ({listed}) VALUES {', '.join([row] * len(values))}"
        connection.execute(insert, flat)


def permit(**changes: Any) -> dict[str, Any]:
    """A clause of records that opens most; give what differs."""
    return {
        "clause": "P1",
        "summary": WORDS,
        "providers": ["caf_police"],
        "recipients": ["minusca_unpol"],
        "purposes": ["joint_planning"],
        "table": "incidents",
        "form": "records",
        "columns": ["record_id", "country", "admin1_code", "occurred_at", "offence_code"],
        "rows": {"handling_ceiling": "CONFIDENTIAL"},
        "precision": {"area": "admin1", "time": "day", "age": "none"},
        "delay_days": 0,
        "smallest_group": 1,
        "onward": {"allowed": False, "consent": "originator"},
        **changes,
    }


def counts(**changes: Any) -> dict[str, Any]:
    """A clause of counts."""
    return permit(
        **{
            "form": "counts",
            "columns": [],
            "dimensions": ["source", "country", "admin1_code", "offence_section", "month"],
            "measures": ["records", "victims_total"],
            "precision": {"area": "admin1", "time": "month", "age": "none"},
            "small_cell_threshold": 5,
            "smallest_group": None,
            **changes,
        }
    )


def restriction(**changes: Any) -> dict[str, Any]:
    """A restriction that holds every row of the CAR police back."""
    found = {
        "clause": "R1",
        "reason": WORDS,
        "providers": ["caf_police"],
        "recipients": ["all"],
        "table": "incidents",
    }
    return {**found, **changes}


def agreement(
    permits: Iterable[Mapping[str, Any]],
    restrictions: Iterable[Mapping[str, Any]] = (),
    **changes: Any,
) -> Agreement:
    """An agreement of these clauses, in force in 2026, numbered in their order."""
    return Agreement.model_validate(
        {
            "agreement": "trial",
            "version": "1.0.0",
            "status": "illustrative",
            "title": WORDS,
            "legal_reference": WORDS,
            "signed_on": "2026-01-01",
            "valid_from": "2026-01-01",
            "valid_until": "2026-12-31",
            "parties": ["caf_police", "minusca_unpol"],
            "permits": [{**one, "clause": f"P{at}"} for at, one in enumerate(permits, 1)],
            "restrictions": [{**one, "clause": f"R{at}"} for at, one in enumerate(restrictions, 1)],
            **changes,
        }
    )


def ask(**changes: Any) -> Request:
    """A request of MINUSCA police for incidents."""
    found: dict[str, Any] = {
        "table": "incidents",
        "recipient": "minusca_unpol",
        "purpose": "joint_planning",
        "as_of": AS_OF,
    }
    return Request(**{**found, **changes})


def make_groups(
    connection: duckdb.DuckDBPyConnection,
    permits: Iterable[Permit],
    contract: Contract,
    as_of: dt.date,
) -> None:
    """The groups of these clauses, formed now and kept nowhere."""
    create_groups(connection)
    for one in permits:
        if one.is_grouped:
            form_groups(connection, one, contract, as_of)
            add_groups(connection, one, "FROM members WHERE rung IS NOT NULL")


class Extract:
    """An extract of records: `rows` as dictionaries, `flow`, `holdings`, `compiled`."""

    def __init__(
        self, held: Sequence[Mapping[str, Any]], signed: Sequence[Agreement], request: Request
    ) -> None:
        """Make it."""
        allowed = allowed_by(signed, request)
        contract = load_contract(request.table)
        self.compiled = compile_records(request, allowed, contract)
        self.connection = catalogue(request.table, held, request.recipient)
        make_groups(self.connection, allowed.permits, contract, request.as_of)
        self.table = self.connection.execute(self.compiled.sql).to_arrow_table()
        self.rows: list[dict[str, Any]] = self.table.to_pylist()
        self.flow: Flow = read_flow(
            self.connection, self.compiled.flow_sql, shown_from=self.compiled.shown_from
        )
        holdings = self.connection.execute(self.compiled.holdings_sql).fetchall()
        self.holdings: list[tuple[str, str, str]] = holdings


class Home:
    """An installation whose tables change: its groups are kept from one request to the next."""

    def __init__(self, folder: Path, signed: Sequence[Agreement], table: str = "incidents") -> None:
        """Begin with no rows."""
        self.settings = settings_for(folder).prepare()
        self.signed, self.contract = list(signed), load_contract(table)
        self.deliver([])

    def deliver(self, held: Sequence[Mapping[str, Any]]) -> None:
        """From now on the table has these rows."""
        self.held = list(held)
        self.connection = catalogue(self.contract.table, held)
        self.connection.execute("CREATE SCHEMA lake")
        self.connection.execute("CREATE TABLE lake.stamp AS SELECT uuid()::VARCHAR AS stamp")

    def extract(self, request: Request) -> list[dict[str, Any]]:
        """The rows of an extract, each with its true number as `_record`."""
        allowed = allowed_by(self.signed, request)
        compiled = compile_records(request, allowed, self.contract)
        self.open_groups(allowed.permits, request.as_of)
        rows = self.connection.execute(compiled.sql).to_arrow_table().to_pylist()
        held = self.connection.execute(compiled.holdings_sql).fetchall()
        self.flow = read_flow(self.connection, compiled.flow_sql, shown_from=compiled.shown_from)
        return [{**row, "_record": one[0]} for row, one in zip(rows, held, strict=True)]

    def count(self, request: Request) -> pa.Table:
        """Every cell and total of counts, before small ones are hidden."""
        known = clauses_beside(self.signed, request.table)
        compiled = compile_counts(request, allowed_by(self.signed, request), self.contract, known)
        self.open_groups(known, request.as_of)
        return self.connection.execute(compiled.sql).to_arrow_table()

    def open_groups(self, permits: Iterable[Permit], as_of: dt.date = AS_OF) -> None:
        """Bring the groups up to date."""
        open_groups(self.settings, self.connection, permits, as_of, self.settings.scratch)

    def groups(self) -> dict[str, tuple[int, int]]:
        """Record → its rung and what it is alike in, of the groups that were opened last."""
        found = self.connection.execute("SELECT record_id, rung, alike FROM release_groups")
        return {record: (rung, alike) for record, rung, alike in found.fetchall()}


class Counts:
    """An extract of counts: `rows` as dictionaries, `cells` (private), `flow`, `compiled`."""

    def __init__(
        self, held: Sequence[Mapping[str, Any]], signed: Sequence[Agreement], request: Request
    ) -> None:
        """Make it."""
        allowed, contract = allowed_by(signed, request), load_contract(request.table)
        known = clauses_beside(signed, request.table)
        self.compiled = compile_counts(request, allowed, contract, known)
        connection = catalogue(request.table, held)
        make_groups(connection, known, contract, request.as_of)
        self.counted: pa.Table = connection.execute(self.compiled.sql).to_arrow_table()
        self.table = protect_counts(self.compiled, self.counted)
        self.rows: list[dict[str, Any]] = self.table.to_pylist()
        members = connection.execute(self.compiled.members_sql).to_arrow_table()
        self.cells = cells_table(self.compiled, self.counted, members)
        self.flow: Flow = read_flow(
            connection,
            self.compiled.flow_sql,
            shown_from=self.compiled.shown_from,
            are_kept_told=False,
        )
        self.holdings = connection.execute(self.compiled.holdings_sql).fetchall()

    def at(self, **where: Any) -> dict[str, Any]:
        """The one row with these values."""
        [row] = [r for r in self.rows if all(r[k] == v for k, v in where.items())]
        return row


def allowed_by(signed: Sequence[Agreement], request: Request) -> Any:
    """What the agreements allow of a request."""
    return who_may(
        signed,
        recipient=request.recipient,
        table=request.table,
        purpose=request.purpose,
        form=request.form,
        as_of=request.as_of,
        columns=request.columns,
    )
