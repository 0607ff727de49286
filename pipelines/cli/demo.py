"""The command `demo`: invented deliveries taken in, three questions, an extract, what next."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from pipelines.cli.declare import command, flag, option
from pipelines.cli.errors import REFUSED, CommandError
from pipelines.cli.ingest import finish, take_inbox, tell_verdicts
from pipelines.cli.session import Session
from pipelines.cli.sql import locked_connection, show_result
from pipelines.cli.words import _, language, number, quoted
from pipelines.core.i18n import mark

if TYPE_CHECKING:
    from pipelines.demo.writer import DemoSummary
    from pipelines.release.extract import Extract

EXTRACT_DAY = dt.date(2026, 11, 17)  # of the last delivery: no day to come, whatever the clock says

QUESTIONS = (
    (
        mark("Which kinds of incident do the police and the missions report most?"),
        """SELECT label('offences', left(offence_code, 4), lang := '{lang}') AS offence,
       count(*) FILTER (source NOT LIKE '%unpol%') AS police,
       count(*) FILTER (source LIKE '%unpol%') AS missions
FROM incidents WHERE source <> 'ucdp' GROUP BY ALL ORDER BY police + missions DESC LIMIT 5""",
    ),
    (
        mark("Which border points are crossed most, and which way?"),
        """SELECT country, border_point_code, direction, count(*) AS crossings,
       round(avg(age_years)) AS mean_age
FROM border_crossings GROUP BY ALL ORDER BY crossings DESC LIMIT 5""",
    ),
    (
        mark("Which services send most, and how much of it is rejected?"),
        """SELECT source, count(*) AS files, sum(rows_read) AS rows_read,
       round(100 * sum(rows_quarantined) / sum(rows_read)) AS rejected_percent
FROM deliveries GROUP BY ALL ORDER BY rows_read DESC LIMIT 5""",
    ),
)


@command(
    "demo",
    mark(
        "Write six months of invented deliveries, take them in, publish them and make an extract."
        "\n\n"
        "Nothing in them is real. A few rows in a hundred are wrong, as in real life. A file with "
        "the truth about each row lies beside them."
    ),
    "passerelle demo --home demo",
)
def demo(
    session: Session,
    seed: Annotated[
        int | None, option("--seed", mark("NUMBER"), mark("another number: other data"), min=0)
    ] = None,
    scale: Annotated[
        float, option("--scale", mark("FACTOR"), mark("2: twice as many events"))
    ] = 1.0,
    is_every_rule: Annotated[
        bool, flag("--every-rule", mark("break every rule, for tests"))
    ] = False,
    no_run: Annotated[bool, flag("--no-run", mark("only write the deliveries"))] = False,
) -> int:
    written = _write_deliveries(session, seed, scale, is_every_rule=is_every_rule)
    session.print_line(
        _(
            "Invented: {count} deliveries of {rows} rows, in {place}",
            count=number(len(written.files)),
            rows=number(written.rows),
            place=session.settings.inbox,
        )
    )
    if no_run:
        session.print(_("Take them in with: {command}", command="passerelle run"))
        return 0
    verdicts, problems, again = take_inbox(session)
    if not verdicts and not session.is_json:
        _tell_known(session)
    code = finish(session, verdicts, problems, again)
    _show_tour(session)
    _release_one(session)
    return 0 if code == REFUSED else code


def _tell_known(session: Session) -> None:
    """What an earlier call took in, where nothing is new."""
    from pipelines.cli.verdicts import known_deliveries

    known = [verdict for _delivery, verdict in known_deliveries(session) if verdict]
    session.print(_("All of it was taken in before."))
    tell_verdicts(session, known)


def _write_deliveries(
    session: Session, seed: int | None, scale: float, *, is_every_rule: bool
) -> DemoSummary:
    """Write the invented deliveries into the inbox. Raises CommandError for a scale too small."""
    from pipelines.demo.writer import DEFAULT_SEED, write_demo

    with session.progress(_("Inventing")) as advance:
        try:
            return write_demo(
                session.settings.prepare(),
                seed=DEFAULT_SEED if seed is None else seed,
                scale=scale,
                is_every_rule=is_every_rule,
                on_progress=advance,
            )
        except ValueError:
            message = _("At this scale some rule would have no row to show.")
            raise CommandError(
                "PSL-222", message, _("Try: {command}", command="--scale 1")
            ) from None


def _show_tour(session: Session) -> None:
    """Three questions that anybody may ask next, with their answers, and where to look further."""
    from rich.text import Text

    if session.is_json:
        return
    with locked_connection(session) as connection:
        for words, query in QUESTIONS:
            asked = query.format(lang=session.settings.language)
            session.print()
            session.print(Text(_(words), style="bold"))
            session.print_line(f'  passerelle sql "{_one_line(asked)}"{_at_home(session)}', "dim")
            show_result(session, connection.query(asked), 0)


def _release_one(session: Session) -> None:
    """Make one extract and prove it, as a mission would; then what to do next."""
    from pipelines.cli.extract import make_one
    from pipelines.release.errors import ReleaseError
    from pipelines.release.request import Request

    request = Request(
        table="incidents",
        recipient="minusca_unpol",
        purpose="joint_planning",
        as_of=EXTRACT_DAY,
        format="xlsx",
        language=language(),
    )
    try:
        made = make_one(session, request)
    except ReleaseError as refused:  # by agreements of one's own, which may give other things
        session.complain(refused.code, refused.text(language()), refused.hint(language()))
        _show_next(session, [])
        return
    _show_release(session, made)


def _show_release(session: Session, made: Extract) -> None:
    from rich.text import Text

    from pipelines.release.package.keys import public_key_path
    from pipelines.release.package.verify import verify

    key = public_key_path(session.settings)
    manifest = verify(made.file, key).manifest
    session.print()
    session.print(Text(_("An extract for a mission, by its agreement"), style="bold"))
    asked = (
        "passerelle extract make incidents --recipient minusca_unpol --purpose joint_planning "
        f"--as-of {EXTRACT_DAY}{_at_home(session)}"
    )
    session.print_line(f"  {asked}", "dim")
    session.print(
        _(
            "{rows} records for {recipient} by {clauses}, marked {handling}:",
            rows=number(made.row_count),
            recipient=manifest.recipient.label[language()],
            clauses=", ".join(one.clause for one in manifest.clauses),
            handling=manifest.handling.label[language()],
        )
    )
    session.print_line(f"  {_near(made.file)}")
    session.print(_("Checked with its public key: authentic and unchanged."))
    again = f"passerelle verify {quoted(_near(made.file))} --key {quoted(_near(key))}"
    _show_next(session, [(_("Check the extract"), again)])


def _near(path: Path) -> Path:
    """As one would type it here."""
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


def _show_next(session: Session, first: list[tuple[str, str]]) -> None:
    """What to do next, each with its command on a line of its own, to be copied and run."""
    from rich.text import Text

    home = _at_home(session)
    session.print()
    session.print(Text(_("What next"), style="bold"))
    steps = [
        *first,
        (_("Ask who may have what"), f"passerelle agreement list{home}"),
        (_("Open the portal and Dagster"), f"passerelle serve{home}"),
        (_("Read a delivery’s rejections"), f"passerelle delivery list{home}"),
        (_("Open the tables elsewhere"), f"duckdb -readonly {quoted(session.settings.catalogue)}"),
    ]
    for words, line in steps:
        session.print(f"  {words}")
        session.print_line(f"    {line}", "cyan")


def _at_home(session: Session) -> str:
    """The option that a command needs to find what this call made."""
    return f" --home {quoted(session.options.home)}" if session.options.home else ""


def _one_line(query: str) -> str:
    return " ".join(query.split())
