"""The readers of single values: what they understand, and that they refuse to guess.

Not here: columns and feeds (`test_compile.py`) and arbitrary text (`tests/property`).
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator
from typing import Any

import duckdb
import numpy as np
import pytest

from pipelines.core.duck import LOOKUP_KEY_MACRO, RECORD_KEY_MACROS
from pipelines.harmonise.macros import install_macros
from pipelines.harmonise.tokens import set_token_key

Read = Any


@pytest.fixture(scope="module")
def read() -> Iterator[Read]:
    with duckdb.connect() as connection:
        connection.execute(LOOKUP_KEY_MACRO + ";" + RECORD_KEY_MACROS)
        install_macros(connection)
        set_token_key(connection, b"k" * 32)

        def value(macro: str, words: str | None) -> Any:
            row = connection.execute(f"SELECT {macro}(?::VARCHAR)", [words]).fetchone()
            assert row
            return row[0]

        value.connection = connection  # type: ignore[attr-defined]
        yield value


@pytest.mark.parametrize(
    ("words", "expected"),
    [("12", 12), ("-3", -3), ("+4", 4), ("007", 7), ("12.", 12), ("12.0", 12), ("12.00", 12)]
    + [(words, None) for words in ("12.7", "1e3", "12 ", "", "nan", "1,2", "٣", None)]
    # The point of 1.000 may part thousands: 1 would be wrong by as many.
    + [(words, None) for words in ("1.000", "12.000", "1.00000")],
)
def test_whole_numbers_are_never_rounded(read: Read, words: str | None, expected: int) -> None:
    assert read("read_whole", words) == expected


@pytest.mark.parametrize(
    ("words", "expected"),
    [("3.5", 3.5), ("-.5", -0.5), ("4", 4.0)]
    + [(words, None) for words in ("1e5", "inf", "NaN", "3,5", "3.5.1", "", None)],
)
def test_numbers_are_plain_decimals(read: Read, words: str | None, expected: float) -> None:
    assert read("read_number", words) == expected


@pytest.mark.parametrize(
    ("words", "expected"),
    [("Oui", True), ("YES", True), ("non", False), ("0", False), ("peut-être", None), (None, None)],
)
def test_truth_in_both_languages(read: Read, words: str | None, expected: bool | None) -> None:
    assert read("read_truth", words) is expected


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("4°21'36\"N", 4.36),
        ("N 04 21 36", 4.36),
        ("04°21.6' N", 4.36),
        ("18°33′12″O", -18.553333),
        ("5d 30m 0 S", -5.5),
        ("4.5 N", 4.5),
        ("4°61'N", None),
        ("4°21'60\"N", None),
        ("quatre degrés", None),
        ("S 4d 21m 36s", -4.36),
        ("N 4d21m36s", 4.36),
        ("31°35.17'", 31.586167),
        ("-4°21'36\"", -4.36),
        ("4.5°51'N", None),  # decimals before the last part
        ("4°51.6'36\"N", None),
        ("N4°51'S", None),  # two hemispheres
        ("-4°51'S", None),  # a sign beside a letter
        ("-4 51 36 S", None),
        ("N-4.5", None),
        ("4d21m36s", None),  # the south, or seconds
        (None, None),
    ],
)
def test_angles(read: Read, words: str | None, expected: float | None) -> None:
    assert read("read_dms", words) == (None if expected is None else pytest.approx(expected))


@pytest.mark.parametrize(
    ("macro", "words"),
    [
        ("read_position_decimal", "4.36, 18.5533"),
        ("read_position_dms", "4°21'36\"N 18°33'12\"E"),
        ("read_position_dms", "N4°21'36\", E18°33'12\""),
    ],
)
def test_positions_in_one_text(read: Read, macro: str, words: str) -> None:
    position = read(macro, words)
    assert position["latitude_deg"] == pytest.approx(4.36, abs=1e-4)
    assert position["longitude_deg"] == pytest.approx(18.5533, abs=1e-4)


@pytest.mark.parametrize("macro", ["decimal", "dms", "utm", "mgrs"])
def test_a_position_that_is_none_is_null(read: Read, macro: str) -> None:
    for words in ("", "au marché", "35X", "61N 500000 500000", "35NII1234", "33N 5 5", None):
        assert read(f"read_position_{macro}", words) is None


@pytest.mark.parametrize("zone", [33, 34, 35, 36])
@pytest.mark.parametrize("is_south", [False, True])
def test_utm_agrees_with_proj_to_a_millimetre(read: Read, zone: int, is_south: bool) -> None:
    from pyproj import Transformer

    rng = np.random.default_rng(zone)
    easting_m = rng.uniform(166_000, 834_000, 500)
    northing_m = rng.uniform(8.5e6, 1e7, 500) if is_south else rng.uniform(0, 1.4e6, 500)
    to_degrees = Transformer.from_crs((32700 if is_south else 32600) + zone, 4326, always_xy=True)
    longitude, latitude = to_degrees.transform(easting_m, northing_m)
    found = read.connection.execute(
        "SELECT read_position_utm(?::VARCHAR || e || ' ' || n) "
        "FROM (SELECT unnest(?)::VARCHAR AS e, unnest(?)::VARCHAR AS n)",
        [f"{zone}{'S' if is_south else 'N'} ", easting_m.tolist(), northing_m.tolist()],
    ).fetchall()
    assert [p["latitude_deg"] for (p,) in found] == pytest.approx(latitude.tolist(), abs=1e-8)
    assert [p["longitude_deg"] for (p,) in found] == pytest.approx(longitude.tolist(), abs=1e-8)


def test_mgrs_agrees_with_the_reference_library_over_the_whole_grid(read: Read) -> None:
    mgrs = pytest.importorskip("mgrs").MGRS()
    rng = np.random.default_rng(7)
    latitude, longitude = rng.uniform(-79, 83, 2000), rng.uniform(-180, 180, 2000)
    references = [mgrs.toMGRS(a, o) for a, o in zip(latitude, longitude, strict=True)]
    for digits, radius_m in ((5, 1.5), (4, 7.2), (3, 71), (2, 710)):
        short = [r[:-10] + r[-10:-5][:digits] + r[-5:][:digits] for r in references]
        found = read.connection.execute(
            "SELECT read_position_mgrs(r) FROM (SELECT unnest(?) AS r)", [short]
        ).fetchall()
        north_m = (np.array([p["latitude_deg"] for (p,) in found]) - latitude) * 111_300
        east_deg = np.array([p["longitude_deg"] for (p,) in found]) - longitude
        east_m = east_deg * 111_300 * np.cos(np.radians(latitude))
        assert np.hypot(north_m, east_m).max() < radius_m


def test_tokens_are_hmac_sha256_of_the_key_whatever_the_spelling(read: Read) -> None:
    expected = hmac.new(b"k" * 32, b"document:CODE123", hashlib.sha256).hexdigest()[:32]
    for words in ("COD É-123", "cod:e 123"):
        found = read.connection.execute("SELECT keyed_token('document', ?)", [words]).fetchone()
        assert found == (expected,)
    assert read.connection.execute("SELECT keyed_token('plate', NULL)").fetchone() == (None,)
    other = read.connection.execute("SELECT keyed_token('plate', 'CODE123')").fetchone()
    assert other != (expected,)


@pytest.mark.parametrize(
    "words",
    [
        *("???", "/", "—", "--", "inconnu", "PAS DE PIECE", "illisible", "0", "00-00", "٠٠", None),
        *("1,23457E+15", "1.23457e+15", "1E+15"),
    ],
)
def test_what_identifies_nobody_is_no_number(read: Read, words: str | None) -> None:
    assert read("read_identifier", words) is None


@pytest.mark.parametrize(
    "words", ["O-0123", "1 234 567", "RCA٣٤", "12E5", "AB+7", "ZZ0000000", "3.5E-14"]
)
def test_a_number_is_kept_as_written(read: Read, words: str) -> None:
    assert read("read_identifier", words) == words


@pytest.mark.parametrize("words", ["Préfecture  de l'OUHAM ", "prefecture de l ouham"])
def test_look_up_keys_forget_case_accents_and_punctuation(read: Read, words: str) -> None:
    assert read("lookup_key", words) == "prefecture de l ouham"
