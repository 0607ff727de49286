"""Physical lines of a UTF-8 file: counted by bytes, and handed out with a bound on their length.

Not here: records and cells (`delimited`, `json`).
"""

from __future__ import annotations

import codecs
import enum
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from pipelines.landing.invisible_signs import may_hold_signs

BLOCK_BYTES = 4 * 1024**2
TAIL_BYTES = 64 * 1024
LONGEST_LINE_CHARS = 16 * 1024**2

# What people call a space and a trim of plain spaces leaves: the no-break spaces of spreadsheets
# and word processors, the zero-width ones of web pages, tabs and line ends.
SPACES = " \t\r\n\u00a0\u202f\ufeff\u200b"
_RARE_SPACES = tuple(space.encode() for space in SPACES if ord(space) > 127)
_LEADS = tuple({space[:1] for space in _RARE_SPACES})  # one byte is found many times faster


class Spaces(enum.Enum):
    """Which of SPACES the cells of a file may hold; trimming them costs more from one to the next.

    PLAIN: only " "; CONTROLS: tabs and line ends too; ALL: any.
    """

    PLAIN = enum.auto()
    CONTROLS = enum.auto()
    ALL = enum.auto()


@dataclass
class Holes:
    """Bytes that are zero, where a disk or a transmission lost what stood there.

    `row` is the line of the first, `rows` about how many lines would have their place.
    """

    bytes: int = 0
    places: int = 0
    row: int = 0
    rows: int = 0


@dataclass(frozen=True)
class LineCount:
    """What one pass over the bytes of a file tells.

    `lines` counts lines up to the last one that is not empty, whether LF, CRLF or CR ends them;
    `overlong` is the number of a line beyond LONGEST_LINE_CHARS, at which counting stopped, or 0;
    `is_ended` says whether the last line has an end; `spaces` what cells of one line may hold.
    `has_signs` is False where no cell can hold a sign that would be taken out, `holes` tells of
    bytes that are zero.
    """

    lines: int
    overlong: int
    is_ended: bool
    spaces: Spaces
    has_signs: bool = False
    holes: Holes = field(default_factory=Holes)


@dataclass
class _Tally:
    """What was seen so far; `unended` is how long the line is that has not ended yet."""

    feeds: int = 0
    returns: int = 0
    pairs: int = 0
    unended: int = 0
    has_tabs: bool = False
    has_quotes: bool = False
    has_rare: bool = False
    has_signs: bool = False
    last: bytes = b""
    seen_bytes: int = 0
    holes: Holes = field(default_factory=Holes)

    def look(self, block: bytes, quote: bytes) -> None:
        """Take the next block into account."""
        if not self.seen_bytes:
            block = block.removeprefix(codecs.BOM_UTF8)
        self.seen_bytes += len(block)
        if b"\0" in block:
            self._look_at_holes(block)
        ends = block.count(b"\n")
        self.feeds += ends
        returns = block.count(b"\r") if b"\r" in block else 0
        self.returns += returns
        if self.returns:  # CR LF, also where the two blocks meet
            self.pairs += block.count(b"\r\n") + (self.last[-1:] + block[:1] == b"\r\n")
        self.unended = 0 if ends or returns else self.unended + len(block)
        self.has_tabs = self.has_tabs or b"\t" in block
        self.has_quotes = self.has_quotes or (quote != b"" and quote in block)
        self.has_rare = self.has_rare or _has_rare(self.last[-2:] + block[:2]) or _has_rare(block)
        joint = self.last + block[:3]
        self.has_signs = self.has_signs or may_hold_signs(joint) or may_hold_signs(block)
        self.last = block[-3:]

    def _look_at_holes(self, block: bytes) -> None:
        runs = re.findall(rb"\0+", block)
        goes_on = self.last[-1:] == block[:1] == b"\0"
        if not self.holes.bytes:
            self.holes.row = max(self.feeds, self.returns) + 1
            before = block[: block.index(b"\0")]
            self.holes.row += max(before.count(b"\n"), before.count(b"\r"))
        self.holes.bytes += sum(map(len, runs))
        self.holes.places += len(runs) - goes_on

    def told_holes(self, lines: int) -> Holes:
        """The holes, with how many lines of the usual length would have had their place."""
        if self.holes.bytes:
            usual = (self.seen_bytes - self.holes.bytes) / max(1, lines)
            self.holes.rows = round(self.holes.bytes / max(1.0, usual))
        return self.holes

    def spaces(self, delimiter: str) -> Spaces:
        """The spaces that cells of one line may hold: a tab where it is no delimiter or quoted."""
        has_tab = self.has_tabs and (delimiter != "\t" or self.has_quotes)
        has_stray_return = self.feeds > 0 and self.returns != self.pairs
        if self.has_rare:
            return Spaces.ALL
        return Spaces.CONTROLS if has_tab or has_stray_return else Spaces.PLAIN


def count_lines(file: Path, delimiter: str, quote: str) -> LineCount:
    """Count the lines of a delimited `file` in bounded memory, at the speed of the disk."""
    tally, mark = _Tally(), quote.encode()
    with file.open("rb") as stream:
        while block := stream.read(BLOCK_BYTES):
            tally.look(block, mark)
            if tally.unended > LONGEST_LINE_CHARS:
                return LineCount(0, (tally.feeds or tally.returns) + 1, False, Spaces.ALL)
        stream.seek(max(0, stream.tell() - TAIL_BYTES))
        tail = stream.read()
    text = tail.rstrip(b"\r\n")
    trailing = tail[len(text) :].count(b"\n" if tally.feeds else b"\r")
    lines = (tally.feeds or tally.returns) - trailing + (1 if text else 0)
    return LineCount(
        lines,
        0,
        bool(trailing),
        tally.spaces(delimiter),
        tally.has_signs,
        tally.told_holes(lines),
    )


def _has_rare(block: bytes) -> bool:
    leads = [lead for lead in _LEADS if lead in block]
    return bool(leads) and any(s in block for s in _RARE_SPACES if s[:1] in leads)


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
