"""The commands `delivery …`: list deliveries, show what became of one, answer about it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pipelines.cli.declare import argument, command, flag, noun, option
from pipelines.cli.delivery_report import demand_rows, write
from pipelines.cli.errors import CommandError
from pipelines.cli.feed import require_feed
from pipelines.cli.ingest import kind_of, publish_all
from pipelines.cli.rejudge import rejudge
from pipelines.cli.session import Session, table
from pipelines.cli.verdicts import (
    as_data,
    find_judged,
    known_deliveries,
    show_noticed,
    show_questions,
    show_refused,
)
from pipelines.cli.words import _, counted, language, number
from pipelines.core.i18n import mark
from schemas.contract import all_rules

if TYPE_CHECKING:
    from rich.text import Text

    from pipelines.landing.receive import Delivery
    from pipelines.validate.verdict import Verdict
    from schemas.feed import Statement

FIRST_ROWS = 8


@command(
    "list",
    mark("List what came in: when, from whom, how many rows, and what became of them."),
    "passerelle delivery list --feed caf_gendarmerie_incidents",
    earlier="deliveries",
)
def list_deliveries(
    session: Session,
    feed: Annotated[str, option("--feed", mark("FEED"), mark("only those of one feed"))] = "",
    is_refused: Annotated[
        bool, flag("--refused", mark("only those of which nothing was used"))
    ] = False,
    last: Annotated[
        int, option("--last", mark("NUMBER"), mark("only the latest; 0: all"), min=0)
    ] = 30,
) -> None:
    if feed:
        require_feed(feed)
    known = known_deliveries(session, feed)
    pairs = [
        (delivery, verdict)
        for delivery, verdict in known
        if not is_refused or (verdict is not None and not verdict.is_accepted)
    ]
    shown = pairs[-last:] if last else pairs
    if session.is_json:
        session.print_json([_row(delivery, verdict) for delivery, verdict in shown])
    elif not pairs:
        session.print(_why_none(is_refused and bool(known), feed))
    else:
        _show(session, shown)
        if (earlier := len(pairs) - len(shown)) > 0:
            one = mark("… and {count} earlier one (--last 0).")
            several = mark("… and {count} earlier ones (--last 0).")
            session.print(counted(earlier, one, several))


def _why_none(has_some: bool, feed: str) -> str:
    """Why there is nothing to list; `has_some` where deliveries came in, but none was refused."""
    if has_some:
        return _("None was refused.")
    return _("Nothing came in yet from {feed}.", feed=feed) if feed else _("Nothing came in yet.")


def _show(session: Session, pairs: list[tuple[Delivery, Verdict | None]]) -> None:
    grid = table(
        _("Delivery"),
        _("Received"),
        _("Rows"),
        _("Rejected"),
        _("State"),
        numbers=[2, 3],
        whole=[1, 4],
    )
    for delivery, verdict in pairs:
        grid.add_row(
            delivery.delivery_id,
            f"{delivery.receipt.received_at:%Y-%m-%d}",
            number(verdict.rows_read if verdict else None),
            number(verdict.rows_quarantined if verdict else None),
            _state(delivery, verdict),
        )
    session.print(grid)


def _state(delivery: Delivery, verdict: Verdict | None) -> Text:
    from rich.text import Text

    from pipelines.lake.questions import read_question
    from pipelines.validate.remarks import read_disagreements

    if verdict is None:
        return Text(_("waiting"), style="yellow")
    if (question := read_question(delivery.folder)) is not None:
        return Text(_("held: {count}", count=number(question.rows)), style="yellow")
    if not verdict.is_accepted:
        return Text(_("refused"), style="red")
    if disagreements := read_disagreements(delivery.folder):
        records = sum(int(one.values["records"]) for one in disagreements)
        return Text(_("accepted; disagrees: {count}", count=number(records)), style="yellow")
    return Text(_("accepted"))


def _row(delivery: Delivery, verdict: Verdict | None) -> dict[str, Any]:
    receipt = delivery.receipt.model_dump(mode="json")
    from pipelines.lake.questions import read_question

    judged = as_data(verdict, delivery) if verdict else {"state": "waiting"}
    question = read_question(delivery.folder)
    held = {"state": "held", "question": question.model_dump(mode="json")} if question else {}
    return receipt | judged | held


@command(
    "show",
    mark(
        "Say why rows of a delivery were rejected, or write the report for its sender.\n\n"
        "The report has the sender's own cells, row numbers and corrections, in the language of "
        "the feed unless --lang says otherwise. Give --rows too: that file has just the bad rows, "
        "in the format that was sent, for the sender to correct and send again. No cell is changed "
        "in it, formulas included, so it goes to its sender only; columns that are not read, such "
        "as names, are left empty."
    ),
    "passerelle delivery show caf_gendarmerie_incidents.9f2c\n"
    "passerelle delivery show caf_gendarmerie_incidents.9f2c -o r.xlsx --rows l.csv",
    earlier="rejections",
)
def show(
    session: Session,
    delivery: Annotated[
        str, argument(mark("DELIVERY"), mark("its id, or enough of it to be the only one"))
    ],
    output: Annotated[
        Path | None, option("--output -o", mark("FILE"), mark("write the report: .xlsx or .html"))
    ] = None,
    rows: Annotated[
        Path | None,
        option(
            "--rows",
            mark("FILE"),
            mark("write just the bad rows, as they were sent, to correct and send again"),
        ),
    ] = None,
) -> None:
    found, verdict = find_judged(session, delivery)
    if rows is not None:
        demand_rows(found, verdict, rows)
    if output is not None or rows is not None:
        write(session, found, verdict, output, rows)
    elif session.is_json:
        reasons = _reasons(session, found, verdict)
        session.print_json({**as_data(verdict, found), "reasons": reasons, "held": _held(found)})
    elif not verdict.is_accepted:
        show_refused(session, [(found, verdict)])
    else:
        show_noticed(session, [(found, verdict)])
        _show_reasons(session, found, verdict)
        asked = show_questions(session, [found])
        if verdict.rows_quarantined or asked:
            command_line = f"passerelle delivery show {found.delivery_id} -o report.xlsx"
            session.print_line(_("The report for the sender: {command}", command=command_line))


def _reasons(session: Session, delivery: Delivery, verdict: Verdict) -> list[dict[str, Any]]:
    """By code: how many rows were rejected, the first row numbers, and the rule's words."""
    import duckdb

    if not verdict.reason_counts:
        return []
    from pipelines.ingest.ingest import local_part

    part = local_part(session.settings, delivery, "quarantined")
    with part as quarantined, duckdb.connect() as connection:
        rows = connection.execute(
            "SELECT code, count(*), list(source_row ORDER BY source_row)[:?] FROM "
            "(SELECT unnest(reasons) AS code, source_row FROM read_parquet(?)) "
            "GROUP BY code ORDER BY count(*) DESC, code",
            [FIRST_ROWS, str(quarantined)],
        ).fetchall()
    return [_reason(*row) for row in rows]


def _held(delivery: Delivery) -> list[dict[str, Any]]:
    """The same of rows that wait for an answer."""
    from pipelines.lake.questions import read_question

    if (question := read_question(delivery.folder)) is None:
        return []
    return [
        _reason(code, count, list(question.first_rows.get(code, ())))
        for code, count in question.codes.items()
    ]


def _reason(code: str, rows: int, first_rows: list[int]) -> dict[str, Any]:
    rule = all_rules()[code]
    return {
        "code": code,
        "rows": rows,
        "first_rows": first_rows,
        "column": rule.column,
        "message": rule.message[language()],
        "correction": rule.correction[language()],
    }


def _show_reasons(session: Session, delivery: Delivery, verdict: Verdict) -> None:
    from rich.text import Text

    session.print(Text(delivery.delivery_id, style="bold"))
    session.print(
        _(
            "{file}: {read} rows read, {accepted} accepted, {rejected} rejected, "
            "{copies} identical copies.",
            file=delivery.receipt.file_name,
            read=number(verdict.rows_read),
            accepted=number(verdict.rows_accepted),
            rejected=number(verdict.rows_quarantined),
            copies=number(verdict.rows_exact_duplicates),
        )
    )
    reasons = _reasons(session, delivery, verdict)
    if not reasons:
        session.print(_("No row was rejected."))
        return
    grid = table(_("Code"), _("Rows"), _("Why, what to do, and where"), numbers=[1], whole=[0])
    for reason in reasons:
        first = ", ".join(str(row) for row in reason["first_rows"])
        more = " …" if reason["rows"] > len(reason["first_rows"]) else ""
        where = _("Rows: {rows}", rows=first + more)
        words = Text.assemble(reason["message"], (f"\n{reason['correction']}\n{where}", "dim"))
        grid.add_row(reason["code"], number(reason["rows"]), words)
    session.print(grid)
    session.print()


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
    session: Session,
    delivery: Annotated[
        str, argument(mark("DELIVERY"), mark("its id, or enough of it to be the only one"))
    ],
    is_register: Annotated[
        bool, flag("--register", mark("it is a register, as of its own day"))
    ] = False,
    is_correction: Annotated[
        bool, flag("--correction", mark("it is a later statement about some rows"))
    ] = False,
    is_rule: Annotated[
        bool, flag("--rule", mark("so are all deliveries of its feed from now on"))
    ] = False,
) -> int:
    from pipelines.ingest.publish import answer as keep
    from pipelines.ledger.chain import OPERATOR

    kind = kind_of(is_register, is_correction)
    if kind is None:
        raise CommandError("PSL-229", _("Say --register or --correction."))
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
        raise CommandError(
            "PSL-227", message, _("Add to it: {line}", line=f"deliveries: {kind}")
        ) from None
    session.print_line(_("Written: {file}", file=place))


NOUN = noun(
    "delivery",
    mark("What came in: list it, see why rows were rejected, answer, judge again."),
    list_deliveries,
    show,
    answer,
    rejudge,
)
