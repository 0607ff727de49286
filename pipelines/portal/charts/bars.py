"""Counts side by side: a bar under each label, the number at its end.

The order of the bars and how many there are is decided by the caller.
"""

from __future__ import annotations

from functools import lru_cache
from textwrap import wrap
from typing import TYPE_CHECKING, Any

from pipelines.core.i18n import Translator, translator
from pipelines.portal.charts.figure import (
    COLOUR,
    FONT_SIZE,
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
from schemas.text import Language

if TYPE_CHECKING:
    import altair as alt

LINE, THICK, GAP = 17, 12, 9  # of words, of the bar under them, and between two bars
ROOM_FOR_NUMBER = 62
LONGEST_LINE = 44
HIDDEN_BAR = 0.12  # a hidden number has a bar of the same length always


@lru_cache(maxsize=KEPT_DRAWINGS)
def bars(
    amounts: tuple[Amount, ...],
    *,
    title: str,
    label: str,
    unit: str,
    language: Language,
    alt: str = "",
) -> Figure:
    """A figure of some amounts, in their order; `label` and `unit` head the table's columns."""
    _ = translator(language)
    words = alt or _sentence(amounts, unit, _, language)
    return Figure(
        title=title,
        svg=draw(_chart(amounts, _, language), title, words),
        alt=words,
        table=FigureTable((label, unit), tuple((a.label, a.words(_, language)) for a in amounts)),
        notes=notes(amounts, _),
    )


def notes(amounts: tuple[Amount, ...], _: Translator) -> tuple[str, ...]:
    """What a reader must know about the amounts without a number."""
    said = []
    if any(a.state == "hidden" for a in amounts):
        said.append(_("Hatched: a small number that the agreement hides. It is not zero."))
    if any(a.state == "silent" for a in amounts):
        said.append(_("Blank: nothing was reported. That is not the same as zero."))
    if any(a.state == "partial" for a in amounts):
        said.append(_("Hollow: not yet complete."))
    if any(a.state == "untold" for a in amounts):
        said.append(_("Blank: there is none, or too few to be told."))
    return tuple(said)


def _sentence(amounts: tuple[Amount, ...], unit: str, _: Translator, language: Language) -> str:
    counted = sorted((a for a in amounts if a.value is not None), key=lambda a: -(a.value or 0))
    if not counted:
        return _("{unit}: no number to show.", unit=unit)
    most = ", ".join(f"{a.label} {written(a.value or 0, language)}" for a in counted[:3])
    return _("{unit}; the most: {most}.", unit=unit, most=most)


def _chart(
    amounts: tuple[Amount, ...], _: Translator, language: Language
) -> alt.LayerChart | alt.FacetChart:
    import altair as alt

    most = max((a.value or 0 for a in amounts), default=0) or 1
    rows, said, height = [], [], 0
    for a in amounts:
        for line in _lines(a.label):
            said.append({"line": line, "top": height})
            height += LINE
        rows.append(
            {
                "words": a.words(_, language),
                "end": most * HIDDEN_BAR if a.state == "hidden" else a.value or 0.0,
                "bar_top": height,
                "bar_bottom": height + THICK,
                "state": a.state,
            }
        )
        height += THICK + GAP
    across = alt.X(
        "end:Q",
        axis=None,
        scale=alt.Scale(domain=[0, most], range=[0, WIDTH - ROOM_FOR_NUMBER], nice=False),
    )
    down: dict[str, Any] = {
        "axis": None,
        "scale": alt.Scale(domain=[0, height], range=[0, height], nice=False),
    }
    base = chart_of(rows)
    fill = alt.Fill(
        "state:N",
        scale=alt.Scale(domain=["counted", "hidden"], range=[COLOUR, HATCH]),
        legend=None,
    )
    bar = base.mark_rect().encode(
        x=across, x2=alt.datum(0), y=alt.Y("bar_top:Q", **down), y2="bar_bottom:Q", fill=fill
    )
    name = (
        chart_of(said)
        .mark_text(align="left", baseline="top", fontSize=FONT_SIZE, fill=INK)
        .encode(x=alt.value(0), y=alt.Y("top:Q", **down), text="line:N")
    )
    number = base.mark_text(
        align="left", baseline="middle", dx=5, dy=-THICK / 2, fontSize=FONT_SIZE, fill=INK
    ).encode(x=across, y=alt.Y("bar_bottom:Q", **down), text="words:N")
    return alt.layer(bar, name, number).properties(width=WIDTH, height=height)


def _lines(label: str) -> list[str]:
    return wrap(label, LONGEST_LINE, max_lines=2, placeholder="…") or [""]
