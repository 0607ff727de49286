"""The private record of everything that was told to somebody, to compare the next counts with it.

Not here: the comparison (`differencing.py`) and what a record of counts holds (`cells.py`); that of
records is a list of them, since whoever has them can take them out of any count.

What a preview showed was told as well as what an extract holds, so both are kept. Two requests for
counts take turns: each would else be compared with what was there before the other.

Who is told something is never alone with it: the units of one organisation sit in one building,
and what the public was told everybody knows. So counts are compared, for each circle of recipients
that will know them, with everything that this circle knows.
"""

from __future__ import annotations

import datetime as dt
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.core.duck import scratch_folder
from pipelines.core.files import place
from pipelines.core.settings import Settings
from pipelines.ledger.chain import Entry, entries
from pipelines.release.request import Request
from schemas.agreement import Form
from schemas.organisation import is_public, lineage
from schemas.sqltext import literal

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

FOLDER, PREVIEW = "cells", "preview-"
ASKED = b"passerelle.asked"
RECORD = "record"


@dataclass(frozen=True)
class PastDisclosure:
    """What a recipient was told: an extract, or a look at one; `asked` is as `asked_for`.

    `kept` has `cells.CELLS_SCHEMA`, or of records one column, `record`.
    """

    name: str
    recipient: str
    on: dt.date
    kept: pa.Table = field(repr=False, compare=False)

    @property
    def form(self) -> Form:
        """Counts, or records."""
        return "records" if RECORD in self.kept.column_names else "counts"

    @property
    def is_preview(self) -> bool:
        """Was it only looked at?"""
        return self.name.startswith(PREVIEW)

    @property
    def asked(self) -> dict[str, Any]:
        """What was asked for; empty for a record of before this was written down."""
        said = (self.kept.schema.metadata or {}).get(ASKED)
        return dict(json.loads(said)) if said else {}


def asked_for(request: Request) -> dict[str, Any]:
    """A request without the day, the form and the language of the file."""
    lists = {
        name: sorted(getattr(request, name))
        for name in ("dimensions", "measures", "areas", "offences")
    }
    days = {name: day.isoformat() if day else "" for name, day in _days(request)}
    return {"table": request.table, "purpose": request.purpose, **lists, **days}


def _days(request: Request) -> tuple[tuple[str, dt.date | None], ...]:
    return ("since", request.since), ("until", request.until)


def records_of(connection: duckdb.DuckDBPyConnection, holdings: Path) -> pa.Table:
    """The private record of an extract of records; `holdings` is its list of them.

    By the numbers that counts have of them, too (`counts.py`).
    """
    return connection.execute(
        f"SELECT DISTINCT {number_of_record()} AS {RECORD} "
        f"FROM read_parquet({literal(str(holdings))}) ORDER BY 1"
    ).to_arrow_table()


def with_asked(kept: pa.Table, request: Request, providers: tuple[str, ...]) -> pa.Table:
    """The private record with what was asked and whose data it may hold, as it is kept."""
    said = {**asked_for(request), "providers": sorted(providers)}
    return kept.replace_schema_metadata({ASKED: json.dumps(said, sort_keys=True).encode()})


def cells_folder(settings: Settings, table: str, recipient: str) -> Path:
    """Where the private records of what a recipient was told of a table are."""
    return settings.release_records / FOLDER / table / recipient


def asked_of(settings: Settings, table: str, recipient: str, name: str) -> dict[str, Any]:
    """What was asked for of an extract that a recipient was given; empty where nobody knows."""
    import pyarrow.parquet as pq

    file = cells_folder(settings, table, recipient) / f"{name}.parquet"
    said = (pq.read_schema(file).metadata or {}).get(ASKED) if file.is_file() else None
    return dict(json.loads(said)) if said else {}


def disclosures_by_recipient(
    settings: Settings, request: Request
) -> list[dict[str, PastDisclosure]]:
    """What each circle of recipients that will know the counts was told, oldest first, by name.

    One circle, that of the recipient and all units of one tree, and the public: they know what is
    public too. For the public there are as many circles as there are trees that were told something
    of the table.
    """
    _complete(settings)
    told: dict[str, list[PastDisclosure]] = {}
    public: list[PastDisclosure] = []
    for folder in sorted((settings.release_records / FOLDER / request.table).glob("*")):
        if is_public(folder.name):
            public += _read(folder)
        elif is_public(request.recipient) or _tree(folder.name) == _tree(request.recipient):
            told.setdefault(_tree(folder.name), []).extend(_read(folder))
    known = [[*mine, *public] for mine in told.values()] or [public]
    return [
        {one.name: one for one in sorted(some, key=lambda one: (one.on, one.name))}
        for some in known
    ]


def _complete(settings: Settings) -> None:
    """Make the private record of records that left before there was one, from the list of them."""
    kept = {file.stem for file in (settings.release_records / FOLDER).glob("*/*/*.parquet")}
    for holdings in settings.release_records.glob("*.parquet"):
        if holdings.stem not in kept:
            said = entries(settings, events=["extract.made"], subject=holdings.stem, size=1).entries
            if said and said[0].details.get("form") == "records":
                _keep_since(settings, holdings, said[0])


def _keep_since(settings: Settings, holdings: Path, made: Entry) -> None:
    import duckdb
    import pyarrow.parquet as pq

    with duckdb.connect() as connection:
        records = records_of(connection, holdings)
    asked = json.dumps({"providers": sorted(made.details.get("providers", ()))})
    folder = cells_folder(settings, made.details["table"], made.details["recipient"])
    with scratch_folder(settings, "earlier") as scratch:
        draft = scratch / holdings.name
        pq.write_table(records.replace_schema_metadata({ASKED: asked.encode()}), draft)
        at = made.at.timestamp()
        os.utime(draft, (at, at))
        place(draft, folder / holdings.name)


def is_known_to(told: PastDisclosure, organisation: str) -> bool:
    """May an organisation be told that these left: its own tree's, or the public's?"""
    return is_public(told.recipient) or _tree(told.recipient) == _tree(organisation)


def _read(folder: Path) -> Iterator[PastDisclosure]:
    import pyarrow.parquet as pq

    for file in folder.glob("*.parquet"):
        on = dt.datetime.fromtimestamp(file.stat().st_mtime, dt.UTC).date()
        yield PastDisclosure(file.stem, folder.name, on, pq.read_table(file))


def _tree(recipient: str) -> str:
    """The organisation on top; of one that is listed no more, itself."""
    return (lineage(recipient) or (recipient,))[-1]


@contextmanager
def one_at_a_time(settings: Settings, request: Request) -> Iterator[None]:
    """Hold this from the comparison until the record is kept; records are compared with nothing."""
    if request.form != "counts":
        yield
        return
    from filelock import FileLock

    settings.release_records.mkdir(parents=True, exist_ok=True)
    with FileLock(settings.release_records / ".counts.lock"):
        yield


def number_of_record() -> str:
    """SQL of the stable 64-bit number by which a record is known in private records."""
    return "md5_number_lower(record_id)"
