"""Writing the report for the sender of a delivery, and just its bad rows, to files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.cli.errors import CommandError
from pipelines.cli.session import Session
from pipelines.cli.verdicts import how
from pipelines.cli.words import _, number

if TYPE_CHECKING:
    from pipelines.landing.receive import Delivery
    from pipelines.validate.verdict import Verdict

REPORT_SUFFIXES = (".xlsx", ".html")


def demand_rows(delivery: Delivery, verdict: Verdict, rows: Path) -> None:
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


def write(
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
            session.settings, delivery, verdict, spoken or load_feed(delivery.feed).language, output
        )
