"""Write the demo: the deliveries into the inbox, and the truth about them beside it.

Not here: what happened, how it is told and how it goes wrong (the other modules of this folder).

Beside the inbox, in `<home>/demo/`:

    events.parquet                 what happened: one row an event
    ground_truth.parquet           one row a data row of every delivery: its verdict, its codes, its
                                   event, and the value expected in each column
    ground_truth_records.parquet   one row a record that the tables must hold: the latest accepted
                                   revision of each, withdrawn ones marked
"""

from __future__ import annotations

import datetime as dt
import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.core.duck import record_keys
from pipelines.demo.delivery import DemoDelivery
from pipelines.demo.generator import FeedGenerator
from pipelines.demo.profile import load_profiles
from pipelines.demo.world import World, build_world

if TYPE_CHECKING:
    import pandas as pd

    from pipelines.core.settings import Settings

DEFAULT_SEED = 20260501
FEEDS = tuple(load_profiles())
SENT_TWICE = "caf_gendarmerie_incidents"  # whose first file arrives again under another name
SENT_AGAIN_AFTER = dt.timedelta(days=1, hours=3)

Progress = Callable[[int, int, str], None]


@dataclass(frozen=True)
class DemoSummary:
    """What was written; `files` are in the order of their arrival."""

    seed: int
    scale: float
    events: int
    rows: int
    files: tuple[Path, ...]
    folder: Path
    verdicts: dict[str, int] = field(default_factory=dict)


def write_demo(
    settings: Settings,
    *,
    seed: int = DEFAULT_SEED,
    scale: float = 1.0,
    is_every_rule: bool = False,
    on_progress: Progress | None = None,
) -> DemoSummary:
    """Write every synthetic delivery and the truth; the same bytes for the same arguments.

    A few rows in a hundred are wrong, as in life; with `is_every_rule`, about one for each rule.
    A file's time of change is when it would have arrived, so the receipt says that too. Memory
    grows with one feed at a time. Raises OSError where the folders cannot be written, ValueError
    where `is_every_rule` is asked for and the scale leaves some rule no row.
    """
    world = build_world(seed, scale)
    truths: list[pd.DataFrame] = []
    files: list[tuple[dt.datetime, Path]] = []
    for number, feed in enumerate(FEEDS):
        if on_progress is not None:
            on_progress(number, len(FEEDS), feed)
        for delivery in feed_deliveries(world, feed, is_every_rule=is_every_rule):
            files.append((delivery.received_at, _write(settings, delivery)))
            truths.append(labelled_truth(delivery))
    folder = settings.home / "demo"
    rows = write_truth(world, truths, folder)
    if on_progress is not None:
        on_progress(len(FEEDS), len(FEEDS), "")
    return DemoSummary(
        seed=seed,
        scale=scale,
        events=len(world.events),
        rows=len(rows),
        files=tuple(path for _, path in sorted(files)),
        folder=folder,
        verdicts={str(v): int(n) for v, n in rows["verdict"].value_counts().items()},
    )


def feed_deliveries(world: World, feed: str, *, is_every_rule: bool = False) -> list[DemoDelivery]:
    """The deliveries of one feed in the order of their arrival, one of them perhaps twice.

    Raises KeyError for a feed that the demo does not write.
    """
    deliveries = FeedGenerator(feed).deliveries(world, is_every_rule=is_every_rule)
    if feed == SENT_TWICE:
        deliveries.append(_again(deliveries[0]))
    return deliveries


def delivery_id(delivery: DemoDelivery) -> str:
    """The id that the delivery will have: the same bytes have the same one, whatever their name."""
    return f"{delivery.feed}.{hashlib.sha256(delivery.content).hexdigest()[:12]}"


def labelled_truth(delivery: DemoDelivery) -> pd.DataFrame:
    """The truth of a delivery, with the delivery's own facts in front of each row."""
    from schemas.feed import load_feed

    truth = delivery.truth.reset_index(drop=True)
    facts: dict[str, Any] = {
        "delivery_id": delivery_id(delivery),
        "feed": delivery.feed,
        "table_name": load_feed(delivery.feed).table,
        "file_name": delivery.file_name,
        "received_at": delivery.received_at,
    }
    for place, (column, value) in enumerate(facts.items()):
        truth.insert(place, column, value)
    if "source" not in truth:
        truth["source"] = load_feed(delivery.feed).source
    return truth


def expected_records(rows: pd.DataFrame) -> pd.DataFrame:
    """The latest accepted revision of each record, in the order that the lake declares."""
    import pandas as pd

    rows = rows.drop_duplicates(["delivery_id", "source_row"])
    accepted = rows[rows["verdict"] == "accepted"].copy()
    accepted["record_id"] = (
        accepted["source"]
        + ":"
        + pd.Series(record_keys(accepted["source_record_id"]), index=accepted.index)
    )
    if "source_revision" not in accepted:
        accepted["source_revision"] = pd.NA
    order = ["source_revision", "received_at", "delivery_id", "source_row"]
    accepted = accepted.sort_values(order, na_position="first", kind="stable")
    latest = accepted.drop_duplicates(["table_name", "record_id"], keep="last")
    return latest.sort_values(["table_name", "record_id"], ignore_index=True)


def write_truth(world: World, truths: list[pd.DataFrame], folder: Path) -> pd.DataFrame:
    """Write the three truth files; returns the rows of ground_truth.parquet."""
    import pandas as pd

    folder.mkdir(parents=True, exist_ok=True)
    rows = pd.concat(truths, ignore_index=True)
    rows["rule_codes"] = rows["rule_codes"].map(list)
    rows = _plain_types(rows)
    world.events.to_parquet(folder / "events.parquet", index=False)
    rows.to_parquet(folder / "ground_truth.parquet", index=False)
    expected_records(rows).to_parquet(folder / "ground_truth_records.parquet", index=False)
    return rows


def _again(delivery: DemoDelivery) -> DemoDelivery:
    """The same bytes under a name that sorts after the first one, received later."""
    stem, dot, ending = delivery.file_name.rpartition(".")
    return replace(
        delivery,
        file_name=f"{stem}_renvoi{dot}{ending}",
        received_at=delivery.received_at + SENT_AGAIN_AFTER,
    )


def _write(settings: Settings, delivery: DemoDelivery) -> Path:
    place = settings.inbox / delivery.feed / delivery.file_name
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(delivery.content)
    if "://" not in str(place):
        seconds = delivery.received_at.replace(tzinfo=dt.UTC).timestamp()
        os.utime(str(place), (seconds, seconds))
    return Path(str(place))


def _plain_types(rows: pd.DataFrame) -> pd.DataFrame:
    """Columns of one type each, as the contract of their table says, so that Parquet keeps them."""
    import pandas as pd

    from schemas.contract import load_contract, table_names

    types = {c.name: c.duckdb_type for t in table_names("data") for c in load_contract(t).columns}
    for column in rows.columns.intersection(pd.Index(types)):
        kind = types[column]
        if kind in ("INTEGER", "BIGINT"):
            rows[column] = pd.to_numeric(rows[column]).astype("Int64")
        elif kind == "DOUBLE":
            rows[column] = pd.to_numeric(rows[column])
        elif kind in ("TIMESTAMP", "DATE"):
            rows[column] = pd.to_datetime(rows[column]).astype("datetime64[us]")
        elif kind == "BOOLEAN":
            rows[column] = rows[column].astype("boolean")
        else:
            rows[column] = rows[column].astype("string")
    return rows
