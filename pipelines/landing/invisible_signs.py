"""Signs that carry no meaning: which bytes may be some, and the SQL that takes them out of a cell.

Not here: spaces around a text (`lines`, `staging`), the key of a record's number (`duck`).

One text has one form: composed (NFC), without control signs, direction marks, soft hyphens and
other signs that nobody sees. The joiners U+200C and U+200D stay, with which some scripts are
spelled. Looking at every cell would cost every delivery; so the bytes of a file are looked at
first, and only a file that may hold such a sign has its cells looked at.
"""

from __future__ import annotations

import re

from schemas.sqltext import literal

# The test for signs in the place of bytes whose meaning is not certain: see `mixture`.
UNCERTAIN = r"regexp_matches({}, '[\x{{10FF80}}-\x{{10FFFF}}]')"
LINE_ENDS = "\x0b\x0c\x85\u2028\u2029"  # of word processors and databases
INVISIBLE = (
    r"[\x{01}-\x{08}\x{0E}-\x{1F}\x{7F}-\x{9F}\x{AD}\x{61C}\x{180E}\x{200B}\x{200E}\x{200F}"
    r"\x{202A}-\x{202E}\x{2060}-\x{2064}\x{2066}-\x{206F}\x{FEFF}\x{FFF9}-\x{FFFB}"
    r"\x{E0001}\x{E0020}-\x{E007F}]+"
)
EASTERN, WESTERN = "٠١٢٣٤٥٦٧٨٩۰۱۲۳۴۵۶۷۸۹", "01234567890123456789"

_PLAIN = bytes([9, 10, 13, *range(32, 127)])
# Beyond ASCII, what may be read as it stands: Latin letters that are composed, the spaces, dashes
# and quotation marks of typography, signs of currencies, numbers and arrows. The kinds of bytes:
# "s" begins something else, "cx" is a control sign or a soft hyphen.
_KINDS = bytearray(b"s" * 256)
_KINDS[0x80:0xC0] = b"x" * 0x20 + b"." * 0x20
_KINDS[0xAD] = ord("x")
_KINDS[0xC2:0xCC] = b"c" + b"." * 9
_KINDS[0xE2] = ord(".")
_TYPOGRAPHY = rb"\x80[\x82-\x8a\x90-\xa7\xaf-\xbf]|\x82|\x84[\x80-\xa5]|[\x85-\x97]"
_BEYOND_TYPOGRAPHY = re.compile(rb"\xe2(?!" + _TYPOGRAPHY + rb")")


def may_hold_signs(block: bytes) -> bool:
    """False where these bytes of UTF-8 are certain to hold nothing that would be taken out."""
    kinds = block.translate(bytes(_KINDS), _PLAIN)
    return b"s" in kinds or b"cx" in kinds or _BEYOND_TYPOGRAPHY.search(block) is not None


def composed(raw: str) -> str:
    """SQL of a text in its composed form, with line ends that every program knows."""
    return f"translate(nfc_normalize({raw}), {literal(LINE_ENDS)}, {literal(chr(10) * 5)})"


def without_signs(raw: str) -> str:
    """SQL of a text in its one form; a text of plain signs costs a look only.

    One with a byte of value zero stays as it is: DuckDB composes it up to there only.
    """
    taken_out = f"regexp_replace({composed(raw)}, {literal(INVISIBLE)}, '', 'g')"
    is_left = f"{_is_plain(raw)} OR contains({raw}, chr(0))"
    return f"CASE WHEN {is_left} THEN {raw} ELSE {taken_out} END"


def signs_in(raw: str) -> str:
    """SQL of how many signs `without_signs` takes out of a text; 0 for none."""
    left = f"length(regexp_replace({composed(raw)}, {literal(INVISIBLE)}, '', 'g'))"
    counted = f"length({composed(raw)}) - {left}"
    return f"CASE WHEN coalesce({_is_plain(raw)}, TRUE) THEN 0 ELSE {counted} END"


def with_western_digits(raw: str, decimal: str) -> str:
    """SQL of a number or date whose figures are Arabic-Indic, in the figures that are read."""
    signs = f"{EASTERN}٫", f"{WESTERN}{decimal}"  # U+066B is the decimal sign among them
    return f"translate({raw}, {literal(signs[0])}, {literal(signs[1])})"


def _is_plain(raw: str) -> str:
    return f"(strlen({raw}) = length({raw}) AND NOT regexp_matches({raw}, '[^ -~\\t\\n\\r]'))"
