"""Numbers that a workbook shows otherwise than it keeps them: 12 under the format `0000` is 0012.

Not here: finding the cells in the archive (`workbook_safety`), putting their text in (`workbook`).
"""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

# A text in quotes, an escaped sign, a place for a figure, a sign that stands for itself, and the
# two that make room: `_)` and `*-`. Anything else (a decimal sign, a thousands separator, a day)
# makes a format with which nothing is written out here.
_PIECE = re.compile(r'"([^"]*)"|\\(.)|([0#?])|([-/ ()+:])|_.|\*.')
FEWEST_ZEROS = 2


def shown_formats(styles: bytes) -> dict[int, str]:
    """The formats that show a whole number with leading zeros or with signs, by style of a cell.

    `styles` is the part of that name, known to be harmless. Raises ET.ParseError.
    """
    root = ET.fromstring(styles)  # noqa: S314  (a part with a DOCTYPE was refused before)
    codes = {
        one.get("numFmtId"): str(one.get("formatCode"))
        for one in root.iterfind("{*}numFmts/{*}numFmt")
    }
    styled = enumerate(root.iterfind("{*}cellXfs/{*}xf"))
    found = {style: codes.get(one.get("numFmtId"), "") for style, one in styled}
    return {style: code for style, code in found.items() if _is_shown(code)}


def shown_text(number: int, code: str) -> str:
    """A whole number as Excel shows it under a format of `shown_formats`."""
    pieces = _pieces(code)
    digits = list(str(abs(number)).zfill(sum(sign == "0" for sign, is_place in pieces if is_place)))
    shown: list[str] = []
    places = sum(is_place for _sign, is_place in pieces)
    for sign, is_place in reversed(pieces):
        if not is_place:
            shown.insert(0, sign)
            continue
        places -= 1
        if not places:  # the first place takes all figures that are left
            shown.insert(0, "".join(digits))
        elif digits:
            shown.insert(0, digits.pop())
    return ("-" if number < 0 else "") + "".join(shown).strip()


def _is_shown(code: str) -> bool:
    pieces = _pieces(code)
    zeros = sum(sign == "0" for sign, is_place in pieces if is_place)
    signs = "".join(sign for sign, is_place in pieces if not is_place).strip()
    return zeros >= FEWEST_ZEROS or (zeros > 0 and bool(signs))


def _pieces(code: str) -> list[tuple[str, bool]]:
    """The first section of a format: signs, and places for figures (True); empty for another."""
    section, pieces, at = code.partition(";")[0], [], 0
    for found in _PIECE.finditer(section):
        if found.start() != at:
            return []
        at = found.end()
        quoted, escaped, place, sign = found.groups()
        if place:
            pieces.append((place, True))
        elif text := (quoted or escaped or sign):
            pieces.append((text, False))
    return pieces if at == len(section) else []
