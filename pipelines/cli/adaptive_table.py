"""Tables in terminals too narrow for them: one block a row, so that nothing is lost."""

from __future__ import annotations

from collections.abc import Iterable

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.measure import Measurement
from rich.table import Column, Table
from rich.text import Text

NARROWEST_WORDS = 16  # a column of words is folded down to this
BETWEEN = 2  # spaces between columns


class AdaptiveTable(Table):
    """A table that never cuts a number nor drops its first column, which names the row."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """The table where it fits, else its rows one below the other."""
        widths = [_widest(console, options, column) for column in self.columns]
        is_whole = [column.no_wrap for column in self.columns]
        if self._fits(widths, [True, *is_whole[1:]], options.max_width):
            self.columns[0].no_wrap = True
        elif not self._fits(widths, is_whole, options.max_width):
            rows = zip(*(column.cells for column in self.columns), strict=True)
            yield Group(*(self._block(cells) for cells in rows))
            return
        yield from super().__rich_console__(console, options)

    def _fits(self, widths: list[int], is_whole: list[bool], room: int) -> bool:
        """True where nothing but words need be folded."""
        least = (
            width if whole else min(width, NARROWEST_WORDS)
            for width, whole in zip(widths, is_whole, strict=True)
        )
        return sum(least) + BETWEEN * (len(widths) - 1) <= room

    def _block(self, cells: Iterable[RenderableType]) -> Table:
        grid = Table.grid(padding=(0, 2))
        grid.add_column(no_wrap=True)
        grid.add_column(overflow="fold")
        for column, cell in zip(self.columns, cells, strict=True):
            if str(cell).strip():
                grid.add_row(Text(str(column.header), style="dim"), cell)
        grid.add_row("", "")
        return grid


def _widest(console: Console, options: ConsoleOptions, column: Column) -> int:
    """The width at which nothing in the column is folded, without the space behind it."""
    cells = [column.header, *column.cells]
    return max(Measurement.get(console, options.update(max_width=10_000), c).maximum for c in cells)
