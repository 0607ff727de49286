"""A small delivery through its compiled query: values, codes, times, places, verdicts, routing.

Not here: single readers (`test_macros.py`), real feeds (`tests/contract`), the audit.
"""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml

from pipelines.core.settings import Settings, settings_for
from pipelines.harmonise import run
from pipelines.harmonise.run import HarmoniseResult, harmonise_file
from pipelines.landing.readers import staging
from schemas.feed import load_feed

RECEIVED_AT = dt.datetime(2026, 7, 1, 12, tzinfo=dt.UTC)
FEED = "cod_test_incidents"
HEADER = "No;Pays;Province;Date;Nature;Lat;Long;Victimes;Femmes;Hommes;Etat;Plaignant"
GOOD = "1;COD;Nord-Kivu;03/06/2026 14h05;Vol;-1,5;29,2;2;1;1;;PLAIGNANT 1"


def _declaration() -> dict[str, Any]:
    texts = {"en": "test", "fr": "test"}
    return {
        "feed": FEED,
        "version": "1.0.0",
        "table": "incidents",
        "source": "cod_pnc",
        "status": "illustrative",
        "title": texts,
        "language": "fr",
        "handling": "CONFIDENTIAL",
        "expected_every_days": 7,
        "file": {"format": "csv", "delimiter": ";"},
        "blank": ["-", "néant"],
        "decimal": ",",
        "dates": ["%d/%m/%Y %Hh%M", "%d/%m/%Y"],
        "map": {
            "source_record_id": {"from": "No"},
            "country": {"from": "Pays"},
            "admin1_code": {"from": "Province"},
            "occurred_at": {"from": "Date"},
            "offence_code": {"from": "Nature", "crosswalk": "offences"},
            "latitude_deg": {"from": "Lat"},
            "longitude_deg": {"from": "Long"},
            "victims_total": {"from": "Victimes"},
            "victims_female": {"from": "Femmes"},
            "victims_male": {"from": "Hommes"},
            "withdrawal": {"from": "Etat", "crosswalk": "withdrawal"},
        },
        "ignore": {"Plaignant": texts},
    }


class Bench:
    """A feed in a folder of its own, and a way to put rows through it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.settings: Settings = settings_for(folder / "home").prepare()
        self.declaration = _declaration()
        crosswalks = folder / FEED / "crosswalks"
        crosswalks.mkdir(parents=True)
        (crosswalks / "offences.csv").write_text("source_value,code\nVol,0502\nViol,030111\n")
        (crosswalks / "withdrawal.csv").write_text(
            "source_value,code\nAnnulé,true\nConfirmé,false\n", encoding="utf-8"
        )

    def run(self, *rows: str, header: str = HEADER) -> HarmoniseResult:
        (self.folder / FEED / "feed.yaml").write_text(yaml.safe_dump(self.declaration))
        delivery = self.folder / "delivery.csv"
        delivery.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
        return harmonise_file(
            self.settings,
            load_feed(self.folder / FEED),
            delivery,
            self.folder / "out",
            delivery_id=f"{FEED}.0",
            received_at=RECEIVED_AT,
        )


@pytest.fixture(params=["small", "large"])
def bench(tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Bench:
    """Each test twice: in one pass, and in the two passes of a delivery beyond memory."""
    if request.param == "large":
        monkeypatch.setattr(run, "ROWS_AT_ONCE", 0)
        monkeypatch.setattr(staging, "LARGE_BYTES", 0)
    return Bench(tmp_path)


def rows_of(path: Path) -> list[dict[str, Any]]:
    relation = duckdb.sql(f"SELECT * FROM read_parquet('{path}') ORDER BY source_row")
    return [dict(zip(relation.columns, row, strict=True)) for row in relation.fetchall()]


def test_a_good_row_is_read_in_full(bench: Bench) -> None:
    done = bench.run(GOOD)
    assert (done.rows_read, done.rows_accepted, done.rows_quarantined) == (1, 1, 0)
    (row,) = rows_of(done.accepted)
    assert row["record_id"] == "cod_pnc:1"
    assert row["admin1_code"] == "CD61"
    assert row["time_zone"] == "Africa/Lubumbashi"
    assert row["occurred_at"] == dt.datetime(2026, 6, 3, 12, 5)
    assert row["occurred_at_precision"] == "minute"
    assert row["occurred_at_text"] == "03/06/2026 14h05"
    assert row["offence_code"] == "0502"
    assert (row["latitude_deg"], row["longitude_deg"]) == (-1.5, 29.2)
    assert row["received_at"] == dt.datetime(2026, 7, 1, 12)
    assert row["source_row"] == 2
    assert (row["is_withdrawn"], row["reasons"]) == (False, [])


def test_two_provinces_of_one_file_keep_their_own_time(bench: Bench) -> None:
    done = bench.run(
        GOOD, GOOD.replace("1;COD;Nord-Kivu", "2;COD;Kinshasa").replace("-1,5;29,2", "-4,3;15,3")
    )
    assert [row["occurred_at"].hour for row in rows_of(done.accepted)] == [12, 13]


BAD = [
    (("1;COD", ";COD"), "INC-101"),
    (("COD", "-"), "INC-102"),
    (("03/06/2026 14h05", "néant"), "INC-103"),
    (("03/06/2026 14h05", "31/02/2026"), "INC-201"),
    (("-1,5", "-1.5"), "INC-205"),
    (("2;1;1", "deux;1;1"), "INC-210"),
    (("COD", "Atlantide"), "INC-302"),
    (("Nord-Kivu", "Bangui"), "INC-303"),
    (("Vol", "Xyzzy"), "INC-310"),
    (("-1,5", "-95"), "INC-402"),
    (("-1,5;29,2", "10,5;20,5"), "INC-405"),
    (("2;1;1", "2;2;1"), "INC-511"),
    ((";;PLAIGNANT", ";Perdu;PLAIGNANT"), "INC-308"),
]


def test_a_bad_cell_rejects_its_row_with_its_code(bench: Bench) -> None:
    bad = [re.sub("^1;", f"{n};", GOOD.replace(*change)) for n, (change, _) in enumerate(BAD, 2)]
    assert GOOD not in bad
    done = bench.run(GOOD, *bad)
    assert done.rows_accepted == 1
    for row, (change, code) in zip(rows_of(done.quarantined), BAD, strict=True):
        assert code in row["reasons"], change
        assert done.reason_counts[code] >= 1


def test_the_text_that_gave_no_value_is_kept_and_only_that(bench: Bench) -> None:
    done = bench.run(GOOD.replace("03/06/2026 14h05", "hier soir"))
    (row,) = rows_of(done.quarantined)
    assert row["occurred_at__unread"] == "hier soir"
    assert row["victims_total__unread"] is None


def test_names_of_people_are_in_no_file(bench: Bench) -> None:
    done = bench.run(GOOD, GOOD.replace("Vol", "Xyzzy").replace("1;COD", "2;COD"))
    for path in (done.accepted, done.quarantined):
        assert b"PLAIGNANT" not in path.read_bytes()


def test_sensitive_rows_lose_their_place(bench: Bench) -> None:
    done = bench.run(GOOD.replace("Vol", "Viol"))
    (row,) = rows_of(done.accepted)
    assert row["is_sensitive"] is True
    assert (row["latitude_deg"], row["longitude_deg"]) == (None, None)
    assert row["admin1_code"] == "CD61"
    assert row["handling"] == "STRICTLY_CONFIDENTIAL"


def test_a_withdrawal_is_a_tombstone(bench: Bench) -> None:
    (row,) = rows_of(bench.run(GOOD.replace(";;PLAIGNANT", ";Annulé;PLAIGNANT")).accepted)
    assert row["is_withdrawn"] is True


def test_the_same_row_twice_is_one_and_is_counted(bench: Bench) -> None:
    done = bench.run(GOOD, GOOD, GOOD)
    assert (done.rows_read, done.rows_accepted, done.rows_exact_duplicates) == (3, 1, 2)
    assert [tuple(row.values()) for row in rows_of(done.duplicates)] == [(3, 2), (4, 2)]


def test_rows_that_differ_in_an_ignored_name_only_are_two(bench: Bench) -> None:
    done = bench.run(GOOD, GOOD.replace("PLAIGNANT 1", "PLAIGNANT 2"))
    assert (done.rows_exact_duplicates, done.reason_counts) == (0, {"INC-601": 2})


def test_one_id_with_two_contents_rejects_both(bench: Bench) -> None:
    done = bench.run(GOOD, GOOD.replace("2;1;1", "1;1;0"))
    assert done.reason_counts == {"INC-601": 2}


def test_rows_without_an_id_are_not_taken_for_one_another(bench: Bench) -> None:
    nameless = GOOD.replace("1;COD", ";COD")
    done = bench.run(nameless, nameless.replace("2;1;1", "1;1;0"))
    assert done.reason_counts == {"INC-101": 2}


def test_a_number_of_two_columns_needs_both(bench: Bench) -> None:
    bench.declaration["map"]["source_record_id"] = {"from": ["Province", "No"], "join": "/"}
    nameless = GOOD.replace("1;COD", "-;COD")
    done = bench.run(GOOD, nameless, nameless.replace("2;1;1", "1;1;0"))
    assert [row["record_id"] for row in rows_of(done.accepted)] == ["cod_pnc:NORD-KIVU/1"]
    assert done.reason_counts == {"INC-101": 2}


def test_a_delivery_of_bad_rows_only_leaves_an_empty_accepted_file(bench: Bench) -> None:
    done = bench.run(GOOD.replace("Vol", "?"))
    assert (done.rows_accepted, rows_of(done.accepted)) == (0, [])
    good_columns = duckdb.sql(f"DESCRIBE SELECT * FROM read_parquet('{done.accepted}')").fetchall()
    bad_columns = duckdb.sql(
        f"DESCRIBE SELECT * FROM read_parquet('{done.quarantined}')"
    ).fetchall()
    assert good_columns == bad_columns


def test_a_target_that_the_contract_lacks_is_an_error_of_the_feed(bench: Bench) -> None:
    bench.declaration["map"]["colour"] = {"from": "No"}
    with pytest.raises(KeyError, match="colour"):
        bench.run(GOOD)


def test_a_pattern_that_does_not_fit_loses_nothing_in_silence(bench: Bench) -> None:
    bench.declaration["map"]["victims_total"]["pattern"] = "([0-9]+) pers"
    done = bench.run(
        GOOD.replace("2;1;1", "2 pers;1;1"),
        GOOD.replace("2;1;1", "deux;1;1").replace("1;COD", "2;COD"),
    )
    assert rows_of(done.accepted)[0]["victims_total"] == 2
    assert rows_of(done.quarantined)[0]["victims_total__unread"] == "deux"


def test_a_document_number_that_names_nobody_is_told_and_not_kept(tmp_path: Path) -> None:
    feed = load_feed("caf_border_crossings")
    header, row = feed.examples()[0].read_bytes().splitlines()[:2]
    numbers = ["???", "inconnu", "0000", "1,23457E+15", "", "ZZ0000584"]
    rows = [
        row.replace(b"26-00001", f"26-0000{n}".encode()).replace(b"ZZ0000584", number.encode())
        for n, number in enumerate(numbers)
    ]
    (tmp_path / "delivery.csv").write_bytes(b"\n".join([header, *rows]))
    done = harmonise_file(
        settings_for(tmp_path / "home").prepare(),
        feed,
        tmp_path / "delivery.csv",
        tmp_path / "out",
        delivery_id="caf_border_crossings.0",
        received_at=RECEIVED_AT,
    )
    assert (done.rows_read, done.rows_accepted, done.reason_counts) == (6, 2, {"BXC-214": 4})
    assert [r["document_token"] is None for r in rows_of(done.accepted)] == [True, False]
    rejected = rows_of(done.quarantined)
    assert {(r["document_token"], r["document_number__unread"]) for r in rejected} == {
        (None, "•••")
    }


def test_an_impossible_day_with_an_offset_is_not_moved_to_the_next_month(bench: Bench) -> None:
    # DuckDB 1.5.5 reads 30 February as 2 March when it is given a list of formats with %z.
    bench.declaration["map"]["occurred_at"]["formats"] = ["%d/%m/%Y %H:%M%z", "%d/%m/%Y"]
    good = GOOD.replace("03/06/2026 14h05", "03/06/2026 14:05+0200")
    bad = GOOD.replace("03/06/2026 14h05", "30/02/2026 14:05+0200").replace("1;COD", "2;COD")
    done = bench.run(good, bad)
    assert rows_of(done.accepted)[0]["occurred_at"] == dt.datetime(2026, 6, 3, 12, 5)
    assert done.reason_counts == {"INC-201": 1}


def test_one_number_spelled_in_several_ways_is_one_record(bench: Bench) -> None:
    row = GOOD.partition(";")[2]
    numbers = ["A/1", "A/1\u200e", "A/\u00ad1", "a/1", "A / 1", "Á/1", "Ａ/1"]
    done = bench.run(
        *(f"{number};{row.replace(';2;1;1', f';{n};;')}" for n, number in enumerate(numbers))
    )
    assert done.reason_counts == {"INC-601": len(numbers)}
    assert {found["record_id"] for found in rows_of(done.quarantined)} == {"cod_pnc:A/1"}


def test_a_number_that_excel_rounded_is_not_usable(bench: Bench) -> None:
    row = GOOD.partition(";")[2]
    found = bench.run(f"2.02607040000012E+17;{row}", f"2,02607E+17;{row}", f"A1;{row}")
    assert found.reason_counts == {"INC-220": 2}


@pytest.mark.parametrize(("first", "second"), [("12", "12.0"), ("012", "12")])
def test_parts_of_a_number_have_each_their_key(bench: Bench, first: str, second: str) -> None:
    bench.declaration["map"]["source_record_id"] = {"from": ["Pays", "No"], "join": "/"}
    row = GOOD.partition(";")[2]
    ids = [rows_of(bench.run(f"{n};{row}").accepted)[0]["record_id"] for n in (first, second)]
    assert ids[0] == f"cod_pnc:COD/{first}"
    assert (ids[0] == ids[1]) == (second == "12.0")


def test_numbers_are_read_with_the_spaces_of_spreadsheets(bench: Bench) -> None:
    bench.declaration["thousands"] = " "
    good = GOOD.partition(";")[2]
    found = bench.run(
        *(
            f"{n};{good.replace(';2;1;1;', f';1{space}234;{space}617;617{space};')}"
            for n, space in enumerate((" ", "\u00a0", "\u202f"))
        )
    )
    rows = rows_of(found.accepted)
    read = {(row["victims_total"], row["victims_female"], row["victims_male"]) for row in rows}
    assert (len(rows), read) == (3, {(1234, 617, 617)})


def test_a_space_parts_no_thousands_unless_the_feed_says_so(bench: Bench) -> None:
    found = bench.run(GOOD.replace(";2;1;1;", ";1\u202f234;;;"))
    assert found.reason_counts == {"INC-210": 1}


def test_what_programs_write_for_no_value_is_none(bench: Bench) -> None:
    bench.declaration["map"]["place_text"] = {"from": "Etat"}
    del bench.declaration["map"]["withdrawal"]
    good, words = GOOD.partition(";")[2], ["NaN", "nan", "NaT", "<NA>", "undefined", "Goma"]
    rows = [f"{n};{good.replace(';;PLAIGNANT', f';{word};X')}" for n, word in enumerate(words)]
    found = [row["place_text"] for row in rows_of(bench.run(*rows).accepted)]
    assert found == [None] * 5 + ["Goma"]
