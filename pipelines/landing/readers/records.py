"""Records of a delimited text in which quotation marks stand astray: each is one line that is lost.

Not here: files whose quotation marks are in order (`delimited`), which read far faster.

A quotation mark that nobody doubled opens a text that ends many lines further on, or never. The
line in which it stands is given up, and reading goes on with the next one.
"""

from __future__ import annotations

import csv
from collections import deque
from collections.abc import Iterator
from typing import Any

from schemas.feed import Layout

LONGEST_CELL_CHARS = 1024**2
FEWEST_SEPARATORS = 4  # of a text of several lines that may be records; fewer are punctuation
MOST_STRAY = 10_000  # lines; a file with more is none of this kind


def dialect(layout: Layout) -> dict[str, Any]:
    """How the standard library reads the records of this layout, one after the other."""
    csv.field_size_limit(LONGEST_CELL_CHARS)
    quoting = {"quotechar": layout.quote} if layout.quote else {"quoting": csv.QUOTE_NONE}
    return {
        "delimiter": layout.delimiter,
        "strict": True,
        # DuckDB also forgives a space between a delimiter and a quotation mark.
        "skipinitialspace": layout.delimiter != " ",
        **quoting,
    }


def fewest_separators(width: int) -> int:
    """How many separators a text of several lines holds that may be records of this width."""
    return max(width - 1, FEWEST_SEPARATORS)


class StrayQuotes:
    """The records of some lines; None for a line that cannot be split. `ends` counts their lines.

    Raises csv.Error where a line by itself is beyond the limit, where the last one is not ended
    within a text, and after `MOST_STRAY` lines that were given up.
    """

    def __init__(self, lines: Iterator[str], layout: Layout, width: int) -> None:
        """Over the lines of a text, header included; `width` is the number of its headings."""
        self._lines, self._layout = lines, layout
        self._separators = fewest_separators(width)
        self._again: deque[str] = deque()
        self._taken: list[str] = []
        self._stray = 0
        self.ends = 0

    def __iter__(self) -> Iterator[list[str] | None]:
        """Record by record."""
        reader = csv.reader(self._next_lines(), **dialect(self._layout))
        while True:
            self._taken.clear()
            try:
                record = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                if len(self._taken) == 1 and "field larger" in str(error):
                    raise
                if len(self._taken) == 1 and "end of data" in str(error):
                    raise
                is_lost = True
            else:
                is_lost = len(self._taken) > 1 and any(map(self._holds_records, record))
            if not is_lost:
                self.ends += len(self._taken)
                yield record
                continue
            self._stray += 1
            if self._stray > MOST_STRAY:
                raise csv.Error("too many stray quotation marks")
            self._again.extendleft(reversed(self._taken[1:]))
            reader = csv.reader(self._next_lines(), **dialect(self._layout))
            self.ends += 1
            yield None

    def _next_lines(self) -> Iterator[str]:
        while True:
            line = self._again.popleft() if self._again else next(self._lines, None)
            if line is None:
                return
            self._taken.append(line)
            yield line

    def _holds_records(self, cell: str) -> bool:
        has_lines = "\n" in cell or "\r" in cell
        return has_lines and cell.count(self._layout.delimiter) >= self._separators
