"""What is asked about deliveries on a terminal, and how it is answered.

Not here: what is asked and why (`pipelines/lake/questions.py`), the command that answers
(`delivery.py`).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from pipelines.cli.errors import CommandError
from pipelines.cli.session import Session
from pipelines.cli.words import _, language

if TYPE_CHECKING:
    from pipelines.lake.questions import Question
    from pipelines.landing.receive import Delivery
    from schemas.feed import Statement


def kind_of(is_register: bool, is_correction: bool) -> Statement | None:
    """What the two options say that a file is. Raises CommandError where both are given."""
    if is_register and is_correction:
        raise CommandError("PSL-228", _("A file is a register or a correction, not both."))
    return "register" if is_register else "correction" if is_correction else None


def show_questions(session: Session, deliveries: Iterable[Delivery]) -> int:
    """What is asked about these deliveries, each with its evidence; returns how many are asked."""
    from pipelines.lake.questions import read_question

    asked = 0
    for delivery in deliveries:
        if (question := read_question(delivery.folder)) is None:
            continue
        asked += 1
        session.complain(
            "PSL-305",
            _(
                "{file}: rows that are held until somebody answers: {count}",
                file=delivery.receipt.file_name,
                count=question.rows,
            ),
            "\n".join([question.text(language()), *question.evidence(language()), how(question)]),
        )
    return asked


def how(question: Question) -> str:
    """The command that answers a question."""
    kinds = " | ".join(f"--{kind}" for kind in question.answers)
    command_line = f"passerelle delivery answer {question.delivery_id} {kinds}"
    return _("Answer: {command}", command=command_line)
