"""Physical lines of a UTF-8 file: counted by bytes, and handed out with a bound on their length.

Not here: records and cells (`delimited`, `jsontext`).
"""

from __future__ import annotations

import enum
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

BLOCK_BYTES = 4 * 1024**2
TAIL_BYTES = 64 * 1024
LONGEST_LINE_CHARS = 16 * 1024**2

# What people call a space and a trim of plain spaces leaves: the no-break spaces of spreadsheets
# and word processors, the zero-width ones of web pages, tabs and line ends.
SPACES = " \t\r\n\u00a0\u202f\ufeff\u200b"
_RARE_SPACES = tuple(space.encode() for space in SPACES if ord(space) > 127)


class Spaces(enum.Enum):
    """Which of SPACES the cells of a file may hold; trimming them costs more from one to the next.

    PLAIN: only " "; CONTROLS: tabs and line ends too; ALL: any.
    """

    PLAIN = enum.auto()
    CONTROLS = enum.auto()
    ALL = enum.auto()


@dataclass(frozen=True)
class LineCount:
    """What one pass over the bytes of a file tells.

    `lines` counts lines up to the last one that is not empty, whether LF, CRLF or CR ends them;
    `overlong` is the number of a line beyond LONGEST_LINE_CHARS, at which counting stopped, or 0;
    `is_ended` says whether the last line has an end.
    """

    lines: int
    overlong: int
    is_ended: bool
    spaces: Spaces


def count_lines(file: Path, delimiter: str, quote: str) -> LineCount:
    """Count the lines of a delimited `file` in bounded memory, at the speed of the disk."""
    mark, has_quotes = quote.encode(), False
    feeds, returns, unended, has_tabs, has_rare, carry = 0, 0, 0, False, False, b""
    with file.open("rb") as stream:
        while block := stream.read(BLOCK_BYTES):
            ends = block.count(b"\n")
            feeds += ends
            if not ends:
                here = block.count(b"\r")
                returns += 0 if feeds else here
                unended = 0 if here else unended + len(block)
                if unended > LONGEST_LINE_CHARS:
                    return LineCount(0, (feeds or returns) + 1, False, Spaces.ALL)
            else:
                unended = 0
            has_tabs = has_tabs or b"\t" in block
            has_quotes = has_quotes or (mark != b"" and mark in block)
            joined = carry + block if carry else block
            has_rare = has_rare or any(space in joined for space in _RARE_SPACES)
            carry = block[-2:]
        size = stream.tell()
        stream.seek(max(0, size - TAIL_BYTES))
        tail = stream.read()
    end = b"\n" if feeds else b"\r"
    text = tail.rstrip(b"\r\n")
    trailing = tail[len(text) :].count(end)
    lines = (feeds or returns) - trailing + (1 if text else 0)
    has_controls = has_quotes or (has_tabs and delimiter != "\t")
    spaces = Spaces.ALL if has_rare else Spaces.CONTROLS if has_controls else Spaces.PLAIN
    return LineCount(lines, 0, bool(trailing), spaces)


def longest_line(file: Path, enough: int = LONGEST_LINE_CHARS) -> tuple[int, int]:
    """The bytes of the longest line of `file` and its number; of the first with over `enough`."""
    longest, at, line, begun = 0, 1, 1, 0
    with file.open("rb") as stream:
        while block := stream.read(BLOCK_BYTES):
            lengths = [*map(len, block.split(b"\n"))]
            lengths[0] += begun
            here = max(lengths)
            if here > longest:
                longest, at = here, line + lengths.index(here)
            if longest > enough:
                break
            begun = lengths[-1]
            line += len(lengths) - 1
    return longest, at


@contextmanager
def text_lines(file: Path) -> Iterator[Iterator[str]]:
    """The lines of a UTF-8 file with their ends; one beyond the bound comes in pieces of it.

    For `next` and `islice`: a line ends at LF, CRLF or CR, as in a spreadsheet.
    """
    with file.open(encoding="utf-8-sig", newline="") as stream:
        yield iter(partial(stream.readline, LONGEST_LINE_CHARS), "")
