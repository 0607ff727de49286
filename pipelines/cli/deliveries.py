"""Commands that look at what came in: `deliveries`, `rejections`, `status`.

Not here: taking deliveries in, and the provider's report itself (`pipelines/validate/report.py`).
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipelines.cli.account import as_data, show_noticed, show_refused
from pipelines.cli.answers import how, show_questions
from pipelines.cli.declare import command, session_of
from pipelines.cli.errors import CommandError
from pipelines.cli.session import Session, table
from pipelines.cli.usage import no_such
from pipelines.cli.words import _, counted, language, number
from pipelines.core.i18n import mark
from schemas.contract import all_rules

if TYPE_CHECKING:
    from rich.text import Text

    from pipelines.landing.receive import Delivery
    from pipelines.validate.verdict import Verdict

REPORT_SUFFIXES = (".xlsx", ".html")
FIRST_ROWS = 8


@command(
    "deliveries",
    mark("List what came in: when, from whom, how many rows, and what became of them."),
    "passerelle deliveries --feed caf_gendarmerie_incidents",
)
def deliveries(
    context: typer.Context,
    feed: Annotated[
        str, typer.Option("--feed", metavar=mark("FEED"), help=mark("only those of one feed"))
    ] = "",
    is_refused: Annotated[
        bool, typer.Option("--refused", help=mark("only those of which nothing was used"))
    ] = False,
    last: Annotated[
        int,
        typer.Option("--last", metavar=mark("NUMBER"), min=0, help=mark("only the latest; 0: all")),
    ] = 30,
) -> None:
    """List deliveries."""
    from pipelines.cli.usage import require_feed

    session = session_of(context)
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


def known_deliveries(session: Session, feed: str = "") -> list[tuple[Delivery, Verdict | None]]:
    """Deliveries and their verdicts, the earliest received first."""
    from pipelines.landing.receive import list_deliveries
    from pipelines.validate.verdict import verdict_of

    found = list_deliveries(session.settings, feed or None)
    return [(delivery, verdict_of(delivery)) for delivery in found]


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
    "rejections",
    mark(
        "Say why rows of a delivery were rejected, or write the report for its sender.\n\n"
        "The report has the sender's own cells, row numbers and corrections, in the language of "
        "the feed unless --lang says otherwise. Give --rows too: that file has just the bad rows, "
        "in the format that was sent, for the sender to correct and send again. No cell is changed "
        "in it, formulas included, so it goes to its sender only; columns that are not read, such "
        "as names, are left empty."
    ),
    "passerelle rejections caf_gendarmerie_incidents.9f2c\n"
    "passerelle rejections caf_gendarmerie_incidents.9f2c -o r.xlsx --rows l.csv",
)
def rejections(
    context: typer.Context,
    delivery: Annotated[
        str,
        typer.Argument(
            metavar=mark("DELIVERY"), help=mark("its id, or enough of it to be the only one")
        ),
    ],
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", metavar=mark("FILE"), help=mark("write the report: .xlsx or .html")
        ),
    ] = None,
    rows: Annotated[
        Path | None,
        typer.Option(
            "--rows",
            metavar=mark("FILE"),
            help=mark("write just the bad rows, as they were sent, to correct and send again"),
        ),
    ] = None,
) -> None:
    """Tell why."""
    session = session_of(context)
    found, verdict = find_judged(session, delivery)
    if rows is not None:
        _demand_rows(found, verdict, rows)
    if output is not None or rows is not None:
        _write(session, found, verdict, output, rows)
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
            command_line = f"passerelle rejections {found.delivery_id} -o report.xlsx"
            session.print_line(_("The report for the sender: {command}", command=command_line))


def find_judged(session: Session, text: str) -> tuple[Delivery, Verdict]:
    """The one delivery whose id or fingerprint begins with `text`. Raises CommandError."""
    pairs = known_deliveries(session)
    ids = [delivery.delivery_id for delivery, _verdict in pairs]
    hits = [
        (one, verdict)
        for one, verdict in pairs
        if one.delivery_id.startswith(text) or one.sha256.startswith(text)
    ]
    exact = [pair for pair in hits if pair[0].delivery_id == text]
    hits = exact or hits
    if not hits:
        hint = _("See: {command}", command="passerelle deliveries")
        raise no_such(_("There is no delivery “{name}”.", name=text), text, ids, "PSL-211", hint)
    if len(hits) > 1:
        several = "\n".join(one.delivery_id for one, _verdict in hits[:FIRST_ROWS])
        raise CommandError(
            "PSL-212", _("Several deliveries begin with “{name}”:", name=text), several
        )
    found, verdict = hits[0]
    if verdict is None:
        message = _("{name} is not judged yet.", name=found.delivery_id)
        raise CommandError(
            "PSL-213", message, _("Judge it with: {command}", command="passerelle run")
        )
    return found, verdict


def _demand_rows(delivery: Delivery, verdict: Verdict, rows: Path) -> None:
    """Raise CommandError where the bad rows cannot be written to `rows`."""
    from pipelines.lake.questions import read_question
    from pipelines.validate.report_rows import has_rows, rows_suffix

    question = read_question(delivery.folder)
    reused = question.reused if question else 0
    if not verdict.is_accepted:
        raise CommandError(
            "PSL-226", _("This delivery was refused whole: no row of it was set aside.")
        )
    if question and not verdict.rows_quarantined and not reused:
        message = _(
            "No row was rejected. Rows that only wait for an answer: {count}.",
            count=number(question.rows),
        )
        raise CommandError("PSL-226", message, how(question))
    if not verdict.rows_quarantined and not reused:
        raise CommandError("PSL-226", _("No row was rejected."))
    if not has_rows(verdict, reused=reused):
        raise _no_rows()
    if rows.suffix.lower() != (suffix := rows_suffix(delivery)).lower():
        message = _("The rows of this delivery are a {suffix} file, as sent.", suffix=suffix)
        raise CommandError("PSL-225", message)


def _no_rows() -> CommandError:
    message = _("None of these rows could be split into cells, so none is written without names.")
    return CommandError(
        "PSL-226", message, _("Its sender looks for them in the file that was sent.")
    )


def _write(
    session: Session, delivery: Delivery, verdict: Verdict, output: Path | None, rows: Path | None
) -> None:
    """Write the report, the bad rows, or both."""
    from pipelines.validate.report_rows import rows_suffix, write_rows

    if output is not None:
        _write_report(session, delivery, verdict, output)
    if rows is not None:
        with session.progress(_("Writing")) as advance:
            advance(0, 1, rows.name)
            try:
                write_rows(session.settings, delivery, rows)
            except ValueError:
                raise _no_rows() from None
    if session.is_json:
        written = {"file": output, "rows": rows}
        session.print_json({kind: str(path) for kind, path in written.items() if path})
    for path in (output, rows):
        if path is not None:
            session.print_line(_("Written: {file}", file=path))
    if rows is None and verdict.is_accepted and verdict.rows_quarantined:
        option = f"--rows rows{rows_suffix(delivery)}"
        session.print(_("Just the bad rows, to correct and send again: {option}", option=option))


def _write_report(session: Session, delivery: Delivery, verdict: Verdict, output: Path) -> None:
    from pipelines.validate.report_file import write_report
    from schemas.feed import load_feed

    if output.suffix.lower() not in REPORT_SUFFIXES:
        raise CommandError("PSL-214", _("A report is an .xlsx or an .html file."))
    spoken = session.options.language if session.options.is_language_asked else None
    with session.progress(_("Writing")) as advance:
        advance(0, 1, output.name)
        write_report(
            session.settings,
            delivery,
            verdict,
            spoken or load_feed(delivery.feed).language,
            output,
        )


def _reasons(session: Session, delivery: Delivery, verdict: Verdict) -> list[dict[str, Any]]:
    """By code: how many rows, the first row numbers, and the rule's words."""
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
    rules = all_rules()
    return [
        {
            "code": code,
            "rows": count,
            "first_rows": first,
            "column": rules[code].column,
            "message": rules[code].message[language()],
            "correction": rules[code].correction[language()],
        }
        for code, count, first in rows
    ]


def _held(delivery: Delivery) -> list[dict[str, Any]]:
    """By code: how many rows wait for an answer, the first row numbers, and the rule's words."""
    from pipelines.lake.questions import read_question

    if (question := read_question(delivery.folder)) is None:
        return []
    rules = all_rules()
    return [
        {
            "code": code,
            "rows": count,
            "first_rows": list(question.first_rows.get(code, ())),
            "column": rules[code].column,
            "message": rules[code].message[language()],
            "correction": rules[code].correction[language()],
        }
        for code, count in question.codes.items()
    ]


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
