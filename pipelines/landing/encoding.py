"""A delivery's letters: which encoding they are in, and the same text as UTF-8 for the readers.

Not here: what the text means (`delimited`, `jsontext`). Everything is streamed in blocks.
"""

from __future__ import annotations

import codecs
from pathlib import Path

from pipelines.findings import DeliveryRefused
from pipelines.landing.refuse import refused

DETECT = "detect"
BLOCK_BYTES = 4 * 1024**2
SAMPLE_BYTES = 64 * 1024
_ASCII = bytes(range(128))
_FAMILIAR = frozenset("àâäçéèêëîïôöùûüÿæœÀÂÇÉÈÊËÎÏÔÙÛŒ’‘“”«»–—…°€№²\u00a0\u202f")
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


def as_utf8(file: Path, declared: str, scratch: Path) -> tuple[Path, str]:
    """The text of `file` in UTF-8 and the name of the encoding that it had.

    The path is `file` itself where it is UTF-8 already; its validity is then the reader's to find
    out (see `demand_utf8`), since reading it twice would cost more than it gives. Otherwise it is a
    new file in `scratch`. `declared` is a Python codec name or `detect`.
    Raises DeliveryRefused where the bytes are not of that encoding (DEL-701), or of none (DEL-731).
    """
    with file.open("rb") as stream:
        head = stream.read(SAMPLE_BYTES)
    encoding = detect(file, head) if declared == DETECT else _declared(file, declared, head)
    if encoding in UTF8_NAMES:
        return file, "utf-8"
    target = scratch / f"{file.stem}.utf8"
    try:
        _transcode(file, encoding, target)
    except DeliveryRefused:
        if declared == DETECT:  # nobody agreed on what was detected
            raise refused("DEL-731", file) from None
        raise
    return target, encoding


def detect(file: Path, head: bytes) -> str:
    """The encoding of `file`: by its mark, else UTF-8 if all of it is, else the likeliest.

    Raises DeliveryRefused (DEL-731) where nothing fits.
    """
    from charset_normalizer import from_bytes

    if marked := _marked(head):
        return marked
    if head.count(0) > len(head) // 4:
        if order := _utf16_order(head):
            return order
        raise refused("DEL-731", file)
    if (offset := _first_not_utf8(file)) is None:
        return "utf-8"
    with file.open("rb") as stream:
        stream.seek(max(0, offset - SAMPLE_BYTES // 2))
        sample = stream.read(SAMPLE_BYTES)
    found = from_bytes(sample, cp_isolation=list(LIKELY_ENCODINGS), threshold=0.9)
    if not found:
        raise refused("DEL-731", file)
    # A few accents are too little for statistics: first come the letters that are written here.
    best = max(found, key=lambda match: _familiar(str(match)))
    return "cp1252" if "cp1252" in best.could_be_from_charset else best.encoding


def _familiar(text: str) -> float:
    """How many of the letters beyond ASCII are of French or of its typography, 0 to 1."""
    beyond = [letter for letter in set(text) if not letter.isascii()]
    return sum(letter in _FAMILIAR for letter in beyond) / max(1, len(beyond))


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
    """Raise DeliveryRefused (DEL-701, with line and byte) where `file` is not UTF-8 throughout."""
    offset = _first_not_utf8(file)
    if offset is None:
        return
    lines = 1
    with file.open("rb") as stream:
        remaining = offset
        while remaining and (block := stream.read(min(BLOCK_BYTES, remaining))):
            lines += block.count(b"\n")
            remaining -= len(block)
    refusal = refused("DEL-701", shown or file, encoding="utf-8", row=lines, byte=offset + 1)
    raise refusal from None


def _declared(file: Path, declared: str, head: bytes) -> str:
    """The codec to use for a declared encoding, once the file's own mark does not contradict it."""
    encoding = codecs.lookup(declared).name
    marked = _marked(head)
    if marked and not encoding.startswith(marked):
        raise refused("DEL-701", file, encoding=declared)
    if encoding == "utf-16" and not marked and head:
        encoding = _utf16_order(head)
        if not encoding:
            raise refused("DEL-701", file, encoding=declared)
    return encoding


def _marked(head: bytes) -> str:
    return next((name for mark, name in BYTE_ORDER_MARKS if head.startswith(mark)), "")


def _utf16_order(head: bytes) -> str:
    """UTF-16 without a mark: Latin text has its zero bytes second (little-endian) or first.

    Empty where it has as many of both.
    """
    first, second = head[0::2].count(0), head[1::2].count(0)
    if first == second:
        return ""
    return "utf-16-le" if second > first else "utf-16-be"


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


def _transcode(file: Path, encoding: str, target: Path) -> None:
    """Write `file` as UTF-8. Text that is UTF-8 already is refused, not turned into mojibake."""
    decoder = codecs.getincrementaldecoder(encoding)("strict")
    suspicion = _MayBeUtf8(encoding)
    line = 1
    with file.open("rb") as source, target.open("wb") as sink:
        while True:
            block = source.read(BLOCK_BYTES)
            try:
                text = decoder.decode(block, final=not block)
            except UnicodeDecodeError as error:
                row = line + error.object[: error.start].count(b"\n")
                raise refused("DEL-701", file, encoding=encoding, row=row) from None
            sink.write(text.encode("utf-8", "surrogatepass"))
            line += text.count("\n")
            suspicion.look(block)
            if not block:
                break
    if suspicion.is_confirmed:
        raise refused("DEL-701", file, encoding=encoding)


class _MayBeUtf8:
    """Whether a file that is said to be in a code page is UTF-8: valid, and by its letters.

    A capital with an accent before a no-break space is valid UTF-8 too, for a letter that nobody
    here writes; so most of the letters that UTF-8 makes of it must be letters of that code page.
    """

    def __init__(self, encoding: str) -> None:
        self._encoding = encoding
        self._decoder = codecs.getincrementaldecoder("utf-8")("strict")
        self._is_valid = not encoding.startswith("utf")
        self._letters, self._of_code_page = 0, 0

    def look(self, block: bytes) -> None:
        """Take the next block into account; an empty one ends the file."""
        if not self._is_valid:
            return
        try:
            text = self._decoder.decode(block, final=not block)
        except UnicodeDecodeError:
            self._is_valid = False
            return
        beyond_ascii = text.encode("utf-8").translate(None, _ASCII).decode("utf-8")
        self._letters += len(beyond_ascii)
        self._of_code_page += len(beyond_ascii.encode(self._encoding, "ignore"))

    @property
    def is_confirmed(self) -> bool:
        """True where the file is UTF-8 and would become mojibake."""
        return self._is_valid and self._letters > 0 and self._of_code_page * 2 > self._letters
