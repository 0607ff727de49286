"""What every code list must be: whole in both languages, unambiguous to look up, true to its kin.

Not here: how a delivery's words are looked up (`harmonise`), and loaded gazetteers (integration).
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Iterator
from itertools import combinations
from zoneinfo import ZoneInfo

import duckdb
import pytest

from pipelines.core.duck import LOOKUP_KEY_MACRO
from pipelines.core.settings import settings_for
from pipelines.harmonise.geofence import cell_sql, geofence_cells
from schemas.codelist import CODELISTS_FOLDER, codelist_names, codelist_path, load_codelist

CELL_SQL = cell_sql("latitude_deg", "longitude_deg")

Row = dict[str, str]
LISTS = codelist_names()
BASE = ["code", "parent", "label_en", "label_fr", "valid_from", "valid_to", "aliases"]
PARTNERS = {"CAF", "COD", "SSD"}
DATED = re.compile(r"^(\d{4}-\d{2}-\d{2})?$")


@pytest.fixture(scope="module")
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as opened:
        opened.execute(LOOKUP_KEY_MACRO)
        yield opened


def words_of(row: Row) -> list[str]:
    aliases = row["aliases"].split("|") if row["aliases"] else []
    return [row["code"], row["label_en"], row["label_fr"], *aliases]


def keys_of(connection: duckdb.DuckDBPyConnection, rows: Iterable[Row]) -> list[list[str]]:
    """The look-up keys of each row: of its code, its two labels, then its aliases."""
    found = connection.execute(
        "SELECT list_transform(words, lambda word: lookup_key(word)) "
        "FROM (SELECT unnest(?::VARCHAR[][]) AS words)",
        [[words_of(row) for row in rows]],
    ).fetchall()
    return [keys for (keys,) in found]


def key_of(connection: duckdb.DuckDBPyConnection, word: str) -> str:
    return str(connection.execute("SELECT lookup_key(?)", [word]).fetchall()[0][0])


def do_meet(one: Row, other: Row) -> bool:
    """Were both valid on some day?"""
    return all(
        (a["valid_from"] or "0000") <= (b["valid_to"] or "9999")
        for a, b in ((one, other), (other, one))
    )


def ambiguous_keys(
    connection: duckdb.DuckDBPyConnection, rows: list[Row], scope: str = ""
) -> list[str]:
    """Keys that two codes share on some day, within a scope."""
    owners: dict[tuple[str, str], list[Row]] = {}
    for row, keys in zip(rows, keys_of(connection, rows), strict=True):
        for key in set(keys):
            owners.setdefault((row.get(scope, ""), key), []).append(row)
    return [
        f"{' '.join(place)}: {one['code']} and {other['code']}"
        for place, sharing in owners.items()
        for one, other in combinations(sharing, 2)
        if do_meet(one, other)
    ]


def valid_on(rows: list[Row], day: str) -> set[str]:
    return {
        row["code"]
        for row in rows
        if (row["valid_from"] or "0000") <= day <= (row["valid_to"] or "9999")
    }


@pytest.mark.parametrize("codelist", LISTS)
def test_each_row_is_whole_in_both_languages(codelist: str) -> None:
    rows = load_codelist(codelist)
    assert list(rows[0])[: len(BASE)] == BASE
    codes = [row["code"] for row in rows]
    assert len(set(codes)) == len(codes)
    for row in rows:
        assert row["label_en"], row
        assert row["label_fr"], row
        assert row["parent"] in {"", *codes} - {row["code"]}
        assert DATED.match(row["valid_from"]), row
        assert DATED.match(row["valid_to"]), row
        assert all(cell == cell.strip() for cell in row.values()), row


@pytest.mark.parametrize("codelist", LISTS)
def test_parents_lead_to_a_root(codelist: str) -> None:
    parents = {row["code"]: row["parent"] for row in load_codelist(codelist)}
    for code in parents:
        climbed = [code]
        while parent := parents[climbed[-1]]:
            assert parent not in climbed
            climbed.append(parent)


@pytest.mark.parametrize("codelist", LISTS)
def test_no_key_means_two_codes_on_one_day(
    codelist: str, connection: duckdb.DuckDBPyConnection
) -> None:
    scope = "country" if codelist == "admin_areas" else ""
    assert ambiguous_keys(connection, list(load_codelist(codelist)), scope) == []


def test_a_shared_key_is_found(connection: duckdb.DuckDBPyConnection) -> None:
    def row(code: str, alias: str, until: str = "") -> Row:
        blank = dict.fromkeys(BASE, "")
        labels = {"label_en": code, "label_fr": code}
        return blank | labels | {"code": code, "aliases": alias, "valid_to": until}

    def begun(code: str, alias: str, since: str) -> Row:
        return row(code, alias) | {"valid_from": since}

    assert ambiguous_keys(connection, [row("a", "Éx-wÿ"), row("b", "x|ex WY")])
    assert not ambiguous_keys(
        connection, [row("a", "ex", "2015-06-30"), begun("b", "ex", "2015-07-01")]
    )
    assert ambiguous_keys(
        connection, [row("a", "ex", "2015-07-01"), begun("b", "ex", "2015-07-01")]
    )


@pytest.mark.parametrize("codelist", LISTS)
def test_each_alias_adds_a_way_in(codelist: str, connection: duckdb.DuckDBPyConnection) -> None:
    rows = load_codelist(codelist)
    for row, keys in zip(rows, keys_of(connection, rows), strict=True):
        assert "" not in keys, row
        aliases, labels = keys[3:], set(keys[:3])
        assert len(set(aliases)) == len(aliases), row["aliases"]
        assert not labels & set(aliases), row["aliases"]


@pytest.mark.parametrize(
    ("codelist", "word", "code"),
    [
        ("offences", "Vol à main armée", "0401"),
        ("offences", "VMA", "0401"),
        ("offences", "coups et blessures volontaires", "02011"),
        ("offences", "CATTLE RAIDING", "04014"),
        ("offences", "coupeurs de route", "040129"),
        ("offences", "viol", "03011"),
        ("offences", "enlevement", "02022"),
        ("offences", "Viol sur mineure", "030113"),
        ("countries", "rdc", "COD"),
        ("countries", "Congo Brazzaville", "COG"),
        ("countries", "CF", "CAF"),
        ("document_issuers", "DEU", "D"),
        ("document_issuers", "Nations Unies", "UNO"),
        ("document_issuers", "sud soudanaise", "SSD"),
        ("sexes", "H", "male"),
        ("sexes", "F", "female"),
        ("directions", "Entrée", "entry"),
        ("units", "kgs", "kilogram"),
        ("units", "m³", "cubic_metre"),
        ("units", "m", "metre"),
        ("seizure_kinds", "kalachnikov", "firearms"),
        ("handling_levels", "TLP:AMBER", "CONFIDENTIAL"),
        ("cites_appendices", "Annexe II", "II"),
        ("border_points", "zongo", "CAF-COD-ZONGO"),
        ("perpetrator_kinds", "FACA", "army"),
    ],
)
def test_words_of_the_trade_are_understood(
    codelist: str, word: str, code: str, connection: duckdb.DuckDBPyConnection
) -> None:
    rows = load_codelist(codelist)
    wanted = key_of(connection, word)
    found = [
        row["code"]
        for row, keys in zip(rows, keys_of(connection, rows), strict=True)
        if wanted in keys
    ]
    assert found == [code]


@pytest.mark.parametrize("word", ["Congo", "Congolais", "Congolaise", "Congolese"])
def test_a_word_for_two_countries_is_in_no_list(
    word: str, connection: duckdb.DuckDBPyConnection
) -> None:
    wanted = key_of(connection, word)
    for codelist in ("countries", "document_issuers"):
        assert all(wanted not in keys for keys in keys_of(connection, load_codelist(codelist)))


def test_offences_are_the_iccs_tree() -> None:
    rows = load_codelist("offences")
    assert len(rows) == 320
    for row in rows:
        digits = {"1": 2, "2": 4, "3": 5, "4": 6}[row["level"]]
        assert re.fullmatch(rf"\d{{{digits}}}", row["code"])
        assert row["code"].startswith(row["parent"])
        assert (row["parent"] == "") == (row["level"] == "1")
    sexual = {row["code"] for row in rows if row["is_sexual"] == "true"}
    assert {code for code in sexual if not code.startswith("03")} == {"02041", "110133"}
    assert {row["code"] for row in rows if row["code"].startswith("03")} <= sexual


def test_first_level_areas_follow_the_reforms() -> None:
    rows = {
        country: [row for row in load_codelist("admin_areas") if row["country"] == country]
        for country in PARTNERS
    }
    counts = {
        (country, day): len(valid_on(rows[country], day))
        for country, day in (
            ("CAF", "2021-01-20"),
            ("CAF", "2021-01-21"),
            ("COD", "2015-06-30"),
            ("COD", "2015-07-01"),
            ("SSD", "2013-07-01"),
            ("SSD", "2026-01-01"),
        )
    }
    assert list(counts.values()) == [17, 20, 11, 26, 11, 13]


def test_areas_of_the_partners_have_a_zone_and_an_outline() -> None:
    rows = [row for row in load_codelist("admin_areas") if row["country"] in PARTNERS]
    lines = (CODELISTS_FOLDER / "admin1_outlines.csv").read_text(encoding="utf-8").splitlines()
    outlined = {line.split(",", 1)[0]: line for line in lines[1:]}
    assert {row["code"] for row in rows} == set(outlined)
    zones = {row["time_zone"] for row in rows}
    assert zones == {"Africa/Bangui", "Africa/Kinshasa", "Africa/Lubumbashi", "Africa/Juba"}
    by_code = {row["code"]: row for row in rows}
    for row in rows:
        assert ZoneInfo(row["time_zone"]).key == row["time_zone"]
        assert row["split_from"] in {"", *by_code}
        if row["split_from"]:
            assert by_code[row["split_from"]]["country"] == row["country"]
        assert outlined[row["code"]].count(",") <= 2 + 41  # vertices, the first one twice


def test_zones_agree_with_the_clock_in_south_sudan() -> None:
    zone = ZoneInfo("Africa/Juba")
    offsets = [dt.datetime(*day, tzinfo=zone).utcoffset() for day in ((2021, 1, 31), (2021, 2, 2))]
    assert offsets == [dt.timedelta(hours=3), dt.timedelta(hours=2)]


def test_iso_codes_of_areas_are_of_their_country() -> None:
    alpha_2 = {row["code"]: row["alpha_2"] for row in load_codelist("countries")}
    codes = [row["iso3166_2"] for row in load_codelist("admin_areas") if row["iso3166_2"]]
    assert len(set(codes)) == len(codes)
    for row in load_codelist("admin_areas"):
        assert row["country"] in alpha_2
        assert row["iso3166_2"].split("-")[0] in {"", alpha_2[row["country"]]}


def test_countries_are_all_of_iso_3166() -> None:
    rows = load_codelist("countries")
    assert len(rows) == 249
    assert {row["code"] for row in rows if row["is_partner"] == "true"} == PARTNERS
    issuers = {row["code"] for row in load_codelist("document_issuers")}
    assert {row["code"] for row in rows} - issuers == {"DEU"}
    assert {"D", "UNO", "UNA", "XXA", "XXB", "XXC", "XXX", "EUE", "XPO"} <= issuers


def test_border_points_lie_where_they_say(
    connection: duckdb.DuckDBPyConnection, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """A point lies in its two countries' outlines, which overlap at the border."""
    areas = {row["code"]: row["country"] for row in load_codelist("admin_areas")}
    for row in load_codelist("border_points"):
        first, second, _ = row["code"].split("-", 2)
        assert (first, second) == (row["country_a"], row["country_b"] or "AIR")
        assert areas.get(row["admin1_a"], row["country_a"]) == row["country_a"]
        assert areas.get(row["admin1_b"], row["country_b"]) == row["country_b"]
        assert bool(row["latitude_deg"]) == bool(row["longitude_deg"])
        assert row["evidence"]
    cells = geofence_cells(settings_for(tmp_path_factory.mktemp("home")))
    connection.register("cells", cells)
    misplaced = connection.execute(
        f"""
        WITH placed AS (
            SELECT code, unnest([country_a, country_b]) AS country,
                   unnest([admin1_a, admin1_b]) AS area, {CELL_SQL} AS cell
            FROM read_csv('{codelist_path("border_points")}')
            WHERE latitude_deg IS NOT NULL)
        SELECT code, area FROM placed
        WHERE country IN ('CAF', 'COD', 'SSD') AND area IS NOT NULL
          AND (cell, area) NOT IN (SELECT (cell, admin1_code) FROM cells)
        """
    ).fetchall()
    assert misplaced == []


def test_numbers_of_the_lists_make_sense() -> None:
    for row in load_codelist("units"):
        kind, factor = row["kind"], row["factor"]
        is_measure = kind in {"mass", "count", "volume", "length", "area"}
        assert is_measure == bool(factor), row
        assert not is_measure or float(factor) > 0
        assert is_measure or kind in {"", "package", "money"}
    kinds = {row["kind"] for row in load_codelist("units") if row["kind"]}
    for row in load_codelist("seizure_kinds"):
        assert set(row["unit_kinds"].split("|")) <= kinds, row
    for row in load_codelist("age_groups"):
        low, high = row["min_years"], row["max_years"]
        assert not (low and high) or int(low) < int(high)
    for codelist, column in (("location_precisions", "radius_km"), ("time_precisions", "span_h")):
        known = [float(row[column]) for row in load_codelist(codelist) if row[column]]
        assert known == sorted(known)
