"""What is asked about deliveries on a terminal, and the command that answers: `delivery answer`.

Not here: what is asked and why (`pipelines/lake/questions.py`), taking files in.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated

import typer

from pipelines.cli.declare import command, session_of
from pipelines.cli.session import Session
from pipelines.cli.stops import Stop
from pipelines.cli.words import _, language
from pipelines.i18n import mark

if TYPE_CHECKING:
    from pipelines.lake.questions import Question
    from pipelines.landing.receive import Delivery
    from schemas.feed import Statement


def kind_of(is_register: bool, is_correction: bool) -> Statement | None:
    """What the two options say that a file is. Raises Stop where both are given."""
    if is_register and is_correction:
        raise Stop("PSL-228", _("A file is a register or a correction, not both."))
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


@command(
    "answer",
    mark(
        "Say what a delivery is: a register that arrived late, or a correction.\n\n"
        "A register says what the source's book says as of a day; a correction is a later "
        "statement about some rows. The answer is kept beside the receipt and in the ledger, and "
        "the held rows find their place at once. With --rule it holds for the feed from now on."
    ),
    "passerelle delivery answer caf_police_incidents.9f2c1b7a44d0 --register",
)
def answer(
    context: typer.Context,
    delivery: Annotated[
        str,
        typer.Argument(
            metavar=mark("DELIVERY"), help=mark("its id, or enough of it to be the only one")
        ),
    ],
    is_register: Annotated[
        bool, typer.Option("--register", help=mark("it is a register, as of its own day"))
    ] = False,
    is_correction: Annotated[
        bool, typer.Option("--correction", help=mark("it is a later statement about some rows"))
    ] = False,
    is_rule: Annotated[
        bool, typer.Option("--rule", help=mark("so are all deliveries of its feed from now on"))
    ] = False,
) -> int:
    """Answer."""
    from pipelines.cli.deliveries import find_judged
    from pipelines.cli.ingest import publish_all
    from pipelines.ledger.chain import OPERATOR
    from pipelines.ledger.deliveries import answer as keep

    session = session_of(context)
    kind = kind_of(is_register, is_correction)
    if kind is None:
        raise Stop("PSL-229", _("Say --register or --correction."))
    found, _verdict = find_judged(session, delivery)
    is_new = keep(session.settings, found.delivery_id, kind, actor=OPERATOR)
    if is_rule:
        _keep_rule(session, found.feed, kind)
    publish_all(session, answered_ids=[found.delivery_id])
    if session.is_json:
        session.print_json({"delivery_id": found.delivery_id, "kind": kind, "is_new": is_new})
        return 0
    said = _("Noted.") if is_new else _("That was the answer already.")
    session.print_line(said)
    show_questions(session, [found])
    return 0


def _keep_rule(session: Session, feed: str, kind: Statement) -> None:
    from pipelines.authoring.rule import keep_rule

    try:
        place = keep_rule(feed, kind)
    except (OSError, ValueError):
        message = _("The declaration of {feed} cannot be written here.", feed=feed)
        raise Stop("PSL-227", message, _("Add to it: {line}", line=f"deliveries: {kind}")) from None
    session.print_line(_("Written: {file}", file=place))
