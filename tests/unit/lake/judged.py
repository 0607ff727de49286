"""Judged deliveries as the earlier stages leave them, made from a few values, for lake tests.

Not here: how real deliveries are judged; these rows only need the shape of an accepted file.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import duckdb
import pytest
from upath import UPath

from pipelines.core.settings import Settings
from pipelines.lake import publish as publishing
from pipelines.landing.receive import RECEIPT, Receipt
from pipelines.validate.verdict import (
    JUDGEMENTS,
    StoredFinding,
    Verdict,
    moment_name,
    write_verdict,
)
from schemas.contract import load_contract
from schemas.sqltext import literal, name

FEED = "caf_gendarmerie_incidents"
START = dt.datetime(2026, 1, 1)


def row(record: str, text: str = "as first told", **values: Any) -> dict[str, Any]:
    """One accepted incident; `text` is the content that a correction changes."""
    said = {
        "record_id": f"caf_gendarmerie:{record}",
        "source": "caf_gendarmerie",
        "source_record_id": record,
        "country": "CAF",
        "occurred_on": dt.date(2026, 1, 5),
        "occurred_at": dt.datetime(2026, 1, 5, 8),
        "offence_text": text,
        "handling": "CONFIDENTIAL",
        "is_withdrawn": False,
        "quality_flags": [],
        "reasons": [],
    }
    return said | values


def deliver(
    settings: Settings,
    label: str,
    rows: Sequence[dict[str, Any]],
    *,
    day: float = 0,
    rejected: Sequence[dict[str, Any]] = (),
    table: str = "incidents",
    state: Literal["accepted", "refused"] = "accepted",
    findings: Sequence[str] = (),
    as_of: dt.date | None = None,
    kind: Literal["register", "correction"] | None = None,
    corrections: tuple[Literal["source_revision", "withdrawal"], ...] = (),
    again: float | None = None,
    contract_version: str = "",
) -> str:
    """Leave a judged delivery in the landing place; returns its delivery_id.

    `day` is when it was received, in days after `START`; `rejected` rows need `reasons`. Without
    `as_of` it is as one of the first version of this program: it stands at its receipt. With
    `again`, the day of another judgement, it is one that was left before.
    """
    delivery_id = f"{FEED}.{label}"
    received_at = START + dt.timedelta(days=day)
    folder = Path(settings.landing.path) / FEED / label
    judged_at = received_at if again is None else START + dt.timedelta(days=again)
    place = folder if again is None else folder / JUDGEMENTS / moment_name(judged_at)
    place.mkdir(parents=True, exist_ok=True)
    for file, content in (("accepted", rows), ("quarantined", rejected)):
        dated = [
            {
                "source_row": number + 2,
                **one,
                "delivery_id": delivery_id,
                "received_at": received_at,
            }
            for number, one in enumerate(content)
        ]
        write_rows(place / f"{file}.parquet", table, dated)
    receipt = Receipt(
        delivery_id=delivery_id,
        feed=FEED,
        sha256=label,
        file_name=f"{label}.csv",
        bytes=100,
        origin="test",
        received_at=received_at.replace(tzinfo=dt.UTC),
    )
    verdict = Verdict(
        delivery_id=delivery_id,
        feed=FEED,
        table_name=table,
        source="caf_gendarmerie",
        state=state,
        rows_read=len(rows) + len(rejected),
        rows_accepted=len(rows),
        rows_quarantined=len(rejected),
        rows_exact_duplicates=0,
        as_of=as_of,
        kind=kind,
        corrections=corrections,
        findings=[StoredFinding(code=code) for code in findings],
        program_version="0",
        feed_version="1.0.0",
        contract_version=contract_version or load_contract(table).version,
        harmonised_at=judged_at,
        follows=None if again is None else received_at,
    )
    (folder / RECEIPT).write_text(receipt.model_dump_json(), encoding="utf-8")
    write_verdict(UPath(place), verdict)
    return delivery_id


def write_rows(path: Path, table: str, rows: Sequence[dict[str, Any]]) -> None:
    """A Parquet file with the columns that harmonising leaves, private ones among them."""
    import pyarrow

    kinds = {
        c.name: c.duckdb_type for c in load_contract(table).published if c.filled_by != "lake"
    } | {"occurred_at__unread": "VARCHAR", "reasons": "VARCHAR[]"}
    with duckdb.connect() as connection:
        cells = {column: [one.get(column) for one in rows] for column in kinds}
        connection.register("cells", pyarrow.table(cells))
        typed = ", ".join(
            f"{name(column)}::{kind} AS {name(column)}" for column, kind in kinds.items()
        )
        connection.execute(
            f"COPY (SELECT {typed} FROM cells) TO {literal(str(path))} (FORMAT parquet)"
        )


def content(settings: Settings) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every published relation, sorted: what must not depend on any order."""
    from pipelines import connect

    relations = ["incidents", "incidents_history", "deliveries", "rejections"]
    with connect(settings) as connection:
        return {
            relation: connection.execute(f"FROM {relation} ORDER BY ALL").fetchall()
            for relation in relations
        }


def interrupt(settings: Settings, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    """Publish, and be stopped before a step (a function of `lake/publish.py`)."""

    def stop(*_arguments: Any, **_named: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(publishing, step, stop)
        with pytest.raises(KeyboardInterrupt):
            publishing.publish(settings)
