"""Commands of upkeep: `lake compact|vacuum|check`, `reference load`.

Not here: what they do (`pipelines/lake/maintenance.py`, `pipelines/landing/reference.py`).
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipelines.cli.declare import command, session_of
from pipelines.cli.errors import REFUSED, CommandError
from pipelines.cli.session import Session, table
from pipelines.cli.words import _, counted, language, listed, number
from pipelines.core.i18n import mark

KEEP_DAYS = 7.0


@command(
    "compact",
    mark("Merge small files of the tables, so that questions are answered faster."),
    "passerelle lake compact",
)
def compact(context: typer.Context) -> None:
    """Merge."""
    from pipelines.lake.maintenance import compact as merge

    session = session_of(context)
    _require_published(session)
    with session.progress(_("Merging")) as advance:
        advance(0, 1)
        done = merge(session.settings)
    if session.is_json:
        session.print_json([vars(one) for one in done])
        return
    grid = table(_("Table"), _("Files before"), _("Files after"), numbers=[1, 2])
    for one in done:
        grid.add_row(one.table, number(one.files_before), number(one.files_after))
    session.print(grid)


@command(
    "vacuum",
    mark(
        "Delete files that no reader can still have open.\n\n"
        "It only says how many; --delete deletes them."
    ),
    "passerelle lake vacuum --delete",
)
def vacuum(
    context: typer.Context,
    delete: Annotated[bool, typer.Option("--delete", help=mark("delete, not only say"))] = False,
    keep_days: Annotated[
        float,
        typer.Option(
            "--keep-days",
            metavar=mark("NUMBER"),
            min=0,
            help=mark("keep what was shown in these days"),
        ),
    ] = KEEP_DAYS,
) -> None:
    """Clean."""
    from pipelines.lake.maintenance import vacuum as clean

    session = session_of(context)
    _require_published(session)
    with session.progress(_("Looking")) as advance:
        advance(0, 1)
        files = clean(session.settings, keep_days=keep_days, is_dry_run=not delete)
    if session.is_json:
        session.print_json({"files": files, "deleted": delete})
    elif delete:
        session.print(_("Files deleted: {count}.", count=number(len(files))))
    else:
        session.print(_("Files that may be deleted: {count}.", count=number(len(files))))
        if files:
            kept = "" if keep_days == KEEP_DAYS else f" --keep-days {keep_days:g}"
            line = f"passerelle lake vacuum{kept} --delete"
            session.print_line(_("Delete them: {command}", command=line))


@command(
    "check",
    mark(
        "Compare the tables, their files and the deliveries with each other, and close files that "
        "are open to other accounts of this machine."
    ),
    "passerelle lake check",
)
def check(context: typer.Context) -> int:
    """Compare."""
    from pipelines.core.ownership import close_home
    from pipelines.lake.maintenance import check as compare

    session = session_of(context)
    _require_published(session)
    with session.progress(_("Comparing")) as advance:
        advance(0, 1)
        closed = close_home(session.settings, is_whole=True)
        problems = compare(session.settings)
    if session.is_json:
        session.print_json([problem.text(language()) for problem in problems])
    elif not problems:
        session.print(_("Tables, files and deliveries agree."))
    if closed:
        one = mark("{count} file or folder was open to other accounts of this machine: closed.")
        several = mark("{count} files and folders were open to other accounts: closed.")
        session.print(counted(closed, one, several))
    for problem in problems:
        session.complain("PSL-301", problem.text(language()))
    return REFUSED if problems else 0


@command(
    "load",
    mark(
        "Load gazetteers and boundaries as their publishers give them.\n\n"
        "It knows the OCHA list of P-codes (CSV), COD-AB workbooks (XLSX) and outlines with a code "
        "(GeoJSON, GeoParquet). Names of areas are then recognised down to the second level."
    ),
    "passerelle reference load global_pcodes.csv",
)
def load(
    context: typer.Context,
    files: Annotated[
        list[Path],
        typer.Argument(metavar=mark("FILE"), help=mark("the files; all are loaded, or none")),
    ],
) -> None:
    """Load."""
    from pipelines.landing.reference import load_reference

    session = session_of(context)
    for file in files:
        if not file.is_file():
            raise CommandError("PSL-405", _("There is no file {file}.", file=file))
    with session.progress(_("Loading")) as advance:
        advance(0, len(files), listed([file.name for file in files]))
        loaded = load_reference(session.settings.prepare(), files)
    if session.is_json:
        session.print_json([vars(one) for one in loaded])
        return
    grid = table(_("File"), _("Countries"), _("Areas"), _("Outlines"), numbers=[2, 3])
    for one in loaded:
        grid.add_row(one.file, listed(list(one.countries)), number(one.areas), number(one.shapes))
    session.print(grid)


def _require_published(session: Session) -> None:
    """Raise CommandError while there is no catalogue."""
    if not session.settings.catalogue.is_file():
        message = _("Nothing is published yet in {place}.", place=session.settings.home)
        raise CommandError("PSL-218", message, _("Try: {command}", command="passerelle demo"))
