"""Drawings of the portal: counts as bars, months as lines, areas as tiles; with words and a table.

A drawing has no script, no font and no colour of its own: it takes `currentColor` and the page's
`--chart`, so that light, dark and print come from the style sheet. What was hidden is hatched and
what nobody reported is left blank; neither is ever drawn as zero.
"""

from pipelines.portal.charts.areas import area_map, area_maps, countries_with_map
from pipelines.portal.charts.bars import bars
from pipelines.portal.charts.figure import Amount, Figure, FigureTable
from pipelines.portal.charts.lines import Series, lines

__all__ = [
    "Amount",
    "Figure",
    "FigureTable",
    "Series",
    "area_map",
    "area_maps",
    "bars",
    "countries_with_map",
    "lines",
]
