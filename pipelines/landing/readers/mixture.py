"""Two sets of characters in one file: each line is read in the one in which it was written.

Not here: the set of characters of a file as a whole (`encoding`).

Lines that other systems wrote are pasted into a file and saved with it. A line is read in another
set of characters than the agreed one where that is certain. Where it is not, its bytes beyond ASCII
become signs of their own (`UNCERTAIN`), by which its row is set aside and sent back as it came.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

BLOCK_BYTES = 4 * 1024**2
FEWEST_LETTERS = 3  # of another alphabet, before a line is believed to be written in it
FAMILIAR = frozenset("àâäçéèêëîïôöùûüÿæœÀÂÇÉÈÊËÎÏÔÙÛŒ’‘“”«»–—…°€№²\u00a0\u202f")
USUAL = "cp1252"  # in one line alone, other code pages cannot be told apart for certain
LATIN = ("cp1252", "iso8859-1", "iso8859-15", "mac-roman", "cp850")
# A letter of French or of its typography in UTF-8, as bytes: two or three odd signs in a code page.
_IN_UTF8 = re.compile(rb"\xc3[\x80-\xbf]|\xc2[\xa0-\xbf]|\xe2\x80[\x90-\xbf]|\xc5[\x92\x93]")
LEAD, REST, STRANGE, OTHER = b"l", b"r", b"s", b"."
_TO_MARK = {0xDC00 + byte: 0x10FF00 + byte for byte in range(0x80, 0x100)}
_FROM_MARK = {mark: escaped for escaped, mark in _TO_MARK.items()}
_MARK = re.compile("[\U0010ff80-\U0010ffff]")


@dataclass
class Mixture:
    """What was found while a file was read line by line: lines by their set of characters.

    `first` is the number of the first line that is not in the agreed one. Lines of ASCII alone,
    and those that can only be in an agreed code page, are counted in `total` only; `uncertain` are
    those of which it is not known.
    """

    lines: Counter[str] = field(default_factory=Counter)
    uncertain: int = 0
    first: int = 0
    total: int = 0


def mend(file: Path, agreed: str, target: Path) -> Mixture:
    """Write `file` as UTF-8, each line read in its own set of characters; says what was found."""
    found, line, classes = Mixture(), 1, _classes(agreed)
    with file.open("rb") as source, target.open("wb") as sink:
        for block in _whole_lines(source):
            sink.write(_mended(block, agreed, classes, line, found).encode())
            line += block.count(b"\n")
    found.total = line
    return found


def as_sent(text: str) -> str:
    """A text with its uncertain bytes as `surrogateescape` writes them back."""
    return text.translate(_FROM_MARK) if _MARK.search(text) else text


def _whole_lines(source: object) -> Iterator[bytes]:
    carry = b""
    while block := source.read(BLOCK_BYTES):  # type: ignore[attr-defined]
        block = carry + block
        cut = block.rfind(b"\n") + 1
        if cut:
            yield block[:cut]
        carry = block[cut:]
    if carry:
        yield carry


def _mended(block: bytes, agreed: str, classes: bytes, line: int, found: Mixture) -> str:
    """The text of some whole lines; only those are looked at that may be in another set."""
    parts, done = [], 0
    for start, end in _spans(block, classes):
        parts.append(block[done:start].decode(agreed))
        one = block[start:end]
        encoding = _encoding_of(one, agreed)
        if encoding:
            parts.append(one.decode(encoding))
            found.lines[encoding] += 1
        else:
            parts.append(one.decode("ascii", "surrogateescape").translate(_TO_MARK))
            found.uncertain += 1
        if encoding != agreed and not found.first:
            found.first = line + block.count(b"\n", 0, start)
        done = end
    parts.append(block[done:].decode(agreed))
    return "".join(parts)


def _spans(block: bytes, classes: bytes) -> Iterator[tuple[int, int]]:
    """Where lines begin and end that may not be in the agreed set of characters.

    `classes` tells the kind of each byte: two searches for them take a tenth of what an expression
    over the bytes does.
    """
    kinds = block.translate(classes)
    at, pair, strange = 0, kinds.find(LEAD + REST), kinds.find(STRANGE)
    while pair >= 0 or strange >= 0:
        found = min(place for place in (pair, strange) if place >= 0)
        start = block.rfind(b"\n", 0, found) + 1
        at = block.find(b"\n", found) + 1 or len(block)
        yield start, at
        pair, strange = kinds.find(LEAD + REST, at), kinds.find(STRANGE, at)


def _classes(agreed: str) -> bytes:
    """The kind of each byte: of a pair that UTF-8 has, or one that the agreed set lacks."""
    kinds = bytearray(OTHER * 256)
    if agreed == "utf-8":
        kinds[0x80:] = STRANGE * 0x80  # every line beyond ASCII is looked at
        return bytes(kinds)
    kinds[0x80:0xC0] = REST * 0x40
    kinds[0xC2:0xF5] = LEAD * (0xF5 - 0xC2)
    for byte in range(0x80, 0x100):
        if not _is_of(bytes([byte]), agreed):
            kinds[byte] = STRANGE[0]
    return bytes(kinds)


def _encoding_of(line: bytes, agreed: str) -> str:
    """The set of characters of one line with letters beyond ASCII; empty where it is uncertain."""
    is_utf8 = _is_of(line, "utf-8")
    if agreed == "utf-8":
        if is_utf8:
            return "utf-8"
        if _IN_UTF8.search(line):
            return ""  # of both
        return USUAL if _is_familiar(line, USUAL) else ""
    if is_utf8:
        return _utf8_or(line, agreed)
    if not _is_of(line, agreed):
        return ""
    is_mixed = agreed in LATIN and _IN_UTF8.search(line) is not None
    return "" if is_mixed else agreed


def _utf8_or(line: bytes, agreed: str) -> str:
    """UTF-8, or the code page in which the line would be valid too."""
    letters = _letters(line.decode("utf-8"))
    if _is_encodable(letters, agreed):
        return "utf-8"
    if _is_familiar(line, agreed):
        return agreed
    if len(letters) >= FEWEST_LETTERS and all(map(str.isalpha, letters)):
        return "utf-8"
    return "" if agreed in LATIN else agreed


def _letters(text: str) -> str:
    return "".join(sign for sign in text if not sign.isascii())


def _is_familiar(line: bytes, encoding: str) -> bool:
    """True where all that is beyond ASCII is of French or of its typography."""
    return _is_of(line, encoding) and set(_letters(line.decode(encoding))) <= FAMILIAR


def _is_of(line: bytes, encoding: str) -> bool:
    try:
        line.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def _is_encodable(letters: str, encoding: str) -> bool:
    try:
        letters.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True
