"""A figure: its drawing, its words for who cannot see it, and its numbers as a table."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any, Literal

from pipelines.core.i18n import Translator
from schemas.text import Language, number

if TYPE_CHECKING:
    import altair as alt

WIDTH = 340  # shown at most a little larger: letters stay legible on a screen of 320 px
FONT_SIZE = 13
SMALL = 11
INK = "currentColor"
COLOUR = "var(--chart, #1c6b8c)"
KEPT_DRAWINGS = 256  # some 10 KB each

State = Literal["counted", "partial", "hidden", "silent", "untold"]


@dataclass(frozen=True)
class Amount:
    """A count under its label: a number, hidden because it is small, or not reported at all.

    A partial one is not yet whole: drawn, but at the end of no line, which would look like a fall.
    """

    label: str
    value: float | None = None
    state: State = "counted"

    @classmethod
    def hidden(cls, label: str) -> Amount:
        """There is a number, and it may not be told."""
        return cls(label, None, "hidden")

    @classmethod
    def silent(cls, label: str) -> Amount:
        """Nobody reported: this is not zero."""
        return cls(label, None, "silent")

    @classmethod
    def untold(cls, label: str) -> Amount:
        """There is none, or too few to say even that there are some."""
        return cls(label, None, "untold")

    def words(self, _: Translator, language: Language) -> str:
        """The amount as it is written beside its label."""
        if self.value is None:
            said = {"hidden": _("hidden"), "silent": _("no report"), "untold": _("not shown")}
            return said[self.state]
        number = written(self.value, language)
        return _("{number}, incomplete", number=number) if self.state == "partial" else number


@dataclass(frozen=True)
class FigureTable:
    """The numbers of a drawing; the first column names each row."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Figure:
    """What a page shows: `svg` is safe to place as it is."""

    title: str
    svg: str
    alt: str
    table: FigureTable
    notes: tuple[str, ...] = ()


def written(value: float, language: Language) -> str:
    """A number as the language writes it, with at most one decimal."""
    near = round(value, 1)
    return number(int(near) if near == int(near) else near, language)


def draw(
    chart: alt.LayerChart | alt.FacetChart | alt.VConcatChart, title: str, description: str
) -> str:
    """The chart as an SVG element that inherits its letters and colours from the page."""
    import vl_convert

    styled = chart.configure(
        aria=False,
        background="transparent",
        font="sans-serif",
        padding=1,
        text={"fontSize": FONT_SIZE, "fill": INK},
        axis={"labelFontSize": SMALL, "labelColor": INK, "aria": False},
        view={"stroke": None},
        concat={"spacing": 6},
    )
    drawn = vl_convert.vegalite_to_svg(styled.to_dict(), allowed_base_urls=[])
    return _cleaned(drawn, title, description)


def chart_of(rows: list[dict[str, Any]]) -> alt.Chart:
    """An empty chart over some rows, not read by pandas."""
    import altair as alt

    return alt.Chart(alt.Data(values=rows))  # type: ignore[no-untyped-call]


_HEAD = re.compile(r'<svg [^>]*viewBox="0 0 ([\d.]+) ([\d.]+)"[^>]*>')
_FRAMES = re.compile(r'<path class="(?:background|foreground)"[^>]*/>')
_ATTRIBUTES = re.compile(
    r' (?:class|role|aria-[a-z]+|pointer-events|font-family|stroke-miterlimit|opacity)="(?:1|'
    r'[a-zA-Z][^"]*|10)"'
)
_NO_MOVE = re.compile(r' transform="translate\(0,0\)"')
_DECIMALS = re.compile(r"-?\d+\.\d+")
_EMPTY = re.compile(r"<(g|text)(?:\s[^>]*)?(?<!/)></\1>|<g[^>]*/>")
_BARE = re.compile(r"<g>((?:<(?:path|line|text)[^>]*(?:/>|>[^<]*</text>))*)</g>")


def _cleaned(drawn: str, title: str, description: str) -> str:
    """Without frames, roles, fonts and long decimals; with a name and a description of its own."""
    size = _HEAD.match(drawn)
    if size is None:
        raise ValueError("the drawing has no size")
    body = _FRAMES.sub("", drawn[size.end() :].removesuffix("</svg>"))
    body = _NO_MOVE.sub("", _ATTRIBUTES.sub("", body))
    body = _DECIMALS.sub(lambda number: _short(float(number[0])), body)
    before = ""
    while before != body:
        before, body = body, _BARE.sub(r"\1", _EMPTY.sub("", body))
    name = "f" + hashlib.sha256(f"{title}{body}".encode()).hexdigest()[:10]
    width, height = (round(float(side)) for side in size.groups())
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="drawing" role="img" '
        f'aria-labelledby="{name}t {name}d" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}"><title id="{name}t">{escape(title)}</title>'
        f'<desc id="{name}d">{escape(description)}</desc>'
        f'<defs><pattern id="{name}h" width="6" height="6" patternUnits="userSpaceOnUse" '
        f'patternTransform="rotate(45)"><path d="M0,0V6" stroke="{INK}" stroke-width="2" '
        f'stroke-opacity="0.45"/></pattern></defs>'
        f"{body.replace('url(#hatch)', f'url(#{name}h)')}</svg>"
    )


def _short(number: float) -> str:
    # Opacities are below 1 and need their second decimal; places do not show it.
    text = f"{number:.2f}" if abs(number) < 1 else f"{number:.1f}"
    return text.rstrip("0").rstrip(".")


HATCH = "url(#hatch)"
