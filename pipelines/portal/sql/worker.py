"""A process of its own for one question: `python -m pipelines.portal.sql.worker`.

It takes one task as JSON on its input and writes one answer as JSON. It knows no settings, no
secrets and no lake: only the box files named in the task, which hold nothing but permitted rows.
Even a question that both readings should have refused finds a locked connection here: no files but
the boxes (read-only), no network, no extensions, no settings; and the system's own limits on
memory, processor time and written bytes around it.
"""

from __future__ import annotations

import difflib
import json
import re
import sys
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from pipelines.core.i18n import mark
from pipelines.portal.sql import engine_reading
from pipelines.portal.sql.errors import SqlError
from schemas.sqltext import literal, name, whole

if TYPE_CHECKING:
    import duckdb

MIB = 1024**2
OVERHEAD_MIB = 1536  # address space of Python, DuckDB's code and the stacks of its threads
LONGEST_CELL = 300  # characters; a cell is for reading here
NUMERIC = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "U", "FLOAT", "DOUBLE", "DECIMAL")
ROWS = "rows"  # the one table of a box
LABEL_MACRO = """
CREATE MACRO label(list_name, code_value, lang := 'en') AS (
    SELECT CASE WHEN lower(lang) = 'fr' THEN label_fr ELSE label_en END
    FROM code_labels WHERE code_labels.list = list_name AND code_labels.code = code_value)
"""


class Task(BaseModel):
    """One question and its limits. `boxes`: relation → the file that holds its rows."""

    question: str
    boxes: dict[str, str]
    seconds: float = 10
    memory_mib: int = 512
    threads: int = 2
    most_rows: int
    most_characters: int = 5_000_000  # a bound of memory, which no ordinary thousand rows meet


class Answer(BaseModel):
    """Rows as text, or the code of what went wrong."""

    columns: list[str] = []
    types: list[str] = []
    is_numeric: list[bool] = []
    rows: list[list[str | None]] = []
    is_cut: bool = False
    elapsed_ms: int = 0
    relations: list[str] = []
    code: str = ""
    values: dict[str, Any] = {}


def answer(task: Task) -> Answer:
    """The answer to one question; a fault is an answer with a code."""
    import duckdb

    try:
        with locked_connection(task) as connection:
            relations = engine_reading.read(connection, task.question, task.boxes)
            begun = time.monotonic()
            said = ask(connection, task)
    except SqlError as refused:
        return Answer(code=refused.code, values=refused.values)
    except duckdb.Error as error:
        failed = fault(error, task)
        return Answer(code=failed.code, values=failed.values)
    except MemoryError:
        return Answer(code="SQL-204")
    elapsed_ms = int((time.monotonic() - begun) * 1000)
    return said.model_copy(update={"elapsed_ms": elapsed_ms, "relations": relations})


def locked_connection(task: Task) -> duckdb.DuckDBPyConnection:
    """A connection that sees the boxes of the task and can reach nothing else, for good."""
    import duckdb

    connection = duckdb.connect(
        config={
            "memory_limit": f"{task.memory_mib}MiB",
            "threads": task.threads,
            "temp_directory": "",
            "max_temp_directory_size": "0MB",
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
            "allow_community_extensions": False,
            "allow_unsigned_extensions": False,
            "allow_persistent_secrets": False,
            "python_enable_replacements": False,
            "enable_external_file_cache": False,
        }
    )
    connection.execute("SET TimeZone = 'UTC'")
    connection.execute("SET enable_progress_bar = false")
    for relation, file in task.boxes.items():
        box = name(f"box_{relation}")
        connection.execute(f"ATTACH {literal(file)} AS {box} (READ_ONLY)")
        connection.execute(f"CREATE VIEW {name(relation)} AS FROM {box}.{ROWS}")
    if "code_labels" in task.boxes:
        connection.execute(LABEL_MACRO)
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")
    return connection


def ask(connection: duckdb.DuckDBPyConnection, task: Task) -> Answer:
    """Run the question within the time and size of the task."""
    clock = threading.Timer(task.seconds, connection.interrupt)
    clock.daemon = True
    clock.start()
    try:
        result = connection.execute(task.question)
        types = [str(column[1]) for column in result.description or ()]
        rows = result.fetchmany(task.most_rows + 1)
    finally:
        clock.cancel()
    shown, is_cut = _within(rows, task)
    return Answer(
        columns=[str(column[0])[:LONGEST_CELL] for column in result.description or ()],
        types=types,
        is_numeric=[kind.startswith(NUMERIC) for kind in types],
        rows=shown,
        is_cut=is_cut,
    )


def _within(rows: list[tuple[Any, ...]], task: Task) -> tuple[list[list[str | None]], bool]:
    """As many rows, as text, as an answer may hold; and whether there are more."""
    shown: list[list[str | None]] = []
    room = task.most_characters
    for row in rows[: task.most_rows]:
        cells = [_cell(value) for value in row]
        room -= sum(len(cell or "") + 10 for cell in cells)
        if room < 0 and shown:
            return shown, True
        shown.append(cells)
    return shown, len(rows) > len(shown)


def _cell(value: Any) -> str | None:
    if value is None:
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return whole(value)
    if isinstance(value, list | tuple):
        return ", ".join("–" if item is None else str(item) for item in value[:50])[:LONGEST_CELL]
    text = str(value)
    return text if len(text) <= LONGEST_CELL else text[: LONGEST_CELL - 1] + "…"


MISFIT = mark("its parts do not fit together")
UNTAKEN = mark("a function was given a value that it does not take")
NAMED = (
    (re.compile(r'(?:Referenced column|column named) "([^"]*)"'), "SQL-201"),
    (re.compile(r'Referenced table "([^"]*)" not found'), "SQL-106"),
    (re.compile(r'Ambiguous reference to column name "([^"]*)"'), "SQL-212"),
    (re.compile(r'column "([^"]*)" must appear in the GROUP BY'), "SQL-213"),
    (re.compile(r"No function matches|Cannot compare|Cannot mix|Could not choose"), "SQL-214"),
)
CANDIDATES = re.compile(r"Candidate bindings: ([^\n]*)")


def fault(error: duckdb.Error, task: Task) -> SqlError:
    """An engine error as a coded refusal. Nothing of its text passes but names of columns."""
    import duckdb

    if isinstance(error, duckdb.InterruptException):
        return SqlError("SQL-203", seconds=round(task.seconds))
    if isinstance(error, duckdb.OutOfMemoryException):
        return SqlError("SQL-204")
    if isinstance(error, duckdb.ConversionException | duckdb.OutOfRangeException):
        return SqlError("SQL-205")
    if isinstance(error, duckdb.BinderException | duckdb.CatalogException):
        text = str(error)
        for pattern, code in NAMED:
            if found := pattern.search(text):
                return _named(code, found, text)
    is_value = isinstance(error, duckdb.InvalidInputException)
    return SqlError("SQL-208", reason=UNTAKEN if is_value else MISFIT)


def _named(code: str, found: re.Match[str], text: str) -> SqlError:
    word = found.group(1)[:60] if found.groups() else ""
    if code == "SQL-201" and (listed := CANDIDATES.search(text)):
        names = re.findall(r"\w+", listed.group(1))
        if close := difflib.get_close_matches(word.lower(), names, 1):
            return SqlError("SQL-202", column=word, close=close[0][:60])
    if code == "SQL-106":
        return SqlError(code, name=word)
    return SqlError(code, column=word)


def confine(task: Task) -> None:
    """The system's limits on this process, for good. Nothing on systems that have none."""
    with suppress(ImportError):
        import resource

        room = (task.memory_mib + OVERHEAD_MIB) * MIB
        seconds = int(task.seconds * task.threads) + 5
        resource.setrlimit(resource.RLIMIT_AS, (room, room))
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def main() -> None:
    """Answer the task on the input."""
    task = Task.model_validate(json.load(sys.stdin))
    confine(task)
    sys.stdout.write(answer(task).model_dump_json())


if __name__ == "__main__":
    main()
