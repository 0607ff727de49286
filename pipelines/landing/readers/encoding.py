"""A delivery's letters: which encoding they are in, and the same text as UTF-8 for the readers.

Not here: what the text means (`delimited`, `json`). Everything is streamed in blocks.
"""

from __future__ import annotations

import codecs
from dataclasses import dataclass
from pathlib import Path

from pipelines.core.findings import DeliveryError, Finding
from pipelines.landing.readers.mixture import FAMILIAR, Mixture, mend
from pipelines.landing.refuse import finding, refusal
from schemas.feed import DETECT

BLOCK_BYTES = 4 * 1024**2
SAMPLE_BYTES = 64 * 1024
LONGEST_LETTER_BYTES = 4
MOSTLY = 4
_ASCII = bytes(range(128))
UTF8_NAMES = frozenset({"utf-8", "utf-8-sig", "ascii"})
# What offices in our countries save as; fewer candidates make a short sample's verdict stable.
LIKELY_ENCODINGS = ("cp1252", "iso8859_15", "mac_roman", "cp850", "cp1256")
BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16, whose mark is its beginning
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


@dataclass(frozen=True)
class Letters:
    """The text of a file in UTF-8: where it lies, the encoding that it had, what is to be told.

    `is_proved` is False where nobody has looked yet whether the bytes are of that encoding.
    """

    file: Path
    encoding: str
    notes: tuple[Finding, ...] = ()
    is_proved: bool = True


def as_utf8(file: Path, declared: str, scratch: Path) -> Letters:
    """The text of `file` in UTF-8; a new file in `scratch` where it is in another encoding.

    `declared` is a Python codec name or `detect`. Another encoding is read where the file says so
    by its mark, or all of its letters do: that is told. So is a line in another encoding than the
    others. A file that is declared to be UTF-8 is not looked at, since reading it twice would cost
    more than it gives: where a reader finds that it is not, `mended_utf8` has its text.
    Raises DeliveryError where the bytes are not of that encoding (DEL-701), or of none (DEL-731),
    and where the file ends inside a letter (DEL-702).
    """
    with file.open("rb") as stream:
        head = stream.read(SAMPLE_BYTES)
    if declared == DETECT:
        encoding = detect(file, head)
        return _read_as(file, encoding, encoding, scratch, is_detected=True)
    agreed = codecs.lookup(declared).name
    return _read_as(file, _found_in(file, agreed, head), agreed, scratch)


def mended_utf8(file: Path, scratch: Path) -> Letters:
    """The text of a `file` that was taken for UTF-8 and is not, line by line.

    Raises DeliveryError: DEL-702 where it ends inside a letter, DEL-701 where half of the lines
    or more are of no encoding for certain.
    """
    offset = _first_not_utf8(file) or 0
    if offset + LONGEST_LETTER_BYTES > file.stat().st_size and _is_cut(file, offset):
        raise refusal("DEL-702", file)
    target = scratch / f"{file.stem}.mended.utf8"
    found = mend(file, "utf-8", target)
    return Letters(target, *_told(file, found, "utf-8", offset))


def _told(
    file: Path, found: Mixture, agreed: str, offset: int = 0
) -> tuple[str, tuple[Finding, ...]]:
    """The encoding of most lines, and what is to be told of the others. Raises DEL-701."""
    if 2 * found.uncertain >= found.total:
        place = {"row": found.first, "byte": offset + 1} if agreed == "utf-8" else {}
        raise refusal("DEL-701", file, encoding=agreed, **place)
    others = {name: lines for name, lines in found.lines.items() if name != agreed}
    if not others:
        return agreed, ()
    other = max(others, key=others.__getitem__)
    if agreed == "utf-8" and len(others) == 1 and not found.lines[agreed]:
        # Not one line is in the agreed encoding: the file as a whole is in the other.
        note = finding("DEL-755", file, encoding=other, agreed=agreed)
        return other, (note,)
    rows = sum(others.values())
    note = finding("DEL-754", file, rows=rows, row=found.first, encoding=other, agreed=agreed)
    return agreed, (note,)


def _found_in(file: Path, agreed: str, head: bytes) -> str:
    """The encoding of a file: the agreed one, unless its mark or its zero bytes say another."""
    marked = _marked(head)
    if marked:
        return agreed if agreed.startswith(marked) else marked
    is_wide = head.count(0) > len(head) // 4
    order = _utf16_order(head) if is_wide else ""
    if agreed == "utf-16":
        if order or not head:
            return order or agreed
        if is_wide:
            raise refusal("DEL-701", file, encoding=agreed)
        return detect(file, head)
    return order if order and not agreed.startswith(("utf-16", "utf-32")) else agreed


def _read_as(
    file: Path, encoding: str, agreed: str, scratch: Path, *, is_detected: bool = False
) -> Letters:
    notes: tuple[Finding, ...] = ()
    if not is_detected and _family(encoding) != _family(agreed):
        notes = (finding("DEL-755", file, encoding=encoding, agreed=agreed),)
    if encoding in UTF8_NAMES:
        return Letters(file, "utf-8", notes, is_proved=is_detected)
    target = scratch / f"{file.stem}.utf8"
    try:
        if encoding.startswith("utf"):
            _transcode(file, encoding, target)
            return Letters(target, encoding, notes)
        if not is_detected and _is_really_utf8(file, encoding):
            return Letters(
                file, "utf-8", (finding("DEL-755", file, encoding="utf-8", agreed=agreed),)
            )
        read, told = _told(file, mend(file, encoding, target), encoding)
    except DeliveryError as error:
        if is_detected and error.findings[0].code == "DEL-701":  # nobody agreed on what was found
            raise refusal("DEL-731", file) from None
        raise
    return Letters(target, read, (*notes, *told))


def _family(encoding: str) -> str:
    if encoding in UTF8_NAMES:
        return "utf-8"
    return encoding[: len("utf-16")] if encoding.startswith("utf") else encoding


def detect(file: Path, head: bytes) -> str:
    """The encoding of `file`: by its mark, else UTF-8 if all of it is, else the likeliest.

    Raises DeliveryError (DEL-731) where nothing fits.
    """
    from charset_normalizer import from_bytes

    if marked := _marked(head):
        return marked
    if head.count(0) > len(head) // 4:
        if order := _utf16_order(head):
            return order
        raise refusal("DEL-731", file)
    if (offset := _first_not_utf8(file)) is None:
        return "utf-8"
    with file.open("rb") as stream:
        stream.seek(max(0, offset - SAMPLE_BYTES // 2))
        sample = stream.read(SAMPLE_BYTES)
    found = from_bytes(sample, cp_isolation=list(LIKELY_ENCODINGS), threshold=0.9)
    if not found:
        raise refusal("DEL-731", file)
    # A few accents are too little for statistics: first come the letters that are written here.
    best = max(found, key=lambda match: _familiar(str(match)))
    return "cp1252" if "cp1252" in best.could_be_from_charset else best.encoding


def _familiar(text: str) -> float:
    """How many of the letters beyond ASCII are of French or of its typography, 0 to 1."""
    beyond = [letter for letter in set(text) if not letter.isascii()]
    return sum(letter in FAMILIAR for letter in beyond) / max(1, len(beyond))


def written_as(file: Path, encoding: str) -> tuple[bytes, str]:
    """The byte order mark that `file` begins with, and the codec in which text goes after it.

    `encoding` is what `as_utf8` said of the file; so its own order of bytes is kept too.
    """
    with file.open("rb") as stream:
        head = stream.read(4)
    for mark, name in BYTE_ORDER_MARKS:
        if head.startswith(mark) and encoding.startswith(name):
            is_little = mark in (codecs.BOM_UTF16_LE, codecs.BOM_UTF32_LE)
            return mark, name if name == "utf-8" else f"{name}-{'le' if is_little else 'be'}"
    return b"", encoding


def demand_utf8(file: Path, shown: Path | None = None) -> None:
    """Raise DeliveryError (DEL-701, with line and byte) where `file` is not UTF-8 throughout."""
    offset = _first_not_utf8(file)
    if offset is None:
        return
    lines = 1
    with file.open("rb") as stream:
        remaining = offset
        while remaining and (block := stream.read(min(BLOCK_BYTES, remaining))):
            lines += block.count(b"\n")
            remaining -= len(block)
    raise refusal("DEL-701", shown or file, encoding="utf-8", row=lines, byte=offset + 1) from None


def _marked(head: bytes) -> str:
    return next((name for mark, name in BYTE_ORDER_MARKS if head.startswith(mark)), "")


def _utf16_order(head: bytes) -> str:
    """UTF-16 without a mark: Latin text has its zero bytes second (little-endian) or first.

    Empty where it has about as many of both: those are holes.
    """
    first, second = head[0::2].count(0), head[1::2].count(0)
    if second > MOSTLY * first:
        return "utf-16-le"
    return "utf-16-be" if first > MOSTLY * second else ""


def _first_not_utf8(file: Path) -> int | None:
    """The offset of the first byte that is not UTF-8; None where all of it is."""
    decoder = codecs.getincrementaldecoder("utf-8")("strict")
    read = 0
    with file.open("rb") as stream:
        while True:
            block = stream.read(BLOCK_BYTES)
            pending = len(decoder.getstate()[0])
            try:
                decoder.decode(block, final=not block)
            except UnicodeDecodeError as error:
                return read - pending + error.start
            if not block:
                return None
            read += len(block)


def _is_cut(file: Path, offset: int) -> bool:
    """Whether the bytes from `offset` to the end are the beginning of a letter of UTF-8."""
    with file.open("rb") as stream:
        stream.seek(offset)
        rest = stream.read()
    try:
        codecs.getincrementaldecoder("utf-8")("strict").decode(rest, final=False)
    except UnicodeDecodeError:
        return False
    return bool(rest)


def _transcode(file: Path, encoding: str, target: Path) -> None:
    """Write a `file` in UTF-16 or UTF-32 as UTF-8."""
    decoder = codecs.getincrementaldecoder(encoding)("strict")
    line = 1
    with file.open("rb") as source, target.open("wb") as sink:
        while True:
            block = source.read(BLOCK_BYTES)
            try:
                text = decoder.decode(block, final=not block)
            except UnicodeDecodeError as error:
                if not block:
                    raise refusal("DEL-702", file) from None
                row = line + error.object[: error.start].decode(encoding, "ignore").count("\n")
                raise refusal("DEL-701", file, encoding=encoding, row=row) from None
            sink.write(text.encode("utf-8", "surrogatepass"))
            line += text.count("\n")
            if not block:
                return


def _is_really_utf8(file: Path, code_page: str) -> bool:
    """Whether a file that is said to be in a code page is UTF-8: valid, and by its letters.

    A capital with an accent before a no-break space is valid UTF-8 too, for a letter that nobody
    here writes; so most of the letters that UTF-8 makes of it must be letters of that code page.
    """
    if _first_not_utf8(file) is not None:
        return False
    decoder = codecs.getincrementaldecoder("utf-8")("strict")
    letters, of_code_page = 0, 0
    with file.open("rb") as stream:
        while block := stream.read(BLOCK_BYTES):
            beyond = decoder.decode(block).encode().translate(None, _ASCII).decode()
            letters += len(beyond)
            of_code_page += len(beyond.encode(code_page, "ignore"))
    return of_code_page * 2 > letters > 0
