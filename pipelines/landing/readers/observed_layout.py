"""What a delimited file shows of its own layout: its separator and where its headings stand.

Not here: reading its records (`delimited`), matching its headings (`columns`).

A feed says how its files are laid out, and nearly all are so. Where one is not, and there is only
one way in which every heading is found, that way is taken and told. Any other file is left to the
declared layout, under which the reader will say what is wrong.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from pipelines.core.findings import DeliveryError, Finding
from pipelines.landing.columns import (
    are_titles,
    has_all,
    is_header,
    matched,
    merged_headings,
)
from pipelines.landing.lines import text_lines
from pipelines.landing.readers.delimited import separator_line
from pipelines.landing.readers.records import dialect
from pipelines.landing.refuse import finding
from pipelines.landing.report_number import has_number
from schemas.feed import Feed, Layout

SEPARATORS = (";", ",", "\t", "|")
ROWS_ABOVE = 20  # of titles, at most
NAMED = {"\t": "tab"}


@dataclass(frozen=True)
class ObservedLayout:
    """The layout of one file, and what is to be told where it is not the declared one."""

    layout: Layout
    notes: tuple[Finding, ...] = ()


def observe_layout(text: Path, shown: Path, feed: Feed, declared: Layout) -> ObservedLayout:
    """The layout in which the file `text` (UTF-8) has all headings of `feed`."""
    last = max(declared.header_rows)
    try:
        with text_lines(text) as lines:
            head = list(islice(lines, last + ROWS_ABOVE))
    except UnicodeDecodeError:
        return ObservedLayout(declared)  # the reader says so, and where
    if not head:
        return ObservedLayout(declared)
    named = separator_line([head[0]], "")
    added = bool(named) + any(map(has_number, head[:2]))
    rows = tuple(row + added for row in declared.header_rows)
    delimiter = named or declared.delimiter
    agreed = declared.model_copy(update={"delimiter": delimiter, "header_rows": rows})
    usual = headings_of(head, agreed)
    if has_all(feed, usual):
        return _told(shown, declared, agreed, agreed)
    found = [one for one in _others(agreed, bool(named)) if has_all(feed, headings_of(head, one))]
    if len(found) == 1 and are_titles(feed, _above(head, found[0])):
        return _told(shown, declared, agreed, found[0])
    return ObservedLayout(agreed, _suspected(head, shown, feed, agreed))


def headings_of(head: Sequence[str], layout: Layout) -> list[str]:
    """The headings that the first lines of a file have in a layout; none where they are not so."""
    try:
        rows = list(csv.reader(head, **dialect(layout)))
    except csv.Error:
        return []
    if max(layout.header_rows) > len(rows):
        return []
    return merged_headings([rows[at - 1] for at in layout.header_rows])


def _above(head: Sequence[str], layout: Layout) -> list[list[str]]:
    """The cells of the lines above the headings of a layout in which there are some."""
    return list(csv.reader(head[: min(layout.header_rows) - 1], **dialect(layout)))


def _others(agreed: Layout, is_named: bool) -> Iterator[Layout]:
    """The layouts that a file may have instead: another separator, headings on other rows."""
    separators = (agreed.delimiter,) if is_named else (agreed.delimiter, *SEPARATORS)
    first = min(agreed.header_rows)
    for delimiter in dict.fromkeys(separators):
        for shift in range(1 - first, ROWS_ABOVE):
            rows = tuple(row + shift for row in agreed.header_rows)
            if (delimiter, shift) != (agreed.delimiter, 0):
                yield agreed.model_copy(update={"delimiter": delimiter, "header_rows": rows})


def _told(shown: Path, declared: Layout, agreed: Layout, found: Layout) -> ObservedLayout:
    notes = []
    if found.delimiter != declared.delimiter:
        values = {"found": _named(found.delimiter), "agreed": _named(declared.delimiter)}
        notes.append(finding("DEL-756", shown, **values))
    if found.header_rows != agreed.header_rows:
        rows = {"row": max(found.header_rows), "agreed": max(agreed.header_rows)}
        notes.append(finding("DEL-757", shown, **rows))
    return ObservedLayout(found, tuple(notes))


def _suspected(head: Sequence[str], shown: Path, feed: Feed, agreed: Layout) -> tuple[Finding, ...]:
    """The separator that the headings have, where they are not all there in any layout."""
    if is_header(feed, headings_of(head, agreed)):
        return ()
    for delimiter in SEPARATORS:
        other = agreed.model_copy(update={"delimiter": delimiter})
        headings = headings_of(head, other)
        if delimiter != agreed.delimiter and is_header(feed, headings):
            values = {"found": _named(delimiter), "agreed": _named(agreed.delimiter)}
            return (finding("DEL-761", shown, **values), *_wrong(feed, headings, shown, agreed))
    return ()


def _wrong(feed: Feed, headings: Sequence[str], shown: Path, agreed: Layout) -> tuple[Finding, ...]:
    """The columns that are wrong in a row of headings."""
    try:
        matched(feed, headings, shown, header_row=max(agreed.header_rows))
    except DeliveryError as refusal:
        return tuple(refusal.findings)
    return ()


def _named(delimiter: str) -> str:
    return NAMED.get(delimiter, delimiter)
