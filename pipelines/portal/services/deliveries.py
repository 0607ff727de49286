"""What came in, as the portal shows it: lists, and one delivery with its reasons.

Lists come from the catalogue, and from the landing what the catalogue does not have yet, so that a
file is seen from the moment that it is kept. No value of a cell is in a list.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Hashable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from pipelines.core.settings import Settings
from pipelines.landing.receive import Delivery, open_delivery
from pipelines.portal.services import AbsentError
from pipelines.portal.services.cache import remembered, stamp, while_nothing_changes
from pipelines.portal.services.scope import Scope
from pipelines.validate.verdict import Verdict, read_verdict
from schemas.feed import feed_names
from schemas.text import Language

if TYPE_CHECKING:
    import duckdb

    from pipelines.lake.questions import Question
    from pipelines.validate.report_page import Cell

PAGE_ROWS = 25
FIRST_ROWS = 8
FIRST_CELLS = 20
# A page reads the original again for its cells; of a larger file the workbook is asked for.
SHOWN_BYTES = 16 << 20
State = Literal["waiting", "accepted", "held", "refused"]
STATES: tuple[State, ...] = ("waiting", "accepted", "held", "refused")
COLUMNS = (
    "delivery_id, feed, sha256, file_name, received_at, received_by, origin, state, encoding, "
    "rows_read, rows_accepted, rows_quarantined, rows_exact_duplicates"
)


@dataclass(frozen=True)
class Line:
    """One delivery in a list; counts are None where it was not read."""

    delivery_id: str
    feed: str
    sha256: str
    file_name: str
    received_at: dt.datetime
    received_by: str
    origin: str
    state: State
    encoding: str
    rows_read: int | None
    rows_accepted: int | None
    rows_quarantined: int | None
    rows_exact_duplicates: int | None
    is_published: bool


@dataclass(frozen=True)
class DeliveryFilter:
    """What of the deliveries in a scope is asked for; days are inclusive, in UTC."""

    scope: Scope
    feed: str = ""
    state: str = ""
    since: dt.date | None = None
    until: dt.date | None = None


@dataclass(frozen=True)
class DeliveryPage:
    """One page of a list, the latest first."""

    lines: list[Line]
    total: int
    page: int
    pages: int


@dataclass(frozen=True)
class RuleCount:
    """A rule that rows of a delivery did not meet: in how many, and the first of their numbers."""

    code: str
    rows: int
    first_rows: tuple[str, ...] = ()


def state_of(settings: Settings) -> Hashable:
    """Another value whenever a list of deliveries may be another."""
    feeds = tuple(feed_names())
    catalogue = stamp(settings)
    newer = _newer(settings, feeds, _published(settings, feeds))
    waiting = [tuple(sorted(one.items())) for one in newer]
    return catalogue, str(settings.landing), tuple(waiting)


@while_nothing_changes(stamp)
def _published(settings: Settings, feeds: Sequence[str]) -> dict[str, str]:
    import duckdb

    from pipelines.lake.catalogue import connect
    from pipelines.lake.errors import NothingPublishedError

    with (
        suppress(NothingPublishedError, duckdb.CatalogException),
        closing(connect(settings)) as found,
    ):
        states = "SELECT delivery_id, state FROM deliveries WHERE list_contains(?, feed)"
        return dict(found.execute(states, [list(feeds)]).fetchall())
    return {}


@while_nothing_changes(state_of)
def list_deliveries(
    settings: Settings, asked: DeliveryFilter, page: int = 1, size: int = PAGE_ROWS
) -> DeliveryPage:
    """The deliveries asked for; a page beyond the last is the last."""
    with known(settings, asked) as connection:
        [(total,)] = connection.execute("SELECT count(*) FROM known").fetchall()
        pages = max(1, math.ceil(total / size))
        page = min(max(page, 1), pages)
        rows = connection.execute(
            f"SELECT {COLUMNS}, is_published FROM known "
            "ORDER BY received_at DESC, delivery_id LIMIT ? OFFSET ?",
            [size, (page - 1) * size],
        ).fetchall()
    return DeliveryPage([Line(*row) for row in rows], total, page, pages)


def _condition(asked: DeliveryFilter) -> tuple[str, list[Any]]:
    """The SQL condition of what is asked, and its values."""
    scope = asked.scope
    parts = ["list_contains(?, feed)", "(NOT list_contains(?, feed) OR origin = ?)"]
    values: list[Any] = [list(scope.feeds), list(scope.shared), scope.origin]
    for sql, value in (
        ("feed = ?", asked.feed),
        ("state = ?", asked.state),
        ("received_at >= ?", asked.since),
        ("received_at < ?", asked.until + dt.timedelta(days=1) if asked.until else None),
    ):
        if value:
            parts.append(sql)
            values.append(value)
    return " AND ".join(parts), values


@contextmanager
def known(settings: Settings, asked: DeliveryFilter) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection to the catalogue with the table `known`: the deliveries asked for.

    Before anything is published there is only what lies in the landing.
    """
    import duckdb

    from pipelines.lake.catalogue import connect
    from pipelines.lake.errors import NothingPublishedError

    feeds = asked.scope.feeds
    published: dict[str, str] = {}
    try:
        connection = connect(settings)
        connection.execute("SET threads = 2")
    except NothingPublishedError:
        connection = duckdb.connect(config={"autoinstall_known_extensions": False})
    with closing(connection):
        source = f"SELECT {COLUMNS}, is_published FROM newer WHERE false"
        with suppress(duckdb.CatalogException):
            found = connection.execute(
                "SELECT delivery_id, state FROM deliveries WHERE list_contains(?, feed)",
                [list(feeds)],
            )
            published = dict(found.fetchall())
            source = f"SELECT {COLUMNS}, true AS is_published FROM deliveries"
        connection.register("unpublished", _unpublished(settings, feeds, published))
        connection.execute(
            f"CREATE TEMP TABLE newer AS SELECT {COLUMNS}, false AS is_published FROM unpublished"
        )
        connection.unregister("unpublished")
        where, values = _condition(asked)
        connection.execute(
            f"CREATE TEMP TABLE known AS FROM (FROM ({source}) WHERE delivery_id NOT IN "
            f"(SELECT delivery_id FROM newer) UNION ALL FROM newer) WHERE {where}",
            values,
        )
        yield connection


def _unpublished(settings: Settings, feeds: Sequence[str], published: dict[str, str]) -> Any:
    """What lies in the landing and is not in the catalogue, or was judged anew since, as Arrow."""
    import pyarrow as pa

    lines = _newer(settings, feeds, published)
    kinds = {name.strip(): pa.string() for name in COLUMNS.split(",")}
    kinds |= {name: pa.int64() for name in kinds if name.startswith("rows_")}
    kinds["received_at"] = pa.timestamp("us")
    return pa.Table.from_pylist(lines, pa.schema(kinds))


def _newer(
    settings: Settings, feeds: Sequence[str], published: dict[str, str]
) -> list[dict[str, Any]]:
    lines: list[dict[str, Any]] = []
    for feed in feeds:
        for mark in _marks(settings, feed):
            delivery_id = f"{feed}.{mark}"
            if published.get(delivery_id) in ("accepted", "held"):
                continue
            with suppress(KeyError):
                delivery = open_delivery(settings, delivery_id)
                verdict = verdict_of(delivery)
                if verdict is None or verdict.state != published.get(delivery_id):
                    lines.append(_line(delivery, verdict))
    return lines


def _marks(settings: Settings, feed: str) -> list[str]:
    """The marks of a feed's deliveries: twelve digits of each folder's name; nothing is opened."""
    try:
        folders = [one.name for one in (settings.landing / feed).iterdir()]
    except (FileNotFoundError, NotADirectoryError):
        return []
    return [name[:12] for name in folders if not name.startswith(".")]


def _line(delivery: Delivery, verdict: Verdict | None) -> dict[str, Any]:
    receipt = delivery.receipt
    said = verdict.model_dump() if verdict else {"state": "waiting"}
    known = {name: said.get(name, getattr(receipt, name, None)) for name in COLUMNS.split(", ")}
    return known | {"received_at": receipt.received_at.astimezone(dt.UTC).replace(tzinfo=None)}


def verdict_of(delivery: Delivery) -> Verdict | None:
    """The verdict of a delivery, None while it has none."""
    try:
        return read_verdict(delivery.folder)
    except FileNotFoundError:
        return None


def find(settings: Settings, delivery_id: str, scope: Scope) -> Delivery:
    """The delivery of that id in the scope.

    Raises AbsentError alike where there is none and where it is somebody else's.
    """
    if delivery_id.rpartition(".")[0] not in scope.feeds:
        raise AbsentError
    try:
        delivery = open_delivery(settings, delivery_id)
    except KeyError:
        raise AbsentError from None
    if not scope.has(delivery):
        raise AbsentError
    return delivery


@while_nothing_changes(state_of)
def is_published(settings: Settings, delivery_id: str) -> bool:
    """True where readers of the catalogue see the rows of this delivery."""
    feed = delivery_id.rpartition(".")[0]
    with known(settings, DeliveryFilter(Scope((feed,)))) as connection:
        found = connection.execute(
            "SELECT is_published FROM known WHERE delivery_id = ?", [delivery_id]
        ).fetchall()
    return found == [(True,)]


@dataclass(frozen=True)
class RejectedCells:
    """The first rejected cells as they were sent, and the names of the workbook's sheets."""

    cells: list[Cell]
    sheets: tuple[str, ...] = ()


def reasons(
    settings: Settings, delivery: Delivery, verdict: Verdict, sheets: Sequence[str] = ()
) -> list[RuleCount]:
    """By rule, how many rows were set aside and the first of them; the most frequent first."""
    if not (verdict.is_accepted and verdict.rows_quarantined):
        return []
    return _reasons(settings, delivery, verdict.harmonised_at, tuple(sheets))


# An accepted verdict never changes, but another judgement may take its place.
@remembered(lambda _settings, delivery, *more: (str(delivery.folder), *more))
def _reasons(
    settings: Settings, delivery: Delivery, _judged_at: dt.datetime, sheets: tuple[str, ...]
) -> list[RuleCount]:
    import duckdb

    from pipelines.ingest.ingest import local_part

    part = local_part(settings, delivery, "quarantined")
    with part as quarantined, closing(duckdb.connect()) as connection:
        rows = connection.execute(
            "SELECT code, count(*), list(source_row ORDER BY source_row)[:?] FROM "
            "(SELECT unnest(reasons) AS code, source_row FROM read_parquet(?)) "
            "GROUP BY code ORDER BY count(*) DESC, code",
            [FIRST_ROWS, str(quarantined)],
        ).fetchall()
    return [RuleCount(code, count, _placed(first, sheets)) for code, count, first in rows]


def _placed(rows: Sequence[int], sheets: Sequence[str]) -> tuple[str, ...]:
    """Row numbers as the sender sees them; of several sheets, `name: row` or `number: row`."""
    from pipelines.landing.readers.workbook import sheet_and_row

    placed = [sheet_and_row(row) for row in rows]
    is_many = len(sheets) > 1 or any(sheet for sheet, _row in placed)
    names = dict(enumerate(sheets))
    return tuple(
        f"{names.get(sheet, sheet + 1)}: {row}" if is_many else str(row) for sheet, row in placed
    )


def rows_reused(question: Question | None) -> int:
    """Rows that are held for a number that another event bore before: their sender mends them."""
    return question.reused if question else 0


def warnings(verdict: Verdict) -> list[RuleCount]:
    """By rule, how many accepted rows deserve a second look."""
    counts = verdict.warning_counts.items()
    return [RuleCount(code, rows) for code, rows in sorted(counts, key=lambda c: (-c[1], c[0]))]


def look(
    settings: Settings, delivery: Delivery, verdict: Verdict, question: Question | None = None
) -> RejectedCells:
    """The first rejected cells, with those of rows that are held: only for who sent them.

    None of a large file, which would have to be read through for them, nor where rows are only
    held: the question names those.
    """
    from pipelines.portal import words

    if not verdict.rows_quarantined or delivery.receipt.bytes > SHOWN_BYTES:
        return RejectedCells([])
    asked = question.model_dump_json() if question else ""
    return _look(settings, delivery, verdict, asked, words.language())


def _as_looked(_settings: Settings, delivery: Delivery, verdict: Verdict, *more: str) -> Hashable:
    return str(delivery.folder), verdict.model_dump_json(), *more


@remembered(_as_looked)
def _look(
    settings: Settings, delivery: Delivery, verdict: Verdict, _asked: str, language: Language
) -> RejectedCells:
    from pipelines.core.i18n import translator
    from pipelines.validate.report import gathered
    from pipelines.validate.report_page import first_cells

    with gathered(settings, delivery, verdict, language) as report:
        cells = first_cells(report, translator(language)("(whole row)"), FIRST_CELLS)
        return RejectedCells(cells, report.rows.sheets if report.rows else ())
