"""Whatever the cells hold: no error, every row in one place, no value invented.

Not here: whether a reader understands what it should (`tests/unit/harmonise`).
"""

from __future__ import annotations

import csv
import datetime as dt
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipelines.core.duck import LOOKUP_KEY_MACRO, RECORD_KEY_MACROS
from pipelines.core.settings import settings_for
from pipelines.harmonise.macros import install_macros
from pipelines.harmonise.run import harmonise_file
from schemas.feed import load_feed

COLUMNS = {
    "source_record_id": "No",
    "country": "Pays",
    "admin1_code": "Province",
    "occurred_at": "Date",
    "occurred_until": "Fin",
    "reported_at": "Signalé",
    "offence_code": "Nature",
    "position": "Position",
    "victims_total": "Victimes",
    "victims_female": "Femmes",
    "victims_male": "Hommes",
    "killed_total": "Tués",
    "injured_total": "Blessés",
    "source_revision": "Version",
}
TEXT = st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\0"), max_size=30)
NASTY = st.sampled_from(
    [
        *("", "0", "-1", "999999999", "99999999999999999999", "1e309", "NaN", "9" * 400, "12,5"),
        *("01/01/0001", "31/12/9999 23:59", "29/02/2027", "01/01/294247", "1/1/1", "31/02/2026"),
        *("COD", "CAF", "Kinshasa", "Bangui", "Vol", "0101", "-4.3, 15.3", "96, 400", "0, 0"),
        *("1e300, 5", "=1+1", "'; DROP TABLE x; --", "%d", "\ufeff", "a\u00a0b", "É", "{}"),
    ]
)
CELL = TEXT | NASTY | st.integers(-5, 40).map(str)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder: Path = tmp_path_factory.mktemp("harmonising")
    words = {"en": "test", "fr": "test"}
    (folder / "any_incidents").mkdir()
    (folder / "any_incidents" / "feed.yaml").write_text(
        yaml.safe_dump(
            {
                **{"feed": "any_incidents", "version": "1.0.0", "table": "incidents"},
                **{"source": "cod_pnc", "status": "illustrative", "title": words},
                **{"language": "fr", "handling": "CONFIDENTIAL", "expected_every_days": 7},
                "file": {"format": "csv"},
                "dates": ["%d/%m/%Y %H:%M", "%d/%m/%Y"],
                "map": {target: {"from": column} for target, column in COLUMNS.items()},
            }
        )
    )
    return folder


@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.tuples(*[CELL] * len(COLUMNS)), min_size=1, max_size=40))
def test_every_row_ends_in_one_file_whatever_it_holds(home: Path, rows: list[Any]) -> None:
    anchor = ["1", "COD", "Kinshasa", "01/06/2026", "", "", "Vol", "", *[""] * 6]
    delivery = home / "delivery.csv"
    with delivery.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream, quoting=csv.QUOTE_ALL).writerows([COLUMNS.values(), anchor, *rows])
    done = harmonise_file(
        settings_for(home / "home"),
        load_feed(home / "any_incidents"),
        delivery,
        home / "out",
        delivery_id="any_incidents.0",
        received_at=dt.datetime(2026, 7, 1, tzinfo=dt.UTC),
    )
    parts = [str(path) for path in (done.accepted, done.quarantined, done.duplicates)]
    found = duckdb.sql(f"SELECT source_row FROM read_parquet({parts}, union_by_name=true)")
    placed = sorted(row for (row,) in found.fetchall())
    told = [n for n, row in enumerate([anchor, *rows], 2) if any(cell.strip() for cell in row)]
    # A row of spaces that only Unicode knows may count as blank; nothing else may be missing.
    assert placed == sorted(set(placed))
    assert done.rows_read == len(placed)
    assert {n for n in told if any(map(str.isalnum, "".join([anchor, *rows][n - 2])))} <= set(
        placed
    )
    assert set(placed) <= set(range(2, len(rows) + 3))
    fewest = duckdb.sql(f"SELECT min(len(reasons)) FROM read_parquet('{done.quarantined}')")
    assert fewest.fetchall()[0][0] != 0


@pytest.fixture(scope="module")
def readers() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    connection.execute(LOOKUP_KEY_MACRO + ";" + RECORD_KEY_MACROS)
    install_macros(connection)
    return connection


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(words=CELL)
def test_a_number_is_read_as_written_or_not_at_all(
    readers: duckdb.DuckDBPyConnection, words: str
) -> None:
    whole, number = readers.execute(
        "SELECT read_whole(?), read_number(?)", [words, words]
    ).fetchall()[0]
    if whole is not None:
        assert int(words.rstrip("0").rstrip(".") if "." in words else words) == whole
    if number is not None:
        assert float(words) == number


@settings(max_examples=120, deadline=None, suppress_health_check=list(HealthCheck))
@given(words=CELL)
def test_no_text_breaks_a_reader(readers: duckdb.DuckDBPyConnection, words: str) -> None:
    readers.execute(
        "SELECT read_truth(w), read_dms(w), read_position_decimal(w), read_position_dms(w), "
        "read_position_utm(w), read_position_mgrs(w), lookup_key(w) FROM (SELECT ?::VARCHAR AS w)",
        [words],
    ).fetchall()
