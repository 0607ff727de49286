"""What is asked about a delivery of which rows are held, with its evidence and in people's words.

Not here: which rows are held (`revisions.py`), what was answered (`landing/answers.py`).

One question a file, `question.json` beside its receipt, from the publish that held its rows to the
one that finds them held no more, and beside it which rows those are. It holds counts, days and ids;
no value of a cell.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import io
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any

from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError
from upath import UPath

from pipelines.core.i18n import day_words, mark, translator
from pipelines.core.settings import Settings
from pipelines.lake.data_files import files_sql
from pipelines.lake.judged_deliveries import JudgedDelivery
from pipelines.lake.revisions import TIED, UNDECIDED, content_sql
from pipelines.lake.tables import addressed_files, existing_table
from pipelines.landing.readers.workbook import sheet_and_row
from pipelines.validate.remarks import HELD_ROWS
from pipelines.validate.verdict import keep_whole
from schemas.contract import load_contract
from schemas.feed import Statement
from schemas.sqltext import literal
from schemas.text import Language

if TYPE_CHECKING:
    import duckdb

FILE_NAME = "question.json"
FIRST_ROWS = 8
# Whoever sent the file is asked at once; after this time those who look after the feed are told.
ALSO_SPECIALIST_AFTER = dt.timedelta(hours=48)


class ConflictingDelivery(BaseModel):
    """A delivery that a held row would change, or disagrees with: how many records, of what day.

    `withdrawn` counts the records that stand as withdrawn there.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    delivery_id: str
    as_of: dt.date | None
    records: int
    withdrawn: int


class Question(BaseModel):
    """What is asked about one delivery, and what is known about its held rows.

    `codes` counts them by rule; of those that a later file overrules, `repeats` say exactly what an
    earlier version said, `unseen` what nobody has said yet, and `undone` would show again what was
    withdrawn.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    delivery_id: str
    asked_at: AwareDatetime
    as_of: dt.date | None
    codes: dict[str, int]
    others: tuple[ConflictingDelivery, ...] = ()
    repeats: int = 0
    unseen: int = 0
    undone: int = 0
    first_rows: dict[str, tuple[int, ...]] = {}  # by rule, as `source_row`

    @property
    def rows(self) -> int:
        """How many rows of the delivery are held."""
        return sum(self.codes.values())

    @property
    def reused(self) -> int:
        """How many of them bear a number that belongs to another event."""
        return self.rows - self.codes.get(UNDECIDED, 0) - self.codes.get(TIED, 0)

    @property
    def answers(self) -> tuple[Statement, ...]:
        """What may be answered: a register says nothing of a number that another event bore."""
        return ("correction",) if self.reused == self.rows else ("register", "correction")

    def is_asked(self, after: dt.timedelta, now: dt.datetime | None = None) -> bool:
        """True for whoever is asked so long after the sender was."""
        return (now or dt.datetime.now(dt.UTC)) - self.asked_at >= after

    def text(self, language: Language = "en") -> str:
        """The question, in `language`."""
        return " ".join(_sentences(self, language))

    def as_data(self, language: Language = "en") -> dict[str, Any]:
        """The question for another program, with its text in `language`."""
        return self.model_dump(mode="json") | {"text": self.text(language)}

    def evidence(self, language: Language = "en") -> list[str]:
        """What speaks for one answer or the other, a sentence each."""
        return _evidence(self, language)


def read_question(folder: UPath) -> Question | None:
    """What is asked about the delivery in a folder; None where nothing is."""
    try:
        return Question.model_validate_json((folder / FILE_NAME).read_bytes())
    except (FileNotFoundError, NotADirectoryError, ValidationError):
        return None


def ask(
    settings: Settings,
    connection: duckdb.DuckDBPyConnection,
    about: Sequence[JudgedDelivery],
) -> None:
    """Write down what is asked about each of these deliveries, or take it back where it is settled.

    `held_rows` is there. When a question was first asked stays as it was.
    """
    found = connection.execute("SELECT DISTINCT delivery_id FROM held_rows").fetchall()
    ids = {delivery for (delivery,) in found}
    held = [one for one in about if one.delivery_id in ids]
    for one in about:
        if one.delivery_id not in ids:
            for file_name in (FILE_NAME, HELD_ROWS):
                with contextlib.suppress(FileNotFoundError):
                    (one.receipt_folder / file_name).unlink()
    for table in sorted({one.table for one in held}):
        _compare(settings, connection, table)
        for one in held:
            if one.table == table:
                question = _question(settings, connection, one)
                _keep_rows(connection, one)
                data = question.model_dump_json(indent=2).encode() + b"\n"
                keep_whole(one.receipt_folder / FILE_NAME, data)


def _compare(settings: Settings, connection: duckdb.DuckDBPyConnection, table_name: str) -> None:
    """Make `compared`: of each held row of the table, what else is said of its record."""
    contract = load_contract(table_name)
    table = existing_table(settings, table_name)
    found = addressed_files(settings, table) if table is not None else {}
    mine = f"SELECT * FROM held_rows WHERE table_name = {literal(table_name)}"
    ranges = connection.execute(
        f"SELECT min(record_id), max(record_id) FROM ({mine}) GROUP BY delivery_id"
    ).fetchall()
    files = {address: file for address, file in found.items() if file.may_speak_of(ranges)}
    columns = [c.name for c in contract.published if c.filled_by != "lake"]
    rows = files_sql(
        contract, files, columns=[*columns, "is_latest", "held", "superseded_at"], is_located=False
    )
    connection.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE compared AS
        WITH said AS (
            SELECT record_id, delivery_id, source_row, is_latest, held,
                   coalesce(is_withdrawn, FALSE) AS is_withdrawn, {content_sql(contract)} AS content
            FROM ({rows}) SEMI JOIN ({mine}) USING (record_id) WHERE superseded_at IS NULL),
        known AS (
            SELECT record_id, content FROM said WHERE held IS NULL GROUP BY ALL),
        standing AS (
            SELECT record_id, delivery_id AS other, is_withdrawn AS was_withdrawn
            FROM said WHERE is_latest),
        rivals AS (
            SELECT record_id, delivery_id AS other, FALSE AS was_withdrawn
            FROM said WHERE held = {literal(TIED)}),
        asked AS (
            SELECT said.*, known.content IS NOT NULL AS is_repeat
            FROM said LEFT JOIN known USING (record_id, content) WHERE held IS NOT NULL)
        SELECT asked.*, other, coalesce(was_withdrawn, FALSE) AS was_withdrawn
        FROM asked LEFT JOIN (
            SELECT *, FALSE AS is_rival FROM standing UNION ALL SELECT *, TRUE FROM rivals) AS o
        ON o.record_id = asked.record_id AND o.other <> asked.delivery_id
            AND (o.is_rival OR asked.held <> {literal(TIED)})
        """
    )


def _question(
    settings: Settings, connection: duckdb.DuckDBPyConnection, one: JudgedDelivery
) -> Question:
    before = read_question(one.receipt_folder)
    mine = f"SELECT * FROM compared WHERE delivery_id = {literal(one.delivery_id)}"
    each = f"SELECT DISTINCT ON (source_row) * FROM ({mine})"
    codes = connection.execute(
        f"SELECT held, count(*), list(source_row ORDER BY source_row)[:{FIRST_ROWS}] "
        f"FROM ({each}) GROUP BY held ORDER BY held"
    ).fetchall()
    [counts] = connection.execute(
        f"""
        SELECT count(*) FILTER (is_repeat), count(*) FILTER (NOT is_repeat),
               count(*) FILTER (was_withdrawn AND NOT is_withdrawn)
        FROM ({each}) WHERE held = {literal(UNDECIDED)}
        """
    ).fetchall()
    others = connection.execute(
        f"SELECT other, count(DISTINCT record_id), count(DISTINCT record_id) FILTER (was_withdrawn)"
        f" FROM ({mine}) WHERE other IS NOT NULL GROUP BY other"
    ).fetchall()
    days = _days(settings, {other for other, _, _ in others})
    found = [
        ConflictingDelivery(
            delivery_id=other, as_of=days.get(other), records=records, withdrawn=withdrawn
        )
        for other, records, withdrawn in others
    ]
    return Question(
        delivery_id=one.delivery_id,
        asked_at=before.asked_at if before else dt.datetime.now(dt.UTC),
        as_of=one.as_of,
        codes={code: rows for code, rows, _ in codes},
        first_rows={code: tuple(first) for code, _, first in codes},
        others=tuple(sorted(found, key=lambda o: (-o.records, o.delivery_id))),
        repeats=counts[0],
        unseen=counts[1],
        undone=counts[2],
    )


def _days(settings: Settings, delivery_ids: Collection[str]) -> dict[str, dt.date | None]:
    from pipelines.lake.judged_deliveries import find_judged_delivery

    found = ((one, find_judged_delivery(settings, one)) for one in delivery_ids)
    return {delivery: judged.as_of if judged else None for delivery, judged in found}


def _keep_rows(connection: duckdb.DuckDBPyConnection, one: JudgedDelivery) -> None:
    """Write down which rows of a delivery are held, for the report to its sender."""
    import pyarrow.parquet

    rows = connection.execute(
        "SELECT source_row, rule_code AS code FROM held_rows WHERE delivery_id = ? ORDER BY ALL",
        [one.delivery_id],
    ).to_arrow_table()
    data = io.BytesIO()
    pyarrow.parquet.write_table(rows, data)
    keep_whole(one.receipt_folder / HELD_ROWS, data.getvalue())


# --- in people's words ---------------------------------------------------------------------------

ENDS = mark("This file ends on {day}.")
ONE_LATER = mark("One record that it would change comes from a file that ends on {day}.")
LATER = mark("{count} records that it would change come from a file that ends on {day}.")
LATER_SEVERAL = mark(
    "{count} records that it would change come from {files} files, the last of which ends on {day}."
)
ONE_LATER_WITHDRAWN = mark("It was withdrawn there.")
ONE_OF_THEM_WITHDRAWN = mark("One of them was withdrawn there.")
SOME_WITHDRAWN = mark("{count} of them were withdrawn there.")
OLDER_OR_CORRECTION = mark("Is it an older file that arrived late, or a correction?")
TIED_ONE = mark(
    "It disagrees about one record with a file of the same day that came at the same moment."
)
TIED_SEVERAL = mark(
    "It disagrees about {count} records with a file of the same day that came at the same moment."
)
REUSED_ONE = mark(
    "One record bears a number that another event bore before: another day, place and kind."
)
REUSED_SEVERAL = mark(
    "{count} records bear numbers that other events bore before: another day, place and kind."
)
REUSED_OR_CORRECTION = mark(
    "Is the file a correction of those? If not, send these events again with their own numbers."
)
WHICH_STANDS = mark("Is this one the register, or the correction?")
REPEATS = mark("Rows that say exactly what an earlier version said: {count}.")
UNSEEN = mark("Rows that say what no file has said yet: {count}.")
WHERE = mark("{code}: rows {rows}")
UNDONE = mark("Withdrawn records that they would show again: {count}.")


def _sentences(question: Question, language: Language) -> list[str]:
    _ = translator(language)

    def spoken(day: dt.date | None) -> str:
        return day_words(day, language, "d MMMM y") if day else "…"

    said = [_(ENDS, day=spoken(question.as_of))]
    if count := question.codes.get(UNDECIDED, 0):
        later = [other for other in question.others if other.as_of] or list(question.others)
        last = max((other.as_of for other in later if other.as_of), default=None)
        withdrawn = sum(other.withdrawn for other in question.others)
        sentence = ONE_LATER if count == 1 else LATER if len(later) <= 1 else LATER_SEVERAL
        said.append(_(sentence, count=count, files=len(later), day=spoken(last)))
        if withdrawn:
            several = ONE_OF_THEM_WITHDRAWN if withdrawn == 1 else SOME_WITHDRAWN
            said.append(_(ONE_LATER_WITHDRAWN if count == 1 else several, count=withdrawn))
        said.append(_(OLDER_OR_CORRECTION))
    if count := question.reused:
        said.append(_(REUSED_ONE if count == 1 else REUSED_SEVERAL, count=count))
        said.append(_(REUSED_OR_CORRECTION))
    if count := question.codes.get(TIED, 0):
        said.append(_(TIED_ONE if count == 1 else TIED_SEVERAL, count=count))
        if not question.codes.get(UNDECIDED):
            said.append(_(WHICH_STANDS))
    return said


def _evidence(question: Question, language: Language) -> list[str]:
    _ = translator(language)
    counts = ((REPEATS, question.repeats), (UNSEEN, question.unseen), (UNDONE, question.undone))
    said = [_(sentence, count=count) for sentence, count in counts if count]
    for code, first in question.first_rows.items():
        more = " …" if question.codes.get(code, 0) > len(first) else ""
        places = ", ".join(map(_place, first))
        said.append(_(WHERE, code=code, rows=places + more))
    return said


def _place(source_row: int) -> str:
    """The row as a person finds it; of a later sheet of a workbook, the number of the sheet too."""
    sheet, row = sheet_and_row(source_row)
    return f"{sheet + 1}:{row}" if sheet else str(row)
