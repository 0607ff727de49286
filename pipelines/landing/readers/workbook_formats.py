"""Cells of a workbook as text: of a column by kind, and of a number as its format shows it (0012).

Not here: finding the cells in the archive (`workbook_safety`), putting their text in (`workbook`).
"""

from __future__ import annotations

import datetime as dt
import re
from typing import TYPE_CHECKING, Any

from defusedxml.ElementTree import fromstring

if TYPE_CHECKING:
    import pandas as pd

# A text in quotes, an escaped sign, a place for a figure, a sign that stands for itself, and the
# two that make room: `_)` and `*-`. Anything else (a decimal sign, a thousands separator, a day)
# makes a format with which nothing is written out here.
_PIECE = re.compile(r'"([^"]*)"|\\(.)|([0#?])|([-/ ()+:])|_.|\*.')
FEWEST_ZEROS = 2
EXACT_BELOW = 10**15  # Excel keeps no more figures than 15


def shown_formats(styles: bytes) -> dict[int, str]:
    """The formats that show a whole number with leading zeros or with signs, by style of a cell.

    `styles` is the part of that name, known to be harmless. Raises ParseError.
    """
    root = fromstring(styles)
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


def as_text(cells: pd.Series[Any]) -> pd.Series[Any]:
    """One column of Python values as text, kind by kind."""
    import pandas as pd

    kinds = cells.map(type)
    text = cells.astype(str).astype(object)
    for kind, convert in _CONVERSIONS.items():
        of_kind = kinds == kind
        if of_kind.any():
            text[of_kind] = convert(pd.Series(cells[of_kind].tolist(), index=cells.index[of_kind]))
    return text


def _dates(cells: pd.Series[Any]) -> pd.Series[Any]:
    text: pd.Series[str] = cells.dt.round("s").dt.strftime("%Y-%m-%d %H:%M:%S")
    return text.str.removesuffix(" 00:00:00")


def _durations(cells: pd.Series[Any]) -> pd.Series[Any]:
    """Excel's `[h]:mm`: hours may pass 24."""
    seconds = cells.dt.total_seconds().round().astype(int)
    parts = (seconds // 3600, seconds // 60 % 60, seconds % 60)
    hours, minutes, rest = (part.astype(str).str.zfill(2) for part in parts)
    text: pd.Series[Any] = hours + ":" + minutes + ":" + rest
    return text


def _whole(number: int) -> str:
    return str(number) if abs(number) < EXACT_BELOW else f"{number:.14E}"


_CONVERSIONS: dict[type, Any] = {
    dt.datetime: _dates,
    dt.timedelta: _durations,
    dt.time: lambda cells: cells.astype(str).str.slice(0, 8),
    float: lambda cells: cells.map("{:.15g}".format),
    int: lambda cells: cells.map(_whole),
    bool: lambda cells: cells.map({True: "TRUE", False: "FALSE"}),
}
