"""The array of records inside a JSON document, cut out by streaming; and how deep a text nests.

Not here: what the records hold (`json`). Nothing here keeps more than a few blocks in memory.
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator
from itertools import accumulate
from pathlib import Path

from pipelines.core.findings import DeliveryError
from pipelines.landing.refuse import KILOBYTE, refusal

BLOCK_BYTES = 4 * 1024**2
HEAD_BYTES = 4 * 1024**2  # the records must begin within; what stands before them is small
LONGEST_STRING_BYTES = 16 * 1024**2
DEEPEST = 64

_STRING = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"', re.DOTALL)
_STEP = {ord("["): 1, ord("{"): 1, ord("]"): -1, ord("}"): -1}
_NOT_BRACKETS = bytes(sorted(set(range(256)) - set(_STEP)))
_BLANK = re.compile(r"[\s\ufeff]*")


def slice_array(file: Path, path: str, target: Path, shown: Path) -> Path:
    """Write the array at `path` (`$`, `$.data.events`) of the UTF-8 document `file` to `target`.

    Raises DeliveryError: DEL-701 for a beginning that is not UTF-8 (the rest is the reader's to
    find out), DEL-706 where it is blank, DEL-711 for a text that is no JSON, a bracket that never
    closes, text after the end, nesting deeper than `DEEPEST`, DEL-733 where the document has no
    such key, or something else than an array in its place.
    """
    with file.open("rb") as stream:
        head = stream.read(HEAD_BYTES)
    start = array_start(head, path, shown)
    line = 1 + head.count(b"\n", 0, start)
    above = depth = len(path_keys(path))
    is_cut = False
    with target.open("wb") as sink:
        for part, brackets in _whole_strings(file, start, line, shown):
            depths = [*accumulate(map(_STEP.__getitem__, brackets), initial=depth)][1:]
            is_over = depth == 0 and (is_cut or above > 0)
            if depths and (is_over or 0 in depths[:-1] or max(depths) > above + DEEPEST):
                raise refusal("DEL-711", shown, row=line)
            if not is_cut:
                is_cut = bool(depths) and min(depths) <= above
                sink.write(part[: _closing(part, depth - above)] if is_cut else part)
            depth = depths[-1] if depths else depth
            line += part.count(b"\n")
    if depth != 0 or not _ends_with_bracket(file):
        raise refusal("DEL-711", shown, row=line)
    return target


def path_keys(path: str) -> list[str]:
    """`$.data.events` → `data`, `events`."""
    return [key for key in path.removeprefix("$").split(".") if key]


def is_too_deep(text: str) -> bool:
    """True where `text` nests deeper than `DEEPEST` (DuckDB's JSON functions recurse)."""
    brackets = _STRING.sub(b"", text.encode()).translate(None, _NOT_BRACKETS)
    return max(accumulate(map(_STEP.__getitem__, brackets)), default=0) > DEEPEST


def array_start(head: bytes, path: str, shown: Path) -> int:
    """The offset of the opening bracket of the array that `path` leads to.

    `head` is the beginning of the document. Raises DeliveryError as `slice_array`.
    """
    keys = path_keys(path)
    try:  # not final: the block may end inside a letter
        text = codecs.getincrementaldecoder("utf-8")("strict").decode(head)
    except UnicodeDecodeError:
        raise refusal("DEL-701", shown, encoding="utf-8") from None
    at = _skip_blank(text, 0)
    if at == len(text):
        raise refusal("DEL-706", shown)
    for key in keys:
        at = _value_of(text, at, key, path, shown)
    if text[at : at + 1] != "[":
        raise _other_shape(text, at, path, shown)
    return len(text[:at].encode())


def _value_of(text: str, at: int, key: str, path: str, shown: Path) -> int:
    """Where the value of `key` begins in the object that begins at `at`."""
    decoder = json.JSONDecoder()
    try:
        if text[at] != "{":
            raise _other_shape(text, at, path, shown)
        at = _skip_blank(text, at + 1)
        while text[at] != "}":
            name, at = decoder.raw_decode(text, at)
            at = _skip_blank(text, at)
            at = _skip_blank(text, _after(text, at, ":"))
            if name == key:
                return at
            _, at = decoder.raw_decode(text, at)
            at = _skip_blank(text, at)
            if text[at] != "}":
                at = _skip_blank(text, _after(text, at, ","))
    except (ValueError, IndexError, RecursionError):
        raise _broken(text, at, shown) from None
    raise refusal("DEL-733", shown, path=path)


def _after(text: str, at: int, sign: str) -> int:
    """The place after `sign`, which must stand at `at`. Raises ValueError where it does not."""
    if text[at] != sign:
        raise ValueError(sign)
    return at + 1


def _other_shape(text: str, at: int, path: str, shown: Path) -> DeliveryError:
    """The refusal of what stands where a part of `path` should: other JSON, or none at all."""
    try:
        json.JSONDecoder().raw_decode(text, at)
    except (ValueError, RecursionError):
        is_cut = text[at] in "{[" and len(text.encode()) > HEAD_BYTES - 4  # at a whole letter
        if not is_cut:
            return _broken(text, at, shown)
    return refusal("DEL-733", shown, path=path)


def _broken(text: str, at: int, shown: Path) -> DeliveryError:
    return refusal("DEL-711", shown, row=1 + text.count("\n", 0, at))


def _skip_blank(text: str, at: int) -> int:
    found = _BLANK.match(text, at)
    return found.end() if found else at


def _whole_strings(
    file: Path, start: int, first_line: int, shown: Path
) -> Iterator[tuple[bytes, bytes]]:
    """The bytes from `start` in parts that cut no string, each with its brackets outside strings.

    Raises DeliveryError: DEL-707 for a string beyond the limit, DEL-711 for one that never ends.
    """
    carry, line = b"", first_line
    with file.open("rb") as stream:
        stream.seek(start)
        while block := stream.read(BLOCK_BYTES):
            text = carry + block
            bare = _STRING.sub(b"", text)
            quote = bare.find(b'"')
            # All that follows the first quotation mark left over is as it was in `text`.
            open_bytes = len(bare) - quote if quote >= 0 else 0
            if open_bytes > LONGEST_STRING_BYTES:
                limit_kb = LONGEST_STRING_BYTES // KILOBYTE
                raise refusal("DEL-707", shown, row=line, limit_kb=limit_kb)
            part, carry = text[: len(text) - open_bytes], text[len(text) - open_bytes :]
            yield part, bare[: len(bare) - open_bytes].translate(None, _NOT_BRACKETS)
            line += part.count(b"\n")
    if carry:
        raise refusal("DEL-711", shown, row=line)


def _closing(part: bytes, depth: int) -> int:
    """The length of `part` up to and with the bracket that brings `depth` to nought."""
    skeleton = _STRING.sub(lambda found: b" " * len(found[0]), part)
    for bracket in re.finditer(rb"[\[\]{}]", skeleton):
        depth += _STEP[bracket[0][0]]
        if depth <= 0:
            return bracket.end()
    return len(part)


def _ends_with_bracket(file: Path) -> bool:
    with file.open("rb") as stream:
        stream.seek(max(0, file.stat().st_size - 4096))
        return stream.read().rstrip()[-1:] in (b"]", b"}")
