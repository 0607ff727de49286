"""Previews of an extract before it is made: its first rows, how many, what is hidden and why.

What is shown is read from the very rows that the extract would hold, gathered in the same way, so
that nobody sees here what the file would not tell.

A look is bounded: few at once, in the memory and on the cores of a few, and stopped after a while.
Colleagues who ask for the same are shown the same, until the tables or the agreements change.
"""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from pipelines.core.i18n import mark
from pipelines.core.settings import Settings
from pipelines.portal.charts import Figure
from pipelines.portal.services import BusyError, preview_charts
from pipelines.portal.services.cache import remembered, stamp
from pipelines.portal.words import _, date, language, number
from pipelines.release.errors import ReleaseError
from pipelines.release.package.readme import OTHERS_ACROSS
from pipelines.release.query.counts import LEVEL
from pipelines.release.query.flow import Flow
from pipelines.release.request import Request
from schemas.agreement_folder import fingerprint
from schemas.contract import Contract
from schemas.sqltext import literal
from schemas.text import Language

if TYPE_CHECKING:
    import duckdb

    from pipelines.release.query.selection import Selection

AT_ONCE, WAIT_S, RETRY_S = 2, 45.0, 10
LONGEST_S = 12.0
COUNT_S, LEAST_COUNT_S, COUNT_WAIT_S = 4.0, 1.0, 0.5  # of one page, of one table, for a place
INTERRUPT_EVERY_S = 0.05
MEMORY, THREADS = "512MB", 2
KEPT_COUNTS, KEPT_LOOKS = 500, 100
LONGEST_CELL, LONGEST_WORD = 60, 24

_places = threading.BoundedSemaphore(AT_ONCE)
_turns: dict[tuple[Any, ...], _Turn] = {}
_guard = threading.Lock()

REASONS = {
    "ceiling": mark("Records marked above what the agreement lets out: {count}."),
    "sensitivity": mark("Records of sensitive cases, which the agreement keeps: {count}."),
    "delay": mark("Records still too recent for the agreement: {count}."),
    "restriction": mark("Records held back by the service that provided them: {count}."),
    "k": mark("Records too much alone, in which somebody might be recognised: {count}."),
}


@dataclass(frozen=True)
class PreviewPage:
    """What the page of a preview shows."""

    row_count: int = 0
    level: str = ""
    numbers: tuple[tuple[str, str], ...] = ()
    heads: tuple[Any, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    said: tuple[str, ...] = ()
    clauses: tuple[str, ...] = ()
    figures: list[Figure] = field(default_factory=list)
    is_too_long: bool = False
    absence: ReleaseError | None = None  # why there is nothing, where there is nothing


class _NoTimeError(Exception):
    """There is no time or no place for a count at this moment; the next who asks may have both."""


@dataclass
class _Turn:
    """Whose turn it is among those who ask for the same."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    waiting: int = 0


def show_preview(
    settings: Settings, request: Request, language: Language, limit: int
) -> PreviewPage:
    """The first `limit` rows of an extract and what is told of it. Raises ReleaseError."""
    shown = replace(request, language=language, format="csv")
    try:
        with _alone((state(settings), shown, limit)):
            return _look(settings, shown, limit)
    except TimeoutError:
        return PreviewPage(is_too_long=True)


@contextmanager
def _alone(key: tuple[Any, ...]) -> Iterator[None]:
    """Let those who ask for the same wait for the first of them. Raises BusyError after a while."""
    with _guard:
        turn = _turns.setdefault(key, _Turn())
        turn.waiting += 1
    try:
        if not turn.lock.acquire(timeout=WAIT_S):
            raise BusyError(RETRY_S)
        try:
            yield
        finally:
            turn.lock.release()
    finally:
        with _guard:
            turn.waiting -= 1
            if not turn.waiting:
                del _turns[key]


@remembered(lambda settings, *asked: (state(settings), *asked), KEPT_LOOKS)
def _look(settings: Settings, shown: Request, limit: int) -> PreviewPage:
    with _looking(settings, shown, LONGEST_S) as selection:
        heads, rows = _first_rows(selection, limit)
        summary = preview_charts.summary_of(selection)
        return PreviewPage(
            row_count=selection.row_count,
            level=selection.marking.level,
            numbers=_numbers(selection),
            heads=heads,
            rows=rows,
            said=tuple(_said(selection)),
            clauses=tuple(one.clause for one in selection.flow.clauses),
            absence=selection.absence,
            figures=preview_charts.figures(summary, selection.contract, shown.language),
        )


def rows_within(
    settings: Settings, request: Request, clauses: tuple[str, ...], seconds: float
) -> int | None:
    """How many records of a table a recipient may have by some clauses; None: it takes too long.

    Counted once for each state of the catalogue and the agreements.
    """
    try:
        return _counted(settings, request, clauses, seconds)
    except _NoTimeError:
        return None


def _as_counted(settings: Settings, asked: Request, clauses: tuple[str, ...], *_more: Any) -> Any:
    return state(settings), asked.table, asked.recipient, clauses, asked.as_of


@remembered(_as_counted, KEPT_COUNTS)
def _counted(
    settings: Settings, request: Request, _clauses: tuple[str, ...], seconds: float
) -> int | None:
    if seconds < LEAST_COUNT_S:
        raise _NoTimeError
    try:
        with _looking(settings, request, seconds, COUNT_WAIT_S) as selection:
            return selection.row_count
    except BusyError:
        raise _NoTimeError from None  # others are looking
    except ReleaseError:
        return 0
    except TimeoutError:
        return None


def state(settings: Settings) -> tuple[Any, ...]:
    """Another value whenever the tables or the agreements are others."""
    return (stamp(settings), tuple(sorted(fingerprint(settings.agreements).items())))


@contextmanager
def _looking(
    settings: Settings, request: Request, seconds: float, wait_s: float | None = None
) -> Iterator[Selection]:
    """Rows of a request, bounded. Raises TimeoutError, BusyError where too many look at once."""
    import duckdb

    from pipelines.release.preview import open_preview

    if not _places.acquire(timeout=WAIT_S if wait_s is None else wait_s):
        raise BusyError(RETRY_S)
    bounded = replace(settings, memory_limit=MEMORY, threads=THREADS)
    try:
        with (
            _Stopwatch(seconds) as watch,
            open_preview(bounded, request, watch.watch) as selection,
        ):
            yield selection
    except (duckdb.InterruptException, duckdb.OutOfMemoryException):
        raise TimeoutError from None
    finally:
        _places.release()


class _Stopwatch:
    """Interrupts a connection when time is over, and again: between statements nothing hears."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.connection: duckdb.DuckDBPyConnection | None = None
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self._stop, daemon=True, name="look-stopwatch")

    def __enter__(self) -> _Stopwatch:
        self.thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self.ended.set()
        self.thread.join()

    def watch(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Name the connection to interrupt."""
        self.connection = connection

    def _stop(self) -> None:
        import duckdb

        pause_s = self.seconds
        while not self.ended.wait(pause_s):
            pause_s = INTERRUPT_EVERY_S
            with suppress(duckdb.Error):  # it may be closed just now
                if self.connection is not None:
                    self.connection.interrupt()


def _first_rows(selection: Selection, limit: int) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    """Heads and cells: words rather than codes, where a code has words."""
    worded = {one.words_of for one in selection.fields if one.words_of}
    shown = [one for one in selection.fields if one.name not in worded]
    labels = {one.name: one.label for one in selection.fields}
    heads = tuple(
        (_plain(labels, one), "number") if _is_number(one.duckdb_type) else _plain(labels, one)
        for one in shown
    )
    names = ", ".join(f'"{one.name}"' for one in shown)
    found = selection.connection.execute(
        f"SELECT {names} FROM {relation(selection)} LIMIT {int(limit)}"
    ).fetchall()
    level = next((at for at, one in enumerate(shown) if one.name == LEVEL), -1)
    return heads, tuple(
        tuple(_level(value, labels) if at == level else cell(value) for at, value in enumerate(row))
        for row in found
    )


def _level(value: str, labels: dict[str, str]) -> str:
    """What a line of counts counts: one cell, or all of one area, of one month."""
    said = {"cell": _("detail"), "total": _("total")}
    if value in said:
        return said[value]
    label = labels.get(value, value).removesuffix(_("{label} (code)", label=""))
    return _("total by {what}", what=label[:1].lower() + label[1:])


def _plain(labels: dict[str, str], one: Any) -> str:
    """The name of a column; of one that holds the words of a code, that of the code."""
    contract_label: str = labels.get(one.words_of, one.label) if one.words_of else one.label
    return contract_label.removesuffix(_("{label} (code)", label=""))


def relation(selection: Selection) -> str:
    """The rows that would leave, as it stands in a FROM clause."""
    return f"read_parquet({literal(str(selection.rows))})"


def cell(value: object) -> str:
    """A value as it is shown in a table."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, int | float):
        return number(value, 0 if float(value).is_integer() else 2)
    if isinstance(value, dt.datetime):
        is_day = value.time() == dt.time()
        return date(value) if is_day else f"{date(value)}, {value:%H:%M}"
    if isinstance(value, dt.date):
        return date(value)
    text = "; ".join(map(str, value)) if isinstance(value, list) else str(value)
    longest = LONGEST_CELL if " " in text else LONGEST_WORD
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def _is_number(duckdb_type: str) -> bool:
    return duckdb_type in ("INTEGER", "BIGINT", "DOUBLE", "HUGEINT", "DECIMAL")


def _numbers(selection: Selection) -> tuple[tuple[str, str], ...]:
    """The large numbers on top."""
    if selection.request.form == "counts":
        return (
            (_("Lines"), number(selection.row_count)),
            *(
                [(_("Numbers hidden"), number(selection.suppressed_cells))]
                if selection.suppressed_cells is not None
                else []
            ),
            (_("Hidden below"), number(selection.threshold)),
        )
    return (
        (_("Records"), number(selection.row_count)),
        (_("Columns"), number(sum(1 for one in selection.fields if not one.words_of))),
    )


def _said(selection: Selection) -> Iterator[str]:
    """What is hidden and why, a sentence each."""
    flow, contract = selection.flow, selection.contract
    for reason, count in _told(flow, "dropped").items():
        yield _(REASONS.get(reason, REASONS["restriction"]), count=count)
    for column, count in _told(flow, "masked").items():
        yield _(
            "“{column}” is left empty, as a clause or the provider asks: {count} times.",
            column=_label(contract, column),
            count=count,
        )
    never = set(selection.masked_columns) - set(_told(flow, "masked"))
    for column in sorted(never):
        yield _(
            "“{column}” is not given: no clause opens it for this purpose.",
            column=_label(contract, column),
        )
    coarsened = _most(str(one["coarsened"]) for one in flow.told())
    if coarsened:
        yield _("Told less exactly, so that nobody stands out: {count} records.", count=coarsened)
    if selection.risk and selection.row_count:
        yield (
            _("No record stands alone: at least {count} look alike.", count=selection.risk.k_min)
            if selection.risk.k_min > 1
            else _("Some records stand alone: somebody may be recognised, so handle with care.")
        )
    asked = {one.name for one in selection.fields}
    for restriction in selection.allowed.restrictions:
        if not restriction.columns or asked & set(restriction.columns):
            yield restriction.reason[selection.request.language]
    if flow.has_others_across:
        yield _(OTHERS_ACROSS[selection.request.form])
    if not flow.is_withheld_told:
        yield _("How much was held back is not told for so narrow a choice.")


def _told(flow: Flow, kind: str) -> dict[str, str]:
    """What may be told, over all clauses: the largest where several say something."""
    found: dict[str, list[str]] = {}
    for one in flow.told():
        parts: Any = one[kind]
        for name, count in parts.items():
            found.setdefault(name, []).append(str(count))
    return {name: most for name, counts in found.items() if (most := _most(counts))}


def _most(counts: Any) -> str:
    told = [one for one in counts if one != "0"]
    if not told:
        return ""
    most = max(told, key=lambda one: int(one.strip("<≥")))
    count = number(int(most.strip("<≥")))
    if most.startswith("<"):
        return _("fewer than {count}", count=count)
    return _("at least {count}", count=count) if most.startswith("≥") else count


def _label(contract: Contract, column: str) -> str:
    known = contract.variables.get(column)
    return known.label[language()] if known else column
