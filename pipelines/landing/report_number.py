"""The number that our own report bears, so that a file made from it says which rows it corrects.

Not here: the report and its rows (`validate`), and which version stands (`lake.revisions`).

`<delivery>.<moment of its judgement>`, UTC. It is in the properties of a workbook, in a line above
the headings of delimited text, in the first record of JSON, and in the file's name. What was judged
at that moment had come before, so a file that bears the number came after it, whatever the clock of
the machine says that it was written on.
"""

from __future__ import annotations

import datetime as dt
import json
import re
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from pipelines.core.i18n import mark, translator
from schemas.text import LANGUAGES

KEY = "passerelle_report"
FORM = "%Y%m%dT%H%M%S%f"
HEAD_BYTES = 64 * 1024
BLOCK_BYTES = 1 << 20
PROPERTIES = ("docProps/custom.xml", "meta.xml")  # of Excel, of OpenDocument
BROKEN = (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, ValueError)
OLE_MARK, ZIP_MARK = bytes.fromhex("d0cf11e0a1b11ae1"), b"PK\x03\x04"
# Sheets of the report that are for reading; those behind them hold rows.
SUMMARY, CELLS = mark("Summary"), mark("Cells to look at")
_NUMBER = re.compile(r"(?<![a-z0-9_])([a-z0-9_]+)\.([0-9a-f]{12})\.(\d{8}T\d{12})(?!\d)")
_LINE = re.compile(rf'"?# {KEY}: {_NUMBER.pattern}')
_MEMBER = re.compile(rf'"{KEY}"\s*:\s*"[^"]*"\s*,?\s*')
_IN_TEXT = re.compile(rf"{KEY}\W{{1,8}}{_NUMBER.pattern}")


@dataclass(frozen=True)
class ReportNumber:
    """The report on a delivery, as of one judgement of it (UTC)."""

    feed: str
    mark: str
    judged_at: dt.datetime

    def __str__(self) -> str:
        """As it is written in files."""
        return f"{self.feed}.{self.mark}.{self.judged_at:{FORM}}"

    @property
    def delivery_id(self) -> str:
        """The delivery that it reports on."""
        return f"{self.feed}.{self.mark}"


def number_of(delivery_id: str, judged_at: dt.datetime) -> ReportNumber:
    """The number of the report on a delivery that was judged at that moment (naive UTC)."""
    feed, _, mark = delivery_id.rpartition(".")
    return ReportNumber(feed, mark, judged_at.replace(tzinfo=dt.UTC))


def find_number(file: Path, file_name: str, feed: str) -> ReportNumber | None:
    """The number in a local file, else in its name; None where it is of no report on the feed.

    Raises OSError.
    """
    found = _numbers(_text_of(file)) or _numbers(file_name)
    return next((one for one in found if one.feed == feed), None)


def row_sheets(declared: str) -> str:
    """The pattern of the sheets of a report that hold rows, of those that a layout expects."""
    spoken = (translator(language) for language in LANGUAGES)
    others = "|".join(re.escape(say(title)) for say in spoken for title in (SUMMARY, CELLS))
    return rf"^(?!(?:{others})$)(?=.*?(?:{declared})).*$"


def has_number(line: str) -> bool:
    """Whether a line of delimited text is the one with the number."""
    return _LINE.match(line) is not None


def numbered_lines(
    lines: Iterable[str], number: ReportNumber | None, *, is_hidden: bool = False
) -> Iterator[str]:
    """Lines of delimited text, the number above them; `is_hidden`: below the first (`sep=;`).

    An earlier number goes.
    """
    if number is None:
        yield from lines
        return
    place = 1 if is_hidden else 0
    for at, line in enumerate(lines):
        if at == place:
            yield f"# {KEY}: {number}{line[len(line.rstrip(chr(13) + chr(10))) :]}"
        if at > place or not has_number(line):
            yield line


def numbered_records(records: Iterable[str], number: ReportNumber | None) -> Iterator[str]:
    """JSON objects, the number in the first of them; an earlier one goes."""
    for at, record in enumerate(records):
        if at or not number:
            yield record
            continue
        rest = _MEMBER.sub("", record.lstrip().removeprefix("{"), count=1)
        joint = "" if rest.lstrip().startswith("}") else ", "
        yield f"{{{json.dumps(KEY)}: {json.dumps(str(number))}{joint}{rest}"


def _text_of(file: Path) -> str:
    """What may hold the number: properties of a workbook, the head of a text."""
    with file.open("rb") as stream:
        head = stream.read(HEAD_BYTES)
        if head.startswith(OLE_MARK):
            return _in_blocks(file)
    if not head.startswith(ZIP_MARK):
        found = _IN_TEXT.search(_plain(head))
        return found[0] if found else ""
    texts = []
    with suppress(*BROKEN), zipfile.ZipFile(file) as archive:
        for name in set(PROPERTIES) & set(archive.namelist()):
            with archive.open(name) as part:
                texts.append(part.read(BLOCK_BYTES).decode("utf-8", "replace"))
    return " ".join(texts)


def _in_blocks(file: Path) -> str:
    """The number in an Excel 97 workbook, whose properties stand anywhere in it."""
    carry = ""
    with file.open("rb") as stream:
        while block := stream.read(BLOCK_BYTES):
            text = carry + _plain(block)
            if found := _NUMBER.search(text):
                return found[0]
            carry = text[-HEAD_BYTES:]
    return ""


def _plain(data: bytes) -> str:
    """Bytes as letters, of whatever encoding: the number has none but those of ASCII."""
    return data.replace(b"\0", b"").decode("latin-1")


def _numbers(text: str) -> list[ReportNumber]:
    found = []
    for feed, digits, moment in _NUMBER.findall(text):
        with suppress(ValueError):
            judged_at = dt.datetime.strptime(moment, FORM).replace(tzinfo=dt.UTC)
            found.append(ReportNumber(feed, digits, judged_at))
    return found
