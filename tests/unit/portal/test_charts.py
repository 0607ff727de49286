"""Drawings: in the page's own colours, small, safe, with words; nothing hidden is drawn as zero."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest

from pipelines.portal.charts import (
    Amount,
    Series,
    area_map,
    area_maps,
    bars,
    countries_with_map,
    lines,
)
from schemas.codelist import load_codelist

LARGEST_BYTES = 40_000
SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = '<script>alert("1")</script> & </svg>'
MONTHS = tuple(f"2025-{month:02d}" for month in range(1, 13))


def _bars(*amounts, language="en"):
    return bars(amounts, title="By kind", label="Kind", unit="Records", language=language)


def _lines(*months, language="en", name=""):
    return lines((Series(name, months),), title="By month", unit="Records", language=language)


def _map(*amounts, country="CAF", language="en"):
    return area_map(amounts, country=country, title="Map", unit="Records", language=language)


def _all(language):
    months = [Amount(one, i * 7.0) for i, one in enumerate(MONTHS)]
    months[3], months[5] = Amount.hidden(MONTHS[3]), Amount.silent(MONTHS[5])
    areas = [Amount(row["code"], 12_345) for row in load_codelist("admin_areas")]
    many = tuple(Series(f"Series {i}", tuple(months)) for i in range(8))
    return [
        _bars(*(Amount(f"A long name of a kind of thing, number {i}", i) for i in range(12))),
        _lines(*months, language=language),
        lines(many, title="Many", unit="Records", language=language),
        *area_maps(tuple(areas), title="Everywhere", unit="Records", language=language),
    ]


def _parsed(svg):
    return ElementTree.fromstring(svg)  # noqa: S314  (ours; that it can be read is the question)


def _texts(figure):
    return ["".join(one.itertext()) for one in _parsed(figure.svg).iter(f"{SVG}text")]


def _hatched(figure):
    return len(re.findall(r'fill="url\(#f[0-9a-f]+h\)"', figure.svg))


@pytest.mark.parametrize("language", ["en", "fr"])
def test_a_drawing_is_small_has_a_name_and_words_and_nothing_of_its_own(language):
    for figure in _all(language):
        root = _parsed(figure.svg)
        assert len(figure.svg.encode()) < LARGEST_BYTES, figure.title
        assert root.get("role") == "img"
        said = [root.find(f"{SVG}{part}") for part in ("title", "desc")]
        assert root.get("aria-labelledby").split() == [one.get("id") for one in said]
        assert all(one.text for one in said)
        assert figure.alt and figure.table.rows
        names = {one.tag.removeprefix(SVG) for one in root.iter()}
        assert names <= {"svg", "title", "desc", "defs", "pattern", "g", "path", "line", "text"}
        attributes = {name for one in root.iter() for name in one.attrib}
        assert not attributes & {"style", "font-family", "href"}
        assert not any(name.startswith("on") for name in attributes)


def test_colours_come_from_the_page():
    for figure in _all("en"):
        used = set(re.findall(r'(?:fill|stroke)="([^"]+)"', figure.svg))
        plain = {one for one in used if not one.startswith(("var(--", "url(#"))}
        assert plain <= {"none", "currentColor"}, figure.title


def test_two_drawings_of_one_page_do_not_share_an_id():
    ids = [one for figure in _all("en") for one in re.findall(r' id="([^"]+)"', figure.svg)]
    assert len(ids) == len(set(ids))


def test_words_of_the_data_stay_words():
    figure = _bars(Amount(HOSTILE, 3))
    assert "<script" not in figure.svg
    assert any("<script>" in text for text in _texts(figure))
    _parsed(
        lines(
            (Series(HOSTILE, (Amount("2025-01", 1),)),), title=HOSTILE, unit=HOSTILE, language="en"
        ).svg
    )


def test_a_hidden_number_is_hatched_and_said_never_drawn_as_zero():
    figure = _bars(Amount("Theft", 9), Amount.hidden("Murder"))
    assert _hatched(figure) == 1
    assert figure.table.rows == (("Theft", "9"), ("Murder", "hidden"))
    assert "hidden" in _texts(figure) and "0" not in _texts(figure)
    assert "not zero" in " ".join(figure.notes)
    assert "Murder" not in figure.alt


def test_a_hidden_bar_says_nothing_of_its_length():
    a, b = (_bars(Amount("Theft", 100), Amount.hidden("Murder")) for _ in range(2))
    assert a.svg == b.svg


def test_silence_is_a_gap_and_a_hidden_month_is_hatched():
    known = [Amount(one, 5.0) for one in MONTHS]
    whole = _lines(*known)
    known[4], known[7] = Amount.silent(MONTHS[4]), Amount.hidden(MONTHS[7])
    broken = _lines(*known)
    assert _hatched(whole) == 0 and _hatched(broken) == 1
    assert _moves(whole) == 1 and _moves(broken) == 3
    assert broken.table.rows[4] == ("May 2025", "no report")
    assert broken.table.rows[7] == ("Aug 2025", "hidden")


def _moves(figure):
    """In how many pieces the line is drawn."""
    [line] = re.findall(r'd="(M[^"]*)" stroke="var\(--chart', figure.svg)
    return line.count("M")


def test_a_true_zero_is_drawn_as_zero():
    figure = _lines(*(Amount(one, 0.0) for one in MONTHS))
    assert _moves(figure) == 1 and figure.notes == ()


def test_every_current_area_of_the_three_countries_has_its_own_place():
    for country in countries_with_map():
        current = [
            row
            for row in load_codelist("admin_areas")
            if row["country"] == country and row["level"] == "1" and not row["valid_to"]
        ]
        figure = _map(*(Amount(row["code"], 1) for row in current), country=country)
        assert len(figure.table.rows) == len(current)
        assert _texts(figure).count("1") == len(current)
        assert not any("once were" in note for note in figure.notes)


def test_tiles_do_not_lie_on_each_other():
    from pipelines.portal.charts.areas import COLUMNS, TILES_FILE
    from schemas.text import read_csv

    places = [(row["country"], row["column"], row["row"]) for row in read_csv(TILES_FILE)]
    assert len(places) == len(set(places))
    assert all(int(column) < COLUMNS for _country, column, _row in places)


def test_a_map_hides_what_is_hidden_and_counts_what_has_no_place():
    figure = _map(Amount("CF71", 40), Amount.hidden("CF12"), Amount("CF99", 3))
    assert _hatched(figure) == 1
    assert "Bangui 40" in figure.alt and "Lobaye" not in figure.alt
    assert any("3" in note and "once were" in note for note in figure.notes)
    assert any("no boundary" in note for note in figure.notes)


def test_a_map_for_each_country_that_has_something():
    found = area_maps(
        (Amount("CF71", 4), Amount("SS01", 2)), title="Records", unit="Records", language="fr"
    )
    assert [one.title for one in found] == [
        "Records – République centrafricaine",
        "Records – Soudan du Sud",
    ]


def test_numbers_and_months_are_written_as_the_language_does():
    french = _lines(Amount("2025-02", 12_345.0), language="fr")
    assert french.table.rows[0] == ("févr. 2025", "12\u202f345")
    assert _lines(Amount("2025-02", 12_345.0)).table.rows[0] == ("Feb 2025", "12,345")


@pytest.mark.parametrize("draw", [_bars, _lines, _map])
def test_nothing_to_draw_says_so(draw):
    figure = draw()
    _parsed(figure.svg)
    assert "no number" in figure.alt


def test_a_drawing_is_drawn_once():
    before = bars.cache_info().hits
    assert _bars(Amount("Once", 1)) is _bars(Amount("Once", 1))
    assert bars.cache_info().hits > before
