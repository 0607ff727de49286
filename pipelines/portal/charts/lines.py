"""Counts month by month, or week by week: a small panel a series, over the same months.

Whether a month was covered is decided by the caller, who says which months are silent.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import count
from typing import TYPE_CHECKING, Any

from pipelines.core.i18n import Translator, day_words, translator
from pipelines.portal.charts.bars import notes
from pipelines.portal.charts.figure import (
    COLOUR,
    FONT_SIZE,
    HATCH,
    INK,
    KEPT_DRAWINGS,
    SMALL,
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

PANEL = 84
ONE_PANEL = 150
LEFT, RIGHT = 34, 12  # room for the numbers of the axis and for half a month's name
LARGEST_TICK_COUNT = 4
MONTH_LETTERS = len("2026-03")
WORDS_OF_MONTHS = 4  # how many fit under a drawing on a telephone


@dataclass(frozen=True)
class Series:
    """One line: an amount a month, in order; the label of each is its month, `2026-03`.

    Of a line by weeks, the label is the Monday, `2026-03-02`.
    """

    name: str
    months: tuple[Amount, ...]


@lru_cache(maxsize=KEPT_DRAWINGS)
def lines(
    series: tuple[Series, ...], *, title: str, unit: str, language: Language, alt: str = ""
) -> Figure:
    """A figure of some series over the months of the first; all have the same months."""
    _ = translator(language)
    words = alt or _sentence(series, unit, _, language)
    months = tuple(m.label for m in series[0].months) if series else ()
    everything = tuple(amount for one in series for amount in one.months)
    return Figure(
        title=title,
        svg=draw(_panels(series, months, language), title, words),
        alt=words,
        table=FigureTable(
            (_heading(months, _), *(one.name or unit for one in series)),
            tuple(
                (month_name(month, language), *(s.months[i].words(_, language) for s in series))
                for i, month in enumerate(months)
            ),
        ),
        notes=notes(everything, _),
    )


def _heading(months: Sequence[str], _: Translator) -> str:
    is_weekly = bool(months) and len(months[0]) > MONTH_LETTERS
    return _("Week from") if is_weekly else _("Month")


def month_name(month: str, language: Language) -> str:
    """`2026-03` as people write it: Mar 2026, mars 2026; of a day, 2 Mar 2026."""
    from babel.dates import format_date

    if len(month) > MONTH_LETTERS:
        return day_words(dt.date.fromisoformat(month), language, "d MMM y")
    return str(format_date(dt.date.fromisoformat(f"{month}-01"), "MMM y", locale=language))


def _tick(month: str, language: Language) -> str:
    """The same where there is little room: a day without its year."""
    if len(month) > MONTH_LETTERS:
        return day_words(dt.date.fromisoformat(month), language, "d MMM")
    return month_name(month, language)


def _sentence(series: tuple[Series, ...], unit: str, _: Translator, language: Language) -> str:
    said = []
    for one in series:
        counted = [a for a in one.months if a.value is not None]
        if not counted:
            continue
        most = max(counted, key=lambda a: a.value or 0)
        said.append(
            _(
                "{name}: from {first} to {last}; the most, {number}, in {month}.",
                name=one.name or unit,
                first=month_name(one.months[0].label, language),
                last=month_name(one.months[-1].label, language),
                number=written(most.value or 0, language),
                month=month_name(most.label, language),
            )
        )
    return " ".join(said) or _("{unit}: no number to show.", unit=unit)


def _panels(
    series: tuple[Series, ...], months: Sequence[str], language: Language
) -> alt.VConcatChart:
    import altair as alt

    last = len(series) - 1
    return alt.vconcat(
        *(
            _panel(one, months, language, is_last=place == last, is_only=last == 0)
            for place, one in enumerate(series)
        )
    )


def _panel(
    one: Series, months: Sequence[str], language: Language, *, is_last: bool, is_only: bool
) -> alt.LayerChart | alt.FacetChart:
    import altair as alt

    most = max((a.value or 0 for a in one.months), default=0)
    top = max(1.0, most)
    rows = [
        {
            "at": i,
            "value": a.value,
            "whole": a.value if a.state == "counted" else None,
            "state": a.state,
            "top": top,
            "left": i - 0.5,
            "right": i + 0.5,
        }
        for i, a in enumerate(one.months)
    ]
    across: dict[str, Any] = {
        "axis": _month_axis(months, language) if is_last else None,
        "scale": alt.Scale(domain=[-0.5, max(len(months) - 0.5, 0.5)], nice=False),
    }
    base = chart_of(rows)
    line = base.mark_line(stroke=COLOUR, strokeWidth=2, invalid="break-paths-show-domains").encode(
        x=alt.X("at:Q", title=None, **across), y=_up("whole:Q", top, language)
    )
    dots = (
        base.transform_filter("isValid(datum.value)")
        .mark_point(filled=True, size=26, opacity=1, stroke=COLOUR, strokeWidth=1.5)
        .encode(x=alt.X("at:Q", **across), y=_up("value:Q", top, language), fill=_dot())
    )
    hidden = (
        base.transform_filter("datum.state == 'hidden'")
        .mark_rect(fill=HATCH)
        .encode(x=alt.X("left:Q", **across), x2="right:Q", y=alt.Y("top:Q"), y2=alt.datum(0))
    )
    name = chart_of([{"name": one.name}]).mark_text(
        align="left", baseline="bottom", fontSize=FONT_SIZE, fill=INK, dy=-3
    )
    layers = [hidden, line, dots]
    if one.name:
        layers.append(name.encode(x=alt.value(0), y=alt.value(0), text="name:N"))
    height = ONE_PANEL if is_only else PANEL
    return alt.layer(*layers).properties(width=WIDTH - LEFT - RIGHT, height=height)


def _up(field: str, top: float, language: Language) -> alt.Y:
    import altair as alt

    scale = alt.Scale(domain=[0, top * 1.12], nice=False)
    return alt.Y(field, title=None, scale=scale, axis=_count_axis(top, language))


def _dot() -> alt.Fill:
    """Full where the month is whole, hollow where it is not."""
    import altair as alt

    scale = alt.Scale(domain=["counted", "partial"], range=[COLOUR, "var(--sheet, transparent)"])
    return alt.Fill("state:N", scale=scale, legend=None)


def _count_axis(top: float, language: Language) -> alt.Axis:
    import altair as alt

    step = next(s for s in _round_steps() if top / s <= LARGEST_TICK_COUNT)
    values = [step * i for i in range(int(top / step) + 1)]
    names = {str(value): written(value, language) for value in values}
    return alt.Axis(
        values=values,
        labelExpr=f"{json.dumps(names)}[toString(datum.value)] || ''",
        ticks=False,
        domain=False,
        grid=True,
        gridColor=INK,
        gridOpacity=0.18,
        minExtent=LEFT,
        maxExtent=LEFT,
        title=None,
    )


def _round_steps() -> Iterator[int]:
    """1, 2, 5, 10, 20, 50 …"""
    return (digit * 10**power for power in count() for digit in (1, 2, 5))


def _month_axis(months: Sequence[str], language: Language) -> alt.Axis:
    import altair as alt

    step = max(1, -(-len(months) // WORDS_OF_MONTHS))
    shown = list(range(0, len(months), step))
    names = {str(i): _tick(months[i], language) for i in shown}
    return alt.Axis(
        values=shown,
        labelExpr=f"{json.dumps(names, ensure_ascii=False)}[toString(datum.value)] || ''",
        labelFontSize=SMALL,
        labelFlush=False,
        labelOverlap=False,
        ticks=True,
        tickColor=INK,
        domainColor=INK,
        domainOpacity=0.5,
        grid=False,
        title=None,
    )
