"""Deliveries of the demo read as they come, and held against the truth about them.

Not here: which feeds and which rules (the tests beside this file).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd

from pipelines.core.settings import settings_for
from pipelines.demo.delivery import DemoDelivery
from pipelines.harmonise.run import HarmoniseResult, harmonise_file
from schemas.feed import Feed, load_feed

Read = list[tuple[DemoDelivery, HarmoniseResult]]
SAME_TO_DEG = 0.0005  # a feed may write seconds of arc or four decimals


def read_all(deliveries: Iterable[DemoDelivery], place: Path, feed: Feed | None = None) -> Read:
    """Each delivery, and what its reading gives, in a folder of its own."""
    settings = settings_for(place / "home").prepare()
    done = []
    for delivery in deliveries:
        file = place / delivery.file_name
        file.write_bytes(delivery.content)
        harmonised = harmonise_file(
            settings,
            feed or load_feed(delivery.feed),
            file,
            place / file.stem,
            delivery_id=f"{delivery.feed}.demo",
            received_at=delivery.received_at,
        )
        done.append((delivery, harmonised))
    return done


def assert_judged_as_meant(read: Read) -> None:
    """Verdict and codes of every row are those of the truth."""
    for delivery, done in read:
        truth = delivery.truth.set_index("source_row").sort_index()
        found = judged(done)
        assert found["verdict"].to_dict() == truth["verdict"].to_dict(), delivery.file_name
        told = truth["verdict"] != "duplicate"
        assert found.loc[told, "codes"].to_dict() == truth.loc[told, "rule_codes"].to_dict()


def values_read(read: Read) -> Iterator[tuple[DemoDelivery, list[str], dict[str, list[Any]]]]:
    """By delivery, the columns compared in its accepted rows, and the rows that differ in each."""
    for delivery, done in read:
        truth = delivery.truth[delivery.truth["verdict"] == "accepted"].set_index("source_row")
        found = pd.read_parquet(done.accepted).set_index("source_row").loc[truth.index]
        columns = [c for c in truth.columns if c in found.columns]
        wrong = {c: different(truth[c], found[c]) for c in columns}
        yield delivery, columns, {c: rows for c, rows in wrong.items() if rows}


def judged(done: HarmoniseResult) -> pd.DataFrame:
    """Verdict and sorted codes of every row, by its number."""
    parts = []
    for verdict, path in (("accepted", done.accepted), ("quarantined", done.quarantined)):
        rows = pd.read_parquet(path, columns=["source_row", "reasons", "quality_flags"])
        codes = [sorted([*a, *b]) for a, b in zip(rows["reasons"], rows["quality_flags"])]  # noqa: B905
        rows["codes"] = pd.Series([tuple(c) for c in codes], dtype=object)
        parts.append(rows.assign(verdict=verdict))
    parts.append(pd.read_parquet(done.duplicates).assign(verdict="duplicate"))
    return pd.concat(parts).set_index("source_row").sort_index()


def different(meant: pd.Series[Any], found: pd.Series[Any]) -> list[Any]:
    """Row numbers where the values are not the same."""
    both_empty = meant.isna() & found.isna()
    if meant.name in ("latitude_deg", "longitude_deg"):
        same = (meant.astype(float) - found.astype(float)).abs() < SAME_TO_DEG
    elif str(found.dtype).startswith("datetime") or meant.dtype.kind == "M":
        same = pd.to_datetime(meant) == pd.to_datetime(found)
    elif found.dtype.kind in "iuf":
        same = pd.to_numeric(meant) == pd.to_numeric(found)
    else:
        same = meant.astype(object) == found.astype(object)
    return list(meant.index[~(same.fillna(False).astype(bool) | both_empty)])
