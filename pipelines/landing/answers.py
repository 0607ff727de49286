"""What somebody answered about a delivery: a register or a correction; kept beside its receipt.

Not here: when it is asked (`lake.questions`) and who may answer (the portal, the command line).

An answer is never changed. A later one is another file, and the latest counts.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import os
from pathlib import Path

from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError
from upath import UPath

from schemas.feed import Statement

FIRST = "answer.json"
READ_ONLY = 0o400


class Answer(BaseModel):
    """What a delivery is, by the account or role that answered."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    delivery_id: str
    kind: Statement
    answered_at: AwareDatetime
    answered_by: str = ""


def read_answer(folder: UPath) -> Answer | None:
    """The latest answer in the folder of a delivery, None where nobody has answered."""
    latest = None
    number = 1
    while (found := _read(folder / _file_name(number))) is not None:
        latest = found
        number += 1
    return latest


def keep_answer(
    folder: UPath, delivery_id: str, kind: Statement, answered_by: str = ""
) -> Answer | None:
    """Write an answer down beside the receipt; None where the latest one says the same already.

    Two at once get a file each. Raises OSError where the place cannot be written.
    """
    number = 1
    while True:
        while (known := _read(folder / _file_name(number))) is not None:
            if known.kind == kind and _read(folder / _file_name(number + 1)) is None:
                return None
            number += 1
        answer = Answer(
            delivery_id=delivery_id,
            kind=kind,
            answered_at=dt.datetime.now(dt.UTC),
            answered_by=answered_by,
        )
        with contextlib.suppress(FileExistsError):
            _write(folder / _file_name(number), answer)
            return answer


def _file_name(number: int) -> str:
    return FIRST if number == 1 else FIRST.replace(".", f"-{number}.")


def _read(place: UPath) -> Answer | None:
    try:
        return Answer.model_validate_json(place.read_bytes())
    except (FileNotFoundError, NotADirectoryError, ValidationError):
        return None


def _write(place: UPath, answer: Answer) -> None:
    """Whole or not at all. Raises FileExistsError where another process was first."""
    data = answer.model_dump_json(indent=2).encode() + b"\n"
    if not isinstance(place, Path):
        place.fs.pipe_file(place.path, data, mode="create")
        return
    half = place.with_name(f".{place.name}.{os.getpid()}")
    with half.open("wb") as stream:
        stream.write(data)
        stream.flush()
        os.fsync(stream.fileno())
    half.chmod(READ_ONLY)
    try:
        os.link(half, place)  # unlike a rename, it replaces nothing
    finally:
        half.unlink()
