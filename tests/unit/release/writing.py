"""A small content with every type and every cell that a format could stumble over."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.release.package.formats.content import Content, Field
from pipelines.release.policy.marking import levels

MARKING = "CONFIDENTIEL (TLP:AMBER) – réservé à l’UNPOL"
TEXTS = [
    "=1+1",
    "+33",
    "-5 °C",
    "@here",
    "\tindented",
    "\rreturn",
    'say "so", twice',
    "two\r\nlines",
    "x < y & z > w",
    "_x0041_",
    "Bangui – né à Bria",
    "plain",
    "",
    None,
]
FIELDS = [
    Field("record_id", "VARCHAR", "Fiche", "Identifiant de la fiche", "#event+id"),
    Field("note", "VARCHAR", "Note", "Texte libre"),
    Field("latitude_deg", "DOUBLE", "Latitude", "Degrés", "#geo+lat", unit="degree"),
    Field("longitude_deg", "DOUBLE", "Longitude", "Degrés", "#geo+lon"),
    Field("occurred_at", "TIMESTAMP", "Survenu le", "UTC", "#date"),
    Field("expires_on", "DATE", "Expire le", "Jour"),
    Field("victims_total", "INTEGER", "Victimes", "Nombre", "#affected"),
    Field("is_sensitive", "BOOLEAN", "Sensible", "Vrai ou faux"),
    Field("flags", "VARCHAR[]", "Remarques", "Codes"),
]


def rows() -> pa.Table:
    """A row a text; the second has no coordinates, the third has nothing but its id."""
    size = len(TEXTS)
    bare = [None if at == 2 else at for at in range(size)]
    moment = dt.datetime(2026, 3, 1, 8, 30, 15)
    return pa.table(
        {
            "record_id": pa.array([f"caf_police:{at}" for at in range(size)]),
            "note": pa.array([None if at == 2 else text for at, text in enumerate(TEXTS)]),
            "latitude_deg": pa.array([None if at in (1, 2) else 4.25 + at for at in range(size)]),
            "longitude_deg": pa.array([None if at in (1, 2) else 18.5 for at in range(size)]),
            "occurred_at": pa.array([b if b is None else moment for b in bare], pa.timestamp("us")),
            "expires_on": pa.array([b if b is None else dt.date(2030, 1, 2) for b in bare]),
            "victims_total": pa.array([b if b is None else b - 3 for b in bare], pa.int32()),
            "is_sensitive": pa.array([b if b is None else b % 2 == 0 for b in bare]),
            "flags": pa.array([b if b is None else ["INC-401", "INC-402"] for b in bare]),
        }
    )


@contextmanager
def content(folder: Path, table: pa.Table | None = None, **changes: object) -> Iterator[Content]:
    """The content, in `folder`."""
    file = folder / "rows.parquet"
    table = rows() if table is None else table
    pq.write_table(table, file)
    with duckdb.connect(config={"threads": 2}) as connection:
        made = Content(
            connection=connection,
            rows=file,
            fields=FIELDS,
            row_count=table.num_rows,
            name="incidents",
            title="Incidents",
            marking=levels()["CONFIDENTIAL"],
            marking_line=MARKING,
            reference="0123456789ab",
            about=[("Pour qui", "UNPOL"), ("Lignes", "= deux\nlignes")],
            language="fr",
            point=("latitude_deg", "longitude_deg"),
        )
        yield replace(made, **changes)
