"""A file of a feed without what the feed does not read: names, narratives, unknown columns.

Not here: workbooks, whose cells `excerpt` writes one by one; which rows are wanted (`validate`).

Beside what is taken out, every record stays as its text stands: a quotation mark that no cell needs
may go, and the spaces between the keys of JSON. A heading stays, so that the file is still a
delivery of the feed.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from pipelines.landing.columns import Columns, matched
from pipelines.landing.readers.delimited import open_delimited
from pipelines.landing.readers.encoding import written_as
from pipelines.landing.readers.json import OBJECTS, KeyPath, open_json
from pipelines.landing.readers.records import dialect
from pipelines.landing.report_number import ReportNumber, numbered_lines
from schemas.sqltext import literal

if TYPE_CHECKING:
    import duckdb

    from schemas.feed import Feed, Layout

GEOMETRY = "geometry"
BATCH_RECORDS = 256  # one may have megabytes
BLOCK_CHARS = 1 << 20


def read_positions(columns: Columns) -> frozenset[int]:
    """Where the columns are that are read: for their values, or to tell what is no data."""
    return frozenset([*columns.kept.values(), *(at for at, _pattern in columns.skip_tests)])


def write_read_cells(  # noqa: PLR0917  (a file, how it is read, and where to)
    file: Path,
    feed: Feed,
    layout: Layout,
    encoding: str,
    sink: IO[str],
    number: ReportNumber | None = None,
) -> None:
    """Write the delimited `file` to `sink`, every cell empty in columns that are not read.

    `encoding` is what the reader said of it. Each record must have a cell for each heading. Raises
    DeliveryError for a file that is none of the feed.
    """
    plain = utf8_copy(file, encoding)
    source = open_delimited(plain, file, layout)
    columns = matched(feed, source.headings, file, header_row=max(layout.header_rows))
    kept = read_positions(columns)
    unread = [at for at in range(columns.width) if at not in kept]
    with _opened(file, encoding) as lines:
        above = list(islice(lines, source.lines_before))
        sink.writelines(numbered_lines(above, number, is_hidden=bool(source.hidden)))
        end = above[-1][len(above[-1].rstrip("\r\n")) :] or "\n"
        records = csv.reader(lines, **dialect(layout))
        writer = csv.writer(sink, **{**dialect(layout), "lineterminator": end})
        writer.writerows(_emptied(records, unread))


def write_read_values(
    connection: duckdb.DuckDBPyConnection,
    file: Path,
    feed: Feed,
    layout: Layout,
    encoding: str,
) -> Iterator[str]:
    """The records of the JSON `file`, each as text, without the keys that are not read.

    Raises DeliveryError for a file that is none of the feed, ValueError where a key cannot be
    taken out: it is an object in one record and none in another.
    """
    scratch = file.parent / "unread"
    scratch.mkdir(exist_ok=True)
    records = open_json(connection, utf8_copy(file, encoding), file, layout, scratch)
    columns = matched(feed, records.headings, file, header_row=1, is_json=True)
    kept = read_positions(columns)
    paths = [_path(pointer) for pointer in records.pointers]
    read = [paths[at] for at in kept]
    # Without its point a feature is no record.
    unread = [path for at, path in enumerate(paths) if at not in kept and path[0] != GEOMETRY]
    body = f"json_merge_patch(body, {literal(json.dumps(_removal(unread, read)))}::JSON)"
    try:
        found = connection.execute(
            f"SELECT {body}::VARCHAR FROM {OBJECTS} WHERE body IS NOT NULL ORDER BY rowid"
        )
        while batch := found.fetchmany(BATCH_RECORDS):
            yield from (text for (text,) in batch)
    finally:
        connection.execute(f"DROP TABLE IF EXISTS {OBJECTS}")


def utf8_copy(file: Path, encoding: str) -> Path:
    """A copy beside `file` in UTF-8, to find its headings in; what is no letter is replaced."""
    copy = file.with_name(f"{file.name}.utf8")
    with _opened(file, encoding, errors="replace") as lines, copy.open("w", newline="") as stream:
        stream.reconfigure(encoding="utf-8")
        while block := lines.read(BLOCK_CHARS):
            stream.write(block)
    return copy


def _opened(file: Path, encoding: str, errors: str = "surrogateescape") -> io.TextIOWrapper:
    """`file` for reading behind its byte order mark, line ends as they are."""
    mark, codec = written_as(file, encoding)
    stream = file.open("rb")
    stream.seek(len(mark))
    return io.TextIOWrapper(stream, encoding=codec, errors=errors, newline="")


def _emptied(records: Iterable[list[str]], unread: list[int]) -> Iterator[list[str]]:
    """The records, those cells empty: what was set aside is few, and only a parser can split it."""
    for record in records:
        for at in unread:
            if at < len(record):
                record[at] = ""
        yield record


def _removal(unread: list[KeyPath], read: list[KeyPath]) -> dict[str, Any]:
    """A JSON merge patch (RFC 7396) that takes the unread leaves out, and what is empty then."""
    patch: dict[str, Any] = {}
    for path in unread:
        above = (path[:depth] for depth in range(1, len(path) + 1))
        free = next((one for one in above if _is_free(one, read)), None)
        if free is None:
            raise ValueError("a key that is not read is also an object with keys that are")
        place = patch
        for key in free[:-1]:
            place = place.setdefault(key, {})
        place[free[-1]] = None
    return patch


def _is_free(path: KeyPath, read: list[KeyPath]) -> bool:
    """True where nothing that is read lies at or below the path."""
    return all(one[: len(path)] != path for one in read)


def _path(pointer: str) -> KeyPath:
    """The keys of a JSON pointer (RFC 6901)."""
    return tuple(key.replace("~1", "/").replace("~0", "~") for key in pointer.split("/")[1:])
