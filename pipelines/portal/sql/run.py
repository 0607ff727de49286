"""One question, from its text to its answer: read, run in a process of its own, written down."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from pipelines.core.settings import Settings
from pipelines.ledger import chain
from pipelines.portal.sql import fence
from pipelines.portal.sql.errors import SqlError
from pipelines.portal.sql.worker import Answer, Task

SECONDS = 10
MOST_ROWS = 1000
GRACE_S = 5  # to start Python and DuckDB, and to give up by itself, before it is killed
AT_ONCE = 2  # questions of all analysts together; the others wait for their turn
LONGEST_WAIT_S = 15
_TURNS = threading.BoundedSemaphore(AT_ONCE)
# The child gets these and nothing else of the environment: no secret can be asked out of it.
PASSED_ON = ("PATH", "SYSTEMROOT", "LD_LIBRARY_PATH", "LANG", "TZ")


def ask(
    settings: Settings,
    question: str,
    relations: Collection[str],
    prepare: Callable[[Sequence[str]], Mapping[str, Path]],
    *,
    actor: str,
    organisation: str,
    purpose: str,
    seconds: float = SECONDS,
    most_rows: int = MOST_ROWS,
) -> Answer:
    """The answer to a question over some relations. Raises SqlError, whatever went wrong.

    `prepare` gives the boxes of the relations that the question reads. Either outcome is in the
    ledger as `sql.run`: the hash and the length of the text, never the text.
    """
    outcome: dict[str, Any] = {"outcome": "answered"}
    try:
        read = fence.read(question, relations)
        outcome["tables"] = list(read.relations)
        with _one_at_a_time(settings, actor):
            files = {relation: str(file) for relation, file in prepare(read.relations).items()}
            asked = Task(question=read.text, boxes=files, seconds=seconds, most_rows=most_rows)
            answer = _run(asked)
            outcome["rows"] = len(answer.rows)
            return answer
    except SqlError as refused:
        outcome["outcome"] = refused.code
        raise
    finally:
        written = question.encode("utf-8", "replace")
        details: dict[str, Any] = {
            "sha256": hashlib.sha256(written).hexdigest(),
            "characters": len(question),
        }
        details |= {"purpose": purpose[:80], **outcome}
        chain.append(settings, "sql.run", actor=actor, organisation=organisation, details=details)


class _one_at_a_time:  # noqa: N801  (used as a statement: `with _one_at_a_time(…)`)
    """One question a person, across the portal's processes, and few in all."""

    def __init__(self, settings: Settings, actor: str) -> None:
        from filelock import FileLock

        folder = settings.scratch / "sqlbox_turns"
        folder.mkdir(parents=True, exist_ok=True)
        name = hashlib.sha256(actor.encode()).hexdigest()[:32]
        self.lock = FileLock(folder / f"{name}.lock", timeout=0)

    def __enter__(self) -> None:
        from filelock import Timeout

        try:
            self.lock.acquire()
        except Timeout:
            raise SqlError("SQL-206") from None
        if not _TURNS.acquire(timeout=LONGEST_WAIT_S):
            self.lock.release()
            raise SqlError("SQL-209")

    def __exit__(self, *_error: object) -> None:
        _TURNS.release()
        self.lock.release()


def _run(task: Task) -> Answer:
    """Start the process, give it the task, take its answer; kill it at the limit."""
    child = subprocess.Popen(
        [sys.executable, "-m", "pipelines.portal.sql.worker"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=_environment(),
        start_new_session=True,
    )
    try:
        said, _nothing = child.communicate(
            task.model_dump_json().encode(), timeout=task.seconds + GRACE_S
        )
    except subprocess.TimeoutExpired:
        raise SqlError("SQL-203", seconds=round(task.seconds)) from None
    finally:
        if child.poll() is None:
            child.kill()
            child.wait()
    try:
        answer = Answer.model_validate_json(said)
    except ValidationError:  # it died: the system took its memory or its time
        raise SqlError("SQL-204") from None
    if answer.code:
        raise SqlError(answer.code, **answer.values)
    return answer


def _environment() -> dict[str, str]:
    kept = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    return {**kept, "PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "PYTHONUTF8": "1"}
