"""The command `reference load`: gazetteers and boundaries as their publishers give them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pipelines.cli.declare import argument, command, noun
from pipelines.cli.errors import CommandError
from pipelines.cli.session import Session, table
from pipelines.cli.words import _, listed, number
from pipelines.core.i18n import mark


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
    session: Session,
    files: Annotated[
        list[Path], argument(mark("FILE"), mark("the files; all are loaded, or none"))
    ],
) -> None:
    from pipelines.landing.reference import load_reference

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


NOUN = noun("reference", mark("Gazetteers from their publishers' files."), load)
