"""A router for tests: synthetic rows of a contract, judged by its rules and written to two files.

Not here: the real router (`pipelines/harmonise`), which the integration tests use.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import duckdb

from pipelines.validate.audit import RoutingCounts
from schemas.contract import Contract, Rule
from schemas.rules import fails_when
from schemas.sqltext import name

CANARY = "Mbokani-canary-7731"
# Value of a column for row i: a clean incident, but for one bad thing in some of the rows.
INCIDENT = {
    "record_id": "'caf_police:' || CASE WHEN i IN (58, 59) THEN 57 ELSE i END",
    "source": "'caf_police'",
    "source_record_id": "i::VARCHAR",
    "country": "'CAF'",
    "admin1_code": "'CF71'",
    "place_text": f"'{CANARY}' || i",
    "latitude_deg": "CASE WHEN i % 50 = 1 THEN 99 ELSE 5.5 END",
    "longitude_deg": "20.1",
    "occurred_on": "(TIMESTAMP '2024-01-01 01:00:00' + to_minutes(i))::DATE",
    "occurred_at": "TIMESTAMP '2024-01-01' + to_minutes(i)",
    "occurred_at_precision": "'minute'",
    "time_zone": "'Africa/Bangui'",
    "reported_at": "TIMESTAMP '2024-01-02' + to_minutes(i)",
    "reported_on": "(TIMESTAMP '2024-01-02' + to_minutes(i))::DATE",
    "ended_on": "CASE WHEN i % 50 = 2 THEN DATE '2020-01-01' END",
    "occurred_until": "CASE WHEN i % 50 = 2 THEN TIMESTAMP '2020-01-01' END",
    "offence_code": "'0101'",
    "victims_total": "CASE WHEN i % 50 = 3 THEN 1 ELSE 3 END",
    "victims_female": "1",
    "victims_male": "CASE WHEN i % 50 = 4 THEN 1 ELSE 2 END",
    "killed_total": "CASE WHEN i % 50 = 5 THEN 773199 ELSE 1 END",
    "is_sensitive": "FALSE",
    "is_withdrawn": "FALSE",
    "handling": "'CONFIDENTIAL'",
    "received_at": "TIMESTAMP '2030-01-01'",
    "delivery_id": "'caf_police_incidents.0123456789ab'",
    "source_row": "i",
}


def route(
    contract: Contract,
    folder: Path,
    rows: int = 400,
    *,
    values: Mapping[str, str] = INCIDENT,
    judge: Callable[[Rule], str] = fails_when,
) -> tuple[Path, Path, RoutingCounts]:
    """Write accepted.parquet and quarantined.parquet; `judge` gives a rule's predicate."""
    with duckdb.connect() as db:
        typed = _typed(contract, values)
        typed += ", 1 AS same_content_rows"  # the real router counts them
        db.execute(f"CREATE TABLE typed AS SELECT {typed} FROM range({rows}) t(i)")
        facts = [f"{fact.sql} AS {fact.name}" for fact in contract.facts]
        facts.append("count(*) OVER (PARTITION BY record_id) AS record_id__times")
        db.execute(f"CREATE TABLE known AS SELECT *, {', '.join(facts)} FROM typed")
        errors, warnings = (_codes(contract, kind, judge) for kind in ("error", "warning"))
        db.execute(
            "CREATE TABLE judged AS SELECT * EXCLUDE (record_id__times, same_content_rows), "
            f"{warnings} AS quality_flags, {errors} AS reasons FROM known"
        )
        files = (folder / "accepted.parquet", folder / "quarantined.parquet")
        for file, test in zip(files, ("=", ">"), strict=True):
            db.execute(f"COPY (FROM judged WHERE len(reasons) {test} 0) TO '{file}'")
        return *files, counted(*files, rows)


def counted(accepted: Path, quarantined: Path, rows_read: int) -> RoutingCounts:
    """What an honest router says of the two files that it wrote."""
    with duckdb.connect() as db:

        def rows(file: Path) -> int:
            return int(db.sql(f"SELECT count(*) FROM '{file}'").fetchall()[0][0])

        def codes(file: Path, column: str) -> dict[str, int]:
            listed = f"SELECT unnest({column}) AS code FROM '{file}'"
            return dict(db.sql(f"SELECT code, count(*) FROM ({listed}) GROUP BY 1").fetchall())

        return RoutingCounts(
            rows_read=rows_read,
            rows_accepted=rows(accepted),
            rows_quarantined=rows(quarantined),
            rows_exact_duplicates=0,
            reason_counts=codes(quarantined, "reasons"),
            warning_counts=codes(accepted, "quality_flags"),
        )


def _typed(contract: Contract, values: Mapping[str, str]) -> str:
    columns = [
        f"({values.get(column.name, 'NULL')})::{column.duckdb_type} AS {name(column.name)}"
        for column in contract.published
        if column.filled_by != "lake" and column.name != "quality_flags"
    ]
    columns += [
        f"({values.get(column.unread, 'NULL')})::VARCHAR AS {name(column.unread)}"
        for column in contract.columns
        if column.filled_by in ("feed", "input") and not column.is_plain_text
    ]
    columns += [
        f"NULL::{'BOOLEAN' if helper.geofence else helper.type} AS {name(helper.name)}"
        for helper in contract.helpers
    ]
    return ", ".join(columns)


def _codes(contract: Contract, severity: str, judge: Callable[[Rule], str]) -> str:
    listed = ", ".join(
        f"CASE WHEN {judge(rule)} THEN '{rule.code}' END"
        for rule in contract.rules
        if rule.severity == severity
    )
    return f"list_filter([{listed}]::VARCHAR[], lambda code: code IS NOT NULL)"
