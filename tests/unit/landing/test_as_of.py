"""As of which day a file speaks: where its feed says, else its latest plausible date."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import duckdb
import pytest
from pydantic import ValidationError

from pipelines.landing.as_of import as_of_of_file, as_of_of_name, latest_plausible
from schemas.feed import AsOf, Feed, load_feed

RECEIVED = dt.datetime(2026, 11, 20, 9, tzinfo=dt.UTC)
DAYS = ("occurred_on", "reported_on")


def feed(**as_of: Any) -> Feed:
    declared = load_feed("caf_gendarmerie_incidents")
    return declared.model_copy(update={"as_of": AsOf(**as_of) if as_of else None})


@pytest.mark.parametrize(
    ("pattern", "form", "name", "day"),
    [
        (r"([^\W\d_]+)_(\d{4})", "%B %Y", "registre_mai-septembre_2026.csv", (2026, 9, 30)),
        (r"([^\W\d_]+)_(\d{4})", "%B %Y", "registre_FÉVRIER_2028.csv", (2028, 2, 29)),
        (r"([^\W\d_]+)_(\d{4})", "%B %Y", "registre_fevrier_2027.csv", (2027, 2, 28)),
        (r"([^\W\d_]+)_(\d{4})", "%B %Y", "register_October_2026.csv", (2026, 10, 31)),
        (r"(\d{8})", "%Y%m%d", "x_20260501_20261031.csv", (2026, 10, 31)),
        (r"_(\d{4})\.", "%Y", "register_2025.csv", (2025, 12, 31)),
        (r"(\d{8})", "%Y%m%d", "x_20261399.csv", None),
        (r"(\d{8})", "%Y%m%d", "without a day.csv", None),
    ],
)
def test_the_name_of_a_file_says_the_last_day_of_what_it_names(pattern, form, name, day):
    found = as_of_of_name(feed(name=pattern, formats=[form]), name)
    assert found == (dt.date(*day) if day else None)


def dated(folder: Path, dates: list[dt.date], column: str = "occurred_on") -> Path:
    """Accepted rows with these dates."""
    place = folder / "accepted.parquet"
    with duckdb.connect() as connection:
        connection.execute(f"CREATE TABLE dates (source_row BIGINT, {column} DATE)")
        connection.executemany(
            "INSERT INTO dates VALUES (?, ?)", list(enumerate(dates)) or [[0, None]]
        )
        connection.execute(f"COPY dates TO '{place}' (FORMAT parquet)")
    return place


SEPTEMBER = [dt.date(2026, 9, 1) + dt.timedelta(days=n) for n in range(30)]


@pytest.mark.parametrize(
    ("dates", "day"),
    [
        (SEPTEMBER, (2026, 9, 30)),
        ([*SEPTEMBER, dt.date(2027, 1, 5)], (2026, 9, 30)),  # after the receipt
        ([*SEPTEMBER, dt.date(2026, 11, 15)], (2026, 9, 30)),  # alone, a month and more later
        ([*SEPTEMBER, dt.date(2026, 11, 15), dt.date(2026, 11, 15)], (2026, 11, 15)),
        ([*SEPTEMBER, dt.date(2026, 10, 20)], (2026, 10, 20)),
        ([*SEPTEMBER, dt.date(2026, 10, 31)], (2026, 10, 31)),  # 31 days: no more than a month
        ([*SEPTEMBER, dt.date(2026, 11, 1)], (2026, 9, 30)),
        ([*SEPTEMBER[:19], dt.date(2026, 11, 15)], (2026, 9, 19)),  # twenty dates can tell
        ([*SEPTEMBER[:18], dt.date(2026, 11, 15)], (2026, 11, 15)),  # nineteen cannot
        ([dt.date(2026, 3, 1), dt.date(2026, 9, 30)], (2026, 9, 30)),  # too few to tell
        ([], None),
    ],
)
def test_a_single_date_far_beyond_the_others_or_the_receipt_is_not_believed(tmp_path, dates, day):
    with duckdb.connect() as connection:
        found = latest_plausible(connection, dated(tmp_path, dates), RECEIVED.date(), DAYS)
    assert found == (dt.date(*day) if day else None)


def found_in(
    tmp_path: Path,
    declared: Feed,
    file: Path,
    texts: list[str] = (),
    day: str = "occurred_on",
) -> tuple:
    layout = SimpleNamespace(format=file.suffix[1:], sheets=".*")
    rows = SimpleNamespace(layout=layout, encoding="cp1252")
    with duckdb.connect() as connection:
        connection.execute('CREATE TABLE text_rows (source_row BIGINT, "Extrait le" VARCHAR)')
        connection.executemany(
            "INSERT INTO text_rows VALUES (1, ?)", [[t] for t in texts] or [[None]]
        )
        found = as_of_of_file(
            connection,
            declared,
            file,
            rows,
            accepted=dated(tmp_path, SEPTEMBER, day),
            received_at=RECEIVED,
        )
    return found.day, found.told_by


def test_a_title_above_the_table_says_it_in_text_and_in_a_workbook(tmp_path):
    import xlsxwriter

    declared = feed(title=r"[Aa]rrêté au (\d+ \w+ \d{4})", formats=["%d %B %Y"])
    text = tmp_path / "r.csv"
    text.write_bytes("Registre arrêté au 31 août 2026\r\nN° PV;Date\r\n".encode("cp1252"))
    assert found_in(tmp_path, declared, text) == (dt.date(2026, 8, 31), "title")
    book = tmp_path / "r.xlsx"
    with xlsxwriter.Workbook(str(book)) as workbook:
        workbook.add_worksheet().write_row(1, 0, ["Registre", "Arrêté au 3 octobre 2026"])
    assert found_in(tmp_path, declared, book) == (dt.date(2026, 10, 3), "title")


def test_a_column_says_it_and_what_cannot_be_read_says_nothing(tmp_path):
    declared = feed(column="Extrait le", formats=["%d/%m/%Y"])
    file = tmp_path / "r.csv"
    file.touch()
    told = found_in(tmp_path, declared, file, ["04/10/2026", "05/10/2026", "bientôt"])
    assert told == (dt.date(2026, 10, 5), "column")
    assert "Extrait le" in declared.mapped_columns
    assert found_in(tmp_path, declared, file, ["bientôt"]) == (dt.date(2026, 9, 30), "rows")


def test_rows_of_a_table_that_tells_no_time_of_day_say_it(tmp_path):
    declared = load_feed("dpo_police_deployments").model_copy(update={"as_of": None})
    file = tmp_path / "r.csv"
    file.touch()
    found = found_in(tmp_path, declared, file, day="reporting_month")
    assert found == (dt.date(2026, 9, 30), "rows")


def test_it_is_never_after_the_receipt(tmp_path):
    declared = feed(name=r"(\d{8})", formats=["%Y%m%d"])
    file = tmp_path / "r_20271231.csv"
    file.touch()
    assert found_in(tmp_path, declared, file) == (RECEIVED.date(), "name")


@pytest.mark.parametrize(
    "wrong",
    [
        {"formats": ["%Y"]},
        {"name": "(x)", "title": "(y)", "formats": ["%Y"]},
        {"name": "no group", "formats": ["%Y"]},
        {"name": "(", "formats": ["%Y"]},
        {"name": "(x)", "formats": ["%d/%m"]},
    ],
)
def test_a_declaration_that_cannot_be_used_is_refused(wrong):
    with pytest.raises(ValidationError):
        AsOf(**wrong)
