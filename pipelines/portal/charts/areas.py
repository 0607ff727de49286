"""Counts by area of one country: a tile an area, in about its place, with its name and number.

No boundaries: the outlines of the code list are too coarse to draw, and would say where a
frontier runs; areas cut out of one another share them. A tile says which area and how many.
"""

from __future__ import annotations

from functools import cache, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.core.i18n import translator
from pipelines.portal.charts.bars import notes
from pipelines.portal.charts.figure import (
    COLOUR,
    HATCH,
    INK,
    KEPT_DRAWINGS,
    WIDTH,
    Amount,
    Figure,
    FigureTable,
    chart_of,
    draw,
    written,
)
from schemas.codelist import labels, load_codelist
from schemas.text import Language, read_csv

if TYPE_CHECKING:
    import altair as alt

TILES_FILE = Path(__file__).with_name("tiles.csv")
COLUMNS = 6
TILE_HEIGHT = 52
GAP = 3
NAME_SIZE, NAME_LINE, NUMBER_SIZE = 9.5, 11, 13
INSET = 3
HATCHED_HEIGHT = 18  # under the name, where the number would be
DARKEST, LIGHTEST = 0.5, 0.06  # letters on the darkest tile stay legible, in light and in dark


@cache
def _tiles(country: str) -> tuple[dict[str, str], ...]:
    return tuple(row for row in read_csv(TILES_FILE) if row["country"] == country)


@cache
def countries_with_map() -> tuple[str, ...]:
    """The countries whose areas have a place on a map, in the order of the file."""
    return tuple(dict.fromkeys(row["country"] for row in read_csv(TILES_FILE)))


def area_maps(
    amounts: tuple[Amount, ...], *, title: str, unit: str, language: Language
) -> tuple[Figure, ...]:
    """A map for each country that has an amount; the label of an amount is the area's code."""
    country_of = {row["code"]: row["country"] for row in load_codelist("admin_areas")}
    countries = labels("countries", language)
    present = {country_of.get(amount.label, "") for amount in amounts}
    return tuple(
        area_map(
            tuple(a for a in amounts if country_of.get(a.label) == country),
            country=country,
            title=f"{title} – {countries.get(country, country)}",
            unit=unit,
            language=language,
        )
        for country in countries_with_map()
        if country in present
    )


@lru_cache(maxsize=KEPT_DRAWINGS)
def area_map(
    amounts: tuple[Amount, ...],
    *,
    country: str,
    title: str,
    unit: str,
    language: Language,
    alt: str = "",
) -> Figure:
    """A figure of one country; areas without an amount are drawn empty, for their place."""
    _ = translator(language)
    names = labels("admin_areas", language)
    placed = {row["code"] for row in _tiles(country)}
    said = sorted(amounts, key=lambda a: (-(a.value or 0), names.get(a.label, a.label)))
    named = [(names.get(a.label, a.label), a) for a in said]
    most = ", ".join(f"{n} {written(a.value, language)}" for n, a in named[:3] if a.value)
    words = alt or (
        _("{unit} by area; the most: {most}.", unit=unit, most=most)
        if most
        else _("{unit}: no number to show.", unit=unit)
    )
    remarks = [_("Each tile stands in about the place of its area; it shows no boundary.")]
    elsewhere = sum(a.value or 0 for a in amounts if a.label not in placed)
    if elsewhere:
        count = written(elsewhere, language)
        remarks.append(_("Not on the map: {count} in areas as they once were.", count=count))
    return Figure(
        title=title,
        svg=draw(_chart(amounts, country, language), title, words),
        alt=words,
        table=FigureTable(
            (_("Area"), unit), tuple((name, a.words(_, language)) for name, a in named)
        ),
        notes=(*notes(amounts, _), *remarks),
    )


def _chart(
    amounts: tuple[Amount, ...], country: str, language: Language
) -> alt.LayerChart | alt.FacetChart:
    import altair as alt

    tiles = _tiles(country)
    width = WIDTH / COLUMNS
    rows = _rows(amounts, country, language)
    height = TILE_HEIGHT * (1 + max(int(tile["row"]) for tile in tiles))
    flat = {"axis": None, "title": None}
    across: dict[str, Any] = {
        **flat,
        "scale": alt.Scale(domain=[0, COLUMNS], range=[0, WIDTH], nice=False),
    }
    down: dict[str, Any] = {
        **flat,
        "scale": alt.Scale(domain=[0, height], range=[0, height], nice=False),
    }
    base = chart_of(rows)
    tile = base.mark_rect(
        fill=COLOUR, stroke=INK, strokeOpacity=0.35, cornerRadius=3, x2Offset=-GAP, y2Offset=-GAP
    ).encode(
        x=alt.X("left:Q", **across),
        x2="right:Q",
        y=alt.Y("top:Q", **down),
        y2="bottom:Q",
        fillOpacity=alt.FillOpacity("shade:Q", scale=None, legend=None),
    )
    hatched = (
        base.transform_filter("datum.state == 'hidden'")
        .mark_rect(fill=HATCH, cornerRadius=3, x2Offset=-GAP, y2Offset=-GAP)
        .encode(
            x=alt.X("left:Q", **across), x2="right:Q", y=alt.Y("hatch:Q", **down), y2="bottom:Q"
        )
    )
    name = chart_of(
        [
            {"left": row["left"], "y": row["top"] + 4 + i * NAME_LINE, "line": line}
            for row in rows
            for i, line in enumerate(str(row["name"]).split("|"))
        ]
    ).mark_text(align="left", baseline="top", fontSize=NAME_SIZE, dx=INSET, fill=INK)
    number = base.mark_text(
        align="left", baseline="bottom", fontSize=NUMBER_SIZE, fontWeight="bold", fill=INK, dx=INSET
    ).encode(x=alt.X("left:Q", **across), y=alt.Y("foot:Q", **down), text="number:N")
    words = name.encode(x=alt.X("left:Q", **across), y=alt.Y("y:Q", **down), text="line:N")
    return alt.layer(tile, hatched, words, number).properties(
        width=round(width * COLUMNS), height=height
    )


def _rows(amounts: tuple[Amount, ...], country: str, language: Language) -> list[dict[str, Any]]:
    by_code = {amount.label: amount for amount in amounts}
    most = max((amount.value or 0 for amount in amounts), default=0) or 1
    rows = []
    for tile in _tiles(country):
        amount = by_code.get(tile["code"])
        value = amount.value if amount else None
        left, top = int(tile["column"]), int(tile["row"]) * TILE_HEIGHT
        rows.append(
            {
                "name": tile[f"short_{language}"],
                "number": "" if value is None else written(value, language),
                "state": amount.state if amount else "absent",
                "shade": LIGHTEST + (DARKEST - LIGHTEST) * (value or 0) / most if value else 0.0,
                "left": left,
                "right": left + 1,
                "top": top,
                "hatch": top + TILE_HEIGHT - GAP - HATCHED_HEIGHT,
                "bottom": top + TILE_HEIGHT,
                "foot": top + TILE_HEIGHT - GAP - 3,
            }
        )
    return rows
