"""Which deliveries have a verdict, and where the files are that the verdict speaks of.

Not here: reaching a verdict (`validate`) and taking a delivery into the lake (`publish.py`).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from upath import UPath

from pipelines.settings import Settings
from schemas.contract import load_contract
from schemas.feed import load_feed

VERDICT = "verdict.json"
RECEIPT = "receipt.json"
ACCEPTED = "accepted.parquet"
QUARANTINED = "quarantined.parquet"


@dataclass(frozen=True)
class Arrival:
    """One delivery with its verdict; `account` is its row in the table `deliveries`."""

    delivery_id: str
    feed: str
    table: str
    is_accepted: bool
    folder: UPath
    account: dict[str, Any]

    @property
    def rows_accepted(self) -> int:
        """Rows that the lake must hold of it; none of a refused delivery."""
        return int(self.account["rows_accepted"] or 0) if self.is_accepted else 0

    @property
    def rows_quarantined(self) -> int:
        """Rows of an accepted delivery that were set aside."""
        return int(self.account["rows_quarantined"] or 0) if self.is_accepted else 0


def arrivals(settings: Settings) -> Iterator[Arrival]:
    """Every delivery under the landing place that has a verdict, in the order of their ids."""
    found = (arrival(file.parent) for file in settings.landing.glob(f"*/*/{VERDICT}"))
    yield from sorted(found, key=lambda one: one.delivery_id)


def arrival(folder: UPath) -> Arrival:
    """The delivery whose verdict lies in `folder`."""
    said = _json(folder / RECEIPT) | _json(folder / VERDICT)
    if "source" not in said:
        said["source"] = load_feed(said["feed"]).source
    said["findings"] = [_code(finding) for finding in said.get("findings") or []]
    columns = load_contract("deliveries").published
    return Arrival(
        delivery_id=said["delivery_id"],
        feed=said["feed"],
        table=said["table_name"],
        is_accepted=said["state"] == "accepted",
        folder=folder,
        account={column.name: said.get(column.name) for column in columns},
    )


def local_copy(arrival: Arrival, file_name: str, folder: Path) -> str:
    """The path of a file of the delivery that DuckDB can open; copied to `folder` if remote."""
    file = arrival.folder / file_name
    if file.protocol in ("", "file", "local"):
        return str(Path(file.path).as_posix())
    target = folder / f"{arrival.delivery_id}.{file_name}"
    if not target.exists():
        with file.open("rb") as source, target.open("wb") as copy:
            while block := source.read(1 << 20):
                copy.write(block)
    return target.as_posix()


def _json(file: UPath) -> dict[str, Any]:
    return dict(json.loads(file.read_text(encoding="utf-8"))) if file.exists() else {}


def _code(finding: Any) -> str:
    return str(finding["code"] if isinstance(finding, dict) else finding)
